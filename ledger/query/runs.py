"""What a training run used, and what of it no licence covered."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.errors import InputError
from ledger.events.types import SIDES
from ledger.events.types import UNSET
from ledger.events.types import ManifestRef
from ledger.query.views import Cover
from ledger.query.views import Holder
from ledger.query.views import RunReport
from ledger.query.views import Uncovered
from ledger.statement.sources import ReadEntry
from ledger.statement.sources import Sources

LINES_READ_MAX = 5_000
"""Lines of a dataset looked at for one answer; the cursor goes on from there."""


def run_report(sources: Sources, index: int, after: int, limit: int) -> RunReport:
    """Report on the run that was judged at an entry.

    Args:
        sources: what may be read.
        index: of run.open, or of a run.close that states a run of its own.
        after: number of the dataset line to go on after; 0 at first.
        limit: at most so many findings.

    Raises:
        InputError: `no-such-run`.
    """
    entry = sources.entry(index)
    ref = getattr(entry.body, "dataset", UNSET)
    row = sources.state.runs.get((entry.author, getattr(entry.body, "run", "")))
    if ref is UNSET or row is None or row.index != index:
        raise InputError(
            "no-such-run",
            f"entry {index} opens no training run",
            hint="take the entry of run.open",
        )
    found = list(_uncovered(sources, entry, ref, after, limit))
    last = min(ref.lines, after + LINES_READ_MAX)
    if len(found) == limit:
        last = found[-1].line
    covered = sources.state.covered
    return RunReport(
        index=index,
        lab=entry.author,
        lab_name=sources.words.party(entry.author),
        run=entry.body.run,
        recordings=ref.lines,
        covered=tuple(
            (licence, covered.get((entry.author, entry.body.run, licence)) or 0)
            for licence in row.licences
        ),
        findings=tuple(found),
        next_after=last if last < ref.lines else None,
    )


def _uncovered(
    sources: Sources, entry: ReadEntry, ref: ManifestRef, after: int, limit: int
) -> Iterator[Uncovered]:
    kind, count = f"{entry.kind}/dataset", 0
    for number in range(after + 1, min(ref.lines, after + LINES_READ_MAX) + 1):
        line = sources.lines.at(kind, ref.root, number)
        covers = tuple(findings(sources, entry.index, line.external))
        if covers:
            title = sources.words.recording(line.external)
            yield Uncovered(number, line.external, title, covers)
            count += 1
        if count == limit:
            return


def findings(sources: Sources, index: int, external: str) -> Iterator[Cover]:
    """Find what no licence covered of a recording in the run of an entry."""
    for side in (*SIDES, ""):
        row = sources.state.findings.get((index, external, side))
        if row is not None:
            owed = tuple(
                Holder(party, sources.words.party(party), ppm, "")
                for party, ppm in row.owed
            )
            yield Cover(side, row.code, owed)
