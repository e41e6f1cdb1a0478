"""Manifests for tests, built the slow way: leaf by leaf, without the builder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.entry.manifest import Built
from ledger.entry.manifest import Header
from ledger.entry.manifest import Line
from ledger.entry.manifest import header_leaf
from ledger.entry.manifest import plain_leaf
from ledger.entry.manifest import salt
from ledger.entry.manifest import sealed_leaf
from ledger.tlog.merkle import leaf_hash
from ledger.tlog.merkle import node_hash
from ledger.tlog.merkle import prove_inclusion
from ledger.tlog.merkle import subtree_root
from ledger.tlog.tiles import TILE_WIDTH
from ledger.tlog.tiles import format_bundle

MANIFEST_KEY = bytes(range(32))


def header(order: str = "external", *, sealed: bool = False) -> Header:
    """Make the header of an event that these tests imagine."""
    author, log = bytes([1] * 16), bytes([2] * 32)
    return Header(author, bytes([3] * 16), "dataset/recordings", log, order, sealed)


def lines(count: int) -> list[Line]:
    """Make lines that ascend by `external`, and by nothing else."""
    return [
        {
            "external": f"demo:{number:06d}",
            "gross": (number * 7_919) % 1_000,
            "party": bytes([number * 31 % 251] * 16),
        }
        for number in range(count)
    ]


@dataclass
class Manifest:
    """A manifest with all its leaves at hand."""

    header: Header
    leaves: list[bytes]

    @property
    def size(self) -> int:
        return len(self.leaves)

    @property
    def root(self) -> bytes:
        return subtree_root([leaf_hash(leaf) for leaf in self.leaves])

    @property
    def bundles(self) -> list[bytes]:
        starts = range(0, self.size, TILE_WIDTH)
        return [format_bundle(self.leaves[at : at + TILE_WIDTH]) for at in starts]

    def signed(self, **totals: int) -> Built:
        return Built(self.size - 1, self.root, totals)

    def proof(self, index: int) -> list[bytes]:
        """The audit path of a leaf, of the tree as it is."""
        return prove_inclusion(
            index, self.size, lambda nodes: [self._node(*node) for node in nodes]
        )

    def _node(self, level: int, index: int) -> bytes:
        if level == 0:
            return leaf_hash(self.leaves[index])
        left, right = 2 * index, 2 * index + 1
        return node_hash(self._node(level - 1, left), self._node(level - 1, right))


def make_manifest(
    content: Sequence[Line], order: str = "external", *, sealed: bool = False
) -> Manifest:
    """Make a manifest of lines as they are, ordered or not."""
    made = header(order, sealed=sealed)
    leaves = [header_leaf(made)]
    for index, line in enumerate(content, 1):
        if sealed:
            leaves.append(sealed_leaf(salt(MANIFEST_KEY, index), line))
        else:
            leaves.append(plain_leaf(line))
    return Manifest(made, leaves)
