"""Merkle trees of RFC 6962 §2.1: roots, inclusion and consistency proofs.

    MTH()  = H("")      MTH(d) = H(00 ‖ d)      H = SHA-256
    MTH(D) = H(01 ‖ MTH(D[:k]) ‖ MTH(D[k:]))    k: largest power of two below n

          ┌───┴───┐
        ┌─┴─┐     │       a tree of size 3: node (1, 0) joins leaves 0 and 1
        0   1     2

A *node* (level, index) is the root of a perfect subtree: the one over leaves
index·2**level up to (index + 1)·2**level. Nodes never change once they are there.
Every proof is planned as ranges of leaves, the ranges are split into nodes, the
nodes are read with ONE call, and the hashes are folded. A proof lists its hashes
from the leaves to the root. The checkers follow the same plan from the sizes that
the verifier trusts; nothing about the shape of a tree is taken from a proof.

>>> leaves = [leaf_hash(data) for data in (b"a", b"b", b"c")]
>>> root = subtree_root(leaves)
>>> read = lambda nodes: [leaves[index] for level, index in nodes if level == 0]
>>> proof = prove_inclusion(1, 2, read)
>>> check_inclusion(1, 2, leaves[1], proof, subtree_root(leaves[:2]))
>>> check_consistency(2, 3, [leaves[2]], subtree_root(leaves[:2]), root)
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from hashlib import sha256
from typing import TYPE_CHECKING

from ledger.errors import InputError
from ledger.errors import InvariantError
from ledger.errors import VerificationError

if TYPE_CHECKING:
    from hashlib import _Hash

HASH_LENGTH = 32
EMPTY_ROOT = sha256(b"").digest()
_LEAF = sha256(b"\x00")
_NODE = sha256(b"\x01")

Node = tuple[int, int]
"""(level, index) of a perfect subtree."""

NodeReader = Callable[[Sequence[Node]], list[bytes]]
"""Gives the hashes of nodes, in the order asked for."""

_Range = tuple[int, int]


def leaf_hash(data: bytes) -> bytes:
    """Hash the data of a leaf."""
    hasher = _LEAF.copy()
    hasher.update(data)
    return hasher.digest()


def leaf_hashes(leaves: Iterable[bytes]) -> list[bytes]:
    """Hash the data of many leaves."""
    return _hash_each(_LEAF, leaves)


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two sibling subtrees."""
    return sha256(b"\x01" + left + right).digest()


def subtree_root(hashes: Sequence[bytes]) -> bytes:
    """Fold hashes of one level, leftmost first, to the root above them.

    A subtree without a right sibling moves up unchanged, which is the same tree
    as the recursive definition.
    """
    if not hashes:
        return EMPTY_ROOT
    level = list(hashes)
    while len(level) > 1:
        unpaired = level[-1:] if len(level) % 2 == 1 else []
        level = _pair(level) + unpaired
    return level[0]


@dataclass(slots=True)
class Frontier:
    """The right edge of a growing tree: all that appending needs.

    Args:
        size: number of leaves.
        hashes: roots of the perfect subtrees that a tree of that size splits
            into, largest first; as many as ``size`` has bits set.

    Raises:
        InputError: ``bad-frontier`` if the hashes don't fit the size.

    >>> frontier = Frontier()
    >>> frontier.extend([leaf_hash(b"a"), leaf_hash(b"b"), leaf_hash(b"c")])
    >>> frontier.size, len(frontier.hashes)
    (3, 2)
    """

    size: int = 0
    hashes: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.hashes = list(self.hashes)
        if self.size < 0 or self.size.bit_count() != len(self.hashes):
            raise InputError(
                "bad-frontier",
                f"{len(self.hashes)} hashes for a tree of size {self.size}",
            )

    def append(self, leaf_hash: bytes) -> None:
        """Add one leaf."""
        joined, size = leaf_hash, self.size
        while size % 2 == 1:
            joined = node_hash(self.hashes.pop(), joined)
            size //= 2
        self.hashes.append(joined)
        self.size += 1

    def extend(self, leaf_hashes: Iterable[bytes]) -> None:
        """Add leaves, level by level: one hash and no more for each new node."""
        level = list(leaf_hashes)
        size = self.size
        self.size += len(level)
        edge: list[bytes] = []
        while level:
            if size % 2 == 1:
                level.insert(0, self.hashes.pop())
            if len(level) % 2 == 1:
                edge.append(level.pop())
            level = _pair(level)
            size //= 2
        self.hashes.extend(reversed(edge))

    def root(self) -> bytes:
        """Compute the root of the tree as it is."""
        return _join(self.hashes) if self.hashes else EMPTY_ROOT

    def copy(self) -> Frontier:
        """Make a frontier that grows on its own."""
        return Frontier(self.size, self.hashes)


