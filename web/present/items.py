"""Entries in lists, and what a search found."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.query import EntryView
from ledger.query import Found
from ledger.replay.rows import NEVER
from web.addresses import entry_address
from web.addresses import party_address
from web.addresses import recording_address
from web.present.basics import BAD
from web.present.basics import Status
from web.present.basics import When
from web.present.basics import together
from web.present.basics import when


@dataclass(frozen=True)
class Item:
    """An entry in a list."""

    index: int
    href: str
    sentence: str
    kind: str
    when: When
    problem: Status | None


def item(entry: EntryView) -> Item:
    """Show an entry in a list."""
    return Item(
        index=entry.index,
        href=entry_address(entry.index),
        sentence=together(entry.sentence),
        kind=entry.kind,
        when=when(entry.time_ms),
        problem=problem_status(entry),
    )


def problem_status(entry: EntryView) -> Status | None:
    """Say which rule an entry breaks."""
    row = entry.problem
    if row is None:
        return None
    known = ""
    if row.acknowledged != NEVER:
        known = f"; the operator took note in entry {row.acknowledged}"
    return Status(*BAD, f"Breaks the rule {row.code} and changes nothing{known}")


@dataclass(frozen=True)
class Hit:
    """Something found."""

    href: str
    label: str
    what: str
    reason: str


def hit(found: Found) -> Hit:
    """Show something found."""
    if found.what == "party":
        href = party_address(bytes.fromhex(found.key))
    elif found.what == "recording":
        href = recording_address(found.key)
    else:
        href = entry_address(int(found.key))
    what = f"entry {found.key}" if found.what == "entry" else found.what
    return Hit(href, together(found.label), what, found.reason)
