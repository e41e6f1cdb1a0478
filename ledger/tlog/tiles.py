r"""Tiles and entry bundles: a log as static files (C2SP tlog-tiles).

    tile/<level>/<index>[.p/<width>]      hashes       tile/0/x001/x234/067.p/12
    tile/entries/<index>[.p/<width>]      leaf data    tile/entries/000

A full tile holds 256 hashes of one level, a partial one on the right edge 1 to
255. Level 0 holds leaf hashes; a hash at any level above is the root of a *full*
tile of the level below, so nothing in a tile ever changes, it is only added to. A
bundle holds the leaf data under a tile of level 0, each after its length in two
bytes, big-endian.

>>> format_tile_path(Tile(level=0, index=1_234_067, width=12))
'tile/0/x001/x234/067.p/12'
>>> [format_tile_path(tile) for tile in tiles_of(257)]
['tile/0/000', 'tile/0/001.p/1', 'tile/1/000.p/1']
>>> format_bundle([b"ab", b""])
b'\x00\x02ab\x00\x00'
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass

from ledger.errors import FormatError
from ledger.errors import InputError
from ledger.tlog.merkle import HASH_LENGTH
from ledger.tlog.merkle import Node
from ledger.tlog.merkle import NodeReader
from ledger.tlog.merkle import subtree_root
from ledger.tlog.text import DECIMAL_MAX
from ledger.tlog.text import excerpt

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
LEAF_LENGTH_MAX = 0xFFFF

_LEVEL_MAX = 63
_PLACE = r"((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?"
_TILE_PATH = re.compile(rf"tile/([0-9]{{1,2}})/{_PLACE}")
_BUNDLE_PATH = re.compile(rf"tile/entries/{_PLACE}")


@dataclass(frozen=True, slots=True)
class Tile:
    """Coordinates of a tile.

    Args:
        level: 0 to 63, counted in tiles: 8 levels of the tree each.
        index: within the level.
        width: number of hashes, 1 to 256.

    Raises:
        FormatError: ``bad-tile``.
    """

    level: int
    index: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        if not (
            0 <= self.level <= _LEVEL_MAX
            and 0 <= self.index <= DECIMAL_MAX
            and 1 <= self.width <= TILE_WIDTH
        ):
            raise FormatError(
                "bad-tile",
                f"no tile has level {self.level}, index {self.index} and "
                f"width {self.width}",
            )


TileReader = Callable[[Sequence[Tile]], list[bytes]]
"""Gives the bytes of tiles, in the order asked for."""


def format_tile_path(tile: Tile) -> str:
    """Format the path of a tile, relative to the log's prefix."""
    return f"tile/{tile.level}/{_format_place(tile.index, tile.width)}"


def parse_tile_path(path: str) -> Tile:
    """Parse the path of a tile.

    Raises:
        FormatError: ``bad-tile-path`` if ``format_tile_path`` would not write it.
    """
    match = _TILE_PATH.fullmatch(path)
    if match is not None:
        level, index, width = match.groups()
        tile = _parse_place(int(level), index, width)
        # One spelling for each tile: caches and files are found by it.
        if tile is not None and format_tile_path(tile) == path:
            return tile
    raise _bad_path(path)


def format_bundle_path(index: int, width: int = TILE_WIDTH) -> str:
    """Format the path of an entry bundle, relative to the log's prefix."""
    tile = Tile(level=0, index=index, width=width)
    return f"tile/entries/{_format_place(tile.index, tile.width)}"


def parse_bundle_path(path: str) -> tuple[int, int]:
    """Parse the path of an entry bundle to its index and width.

    Raises:
        FormatError: ``bad-tile-path`` if ``format_bundle_path`` would not write it.
    """
    match = _BUNDLE_PATH.fullmatch(path)
    if match is not None:
        tile = _parse_place(0, *match.groups())
        if tile is not None and format_bundle_path(tile.index, tile.width) == path:
            return tile.index, tile.width
    raise _bad_path(path)


def tile_width(level: int, index: int, size: int) -> int:
    """Give the width of a tile in the tree of that size; 0 if it is not there."""
    hashes = size >> (TILE_HEIGHT * level)
    return max(0, min(TILE_WIDTH, hashes - index * TILE_WIDTH))


def tiles_of(size: int) -> Iterator[Tile]:
    """Give every tile of a tree, lowest level first."""
    return new_tiles(0, size)


