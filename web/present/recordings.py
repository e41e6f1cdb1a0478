"""A recording: holders, training runs, money."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from ledger.query import RecordingView
from ledger.query import RunReport
from ledger.query.views import Cover
from ledger.query.views import RecordingMoney
from ledger.query.views import RunView
from ledger.query.views import TableView
from ledger.sentences import SIDES
from ledger.words import Words
from ledger.words import counted
from ledger.words import day_words
from ledger.words import percent
from web.addresses import entry_address
from web.addresses import party_address
from web.addresses import recording_address
from web.present.basics import BAD
from web.present.basics import GOOD
from web.present.basics import WAITING
from web.present.basics import Amount
from web.present.basics import Status
from web.present.basics import When
from web.present.basics import amount
from web.present.basics import when


@dataclass(frozen=True)
class RecordingPage:
    """A recording with its holders, runs and money; or a work, with its holders."""

    recording: RecordingView
    work: bool
    href: str
    isrcs: tuple[str, ...]
    length: str
    sides: tuple[tuple[str, tuple[TableItem, ...]], ...]
    runs: tuple[RunItem, ...]
    money: tuple[tuple[str, Amount, Amount | None], ...]


@dataclass(frozen=True)
class TableItem:
    """A share table."""

    title: str
    status: Status
    href: str
    since: str
    society: str
    holders: tuple[tuple[str, str, str, int, str], ...]


@dataclass(frozen=True)
class RunItem:
    """A run that used the recording."""

    title: str
    lab_href: str
    href: str
    when: When
    status: Status
    details: tuple[str, ...]


def recording_page(recording: RecordingView, words: Words) -> RecordingPage:
    """Show a recording."""
    listed = [each for each in recording.listings if each.ms]
    tables = groupby(recording.tables, key=lambda table: table.side)
    return RecordingPage(
        recording=recording,
        work=_is_work(recording),
        href=recording_address(recording.external),
        isrcs=tuple(dict.fromkeys(x.isrc for x in recording.listings if x.isrc)),
        length=length_words(listed[0].ms) if listed else "",
        sides=tuple(
            (SIDES[side], tuple(_table(table, words) for table in group))
            for side, group in tables
        ),
        runs=tuple(_run(run) for run in recording.runs),
        money=tuple(_money(each) for each in recording.money),
    )


def _is_work(recording: RecordingView) -> bool:
    """Tell a work: only catalogues list recordings, and it has composition alone."""
    sides = {table.side for table in recording.tables}
    return not recording.listings and not recording.runs and sides == {"composition"}


def length_words(ms: int) -> str:
    """Write a duration.

    >>> length_words(222_950)
    '3:42'
    """
    minutes, seconds = divmod(ms // 1_000, 60)
    return f"{minutes}:{seconds:02}"


def _table(table: TableView, words: Words) -> TableItem:
    status = Status(*GOOD, "counts now") if table.in_force else Status(*WAITING, "past")
    return TableItem(
        title=words.recording(table.subject),
        status=status,
        href=entry_address(table.index),
        since=f"since {day_words(table.effective)}"
        if table.effective > 0
        else "from the start",
        society=table.society,
        holders=tuple(
            (
                holder.name,
                party_address(holder.party) if any(holder.party) else "",
                percent(holder.ppm),
                holder.ppm,
                holder.role,
            )
            for holder in table.holders
        ),
    )


def _run(run: RunView) -> RunItem:
    status = Status(*GOOD, "licensed")
    details = [finding_words(finding) for finding in run.findings]
    if details:
        status = Status(*BAD, "without a licence")
    return RunItem(
        title=f"{run.lab_name} trained {run.model} {run.version} in run {run.run}",
        lab_href=party_address(run.lab),
        href=entry_address(run.index),
        when=when(run.time_ms),
        status=status,
        details=tuple(details),
    )


def finding_words(cover: Cover) -> str:
    """Say what no licence covers, and who is owed."""
    side = SIDES.get(cover.side, "it")
    owed = ", ".join(f"{each.name} {percent(each.ppm)}" for each in cover.owed)
    names = f"owed are {owed}" if owed else "nobody has registered who holds it"
    return f"No licence covers {side}; {names}"


@dataclass(frozen=True)
class RunPart:
    """What a run used, and what of it had no licence."""

    report: RunReport
    href: str
    entry_href: str
    status: Status
    covered: tuple[tuple[str, str], ...]
    findings: tuple[tuple[str, str, tuple[str, ...]], ...]


def run_part(report: RunReport) -> RunPart:
    """Show what a training run used, and what of it had no licence."""
    entry = entry_address(report.index)
    status = Status(*GOOD, "Everything that it used was licensed")
    if report.findings:
        status = Status(*BAD, "Some of what it used had no licence")
    elif report.next_after is not None:
        status = Status(*WAITING, "Not all of it is shown here")
    return RunPart(
        report=report,
        href=f"{entry}/run",
        entry_href=entry,
        status=status,
        covered=tuple(
            (_covered(report, licence, count), entry_address(licence))
            for licence, count in report.covered
        ),
        findings=tuple(
            (
                found.title,
                recording_address(found.recording),
                tuple(finding_words(cover) for cover in found.covers),
            )
            for found in report.findings
        ),
    )


def _covered(report: RunReport, licence: int, count: int) -> str:
    of = f"{count:,} of {counted(report.recordings, 'recording')}"
    return f"The licence of entry {licence} covers {of}"


def _money(money: RecordingMoney) -> tuple[str, Amount, Amount | None]:
    waiting = amount(money.waiting, money.currency, money.exponent)
    return (
        SIDES.get(money.side, money.side),
        amount(money.credited, money.currency, money.exponent),
        waiting if money.waiting else None,
    )
