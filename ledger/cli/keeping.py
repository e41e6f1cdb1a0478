"""Commands that keep a log from being lost: copy it, bring it back."""

from __future__ import annotations

from pathlib import Path

import click

from ledger.backup import back_up
from ledger.cli.common import Command
from ledger.cli.common import Settings
from ledger.cli.common import hint
from ledger.cli.common import home_option
from ledger.cli.common import json_option
from ledger.cli.common import pass_settings
from ledger.cli.documents import print_document
from ledger.errors import InputError
from ledger.restore import catch_up
from ledger.restore import goes_on
from ledger.restore import restore as restore_home
from ledger.tlog.note import parse_vkey


@click.command(
    cls=Command,
    examples="""
    linernote backup /mnt/backups/2026-11-23

    with the keys, to a disk that is kept locked away
    linernote backup /mnt/safe/2026-11-23 --keys
    """,
)
@click.argument("folder", type=click.Path(path_type=Path), metavar="FOLDER")
@click.option(
    "--keys", is_flag=True, help="Copy the keys as well; guard the copy as you do them."
)
@home_option
@json_option
@pass_settings
def backup(settings: Settings, folder: Path, *, keys: bool) -> None:
    """Copy the log while it is written to.

    Copies the database as of one moment to a new folder, with all lines, and
    names.json. The keys only where asked for. public/ is left out: the log gives it
    again. A copy made with other tools while somebody writes may be torn.

    What comes back from a backup is read-only until it has caught up with what was
    published since: see 'linernote restore --help', and try it before you need it.
    """
    done = back_up(settings.place, folder, keys=keys)
    if settings.json:
        print_document({"folder": str(folder), **done._asdict()})
        return
    click.echo(f"backup of {done.size:,} entries, {done.published:,} of them published")
    if not keys:
        hint("without keys: keep copies of those elsewhere")


@click.command(
    cls=Command,
    examples="""
    a new home from a backup, brought up to what readers can get
    linernote restore /mnt/backups/2026-11-23 --from https://log.example/music

    in two steps: to read at once, to write later
    linernote restore /mnt/backups/2026-11-23
    linernote restore --from https://log.example/music

    a home that was moved to this machine, with its anchor left behind
    linernote restore --from /srv/mirror --vkey log.example/music+…
    """,
)
@click.argument(
    "folder", type=click.Path(path_type=Path), required=False, metavar="[BACKUP]"
)
@click.option(
    "--from",
    "place",
    metavar="PLACE",
    help="Where readers get the log: its address, or a mirror's folder.",
)
@click.option(
    "--vkey",
    "vkeys",
    multiple=True,
    metavar="VKEY",
    help="Verifier key of the checkpoint there; needed on a machine that has no anchor"
    " of the log.  [default: those that the home knows, and where the log leads them]",
)
@home_option
@json_option
@pass_settings
def restore(
    settings: Settings, folder: Path | None, place: str | None, vkeys: tuple[str, ...]
) -> None:
    """Bring a log back, and up to date.

    With BACKUP makes a home, which can be read and not written. With --from fetches
    what was published since, verifies and audits all of it, and holds it against what
    this machine anchored; then the home can be written. Stop the original first, if it
    still runs anywhere: two homes that write are a fork.

    A log that was acknowledged further than anybody can get it back is never written
    again; the way on is a new log that succeeds it (ledger/docs/operations.md).
    """
    if folder is None and place is None:
        raise InputError(
            "nothing-to-restore",
            "neither a backup nor a place to catch up from is named",
            hint="name a BACKUP, or --from PLACE, or both",
        )
    keys = [parse_vkey(vkey) for vkey in vkeys]
    home = settings.place
    size = None
    # A command that stopped at --from goes on there when it is run again.
    if folder is not None and (place is None or not goes_on(home, folder)):
        size = restore_home(home, folder)
    done = None if place is None else catch_up(home, place, keys)
    if settings.json:
        fetched = 0 if done is None else done.fetched
        shown = size if done is None else done.size
        document = {"size": shown, "fetched": fetched, "writable": done is not None}
        print_document(document)
        return
    if done is None:
        click.echo(f"restored {size:,} entries, to be read only")
        hint(f"to write: linernote restore --from PLACE{settings.home_words}")
        return
    click.echo(f"{done.size:,} entries, {done.fetched:,} of them fetched; writable")
