"""Commands that verify the whole log, or derive anew what can be derived."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from ledger.anchor import Anchor
from ledger.anchor import anchor_of
from ledger.anchor import log_id_of
from ledger.audit import Audit
from ledger.audit.report import NO_ENTRY
from ledger.cli.common import Command
from ledger.cli.common import Progress
from ledger.cli.common import Settings
from ledger.cli.common import hint
from ledger.cli.common import home_option
from ledger.cli.common import json_option
from ledger.cli.common import pass_settings
from ledger.cli.documents import fields
from ledger.cli.documents import print_document
from ledger.published import put_missed
from ledger.rebuild import rebuild as rebuild_store
from ledger.storage.poison import check_poison
from ledger.storage.poison import clear_poison
from ledger.storage.sqlite import SqliteStore
from ledger.tlog.text import format_base64
from ledger.writer import boot_id
from ledger.writer import check_trusted
from ledger.writer import open_reader
from ledger.writer import sole_writer

if TYPE_CHECKING:
    from ledger.audit import Found
    from ledger.audit import Report
    from ledger.home import Home


@click.command(
    cls=Command,
    examples="""
    linernote audit
    linernote audit --json > audit.json
    """,
)
@click.option(
    "--workers",
    type=click.IntRange(min=0),
    metavar="N",
    help="Processes that verify signatures; 0 for none.  [default: one a core]",
)
@click.option(
    "--log-only",
    is_flag=True,
    help="Leave out the store's own tables, which nothing in the log depends on.",
)
@home_option
@json_option
@pass_settings
def audit(settings: Settings, workers: int | None, *, log_only: bool) -> int:
    """Verify everything, and recompute balances.

    Verifies the bytes, signature, place and authority of every entry, both chains, the
    tree, every file under public/, the checkpoint and all manifests; holds the log
    against what this machine anchored; replays the public and the full book, and
    compares all that the store keeps beside the log with what they give. Says what was
    checked and how many, what is wrong (acknowledged problems too), and what could not
    be checked.

    Exit code 0: all of it holds. 4: something does NOT. 5: nothing is wrong, but
    something could not be verified.
    """
    home = settings.place
    home.check()
    doubtful = check_poison(home.path, boot_id())
    store = open_reader(home)
    try:
        signed = store.checkpoint()
        if doubtful and signed is not None:
            put_missed(home.public, signed)
        with Progress("auditing") as progress:
            report = Audit(
                store,
                home.public,
                _anchor_of(home, store),
                workers=workers,
                log_only=log_only,
                progress=progress,
            ).run()
    finally:
        store.close()
    if doubtful and report.exit_code == 0 and not log_only:
        clear_poison(home.path)
        hint("the log is open again: all that it acknowledged is there")
    if settings.json:
        print_document(report.to_json())
    else:
        click.echo("\n".join(_lines(report)))
    return report.exit_code


def _anchor_of(home: Home, store: SqliteStore) -> Anchor | None:
    log_id = log_id_of(store)
    return None if log_id is None else anchor_of(home.path, log_id)


def _lines(report: Report) -> Iterator[str]:
    yield "checked"
    counted = sorted(report.checked.items())
    yield from fields([(what, f"{number:,}") for what, number in counted])
    yield ""
    digests = [
        ("size", f"{report.size:,}"),
        ("root", format_base64(report.root)),
        ("public state", _digest(report.state_digest)),
        ("full state", _digest(report.full_digest)),
    ]
    yield from fields(digests, indent="")
    if report.problems:
        yield ""
        yield "problems"
        yield from (f"  {_problem(found)}" for found in report.problems)
    if report.missing:
        yield ""
        yield "could not be checked"
        yield from (f"  {what}" for what in report.missing)
    yield ""
    yield {
        0: "ok: everything holds",
        4: "FAILED: what stands above as a problem does not hold",
        5: "could not verify everything",
    }[report.exit_code]


def _digest(digest: bytes | None) -> str:
    return "not replayed" if digest is None else digest.hex()


def _problem(found: Found) -> str:
    where = "" if found.index == NO_ENTRY else f"entry {found.index}: "
    settled = "" if found.open else f" (acknowledged by entry {found.acknowledged})"
    return f"{where}{found.code}: {found.message}{settled}"


@click.command(
    cls=Command,
    examples="""
    linernote rebuild
    then see that all is well
    linernote audit
    """,
)
@home_option
@json_option
@pass_settings
def rebuild(settings: Settings) -> None:
    """Derive state and tables anew.

    Balances and the tables for questions are derived from the entries and their
    lines, and can be thrown away at will. This throws them away and replays the log;
    entries, lines and checkpoint stay as they are. If anything fails on the way, the
    tables stay as they were too.
    """
    home = settings.place
    home.check()
    with sole_writer(home):
        check_trusted(home)
        store = SqliteStore.open(home.path)
        try:
            with Progress("rebuilding") as progress:
                done = rebuild_store(store, progress)
        finally:
            store.close()
    if settings.json:
        print_document(done._asdict())
        return
    click.echo(f"derived anew: {done.entries:,} entries, {done.problems:,} problems")
