"""The storage port in dictionaries: for tests, and for replays that fit in memory.

It is also the model that the contract tests hold the database against: every
method says in a line or two what SQL says elsewhere.

>>> store = MemoryStore()
>>> with store.transaction():
...     store.swap_checkpoint(None, "first")
>>> store.checkpoint()
'first'
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from itertools import islice

from ledger.errors import ConflictError
from ledger.storage.base import PARTY
from ledger.storage.base import Mention
from ledger.storage.base import NewEntry
from ledger.storage.base import PostingRow
from ledger.storage.base import no_such_entry
from ledger.storage.checks import check_new_entries
from ledger.storage.checks import checkpoint_moved
from ledger.storage.checks import extend_chains
from ledger.storage.memory_rows import MemoryRows
from ledger.storage.memory_rows import UndoneRows
from ledger.storage.spans import SPAN
from ledger.storage.spans import pack
from ledger.storage.spans import starts_so
from ledger.storage.tree import BUNDLE_LEVEL
from ledger.storage.tree import BUNDLE_WIDTH
from ledger.storage.tree import LOG_TREE
from ledger.storage.tree import LevelReader
from ledger.storage.tree import check_bundle
from ledger.storage.tree import fold
from ledger.storage.tree import grow
from ledger.storage.tree import node_of
from ledger.storage.tree import read_bundle_level
from ledger.storage.undo import Undo


class MemoryStore(Undo):
    """A whole store in memory; gone when the program ends."""

    def __init__(self) -> None:
        super().__init__()
        self._entries: dict[int, NewEntry] = {}
        self._events: dict[tuple[bytes, bytes], NewEntry] = {}
        self._heads: dict[bytes, NewEntry] = {}
        self._nodes: dict[tuple[bytes, int, int], bytes] = {}
        self._manifests: dict[bytes, bytes] = {}
        self._bundles: dict[tuple[bytes, int], tuple[bytes, bytes]] = {}
        self._checkpoint: dict[str, str] = {}
        self._postings: dict[tuple[int, int], PostingRow] = {}
        self._mentions: dict[tuple[str, str, int], Mention] = {}
        self._rows = UndoneRows(self)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Let several reads see one state: nobody else writes to this memory."""
        yield

    @contextmanager
    def reread(self) -> Iterator[MemoryStore]:
        """Give what was stored: here nothing else remembers it."""
        yield self

    def integrity(self) -> list[str]:
        """Say what is wrong with the storage itself: memory has no form to break."""
        return []

    def close(self) -> None:
        """Drop an open transaction."""
        self.rollback()

    def size(self) -> int:
        """Count the entries."""
        return len(self._entries)

    def add_entries(self, entries: Sequence[NewEntry]) -> None:
        """Append entries, and the nodes of the tree that they complete."""
        with self.writing():
            first = self.size()
            check_new_entries(entries, first)
            for entry in entries:
                self._add_entry(entry)
            for key, head in extend_chains(entries, self.key_head).items():
                self.set(self._heads, key, head)
            hashes = [entry.leaf_hash for entry in entries]
            self._grow(LOG_TREE, 0, first, hashes, self._log_level)

    def _add_entry(self, entry: NewEntry) -> None:
        event = entry.author, entry.id
        if event in self._events:
            raise ConflictError("already-stored", f"entry {entry.index} is a double")
        self.set(self._entries, entry.index, entry)
        self.set(self._events, event, entry)

    def leaf(self, index: int) -> bytes:
        """Read one entry's leaf data."""
        return self._entry(index).leaf

    def leaves(self, start: int, stop: int) -> Iterator[bytes]:
        """Read leaf data of entries [start, stop)."""
        for index in range(start, stop):
            yield self._entry(index).leaf

    def leaf_hashes(self, start: int, stop: int) -> bytes:
        """Read the leaf hashes of entries [start, stop), joined."""
        return b"".join(self._entry(i).leaf_hash for i in range(start, stop))

    def _entry(self, index: int) -> NewEntry:
        entry = self._entries.get(index)
        if entry is None:
            raise no_such_entry(index, self.size())
        return entry

    def nodes(self, nodes: Sequence[tuple[int, int]]) -> list[bytes]:
        """Read hashes of perfect subtrees (level, index), for proofs."""
        return [node_of(level, index, self._log_level) for level, index in nodes]

    def _log_level(self, level: int, start: int, stop: int) -> list[bytes]:
        if level == 0:
            entries = map(self._entries.get, range(start, stop))
            return [entry.leaf_hash for entry in entries if entry is not None]
        return self._kept(LOG_TREE, level, start, stop)

    def _kept(self, tree: bytes, level: int, start: int, stop: int) -> list[bytes]:
        found = (self._nodes.get((tree, level, i)) for i in range(start, stop))
        return [node for node in found if node is not None]

    def _grow(
        self,
        tree: bytes,
        level: int,
        first: int,
        hashes: Sequence[bytes],
        read: LevelReader,
    ) -> None:
        for above, index, node in grow(level, first, hashes, read):
            self.set(self._nodes, (tree, above, index), node)

    def find_event(self, author: bytes, id: bytes) -> int | None:
        """Look an event up: the index of its entry."""
        entry = self._events.get((author, id))
        return None if entry is None else entry.index

    def find_events(
        self, events: Iterable[tuple[bytes, bytes]]
    ) -> dict[tuple[bytes, bytes], int]:
        """Look many up at once; those that are not there are left out."""
        there = self._events.keys() & set(events)
        return {event: self._events[event].index for event in there}

    def find_hash(self, digits: str, limit: int) -> list[int]:
        """List entries whose leaf hash or event id starts so, oldest first."""
        found = (
            index
            for index, entry in self._entries.items()
            if starts_so(digits, entry.leaf_hash, entry.id)
        )
        return list(islice(found, limit))

    def span(self, number: int) -> bytes | None:
        """Read what a full span of entries is found by."""
        indexes = range(number * SPAN, (number + 1) * SPAN)
        if indexes.stop > self.size():
            return None
        entries = map(self._entry, indexes)
        return pack((entry.leaf_hash, entry.id) for entry in entries)

    def key_head(self, key: bytes) -> tuple[int, bytes] | None:
        """Look a key's chain up: the next seq, and the newest event hash."""
        entry = self._heads.get(key)
        return None if entry is None else (entry.seq + 1, entry.event_hash)

    def checkpoint(self) -> str | None:
        """Read the newest checkpoint's text."""
        return self._checkpoint.get("")

    def swap_checkpoint(self, old: str | None, new: str) -> None:
        """Replace the checkpoint if it still is `old`."""
        with self.writing():
            if self.checkpoint() != old:
                raise checkpoint_moved()
            self.set(self._checkpoint, "", new)

    def put_bundle(self, root: bytes, n: int, data: bytes, hashes: bytes) -> None:
        """Add entry bundle `n` of the manifest, in order, with its leaf hashes."""
        with self.writing():
            leaves = check_bundle(n, hashes, self.bundle_hashes(root, n - 1))
            if (root, n) in self._bundles:
                raise ConflictError("already-stored", f"bundle {n} is there already")
            self.set(self._bundles, (root, n), (data, hashes))
            if len(leaves) == BUNDLE_WIDTH:
                self.set(self._nodes, (root, BUNDLE_LEVEL, n), fold(leaves))
                self._grow(
                    root, BUNDLE_LEVEL, n, [fold(leaves)], self._manifest_level(root)
                )

    def add_manifest(self, root: bytes, info: bytes) -> None:
        """Add a manifest whose bundles are all there; `info` is the caller's."""
        with self.writing():
            if root in self._manifests:
                raise ConflictError("already-stored", "the manifest is there already")
            self.set(self._manifests, root, info)

    def manifest(self, root: bytes) -> bytes | None:
        """Look a manifest's info up."""
        return self._manifests.get(root)

    def bundle(self, root: bytes, n: int) -> bytes | None:
        """Read an entry bundle."""
        return self._bundles.get((root, n), (None, None))[0]

    def bundle_hashes(self, root: bytes, n: int) -> bytes | None:
        """Read the leaf hashes of a bundle, joined."""
        return self._bundles.get((root, n), (None, None))[1]

    def manifest_nodes(
        self, root: bytes, nodes: Sequence[tuple[int, int]]
    ) -> list[bytes]:
        """Read hashes of perfect subtrees of the manifest."""
        read = self._manifest_level(root)
        return [node_of(level, index, read) for level, index in nodes]

    def _manifest_level(self, root: bytes) -> LevelReader:
        def read(level: int, start: int, stop: int) -> list[bytes]:
            if level >= BUNDLE_LEVEL:
                return self._kept(root, level, start, stop)
            hashes = self.bundle_hashes(root, start << level >> BUNDLE_LEVEL)
            return read_bundle_level(hashes or b"", level, start, stop)

        return read

    @property
    def rows(self) -> MemoryRows:
        """The state tables, written in the store's transactions."""
        return self._rows

    def add_postings(self, postings: Iterable[PostingRow]) -> None:
        """Add legs; (entry_index, leg) is unique."""
        with self.writing():
            for posting in postings:
                key = posting.entry_index, posting.leg
                if key in self._postings:
                    raise ConflictError("already-stored", f"posting {key} is a double")
                self.set(self._postings, key, posting)

    def postings_of_party(
        self,
        party: bytes,
        currency: str,
        after: tuple[int, int] | None,
        limit: int,
    ) -> list[PostingRow]:
        """Read a party's legs beyond (entry_index, leg) `after`, in that order."""
        found = self._postings_after(after)
        return [
            row for row in found if row.party == party and row.currency == currency
        ][:limit]

    def postings_of_recording(
        self, recording: str, after: tuple[int, int] | None, limit: int
    ) -> list[PostingRow]:
        """Read a recording's legs beyond (entry_index, leg) `after`."""
        found = self._postings_after(after)
        return [row for row in found if row.recording == recording][:limit]

    def _postings_after(self, after: tuple[int, int] | None) -> list[PostingRow]:
        keys = sorted(self._postings)
        return [self._postings[key] for key in keys if after is None or key > after]

    def postings(self) -> Iterator[PostingRow]:
        """Read all legs by (entry_index, leg)."""
        yield from self._postings_after(None)

    def add_mentions(self, mentions: Iterable[Mention]) -> None:
        """Add mentions; (value, what, entry_index) already there is passed over."""
        with self.writing():
            for mention in mentions:
                key = mention.value, mention.what, mention.entry_index
                if key not in self._mentions:
                    self.set(self._mentions, key, mention)

    def find_mentions(self, prefix: str, limit: int) -> list[Mention]:
        """Read mentions whose value starts so, by value, what and entry."""
        found = (m for m in self._mentions.values() if m.value.startswith(prefix))
        return sorted(found)[:limit]

    def mentions(self) -> Iterator[Mention]:
        """Read all mentions by value, what and entry."""
        yield from sorted(self._mentions.values())

    def entries_of_party(
        self, party: bytes, limit: int, before: int | None = None
    ) -> list[int]:
        """List entries that post to or mention the party, newest first."""
        posted = {
            row.entry_index for row in self._postings.values() if row.party == party
        }
        named = {
            index
            for value, what, index in self._mentions
            if what == PARTY and value == party.hex()
        }
        found = (i for i in posted | named if before is None or i < before)
        return sorted(found, reverse=True)[:limit]

    def clear_derived(self) -> None:
        """Drop rows, postings and mentions, so that they can be rebuilt."""
        with self.writing():
            self._rows.clear()
            for key in list(self._postings):
                self.set(self._postings, key, None)
            for mention in list(self._mentions):
                self.set(self._mentions, mention, None)
