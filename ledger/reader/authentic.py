"""Which hash every tile of a tree has to have, from nothing but its size and root.

    level 2                          [ a ]                  width 1
    level 1         [ full, hash a ] [ b c ]                width 2
    level 0  full tiles: hashes of … and of b and c  [ d … ]

At most one tile of a level is partial. These *edge* tiles together make the root, so
a tree has one edge alone; every full tile has its hash in a tile of the level above.
Hence a rule without exceptions: the edge is checked as a whole against the root, any
other tile against its parent, which was checked before. Shapes and widths follow from
the size in the verified checkpoint, and never from what was read (C2SP tlog-tiles).

>>> [format_tile_path(tile) for tile in edge_tiles(65_536 + 2 * 256 + 7)]
['tile/0/258.p/7', 'tile/1/001.p/2', 'tile/2/000.p/1']
>>> check_edge(0, EMPTY_ROOT, {})
{}
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence

from ledger.errors import FormatError
from ledger.errors import VerificationError
from ledger.tlog.merkle import EMPTY_ROOT
from ledger.tlog.merkle import leaf_hashes
from ledger.tlog.merkle import subtree_root
from ledger.tlog.tiles import TILE_HEIGHT
from ledger.tlog.tiles import TILE_WIDTH
from ledger.tlog.tiles import Tile
from ledger.tlog.tiles import format_bundle_path
from ledger.tlog.tiles import format_tile_path
from ledger.tlog.tiles import parse_bundle
from ledger.tlog.tiles import parse_tile
from ledger.tlog.tiles import tile_width

Hashes = Sequence[bytes]


def tile_at(level: int, index: int, size: int) -> Tile:
    """Give a tile of a tree at the width that it has there.

    Raises:
        FormatError: ``bad-tile`` if the tree has none.
    """
    return Tile(level, index, tile_width(level, index, size))


def edge_tiles(size: int) -> list[Tile]:
    """Give the partial tiles of a tree, lowest level first."""
    counts = [size >> level for level in range(0, size.bit_length(), TILE_HEIGHT)]
    return [
        Tile(level, count // TILE_WIDTH, count % TILE_WIDTH)
        for level, count in enumerate(counts)
        if count % TILE_WIDTH > 0
    ]


def parent_of(tile: Tile, size: int) -> Tile:
    """Give the tile that holds the hash of a full one."""
    return tile_at(tile.level + 1, tile.index // TILE_WIDTH, size)


def with_parents(tiles: Iterable[Tile], size: int) -> list[Tile]:
    """Give full tiles and all full ones above them, parents first, each once."""
    found: dict[Tile, None] = {}
    for tile in tiles:
        above = tile
        while above.width == TILE_WIDTH and above not in found:
            found[above] = None
            above = parent_of(above, size)
    return sorted(found, key=lambda tile: (-tile.level, tile.index))


def check_edge(
    size: int, root: bytes, found: Mapping[Tile, bytes]
) -> dict[Tile, Hashes]:
    """Check the edge of a tree against its root.

    Args:
        size: of the tree, from what the verifier trusts, like ``root``.
        root: of the tree.
        found: what was read for each tile of ``edge_tiles(size)``.

    Returns:
        The hashes of each.

    Raises:
        VerificationError: ``tile-mismatch``; no telling which of them is wrong.
    """
    edge = {tile: _hashes(tile, found[tile]) for tile in edge_tiles(size)}
    rest: list[bytes] = []
    for hashes in edge.values():
        # Eight levels up, a tree is its full tiles and what stands beside them.
        rest = [subtree_root([*hashes, *rest])]
    if (rest[0] if rest else EMPTY_ROOT) != root:
        names = ", ".join(format_tile_path(tile) for tile in edge)
        raise _mismatch(names or "the empty tree", "do not make the root")
    return edge


def check_tile(tile: Tile, data: bytes, parent: Hashes) -> Hashes:
    """Check a full tile against the tile above it, which was checked before.

    Raises:
        VerificationError: ``tile-mismatch``.
    """
    hashes = _hashes(tile, data)
    if subtree_root(hashes) != parent[tile.index % TILE_WIDTH]:
        raise _mismatch(format_tile_path(tile), "does not have the hash above it")
    return hashes


def check_bundle(tile: Tile, data: bytes, known: Hashes) -> list[bytes]:
    """Check an entry bundle by hashing every leaf in it.

    Args:
        tile: of level 0, whose leaves they are.
        data: the bundle.
        known: the hashes of the tile above a full one, of ``tile`` itself if it is
            partial; checked before.

    Returns:
        The leaf data.

    Raises:
        VerificationError: ``bundle-mismatch``.
    """
    name = format_bundle_path(tile.index, tile.width)
    try:
        leaves = parse_bundle(data, tile.width)
    except FormatError as error:
        raise _mismatch(name, error.message, "bundle-mismatch") from None
    hashes = leaf_hashes(leaves)
    if tile.width == TILE_WIDTH:
        same = subtree_root(hashes) == known[tile.index % TILE_WIDTH]
    else:
        same = hashes == list(known)
    if not same:
        message = "does not hold the leaves of the tree"
        raise _mismatch(name, message, "bundle-mismatch")
    return leaves


def windows(start: int, stop: int, size: int) -> Iterator[tuple[Tile, int, int]]:
    """Part leaves into tiles of level 0: the tile, and which of its leaves."""
    for index in range(start // TILE_WIDTH, -(-stop // TILE_WIDTH)):
        tile = tile_at(0, index, size)
        first = index * TILE_WIDTH
        yield tile, max(start - first, 0), min(stop - first, tile.width)


def _hashes(tile: Tile, data: bytes) -> Hashes:
    try:
        return parse_tile(data, tile.width)
    except FormatError as error:
        raise _mismatch(format_tile_path(tile), error.message) from None


def _mismatch(
    name: str, message: str, code: str = "tile-mismatch"
) -> VerificationError:
    return VerificationError(
        code,
        f"{name}: {message}",
        hint="the files are damaged, or not those of the checkpoint",
    )
