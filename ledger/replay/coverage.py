"""Which licence covers which side of which recording, at a run (money.md §1).

Coverage is single: among the licences that a run relies on, each side of each
recording belongs to the one accepted first that reaches it. A licence reaches
a (recording, side) when it was accepted before the run, names the lab's model
version, has not ended, includes the side, has the recording in one of its
catalogues, and the side has a share table by then.

A table counts for a run if its effective day is not after the run's log day;
among those the one with the greatest (effective day, index).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple

from ledger.events.types import PPM
from ledger.events.types import SIDES
from ledger.events.types import UNKNOWN_PARTY
from ledger.replay.rows import NEVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.replay.rows import LicenceRow
    from ledger.replay.rows import RecordingRow
    from ledger.replay.rows import RunRow
    from ledger.replay.rows import ShareRow
    from ledger.replay.state import State


class Cell(NamedTuple):
    """One side of one recording at a run.

    Attributes:
        side: composition, master or performer.
        licence: entry of the covering grant, or `NEVER`.
        tables: (work, share table), one for master and performer with work ""
            and one for each work of a composition; empty if none is registered.
    """

    side: str
    licence: int
    tables: tuple[tuple[str, ShareRow | None], ...]

    @property
    def known(self) -> bool:
        """Tell whether anybody has registered shares of this side."""
        return any(table is not None for _, table in self.tables)


def select_table(
    versions: Sequence[ShareRow] | None, day: int, before: int
) -> ShareRow | None:
    """Pick the share table in force on a day, among those below an index."""
    eligible = [v for v in versions or () if v.effective <= day and v.index < before]
    if len(eligible) > 1:
        return max(eligible, key=lambda v: (v.effective, v.index))
    return eligible[0] if eligible else None


def owed(cell: Cell, works: Sequence[tuple[str, int]]) -> tuple[tuple[bytes, int], ...]:
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
        found = [
            (index, licence.sides, row)
            for index, licence in self._licences
            for row in rows
            if row.catalogue in licence.catalogues
        ]
        if found:
            row: RecordingRow | None = found[0][2]
        else:
            row = next((r for r in rows if r.catalogue < self._judged), None)
        works = () if row is None else row.works
        reach = [(index, sides) for index, sides, _ in found]
        return row, tuple(self._cell(external, side, works, reach) for side in SIDES)

    def _cell(
        self,
        external: str,
        side: str,
        works: tuple[tuple[str, int], ...],
        reach: list[tuple[int, tuple[str, ...]]],
    ) -> Cell:
        by_work = side == "composition" and bool(works)
        subjects = [work for work, _ in works] if by_work else [external]
        tables = []
        in_time = False
        for subject in subjects:
            versions = self._state.shares.get((subject, side))
            table = select_table(versions, self._day, self._before)
            tables.append((subject if by_work else "", table))
            # What was registered after the run counts for the split, not for cover.
            if select_table(versions, self._day, self._judged) is not None:
                in_time = True
        licence = NEVER
        if in_time:
            licence = next((i for i, sides in reach if side in sides), NEVER)
        return Cell(side, licence, tuple(tables))
