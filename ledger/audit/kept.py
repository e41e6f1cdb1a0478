"""What a store keeps beside leaves and lines to find and prove them by.

Events by author and id, the heads of keys' chains, nodes of trees, and what it notes
of manifests: nothing of it can be derived by a rebuild, and all of it follows from
the log. An altered one would let an event in twice, or spoil proofs.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import msgspec

from ledger.audit.report import NO_ENTRY
from ledger.audit.report import Found
from ledger.errors import FormatError
from ledger.errors import InvariantError
from ledger.replay.chain import chain_id
from ledger.storage.spans import SPAN
from ledger.storage.spans import pack
from ledger.storage.tree import BUNDLE_LEVEL
from ledger.storage.tree import BUNDLE_WIDTH
from ledger.storage.tree import fold
from ledger.storage.tree import grow
from ledger.tlog.merkle import leaf_hashes
from ledger.tlog.tiles import TILE_WIDTH
from ledger.tlog.tiles import parse_bundle

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Sequence

    from ledger.audit.brought import Brought
    from ledger.audit.brought import BroughtManifests
    from ledger.audit.report import Report
    from ledger.replay import State
    from ledger.replay.outcome import ReplayEntry
    from ledger.storage.base import Store

    NodeReader = Callable[[Sequence[tuple[int, int]]], list[bytes]]

_CHAIN_BROKEN = frozenset({"out-of-sequence", "broken-key-chain"})


def check_integrity(store: Store, report: Report) -> None:
    """Ask the storage whether it is whole."""
    report.problems += [
        Found(
            NO_ENTRY,
            "store-damaged",
            f"the database is damaged: {fault}; 'linernote rebuild' mends derived"
            " tables, for anything else restore the home from a backup",
        )
        for fault in store.integrity()
    ]


class KeptIndexes:
    """The comparison of a store's indexes with its log, part by part.

    Each part is named once, with the first place where it differs.

    Args:
        store: has them.
        report: takes what differs.
    """

    def __init__(self, store: Store, report: Report) -> None:
        self._store = store
        self._report = report
        self._named: set[str] = set()
        self._spans = 0
        self._span: list[tuple[bytes, bytes]] = []

    def check_entries(self, entries: Sequence[ReplayEntry]) -> None:
        """Look every event up by author and id, as the appender does."""
        there = self._store.find_events(
            (entry.event.author, entry.event.id) for entry in entries
        )
        for entry in entries:
            event = entry.event
            found = there.get((event.author, event.id))
            # An earlier one: the author used the id before, a problem of the log.
            if found is None or found > entry.index:
                self._differs("events", f"does not find entry {entry.index}")
        self._span += [(entry.leaf_hash, entry.event.id) for entry in entries]
        while len(self._span) >= SPAN:
            if self._store.span(self._spans) != pack(self._span[:SPAN]):
                self._differs("hashes", f"is another from entry {self._spans * SPAN}")
            self._spans += 1
            del self._span[:SPAN]

    def hashes_hold(self, first: int, hashes: list[bytes]) -> bool:
        """Compare leaf hashes, from `first` on, and the nodes that they complete."""
        kept = self._store.leaf_hashes(first, first + len(hashes))
        right = b"".join(hashes)
        return kept == right and _nodes_hold(0, first, hashes, self._store.nodes)

    def check_chains(self, state: State) -> None:
        """Compare the heads of chains, once every entry was replayed."""
        if any(found.code in _CHAIN_BROKEN for found in self._report.problems):
            return
        for key, row in state.keys.items():
            expected = (row.next_seq, row.prev) if row.next_seq else None
            if self._store.key_head(chain_id(row.since, key)) != expected:
                self._differs("chains of keys", f"has another head for {key.hex()}")

    def check_manifests(self, state: State, manifests: BroughtManifests) -> None:
        """Compare what is noted of manifests, and the hashes of their lines."""
        for root, brought in manifests.items():
            info = msgspec.msgpack.encode((brought.entry, brought.field))
            taken = state.manifests.get(root) == brought.entry
            if taken and self._store.manifest(root) != info:
                self._differs("manifests", f"has other notes on {root.hex()}")
            if not self._lines_hold(root, brought):
                self._differs("hashes of lines", f"has others for {root.hex()}")

    def _lines_hold(self, root: bytes, brought: Brought) -> bool:
        def nodes(wanted: Sequence[tuple[int, int]]) -> list[bytes]:
            return self._store.manifest_nodes(root, wanted)

        for number in count():
            data = self._store.bundle(root, number)
            if data is None:
                return True
            width = min(TILE_WIDTH, brought.size - number * TILE_WIDTH)
            try:
                leaves = leaf_hashes(parse_bundle(data, width))
            except FormatError:
                return True  # Replay says what is wrong with the lines.
            if self._store.bundle_hashes(root, number) != b"".join(leaves):
                return False
            if width == BUNDLE_WIDTH:
                top = fold(leaves)
                if not _same(nodes, BUNDLE_LEVEL, number, top):
                    return False
                if not _nodes_hold(BUNDLE_LEVEL, number, [top], nodes):
                    return False
        return True

    def _differs(self, part: str, how: str) -> None:
        if part in self._named:
            return
        self._named.add(part)
        self._report.problems.append(
            Found(
                NO_ENTRY,
                "index-differs",
                f"the index of {part} {how}: it is not what the log gives; restore"
                " the home from a backup",
            )
        )


def _nodes_hold(level: int, first: int, hashes: list[bytes], nodes: NodeReader) -> bool:
    def read(level: int, start: int, stop: int) -> list[bytes]:
        return nodes([(level, index) for index in range(start, stop)])

    try:
        return all(_same(nodes, *node) for node in grow(level, first, hashes, read))
    except InvariantError:
        return False


def _same(nodes: NodeReader, level: int, index: int, right: bytes) -> bool:
    try:
        return nodes([(level, index)]) == [right]
    except InvariantError:
        return False
