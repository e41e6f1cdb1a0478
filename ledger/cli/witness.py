"""Commands about witnesses, both ways: cosigning others' logs, asking for our own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import TypeVar

import click

from ledger.cli.common import Command
from ledger.cli.common import Settings
from ledger.cli.common import hint
from ledger.cli.common import home_option
from ledger.cli.common import json_option
from ledger.cli.common import pass_settings
from ledger.cli.documents import harmless
from ledger.cli.documents import print_document
from ledger.cli.documents import table
from ledger.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger.witness.folder import WitnessedLog

HOST = "127.0.0.1"
PORT = 8322
THREADS = 16
SECONDS = 10.0

_Command = TypeVar("_Command", bound="Callable[..., Any]")


def folder_option(command: _Command) -> _Command:
    """Add ``--folder``, of a witness."""
    return click.option(
        "--folder",
        type=click.Path(readable=False, path_type=Path),
        metavar="FOLDER",
        default="linernote-witness",
        envvar="LINERNOTE_WITNESS",
        help="The witness's folder.  [default: LINERNOTE_WITNESS, or"
        " ./linernote-witness]",
    )(command)


@click.group()
def witness() -> None:
    """Cosign other logs, and ask for cosignatures.

    A witness cosigns a log's checkpoints as long as each continues the last, so that
    nobody can be shown another history (C2SP tlog-witness). Its folder is its memory:
    never put an older copy of it back.
    """


@witness.command(
    cls=Command,
    examples="""
    linernote witness init witness.example/w1
    linernote witness add-log "$(linernote vkey)"
    linernote witness serve
    """,
)
@click.argument("name")
@click.option(
    "--no-passphrase",
    is_flag=True,
    help="Leave the key unlocked: for tests, or where something else protects it.",
)
@folder_option
@json_option
@pass_settings
def init(settings: Settings, folder: Path, name: str, *, no_passphrase: bool) -> None:
    """Make a new witness.

    NAME is a URL without its scheme, and stays for ever. The key is for cosigning
    alone. The passphrase comes from LINERNOTE_PASSPHRASE, or is asked for.
    """
    from ledger.cli.signing import Passphrases
    from ledger.keys.ring import KeyRing
    from ledger.tlog.note import check_key_name
    from ledger.tlog.note import format_vkey
    from ledger.witness.folder import KEY_NAME
    from ledger.witness.folder import found_witness
    from ledger.witness.folder import read_vkey

    check_key_name(name)
    ring = KeyRing(folder / "keys", os.urandom)
    if KEY_NAME not in ring.names():
        chosen = None if no_passphrase else Passphrases().choose(what="the witness")
        ring.create(KEY_NAME, party=bytes(16), purpose="log", passphrase=chosen)
    found_witness(folder, name, ring.load(KEY_NAME).public)
    text = format_vkey(read_vkey(folder))
    if settings.json:
        print_document({"folder": str(folder), "vkey": text})
        return
    click.echo(text)
    hint("give that to everyone: it is what they verify cosignatures by")
    hint("linernote witness add-log VKEY, then linernote witness serve")


@witness.command(
    cls=Command,
    examples="""
    linernote witness vkey
    """,
)
@folder_option
@json_option
@pass_settings
def vkey(settings: Settings, folder: Path) -> None:
    """Print the witness's verifier key.

    For the policies of those who rely on it, alone on one line.
    """
    from ledger.tlog.note import format_vkey
    from ledger.witness.folder import read_vkey

    text = format_vkey(read_vkey(folder))
    if settings.json:
        print_document({"vkey": text})
    else:
        click.echo(text)


@witness.command(
    cls=Command,
    examples="""
    linernote witness add-log "$(linernote vkey)"
    a log that is changing its key: the new one counts, the old one no more
    linernote witness add-log "$(cat new.vkey)" --instead-of "$(cat old.vkey)"
    a log whose checkpoints do not begin with the name of its key
    linernote witness add-log "$(cat sum.vkey)" --origin "go.sum database tree"
    """,
)
@click.argument("vkeys", nargs=-1, required=True, metavar="VKEY...")
@click.option(
    "--instead-of",
    "old_text",
    metavar="VKEY",
    help="A key of the same log that is no longer believed.",
)
@click.option(
    "--origin",
    metavar="LINE",
    help="First line of the log's checkpoints.  [default: the name of its key]",
)
@folder_option
@json_option
@pass_settings
def add_log(
    settings: Settings,
    folder: Path,
    vkeys: tuple[str, ...],
    *,
    old_text: str | None,
    origin: str | None,
) -> None:
    """Cosign a log from now on.

    VKEY is what 'linernote vkey' prints, or another log's verifier key. Of a log with
    several keys every one has to sign, so that no key that was stolen is enough. When a
    log changes its key, the new one comes in the place of the old one while checkpoints
    bear both signatures: earlier or later the log is not cosigned until the keys fit. A
    server that runs takes it up at once.
    """
    from ledger.tlog.note import parse_vkey
    from ledger.witness.folder import add_log

    parsed = [parse_vkey(text) for text in vkeys]
    old = None if old_text is None else parse_vkey(old_text)
    if old is not None and len(parsed) > 1:
        raise click.UsageError("one key comes in the place of another")
    added = [
        {
            "origin": each.name if origin is None else origin,
            "new": add_log(folder, each, old, origin),
        }
        for each in parsed
    ]
    if settings.json:
        print_document({"logs": added})
        return
    for each in added:
        again = "" if each["new"] else "  (was there already)"
        click.echo(f"{harmless(str(each['origin']))}{again}")


@witness.command(
    cls=Command,
    examples="""
    linernote witness logs
    linernote witness logs --json
    """,
)
@folder_option
@json_option
@pass_settings
def logs(settings: Settings, folder: Path) -> None:
    """List the logs that are cosigned.

    Says of each how far and when it was cosigned, and whether it ever signed two trees
    of one size: the second is in the file fork, for everyone to see.
    """
    from ledger.witness.folder import logs_of

    found = logs_of(folder)
    if settings.json:
        print_document({"logs": [_log_document(each) for each in found]})
        return
    for line in table([_log_row(each) for each in found]):
        click.echo(line)


def _log_document(log: WitnessedLog) -> dict[str, Any]:
    from ledger.tlog.note import format_vkey

    checkpoint = log.checkpoint
    return {
        "origin": log.origin,
        "vkeys": [format_vkey(vkey) for vkey in log.vkeys],
        "size": None if checkpoint is None else checkpoint.size,
        "root": None if checkpoint is None else checkpoint.root.hex(),
        "cosigned_ms": log.time_s * 1_000 or None,
        "forked": log.forked,
    }


def _log_row(log: WitnessedLog) -> list[str]:
    from ledger.words import moment

    forked = "FORKED" if log.forked else ""
    if log.checkpoint is None:
        return [harmless(log.origin), "never cosigned", "", forked]
    size = f"{log.checkpoint.size} entries"
    return [harmless(log.origin), size, moment(log.time_s * 1_000), forked]


@witness.command(
    cls=Command,
    examples="""
    linernote witness serve
    behind a web server that does https for it
    linernote witness serve --host 127.0.0.1 --port 8080
    """,
)
@click.option(
    "--host",
    default=HOST,
    show_default=True,
    metavar="ADDRESS",
    help="Address to listen on; by default nobody but this machine gets an answer.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=PORT,
    show_default=True,
    help="Port to listen on; 0 for any that is free.",
)
@folder_option
def serve(folder: Path, host: str, port: int) -> None:
    """Serve the witness.

    POST /add-checkpoint cosigns what continues the last checkpoint, and answers once
    that is stored durably. GET /ORIGIN-HASH/checkpoint gives the last one cosigned.
    Ctrl-C ends it.
    """
    from ledger.cli.bodies import SMALL_SPOOL_BYTES_MAX
    from ledger.cli.bodies import WITNESS
    from ledger.cli.bodies import Bounds
    from ledger.cli.listening import run_server
    from ledger.cli.signing import Passphrases
    from ledger.cli.spool import Room
    from ledger.keys.ring import KeyRing
    from ledger.witness.cosigning import Witness
    from ledger.witness.folder import KEY_NAME
    from ledger.witness.folder import read_vkey
    from web.witness import create_witness

    read_vkey(folder)
    key = Passphrases().open(KeyRing(folder / "keys").load(KEY_NAME))
    app = create_witness(Witness(folder, key))
    bounds = Bounds(WITNESS, Room(SMALL_SPOOL_BYTES_MAX))
    run_server(app, host, port, bounds=bounds, threads=THREADS)


@witness.command(
    cls=Command,
    examples="""
    linernote witness ask
    every minute, where no server runs that does it by itself
    * * * * * linernote witness ask --home /srv/linernote
    """,
)
@click.option(
    "--seconds",
    type=click.FloatRange(0.1, 600),
    default=SECONDS,
    show_default=True,
    help="After which no witness is waited for.",
)
@home_option
@json_option
@pass_settings
def ask(settings: Settings, seconds: float) -> None:
    """Ask the witnesses of this log to cosign it.

    The file policy in the home names them (C2SP tlog-policy), with their addresses.
    All that have not cosigned the published checkpoint are asked at once, and what
    holds is added to it. 'linernote serve --accept-events' does this by itself.
    """
    from ledger.asking import ask_witnesses

    gathered = ask_witnesses(settings.place, seconds=seconds)
    if gathered is None:
        raise InputError(
            "no-policy",
            f"there is no policy in {settings.home}",
            hint="write one, with a line 'witness NAME VKEY URL' for each, and the"
            " line 'quorum NAME'",
        )
    found = gathered.outcomes
    if settings.json:
        asked = [
            {"name": name, "code": each.code, "message": each.message}
            for name, each in found.items()
        ]
        print_document({"asked": asked})
        return
    for line in table([[n, e.code, e.message] for n, e in found.items()]):
        click.echo(harmless(line))
    if not found:
        click.echo("nobody is late")
