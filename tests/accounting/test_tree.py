"""A pool down to its gross lines (money.md §2)."""

from __future__ import annotations

from collections import Counter
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.accounting.allocation import Node
from ledger.accounting.allocation import check_share
from ledger.accounting.allocation import share_of
from ledger.accounting.tree import SIDES
from ledger.accounting.tree import UNKNOWN
from ledger.accounting.tree import Basis
from ledger.accounting.tree import Cell
from ledger.accounting.tree import Distribution
from ledger.accounting.tree import Share
from ledger.accounting.tree import ShareTable
from ledger.accounting.tree import distribute
from ledger.accounting.tree import divide_cell
from ledger.errors import InputError
from ledger.errors import InvariantError
from tests.accounting import reference
from tests.accounting import strategies

Pool = dict[str, list[Cell]]
BASES: list[Basis] = ["per_recording", "duration", "per_holder"]
head_key = strategies.VERIFIED.get
A, B = strategies.PARTIES[:2]


def fitted(pool: Pool, basis: Basis) -> Pool:
    """The pool with the weights that its basis asks for."""
    if basis == "duration":
        return pool
    return {
        side: [msgspec.structs.replace(cell, weight=1) for cell in cells]
        for side, cells in pool.items()
    }


def whole(number: int, side: str, party: bytes, weight: int = 1) -> Cell:
    """A cell that is one party's altogether."""
    tables = (ShareTable("", (Share(party, 1_000_000),)),)
    return Cell(f"example:{number}", side, weight, (), tables)


def gross_by_line(split: Distribution) -> dict[reference.Line, int]:
    return {
        (line.recording, line.side, line.work, line.party): line.gross
        for line in split.lines
    }


@given(strategies.totals, strategies.sides, strategies.pools(), st.sampled_from(BASES))
def test_lines_equal_the_rules_in_other_words(
    total: int, sides: tuple[int, int, int], pool: Pool, basis: Basis
) -> None:
    """Random pools of every shape, by exact fractions and flat lists."""
    cells = fitted(pool, basis)
    split = distribute(total, sides, cells, basis, head_key)
    expected, unallocated = reference.distribute(total, sides, cells, basis, head_key)
    assert gross_by_line(split) == expected
    assert split.unallocated == unallocated


@given(strategies.totals, strategies.sides, strategies.pools(), st.sampled_from(BASES))
def test_lines_are_canonical(
    total: int, sides: tuple[int, int, int], pool: Pool, basis: Basis
) -> None:
    """They add up, strictly ascend by bytes, are never 0, and wait iff of nobody."""
    split = distribute(total, sides, fitted(pool, basis), basis, head_key)
    assert sum(line.gross for line in split.lines) + split.unallocated == total
    order = [
        (line.recording.encode(), line.side.encode(), line.work.encode(), line.party)
        for line in split.lines
    ]
    assert order == sorted(set(order))
    for line in split.lines:
        assert line.gross * total > 0
        assert (line.state == "suspense") == (line.party == UNKNOWN)


@given(
    strategies.totals,
    strategies.sides,
    strategies.pools(),
    st.sampled_from(BASES),
    st.randoms(use_true_random=False),
)
def test_order_of_construction_moves_nothing(
    total: int,
    sides: tuple[int, int, int],
    pool: Pool,
    basis: Basis,
    random: Random,
) -> None:
    """Cells, sides and tables in any order give the same lines and nodes."""
    cells = fitted(pool, basis)
    shuffled = {
        side: [
            msgspec.structs.replace(
                cell, tables=tuple(random.sample(cell.tables, len(cell.tables)))
            )
            for cell in random.sample(cells[side], len(cells[side]))
        ]
        for side in random.sample(sorted(cells), len(cells))
    }
    assert distribute(total, sides, shuffled, basis, head_key) == distribute(
        total, sides, cells, basis, head_key
    )


@given(strategies.totals, strategies.sides, strategies.pools(), st.sampled_from(BASES))
def test_a_negative_total_is_the_negative(
    total: int, sides: tuple[int, int, int], pool: Pool, basis: Basis
) -> None:
    """Taking a pool back takes from every line what it gave."""
    cells = fitted(pool, basis)
    there = distribute(total, sides, cells, basis, head_key)
    back = distribute(-total, sides, cells, basis, head_key)
    assert back.unallocated == -there.unallocated
    assert gross_by_line(back) == {
        line: -gross for line, gross in gross_by_line(there).items()
    }


