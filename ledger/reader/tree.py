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
from itertools import islice

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
from ledger.reader.fetch import PARALLEL
from ledger.reader.fetch import Fetched
from ledger.reader.fetch import Fetcher
from ledger.tlog.merkle import prove_consistency
from ledger.tlog.merkle import prove_inclusion
from ledger.tlog.tiles import TILE_WIDTH
from ledger.tlog.tiles import Tile
from ledger.tlog.tiles import node_reader

AHEAD, AHEAD_MAX = 16, PARALLEL
"""Bundles that are fetched while others are verified: at first, and at most."""
AHEAD_BYTES = 1 << 26
"""So many bytes may wait to be verified, if what comes is as long as what came."""
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
        self._coming: dict[Tile, Future[Fetched]] = {}
        self._bundles: dict[Tile, Future[Fetched]] = {}
        self._edge: dict[Tile, Hashes] | None = None
        self._full: OrderedDict[Tile, Hashes] = OrderedDict()

    def begin(self, bundles_max: int) -> int:
        """Begin to fetch what reading from the first leaf on takes.

        Args:
            bundles_max: how many bundles to fetch at most.

        Returns:
            How many are being fetched.
        """
        for tile in edge_tiles(self.size):
            self._fetch(tile)
        wanted = islice(windows(0, self.size, self.size), bundles_max)
        for tile, _, _ in wanted:
            self._bundles[tile] = self._fetcher.bundle(tile)
        return len(self._bundles)

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
        ahead = AHEAD
        try:
            while True:
                for tile, first, end in islice(wanted, max(0, ahead + 1 - len(coming))):
                    coming.append((tile, first, end, self._begin(tile)))
                if not coming:
                    return
                leaves, length = self._next(coming[0][0], coming[0][3])
                _, first, end, _ = coming.popleft()
                yield from leaves[first:end]
                ahead = max(1, min(AHEAD_MAX, ahead + 1, AHEAD_BYTES // (length + 1)))
        finally:
            for *_, future in coming:
                future.cancel()

    def _begin(self, tile: Tile) -> Future[Fetched]:
        """Begin to fetch a bundle, and the tile that it will be held against."""
        begun = self._bundles.pop(tile, None) or self._fetcher.bundle(tile)
        if tile.width == TILE_WIDTH:
            parent = parent_of(tile, self.size)
            if parent.width == TILE_WIDTH and parent not in self._full:
                self._fetch(parent)
        return begun

    def _fetch(self, tile: Tile) -> None:
        if tile not in self._coming:
            self._coming[tile] = self._fetcher.tile(tile)

    def _next(self, tile: Tile, future: Future[Fetched]) -> tuple[list[bytes], int]:
        """Give the leaves of a bundle, and its length in bytes."""
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
        return leaves, len(fetched.data)

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
        for tile, fetched in zip(missing, self._fetched(missing), strict=True):
            known[tile] = self._accept(tile, fetched, known[parent_of(tile, self.size)])
        return [known[tile] for tile in tiles]

    def _fetched(self, tiles: Sequence[Tile], *, anew: bool = False) -> list[Fetched]:
        """Fetch tiles, all at once."""
        coming = []
        for tile in tiles:
            begun = self._coming.pop(tile) if tile in self._coming else None
            known = None if anew else begun
            coming.append(known or self._fetcher.tile(tile, anew=anew))
        return [each.result() for each in coming]

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
            fetched = self._fetched([tile], anew=True)[0]
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
        fetched = self._fetched(tiles, anew=anew)
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
