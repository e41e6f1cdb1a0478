"""The log's own key in two steps: a second one beside it, then the old one's end.

    key rotate log     log.key add      from here on checkpoints bear both signatures
    key retire log     log.key retire   brings the checkpoint along that both signed

Between the two everybody gets the new verifier key, and witnesses cosign a checkpoint
of both (format.md §7). The operator's root key signs both entries.
"""

from __future__ import annotations

import shlex
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from ledger.cli.common import Command
from ledger.cli.common import Settings
from ledger.cli.common import hint
from ledger.cli.common import home_option
from ledger.cli.common import json_option
from ledger.cli.common import keys_option
from ledger.cli.common import open_home
from ledger.cli.common import pass_settings
from ledger.cli.documents import print_document
from ledger.cli.making import root_name_of
from ledger.cli.signing import Keys
from ledger.cli.signing import new_id
from ledger.cli.signing import open_desk
from ledger.drafts import Draft
from ledger.entry.verify import prove_log_key
from ledger.errors import HomeError
from ledger.errors import InputError
from ledger.errors import InvariantError
from ledger.errors import LedgerError
from ledger.errors import UnverifiableError
from ledger.events.identity import LogKey
from ledger.events.json import body_to_json
from ledger.published import FILE_NAME
from ledger.staging import Staged
from ledger.tlog.note import format_vkey
from ledger.tlog.note import make_vkey
from ledger.tlog.policy import check_policy
from ledger.witnessing import read_policy
from ledger.writer import Writer
from ledger.writer import now_ms

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from collections.abc import Sequence

    from ledger.cli.signing import Signer
    from ledger.home import Home
    from ledger.keys.keyfile import KeyFile
    from ledger.tlog.ed25519 import SigningKey


LOG_KEY_KIND = "log.key"


def add_log_key(
    settings: Settings,
    keys: Keys,
    old: KeyFile,
    name: str,
    passphrase: Callable[[], str | None],
    *,
    url: str | None,
) -> None:
    """Make a log key, and add it beside the old one."""
    log_keys = keys.log_keys()
    signer = keys.signer(root_name_of(settings, keys, old, None))
    if url is None:
        with _naming_the_server():
            Writer(settings.place).close()  # refuses before a key is made
    with open_home(settings) as reader, reader.reading() as sources:
        log = sources.state.need_log()
    made = keys.ring.create(
        name, party=old.party, purpose="log", passphrase=passphrase()
    )
    body = LogKey(action="add", proof=prove_log_key(made, log.log), public=made.public)
    try:
        if url is None:
            index = _say_here(settings, [*log_keys, made], signer, body)
        else:
            index = _say_there(settings, url, signer, body)
    except LedgerError as error:
        if not _maybe_stored(error):
            keys.ring.remove(name)
        raise
    _report(settings, name, made.public, index)
    old_vkey, new_vkey = (
        shlex.quote(format_vkey(make_vkey(log.origin, public)))
        for public in (old.public, made.public)
    )
    hint(f"""
Checkpoints bear the signatures of both keys now. Next:
  copy {keys.ring.folder} and its passphrase to a safe place
  give the new vkey to everyone who verifies this log
  change the log line of every policy, yours first ({settings.place.path / "policy"}):
    log {new_vkey}
  each witness of the policy has to put it in the place of the old one:
    linernote witness add-log {new_vkey} --instead-of {old_vkey}
  once 'linernote status' says that all cosigned: linernote key retire {old.name}""")


def _maybe_stored(error: LedgerError) -> bool:
    """Tell whether the log may have the key: then its file is not to be lost."""
    if isinstance(error, HomeError):
        return error.code != "home-in-use"
    return isinstance(error, InvariantError | UnverifiableError)


def _say_here(
    settings: Settings, log_keys: Sequence[SigningKey], signer: Signer, body: LogKey
) -> int:
    """Append an event to the log of the home; return its index."""
    with _naming_the_server(), open_desk(settings, log_keys) as desk:
        return desk.author(signer).say(LOG_KEY_KIND, body).index


