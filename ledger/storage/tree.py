"""Which nodes of a tree are kept, and how the others follow from them.

A proof asks for the hashes of perfect subtrees, the *nodes* (level, index) of an
RFC 6962 tree. Leaf hashes (level 0) are kept with the leaves; above them, levels
4, 8, 12 … are kept as rows: 1 for 15 leaves. Any other node is folded from at most
8 kept ones, so a proof in a log of 1,000,000 entries reads some 75 rows. Nodes
never change, hence they are written once, when their last leaf is.

>>> leaves = [bytes([i]) * 32 for i in range(16)]
>>> nodes = {(0, i): leaf for i, leaf in enumerate(leaves)}
>>> read = lambda level, start, stop: [nodes[level, i] for i in range(start, stop)]
>>> [(level, index)] = [node[:2] for node in grow(0, 0, leaves, read)]
>>> level, index
(4, 0)
>>> node_of(1, 7, read) == fold(leaves[14:])
True
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from hashlib import sha256

from ledger.errors import InvariantError

STEP = 4
"""Levels from one kept level to the next."""

FAMILY = 1 << STEP
"""Kept nodes below a kept node."""

BUNDLE_LEVEL = 8
"""A full entry bundle holds the 256 leaves below a node of this level."""

BUNDLE_WIDTH = 1 << BUNDLE_LEVEL

HASH_LENGTH = 32

LOG_TREE = b""
"""Names the log's tree beside those of manifests, which are named by their roots."""

LevelReader = Callable[[int, int, int], list[bytes]]
"""Reads the kept nodes [start, stop) of a level; fewer if they aren't there yet."""


def fold(hashes: Sequence[bytes]) -> bytes:
    """Hash the nodes of a perfect subtree's level up to its root."""
    level = hashes
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=True)
        level = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
    return level[0]


def grow(
    level: int, first: int, hashes: Sequence[bytes], read: LevelReader
) -> Iterator[tuple[int, int, bytes]]:
    """Yield the nodes to keep that new nodes complete, level by level.

    Args:
        level: the level of the new nodes, a kept one.
        first: the index of the first new node.
        hashes: the new nodes.
        read: gives the older ones.
    """
    while hashes:
        start = first - first % FAMILY
        family = [*read(level, start, first), *hashes]
        whole = len(family) // FAMILY
        hashes = [fold(family[i * FAMILY : (i + 1) * FAMILY]) for i in range(whole)]
        level, first = level + STEP, start // FAMILY
        for index, node in enumerate(hashes, first):
            yield level, index, node


def node_of(level: int, index: int, read: LevelReader) -> bytes:
    """Read a node, or fold it from the kept ones nearest below.

    Raises:
        InvariantError: `no-such-node`: leaves below it aren't there.
    """
    width = 1 << level % STEP
    found = read(level - level % STEP, index * width, (index + 1) * width)
    if len(found) != width:
        raise InvariantError(
            "no-such-node", f"node {index} of level {level} is not complete"
        )
    return fold(found)


def split_hashes(joined: bytes) -> list[bytes]:
    """Take joined hashes apart.

    Raises:
        InvariantError: `hash-length`.
    """
    if len(joined) % HASH_LENGTH:
        raise InvariantError(
            "hash-length", f"{len(joined)} bytes are no whole number of hashes"
        )
    return [joined[i : i + HASH_LENGTH] for i in range(0, len(joined), HASH_LENGTH)]


def read_bundle_level(hashes: bytes, level: int, start: int, stop: int) -> list[bytes]:
    """Read nodes below bundle level out of the one bundle that holds them.

    Args:
        hashes: the bundle's leaf hashes, joined.
        level: below `BUNDLE_LEVEL`.
        start: index of the first node, within the whole tree.
        stop: index after the last; in the same bundle.
    """
    first = (start << level) % BUNDLE_WIDTH
    last = first + (stop - start << level)
    leaves = split_hashes(hashes[first * HASH_LENGTH : last * HASH_LENGTH])
    width = 1 << level
    whole = len(leaves) // width
    return [fold(leaves[i * width : (i + 1) * width]) for i in range(whole)]


def check_bundle(n: int, hashes: bytes, previous: bytes | None) -> list[bytes]:
    """Check that a bundle may follow, and take its leaf hashes apart.

    Args:
        n: its number.
        hashes: its leaf hashes, joined.
        previous: those of bundle n - 1, if there.

    Raises:
        InvariantError: `bundle-order`, `hash-length`.
    """
    leaves = split_hashes(hashes)
    if not 1 <= len(leaves) <= BUNDLE_WIDTH:
        raise InvariantError("hash-length", f"bundle {n} holds {len(leaves)} leaves")
    full = BUNDLE_WIDTH * HASH_LENGTH
    if n > 0 and (previous is None or len(previous) != full):
        raise InvariantError("bundle-order", f"no full bundle {n - 1} before {n}")
    return leaves
