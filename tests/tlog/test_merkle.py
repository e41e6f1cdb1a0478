"""Merkle trees against RFC 6962 as it is written, for every small tree."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InputError
from ledger.errors import InvariantError
from ledger.errors import VerificationError
from ledger.tlog.merkle import EMPTY_ROOT
from ledger.tlog.merkle import Frontier
from ledger.tlog.merkle import Node
from ledger.tlog.merkle import check_consistency
from ledger.tlog.merkle import check_inclusion
from ledger.tlog.merkle import leaf_hash
from ledger.tlog.merkle import node_hash
from ledger.tlog.merkle import prove_consistency
from ledger.tlog.merkle import prove_inclusion
from ledger.tlog.merkle import subtree_root
from ledger.tlog.merkle import tree_root
from tests.tlog import naive

SIZE_MAX = 70
DATA = [b"leaf %d" % index for index in range(SIZE_MAX)]
LEAVES = [leaf_hash(data) for data in DATA]
ROOTS = [naive.root(DATA[:size]) for size in range(SIZE_MAX + 1)]
SIZES = range(SIZE_MAX + 1)


class Reader:
    """Reads nodes of the tree over the first `size` leaves, and counts calls."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.calls = 0

    def __call__(self, nodes: Sequence[Node]) -> list[bytes]:
        self.calls += 1
        return [self.node(level, index) for level, index in nodes]

    def node(self, level: int, index: int) -> bytes:
        start, end = index << level, (index + 1) << level
        assert end <= self.size, "a node that is not in the tree"
        return naive.root(DATA[start:end])


def inclusion_holds(
    index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes
) -> bool:
    """Whether a proof is accepted; only the one code is a refusal."""
    try:
        check_inclusion(index, size, leaf, proof, root)
    except VerificationError as error:
        if error.code != "bad-inclusion-proof":
            raise
        return False
    return True


def consistency_holds(
    old_size: int, new_size: int, proof: Sequence[bytes], old: bytes, new: bytes
) -> bool:
    """Whether a proof is accepted; only the one code is a refusal."""
    try:
        check_consistency(old_size, new_size, proof, old, new)
    except VerificationError as error:
        if error.code != "bad-consistency-proof":
            raise
        return False
    return True


def mutations(proof: Sequence[bytes]) -> list[list[bytes]]:
    """Each hash changed in one bit, removed or doubled; others put in; order."""
    changed = []
    for at, value in enumerate(proof):
        before, after = proof[:at], proof[at + 1 :]
        changed += [
            [*before, bytes([value[0] ^ 1]) + value[1:], *after],
            [*before, value[:-1] + bytes([value[-1] ^ 128]), *after],
            [*before, *after],
            [*before, value, value, *after],
            [*before, bytes(32), *after],
            [*before, b"", *after],
        ]
    changed += [[*proof[:at], bytes(32), *proof[at:]] for at in range(len(proof) + 1)]
    if list(reversed(proof)) != list(proof):
        changed.append(list(reversed(proof)))
    return changed


@pytest.mark.parametrize("size", range(9))
def test_published_roots(size: int) -> None:
    """The classic eight leaves have the published roots, by every way to a root."""
    hashes = [leaf_hash(data) for data in naive.LEAVES[:size]]
    frontier = Frontier()
    frontier.extend(hashes)
    expected = bytes.fromhex(naive.ROOTS[size])
    assert subtree_root(hashes) == expected
    assert frontier.root() == expected
    assert naive.root(naive.LEAVES[:size]) == expected


def test_leaves_and_nodes_are_told_apart() -> None:
    """The two prefixes keep the data of a leaf from posing as a node."""
    left, right = LEAVES[:2]
    assert node_hash(left, right) != leaf_hash(left + right)
    assert node_hash(left, right) != node_hash(right, left)


@pytest.mark.parametrize("size", SIZES)
def test_roots(size: int) -> None:
    """All ways to a root agree with the recursive definition."""
    one_by_one, at_once = Frontier(), Frontier()
    for leaf in LEAVES[:size]:
        one_by_one.append(leaf)
    at_once.extend(iter(LEAVES[:size]))
    assert one_by_one == at_once
    assert one_by_one.root() == ROOTS[size]
    assert subtree_root(LEAVES[:size]) == ROOTS[size]
    assert tree_root(size, Reader(size)) == ROOTS[size]


