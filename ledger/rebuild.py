"""The state and the tables for questions, derived anew from entries and lines.

Everything in the store but entries, manifests and checkpoint can be thrown away:
this puts it back, by the same replay that the appender and every auditor use.

>>> from ledger.storage.memory import MemoryStore
>>> rebuild(MemoryStore())
Rebuilt(entries=0, problems=0)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import NamedTuple

from ledger import derive
from ledger.audit.verifying import decoded_entries
from ledger.log import StoredLines
from ledger.replay import Problem
from ledger.replay import Replay
from ledger.replay import State
from ledger.tlog.merkle import leaf_hash

if TYPE_CHECKING:
    from ledger.replay.outcome import ReplayEntry
    from ledger.replay.replay import Judged
    from ledger.storage.base import Store

Progress = Callable[[int, int], None]


class Rebuilt(NamedTuple):
    """How much was derived."""

    entries: int
    problems: int


def _silent(done: int, total: int) -> None:
    """Show no progress."""


def rebuild(store: Store, progress: Progress = _silent) -> Rebuilt:
    """Drop the derived tables of a store, and derive them anew.

    Everything happens in one transaction: until it is stored, readers see the old
    tables, and a failure leaves them.

    Args:
        store: open for writing.
        progress: is told entries done and in all.

    Raises:
        UnverifiableError: `manifest-lines-missing`.
        HomeError: the store failed.
    """
    size = store.size()
    with store.transaction():
        store.clear_derived()
        state = State("full", store.rows)
        replay = DerivingReplay(store, state)
        # The signatures held when the entries came in; an audit asks again.
        hashes = map(leaf_hash, store.leaves(0, size))
        for entry in decoded_entries(store.leaves(0, size), hashes):
            replay.apply(entry)
            progress(entry.index + 1, size)
        state.flush()
    return Rebuilt(size, replay.problems)


def _leaf_hash_at(store: Store) -> Callable[[int], bytes]:
    return lambda index: store.leaf_hashes(index, index + 1)


class DerivingReplay(Replay):
    """A replay that also fills the tables for questions."""

    def __init__(self, store: Store, state: State) -> None:
        self._lines = StoredLines(store)
        super().__init__(state, _leaf_hash_at(store), self._lines)
        self._store = store
        self.problems = 0

    def commit(
        self, entry: ReplayEntry, judged: Judged, problem: Problem | None = None
    ) -> None:
        """Set what was judged, and note what it can be found by."""
        super().commit(entry, judged, problem)
        # What broke a rule has no body here: it changed nothing, and its lines may be
        # nowhere.
        body = judged.body
        if judged.postings:
            rows = derive.posting_rows(entry, body, judged.postings, self._lines)
            self._store.add_postings(rows)
        self._store.add_mentions(derive.mentions(entry, body, self._lines))
        self.problems += problem is not None
