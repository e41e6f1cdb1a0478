"""Rules of catalogues and share tables (money.md §1)."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING
from typing import Any

from ledger.errors import InputError
from ledger.events.checks import check_role
from ledger.events.checks import check_shares_total
from ledger.events.types import PPM
from ledger.events.types import UNKNOWN_PARTY
from ledger.events.types import UNSET
from ledger.replay.outcome import NOTHING
from ledger.replay.outcome import Context
from ledger.replay.outcome import Outcome
from ledger.replay.outcome import Put
from ledger.replay.rows import RecordingRow
from ledger.replay.rows import ShareRow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.events.rights import Catalogue
    from ledger.events.rights import Shares
    from ledger.replay.state import State

Lines = tuple[tuple[bytes, int, str], ...]


def catalogue(context: Context, body: Catalogue) -> Outcome:  # noqa: ARG001
    """Note whose catalogue the entry is."""
    return Outcome(((context.state.catalogues, context.index, context.author),))


def catalogue_full(context: Context, body: Catalogue, outcome: Outcome) -> Outcome:
    """Bring the recordings in, as this catalogue has them."""
    recordings = context.state.recordings
    puts: list[Put] = list(outcome.puts)
    for number, line in enumerate(context.read_lines("recordings", body.recordings), 1):
        works = () if line.works is UNSET else tuple(line.works)
        if works and (
            sum(ppm for _, ppm in works) != PPM
            or len({work for work, _ in works}) != len(works)
        ):
            raise InputError(
                "works-not-whole",
                f"line {number}: the works of {line.external} do not add up to"
                f" {PPM} ppm, each once",
            )
        new = RecordingRow(
            context.index,
            "" if line.isrc is UNSET else line.isrc,
            0 if line.ms is UNSET else line.ms,
            works,
        )
        known = recordings.get(line.external) or ()
        puts.append((recordings, line.external, (*known, new)))
    return Outcome(tuple(puts))


def shares(context: Context, body: Shares) -> Outcome:  # noqa: ARG001
    """Share tables change nothing in the general ledger."""
    return NOTHING


def shares_full(context: Context, body: Shares, outcome: Outcome) -> Outcome:  # noqa: ARG001
    """Bring the tables in as new versions; every party in them is registered."""
    table = context.state.shares
    puts: list[Put] = []
    for subject, side, lines in _tables(context, body):
        _check_parties(context.state, subject, side, lines)
        new = ShareRow(body.effective, context.index, body.kind, lines, context.author)
        known = table.get((subject, side)) or ()
        puts.append((table, (subject, side), (*known, new)))
    return Outcome(tuple(puts))


def _tables(context: Context, body: Shares) -> Iterator[tuple[str, str, Lines]]:
    if body.table is not UNSET:
        single: Any = body.table
        rows = tuple((row.party, row.ppm, row.role) for row in single.lines)
        yield single.subject, single.side, rows
        return
    ref: Any = body.lines
    lines = context.read_lines("lines", ref)
    for (subject, side), group in groupby(
        lines, key=lambda line: (line.subject, line.side)
    ):
        table = list(group)
        if [line.place for line in table] != list(range(len(table))):
            raise InputError(
                "bad-places",
                f"the {side} lines of {subject} are not numbered 0, 1, 2 …",
            )
        check_shares_total([line.ppm for line in table], subject, side)
        for line in table:
            check_role(side, line.role, subject)
        yield subject, side, tuple((x.party, x.ppm, x.role) for x in table)


def _check_parties(state: State, subject: str, side: str, lines: Lines) -> None:
    for party, _, _ in lines:
        if party == UNKNOWN_PARTY:
            continue
        if state.holders.get(party) is None and state.parties.get(party) is None:
            raise InputError(
                "party-unknown",
                f"{side} shares of {subject} name party {party.hex()}, which is"
                " not registered",
                hint="register the party first, or use the unknown party (zeros)",
            )