@given(strategies.totals, strategies.pools(), st.sampled_from(BASES[:2]))
def test_a_line_is_checked_from_the_published_nodes(
    total: int, pool: Pool, basis: Basis
) -> None:
    """Side node → unit node → the cell's own tables, without any other cell."""
    sides = (2, 1, 1)
    cells = fitted(pool, basis)
    split = distribute(total, sides, cells, basis, head_key)
    nodes = {(each.stage, each.side): each.node for each in split.nodes}
    for side, weight in zip(SIDES, sides, strict=True):
        if not cells[side]:
            assert ("unit", side) not in nodes
            continue
        unit = nodes["unit", side]
        check_share(nodes["side", ""], weight, side, unit.total)
        for cell in cells[side]:
            expected: Counter[tuple[str, bytes]] = Counter()
            amount = share_of(unit, cell.weight, cell.recording)
            for work, party, micro in divide_cell(amount, cell):
                expected[work, party] += micro
            assert {
                (line.work, line.party): line.gross
                for line in split.lines
                if (line.recording, line.side) == (cell.recording, side)
            } == {line: gross for line, gross in expected.items() if gross}


@given(strategies.totals, strategies.pools())
def test_published_nodes_of_holders_give_the_sums(total: int, pool: Pool) -> None:
    """Side → verified and other → heads and waiting recordings."""
    split = distribute(total, (1, 1, 1), pool, "per_holder", head_key)
    nodes = {(each.stage, each.side): each.node for each in split.nodes}
    for side in SIDES:
        if not pool[side]:
            continue
        lines = [line for line in split.lines if line.side == side]
        waiting = sum(line.gross for line in lines if line.party == UNKNOWN)
        verified = nodes["verified", side]
        assert verified.total == sum(line.gross for line in lines)
        other = nodes.get(("other", side))
        assert (other.total if other else 0) == waiting
        assert share_of(verified, other.weight if other else 0, 1) == waiting
        for party, key in strategies.VERIFIED.items():
            own = sum(line.gross for line in lines if line.party == party)
            assert own in ({share_of(nodes["head", side], 1, key), 0} if own else {0})


def test_worked_figure_of_the_training_split() -> None:
    """money.md §2: 1,000,000.00 over 9,949 recordings, master only, per recording."""
    cells = [whole(number, "master", A) for number in range(10_001, 19_950)]
    split = distribute(
        1_000_000_000_000, (0, 1, 0), {"master": cells}, "per_recording", head_key
    )
    grosses = [line.gross for line in split.lines]
    assert grosses == [100_512_615] * 3_314 + [100_512_614] * 6_635
    assert [(each.stage, each.side) for each in split.nodes] == [
        ("side", ""),
        ("unit", "master"),
    ]
    assert split.nodes[1].node == Node(
        extra=3_314,
        key="example:13314",
        threshold=3_314,
        total=1_000_000_000_000,
        weight=9_949,
    )


def test_worked_figure_of_the_medley_in_a_pool() -> None:
    """money.md §2: one recording's 100.512614, half of it to two works."""
    works = (("work:1", 600_000), ("work:2", 400_000))
    tables = (
        ShareTable("work:1", (Share(A, 1_000_000),)),
        ShareTable("work:2", (Share(B, 1_000_000),)),
    )
    cells = {
        "composition": [Cell("example:1", "composition", 1, works, tables)],
        "master": [whole(1, "master", A)],
    }
    split = distribute(100_512_614, (1, 1, 0), cells, "per_recording", head_key)
    assert gross_by_line(split) == {
        ("example:1", "composition", "work:1", A): 30_153_784,
        ("example:1", "composition", "work:2", B): 20_102_523,
        ("example:1", "master", "", A): 50_256_307,
    }


def test_ties_of_sides_go_composition_master_performer() -> None:
    """2 µ among three equal sides leave the performer with nothing."""
    cells = {side: [whole(1, side, A)] for side in SIDES}
    split = distribute(2, (1, 1, 1), cells, "per_recording", head_key)
    assert [(line.side, line.gross) for line in split.lines] == [
        ("composition", 1),
        ("master", 1),
    ]
    assert split.nodes[0].node.key == "master"


