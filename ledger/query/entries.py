"""Entries read back from the store, typed and told."""

from __future__ import annotations

from dataclasses import replace

from ledger.entry.envelope import decode_entry
from ledger.entry.envelope import decode_event
from ledger.errors import FormatError
from ledger.events.registry import parse_body
from ledger.events.types import Body
from ledger.query.views import EntryView
from ledger.sentences import sentence
from ledger.statement.sources import Sources
from ledger.storage.base import no_such_entry
from ledger.tlog.merkle import leaf_hash


def entry_view(sources: Sources, index: int) -> EntryView:
    """Read an entry.

    Raises:
        InputError: `no-such-entry`.
    """
    size = sources.state.size
    if not 0 <= index < size:
        raise no_such_entry(index, size)
    return view_of_leaf(sources, sources.store.leaf(index))


def view_of_leaf(sources: Sources, leaf: bytes) -> EntryView:
    """Read an entry from its leaf data."""
    entry = plain_view(leaf)
    return replace(
        entry,
        problem=sources.state.problems.get(entry.index),
        sentence=sentence(sources.words, entry.author, entry.kind, entry.body),
    )


def plain_view(leaf: bytes) -> EntryView:
    """Read an entry by itself: without a sentence or problem, which take the log."""
    entry = decode_entry(leaf)
    event = decode_event(entry.event)
    body: Body | None
    try:
        body = parse_body(event.kind, event.body)
    except FormatError:
        # What breaks a rule of form stays on the log, and is a problem there.
        body = None
    return EntryView(
        index=entry.index,
        kind=event.kind,
        time_ms=entry.time,
        author=event.author,
        event=event,
        event_bytes=entry.event,
        body=body,
        signature=entry.signature,
        leaf=leaf,
        leaf_hash=leaf_hash(leaf),
        problem=None,
        sentence="",
    )
