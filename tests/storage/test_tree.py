"""Kept nodes and folded ones, against RFC 6962 as the log's own tree has it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InvariantError
from ledger.storage.tree import BUNDLE_LEVEL
from ledger.storage.tree import FAMILY
from ledger.storage.tree import STEP
from ledger.storage.tree import fold
from ledger.storage.tree import grow
from ledger.storage.tree import node_of
from ledger.storage.tree import read_bundle_level
from ledger.storage.tree import split_hashes
from ledger.tlog.merkle import prove_inclusion
from ledger.tlog.merkle import subtree_root
from tests.storage.samples import number_hash

Kept = dict[tuple[int, int], bytes]


class Tree:
    """Keeps what `grow` says, and counts what is read."""

    def __init__(self) -> None:
        self.kept: Kept = {}
        self.size = 0
        self.reads = 0

    def read(self, level: int, start: int, stop: int) -> list[bytes]:
        nodes = [(level, index) for index in range(start, stop)]
        self.reads += len(nodes)
        return [self.kept[node] for node in nodes if node in self.kept]

    def add(self, count: int) -> None:
        hashes = [number_hash(self.size + i) for i in range(count)]
        added = list(grow(0, self.size, hashes, self.read))
        for index, node in enumerate(hashes, self.size):
            self.kept[0, index] = node
        for level, index, node in added:
            assert (level, index) not in self.kept
            self.kept[level, index] = node
        self.size += count

    def complete(self) -> Iterator[tuple[int, int]]:
        for level in range(self.size.bit_length()):
            for index in range(self.size >> level):
                yield level, index


@given(st.lists(st.integers(0, 40), max_size=12))
def test_any_batches_keep_the_same_nodes(batches: list[int]) -> None:
    """Exactly the complete nodes of every fourth level are kept."""
    tree = Tree()
    for batch in batches:
        tree.add(batch)
    assert set(tree.kept) == {
        (level, index) for level, index in tree.complete() if level % STEP == 0
    }
    for level, index in tree.complete():
        leaves = [number_hash(i) for i in range(index << level, (index + 1) << level)]
        assert node_of(level, index, tree.read) == subtree_root(leaves)


def test_a_proof_reads_few_nodes() -> None:
    """A proof reads at most 8 kept nodes for one of its own."""
    tree = Tree()
    tree.add(FAMILY**3 + 3)
    tree.reads = 0
    proof = prove_inclusion(
        5, tree.size, lambda nodes: [node_of(*node, tree.read) for node in nodes]
    )
    assert tree.reads <= 8 * len(proof)


def test_an_incomplete_node_is_refused() -> None:
    """A node is never made of fewer leaves than it covers."""
    tree = Tree()
    tree.add(17)
    for level, index in [(0, 17), (1, 8), (4, 1), (5, 0), (9, 0)]:
        with pytest.raises(InvariantError) as caught:
            node_of(level, index, tree.read)
        assert caught.value.code == "no-such-node"


def test_fold_refuses_what_is_no_perfect_subtree() -> None:
    """An odd number of nodes has no parent row."""
    with pytest.raises(ValueError, match="shorter"):
        fold([number_hash(0)] * 3)


@given(
    st.integers(0, 256), st.integers(0, BUNDLE_LEVEL - 1), st.integers(0, 3), st.data()
)
def test_nodes_are_read_out_of_a_bundle(
    width: int, level: int, n: int, data: st.DataObject
) -> None:
    """Nodes inside bundle `n` are folded from it; incomplete ones are left out."""
    leaves = [number_hash(i) for i in range(width)]
    most = 1 << BUNDLE_LEVEL - level
    start = data.draw(st.integers(0, most))
    stop = data.draw(st.integers(start, most))
    found = read_bundle_level(
        b"".join(leaves), level, n * most + start, n * most + stop
    )
    whole = range(start, min(stop, width >> level))
    assert found == [fold(leaves[i << level : (i + 1) << level]) for i in whole]


def test_joined_hashes_come_apart() -> None:
    """Only whole hashes can be told apart."""
    hashes = [number_hash(i) for i in range(5)]
    assert split_hashes(b"".join(hashes)) == hashes
    with pytest.raises(InvariantError) as caught:
        split_hashes(bytes(33))
    assert caught.value.code == "hash-length"
