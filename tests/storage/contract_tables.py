"""What every store promises of manifests, and of tables that can be rebuilt."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ledger.errors import InvariantError
from ledger.errors import LedgerError
from ledger.storage.base import Store
from ledger.storage.tree import fold
from tests.storage.samples import ANNA
from tests.storage.samples import BERIT
from tests.storage.samples import ROOT
from tests.storage.samples import bundle_hashes
from tests.storage.samples import contents
from tests.storage.samples import entries
from tests.storage.samples import fill
from tests.storage.samples import mention
from tests.storage.samples import number_hash
from tests.storage.samples import posting
from tests.storage.samples import put_bundles


class ManifestsContract:
    """Manifests bundle by bundle, and their trees."""

    def test_bundles_come_back(self, store: Store) -> None:
        """Data and hashes are kept as given, by root and number."""
        with store.transaction():
            put_bundles(store, ROOT, [256, 256, 7])
            store.add_manifest(ROOT, b"info")
        assert store.manifest(ROOT) == b"info"
        assert store.bundle(ROOT, 2) == b"lines 2"
        assert store.bundle_hashes(ROOT, 2) == bundle_hashes(2, 7)
        assert store.bundle(ROOT, 3) is None
        assert store.bundle_hashes(b"\1" * 32, 0) is None
        assert store.manifest(b"\1" * 32) is None

    def test_nodes_of_a_manifest(self, store: Store) -> None:
        """Every complete node is the fold of its leaves, next to other trees."""
        widths = [256] * 17 + [37]
        with store.transaction():
            store.add_entries(entries(0, 600))
            put_bundles(store, b"\1" * 32, [256])
            put_bundles(store, ROOT, widths)
        size = sum(widths)
        hashes = [number_hash(index) for index in range(size)]
        for level in range(size.bit_length()):
            width = 1 << level
            whole = size // width
            nodes = [(level, index) for index in range(whole)]
            assert store.manifest_nodes(ROOT, nodes) == [
                fold(hashes[i * width : (i + 1) * width]) for i in range(whole)
            ]
            with pytest.raises(InvariantError) as caught:
                store.manifest_nodes(ROOT, [(level, whole)])
            assert caught.value.code == "no-such-node"

    @pytest.mark.parametrize(
        ("n", "hashes", "code"),
        [
            (0, b"", "hash-length"),
            (0, bytes(31), "hash-length"),
            (0, bytes(32 * 257), "hash-length"),
            (1, bytes(32), "bundle-order"),
        ],
    )
    def test_bundles_follow_each_other(
        self, store: Store, n: int, hashes: bytes, code: str
    ) -> None:
        """A bundle holds 1 to 256 leaves and comes after the one before it."""
        with pytest.raises(InvariantError) as caught, store.transaction():
            store.put_bundle(ROOT, n, b"", hashes)
        assert caught.value.code == code

    def test_only_the_last_bundle_may_be_short(self, store: Store) -> None:
        """After a bundle of fewer than 256 leaves comes no other."""
        with pytest.raises(InvariantError) as caught, store.transaction():
            put_bundles(store, ROOT, [256, 255, 1])
        assert caught.value.code == "bundle-order"
        assert store.bundle(ROOT, 0) is None

    def test_manifests_are_added_once(self, store: Store) -> None:
        """Neither a manifest nor a bundle of it is ever replaced."""
        fill(store)
        before = contents(store)
        writes: list[Callable[[], None]] = [
            lambda: store.add_manifest(ROOT, b"other"),
            lambda: store.put_bundle(ROOT, 0, b"other", bundle_hashes(0)),
            lambda: store.put_bundle(ROOT, 1, b"other", bundle_hashes(1, 3)),
        ]
        for write in writes:
            with pytest.raises(LedgerError) as caught, store.transaction():
                write()
            assert caught.value.code == "already-stored"
        assert contents(store) == before


class DerivedContract:
    """Tables for questions."""

    def test_rows_are_set_replaced_and_deleted(self, store: Store) -> None:
        """Tables are apart from each other; the last of equal keys counts."""
        rows = store.rows
        with store.transaction():
            rows.write([("parties", b"k", b"1"), ("shares", b"k", b"2")])
            assert rows.get("parties", b"k") == b"1"
            rows.write([("parties", b"k", b"3"), ("parties", b"gone", b"4")])
            rows.write([("parties", b"gone", None), ("parties", b"never", None)])
            rows.write([("shares", b"x", b"5"), ("shares", b"x", None)])
            rows.write([("shares", b"y", None), ("shares", b"y", b"")])
        assert rows.get("parties", b"k") == b"3"
        assert rows.get("parties", b"gone") is None
        assert list(rows.scan("shares")) == [(b"k", b"2"), (b"y", b"")]
        assert list(rows.scan("nothing")) == []

    def test_rows_are_scanned_in_byte_order(self, store: Store) -> None:
        """A scan ascends by key bytes, beyond what is read at a time."""
        keys = [number_hash(i) for i in range(2500)] + [b"", b"\0", b"\xff" * 40]
        with store.transaction():
            store.rows.write([("parties", key, key[:1]) for key in keys])
        scanned = list(store.rows.scan("parties"))
        assert scanned == [(key, key[:1]) for key in sorted(keys)]

    def test_tables_are_read_whole_in_order(self, store: Store) -> None:
        """All legs and all words come back, beyond what is read at a time."""
        legs = [posting(i, leg) for i in range(600) for leg in range(2)]
        words = [mention(i, f"w{i % 7}") for i in range(1_200)]
        assert [*store.postings(), *store.mentions()] == []
        with store.transaction():
            store.add_postings(reversed(legs))
            store.add_mentions(words)
        assert list(store.postings()) == legs
        assert list(store.mentions()) == sorted(words)

    def test_postings_of_a_party_and_a_recording(self, store: Store) -> None:
        """Legs come back whole, in order, and page by page."""
        legs = [posting(i, leg) for i in range(3) for leg in range(4)]
        others = [
            posting(5, 0, party=BERIT, recording="jamendo:track_2"),
            posting(5, 1, currency="USD"),
            posting(5, 2, party=None, recording=None),
        ]
        with store.transaction():
            store.add_postings([*reversed(legs), *others])
        assert store.postings_of_party(ANNA, "SEK", None, 99) == legs
        assert store.postings_of_party(ANNA, "SEK", (0, 2), 4) == legs[3:7]
        assert store.postings_of_party(ANNA, "SEK", (2, 3), 4) == []
        assert store.postings_of_party(BERIT, "SEK", None, 1) == others[:1]
        assert store.postings_of_recording("jamendo:track_1", (2, 2), 9) == [
            legs[-1],
            others[1],
        ]

    def test_mentions_are_found_by_prefix(self, store: Store) -> None:
        """A prefix finds what starts with it, the same mention once."""
        found = [mention(1, "SEABC26"), mention(4, "SEABC26"), mention(2, "SEABD")]
        others = [mention(3, "seabc26"), mention(3, "SE"), mention(3, "Å\U0010fffe")]
        with store.transaction():
            store.add_mentions([*found, *others, found[0]])
            store.add_mentions([found[0]])
        assert store.find_mentions("SEAB", 9) == found
        assert store.find_mentions("SEAB", 2) == found[:2]
        assert store.find_mentions("Å", 9) == others[2:]
        assert store.find_mentions("SEABC26", 9) == found[:2]
        assert store.find_mentions("SEABX", 9) == []
        assert len(store.find_mentions("", 99)) == 6

    def test_entries_of_a_party(self, store: Store) -> None:
        """Entries that post to a party or mention it, newest first, once each."""
        with store.transaction():
            store.add_postings([posting(3), posting(3, 1), posting(9, currency="USD")])
            store.add_postings([posting(4, party=BERIT)])
            store.add_mentions(
                [
                    mention(3, ANNA.hex(), "party"),
                    mention(5, ANNA.hex(), "party"),
                    mention(6, ANNA.hex(), "hash"),
                ]
            )
        assert store.entries_of_party(ANNA, 9) == [9, 5, 3]
        assert store.entries_of_party(ANNA, 2) == [9, 5]
        assert store.entries_of_party(ANNA, 9, before=5) == [3]
        assert store.entries_of_party(b"?" * 16, 9) == []

    def test_derived_tables_are_dropped_alone(self, store: Store) -> None:
        """Clearing leaves the log, and room for the same rows again."""
        fill(store)
        before = contents(store)
        with store.transaction():
            store.clear_derived()
        assert store.size() == 40
        assert store.bundle(ROOT, 1) == b"lines 1"
        assert store.checkpoint() == "first"
        assert list(store.rows.scan("parties")) == []
        assert list(store.postings()) == []
        assert store.find_mentions("", 9) == []
        with store.transaction():
            store.rows.write([("parties", b"a", b"1"), ("shares", b"b", b"2")])
            store.add_postings([posting(7), posting(7, 1, party=None, recording=None)])
            store.add_mentions([mention(7, "SEABC2600001")])
        assert contents(store) == before
