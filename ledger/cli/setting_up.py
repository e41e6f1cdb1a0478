"""Commands that begin a log, or tell what others need to know of it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
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
from ledger.cli.documents import fields
from ledger.cli.documents import print_document
from ledger.cli.values import UtcOffset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.events.identity import CurrencyRule
    from ledger.query import Reader
    from ledger.setup import Founded


@click.command(
    cls=Command,
    examples="""
    linernote init --origin example.com/log --currency SEK
    linernote init --origin example.com/log --currency SEK --currency JPY \\
        --utc-offset +01:00 --home /srv/linernote
    a log that goes on where another has ended, under a name and log key of its own
    linernote init --origin example.com/log-2027 --succeeds restored --home new
    """,
)
@click.option(
    "--origin",
    required=True,
    metavar="NAME",
    help="The log's name for ever, a URL without scheme: example.com/log.",
)
@click.option(
    "--currency",
    "currencies",
    multiple=True,
    metavar="CODE",
    help="A currency that the log counts, by its ISO 4217 code; repeat for more. Its"
    " decimals are those that Babel knows, or those of CODE=DECIMALS.",
)
@click.option(
    "--utc-offset",
    type=UtcOffset(),
    show_default="+00:00",
    help="When the log's day begins, for ever: standard time without summer time.",
)
@click.option(
    "--succeeds",
    metavar="HOME",
    type=click.Path(path_type=Path),
    help="Go on from the log in that home, whose currencies and offset stay; --currency"
    " adds more. Its operator's root key endorses it.",
)
@click.option(
    "--no-passphrase",
    is_flag=True,
    help="Leave the keys unlocked: for tests, or where something else protects them.",
)
@home_option
@json_option
@pass_settings
def init(
    settings: Settings,
    origin: str,
    currencies: tuple[str, ...],
    utc_offset: int | None,
    succeeds: Path | None,
    *,
    no_passphrase: bool,
) -> None:
    """Make a new log and its operator.

    Makes the log home with three keys (log: signs checkpoints; operator-root: adds and
    revokes the operator's keys; operator: signs all else that the operator says), the
    first entries, and the first checkpoint. The passphrase comes from
    LINERNOTE_PASSPHRASE, or is asked for. Nothing of what stands here can be changed
    later: choose origin, currencies and offset with care.

    With --succeeds the new log begins with all entries of another, so parties, keys and
    balances carry over: where receipts were lost, or a log key was. Never write to the
    old home again.
    """
    from ledger.cli.signing import Passphrases
    from ledger.setup import create_home
    from ledger.setup import currency_rules

    rules = currency_rules(currencies)
    if succeeds is not None:
        if utc_offset is not None:
            raise click.UsageError("the offset stays that of the log succeeded")
        founded = _succeed(settings, origin, rules, succeeds, no_passphrase)
        _report_founded(settings, founded, succeeds)
        return
    if not currencies:
        raise click.UsageError("Missing option '--currency'.")
    ask = partial(Passphrases().choose, what="the keys of the new log")
    founded = create_home(
        settings.home,
        origin=origin,
        currencies=rules,
        utc_offset=utc_offset or 0,
        passphrase=None if no_passphrase else ask,
    )
    _report_founded(settings, founded)


def _succeed(
    settings: Settings,
    origin: str,
    currencies: Sequence[CurrencyRule],
    succeeds: Path,
    no_passphrase: bool,  # noqa: FBT001
) -> Founded:
    from ledger.cli.making import free_name
    from ledger.cli.making import root_of
    from ledger.cli.signing import Keys
    from ledger.home import Home
    from ledger.setup import LOG_KEY
    from ledger.setup import OPERATOR_KEY
    from ledger.succession import succeed_home

    keys = Keys(replace(settings, home=succeeds, keys=succeeds / "keys"))
    old = Home(succeeds)
    old.check()
    operator = keys.ring.load(OPERATOR_KEY)
    root = keys.signer(root_of(keys, operator, None).name)
    ask = partial(keys.passphrases.choose, what="the key of the new log")
    return succeed_home(
        settings.home,
        old,
        origin=origin,
        log_key_name=free_name(keys, LOG_KEY),
        root_key=root.key,
        currencies=currencies,
        passphrase=None if no_passphrase else ask,
    )


def _report_founded(
    settings: Settings, founded: Founded, before: Path | None = None
) -> None:
    from ledger.tlog.note import format_vkey

    vkey = format_vkey(founded.vkey)
    if settings.json:
        print_document(
            {
                "home": str(founded.home.path),
                "log": founded.log_id.hex(),
                "operator": founded.operator.hex(),
                "size": founded.checkpoint.size,
                "vkey": vkey,
            }
        )
        return
    click.echo(f"a new log, {founded.vkey.name}, in {founded.home.path}")
    pairs = [
        ("log id", founded.log_id.hex()),
        ("operator", founded.operator.hex()),
        ("vkey", vkey),
    ]
    click.echo("\n".join(fields(pairs)))
    home = settings.home_words
    hint(f"""
Next:
  give the vkey to everyone: it is what they verify the log by
  copy {founded.home.keys} and its passphrase to a safe place""")
    if before is None:
        hint(f"""\
  linernote key new society --role society --register{home}
  linernote kinds""")
    else:
        hint(f"""\
  parties, their keys and balances are here already; never write to {before} again
  if that had witnesses: write {founded.home.path / "policy"} with the new vkey""")
    hint(f"  linernote serve{home}")


@click.command(
    cls=Command,
    examples="""
    linernote vkey
    linernote verify 7.tlog-proof --vkey "$(linernote vkey)"
    """,
)
@home_option
@json_option
@pass_settings
def vkey(settings: Settings) -> None:
    """Print the log's verifier key.

    The key by which everyone verifies checkpoints and proofs of this log (C2SP
    signed-note), alone on one line. Publish it where the log cannot change it. While
    the log's key is being rotated, this is the new one; --json lists all in force, and
    those retired, with the sizes of the checkpoints that they signed.
    """
    from ledger.replay.log_keys import all_log_keys
    from ledger.replay.rows import NEVER
    from ledger.tlog.note import format_vkey
    from ledger.tlog.note import make_vkey

    with open_home(settings) as reader, reader.reading() as sources:
        texts = [format_vkey(vkey) for vkey in reader.vkeys]
        log = sources.state.need_log()
        retired = [
            {
                "vkey": format_vkey(make_vkey(log.origin, row.public)),
                "first_size": row.added + 1,
                "last_size": row.retired,
            }
            for row in all_log_keys(sources.state)
            if row.retired != NEVER and row.added >= log.index
        ]
    if settings.json:
        print_document({"vkey": texts[-1], "vkeys": texts, "retired": retired})
    else:
        click.echo(texts[-1])


@click.command(
    cls=Command,
    examples="""
    linernote head
    where this log stands, for a machine that never sees it
    linernote head --json > head.json
    linernote head --key 8f1c…64 characters…a0 --json > head.json
    """,
)
@click.option(
    "--key",
    "names",
    multiple=True,
    metavar="NAME|ID",
    help="Name of a key here, or a key id; repeat for more.  [default: all keys here]",
)
@home_option
@keys_option
@json_option
@pass_settings
def head(settings: Settings, names: tuple[str, ...]) -> None:
    """Print what is needed to sign offline.

    Log id, newest entry, and where the chain of each key stands. Take it with --json
    to the machine that signs: 'linernote sign --head' and 'linernote key new --head'
    read it. Sign soon, and append before the key signs anything else: its events form
    a chain.
    """
    from ledger.cli.heads import head_document

    with open_home(settings) as reader:
        document = head_document(reader, settings, names)
    if settings.json:
        print_document(document)
        return
    seen = document["seen"]
    pairs = [
        ("log", document["log"]),
        ("origin", document["origin"]),
        ("size", str(document["size"])),
        ("newest entry", f"{seen['index']}, leaf hash {seen['leaf_hash']}"),
    ]
    pairs += [
        (
            f"key {key['name'] or key['key'][:16]}",
            f"seq {key['seq']}, prev {key['prev']}",
        )
        for key in document["keys"]
    ]
    click.echo("\n".join(fields(pairs, indent="")))


@click.command(
    cls=Command,
    examples="""
    linernote name 4f0c… "Society Birch"
    linernote name jamendo:track_0000948 "Wren in the Stairwell"
    forget a name
    linernote name 4f0c… --erase
    """,
)
@click.argument("what", metavar="PARTY|RECORDING")
@click.argument("name", required=False)
@click.option("--erase", is_flag=True, help="Forget the name.")
@home_option
@pass_settings
def name(settings: Settings, what: str, name: str | None, *, erase: bool) -> None:
    """Name a party or title a recording.

    Names stay in names.json in the home and never go on the log, so that they can be
    corrected and erased. A party is given by its id, the beginning of it, or its
    external id; a recording by its external id.
    """
    if (name is None) == (not erase):
        raise click.UsageError("give a name, or --erase")
    if name is not None and not name.strip():
        raise click.UsageError("the name is empty: --erase forgets one")
    from ledger.errors import InputError
    from ledger.names import SHOWN_LENGTH_MAX
    from ledger.names import Names

    if name is not None and len(name) > SHOWN_LENGTH_MAX:
        raise click.UsageError(f"a name has at most {SHOWN_LENGTH_MAX} characters")

    with open_home(settings) as reader:
        kind, key = _named(reader, what)
    names = Names.load(settings.place.names)
    known = names.parties if kind == "party" else names.recordings
    if name is not None:
        known[key] = name
    elif known.pop(key, None) is None:
        raise InputError("name-unknown", f"{kind} {key} has no name here")
    names.save(settings.place.names)
    click.echo(f"{kind} {key}: {'erased' if erase else name}")


def _named(reader: Reader, what: str) -> tuple[str, str]:
    """Find what a name is for: a party, else a recording."""
    from ledger.errors import InputError

    try:
        return "party", reader.party(what).id.hex()
    except InputError as error:
        if error.code != "party-unknown" or ":" not in what:
            raise
    return "recording", reader.recording(what).external
