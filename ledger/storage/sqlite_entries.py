"""Entries, manifests and their trees in SQLite.

What is written here stays: entries and bundles by number, and the kept nodes of
every tree (`ledger.storage.tree`) by (tree, level, number), where a tree is named
by the manifest's root and the log's own by no bytes at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from functools import lru_cache
from functools import partial
from itertools import chain
from itertools import islice
from operator import attrgetter

from ledger.errors import LedgerError
from ledger.storage.base import NewEntry
from ledger.storage.base import no_such_entry
from ledger.storage.checks import check_new_entries
from ledger.storage.checks import extend_chains
from ledger.storage.spans import SPAN
from ledger.storage.spans import pack
from ledger.storage.spans import places
from ledger.storage.spans import start_of
from ledger.storage.spans import starts_so
from ledger.storage.sqlite_handle import Handle
from ledger.storage.tree import BUNDLE_LEVEL
from ledger.storage.tree import BUNDLE_WIDTH
from ledger.storage.tree import LOG_TREE
from ledger.storage.tree import LevelReader
from ledger.storage.tree import check_bundle
from ledger.storage.tree import fold
from ledger.storage.tree import grow
from ledger.storage.tree import node_of
from ledger.storage.tree import read_bundle_level

READ_ENTRIES = 512
"""Entries read at a time: between two reads nobody is kept waiting."""

FIND_EVENTS = 256
"""Events looked up at a time; SQLite may be built for no more than 999 parameters."""

_SIZE = "SELECT coalesce(max(entry_index) + 1, 0) FROM entries"
_ADD = (
    "INSERT INTO entries (entry_index, leaf, leaf_hash, author, id) "
    "VALUES (?, ?, ?, ?, ?)"
)
_ADDED = attrgetter("index", "leaf", "leaf_hash", "author", "id")
_LEAF = "SELECT leaf FROM entries WHERE entry_index = ?"
_LEAVES = (
    "SELECT leaf FROM entries "
    "WHERE entry_index >= ? AND entry_index < ? ORDER BY entry_index"
)
_LEAF_HASHES = (
    "SELECT leaf_hash FROM entries "
    "WHERE entry_index >= ? AND entry_index < ? ORDER BY entry_index"
)
_SPAN_OF = (
    "SELECT leaf_hash, id FROM entries "
    "WHERE entry_index >= ? AND entry_index < ? ORDER BY entry_index"
)
_ADD_SPAN = "INSERT INTO spans (number, data) VALUES (?, ?)"
_SPAN = "SELECT data FROM spans WHERE number = ?"
_INDEXES = "SELECT entry_index FROM entries WHERE entry_index >= ? AND entry_index < ?"
_EVENT = "SELECT entry_index FROM entries WHERE author = ? AND id = ?"
# The cross join has SQLite look each pair up, however many it believes there are.
_EVENTS = (
    "WITH wanted (author, id) AS (VALUES (?, ?)) "
    "SELECT entries.author, entries.id, entry_index "
    "FROM wanted CROSS JOIN entries USING (author, id)"
)
_KEY_HEAD = "SELECT seq + 1, event_hash FROM chains WHERE key = ?"
_SET_HEAD = "INSERT OR REPLACE INTO chains (key, seq, event_hash) VALUES (?, ?, ?)"
_ADD_NODE = "INSERT INTO nodes (tree, level, number, hash) VALUES (?, ?, ?, ?)"
_NODES = (
    "SELECT hash FROM nodes WHERE tree = ? AND level = ? "
    "AND number >= ? AND number < ? ORDER BY number"
)
_ADD_BUNDLE = "INSERT INTO bundles (root, number, hashes, data) VALUES (?, ?, ?, ?)"
_BUNDLE = "SELECT data FROM bundles WHERE root = ? AND number = ?"
_BUNDLE_HASHES = "SELECT hashes FROM bundles WHERE root = ? AND number = ?"
_ADD_MANIFEST = "INSERT INTO manifests (root, info) VALUES (?, ?)"
_MANIFEST = "SELECT info FROM manifests WHERE root = ?"


class SqliteTrees(Handle):
    """The kept nodes of all trees."""

    def _kept(self, tree: bytes, level: int, start: int, stop: int) -> list[bytes]:
        return [row[0] for row in self.all(_NODES, (tree, level, start, stop))]

    def _grow(
        self,
        tree: bytes,
        level: int,
        first: int,
        hashes: Sequence[bytes],
        read: LevelReader,
    ) -> None:
        nodes = [(tree, *node) for node in grow(level, first, hashes, read)]
        self.many(_ADD_NODE, nodes)


class SqliteEntries(SqliteTrees):
    """The log: entries and the tree over them."""

    def size(self) -> int:
        """Count the entries."""
        size: int = self.one(_SIZE)[0]
        return size

    def add_entries(self, entries: Sequence[NewEntry]) -> None:
        """Append entries, and the nodes of the tree that they complete."""
        with self.writing():
            first = self.size()
            check_new_entries(entries, first)
            self.many(_ADD, map(_ADDED, entries))
            heads = extend_chains(entries, self.key_head).values()
            self.many(_SET_HEAD, [(e.key, e.seq, e.event_hash) for e in heads])
            hashes = [entry.leaf_hash for entry in entries]
            self._grow(LOG_TREE, 0, first, hashes, self._log_level)
            for number in range(first // SPAN, (first + len(entries)) // SPAN):
                packed = pack(self.all(_SPAN_OF, (number * SPAN, (number + 1) * SPAN)))
                self.many(_ADD_SPAN, [(number, packed)])

    def leaf(self, index: int) -> bytes:
        """Read one entry's leaf data."""
        found: tuple[bytes] | None = self.one(_LEAF, (index,))
        if found is None:
            raise no_such_entry(index, self.size())
        return found[0]

    def leaves(self, start: int, stop: int) -> Iterator[bytes]:
        """Read leaf data of entries [start, stop)."""
        for first in range(start, stop, READ_ENTRIES):
            last = min(first + READ_ENTRIES, stop)
            found = self.all(_LEAVES, (first, last))
            for (leaf,) in found:
                yield leaf
            if len(found) < last - first:
                raise self._missing(first, last)

    def leaf_hashes(self, start: int, stop: int) -> bytes:
        """Read the leaf hashes of entries [start, stop), joined."""
        found = self._log_level(0, start, stop)
        if len(found) < stop - start:
            raise self._missing(start, stop)
        return b"".join(found)

    def _missing(self, start: int, stop: int) -> LedgerError:
        there = {row[0] for row in self.all(_INDEXES, (start, stop))}
        lost = next(index for index in range(start, stop) if index not in there)
        return no_such_entry(lost, self.size())

    def nodes(self, nodes: Sequence[tuple[int, int]]) -> list[bytes]:
        """Read hashes of perfect subtrees (level, index), for proofs."""
        return [node_of(level, index, self._log_level) for level, index in nodes]

    def _log_level(self, level: int, start: int, stop: int) -> list[bytes]:
        if level == 0:
            return [row[0] for row in self.all(_LEAF_HASHES, (start, stop))]
        return self._kept(LOG_TREE, level, start, stop)

    def find_event(self, author: bytes, id: bytes) -> int | None:
        """Look an event up: the index of its entry."""
        found: tuple[int] | None = self.one(_EVENT, (author, id))
        return found[0] if found else None

    def find_events(
        self, events: Iterable[tuple[bytes, bytes]]
    ) -> dict[tuple[bytes, bytes], int]:
        """Look many up at once; those that are not there are left out."""
        found = {}
        wanted = iter(events)
        while some := list(islice(wanted, FIND_EVENTS)):
            sql = _EVENTS.replace("(?, ?)", ", ".join(["(?, ?)"] * len(some)))
            for author, event_id, index in self.all(sql, tuple(chain(*some))):
                found[author, event_id] = index
        return found

    def find_hash(self, digits: str, limit: int) -> list[int]:
        """List entries whose leaf hash or event id starts so, oldest first."""
        return list(islice(self._hashed_so(digits), limit))

    def _hashed_so(self, digits: str) -> Iterator[int]:
        start, tail = start_of(digits), self.size() // SPAN * SPAN
        for number in range(tail // SPAN):
            for place in dict.fromkeys(places(self.span(number) or b"", start)):
                index = number * SPAN + place
                (pair,) = self.all(_SPAN_OF, (index, index + 1))
                if starts_so(digits, *pair):
                    yield index
        rest = self.all(_SPAN_OF, (tail, tail + SPAN))
        yield from (i for i, pair in enumerate(rest, tail) if starts_so(digits, *pair))

    def span(self, number: int) -> bytes | None:
        """Read what a full span of entries is found by."""
        found: tuple[bytes] | None = self.one(_SPAN, (number,))
        return found[0] if found else None

    def key_head(self, key: bytes) -> tuple[int, bytes] | None:
        """Look a key's chain up: the next seq, and the newest event hash."""
        found: tuple[int, bytes] | None = self.one(_KEY_HEAD, (key,))
        return found


class SqliteManifests(SqliteTrees):
    """Manifests, in the bundles of 256 leaves that they are served in."""

    def put_bundle(self, root: bytes, n: int, data: bytes, hashes: bytes) -> None:
        """Add entry bundle `n` of the manifest, in order, with its leaf hashes."""
        with self.writing():
            leaves = check_bundle(n, hashes, self.bundle_hashes(root, n - 1))
            self.many(_ADD_BUNDLE, [(root, n, hashes, data)])
            if len(leaves) == BUNDLE_WIDTH:
                top = fold(leaves)
                self.many(_ADD_NODE, [(root, BUNDLE_LEVEL, n, top)])
                self._grow(root, BUNDLE_LEVEL, n, [top], self._manifest_level(root))

    def add_manifest(self, root: bytes, info: bytes) -> None:
        """Add a manifest whose bundles are all there; `info` is the caller's."""
        self.many(_ADD_MANIFEST, [(root, info)])

    def manifest(self, root: bytes) -> bytes | None:
        """Look a manifest's info up."""
        found: tuple[bytes] | None = self.one(_MANIFEST, (root,))
        return found[0] if found else None

    def bundle(self, root: bytes, n: int) -> bytes | None:
        """Read an entry bundle."""
        found: tuple[bytes] | None = self.one(_BUNDLE, (root, n))
        return found[0] if found else None

    def bundle_hashes(self, root: bytes, n: int) -> bytes | None:
        """Read the leaf hashes of a bundle, joined."""
        found: tuple[bytes] | None = self.one(_BUNDLE_HASHES, (root, n))
        return found[0] if found else None

    def manifest_nodes(
        self, root: bytes, nodes: Sequence[tuple[int, int]]
    ) -> list[bytes]:
        """Read hashes of perfect subtrees of the manifest."""
        read = self._manifest_level(root)
        return [node_of(level, index, read) for level, index in nodes]

    def _manifest_level(self, root: bytes) -> LevelReader:
        # A proof asks for one node of each level below 8 in the same bundle.
        bundle_hashes = lru_cache(maxsize=2)(partial(self.bundle_hashes, root))

        def read(level: int, start: int, stop: int) -> list[bytes]:
            if level >= BUNDLE_LEVEL:
                return self._kept(root, level, start, stop)
            hashes = bundle_hashes(start << level >> BUNDLE_LEVEL)
            return read_bundle_level(hashes or b"", level, start, stop)

        return read