@contextmanager
def _naming_the_server() -> Iterator[None]:
    """Say how to go on if a server writes to the home."""
    try:
        yield
    except HomeError as error:
        if error.code != "home-in-use":
            raise
        told = "if it is 'linernote serve --accept-events', give its address with --to"
        raise HomeError(error.code, error.message, hint=told) from error


def _say_there(settings: Settings, url: str, signer: Signer, body: LogKey) -> int:
    """Send an event to the server of the home; return its index."""
    from ledger.cli.sending import RemoteDestination
    from ledger.remote import Client

    with open_home(settings) as reader:
        believed = reader.vkeys[0]  # signed what is published, also just after an add
    log = RemoteDestination(Client(url), settings.keys_folder, believed, wait=False)
    chain = log.head(signer).chain(signer.key, signer.file.party)
    draft = Draft(LOG_KEY_KIND, body_to_json(body), None, None, LOG_KEY_KIND)
    event = chain.sign(draft, event_id=new_id(), time=now_ms())
    with Staged() as staged:
        (answer,) = log.append([event], staged)
    if isinstance(answer, LedgerError):
        raise answer
    return answer.index


to_option = click.option(
    "--to",
    "url",
    metavar="URL",
    help="The log's address, where 'linernote serve --accept-events' serves this home:"
    " for a log key, which is changed while it runs.",
)


@click.command(
    cls=Command,
    examples="""
    linernote key rotate log
    then, when everyone has the new verifier key
    linernote key retire log
    """,
)
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@to_option
@home_option
@keys_option
@json_option
@pass_settings
def retire(settings: Settings, name: str, *, yes: bool, url: str | None) -> None:
    """Retire a key that signs the log's checkpoints, for ever.

    The second step after 'linernote key rotate log'. The published checkpoint, which
    both keys signed, goes into the entry: whoever knows the old key alone can follow
    to the new one. If the home has a policy, its witnesses have to have cosigned that
    checkpoint. From then on the old key signs nothing that anybody believes.

    Where 'linernote serve --accept-events' runs, --to names its address.
    """
    keys = Keys(settings)
    old = keys.ring.load(name)
    if old.purpose != "log":
        raise InputError(
            "not-a-log-key",
            f"key {name} does not sign checkpoints",
            hint=f"'linernote key revoke {name}' ends it",
        )
    log_keys = keys.log_keys()
    signer = keys.signer(root_name_of(settings, keys, old, None))
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("a key is retired for ever: say so with --yes")
        click.confirm(f"Retire log key {name} for ever?", abort=True, err=True)
    note = _handover(settings.place)
    body = LogKey(action="retire", checkpoint=note.encode(), public=old.public)
    if url is None:
        index = _say_here(settings, log_keys, signer, body)
    else:
        index = _say_there(settings, url, signer, body)
    _report(settings, name, old.public, index)
    hint(f"""
Checkpoints bear the signature of the new key alone now. Next:
  'linernote status' says which witness or policy still knows only the old one
  copy {keys.ring.folder}/{name}.key away, or destroy it: it has no use here""")


def _handover(home: Home) -> str:
    """Read the published checkpoint, with cosignatures.

    Raises:
        VerificationError: `policy-not-met`.
    """
    note = (home.public / FILE_NAME).read_text(encoding="utf-8")
    policy = read_policy(home)
    if policy is not None:
        check_policy(policy, note)
    return note


def _report(settings: Settings, name: str, public: bytes, index: int) -> None:
    with open_home(settings) as reader:
        vkeys = [format_vkey(vkey) for vkey in reader.vkeys]
    if settings.json:
        print_document(
            {"name": name, "public": public.hex(), "entry": index, "vkeys": vkeys}
        )
        return
    click.echo(f"log key {name} {public.hex()}")
    click.echo(f"entry {index}")
    for vkey in vkeys:
        click.echo(f"vkey {vkey}")
