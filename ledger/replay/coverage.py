"""Which licence covers which side of which recording, at a run (money.md §1).

Coverage is single: among the licences that a run relies on, each side of each
recording belongs to the one accepted first that reaches it. A licence reaches
a (recording, side) when it was accepted before the run, names the lab's model
version, has not ended, includes the side, has the recording in one of its
catalogues, and its licensor had registered a share table of the side by then.
If its scheme says ``clear: all``, it reaches none of a recording's sides unless
every weighted one is covered.

A table counts for a run if its effective day is not after the run's log day;
among those the one with the greatest (effective day, index). Only the
licensor's own tables count for its licence: no other society can move its money.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple

from ledger.events.terms import Scheme
from ledger.events.types import PPM
from ledger.events.types import SIDES
from ledger.events.types import UNKNOWN_PARTY
from ledger.replay.outcome import body_of
from ledger.replay.rows import NEVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.replay.rows import LicenceRow
    from ledger.replay.rows import RecordingRow
    from ledger.replay.rows import RunRow
    from ledger.replay.rows import ShareRow
    from ledger.replay.state import State


Tables = tuple[tuple[str, "ShareRow | None"], ...]
Works = tuple[tuple[str, int], ...]


class Cell(NamedTuple):
    """One side of one recording at a run.

    Attributes:
        side: composition, master or performer.
        licence: entry of the covering grant, or `NEVER`.
        tables: (work, share table), one for master and performer with work ""
            and one for each work of a composition.
        works: the works of a composition and their ppm; empty if unlinked.
    """

    side: str
    licence: int
    tables: Tables
    works: Works = ()

    @property
    def known(self) -> bool:
        """Tell whether anybody has registered shares of this side."""
        return any(table is not None for _, table in self.tables)


def select_table(
    versions: Sequence[ShareRow] | None,
    day: int,
    before: int,
    society: bytes | None = None,
) -> ShareRow | None:
    """Pick the share table in force on a day, among those below an index.

    Args:
        versions: every version of the table.
        day: log day.
        before: entries from here on do not count.
        society: whose tables count; None for anybody's.
    """
    eligible = [
        v
        for v in versions or ()
        if v.effective <= day
        and v.index < before
        and (society is None or v.society == society)
    ]
    if len(eligible) > 1:
        return max(eligible, key=lambda v: (v.effective, v.index))
    return eligible[0] if eligible else None


def owed(cell: Cell, works: Works) -> tuple[tuple[bytes, int], ...]:
    """Name who holds a side: (party, ppm) in signed order.

    Several works of a recording weigh by their ppm of it, rounded down, the
    first named taking what is left.
    """
    shares: dict[bytes, int] = {}
    weight = dict(works)
    for work, table in cell.tables:
        part = weight.get(work, PPM)
        lines = ((UNKNOWN_PARTY, PPM, ""),) if table is None else table.lines
        for party, ppm, _ in lines:
            shares[party] = shares.get(party, 0) + ppm * part // PPM
    if shares:
        first = next(iter(shares))
        shares[first] += PPM - sum(shares.values())
    return tuple(shares.items())


def _needed_sides(state: State, licence: LicenceRow) -> tuple[str, ...]:
    """Name the sides that a licence's scheme needs together; none if each is."""
    scheme: Scheme = body_of(state.schemes.need(licence.scheme).body, Scheme)
    if scheme.clear == "each":
        return ()
    return tuple(side for side in SIDES if getattr(scheme.sides, side))


class Coverage:
    """The cells of a run's recordings.

    Args:
        state: state to look things up in.
        lab: whose run it is.
        run: the run, with the day and index at which it is judged.
        tables_before: share tables from this index on do not count; the run's
            own index when its permission is judged.
    """

    def __init__(
        self, state: State, lab: bytes, run: RunRow, tables_before: int
    ) -> None:
        self._state = state
        self._day = run.day
        self._judged = run.index
        self._before = tables_before
        self._licences = self._eligible(lab, run)
        self._needed = {
            index: needed
            for index, licence in self._licences
            if (needed := _needed_sides(state, licence))
        }

    def _eligible(self, lab: bytes, run: RunRow) -> list[tuple[int, LicenceRow]]:
        found = []
        for index in run.licences:
            licence = self._state.licences.get(index)
            if (
                licence is not None
                and licence.lab == lab
                and NEVER < licence.accepted < run.index
                and (
                    licence.any_version or (run.model, run.version) in licence.versions
                )
                and all(run.day <= day for day in licence.until)
            ):
                found.append((index, licence))
        return sorted(found, key=lambda item: item[1].accepted)

    def cells(self, external: str) -> tuple[RecordingRow | None, tuple[Cell, ...]]:
        """Give the three cells of a recording, and its row in the catalogue used.

        That is the catalogue of the first licence that has the recording; where
        none has, the first catalogue that was registered before the run.
        """
        rows = self._state.recordings.get(external) or ()
        reach = [
            (index, licence, row)
            for index, licence in self._licences
            for row in rows
            if row.catalogue in licence.catalogues
        ]
        first = reach[0][2] if reach else None
        row = first or next((r for r in rows if r.catalogue < self._judged), None)
        works = () if row is None else row.works
        cells = tuple(self._cell(external, side, works, reach) for side in SIDES)
        while (unclear := self._unclear(cells)) is not None:
            # It does not reach this recording; the next one accepted may.
            reach = [each for each in reach if each[0] != unclear]
            cells = tuple(self._cell(external, side, works, reach) for side in SIDES)
        return row, cells

    def duration_ms(self, external: str, licence: int) -> int:
        """Give a recording's duration as the licensor has it; 0 if it has none.

        The licence's own catalogues come first, then whatever else the licensor
        has registered: a later catalogue can bring a duration that was missing.
        """
        terms = self._state.licences.need(licence)
        rows = [row for row in self._state.recordings.get(external) or () if row.ms]
        for row in rows:
            if row.catalogue in terms.catalogues:
                return row.ms
        for row in rows:
            if self._state.catalogues.get(row.catalogue) == terms.society:
                return row.ms
        return 0

    def _cell(
        self,
        external: str,
        side: str,
        works: Works,
        reach: list[tuple[int, LicenceRow, RecordingRow]],
    ) -> Cell:
        for index, licence, row in reach:
            if side not in licence.sides:
                continue
            own = row.works if side == "composition" else ()
            tables, in_time = self._tables(external, side, own, licence.society)
            if in_time:
                return Cell(side, index, tables, own)
        known = works if side == "composition" else ()
        return Cell(side, NEVER, self._tables(external, side, known, None)[0], known)

    def _tables(
        self, external: str, side: str, works: Works, society: bytes | None
    ) -> tuple[Tables, bool]:
        """Select the tables of a side; tell whether one was there by the run."""
        tables = []
        in_time = False
        for work in [work for work, _ in works] or [""]:
            versions = self._state.shares.get((work or external, side))
            tables.append(
                (work, select_table(versions, self._day, self._before, society))
            )
            # What was registered after the run counts for the split, not for cover.
            in_time = in_time or (
                select_table(versions, self._day, self._judged, society) is not None
            )
        return tuple(tables), in_time

    def _unclear(self, cells: Sequence[Cell]) -> int | None:
        """Find the first licence that clears a recording whole, but not this one."""
        open_sides = {cell.side for cell in cells if cell.licence == NEVER}
        for index, needed in self._needed.items():
            if open_sides.intersection(needed) and any(
                cell.licence == index for cell in cells
            ):
                return index
        return None
