"""What every store promises; each backend's tests inherit it with a store."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec import structs

from ledger.errors import ConflictError
from ledger.errors import HomeError
from ledger.errors import InputError
from ledger.errors import InvariantError
from ledger.errors import LedgerError
from ledger.storage.base import Store
from ledger.storage.tree import fold
from tests.storage.samples import ANNA
from tests.storage.samples import BERIT
from tests.storage.samples import bundle_hashes
from tests.storage.samples import contents
from tests.storage.samples import entries
from tests.storage.samples import entry
from tests.storage.samples import mention
from tests.storage.samples import number_hash
from tests.storage.samples import posting
from tests.storage.samples import put_bundles

ROOT = bytes(32)


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


def interrupt(store: Store) -> None:
    """Write a little of everything, then stop in mid-transaction."""
    with store.transaction():
        size = store.size()
        store.add_entries(entries(size, size + 300))
        store.swap_checkpoint(store.checkpoint(), "second")
        put_bundles(store, b"\1" * 32, [256, 256])
        store.add_manifest(b"\1" * 32, b"other")
        store.rows.write([("parties", b"a", None), ("shares", b"b", b"3")])
        store.add_postings([posting(8)])
        store.add_mentions([mention(8, "x")])
        store.clear_derived()
        raise KeyError


class TransactionContract:
    """All or nothing, and nothing outside of a transaction."""

    def test_a_new_store_is_empty(self, store: Store) -> None:
        """Nothing is there before anything is added."""
        assert store.size() == 0
        assert store.checkpoint() is None
        assert store.leaf_hashes(0, 0) == b""
        assert list(store.leaves(0, 0)) == []
        assert store.key_head(bytes(32)) is None

    def test_rollback_leaves_nothing(self, store: Store) -> None:
        """An exception takes back every kind of write, into filled tables too."""
        empty = contents(store)
        with pytest.raises(KeyError):
            interrupt(store)
        assert contents(store) == empty
        fill(store)
        filled = contents(store)
        assert filled != empty
        with pytest.raises(KeyError):
            interrupt(store)
        assert contents(store) == filled
        with store.transaction():
            store.add_entries(entries(40, 41))
        assert store.size() == 41

    def test_a_transaction_sees_its_own_writes(self, store: Store) -> None:
        """What is read inside is what has been written so far."""
        with store.transaction():
            store.add_entries(entries(0, 2))
            store.swap_checkpoint(None, "first")
            assert store.size() == 2
            assert store.leaf(1) == b"leaf 1"
            assert store.checkpoint() == "first"

    def test_writing_demands_a_transaction(self, store: Store) -> None:
        """No write happens by itself, and none happened."""
        before = contents(store)
        writes: list[Callable[[], None]] = [
            lambda: store.add_entries(entries(0, 1)),
            lambda: store.swap_checkpoint(None, "first"),
            lambda: store.put_bundle(ROOT, 0, b"", bundle_hashes(0)),
            lambda: store.add_manifest(ROOT, b""),
            lambda: store.rows.write([("parties", b"a", b"1")]),
            lambda: store.add_postings([posting(0)]),
            lambda: store.add_mentions([mention(0, "x")]),
            store.clear_derived,
            store.commit,
        ]
        for write in writes:
            with pytest.raises(InvariantError) as caught:
                write()
            assert caught.value.code == "transaction-missing"
        assert contents(store) == before

    def test_transactions_do_not_nest(self, store: Store) -> None:
        """A second begin is a bug, and does not end the first."""
        store.begin()
        with pytest.raises(InvariantError) as caught:
            store.begin()
        assert caught.value.code == "transaction-nested"
        store.add_entries(entries(0, 1))
        store.commit()
        assert store.size() == 1

    def test_after_a_failed_write_only_rollback_is_left(self, store: Store) -> None:
        """Half a batch can never be committed, even if the error is swallowed."""
        store.begin()
        with pytest.raises(ConflictError):
            store.add_postings([posting(1), posting(1)])
        with pytest.raises(InvariantError) as caught:
            store.commit()
        assert caught.value.code == "transaction-spoiled"
        store.rollback()
        assert store.postings_of_entry(1) == []
        with store.transaction():
            store.add_postings([posting(1)])

    def test_rollback_without_a_transaction_is_harmless(self, store: Store) -> None:
        """Cleaning up twice changes nothing."""
        fill(store)
        before = contents(store)
        store.rollback()
        assert contents(store) == before

    def test_reading_is_allowed_anywhere(self, store: Store) -> None:
        """Several reads see one state, inside a transaction its own writes."""
        fill(store)
        with store.reading():
            assert store.size() == len(list(store.leaves(0, 40)))
        with store.transaction():
            store.add_entries(entries(40, 41))
            with store.reading():
                assert store.size() == 41
        assert store.size() == 41


class EntriesContract:
    """Entries in a dense row, each of them once, and their tree."""

    def test_entries_come_back(self, store: Store) -> None:
        """Leaf data and hashes are read singly and in ranges of any length."""
        with store.transaction():
            store.add_entries(entries(0, 700))
            store.add_entries(entries(700, 1300))
        assert store.size() == 1300
        assert store.leaf(1299) == b"leaf 1299"
        for start, stop in [(0, 1300), (1, 2), (511, 1024), (5, 5)]:
            leaves = [b"leaf %d" % i for i in range(start, stop)]
            hashes = [number_hash(i) for i in range(start, stop)]
            assert list(store.leaves(start, stop)) == leaves
            assert store.leaf_hashes(start, stop) == b"".join(hashes)

    def test_what_is_not_there_is_refused(self, store: Store) -> None:
        """Reading beyond the end is an error, never a shorter answer."""
        with store.transaction():
            store.add_entries(entries(0, 3))
        for read in (
            lambda: store.leaf(3),
            lambda: store.leaf(-1),
            lambda: list(store.leaves(0, 4)),
            lambda: store.leaf_hashes(2, 4),
        ):
            with pytest.raises(InputError) as caught:
                read()
            assert caught.value.code == "no-such-entry"

    @pytest.mark.parametrize("first", [1, -1, 2**40])
    def test_indexes_are_dense(self, store: Store, first: int) -> None:
        """An entry is added at the end of the log and nowhere else."""
        with pytest.raises(InvariantError) as caught, store.transaction():
            store.add_entries([entry(first)])
        assert caught.value.code == "index-not-dense"
        with pytest.raises(InvariantError), store.transaction():
            store.add_entries([entry(0), entry(2)])
        assert store.size() == 0

    def test_events_are_unique(self, store: Store) -> None:
        """An (author, id) and a (key, seq) enter a log once, one batch or two."""
        doubles = [entry(3, id=entry(0).id), entry(3, seq=0)]
        for double in doubles:
            with pytest.raises(ConflictError) as caught, store.transaction():
                store.add_entries([*entries(0, 3), double])
            assert caught.value.code == "already-stored"
            assert store.size() == 0
        with store.transaction():
            store.add_entries(entries(0, 3))
        for double in doubles:
            with pytest.raises(ConflictError), store.transaction():
                store.add_entries([double])
        with store.transaction():
            store.add_entries([entry(3)])
        assert store.size() == 4

    def test_the_same_id_of_two_authors_is_no_double(self, store: Store) -> None:
        """Ids are unique for each author, not for the log."""
        with store.transaction():
            store.add_entries([entry(0), entry(1, id=entry(0).id)])
        found = store.find_event(entry(1).author, entry(0).id)
        assert found == (1, entry(1).content_hash)

    def test_hashes_have_32_bytes(self, store: Store) -> None:
        """A hash of another length would shift every joined read."""
        short = structs.replace(entry(0), leaf_hash=b"short")
        with pytest.raises(InvariantError) as caught, store.transaction():
            store.add_entries([short])
        assert caught.value.code == "hash-length"

    def test_events_and_chains_are_found(self, store: Store) -> None:
        """An event is found by author and id, a chain by its key."""
        with store.transaction():
            store.add_entries(entries(0, 10))
        assert store.find_event(entry(7).author, entry(7).id) == (
            7,
            entry(7).content_hash,
        )
        assert store.find_event(entry(6).author, entry(7).id) is None
        assert store.key_head(entry(9).key) == (4, entry(9).event_hash)
        assert store.key_head(entry(8).key) == (3, entry(8).event_hash)
        assert store.key_head(b"?" * 32) is None

    def test_every_node_of_the_tree(self, store: Store) -> None:
        """Whatever the batches, each complete node is the fold of its leaves."""
        size = 0
        for batch in (1, 14, 1, 1, 15, 33, 300, 0, 4096):
            with store.transaction():
                store.add_entries(entries(size, size + batch))
            size += batch
        hashes = [number_hash(index) for index in range(size)]
        for level in range(size.bit_length() + 1):
            width = 1 << level
            whole = size // width
            nodes = store.nodes([(level, index) for index in range(whole)])
            assert nodes == [
                fold(hashes[i * width : (i + 1) * width]) for i in range(whole)
            ]
            with pytest.raises(InvariantError) as caught:
                store.nodes([(level, whole)])
            assert caught.value.code == "no-such-node"

    def test_nodes_come_in_the_order_asked_for(self, store: Store) -> None:
        """A reader of proofs may ask for anything in any order, twice too."""
        with store.transaction():
            store.add_entries(entries(0, 20))
        leaf, above = number_hash(3), fold([number_hash(0), number_hash(1)])
        assert store.nodes([(0, 3), (1, 0), (0, 3)]) == [leaf, above, leaf]
        assert store.nodes([]) == []

    def test_the_checkpoint_is_compared_before_it_is_replaced(
        self, store: Store
    ) -> None:
        """Whoever has not seen the newest checkpoint cannot replace it."""
        for old, new in [(None, "first"), ("first", "second")]:
            with store.transaction():
                store.swap_checkpoint(old, new)
            assert store.checkpoint() == new
        for stale in (None, "first", "", "second "):
            with pytest.raises(HomeError) as caught, store.transaction():
                store.swap_checkpoint(stale, "third")
            assert caught.value.code == "checkpoint-moved"
        assert store.checkpoint() == "second"


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

    def test_postings_of_an_entry_a_party_a_recording(self, store: Store) -> None:
        """Legs come back whole, in order, and page by page."""
        legs = [posting(i, leg) for i in range(3) for leg in range(4)]
        others = [
            posting(5, 0, party=BERIT, recording="jamendo:track_2"),
            posting(5, 1, currency="USD"),
            posting(5, 2, party=None, recording=None),
        ]
        with store.transaction():
            store.add_postings([*reversed(legs), *others])
        assert store.postings_of_entry(5) == others
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
        assert store.postings_of_entry(7) == []
        assert store.find_mentions("", 9) == []
        with store.transaction():
            store.rows.write([("parties", b"a", b"1"), ("shares", b"b", b"2")])
            store.add_postings([posting(7), posting(7, 1, party=None, recording=None)])
            store.add_mentions([mention(7, "SEABC2600001")])
        assert contents(store) == before


class StoreContract(
    TransactionContract, EntriesContract, ManifestsContract, DerivedContract
):
    """The whole port."""
