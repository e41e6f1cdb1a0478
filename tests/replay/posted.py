"""What the entries of a log post, by another replay than the log's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.audit.verifying import decoded_entries
from ledger.log import StoredLines
from ledger.replay import Replay
from ledger.replay import State

if TYPE_CHECKING:
    from ledger.accounting.chart import Posting
    from ledger.replay import Problem
    from ledger.replay import ReplayEntry
    from ledger.replay.replay import Judged
    from ledger.storage.base import Store


class _Posting(Replay):
    posted: tuple[Posting, ...] = ()

    def commit(
        self, entry: ReplayEntry, judged: Judged, problem: Problem | None = None
    ) -> None:
        super().commit(entry, judged, problem)
        self.posted = judged.postings


def postings(store: Store) -> list[tuple[Posting, ...]]:
    """Replay a log, and give what each of its entries posts."""
    size = store.size()
    joined = store.leaf_hashes(0, size)
    hashes = [joined[place : place + 32] for place in range(0, len(joined), 32)]
    replay = _Posting(State("full"), hashes.__getitem__, StoredLines(store))
    posted = []
    for entry in decoded_entries(store.leaves(0, size), hashes):
        replay.apply(entry)
        posted.append(replay.posted)
    return posted
