"""The storage port: what the log asks of whatever keeps its bytes.

A store holds entries by index, the tree over their leaf hashes, manifests by root,
the newest checkpoint, and tables that can be rebuilt from all that. It knows bytes
and indexes, never what they mean. Three rules hold for every backend:

* All writing happens in a transaction, which is stored as a whole or not at all,
  durably before `commit` returns.
* There is one writer. Only reads happen outside of its transactions, and each is
  short: a slow reader never holds up the log.
* After an error inside a transaction, it can only be rolled back.

>>> from ledger.storage.memory import MemoryStore
>>> store = MemoryStore()
>>> with store.transaction():
...     store.rows.write([("currency", b"SEK", b"2")])
>>> store.rows.get("currency", b"SEK")
b'2'
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import msgspec

from ledger.errors import HomeError
from ledger.errors import InputError
from ledger.errors import LedgerError

PARTY = "party"
"""The `Mention.what` that `Derived.entries_of_party` looks for."""


class NewEntry(msgspec.Struct, frozen=True, gc=False):
    """An entry to add, with what is looked up by (format.md §2).

    Attributes:
        index: its place in the log; the store's size when it is added.
        leaf: leaf data, at most 65,535 bytes.
        leaf_hash: its hash in the tree, 32 bytes.
        author: 16 bytes; (author, id) is unique.
        id: 16 bytes, of the author's choosing.
        key: key id, 32 bytes; (key, seq) is unique.
        seq: number in the key's own chain; ascends.
        event_hash: 32 bytes, what the key's next event names as `prev`.
    """

    index: int
    leaf: bytes
    leaf_hash: bytes
    author: bytes
    id: bytes
    key: bytes
    seq: int
    event_hash: bytes


class PostingRow(msgspec.Struct, frozen=True, gc=False):
    """A leg of an entry that concerns a party or a recording, for queries.

    `leg` counts all legs of the entry from 0, `amount` is in micro-units (money.md
    §8); `subject` is canonical bytes; `line` the manifest line it came from, 0 for
    none; `party`, `recording` and `side` are set where the subject or the line names
    one.
    """

    entry_index: int
    leg: int
    society: bytes
    account_type: str
    subject: bytes
    party: bytes | None
    recording: str | None
    side: str | None
    currency: str
    amount: int
    line: int


class Mention(msgspec.Struct, frozen=True, gc=False, order=True):
    """Something to find an entry by.

    `kind` is the entry's; `what` says what `value` is (`party`, `recording`,
    `isrc`, `run`, `manifest` …); binary values are written in lower-case hex.
    """

    value: str
    what: str
    entry_index: int
    kind: str


class Rows(Protocol):
    """State tables: rows of bytes by table and key."""

    def get(self, table: str, key: bytes) -> bytes | None:
        """Read one row; None where there is none."""

    def write(self, rows: Iterable[tuple[str, bytes, bytes | None]]) -> None:
        """Set rows; a value of None deletes, the last of equal keys counts."""

    def scan(self, table: str) -> Iterator[tuple[bytes, bytes]]:
        """Read a table, ascending by key bytes; not to be written meanwhile."""


class Transactions(Protocol):
    """Everything or nothing."""

    def begin(self) -> None:
        """Start to write, keeping every other writer out from here on.

        Raises:
            HomeError: `store-busy`, `store-read-only`, `store-failed`.
            InvariantError: `transaction-nested`.
        """

    def commit(self) -> None:
        """Store the transaction durably.

        Raises:
            HomeError: `commit-unknown` or `disk-full`: whether it was stored is
                unknown, and the store refuses further use. `store-busy`: nothing
                was stored, and the store goes on.
            InvariantError: `transaction-missing`, `transaction-spoiled`.
        """

    def rollback(self) -> None:
        """Drop the transaction, if there is one."""

    def transaction(self) -> AbstractContextManager[None]:
        """Begin; commit at the end, or roll back on any exception."""

    def reading(self) -> AbstractContextManager[None]:
        """Let several reads see one and the same state. Keep it short."""

    def reread(self) -> AbstractContextManager[Store]:
        """Open what was stored once more, past whatever remembers writing it.

        It is the one to ask before vouching for what is stored.
        """

    def integrity(self) -> list[str]:
        """Say what is wrong with the storage itself; reads all of it."""

    def close(self) -> None:
        """Let go of the storage; an open transaction is dropped."""


class Entries(Protocol):
    """The log: entries and the tree over them."""

    def size(self) -> int:
        """Count the entries."""

    def add_entries(self, entries: Sequence[NewEntry]) -> None:
        """Append entries, and the nodes of the tree that they complete.

        Raises:
            ConflictError: `already-stored`: an (author, id) or (key, seq) is taken.
            InvariantError: `index-not-dense`, `hash-length`.
        """

    def leaf(self, index: int) -> bytes:
        """Read one entry's leaf data.

        Raises:
            InputError: `no-such-entry`.
        """

    def leaves(self, start: int, stop: int) -> Iterator[bytes]:
        """Read leaf data of entries [start, stop).

        Raises:
            InputError: `no-such-entry`, once the entries have run out.
        """

    def leaf_hashes(self, start: int, stop: int) -> bytes:
        """Read the leaf hashes of entries [start, stop), joined.

        Raises:
            InputError: `no-such-entry`.
        """

    def nodes(self, nodes: Sequence[tuple[int, int]]) -> list[bytes]:
        """Read hashes of perfect subtrees (level, index), for proofs.

        Raises:
            InvariantError: `no-such-node`: the log does not reach that far.
        """

    def find_event(self, author: bytes, id: bytes) -> int | None:
        """Look an event up: the index of its entry."""

    def find_events(
        self, events: Iterable[tuple[bytes, bytes]]
    ) -> dict[tuple[bytes, bytes], int]:
        """Look many up at once; those that are not there are left out."""

    def key_head(self, key: bytes) -> tuple[int, bytes] | None:
        """Look a key's chain up: the next seq, and the newest event hash."""

    def find_hash(self, digits: str, limit: int) -> list[int]:
        """List entries whose leaf hash or event id starts so, oldest first.

        Args:
            digits: lower-case hex, at least 2.
            limit: how many at most.
        """

    def span(self, number: int) -> bytes | None:
        """Read what a full span of entries is found by (`ledger.storage.spans`)."""

    def checkpoint(self) -> str | None:
        """Read the newest checkpoint's text."""

    def swap_checkpoint(self, old: str | None, new: str) -> None:
        """Replace the checkpoint if it still is `old`.

        Raises:
            HomeError: `checkpoint-moved`.
        """


