"""What every store promises; each backend's tests inherit it with a store."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec import structs

from ledger.errors import ConflictError
from ledger.errors import HomeError
from ledger.errors import InputError
from ledger.errors import InvariantError
from ledger.storage.base import Store
from ledger.storage.spans import SPAN
from ledger.storage.spans import pack
from ledger.storage.tree import fold
from tests.storage.contract_tables import DerivedContract
from tests.storage.contract_tables import ManifestsContract
from tests.storage.samples import ROOT
from tests.storage.samples import bundle_hashes
from tests.storage.samples import contents
from tests.storage.samples import entries
from tests.storage.samples import entry
from tests.storage.samples import fill
from tests.storage.samples import mention
from tests.storage.samples import number_hash
from tests.storage.samples import posting
from tests.storage.samples import put_bundles


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
        assert list(store.postings()) == []
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
    """Entries by dense indexes, each of them once, and their tree."""

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
        assert found == 1

    @pytest.mark.parametrize("size", [0, 1, SPAN - 1, SPAN, SPAN + 1, 2 * SPAN + 7])
    def test_entries_are_found_by_hash(self, store: Store, size: int) -> None:
        """By the beginning of leaf hash or event id, wherever spans of them end."""
        with store.transaction():
            store.add_entries(entries(0, size // 2))
            store.add_entries(entries(size // 2, size))
        for index in {0, 1, SPAN - 1, SPAN, size // 2, size - 1}:
            there = [index] if 0 <= index < size else []
            for digits in (number_hash(index).hex(), entry(index).id.hex()):
                assert store.find_hash(digits, 9) == there
            assert store.find_hash(number_hash(index).hex()[:19], 9) == there
        ids = store.find_hash(entry(0).id.hex()[:8], 9)
        assert ids == list(range(min(size, 9)))
        assert store.find_hash("ff" * 32, 9) == []
        for number in range(3):
            span = entries(number * SPAN, (number + 1) * SPAN)
            packed = pack((each.leaf_hash, each.id) for each in span)
            full = size >= (number + 1) * SPAN
            assert store.span(number) == (packed if full else None)

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
        assert store.find_event(entry(7).author, entry(7).id) == 7
        assert store.find_event(entry(6).author, entry(7).id) is None
        there = {(e.author, e.id): e.index for e in entries(0, 10)}
        nowhere = (entry(6).author, entry(7).id)
        assert store.find_events([*there, nowhere, *there]) == there
        assert store.find_events([]) == {}
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


class StoreContract(
    TransactionContract, EntriesContract, ManifestsContract, DerivedContract
):
    """The whole port."""
