"""The hashes of a verified log, by tile, at any size that it had.

Leaf hashes lie in a spool; above them one hash is kept for every 256 entries,
so memory grows by an eighth of a byte an entry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.tlog.merkle import subtree_root
from ledger.tlog.tiles import TILE_WIDTH

if TYPE_CHECKING:
    from ledger.audit.spool import HashSpool


class VerifiedTree:
    """The tree over the entries that an audit has verified.

    Args:
        spool: where their leaf hashes go.
    """

    def __init__(self, spool: HashSpool) -> None:
        self._spool = spool
        self._upper: list[list[bytes]] = [[]]
        self._pending: list[bytes] = []

    @property
    def size(self) -> int:
        """How many entries there are."""
        return self._spool.size

    def root(self) -> bytes:
        """Root of the tree so far."""
        # Eight levels up, a tree is its full tiles and what stands beside them.
        rest = [subtree_root(self._pending)] if self._pending else []
        return subtree_root(self._upper[0] + rest)

    def root_at(self, size: int) -> bytes:
        """Root of the tree over the first `size` entries, which are there."""
        full = size // TILE_WIDTH
        rest = self._spool.slice(full * TILE_WIDTH, size)
        hashes = [rest[at : at + 32] for at in range(0, len(rest), 32)]
        return subtree_root(
            self._upper[0][:full] + ([subtree_root(hashes)] if hashes else [])
        )

    def extend(self, hashes: list[bytes]) -> None:
        """Add the leaf hashes of the entries that follow."""
        self._spool.extend(b"".join(hashes))
        self._pending += hashes
        full = len(self._pending) // TILE_WIDTH * TILE_WIDTH
        for start in range(0, full, TILE_WIDTH):
            self._add(0, subtree_root(self._pending[start : start + TILE_WIDTH]))
        del self._pending[:full]

    def _add(self, level: int, root: bytes) -> None:
        if level == len(self._upper):
            self._upper.append([])
        row = self._upper[level]
        row.append(root)
        if len(row) % TILE_WIDTH == 0:
            self._add(level + 1, subtree_root(row[-TILE_WIDTH:]))

    def tile(self, level: int, index: int, width: int) -> bytes | None:
        """Give the first `width` hashes of a tile; None if the log is shorter."""
        start = index * TILE_WIDTH
        if level == 0:
            found = self._spool.slice(start, min(start + width, self.size))
            return found if len(found) == 32 * width else None
        if level > len(self._upper):
            return None
        hashes = self._upper[level - 1][start : start + width]
        return b"".join(hashes) if len(hashes) == width else None
