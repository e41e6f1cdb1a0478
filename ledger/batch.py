"""A batch of events on its way into the log: as it arrives, and as it is stored.

    signed ─► parsed ─► signatures verified ─► judged one by one ─► stored at once

What can be done for many events at once is done so: bytes are parsed, then the
signatures are verified, and all that the batch adds to the store is written
together at its end. In between the log judges event after event, each on the state
that the one before it left (`ledger.log`).

>>> from ledger.storage.memory import MemoryStore
>>> arrive([SignedEvent(b"not an event", bytes(64))], {}.get)[0].code
'not-canonical'
>>> batch = Batch(MemoryStore())
>>> batch.find(bytes(16), bytes(16)) is None
True
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING
from typing import TypeVar

import msgspec

from ledger.entry.envelope import Event
from ledger.entry.envelope import decode_entry
from ledger.entry.envelope import decode_event
from ledger.entry.envelope import parse_event
from ledger.entry.sign import SignedEvent
from ledger.entry.verify import verify_signature
from ledger.errors import LedgerError
from ledger.replay.chain import chain_id
from ledger.storage.base import NewEntry

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from collections.abc import Sequence

    from ledger.replay.outcome import ReplayEntry
    from ledger.storage.base import Mention
    from ledger.storage.base import PostingRow
    from ledger.storage.base import Store

Row = TypeVar("Row")

ROWS_MAX = 65_536
"""Rows for questions that wait in memory; an entry with many lines writes its own."""


class Arrived(msgspec.Struct, frozen=True, gc=False):
    """An event whose bytes are in form.

    Attributes:
        signed: its bytes and signature.
        event: what they say.
        verified: whether its signature holds; else its key was not known, and may
            come in by an earlier event of the same batch.
    """

    signed: SignedEvent
    event: Event
    verified: bool


def arrive(
    events: Sequence[SignedEvent], public_key: Callable[[bytes], bytes | None]
) -> list[Arrived | LedgerError]:
    """Parse events, and verify the signatures of those whose keys are known.

    Args:
        events: as they came.
        public_key: gives the public key of a key id that is on the log.

    Returns:
        For each event, in order: what arrived, or why it was refused.
    """
    # One after the other, parsing and curve arithmetic are faster than in turns.
    parsed = [_parsed(signed) for signed in events]
    return [
        _verified(signed, event, public_key) if isinstance(event, Event) else event
        for signed, event in zip(events, parsed, strict=True)
    ]


def _parsed(signed: SignedEvent) -> Event | LedgerError:
    try:
        return parse_event(signed.event)
    except LedgerError as error:
        return error


def _verified(
    signed: SignedEvent, event: Event, public_key: Callable[[bytes], bytes | None]
) -> Arrived | LedgerError:
    public = public_key(event.key)
    if public is not None:
        try:
            verify_signature(signed.event, signed.signature, public)
        except LedgerError as error:
            return error
    return Arrived(signed, event, public is not None)


def new_entry(entry: ReplayEntry, leaf: bytes, genesis: int) -> NewEntry:
    """Give what a store keeps of an entry.

    Args:
        entry: the entry.
        leaf: its leaf data.
        genesis: index of the genesis that counts for it; its own if it is one.
    """
    event = entry.event
    return NewEntry(
        index=entry.index,
        leaf=leaf,
        leaf_hash=entry.leaf_hash,
        author=event.author,
        id=event.id,
        key=chain_id(genesis, event.key),
        seq=event.seq,
        event_hash=entry.event_hash,
    )


class Batch:
    """What a batch adds to the store, until it is written.

    Args:
        store: in a transaction.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._stored = store.size()
        self._entries: list[NewEntry] = []
        self._postings: list[PostingRow] = []
        self._mentions: list[Mention] = []
        self._events: dict[tuple[bytes, bytes], int] = {}
        self._hashes: dict[int, bytes] = {}

    def look_up(self, events: Iterable[tuple[bytes, bytes]]) -> None:
        """Look for events that the store has already, by author and id."""
        self._events.update(self._store.find_events(events))

    def find(self, author: bytes, event_id: bytes) -> int | None:
        """Give the index of an event that was looked up, or added."""
        return self._events.get((author, event_id))

    def event_at(self, index: int) -> Event:
        """Give the event of an entry in the store or in the batch."""
        if index >= self._stored:
            leaf = self._entries[index - self._stored].leaf
        else:
            leaf = self._store.leaf(index)
        return decode_event(decode_entry(leaf).event)

    def leaf_hash_at(self, index: int) -> bytes:
        """Give the leaf hash of an entry in the store or in the batch."""
        if index >= self._stored:
            return self._entries[index - self._stored].leaf_hash
        found = self._hashes.get(index)
        if found is None:
            found = self._store.leaf_hashes(index, index + 1)
            self._hashes[index] = found
        return found

    def add(
        self,
        entry: NewEntry,
        postings: Iterable[PostingRow],
        mentions: Iterable[Mention],
    ) -> None:
        """Add an entry, and the rows by which it will be found."""
        self._entries.append(entry)
        self._events[entry.author, entry.id] = entry.index
        self._gather(self._postings, postings)
        self._gather(self._mentions, mentions)

    def _gather(self, waiting: list[Row], rows: Iterable[Row]) -> None:
        """Have rows wait; those of an entry with many lines don't all."""
        source = iter(rows)
        waiting += islice(source, ROWS_MAX)
        while len(waiting) >= ROWS_MAX:
            self._write_rows()
            waiting += islice(source, ROWS_MAX)

    def write(self) -> None:
        """Write everything to the store."""
        if self._entries:
            self._store.add_entries(self._entries)
            self._write_rows()

    def _write_rows(self) -> None:
        self._store.add_postings(self._postings)
        self._store.add_mentions(self._mentions)
        self._postings.clear()
        self._mentions.clear()