@pytest.mark.parametrize("old_size", SIZES)
def test_a_frontier_grows_from_any_size_by_any_number(old_size: int) -> None:
    """Extending from every size to every larger one gives the same frontier."""
    for new_size in range(old_size, SIZE_MAX + 1):
        frontier = Frontier()
        frontier.extend(LEAVES[:old_size])
        frontier.extend(LEAVES[old_size:new_size])
        expected = Frontier()
        expected.extend(LEAVES[:new_size])
        assert frontier == expected
        assert frontier.root() == ROOTS[new_size]


def test_a_frontier_is_rebuilt_from_its_hashes() -> None:
    """Size and hashes are all that has to be kept; a copy grows on its own."""
    frontier = Frontier()
    frontier.extend(LEAVES[:13])
    rebuilt, copy = Frontier(frontier.size, frontier.hashes), frontier.copy()
    rebuilt.append(LEAVES[13])
    assert rebuilt.root() == ROOTS[14]
    assert (frontier.root(), copy.root()) == (ROOTS[13], ROOTS[13])


@pytest.mark.parametrize(("size", "count"), [(0, 1), (1, 0), (3, 1), (4, 2), (-1, 1)])
def test_a_frontier_of_the_wrong_length_is_refused(size: int, count: int) -> None:
    """There is a hash for each set bit of the size, no more and no less."""
    with pytest.raises(InputError) as caught:
        Frontier(size, LEAVES[:count])
    assert caught.value.code == "bad-frontier"


@pytest.mark.parametrize("size", SIZES[1:])
def test_inclusion_proofs(size: int) -> None:
    """Every leaf of every tree is proven as RFC 6962 says, after one read."""
    for index in range(size):
        reader = Reader(size)
        proof = prove_inclusion(index, size, reader)
        assert proof == naive.path(index, DATA[:size])
        assert reader.calls == (1 if size > 1 else 0)
        check_inclusion(index, size, LEAVES[index], proof, ROOTS[size])


@pytest.mark.parametrize("size", SIZES[1:])
def test_spoiled_inclusion_proofs(size: int) -> None:
    """Every hash changed, removed or added, another leaf or root: all refused."""
    for index in range(size):
        proof = naive.path(index, DATA[:size])
        leaf, root = LEAVES[index], ROOTS[size]
        for spoiled in mutations(proof):
            assert not inclusion_holds(index, size, leaf, spoiled, root)
        assert not inclusion_holds(index, size, leaf_hash(b"?"), proof, root)
        assert not inclusion_holds(index, size, leaf[:31], proof, root)
        assert not inclusion_holds(index, size, leaf, proof, ROOTS[size - 1])
        assert not inclusion_holds(index, size, leaf, proof, b"")


@pytest.mark.parametrize("size", range(1, 34))
def test_an_inclusion_proof_is_for_one_place(size: int) -> None:
    """A leaf is not accepted at another index, in the tree or beyond it."""
    for index in range(size):
        proof = naive.path(index, DATA[:size])
        for claimed in (-1, *range(size), size, size + 1, 2**64):
            holds = inclusion_holds(claimed, size, LEAVES[index], proof, ROOTS[size])
            assert holds == (claimed == index)


def test_bytes_do_not_wander_between_the_hashes_of_a_proof() -> None:
    """Hashes of 31 and 33 bytes join to the same 64, and are refused."""
    left, right = LEAVES[:2]
    joined = left + right
    for cut in (31, 33):
        spoiled = (joined[:cut], joined[cut:])
        assert node_hash(*spoiled) == ROOTS[2]
        assert not inclusion_holds(0, 2, spoiled[0], [spoiled[1]], ROOTS[2])


@pytest.mark.parametrize("new_size", SIZES)
def test_consistency_proofs(new_size: int) -> None:
    """From every size to every larger one, as RFC 6962 says, after one read."""
    for old_size in range(new_size + 1):
        reader = Reader(new_size)
        proof = prove_consistency(old_size, new_size, reader)
        assert proof == naive.consistency(old_size, DATA[:new_size])
        assert reader.calls == (1 if 0 < old_size < new_size else 0)
        check_consistency(old_size, new_size, proof, ROOTS[old_size], ROOTS[new_size])


