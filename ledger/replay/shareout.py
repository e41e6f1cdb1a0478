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
    """Give a verified party's key in the order of heads; None if not verified.

    That is its external id, as its manifest line or its own entry has it, else
    its party id (money.md §2).
    """
    holder, row = state.holders.get(party), state.parties.get(party)
    by_line = holder is not None and holder.verified
    by_entry = row is not None and row.verified != NEVER
    if not by_line and not by_entry:
        return None
    external = "" if holder is None else holder.external
    if not external and row is not None:
        external = row.external
    return external or party.hex()


def _cells_by_side(
    coverage: Coverage, scheme: Scheme, licence: int, recordings: Iterable[str]
) -> dict[str, list[tree.Cell]]:
    weighted = [side for side in SIDES if getattr(scheme.sides, side)]
    units: dict[str, list[tree.Cell]] = {side: [] for side in SIDES}
    for external in recordings:
        _, cells = coverage.cells(external)
        for cell in cells:
            if cell.side in weighted:
                unit = _unit(coverage, scheme, licence, external, cell)
                if unit is not None:
                    units[cell.side].append(unit)
    return units


def _unit(
    coverage: Coverage, scheme: Scheme, licence: int, external: str, cell: Cell
) -> tree.Cell | None:
    """Make the unit of a cell; None if it has no part in this pool."""
    outside = cell.licence == NEVER
    if cell.licence != licence and not (outside and scheme.outside == "reduce"):
        return None
    weight = 1
    if scheme.basis == "duration":
        weight = coverage.duration_ms(external, licence)
        if weight == 0 and outside:
            # Nobody can say how much it would have weighed.
            return None
        if weight == 0:
            raise InputError(
                "duration-missing",
                f"{external} has no duration, and the scheme shares by duration",
                hint="register a catalogue of the licensor's that has it",
            )
    if outside:
        return tree.Cell(external, cell.side, weight, (), ())
    tables = tuple(_table(work, table) for work, table in cell.tables)
    return tree.Cell(external, cell.side, weight, cell.works, tables)


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
