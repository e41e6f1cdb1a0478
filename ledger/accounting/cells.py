"""The cells of a pool, (recording, side), and one cell's money by work and share.

The lower half of the allocation tree (money.md §2): recording → work (composition
only) → share, one largest remainder at each node, ties by place in the signed list
of works or shares. Nothing of it is published, for whoever has the tables can
recompute it:

>>> def owned_by(party: bytes, work: str) -> ShareTable:
...     return ShareTable(work=work, shares=(Share(party=party, ppm=PPM),))
>>> works = (("work:a", 600_000), ("work:b", 400_000))
>>> tables = (owned_by(b"A" * 16, "work:a"), owned_by(b"B" * 16, "work:b"))
>>> medley = Cell("example:1", "composition", 1, works, tables)
>>> [(work, amount) for work, party, amount in divide_cell(50_256_307, medley)]
[('work:a', 30153784), ('work:b', 20102523)]

What cannot be paid to anybody is of party `UNKNOWN` and waits: a table's own unknown
share; a work of which there is no table; the whole cell if it has no table at all,
as one outside coverage has none under `outside: reduce` (work "" then).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from typing import TypeAlias

import msgspec

from ledger.accounting.allocation import apportion
from ledger.accounting.money import PPM
from ledger.errors import InvariantError

COMPOSITION: Final = "composition"
SIDES: Final = (COMPOSITION, "master", "performer")

UNKNOWN: Final = bytes(16)
"""The party of waiting money (format.md §5)."""

UNLINKED: Final = ""
"""The work of a line that has none: another side, or a recording without works."""


class Share(msgspec.Struct, frozen=True, gc=False):
    """One line of a share table; `party` has its merges applied."""

    party: bytes
    ppm: int


class ShareTable(msgspec.Struct, frozen=True, gc=False):
    """The shares in a work by place, or with work "" in the recording; Σ ppm = 10⁶."""

    work: str
    shares: tuple[Share, ...]


class Cell(msgspec.Struct, frozen=True, gc=False):
    """One (recording, side) of a pool.

    Attributes:
        recording: external id.
        side: composition, master or performer.
        weight: 1 if `per_recording`, ms if `duration`, not read if `per_holder`.
        works: (work id, ppm) by place, Σ ppm = 10⁶; composition only, () if unlinked.
        tables: those that there are of its works; without works one of work "".
    """

    recording: str
    side: str
    weight: int
    works: tuple[tuple[str, int], ...]
    tables: tuple[ShareTable, ...]


Part: TypeAlias = tuple[str, int, tuple[Share, ...]]
"""One work of a cell: its id, its ppm of the recording, its shares by place."""

_WHOLE: Final = ((UNLINKED, PPM),)
_NOBODY: Final = (Share(party=UNKNOWN, ppm=PPM),)


def parts_of(cell: Cell) -> list[Part]:
    """The works of a cell by place, with `UNKNOWN` for the shares that are missing.

    Raises:
        InvariantError: `bad-cell`, one that no validated entries leave behind.
    """
    if not cell.tables:
        return [(UNLINKED, PPM, _NOBODY)]
    works = cell.works or _WHOLE
    tables = {table.work: table.shares for table in cell.tables}
    _check_tables(cell, len(tables), {work for work, _ in works})
    if sum([ppm for _, ppm in works]) != PPM:
        raise _bad_cell(cell, "has works that do not add up to 10⁶")
    return [(work, ppm, tables.get(work, _NOBODY)) for work, ppm in works]


def divide_cell(amount: int, cell: Cell) -> Iterator[tuple[str, bytes, int]]:
    """Divide one recording's amount over its works and shares.

    Yields:
        (work, party, µ) in tree order; a party as often as it has places.

    Raises:
        InvariantError: `bad-cell`.
    """
    parts = parts_of(cell)
    amounts = apportion(amount, [ppm for _, ppm, _ in parts])
    for (work, _, shares), part in zip(parts, amounts, strict=True):
        micros = apportion(part, [share.ppm for share in shares])
        for share, micro in zip(shares, micros, strict=True):
            yield work, share.party, micro


def _check_tables(cell: Cell, distinct: int, works: set[str]) -> None:
    if cell.works and cell.side != COMPOSITION:
        raise _bad_cell(cell, "has works, which only a composition has")
    if distinct != len(cell.tables):
        raise _bad_cell(cell, "has two tables of one work")
    for table in cell.tables:
        if table.work not in works:
            raise _bad_cell(cell, f"has a table of {table.work!r}, no work of its")
        if sum([share.ppm for share in table.shares]) != PPM:
            raise _bad_cell(cell, "has shares that do not add up to 10⁶")


def _bad_cell(cell: Cell, fault: str) -> InvariantError:
    return InvariantError("bad-cell", f"{cell.side} of {cell.recording} {fault}")
