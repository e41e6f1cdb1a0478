"""Commands about keys: who may speak for a party (format.md §4).

A party has two keys. Its *root* key adds and revokes its keys and does nothing else:
it can stay in a drawer. Its *sign* key signs everything else, every day. The log key
signs checkpoints and is nobody's.
"""

from __future__ import annotations

import re
import sys
from functools import partial
from typing import TYPE_CHECKING
from typing import Any

import click

from ledger.cli import delivery
from ledger.cli import making
from ledger.cli.common import Command
from ledger.cli.common import Settings
from ledger.cli.common import hint
from ledger.cli.common import home_option
from ledger.cli.common import json_option
from ledger.cli.common import keys_option
from ledger.cli.common import open_home
from ledger.cli.common import pass_settings
from ledger.cli.delivery import Said
from ledger.cli.delivery import Way
from ledger.cli.delivery import head_option
from ledger.cli.delivery import out_option
from ledger.cli.documents import print_document
from ledger.cli.documents import table
from ledger.cli.key_log import add_log_key
from ledger.cli.key_log import retire
from ledger.cli.key_log import to_option
from ledger.cli.key_new import new
from ledger.cli.making import Maker
from ledger.cli.making import root_name_of
from ledger.cli.signing import Keys
from ledger.entry.verify import key_id
from ledger.errors import InputError
from ledger.replay.log_keys import all_log_keys

if TYPE_CHECKING:
    from ledger.keys.keyfile import KeyFile
    from ledger.query import Reader
    from ledger.replay.rows import LogKeyRow

ROLES = ("auditor", "lab", "provider", "registrar", "society")
TYPES = ("group", "organisation", "person")
_KEY_ID = re.compile(r"[0-9a-f]{64}\Z")
_SOURCE = re.compile(r"(0|[1-9][0-9]*):([1-9][0-9]*)\Z")
_PARTY_LENGTH = 16


@click.group()
def key() -> None:
    """Make, list, rotate and revoke keys.

    A party has two keys. Its root key adds and revokes its keys and does nothing
    else: it can stay in a drawer. Its sign key signs everything else, every day. The
    log's own key signs checkpoints.
    """


key.add_command(new)
key.add_command(retire)


@key.command(
    name="list",
    cls=Command,
    examples="""
    linernote key list
    linernote key list --json
    """,
)
@home_option
@keys_option
@json_option
@pass_settings
def list_(settings: Settings) -> None:
    """List the keys here, and how they stand on the log.

    Says of each what it is for (root: adds and revokes keys; sign: everything else;
    log: checkpoints), whose it is, whether its file is locked with a passphrase, and
    since which entry it counts, or which one revoked it.
    """
    ring = Keys(settings).ring
    if settings.home.is_dir():
        with open_home(settings) as reader:
            listed = [_listed(key_file, reader) for key_file in ring]
    else:
        listed = [_listed(key_file, None) for key_file in ring]
    if settings.json:
        print_document({"folder": str(ring.folder), "keys": listed})
        return
    if not listed:
        hint(f"no keys in {ring.folder}: 'linernote key new NAME' makes some")
        return
    rows = [["NAME", "PURPOSE", "PARTY", "KEY ID", "LOCKED", "ON THE LOG"]]
    rows += [
        [
            each["name"],
            each["purpose"],
            each["party"],
            each["key"][:16],
            "yes" if each["locked"] else "no",
            each["standing"],
        ]
        for each in listed
    ]
    click.echo("\n".join(table(rows)))


def _listed(key_file: KeyFile, reader: Reader | None) -> dict[str, Any]:
    identity = key_id(key_file.public)
    listed: dict[str, Any] = {
        "name": key_file.name,
        "purpose": key_file.purpose,
        "party": key_file.party.hex(),
        "key": identity.hex(),
        "public": key_file.public.hex(),
        "locked": key_file.kdf is not None,
        "added": None,
        "revoked": None,
        "standing": "no log here",
    }
    if reader is None:
        return listed
    with reader.reading() as sources:
        row = sources.state.keys.get(identity)
        signs = [r for r in all_log_keys(sources.state) if r.public == key_file.public]
    if key_file.purpose == "log":
        listed |= _log_standing(signs[0]) if signs else {"standing": "of another log"}
        return listed
    if row is None:
        standing = "not yet"
    else:
        listed["added"] = row.added
        listed["revoked"] = row.revoked if row.revoked >= 0 else None
        standing = f"since entry {row.added}"
        if row.revoked >= 0:
            standing = f"revoked by entry {row.revoked}"
    return {**listed, "standing": standing}


def _log_standing(row: LogKeyRow) -> dict[str, Any]:
    """Say since when a log key has signed checkpoints, or which entry retired it."""
    if row.retired >= 0:
        standing = f"retired by entry {row.retired}"
        return {"added": row.added, "revoked": row.retired, "standing": standing}
    return {"added": row.added, "standing": "signs checkpoints"}


