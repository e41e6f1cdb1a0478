"""From a training run to one credited amount, in plain sentences with their sums.

Each step says what the published rule does there and what it comes to (money.md §2,
§5), and names the entry that says so. The figures are computed again from the run,
the scheme, the nodes and the share tables, and have to meet the line that the log
holds; a line explained wrongly would be worse than one not explained.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ledger.accounting.allocation import Node
from ledger.accounting.allocation import apportion
from ledger.accounting.allocation import share_of
from ledger.accounting.money import format_amount
from ledger.errors import HomeError
from ledger.events.lines import DistributionLine
from ledger.events.payments import AllocationNode
from ledger.events.terms import Scheme
from ledger.events.types import SIDES
from ledger.events.types import UNSET
from ledger.replay.coverage import Cell
from ledger.replay.coverage import Coverage
from ledger.replay.outcome import body_of
from ledger.replay.rows import RunRow
from ledger.replay.shareout import verified_key
from ledger.sentences import SIDES as SIDE_WORDS
from ledger.statement.model import Step
from ledger.statement.model import derived_damaged
from ledger.statement.sources import ReadEntry
from ledger.statement.sources import Sources
from ledger.words import counted
from ledger.words import percent


@dataclass(frozen=True)
class _Case:
    """A line of a distribution with all that its amount follows from."""

    sources: Sources
    entry: ReadEntry
    line: DistributionLine
    lab: bytes
    run: RunRow
    scheme: Scheme

    def figure(self, micro: int) -> str:
        """Write an amount without its currency."""
        exponent = self.sources.words.exponent(self.entry.body.currency)
        return format_amount(micro, exponent)

    def node(self, stage: str) -> Node | None:
        """Find a published node of the line's side; "side" has none."""
        side = UNSET if stage == "side" else self.line.side
        for node in self.entry.body.nodes:
            if node.stage == stage and node.side == side:
                return _node(node)
        return None


def _node(node: AllocationNode) -> Node:
    key: Any = "" if node.key is UNSET else node.key
    if node.stage == "verified" and key:
        key = int(key)
    return Node(node.extra, key, node.threshold, node.total, node.weight)


def explain(sources: Sources, entry: ReadEntry, line: DistributionLine) -> list[Step]:
    """Explain the net amount of one payable line of a distribution.

    Raises:
        HomeError: `derived-damaged`: the log and the rule disagree, which
            replay would have refused.
    """
    state, body = sources.state, entry.body
    licence = state.licences.need(body.licence)
    case = _Case(
        sources=sources,
        entry=entry,
        line=line,
        lab=licence.lab,
        run=state.runs.need((licence.lab, body.run)),
        scheme=body_of(state.schemes.need(licence.scheme).body, Scheme),
    )
    return [
        *_from_run_to_pool(case, licence.scheme),
        *_from_pool_to_side(case),
        *_from_side_to_line(case),
        *_from_gross_to_net(case, licence.scheme),
    ]


def _from_run_to_pool(case: _Case, scheme: int) -> Iterator[Step]:
    words, body, run = case.sources.words, case.entry.body, case.run
    lab, society = words.party(case.lab), words.party(case.entry.author)
    yield Step(
        f"{lab} trained {run.model} {run.version} on it in run {body.run}.",
        entry=run.index,
    )
    yield Step(
        f"The licence that {society} gave {lab} covers this use.", entry=body.licence
    )
    yield Step(
        f"{lab} paid for the run; this came into the pool of the run.",
        body.total + body.reserve,
    )
    if body.reserve:
        rate = percent(case.scheme.reserve_ppm)
        pool = case.figure(body.total + body.reserve)
        yield Step(
            f"{rate} of it is kept in reserve.",
            -body.reserve,
            scheme,
            f"{pool} × {rate}, rounded down",
        )


def _from_pool_to_side(case: _Case) -> Iterator[Step]:
    weights = {side: getattr(case.scheme.sides, side) for side in SIDES}
    whole, own = sum(weights.values()), weights[case.line.side]
    node = case.node("side")
    if own == whole or node is None:
        return
    yield Step(
        f"{own} of {whole} parts of the pool belong to {SIDE_WORDS[case.line.side]} of"
        " what was trained on.",
        share_of(node, own, case.line.side),
        case.entry.index,
        f"{case.figure(node.total)} × {own} ÷ {whole}",
    )


def _from_side_to_line(case: _Case) -> Iterator[Step]:
    if case.scheme.basis == "per_holder":
        return _by_holder(case)
    return _by_recording(case)