def tree_root(size: int, read: NodeReader) -> bytes:
    """Compute the root of the tree of the first ``size`` leaves."""
    return _read_ranges([(0, size)], read)[0] if size > 0 else EMPTY_ROOT


def prove_inclusion(index: int, size: int, read: NodeReader) -> list[bytes]:
    """Make the audit path of a leaf (RFC 6962 §2.1.1).

    Raises:
        InputError: ``beyond-tree`` if there is no such leaf.
    """
    if not 0 <= index < size:
        raise InputError(
            "beyond-tree", f"there is no leaf {index} in a tree of size {size}"
        )
    return _read_ranges(_inclusion_ranges(index, size), read)


def check_inclusion(
    index: int, size: int, leaf_hash: bytes, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that a leaf is in a tree.

    Args:
        index: of the leaf, from 0.
        size: of the tree; from what the verifier trusts, never from the proof.
        leaf_hash: 32 bytes.
        proof: what ``prove_inclusion`` makes.
        root: of the tree.

    Raises:
        VerificationError: ``bad-inclusion-proof``.
    """
    if not 0 <= index < size:
        raise _bad_inclusion(f"there is no leaf {index} in a tree of size {size}")
    ranges = _inclusion_ranges(index, size)
    if not _are_hashes([leaf_hash, *proof]) or len(proof) != len(ranges):
        raise _bad_inclusion(
            f"leaf {index} of {size} needs {len(ranges)} hashes of 32 bytes"
        )
    computed = leaf_hash
    for (start, _), sibling in zip(ranges, proof, strict=True):
        if start < index:
            computed = node_hash(sibling, computed)
        else:
            computed = node_hash(computed, sibling)
    if computed != root:
        raise _bad_inclusion(f"leaf {index} of {size} does not lead to the root")


def prove_consistency(old_size: int, new_size: int, read: NodeReader) -> list[bytes]:
    """Make the proof that a tree only grew (RFC 6962 §2.1.2).

    It is empty for equal sizes, and from the empty tree.

    Raises:
        InputError: ``beyond-tree`` if the old size is the larger one.
    """
    if not 0 <= old_size <= new_size:
        raise InputError(
            "beyond-tree", f"a tree of size {new_size} does not hold {old_size} leaves"
        )
    if old_size in {0, new_size}:
        return []
    seed, path = _consistency_path(old_size, new_size)
    # A seed that is the whole old tree is known to the verifier: its root.
    ranges = path if seed == (0, old_size) else [seed, *path]
    return _read_ranges(ranges, read)


def check_consistency(
    old_size: int,
    new_size: int,
    proof: Sequence[bytes],
    old_root: bytes,
    new_root: bytes,
) -> None:
    """Check that the new tree holds the old one as its beginning.

    Args:
        old_size: of the old tree; every tree extends the empty one, of root H("").
        new_size: of the new tree; from what the verifier trusts, like ``old_size``.
        proof: what ``prove_consistency`` makes.
        old_root: of the old tree.
        new_root: of the new tree.

    Raises:
        VerificationError: ``bad-consistency-proof``.
    """
    if not 0 <= old_size <= new_size:
        raise _bad_consistency(f"size {old_size} can't grow to {new_size}")
    if old_size == 0 and old_root != EMPTY_ROOT:
        raise _bad_consistency("the root of the empty tree is another")
    if old_size in {0, new_size}:
        _check_trivial_consistency(old_size, new_size, proof, old_root, new_root)
        return
    seed, path = _consistency_path(old_size, new_size)
    hashes = [old_root, *proof] if seed == (0, old_size) else list(proof)
    if not _are_hashes([*hashes, new_root]) or len(hashes) != 1 + len(path):
        raise _bad_consistency(
            f"{len(proof)} hashes can't lead from size {old_size} to {new_size}"
        )
    old = new = hashes[0]
    for (start, _), sibling in zip(path, hashes[1:], strict=True):
        if start < seed[0]:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
        else:
            new = node_hash(new, sibling)
    if (old, new) != (old_root, new_root):
        raise _bad_consistency(f"size {old_size} does not grow to {new_size}")


def _check_trivial_consistency(
    old_size: int,
    new_size: int,
    proof: Sequence[bytes],
    old_root: bytes,
    new_root: bytes,
) -> None:
    if proof:
        raise _bad_consistency(
            f"from size {old_size} to {new_size} the proof has to be empty"
        )
    if old_size == new_size and old_root != new_root:
        raise _bad_consistency(f"two roots for one size, {old_size}")
    if old_size < new_size and not _are_hashes([new_root]):
        raise _bad_consistency("the new root is not 32 bytes long")


def _pair(level: Sequence[bytes]) -> list[bytes]:
    """Hash neighbours to the level above; an odd last one is left out."""
    hashes = iter(level)
    joined = [left + right for left, right in zip(hashes, hashes, strict=False)]
    return _hash_each(_NODE, joined)


def _hash_each(prefix: _Hash, parts: Iterable[bytes]) -> list[bytes]:
    """Hash each part behind the same prefix."""
    hashes: list[bytes] = []
    start, append = prefix.copy, hashes.append
    for part in parts:
        # A copy takes less time than to look the algorithm up for each hash.
        hasher = start()
        hasher.update(part)
        append(hasher.digest())
    return hashes


def _join(hashes: Sequence[bytes]) -> bytes:
    """Fold adjacent perfect subtrees, largest first, to the root over all."""
    joined = hashes[-1]
    for left in reversed(hashes[:-1]):
        joined = node_hash(left, joined)
    return joined


def _split(size: int) -> int:
    """Give the largest power of two below a size of at least 2."""
    return 1 << ((size - 1).bit_length() - 1)


def _inclusion_ranges(index: int, size: int) -> list[_Range]:
    """Plan the siblings on the way from a leaf to the root."""
    start, end = 0, size
    ranges = []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    ranges.reverse()
    return ranges


def _consistency_path(old_size: int, new_size: int) -> tuple[_Range, list[_Range]]:
    """Plan the way from the seed to the root of the new tree.

    The seed is the largest subtree of the new tree that ends where the old tree
    does. Siblings on its left belong to both trees, those on its right to the new.
    """
    start, end = 0, new_size
    ranges = []
    while end != old_size:
        middle = start + _split(end - start)
        if old_size <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    ranges.reverse()
    return (start, end), ranges


def _nodes_of(leaves: _Range) -> list[Node]:
    """Split a range of leaves into nodes, largest first.

    The planned ranges start at a multiple of the power of two that holds them, so
    the first node is always aligned.
    """
    start, end = leaves
    nodes = []
    while start < end:
        level = (end - start).bit_length() - 1
        nodes.append((level, start >> level))
        start += 1 << level
    return nodes


def _read_ranges(ranges: Sequence[_Range], read: NodeReader) -> list[bytes]:
    """Read all nodes at once, and join them to one hash for each range."""
    plan = [_nodes_of(leaves) for leaves in ranges]
    wanted = [node for nodes in plan for node in nodes]
    hashes = read(wanted) if wanted else []
    if len(hashes) != len(wanted):
        message = f"{len(hashes)} hashes were read for {len(wanted)} nodes"
        raise InvariantError("node-reader", message)
    remaining = iter(hashes)
    return [_join([next(remaining) for _ in nodes]) for nodes in plan]


def _are_hashes(values: Iterable[bytes]) -> bool:
    # Other lengths would let bytes wander over the border of two hashes.
    return all(len(value) == HASH_LENGTH for value in values)


def _bad_inclusion(message: str) -> VerificationError:
    return VerificationError(
        "bad-inclusion-proof",
        message,
        hint="the leaf, the proof or the checkpoint is another log's or was changed",
    )


def _bad_consistency(message: str) -> VerificationError:
    return VerificationError(
        "bad-consistency-proof",
        message,
        hint="keep both checkpoints: if both are signed, they may show a fork",
    )
