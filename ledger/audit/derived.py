"""The tables for questions, against what replay gives: postings and mentions.

Statements and searches read them, so a balance can be right and its explanation
altered. The log and a store give the same rows in different orders; each side adds
up a keyed hash of every row, and the sums differ unless the rows are the same. The
key is fresh, so that nobody can make up rows that cancel out.

>>> tally, same = Tally(b"key"), Tally(b"key")
>>> tally.add(1, "a"), tally.add(2, "b"), same.add(2, "b"), same.add(1, "a")
(None, None, None, None)
>>> tally == same
True
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING
from typing import Any

import msgspec
from msgspec.structs import astuple

from ledger import derive
from ledger.events.registry import parse_body
from ledger.log import StoredLines
from ledger.replay import Problem
from ledger.replay import Replay
from ledger.replay.manifests import lines_again

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.replay import State
    from ledger.replay.chain import LeafHashAt
    from ledger.replay.outcome import ReplayEntry
    from ledger.replay.replay import Judged
    from ledger.storage.base import Store

_encode = msgspec.msgpack.Encoder().encode


@dataclass(slots=True)
class Tally:
    """A sum over rows, in whatever order they come.

    Attributes:
        key: nobody knows it beforehand.
        sum: of the hashes.
    """

    key: bytes
    sum: int = 0

    def add(self, *row: Any) -> None:  # noqa: ANN401 (any column)
        """Add one row."""
        hash_ = blake2b(_encode(row), digest_size=32, key=self.key).digest()
        self.sum += int.from_bytes(hash_, "big")


class DerivingReplay(Replay):
    """A replay of the full book that also adds up the rows of the tables.

    Args:
        state: where to go on; changed in place.
        leaf_hash_at: gives the leaf hash of any earlier entry.
        store: has the lines, and the tables to compare.
    """

    def __init__(self, state: State, leaf_hash_at: LeafHashAt, store: Store) -> None:
        self._lines = StoredLines(store)
        super().__init__(state, leaf_hash_at, self._lines)
        self._store = store
        self._tally = Tally(os.urandom(32))

    def commit(
        self, entry: ReplayEntry, judged: Judged, problem: Problem | None = None
    ) -> None:
        """Set what was judged, and add up what `ledger.derive` makes of it."""
        super().commit(entry, judged, problem)
        # What broke a rule changed nothing, and its lines may be nowhere; what comes
        # after a level that this code does not know, it cannot read.
        known = problem is None and self.understood
        body = parse_body(entry.event.kind, entry.event.body) if known else None
        if judged.postings:
            for row in derive.posting_rows(entry, body, judged.postings, self._read):
                self._tally.add(*astuple(row))
        # A word is kept once for each entry.
        for mention in set(derive.mentions(entry, body, self._read)):
            self._tally.add(*astuple(mention))

    def same_rows(self) -> bool:
        """Tell whether the store has the rows that the log gives, and no others."""
        kept = Tally(self._tally.key)
        for posting in self._store.postings():
            kept.add(*astuple(posting))
        for mention in self._store.mentions():
            kept.add(*astuple(mention))
        return kept == self._tally

    def _read(self, kind: str, root: bytes) -> Iterator[Any]:
        return lines_again(self._lines, kind, root)
