"""A recording with its listings, holders, training runs and money."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from ledger.events.types import SIDES
from ledger.query.runs import findings
from ledger.query.views import Holder
from ledger.query.views import Listing
from ledger.query.views import RecordingMoney
from ledger.query.views import RecordingView
from ledger.query.views import RunView
from ledger.query.views import TableView
from ledger.replay.rows import RecordingRow
from ledger.statement.holdings import runs_on
from ledger.statement.holdings import tables_in_force
from ledger.statement.sources import Sources
from ledger.storage.base import PostingRow

RUNS_MAX = 50
POSTINGS_MAX = 1_000


def recording_view(sources: Sources, external: str) -> RecordingView:
    """Gather what the log says of a recording that is on it."""
    rows = sources.state.recordings.get(external) or ()
    runs = list(islice(_runs(sources, external), RUNS_MAX + 1))
    return RecordingView(
        external=external,
        title=sources.words.recording(external),
        listings=tuple(
            Listing(row.catalogue, row.isrc, row.ms, row.works) for row in rows
        ),
        tables=tuple(_tables(sources, external, rows)),
        runs=tuple(runs[:RUNS_MAX]),
        runs_more=len(runs) > RUNS_MAX,
        money=tuple(_money(sources, external)),
    )


def _tables(
    sources: Sources, external: str, rows: tuple[RecordingRow, ...]
) -> Iterator[TableView]:
    """Give every version of the tables of the recording and of its works."""
    state = sources.state
    today = state.day(state.last_time_ms)
    works = dict.fromkeys(work for row in rows for work, _ in row.works)
    subjects = [(external, side) for side in SIDES]
    subjects += [(work, "composition") for work in works]
    for subject, side in subjects:
        versions = state.shares.get((subject, side)) or ()
        current = tables_in_force(sources, subject, side, today)
        for version in reversed(versions):
            yield TableView(
                subject=subject,
                side=side,
                kind=version.kind,
                effective=version.effective,
                society=sources.words.party(version.society),
                index=version.index,
                in_force=version in current,
                holders=tuple(_holder(sources, *line) for line in version.lines),
            )


def _holder(sources: Sources, party: bytes, ppm: int, role: str = "") -> Holder:
    return Holder(party, sources.words.party(party), ppm, role)


def _runs(sources: Sources, external: str) -> Iterator[RunView]:
    """Give the runs whose datasets name the recording, newest first."""
    for index in runs_on(sources, external):
        opened = sources.entry(index)
        row = sources.state.runs.need((opened.author, opened.body.run))
        yield RunView(
            index=index,
            time_ms=opened.time_ms,
            lab=opened.author,
            lab_name=sources.words.party(opened.author),
            run=opened.body.run,
            model=row.model,
            version=row.version,
            use=row.use,
            licences=row.licences,
            findings=tuple(findings(sources, index, external)),
        )


def _money(sources: Sources, external: str) -> Iterator[RecordingMoney]:
    credited: dict[tuple[str, str], int] = {}
    waiting: dict[tuple[str, str], int] = {}
    for leg in _legs(sources, external):
        key = (leg.side or "", leg.currency)
        sums = waiting if leg.account_type == "suspense" else credited
        if leg.account_type in {"payable", "suspense"}:
            sums[key] = sums.get(key, 0) - leg.amount
    for side, currency in sorted(credited | waiting):
        yield RecordingMoney(
            side=side,
            currency=currency,
            exponent=sources.words.exponent(currency),
            credited=credited.get((side, currency), 0),
            waiting=waiting.get((side, currency), 0),
        )


def _legs(sources: Sources, external: str) -> Iterator[PostingRow]:
    after: tuple[int, int] | None = None
    while legs := sources.store.postings_of_recording(external, after, POSTINGS_MAX):
        yield from legs
        after = (legs[-1].entry_index, legs[-1].leg)
