"""The tables for questions, against what replay gives: postings and mentions.

Statements and searches read them, so a balance can be right and its explanation
altered. The log and a store give the same rows in different orders; each side adds
up a hash of every row behind a secret, and the sums differ unless the rows are the
same. The secret is fresh, so that nobody can make up rows that cancel out.

>>> tally, same = Tally(b"secret"), Tally(b"secret")
>>> first, second = (Mention("demo:a", "recording", index, "due") for index in (1, 2))
>>> tally.add([first, second]), same.add([second]), same.add([first])
(None, None, None)
>>> tally == same
True
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import astuple

from ledger import derive
from ledger.log import StoredLines
from ledger.replay import Problem
from ledger.replay import Replay
from ledger.storage.base import Mention

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ledger.replay import State
    from ledger.replay.chain import LeafHashAt
    from ledger.replay.outcome import ReplayEntry
    from ledger.replay.replay import Judged
    from ledger.storage.base import PostingRow
    from ledger.storage.base import Store

SECRET_LENGTH = 32
HASH_LENGTH = 16

_encode = msgspec.msgpack.Encoder().encode


@dataclass(slots=True)
class Tally:
    """A sum over rows, in whatever order they come.

    Attributes:
        secret: nobody knows it beforehand.
        sum: of the hashes.
    """

    secret: bytes
    sum: int = 0

    def add(self, rows: Iterable[PostingRow | Mention]) -> None:
        """Add rows."""
        secret = self.secret
        for row in rows:
            # A prefix costs a third of the time of a keyed hash.
            data = secret + _encode(astuple(row))
            hash_ = blake2b(data, digest_size=HASH_LENGTH).digest()
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
        self._tally = Tally(os.urandom(SECRET_LENGTH))

    def commit(
        self, entry: ReplayEntry, judged: Judged, problem: Problem | None = None
    ) -> None:
        """Set what was judged, and add up what `ledger.derive` makes of it."""
        super().commit(entry, judged, problem)
        # What broke a rule has no body here: it changed nothing, and its lines may be
        # nowhere.
        body = judged.body
        if judged.postings:
            self._tally.add(
                derive.posting_rows(entry, body, judged.postings, self._lines)
            )
        # A word is kept once for each entry.
        self._tally.add(set(derive.mentions(entry, body, self._lines)))

    def same_rows(self) -> bool:
        """Tell whether the store has the rows that the log gives, and no others."""
        kept = Tally(self._tally.secret)
        kept.add(self._store.postings())
        kept.add(self._store.mentions())
        return kept == self._tally
