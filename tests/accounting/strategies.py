"""Random pools for properties: small, and rich in ties, gaps and doubles."""

from __future__ import annotations

from hypothesis import strategies as st

from ledger.accounting.tree import SIDES
from ledger.accounting.tree import UNKNOWN
from ledger.accounting.tree import Cell
from ledger.accounting.tree import Share
from ledger.accounting.tree import ShareTable

PARTIES = [bytes([number]) * 16 for number in range(1, 7)]
VERIFIED = {
    PARTIES[0]: "ipi:00000000009",
    PARTIES[1]: "ipi:00000000001",
    PARTIES[2]: PARTIES[2].hex(),
    PARTIES[3]: "é:1",
}
"""Heads whose order by key is neither that of their ids nor that of appearance."""

totals = st.integers(-(10**14), 10**14) | st.integers(-20, 20)
sides = st.tuples(*[st.integers(0, 3)] * 3)


@st.composite
def ppms(draw: st.DrawFn, most: int = 4) -> list[int]:
    """Parts that add up to 10⁶, some of them 0, many of them equal."""
    cut = st.integers(0, 1_000_000) | st.sampled_from([250_000, 333_333, 500_000])
    cuts = sorted(draw(st.lists(cut, max_size=most - 1)))
    return [
        end - start for start, end in zip([0, *cuts], [*cuts, 1_000_000], strict=True)
    ]


@st.composite
def tables(draw: st.DrawFn, work: str) -> ShareTable:
    """A table in which a party may hold several places."""
    holders = st.sampled_from([*PARTIES, UNKNOWN])
    shares = [Share(party=draw(holders), ppm=ppm) for ppm in draw(ppms())]
    return ShareTable(work=work, shares=tuple(shares))


@st.composite
def cells(draw: st.DrawFn, side: str, number: int) -> Cell:
    """One cell: linked or not, with all of its tables, some, or none."""
    works: tuple[tuple[str, int], ...] = ()
    if side == "composition" and draw(st.booleans()):
        parts = draw(ppms(most=3))
        # Place and name disagree, so that order by name would show.
        works = tuple((f"work:{9 - i}", ppm) for i, ppm in enumerate(parts))
    subjects = [work for work, _ in works] or [""]
    known = [work for work in subjects if draw(st.integers(0, 4))]
    return Cell(
        recording=f"example:{number}",
        side=side,
        weight=draw(st.integers(1, 4) | st.integers(1, 10**7)),
        works=works,
        tables=tuple(draw(tables(work)) for work in known),
    )


@st.composite
def pools(draw: st.DrawFn) -> dict[str, list[Cell]]:
    """Cells of up to three sides; a side may have none."""
    result = {}
    for side in SIDES:
        numbers = draw(st.lists(st.integers(1, 12), unique=True, max_size=5))
        result[side] = [draw(cells(side, number)) for number in numbers]
    return result