class Manifests(Protocol):
    """Manifests, in the bundles of 256 leaves that they are served in."""

    def put_bundle(self, root: bytes, n: int, data: bytes, hashes: bytes) -> None:
        """Add entry bundle `n` of the manifest, in order, with its leaf hashes.

        Raises:
            InvariantError: `bundle-order`, `hash-length`.
        """

    def add_manifest(self, root: bytes, info: bytes) -> None:
        """Add a manifest whose bundles are all there; `info` is the caller's.

        Raises:
            ConflictError: `already-stored`.
        """

    def manifest(self, root: bytes) -> bytes | None:
        """Look a manifest's info up."""

    def bundle(self, root: bytes, n: int) -> bytes | None:
        """Read an entry bundle."""

    def bundle_hashes(self, root: bytes, n: int) -> bytes | None:
        """Read the leaf hashes of a bundle, joined."""

    def manifest_nodes(
        self, root: bytes, nodes: Sequence[tuple[int, int]]
    ) -> list[bytes]:
        """Read hashes of perfect subtrees of the manifest, as `Entries.nodes`."""


class Derived(Protocol):
    """Tables for questions; the log and its lines can rebuild them all."""

    @property
    def rows(self) -> Rows:
        """The state tables, written in the store's transactions."""

    def add_postings(self, postings: Iterable[PostingRow]) -> None:
        """Add legs; (entry_index, leg) is unique."""

    def postings_of_party(
        self,
        party: bytes,
        currency: str,
        after: tuple[int, int] | None,
        limit: int,
    ) -> list[PostingRow]:
        """Read a party's legs beyond (entry_index, leg) `after`, in that order."""

    def postings_of_recording(
        self, recording: str, after: tuple[int, int] | None, limit: int
    ) -> list[PostingRow]:
        """Read a recording's legs beyond (entry_index, leg) `after`."""

    def postings(self) -> Iterator[PostingRow]:
        """Read all legs by (entry_index, leg); not to be written meanwhile."""

    def add_mentions(self, mentions: Iterable[Mention]) -> None:
        """Add mentions; (value, what, entry_index) already there is passed over."""

    def find_mentions(self, prefix: str, limit: int) -> list[Mention]:
        """Read mentions whose value starts so, by value, what and entry."""

    def mentions(self) -> Iterator[Mention]:
        """Read all mentions by value, what and entry; not to be written meanwhile."""

    def entries_of_party(
        self, party: bytes, limit: int, before: int | None = None
    ) -> list[int]:
        """List entries that post to or mention the party, newest first."""

    def clear_derived(self) -> None:
        """Drop rows, postings and mentions, so that they can be rebuilt."""


class Store(Transactions, Entries, Manifests, Derived, Protocol):
    """The whole port."""


def no_such_entry(index: int, size: int) -> LedgerError:
    """Say that the log does not have this entry, or that it has lost it."""
    if 0 <= index < size:
        return HomeError(
            "store-damaged",
            f"entry {index} is missing from this log of {size} entries",
            hint="restore a backup, then audit it",
        )
    return InputError(
        "no-such-entry",
        f"entry {index} is not in this log of {size} entries",
        hint="indexes count from 0",
    )
