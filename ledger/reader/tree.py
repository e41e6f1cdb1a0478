"""A tree read through its tiles, with nothing in them believed before it is checked.

What is fetched together is checked from the top down, and kept, in memory and in the
cache, only after that. Bundles need no tile of level 0: their leaves are hashed here,
and held against the hash two steps up.
"""

from __future__ import annotations

from collections import OrderedDict
from collections import deque
from collections.abc import Iterator
from collections.abc import Sequence
from concurrent.futures import Future

from ledger.errors import InputError
from ledger.errors import VerificationError
from ledger.reader.authentic import Hashes
from ledger.reader.authentic import check_bundle
from ledger.reader.authentic import check_edge
from ledger.reader.authentic import check_tile
from ledger.reader.authentic import edge_tiles
from ledger.reader.authentic import parent_of
from ledger.reader.authentic import windows
from ledger.reader.authentic import with_parents
from ledger.reader.fetch import Fetched
from ledger.reader.fetch import Fetcher
from ledger.tlog.merkle import prove_consistency
from ledger.tlog.merkle import prove_inclusion
from ledger.tlog.tiles import TILE_WIDTH
from ledger.tlog.tiles import Tile
from ledger.tlog.tiles import node_reader

AHEAD = 16
"""Bundles that are fetched while others are verified."""
TILES_MAX = 1024
"""Tiles kept in memory, besides the edge: 8 KiB of hashes each."""


class AuthenticTree:
    """The tree under a size and root that the caller trusts.

    Args:
        size: number of leaves.
        root: 32 bytes.
        fetcher: of its files; tiles and bundles that hold are given back to its cache.
    """

    def __init__(self, size: int, root: bytes, fetcher: Fetcher) -> None:
        self.size = size
        self.root = root
        self._fetcher = fetcher
        self._edge: dict[Tile, Hashes] | None = None
        self._full: OrderedDict[Tile, Hashes] = OrderedDict()

    def leaves(self, start: int, stop: int) -> Iterator[bytes]:
        """Read the data of leaves, in order, fetching ahead.

        Raises:
            InputError: ``beyond-tree``.
            UnverifiableError: as `Source.get`.
            VerificationError: ``bundle-mismatch``, ``tile-mismatch`` or
                ``body-too-long``.
        """
        if not 0 <= start <= stop <= self.size:
            raise InputError(
                "beyond-tree",
                f"a tree of size {self.size} has no leaves {start} up to {stop}",
            )
        if start == stop:
            return
        coming: deque[tuple[Tile, int, int, Future[Fetched]]] = deque()
        wanted = windows(start, stop, self.size)
        try:
            for tile, first, end in wanted:
                coming.append((tile, first, end, self._fetcher.bundle(tile)))
                if len(coming) > AHEAD:
                    yield from self._next(*coming.popleft())
            while coming:
                yield from self._next(*coming.popleft())
        finally:
            for *_, future in coming:
                future.cancel()

    def _next(
        self, tile: Tile, first: int, end: int, future: Future[Fetched]
    ) -> list[bytes]:
        full = tile.width == TILE_WIDTH
        known = self.tiles([parent_of(tile, self.size) if full else tile])[0]
        fetched = future.result()
        try:
            leaves = check_bundle(tile, fetched.data, known)
        except VerificationError:
            if not fetched.cached:
                raise
            fetched = self._fetcher.bundle(tile, anew=True).result()
            leaves = check_bundle(tile, fetched.data, known)
        self._fetcher.keep(fetched)
        return leaves[first:end]

    def prove_inclusion(self, index: int) -> list[bytes]:
        """Make the inclusion proof of a leaf; as `merkle.prove_inclusion`."""
        return prove_inclusion(index, self.size, self._nodes)

    def prove_consistency(self, old_size: int) -> list[bytes]:
        """Make the proof that the tree grew; as `merkle.prove_consistency`."""
        return prove_consistency(old_size, self.size, self._nodes)

    def check(self) -> None:
        """Check that the partial tiles make the root; as `tiles`."""
        self._read_edge()

    def tiles(self, tiles: Sequence[Tile]) -> list[Hashes]:
        """Give the hashes of tiles, at the widths that they have in this tree.

        Raises:
            UnverifiableError: as `Source.get`.
            VerificationError: ``tile-mismatch`` or ``body-too-long``.
        """
        known: dict[Tile, Hashes] = {**self._read_edge()}
        wanted = with_parents(tiles, self.size)
        missing = []
        for tile in wanted:
            if tile in self._full:
                self._full.move_to_end(tile)
                known[tile] = self._full[tile]
            else:
                missing.append(tile)
        for tile, fetched in zip(missing, self._fetcher.tiles(missing), strict=True):
            known[tile] = self._accept(tile, fetched, known[parent_of(tile, self.size)])
        return [known[tile] for tile in tiles]

    def _nodes(self, nodes: Sequence[tuple[int, int]]) -> list[bytes]:
        return node_reader(self.size, self._read_tiles)(nodes)

    def _read_tiles(self, tiles: Sequence[Tile]) -> list[bytes]:
        return [b"".join(hashes) for hashes in self.tiles(tiles)]

    def _accept(self, tile: Tile, fetched: Fetched, parent: Hashes) -> Hashes:
        try:
            hashes = check_tile(tile, fetched.data, parent)
        except VerificationError:
            if not fetched.cached:
                raise
            fetched = self._fetcher.tiles([tile], anew=True)[0]
            hashes = check_tile(tile, fetched.data, parent)
        self._fetcher.keep(fetched)
        self._full[tile] = hashes
        if len(self._full) > TILES_MAX:
            self._full.popitem(last=False)
        return hashes

    def _read_edge(self) -> dict[Tile, Hashes]:
        if self._edge is None:
            self._edge = self._fetch_edge(anew=False)
        return self._edge

    def _fetch_edge(self, *, anew: bool) -> dict[Tile, Hashes]:
        tiles = edge_tiles(self.size)
        fetched = self._fetcher.tiles(tiles, anew=anew)
        found = {tile: each.data for tile, each in zip(tiles, fetched, strict=True)}
        try:
            edge = check_edge(self.size, self.root, found)
        except VerificationError:
            if not any(each.cached for each in fetched):
                raise
            return self._fetch_edge(anew=True)
        for each in fetched:
            self._fetcher.keep(each)
        return edge
