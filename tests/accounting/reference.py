"""The rules of money.md §2 once more, slowly and in other words.

Nothing here is shared with ``ledger.accounting`` but the types: exact fractions
instead of quotients and remainders, flat lists of leaves instead of nested nodes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from fractions import Fraction

from ledger.accounting.tree import UNKNOWN
from ledger.accounting.tree import Cell

Line = tuple[str, str, str, bytes]


def divide(total: int, weights: Sequence[int]) -> list[int]:
    """Largest remainder by ranking the exact fractions."""
    exact = [Fraction(abs(total) * each, sum(weights)) for each in weights]
    amounts = [each.__floor__() for each in exact]
    ranked = sorted(
        range(len(exact)), key=lambda place: (amounts[place] - exact[place], place)
    )
    for place in ranked[: abs(total) - sum(amounts)]:
        amounts[place] += 1
    return amounts if total >= 0 else [-each for each in amounts]


def leaves(cell: Cell) -> list[tuple[str, int, list[tuple[bytes, int]]]]:
    """Works with their ppm, each with its (party, ppm); UNKNOWN where none is known."""
    if cell.tables == ():
        return [("", 1_000_000, [(UNKNOWN, 1_000_000)])]
    result = []
    for work, ppm in cell.works or [("", 1_000_000)]:
        shares = [
            (share.party, share.ppm)
            for table in cell.tables
            if table.work == work
            for share in table.shares
        ]
        result.append((work, ppm, shares or [(UNKNOWN, 1_000_000)]))
    return result


def distribute(
    total: int,
    sides: Sequence[int],
    cells_by_side: Mapping[str, Sequence[Cell]],
    basis: str,
    verified: Callable[[bytes], str | None],
) -> tuple[dict[Line, int], int]:
    """The gross of every line that has any, and what has none to wait on."""
    if sum(sides) == 0:
        return {}, total
    gross: Counter[Line] = Counter()
    unallocated = 0
    names = ("composition", "master", "performer")
    for side, amount in zip(names, divide(total, sides), strict=True):
        cells = sorted(cells_by_side.get(side, []), key=lambda cell: cell.recording)
        if not cells:
            unallocated += amount
        elif basis == "per_holder":
            by_holder(gross, amount, side, cells, verified)
        elif amount:
            by_recording(gross, amount, side, cells)
    return {line: amount for line, amount in gross.items() if amount}, unallocated


def by_recording(
    gross: Counter[Line], amount: int, side: str, cells: list[Cell]
) -> None:
    units = divide(amount, [cell.weight for cell in cells])
    for cell, unit in zip(cells, units, strict=True):
        works = leaves(cell)
        parts = divide(unit, [ppm for _, ppm, _ in works])
        for (work, _, shares), part in zip(works, parts, strict=True):
            micros = divide(part, [ppm for _, ppm in shares])
            for (party, _), micro in zip(shares, micros, strict=True):
                gross[cell.recording, side, work, party] += micro


def by_holder(
    gross: Counter[Line],
    amount: int,
    side: str,
    cells: list[Cell],
    verified: Callable[[bytes], str | None],
) -> None:
    flat = [
        (cell.recording, work, party, work_ppm * ppm)
        for cell in cells
        for work, work_ppm, shares in leaves(cell)
        for party, ppm in shares
        if work_ppm * ppm
    ]
    mine = [leaf for leaf in flat if leaf[2] != UNKNOWN and verified(leaf[2])]
    rest = [leaf for leaf in flat if leaf not in mine]
    for_mine, for_rest = divide(
        amount, [sum(leaf[3] for leaf in mine), sum(leaf[3] for leaf in rest)]
    )
    waiting = sorted({leaf[0] for leaf in rest})
    weights = [sum(leaf[3] for leaf in rest if leaf[0] == each) for each in waiting]
    for recording, micro in zip(
        waiting, divide(for_rest, weights) if weights else [], strict=True
    ):
        gross[recording, side, "", UNKNOWN] += micro
    heads = sorted({leaf[2] for leaf in mine}, key=lambda party: verified(party) or "")
    equal = divide(for_mine, [1] * len(heads)) if heads else []
    for head, part in zip(heads, equal, strict=True):
        own = [leaf for leaf in mine if leaf[2] == head]
        recordings = sorted({leaf[0] for leaf in own})
        weights = [sum(leaf[3] for leaf in own if leaf[0] == x) for x in recordings]
        for recording, unit in zip(recordings, divide(part, weights), strict=True):
            here = [leaf for leaf in own if leaf[0] == recording]
            works = list(dict.fromkeys(leaf[1] for leaf in here))
            weights = [sum(leaf[3] for leaf in here if leaf[1] == x) for x in works]
            for work, micro in zip(works, divide(unit, weights), strict=True):
                gross[recording, side, work, head] += micro
