"""Fetching tiles and bundles, several at once, from a cache or else from the source.

A partial tile is gone from a log that has grown beyond it: its hashes are then cut
from the full tile, and the rest of that tile is forgotten unread.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ledger.errors import FormatError
from ledger.errors import UnverifiableError
from ledger.errors import VerificationError
from ledger.reader.cache import Cache
from ledger.reader.source import Source
from ledger.tlog.merkle import HASH_LENGTH
from ledger.tlog.tiles import LEAF_LENGTH_MAX
from ledger.tlog.tiles import TILE_WIDTH
from ledger.tlog.tiles import Tile
from ledger.tlog.tiles import format_bundle
from ledger.tlog.tiles import format_bundle_path
from ledger.tlog.tiles import format_tile_path
from ledger.tlog.tiles import parse_bundle

PARALLEL = 32
"""Files read at once: at 50 ms each, some 160,000 entries a second."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """Bytes of a file, unverified.

    Args:
        path: of the file.
        data: the bytes.
        cached: whether they come out of the cache.
    """

    path: str
    data: bytes
    cached: bool


@dataclass(frozen=True, slots=True)
class _File:
    """A file to fetch: of a tile or of a bundle."""

    tile: Tile
    format_path: Callable[[Tile], str]
    unit_bytes: int
    cut: Callable[[bytes, int], bytes]


class Fetcher:
    """Fetches the files of one tree.

    Args:
        source: of the files.
        cache: asked first; None for none.
        pool: whose threads read.
        prefix: of the tree's paths, such as ``manifest/<root>/``.
    """

    def __init__(
        self,
        source: Source,
        cache: Cache | None,
        pool: ThreadPoolExecutor,
        prefix: str = "",
    ) -> None:
        self._source = source
        self._cache = cache
        self._pool = pool
        self._prefix = prefix

    def tile(self, tile: Tile, *, anew: bool = False) -> Future[Fetched]:
        """Begin to fetch a tile, at the width that it is wanted in.

        Args:
            tile: of any level.
            anew: whether to leave the cache aside.
        """
        file = _File(tile, format_tile_path, HASH_LENGTH, _cut_tile)
        return self._pool.submit(self._read, file, anew=anew)

    def bundle(self, tile: Tile, *, anew: bool = False) -> Future[Fetched]:
        """Begin to fetch the bundle under a tile of level 0."""
        unit_bytes = LEAF_LENGTH_MAX + 2
        file = _File(tile, _bundle_path, unit_bytes, _cut_bundle)
        return self._pool.submit(self._read, file, anew=anew)

    def keep(self, fetched: Fetched) -> None:
        """Write to the cache what has been found right."""
        if self._cache is not None and not fetched.cached:
            self._cache.write(fetched.path, fetched.data)

    def _read(self, file: _File, *, anew: bool) -> Fetched:
        tile = file.tile
        path = self._prefix + file.format_path(tile)
        bytes_max = tile.width * file.unit_bytes
        if self._cache is not None and not anew:
            data = self._cache.read(path, bytes_max)
            if data is not None:
                return Fetched(path, data, cached=True)
        try:
            data = self._source.get(path, bytes_max)
        except UnverifiableError as error:
            if error.code != "not-found" or tile.width == TILE_WIDTH:
                raise
            data = self._read_full(file, error)
        return Fetched(path, data, cached=False)

    def _read_full(self, file: _File, missing: UnverifiableError) -> bytes:
        path = self._prefix + file.format_path(Tile(file.tile.level, file.tile.index))
        try:
            data = self._source.get(path, TILE_WIDTH * file.unit_bytes)
        except UnverifiableError as error:
            # It is the partial one that should be there.
            raise (missing if error.code == "not-found" else error) from None
        try:
            return file.cut(data, file.tile.width)
        except FormatError as error:
            raise VerificationError(
                "tile-mismatch", f"{path}: {error.message}"
            ) from None


def _bundle_path(tile: Tile) -> str:
    return format_bundle_path(tile.index, tile.width)


def _cut_tile(data: bytes, width: int) -> bytes:
    if len(data) != TILE_WIDTH * HASH_LENGTH:
        raise FormatError("bad-tile", f"a full tile does not have {len(data)} bytes")
    return data[: width * HASH_LENGTH]


def _cut_bundle(data: bytes, width: int) -> bytes:
    return format_bundle(parse_bundle(data, TILE_WIDTH)[:width])