@pytest.mark.parametrize("new_size", SIZES)
def test_spoiled_consistency_proofs(new_size: int) -> None:
    """Every hash changed, removed or added, other roots or sizes: all refused."""
    for old_size in range(new_size + 1):
        proof = naive.consistency(old_size, DATA[:new_size])
        old, new = ROOTS[old_size], ROOTS[new_size]
        for spoiled in mutations(proof):
            assert not consistency_holds(old_size, new_size, spoiled, old, new)
        assert not consistency_holds(old_size, new_size, proof, bytes(32), new)
        assert not consistency_holds(old_size, new_size, proof, old[:31], new)
        assert not consistency_holds(old_size, new_size, proof, old, new[:31])
        assert not consistency_holds(new_size + 1, new_size, proof, new, new)
        assert not consistency_holds(-1, new_size, proof, old, new)
        if old_size > 0:
            assert not consistency_holds(old_size, new_size, proof, old, bytes(32))
        if old_size < new_size:
            assert not consistency_holds(old_size, new_size, proof, new, old)
            assert not consistency_holds(new_size, old_size, proof, new, old)


@pytest.mark.parametrize("new_size", range(2, 20))
def test_a_fork_has_no_consistency_proof(new_size: int) -> None:
    """A tree that differs in one old leaf is not proven by either tree's proof."""
    for old_size in range(1, new_size):
        for changed in range(old_size):
            forked = [*DATA[:changed], b"forked", *DATA[changed + 1 : new_size]]
            old, new = ROOTS[old_size], naive.root(forked)
            for proof in (
                naive.consistency(old_size, DATA[:new_size]),
                naive.consistency(old_size, forked),
            ):
                assert not consistency_holds(old_size, new_size, proof, old, new)


def test_the_empty_tree() -> None:
    """Its root is H(""), everything extends it, and it holds nothing."""
    assert subtree_root([]) == Frontier().root() == tree_root(0, Reader(0))
    assert ROOTS[0] == EMPTY_ROOT
    assert consistency_holds(0, 5, [], EMPTY_ROOT, ROOTS[5])
    assert not consistency_holds(0, 5, [], ROOTS[5], ROOTS[5])
    assert not consistency_holds(0, 5, [EMPTY_ROOT], EMPTY_ROOT, ROOTS[5])
    assert not inclusion_holds(0, 0, EMPTY_ROOT, [], EMPTY_ROOT)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (6, 5), (-1, 5)])
def test_no_proof_of_a_leaf_beyond_the_tree(index: int, size: int) -> None:
    """Asking for a leaf that is not there is the caller's mistake."""
    with pytest.raises(InputError) as caught:
        prove_inclusion(index, size, Reader(size))
    assert caught.value.code == "beyond-tree"


@pytest.mark.parametrize(("old_size", "new_size"), [(-1, 5), (6, 5)])
def test_no_proof_from_a_larger_tree(old_size: int, new_size: int) -> None:
    """A tree does not shrink."""
    with pytest.raises(InputError) as caught:
        prove_consistency(old_size, new_size, Reader(10))
    assert caught.value.code == "beyond-tree"


def test_a_reader_that_loses_nodes_is_a_bug() -> None:
    """Too few hashes never become a proof."""
    with pytest.raises(InvariantError):
        prove_inclusion(3, 7, lambda nodes: [bytes(32)] * (len(nodes) - 1))


@given(st.integers(2, 2**63 - 1), st.data())
def test_proofs_of_huge_trees_are_short(size: int, data: st.DataObject) -> None:
    """No size makes the plan long: at most 63 hashes, whatever is claimed."""
    index = data.draw(st.integers(0, size - 1))
    proof = prove_inclusion(index, size, lambda nodes: [bytes(32) for _ in nodes])
    assert len(proof) <= 63
    assert not inclusion_holds(index, size, LEAVES[0], proof, ROOTS[1])
    old = data.draw(st.integers(0, size))
    proof = prove_consistency(old, size, lambda nodes: [bytes(32) for _ in nodes])
    assert len(proof) <= 64


@given(st.lists(st.binary(max_size=3), max_size=40), st.integers(0, 40))
def test_any_leaves_any_split(leaves: list[bytes], at: int) -> None:
    """Doubled and empty leaves fold as the definition says, in any two batches."""
    hashes = [leaf_hash(data) for data in leaves]
    frontier = Frontier()
    frontier.extend(hashes[:at])
    frontier.extend(hashes[at:])
    assert frontier.root() == subtree_root(hashes) == naive.root(leaves)
