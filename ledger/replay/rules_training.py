"""Rules of model versions and training runs (format.md §9).

A run is a fact: what is well formed and by its lab is always logged. Whatever
of it no licence covers becomes a finding that names who is owed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

from ledger.errors import ConflictError
from ledger.errors import InputError
from ledger.events.types import UNSET
from ledger.replay.coverage import Coverage
from ledger.replay.coverage import owed
from ledger.replay.outcome import Context
from ledger.replay.outcome import Outcome
from ledger.replay.outcome import Put
from ledger.replay.rows import NEVER
from ledger.replay.rows import FindingRow
from ledger.replay.rows import RunRow

if TYPE_CHECKING:
    from ledger.events.training import ModelVersion
    from ledger.events.training import RunClose
    from ledger.events.training import RunOpen


def model_version(context: Context, body: ModelVersion) -> Outcome:
    """Name a version of a model, once."""
    versions = context.state.versions
    name = (context.author, body.model, body.version)
    if versions.get(name) is not None:
        raise ConflictError(
            "version-exists", f"{body.model} {body.version} is on the log already"
        )
    for ancestor in body.parents + body.synthetic:
        if versions.get((ancestor.lab, ancestor.model, ancestor.version)) is None:
            raise InputError(
                "version-unknown",
                f"ancestor {ancestor.model} {ancestor.version} is not on the log",
            )
    return Outcome(((versions, name, context.index),))


def run_open(context: Context, body: RunOpen) -> Outcome:
    """Open a run: it is judged at this entry."""
    return _open(context, body, closed=NEVER)


def _open(context: Context, body: Any, *, closed: int) -> Outcome:  # noqa: ANN401
    state, author = context.state, context.author
    if state.versions.get((author, body.model, body.version)) is None:
        raise InputError(
            "version-unknown",
            f"the lab has no {body.model} {body.version} on the log",
            hint="append model.version first",
        )
    if state.runs.get((author, body.run)) is not None:
        raise ConflictError(
            "run-exists", f"the lab's run {body.run} is on the log already"
        )
    for index in body.licences:
        licence = state.licences.get(index)
        if licence is None or licence.lab != author:
            raise InputError(
                "licence-unknown", f"entry {index} grants this lab no licence"
            )
    row = RunRow(
        context.index,
        closed,
        state.day(context.entry.time_ms),
        tuple(body.licences),
        body.model,
        body.version,
        body.use,
        body.dataset.root,
    )
    return Outcome(((state.runs, (author, body.run), row),))


def run_open_full(context: Context, body: Any, outcome: Outcome) -> Outcome:  # noqa: ANN401
    """Count what each licence covers, and find what none does."""
    state = context.state
    run: RunRow = outcome.puts[0][2]
    coverage = Coverage(state, context.author, run, run.index)
    counts = dict.fromkeys(run.licences, 0)
    puts: list[Put] = list(outcome.puts)
    for line in context.read_lines("dataset", body.dataset):
        row, cells = coverage.cells(line.external)
        for licence in {cell.licence for cell in cells} - {NEVER}:
            counts[licence] += 1
        uncovered = [c for c in cells if c.known and c.licence == NEVER]
        for cell in uncovered:
            names = owed(cell, cell.works)
            finding = FindingRow("uncovered", names)
            puts.append(
                (state.findings, (context.index, line.external, cell.side), finding)
            )
        if row is None or not any(cell.known for cell in cells):
            # Nobody has registered it, so nobody can be named.
            finding = FindingRow("uncovered", ())
            puts.append((state.findings, (context.index, line.external, ""), finding))
    puts += [
        (state.covered, (context.author, body.run, licence), count)
        for licence, count in counts.items()
    ]
    return Outcome(tuple(puts))


def run_close(context: Context, body: RunClose) -> Outcome:
    """Close a run, or state one that was never opened."""
    runs = context.state.runs
    row = runs.get((context.author, body.run))
    if body.dataset is not UNSET:
        return _open(context, body, closed=context.index)
    if row is None:
        raise InputError(
            "run-unknown",
            f"the lab has opened no run {body.run}",
            hint="a run that was never opened states its dataset, licences, model,"
            " use and version in run.close",
        )
    if row.closed != NEVER:
        raise ConflictError("run-closed", f"entry {row.closed} closed it already")
    new = RunRow(
        row.index,
        context.index,
        row.day,
        row.licences,
        row.model,
        row.version,
        row.use,
        row.dataset,
    )
    return Outcome(((runs, (context.author, body.run), new),))


def run_close_full(context: Context, body: RunClose, outcome: Outcome) -> Outcome:
    """Read what the close brings in; judge a run that was never opened."""
    if body.exposure is not UNSET:
        ref: Any = body.exposure
        for _ in context.read_lines("exposure", ref):
            pass
    if body.dataset is not UNSET:
        return run_open_full(context, body, outcome)
    return outcome