def _by_recording(case: _Case) -> Iterator[Step]:
    """Recording, then work, then share: each computed again."""
    line, node = case.line, case.node("unit")
    coverage = Coverage(case.sources.state, case.lab, case.run, case.entry.index)
    _, cells = coverage.cells(line.recording)
    cell = {each.side: each for each in cells}[line.side]
    if node is None:
        raise _differs(case)
    weight = 1
    how = f"It is shared equally between {counted(node.weight, 'recording')}:"
    if case.scheme.basis == "duration":
        weight = coverage.duration_ms(line.recording, case.entry.body.licence)
        how = (
            f"It is shared by length; this recording has {weight:,} of"
            f" {node.weight:,} milliseconds:"
        )
    amount = share_of(node, weight, line.recording)
    title = case.sources.words.recording(line.recording)
    part = f" × {weight:,}" if weight != 1 else ""
    sum_ = f"{case.figure(node.total)}{part} ÷ {node.weight:,}"
    yield Step(f"{how} {title} gets this.", amount, case.entry.index, sum_)
    if cell.works:
        parts = apportion(amount, [ppm for _, ppm in cell.works])
        whole, place = amount, [work for work, _ in cell.works].index(_work(line))
        amount, rate = parts[place], percent(cell.works[place][1])
        name = case.sources.words.recording(_work(line))
        yield Step(
            f"{rate} of it belongs to the work {name}.",
            amount,
            sum=f"{case.figure(whole)} × {rate}",
        )
    yield _share_step(case, cell, amount)


def _share_step(case: _Case, cell: Cell, amount: int) -> Step:
    table = dict(cell.tables)[_work(case.line)]
    rows = () if table is None else table.lines
    parts = apportion(amount, [ppm for _, ppm, _ in rows])
    own = [
        (ppm, part)
        for (party, ppm, _), part in zip(rows, parts, strict=True)
        if party == case.line.party
    ]
    if table is None or sum(part for _, part in own) != case.line.gross:
        raise _differs(case)
    name = case.sources.words.party(case.line.party)
    rate = percent(sum(ppm for ppm, _ in own))
    return Step(
        f"{name} is registered with {rate} of it: the gross amount.",
        case.line.gross,
        table.index,
        f"{case.figure(amount)} × {rate}",
    )


def _by_holder(case: _Case) -> Iterator[Step]:
    """Verified holders equally, then each one's part over their recordings."""
    line, split, heads = case.line, case.node("verified"), case.node("head")
    key = verified_key(case.sources.state, line.party)
    if split is None or heads is None or key is None:
        raise _differs(case)
    index, name = case.entry.index, case.sources.words.party(line.party)
    yield Step(
        "This part of it belongs to holders whom a registrar has confirmed; the rest"
        " waits.",
        heads.total,
        index,
    )
    yield Step(
        f"It is shared equally between {counted(heads.weight, 'confirmed holder')}:"
        f" {name} gets this for all recordings together.",
        share_of(heads, 1, key),
        index,
        f"{case.figure(heads.total)} ÷ {heads.weight:,}",
    )
    title = case.sources.words.recording(line.recording)
    yield Step(
        f"Spread over all shares of {name}, this falls to {title}: the gross amount.",
        line.gross,
        index,
    )


def _from_gross_to_net(case: _Case, scheme: int) -> Iterator[Step]:
    line, terms, figure = case.line, case.scheme, case.figure
    society = case.sources.words.party(case.entry.author)
    parts, taken_from = [figure(line.gross)], figure(line.gross)
    if line.fee:
        rate = percent(terms.fee_ppm)
        sum_ = f"{taken_from} × {rate}, rounded down"
        yield Step(f"{society} keeps a fee of {rate}.", -line.fee, scheme, sum_)
        parts.append(figure(line.fee))
    if line.cultural:
        rate, of = percent(terms.cultural_ppm), "the gross"
        if terms.cultural_base == "after_fee":
            of, taken_from = "what the fee leaves", f"({' − '.join(parts)})"
        sum_ = f"{taken_from} × {rate}, rounded down"
        words = f"{rate} of {of} goes to cultural purposes."
        yield Step(words, -line.cultural, scheme, sum_)
        parts.append(figure(line.cultural))
    sum_ = " − ".join(parts) if len(parts) > 1 else ""
    yield Step("This is credited.", line.net, case.entry.index, sum_)


def _work(line: DistributionLine) -> str:
    return line.work if isinstance(line.work, str) else ""


def _differs(case: _Case) -> HomeError:
    return derived_damaged(
        f"the line of entry {case.entry.index} for {case.line.recording} does not"
        " follow from the published rule",
    )