@key.command(
    cls=Command,
    examples="""
    linernote key rotate operator
    linernote key rotate lab --as lab-2027

    where the log is not, with head.json from its operator
    linernote head --key lab-root --json > head.json
    linernote key rotate lab --head head.json -o rotation
    then the operator
    linernote append rotation.signed

    the key that signs checkpoints, in two steps
    linernote key rotate log
    linernote key retire log
    """,
)
@click.argument("name")
@click.option(
    "--as",
    "new_name",
    metavar="NAME",
    help="Name of the new key.  [default: NAME-2, NAME-3 …]",
)
@click.option(
    "--no-passphrase", is_flag=True, help="Leave the new key unlocked: for tests."
)
@head_option
@out_option
@to_option
@home_option
@keys_option
@json_option
@pass_settings
def rotate(
    settings: Settings,
    name: str,
    *,
    new_name: str | None,
    no_passphrase: bool,
    head: str | None,
    out: str | None,
    url: str | None,
) -> None:
    """Put a new key in the place of a key, and revoke the old one.

    The party's root key signs both, so it has to be here; a root key signs for
    itself. Both are appended at once, all or none; what the old key signed before
    stands. Sign with the new name from then on: the old file stays where it is.

    The log's own key takes two steps: this adds the new one beside it, and checkpoints
    bear both signatures until 'linernote key retire'. Where 'linernote serve
    --accept-events' runs, --to names its address: it takes the new key as well, if that
    has the passphrase of the old one, or none.
    """
    keys = Keys(settings)
    old = keys.ring.load(name)
    wanted = new_name or making.free_name(keys, name)
    making.check_names(keys, wanted)
    passphrase = partial(_new_passphrase, keys, wanted, no_passphrase=no_passphrase)
    if old.purpose == "log":
        if head is not None or out is not None:
            raise click.UsageError("the log's key is rotated where the log is")
        add_log_key(settings, keys, old, wanted, passphrase, url=url)
        return
    if url is not None:
        raise click.UsageError("--to is for the log's own key")
    way = Way(now=head is None and out is None, head=head, prefix=out or wanted)
    way.check()
    log = delivery.read_head(settings, head).log
    root_name = name
    if old.purpose != "root":
        root_name = root_name_of(settings, keys, old, head)
    root = keys.signer(root_name)
    maker = Maker(keys, passphrase(), log)
    way.finish(settings, keys, maker, maker.successor(wanted, old, root))


@key.command(
    cls=Command,
    examples="""
    linernote key revoke lab-b
    a key that was stolen with its file, by its id
    linernote key revoke 8f1c…64 characters…a0 --by lab-root
    """,
)
@click.argument("which", metavar="NAME|ID")
@click.option(
    "--by",
    metavar="KEY",
    help="The key that signs: a root key of the party, or the sign key itself."
    "  [default: the party's root key, else the key itself]",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@head_option
@out_option
@home_option
@keys_option
@json_option
@pass_settings
def revoke(
    settings: Settings,
    which: str,
    *,
    by: str | None,
    yes: bool,
    head: str | None,
    out: str | None,
) -> None:
    """Revoke a key, for ever.

    From its entry on the key counts for nothing; what it signed before stands. A lost
    key is revoked by its id ('linernote key list' on any copy of the home shows it).
    """
    keys = Keys(settings)
    way = Way(now=head is None and out is None, head=head, prefix=out or "revocation")
    way.check()
    if _KEY_ID.match(which):
        identity, file = bytes.fromhex(which), None
    else:
        file = keys.ring.load(which)
        if file.purpose == "log":
            raise InputError(
                "log-key",
                f"key {which} signs checkpoints: it is retired, not revoked",
                hint=f"see 'linernote key retire {which}'",
            )
        identity = key_id(file.public)
    if by is None:
        by = _revoker(settings, keys, file, head)
    if head is None:
        _warn_of_last_root(settings, identity)
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("a key is revoked for ever: say so with --yes")
        click.confirm(f"Revoke key {which} for ever?", abort=True, err=True)
    signer = keys.signer(by)
    body = making.revoked(signer.file.party, identity)
    way.finish(settings, keys, Maker(keys, None, b""), Said([], [body], signer))


def _new_passphrase(keys: Keys, name: str, *, no_passphrase: bool) -> str | None:
    if no_passphrase:
        return None
    return keys.passphrases.choose(what=f"the new key {name}")


def _warn_of_last_root(settings: Settings, identity: bytes) -> None:
    """Say what can no longer be done once a party's last root key is revoked."""
    with open_home(settings) as reader, reader.reading() as sources:
        state = sources.state
        row = state.keys.get(identity)
        if row is None or row.purpose != "root" or row.revoked >= 0:
            return
        for other, each in state.keys.items():
            same = (each.party, each.purpose) == (row.party, "root")
            if same and each.revoked < 0 and other != identity:
                return
    hint(
        f"this is the last root key of party {row.party.hex()}: without it no key can"
        " be added to the party again, and its sign keys are revoked only by themselves"
    )


def _revoker(
    settings: Settings, keys: Keys, file: KeyFile | None, head: str | None
) -> str:
    """Choose the key that signs a revocation: the root key, else the key itself."""
    if file is None:
        raise click.UsageError("give the root key of its party with --by")
    try:
        return root_name_of(settings, keys, file, head)
    except InputError as error:
        if error.code != "root-key-missing" or file.purpose != "sign":
            raise
        return file.name
