"""Logs of any size in no time: well-formed entries, chained, signed by nobody.

    log = Synthetic()
    log.grow(66_000)
    log.publish(public)

What they say is nothing; files, tree and checkpoint come from the code that writes
every log's.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from ledger.anchor import Anchor
from ledger.entry.envelope import ZERO32
from ledger.entry.envelope import Entry
from ledger.entry.envelope import Event
from ledger.entry.envelope import encode_entry
from ledger.entry.envelope import encode_event
from ledger.entry.envelope import event_hash
from ledger.events.registry import encode_body
from ledger.publish import publish
from ledger.storage.base import NewEntry
from ledger.storage.memory import MemoryStore
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.merkle import leaf_hash
from ledger.tlog.note import format_vkey
from ledger.tlog.note import make_vkey
from tests.replay import acts
from tests.replay.making import signing_key

ORIGIN = "log.example/synthetic"
LOG_KEY = signing_key("log")
VKEY = make_vkey(ORIGIN, LOG_KEY.public)
VKEY_TEXT = format_vkey(VKEY)


class Synthetic:
    """A log in memory.

    Args:
        seed: what makes its entries others than another log's.
    """

    def __init__(self, seed: int = 1) -> None:
        self.store = MemoryStore()
        self._seed = seed.to_bytes(8, "big")
        self._body = msgspec.Raw(encode_body(acts.scheme_body()))
        self._event, self._leaf_hash = ZERO32, ZERO32

    def grow(self, size: int) -> None:
        """Append entries up to a size."""
        entries = [self._next(index) for index in range(self.store.size(), size)]
        with self.store.transaction():
            self.store.add_entries(entries)

    def publish(self, public: Path) -> Checkpoint:
        """Publish, as every log does."""
        public.mkdir(exist_ok=True)
        anchor = Anchor(public.with_name(f".{public.name}.anchor"))
        return publish(self.store, public, ORIGIN, [LOG_KEY], anchor)

    def _next(self, index: int) -> NewEntry:
        event_id = self._seed + index.to_bytes(8, "big")
        event = encode_event(
            Event(
                author=bytes(16),
                body=self._body,
                id=event_id,
                key=ZERO32,
                kind="scheme",
                log=ZERO32,
                prev=self._event,
                seen=(0, ZERO32),
                seq=index,
                time=index,
            )
        )
        leaf = encode_entry(Entry(event, index, self._leaf_hash, bytes(64), index))
        self._event, self._leaf_hash = event_hash(event), leaf_hash(leaf)
        return NewEntry(
            index=index,
            leaf=leaf,
            leaf_hash=self._leaf_hash,
            author=bytes(16),
            id=event_id,
            key=ZERO32,
            seq=index,
            event_hash=self._event,
        )