def new_tiles(old_size: int, new_size: int) -> Iterator[Tile]:
    """Give the tiles to publish when a tree grows, lowest level first.

    These are the tiles of the new tree that the old one did not have with the same
    width. The bundles to publish are those of the tiles of level 0.
    """
    level = 0
    while (hashes := new_size >> (TILE_HEIGHT * level)) > 0:
        known = old_size >> (TILE_HEIGHT * level)
        if known < hashes:
            for index in range(known // TILE_WIDTH, -(-hashes // TILE_WIDTH)):
                yield Tile(level, index, tile_width(level, index, new_size))
        level += 1


def parse_tile(data: bytes, width: int) -> list[bytes]:
    """Split a tile into its hashes; ``b"".join`` is the way back.

    Raises:
        FormatError: ``bad-tile`` if it has another length.
    """
    if len(data) != width * HASH_LENGTH:
        raise FormatError(
            "bad-tile", f"a tile of width {width} does not have {len(data)} bytes"
        )
    return [data[at : at + HASH_LENGTH] for at in range(0, len(data), HASH_LENGTH)]


def format_bundle(leaves: Sequence[bytes]) -> bytes:
    """Join the data of up to 256 leaves to an entry bundle.

    Raises:
        InputError: ``bad-bundle`` if there are too many leaves, or too long ones.
    """
    if not 1 <= len(leaves) <= TILE_WIDTH:
        raise InputError("bad-bundle", f"a bundle can't hold {len(leaves)} leaves")
    try:
        return b"".join([len(leaf).to_bytes(2, "big") + leaf for leaf in leaves])
    except OverflowError:
        length = max(len(leaf) for leaf in leaves)
        raise InputError(
            "bad-bundle",
            f"a leaf of {length} bytes is longer than {LEAF_LENGTH_MAX}",
        ) from None


def parse_bundle(data: bytes, width: int) -> list[bytes]:
    """Split an entry bundle into the data of exactly ``width`` leaves.

    Raises:
        FormatError: ``bad-bundle`` if it ends too early or too late.
    """
    leaves = []
    at = 0
    for _ in range(width):
        start = at + 2
        at = start + int.from_bytes(data[at:start], "big")
        leaves.append(data[start:at])
    # A leaf or a length cut short leaves the end beyond the data.
    if at != len(data):
        raise FormatError(
            "bad-bundle", f"{len(data)} bytes are not a bundle of {width} leaves"
        )
    return leaves


def node_reader(size: int, read_tiles: TileReader) -> NodeReader:
    """Read nodes of the tree out of its tiles.

    What comes back is as trustworthy as the tiles: check the root or the proof
    made of it against a checkpoint.

    Args:
        size: of the tree whose tiles can be read; decides their widths.
        read_tiles: called once for each list of nodes.
    """

    def read(nodes: Sequence[Node]) -> list[bytes]:
        tiles = [_tile_of(node, size) for node in nodes]
        # A proof wants several nodes of one tile: ask for each tile once.
        wanted = list(dict.fromkeys(tiles))
        found = dict(zip(wanted, read_tiles(wanted), strict=True))
        return [
            _node_in_tile(node, parse_tile(found[tile], tile.width))
            for node, tile in zip(nodes, tiles, strict=True)
        ]

    return read


def _tile_of(node: Node, size: int) -> Tile:
    level, index = node
    if (index + 1) << level > size:
        raise InputError("beyond-tree", f"a tree of size {size} has no node {node}")
    tile_level, height = divmod(level, TILE_HEIGHT)
    tile_index = index >> (TILE_HEIGHT - height)
    return Tile(tile_level, tile_index, tile_width(tile_level, tile_index, size))


def _node_in_tile(node: Node, hashes: Sequence[bytes]) -> bytes:
    level, index = node
    height = level % TILE_HEIGHT
    start = (index << height) % TILE_WIDTH
    return subtree_root(hashes[start : start + (1 << height)])


def _format_place(index: int, width: int) -> str:
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    place = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return place if width == TILE_WIDTH else f"{place}.p/{width}"


def _parse_place(level: int, index: str, width: str | None) -> Tile | None:
    number = int(re.sub("[x/]", "", index))
    try:
        return Tile(level, number, TILE_WIDTH if width is None else int(width))
    except FormatError:
        return None


def _bad_path(path: str) -> FormatError:
    return FormatError(
        "bad-tile-path",
        f"{excerpt(path)} is not the path of a tile or bundle",
        hint="groups of 3 digits, x before all but the last, .p/1 to .p/255 if partial",
    )
