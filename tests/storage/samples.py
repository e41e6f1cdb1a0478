"""Entries, manifests and rows to store, and the whole of a store to compare."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from ledger.storage.base import Mention
from ledger.storage.base import NewEntry
from ledger.storage.base import PostingRow
from ledger.storage.base import Store

KEYS = 3
TABLES = ("parties", "shares")
ANNA, BERIT = b"A" * 16, b"B" * 16
ROOT = bytes(32)


def number_hash(number: int) -> bytes:
    return sha256(b"number %d" % number).digest()


def entry(index: int, *, id: bytes | None = None, seq: int | None = None) -> NewEntry:
    """Make the entry at an index: `KEYS` keys take turns, each its own author."""
    turn = index % KEYS
    return NewEntry(
        index=index,
        leaf=b"leaf %d" % index,
        leaf_hash=number_hash(index),
        author=b"%016d" % turn,
        id=b"%016d" % index if id is None else id,
        key=b"%032d" % turn,
        seq=index // KEYS if seq is None else seq,
        event_hash=sha256(b"event %d" % index).digest(),
    )


def entries(start: int, stop: int) -> list[NewEntry]:
    return [entry(index) for index in range(start, stop)]


def posting(
    entry_index: int,
    leg: int = 0,
    *,
    party: bytes | None = ANNA,
    recording: str | None = "jamendo:track_1",
    currency: str = "SEK",
) -> PostingRow:
    return PostingRow(
        entry_index=entry_index,
        leg=leg,
        society=b"S" * 16,
        account_type="payable",
        subject=b"subject",
        party=party,
        recording=recording,
        side="master" if recording else None,
        currency=currency,
        amount=-(10**6) * (leg + 1),
        line=leg,
    )


def mention(entry_index: int, value: str, what: str = "isrc") -> Mention:
    return Mention(value=value, what=what, entry_index=entry_index, kind="shares")


def bundle_hashes(n: int, width: int = 256) -> bytes:
    return b"".join(number_hash(256 * n + i) for i in range(width))


def put_bundles(store: Store, root: bytes, widths: Iterable[int]) -> None:
    for n, width in enumerate(widths):
        store.put_bundle(root, n, b"lines %d" % n, bundle_hashes(n, width))


def fill(store: Store) -> None:
    """Store a little of everything, in one transaction."""
    with store.transaction():
        store.add_entries(entries(0, 40))
        store.swap_checkpoint(None, "first")
        put_bundles(store, ROOT, [256, 3])
        store.add_manifest(ROOT, b"info")
        store.rows.write([("parties", b"a", b"1"), ("shares", b"b", b"2")])
        store.add_postings([posting(7), posting(7, 1, party=None, recording=None)])
        store.add_mentions([mention(7, "SEABC2600001")])


def contents(store: Store) -> list[object]:
    """Everything that a store answers, so that two of them can be compared."""
    size = store.size()
    roots = [bytes([i]) * 32 for i in range(4)]
    parties = (ANNA, BERIT)
    return [
        size,
        list(store.leaves(0, size)),
        store.leaf_hashes(0, size),
        [store.nodes([(level, 0)]) for level in range(size.bit_length())],
        [store.find_event(b"%016d" % (i % KEYS), b"%016d" % i) for i in range(size)],
        [store.key_head(b"%032d" % turn) for turn in range(KEYS)],
        store.checkpoint(),
        [store.manifest(root) for root in roots],
        [store.bundle(root, n) for root in roots for n in range(4)],
        [store.bundle_hashes(root, n) for root in roots for n in range(4)],
        [list(store.rows.scan(table)) for table in TABLES],
        list(store.postings()),
        [store.postings_of_party(party, "SEK", None, 99) for party in parties],
        store.postings_of_recording("jamendo:track_1", None, 99),
        store.find_mentions("", 99),
        [store.entries_of_party(party, 99) for party in parties],
    ]
