"""The shares that a party holds now, and what of them waits or went unlicensed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from ledger.events.types import UNSET
from ledger.replay.coverage import select_table
from ledger.replay.rows import ShareRow
from ledger.sentences import SIDES
from ledger.statement.model import Note
from ledger.statement.sources import Sources
from ledger.storage.base import PARTY
from ledger.words import percent

MENTIONS_MAX = 2_000
HOLDINGS_MAX = 100
RUN_KINDS = {"run.close", "run.open"}


@dataclass(frozen=True)
class Holding:
    """A share of a party in one side of a recording or work, in force now.

    Attributes:
        subject: external id of the recording or work.
        title: its title, if the side store has one.
        society: that registered it, at entry `index`.
    """

    subject: str
    title: str
    side: str
    ppm: int
    role: str
    society: str
    index: int


def holdings(sources: Sources, party: bytes) -> Iterator[Holding]:
    """Find a party's shares in force, by the entries that registered them."""
    state = sources.state
    today = state.day(state.last_time_ms)
    seen: set[tuple[str, str]] = set()
    for mention in sources.store.find_mentions(party.hex(), MENTIONS_MAX):
        if mention.kind != "shares" or mention.what != PARTY:
            continue
        for subject, side in _tables_naming(sources, mention.entry_index, party):
            if (subject, side) in seen:
                continue
            seen.add((subject, side))
            for table in tables_in_force(sources, subject, side, today):
                for holder, ppm, role in table.lines:
                    if holder == party:
                        yield Holding(
                            subject,
                            sources.words.recording(subject),
                            side,
                            ppm,
                            role,
                            sources.words.party(table.society),
                            table.index,
                        )


def tables_in_force(
    sources: Sources, subject: str, side: str, day: int
) -> list[ShareRow]:
    """Select the share table of each society that counts on a day."""
    versions = sources.state.shares.get((subject, side)) or ()
    size = sources.state.size
    selected = [
        select_table(versions, day, size, society)
        for society in dict.fromkeys(version.society for version in versions)
    ]
    return [table for table in selected if table is not None]


def _tables_naming(
    sources: Sources, index: int, party: bytes
) -> Iterator[tuple[str, str]]:
    body = sources.entry(index).body
    if body.table is not UNSET:
        yield body.table.subject, body.table.side
        return
    for line in sources.lines.all("shares/lines", body.lines.root):
        if line.party == party:
            yield line.subject, line.side


def notes(sources: Sources, party: bytes) -> Iterator[Note]:
    """Say what waits for a party's recordings, and which use of them had no licence."""
    for holding in islice(holdings(sources, party), HOLDINGS_MAX):
        yield from _waiting(sources, holding)
        yield from _uncovered(sources, party, holding)


def _waiting(sources: Sources, holding: Holding) -> Iterator[Note]:
    subject = (holding.subject, holding.side)
    for currency in sources.currencies:
        amount = -sources.balance(("liability", "suspense"), subject, currency)
        if amount:
            money = sources.words.amount(amount, currency)
            yield Note(
                code="waiting",
                words=f"{money} waits for {SIDES[holding.side]} of {holding.title},"
                f" of which {percent(holding.ppm)} is registered here, until all of"
                " its holders are known and confirmed",
                recording=holding.subject,
                side=holding.side,
                ppm=holding.ppm,
                currency=currency,
                amount=amount,
            )


def _uncovered(sources: Sources, party: bytes, holding: Holding) -> Iterator[Note]:
    for index in runs_on(sources, holding.subject):
        finding = sources.state.findings.get((index, holding.subject, holding.side))
        owed = dict(finding.owed) if finding is not None else {}
        if party in owed:
            opened = sources.entry(index)
            lab, run = sources.words.party(opened.author), opened.body.run
            yield Note(
                code="uncovered",
                words=f"{lab} trained on {SIDES[holding.side]} of {holding.title} in"
                f" run {run} without a licence that covers it; {percent(owed[party])}"
                " of it is registered here",
                recording=holding.subject,
                side=holding.side,
                ppm=owed[party],
                entry=index,
            )


def runs_on(sources: Sources, external: str) -> list[int]:
    """List the entries at which runs on a recording were judged, newest first."""
    indexes = []
    for mention in sources.store.find_mentions(external, MENTIONS_MAX):
        if mention.value == external and mention.kind in RUN_KINDS:
            opened = sources.entry(mention.entry_index)
            row = sources.state.runs.get((opened.author, opened.body.run))
            if row is not None and row.index == opened.index:
                indexes.append(opened.index)
    return sorted(indexes, reverse=True)