def test_duration_weighs_by_milliseconds() -> None:
    """By hand: 1,000 by 1 ms : 2 ms : 4 ms."""
    cells = {"master": [whole(n, "master", A, 2 ** (n - 1)) for n in (1, 2, 3)]}
    split = distribute(1_000, (0, 1, 0), cells, "duration", head_key)
    assert [line.gross for line in split.lines] == [143, 286, 571]


def test_a_missing_duration_is_refused_by_name() -> None:
    """No default stands in for what the catalogue does not say."""
    cells = {"master": [whole(1, "master", A, 7), whole(2, "master", A, 0)]}
    with pytest.raises(InputError, match="example:2") as caught:
        distribute(1_000, (0, 1, 0), cells, "duration", head_key)
    assert caught.value.code == "duration-missing"


def test_a_side_without_recordings_waits_with_the_pool() -> None:
    """Its weight counts, so that the other sides get no more for it."""
    split = distribute(
        100, (1, 1, 0), {"master": [whole(1, "master", A)]}, "per_recording", head_key
    )
    assert (split.unallocated, [line.gross for line in split.lines]) == (50, [50])


@pytest.mark.parametrize("basis", BASES)
def test_without_any_weight_all_waits_with_the_pool(basis: Basis) -> None:
    """W = 0 at the root; there is no node to publish."""
    cells = {"master": [whole(1, "master", A)]}
    assert distribute(7, (0, 0, 0), cells, basis, head_key) == Distribution([], [], 7)


def test_a_side_of_weight_zero_gets_nothing() -> None:
    """Its cells may be there."""
    cells = {side: [whole(1, side, A)] for side in SIDES}
    split = distribute(101, (0, 1, 1), cells, "per_recording", head_key)
    assert {line.side for line in split.lines} == {"master", "performer"}
    assert split.unallocated == 0


def test_several_places_are_one_line() -> None:
    """A featured and session performer has one sum in a recording."""
    shares = (Share(A, 500_000), Share(B, 250_000), Share(A, 250_000))
    cells = {
        "performer": [Cell("example:1", "performer", 1, (), (ShareTable("", shares),))]
    }
    split = distribute(1_000, (0, 0, 1), cells, "per_recording", head_key)
    assert [(line.party, line.gross) for line in split.lines] == [(A, 750), (B, 250)]


def test_lines_of_nothing_are_left_out() -> None:
    """1 µ over three recordings is one line, and the node still proves the others."""
    cells = {"master": [whole(n, "master", A) for n in (1, 2, 3)]}
    split = distribute(1, (0, 1, 0), cells, "per_recording", head_key)
    assert [line.recording for line in split.lines] == ["example:1"]
    check_share(split.nodes[1].node, 1, "example:2", 0)


@pytest.mark.parametrize("basis", BASES)
def test_cells_that_no_state_holds_stop_us(basis: Basis) -> None:
    """A doubled recording, and a cell of another side."""
    one = whole(1, "master", A)
    for cells in ([one, one], [one, whole(2, "performer", A)]):
        with pytest.raises(InvariantError) as caught:
            distribute(1, (0, 1, 0), {"master": cells}, basis, head_key)
        assert caught.value.code == "bad-cell"


def test_per_recording_weighs_each_as_one() -> None:
    """Another weight is a mistake of the caller's, not a finer basis."""
    cells = {"master": [whole(1, "master", A, 2)]}
    with pytest.raises(InvariantError):
        distribute(1, (0, 1, 0), cells, "per_recording", head_key)


def test_an_unknown_basis_is_refused() -> None:
    """Each basis is a rule of its own; there is no default."""
    cells = {"master": [whole(1, "master", A)]}
    with pytest.raises(InputError) as caught:
        distribute(1, (0, 1, 0), cells, "per_mood", head_key)  # type: ignore[arg-type]
    assert caught.value.code == "bad-basis"


def test_nobody_is_asked_whether_unknown_is_verified() -> None:
    """A registrar's slip cannot turn waiting money into a head's."""
    shares = (Share(UNKNOWN, 900_000), Share(A, 100_000))
    cells = {"master": [Cell("example:1", "master", 1, (), (ShareTable("", shares),))]}
    split = distribute(1_000, (0, 1, 0), cells, "per_holder", bytes.hex)
    assert [(line.party, line.gross, line.state) for line in split.lines] == [
        (UNKNOWN, 900, "suspense"),
        (A, 100, "payable"),
    ]
