"""One recording's money by work and share (money.md §2)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ledger.accounting.cells import UNKNOWN
from ledger.accounting.cells import Cell
from ledger.accounting.cells import Share
from ledger.accounting.cells import ShareTable
from ledger.accounting.cells import divide_cell
from ledger.errors import InvariantError

A, B = b"a" * 16, b"b" * 16


def table(work: str, *shares: tuple[bytes, int]) -> ShareTable:
    return ShareTable(work, tuple(Share(party, ppm) for party, ppm in shares))


MEDLEY = Cell(
    recording="example:1",
    side="composition",
    weight=1,
    works=(("work:2", 600_000), ("work:1", 400_000)),
    tables=(table("work:1", (B, 1_000_000)), table("work:2", (A, 1_000_000))),
)


def divided(amount: int, cell: Cell) -> list[tuple[str, bytes, int]]:
    return list(divide_cell(amount, cell))


def test_a_medley_divides_by_its_works() -> None:
    """money.md §2: 30.153784 and 20.102523, in the order of the works' list."""
    assert divided(50_256_307, MEDLEY) == [
        ("work:2", A, 30_153_784),
        ("work:1", B, 20_102_523),
    ]


def test_ties_go_by_place_not_by_name() -> None:
    """Of 1 µ between equals the first listed work and share gets it."""
    halves = msgspec.structs.replace(
        MEDLEY, works=(("work:2", 500_000), ("work:1", 500_000))
    )
    assert divided(1, halves) == [("work:2", A, 1), ("work:1", B, 0)]
    shared = Cell(
        "example:1", "master", 1, (), (table("", (B, 500_000), (A, 500_000)),)
    )
    assert divided(1, shared) == [("", B, 1), ("", A, 0)]


def test_a_work_without_a_table_waits_alone() -> None:
    """Its sibling is paid: one missing table does not hold a whole recording."""
    partly = msgspec.structs.replace(MEDLEY, tables=MEDLEY.tables[:1])
    assert divided(10, partly) == [("work:2", UNKNOWN, 6), ("work:1", B, 4)]


def test_a_cell_without_any_table_waits_as_a_whole() -> None:
    """Outside coverage: one sum of the recording, of no work."""
    outside = msgspec.structs.replace(MEDLEY, tables=())
    assert divided(10, outside) == [("", UNKNOWN, 10)]


def test_an_unlinked_composition_has_a_table_of_its_own() -> None:
    """Without works the recording itself is the subject."""
    unlinked = Cell(
        "example:1", "composition", 1, (), (table("", (A, 999_999), (UNKNOWN, 1)),)
    )
    assert divided(1_000_000, unlinked) == [("", A, 999_999), ("", UNKNOWN, 1)]


def test_a_negative_amount_takes_back_the_same() -> None:
    """The whole descent is odd in its amount."""
    for amount in range(20):
        there, back = divided(amount, MEDLEY), divided(-amount, MEDLEY)
        assert back == [(work, party, -micro) for work, party, micro in there]


@pytest.mark.parametrize(
    "changes",
    [
        {"side": "master"},
        {"works": (("work:1", 600_000), ("work:2", 400_001))},
        {"works": ()},
        {"works": (("work:1", 1_000_000),)},
        {"tables": (table("work:1", (A, 999_999)),)},
        {"tables": (table("work:1", (A, 1_000_000), (B, 1)),)},
        {"tables": (table("work:1"),)},
        {"tables": (table("work:3", (A, 1_000_000)),)},
        {"tables": (table("", (A, 1_000_000)),)},
        {"tables": (MEDLEY.tables[0], MEDLEY.tables[0])},
    ],
)
def test_cells_that_no_state_holds_stop_us(changes: dict[str, Any]) -> None:
    """Sums that are not 10⁶, and tables doubled or of no work of the recording."""
    divided(1, MEDLEY)
    with pytest.raises(InvariantError) as caught:
        divided(1, msgspec.structs.replace(MEDLEY, **changes))
    assert caught.value.code == "bad-cell"
