"""What a pool's distribution has to be: the lines that everyone computes alike.

`share_out` walks from a pool's run to the lines of its distribution (money.md
§2, §5): the recordings of the run's dataset that the licence covers, weighed by
the scheme's basis, shared by the tree, deductions taken line by line. Societies
use it to make a distribution, replay to check one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple
from typing import cast

from ledger.accounting import deductions
from ledger.accounting import tree
from ledger.errors import InputError
from ledger.events.lines import DistributionLine
from ledger.events.payments import AllocationNode
from ledger.events.terms import Scheme
from ledger.events.types import SIDES
from ledger.events.types import UNSET
from ledger.replay.coverage import Coverage
from ledger.replay.outcome import body_of
from ledger.replay.rows import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ledger.events.types import Side
    from ledger.replay.coverage import Cell
    from ledger.replay.rows import PoolRow
    from ledger.replay.rows import RecordingRow
    from ledger.replay.rows import ShareRow
    from ledger.replay.state import State


class ShareOut(NamedTuple):
    """A pool shared out.

    Attributes:
        reserve: micro-units kept back.
        total: micro-units shared out.
        unallocated: micro-units for which a weighted side has no recording.
        lines: ascending as the manifest orders them.
        nodes: allocation nodes, in the order of the tree.
    """

    reserve: int
    total: int
    unallocated: int
    lines: list[DistributionLine]
    nodes: list[AllocationNode]


def scheme_of(state: State, pool: PoolRow) -> Scheme:
    """Find the scheme by which a pool is shared."""
    licence = state.licences.need(pool.licence)
    scheme: Scheme = body_of(state.schemes.need(licence.scheme).body, Scheme)
    return scheme


def share_out(
    state: State, pool: PoolRow, recordings: Iterable[str], index: int
) -> ShareOut:
    """Compute the distribution of a pool that closes at entry `index`.

    Args:
        state: the full state before that entry.
        pool: the pool, with what is in it.
        recordings: external ids of the run's dataset, ascending.
        index: entry of the distribution; share tables from there on don't count.

    Raises:
        InputError: `duration-missing`.
    """
    scheme = scheme_of(state, pool)
    run = state.runs.need((pool.lab, pool.run))
    coverage = Coverage(state, pool.lab, run, index)
    reserve = deductions.reserve(pool.funded, scheme.reserve_ppm)
    total = pool.funded - reserve
    weights = (
        scheme.sides.composition,
        scheme.sides.master,
        scheme.sides.performer,
    )
    shared = tree.distribute(
        total,
        weights,
        _cells_by_side(coverage, scheme, pool.licence, recordings),
        scheme.basis,
        lambda party: verified_key(state, party),
    )
    lines = [_deduct(scheme, line) for line in shared.lines]
    nodes = [_published(named) for named in shared.nodes]
    return ShareOut(reserve, total, shared.unallocated, lines, nodes)


def verified_key(state: State, party: bytes) -> str | None:
    """Give a verified party's key in the order of heads; None if not verified."""
    holder = state.holders.get(party)
    if holder is not None and holder.verified:
        return holder.external or party.hex()
    row = state.parties.get(party)
    if row is not None and row.verified != NEVER:
        return row.external or party.hex()
    return None


def _cells_by_side(
    coverage: Coverage, scheme: Scheme, licence: int, recordings: Iterable[str]
) -> dict[str, list[tree.Cell]]:
    weighted = [side for side in SIDES if getattr(scheme.sides, side)]
    units: dict[str, list[tree.Cell]] = {side: [] for side in SIDES}
    for external in recordings:
        row, cells = coverage.cells(external)
        chosen = {cell.side: cell for cell in cells if cell.side in weighted}
        if scheme.clear == "all" and any(
            cell.licence == NEVER for cell in chosen.values()
        ):
            # One side is missing, so none is cleared: all of it is outside.
            chosen = {s: c._replace(licence=NEVER) for s, c in chosen.items()}
        for side, cell in chosen.items():
            unit = _unit(scheme, licence, external, row, cell)
            if unit is not None:
                units[side].append(unit)
    return units


def _unit(
    scheme: Scheme,
    licence: int,
    external: str,
    row: RecordingRow | None,
    cell: Cell,
) -> tree.Cell | None:
    """Make the unit of a cell; None if it has no part in this pool."""
    outside = cell.licence == NEVER
    if cell.licence != licence and not (outside and scheme.outside == "reduce"):
        return None
    weight = 1
    if scheme.basis == "duration":
        if row is None or row.ms == 0:
            raise InputError(
                "duration-missing",
                f"{external} has no duration, and the scheme shares by duration",
                hint="register a catalogue that has it, or use another basis",
            )
        weight = row.ms
    if outside:
        return tree.Cell(external, cell.side, weight, (), ())
    works = row.works if row is not None and cell.side == "composition" else ()
    tables = tuple(_table(work, table) for work, table in cell.tables)
    return tree.Cell(external, cell.side, weight, works, tables)


def _table(work: str, table: ShareRow | None) -> tree.ShareTable:
    if table is None:
        # A work that nobody has registered: all of it is unknown.
        return tree.ShareTable(work, (tree.Share(tree.UNKNOWN, 1_000_000),))
    return tree.ShareTable(
        work, tuple(tree.Share(party, ppm) for party, ppm, _ in table.lines)
    )


def _deduct(scheme: Scheme, line: tree.GrossLine) -> DistributionLine:
    fee = cultural = net = 0
    if line.state == "payable":
        taken = deductions.deduct(
            line.gross, scheme.fee_ppm, scheme.cultural_ppm, scheme.cultural_base
        )
        fee, cultural, net = taken.fee, taken.cultural, taken.net
    return DistributionLine(
        cultural=cultural,
        fee=fee,
        gross=line.gross,
        net=net,
        party=line.party,
        recording=line.recording,
        side=cast("Side", line.side),
        state=line.state,
        work=line.work or UNSET,
    )


def _published(named: tree.NamedNode) -> AllocationNode:
    node = named.node
    return AllocationNode(
        extra=node.extra,
        key=str(node.key) or UNSET,
        stage=named.stage,
        threshold=node.threshold,
        total=node.total,
        weight=node.weight,
        side=cast("Side", named.side) if named.side else UNSET,
    )
