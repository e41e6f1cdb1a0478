"""Vectors of tiles, their paths, and entry bundles (C2SP tlog-tiles)."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from ledger.tlog.merkle import EMPTY_ROOT
from ledger.tlog.merkle import leaf_hash
from ledger.tlog.merkle import subtree_root
from ledger.tlog.tiles import TILE_WIDTH
from ledger.tlog.tiles import Tile
from ledger.tlog.tiles import format_bundle
from ledger.tlog.tiles import format_bundle_path
from ledger.tlog.tiles import format_tile_path
from ledger.tlog.tiles import tiles_of
from tools.vectors.case import Cases
from tools.vectors.case import Vector
from tools.vectors.case import bad
from tools.vectors.case import good
from tools.vectors.case import hexes

PLACES = (
    Tile(0, 0, 1),
    Tile(0, 0),
    Tile(0, 1_234_067, 12),
    Tile(7, 999),
    Tile(1, 1_000, 255),
    Tile(63, 0, 1),
)
BAD_PATHS = {
    "width 256": "tile/0/000.p/256",
    "width 0": "tile/0/000.p/0",
    "width 01": "tile/0/000.p/01",
    "level 64": "tile/64/000",
    "level 01": "tile/01/000",
    "level minus": "tile/-1/000",
    "group of 2": "tile/0/00",
    "group without x": "tile/0/001/234",
    "last with x": "tile/0/x001",
    "zeros before": "tile/0/x000/001",
    "index 2^63": "tile/0/x009/x223/x372/x036/x854/x775/808",
    "slash before": "/tile/0/000",
    "slash after": "tile/0/000/",
    "arabic digit": "tile/0/00\u0661",
    "hash instead of entries": "tile/leaves/000",
    "empty": "",
}


def leaf(index: int) -> bytes:
    """Give the data of a leaf: its index in decimal digits."""
    return str(index).encode()


def files_of(leaves: Sequence[bytes]) -> tuple[bytes, dict[str, bytes]]:
    """Give root and files of the tree over leaves."""
    level, files = [leaf_hash(data) for data in leaves], dict[str, bytes]()
    levels = [level]
    while len(level) >= TILE_WIDTH:
        full = range(0, len(level) - TILE_WIDTH + 1, TILE_WIDTH)
        level = [subtree_root(level[at : at + TILE_WIDTH]) for at in full]
        levels.append(level)
    for tile in tiles_of(len(leaves)):
        start = tile.index * TILE_WIDTH
        stop = start + tile.width
        files[format_tile_path(tile)] = b"".join(levels[tile.level][start:stop])
        if tile.level == 0:
            path = format_bundle_path(tile.index, tile.width)
            files[path] = format_bundle(leaves[start:stop])
    return (subtree_root(levels[0]) if leaves else EMPTY_ROOT), files


def tree(size: int) -> tuple[bytes, dict[str, bytes]]:
    """Give root and files of the tree over the first leaves."""
    return files_of([leaf(index) for index in range(size)])


def cases() -> Cases:
    """Give every case."""
    for tile in PLACES:
        path = format_tile_path(tile)
        fields: Vector = {"level": tile.level, "index": tile.index, "width": tile.width}
        yield f"tile-path/{path[5:]}", good("of a tile", path=path, **fields)
    path = format_bundle_path(1_000, 3)
    fields = {"level": "entries", "index": 1_000, "width": 3}
    yield "tile-path/bundle", good("of an entry bundle", path=path, **fields)
    for name, path in BAD_PATHS.items():
        desc = "one spelling for each tile"
        yield f"tile-path/{name}", bad("bad-tile-path", desc, path=path)
    for size in (0, 1, 2, 5, 255, 256, 257, 513, 65_537):
        root, files = tree(size)
        hashed = {path: sha256(data).hexdigest() for path, data in files.items()}
        desc = "leaf i is i in decimal digits; files by SHA-256"
        fields = {"size": size, "root": root.hex(), "files": hashed}
        yield f"tile/size {size}", good(desc, **fields)
    _, files = tree(5)
    yield (
        "tile/five",
        good("the tile itself", size=5, tile=files["tile/0/000.p/5"].hex()),
    )
    yield from _bundles()


def _bundles() -> Cases:
    full = [leaf(index) for index in range(TILE_WIDTH)]
    for name, leaves in (
        ("one", [b"ab"]),
        ("empty leaf", [b"ab", b"", b"c"]),
        ("full", full),
        ("longest leaf", [bytes(0xFFFF)]),
    ):
        data = format_bundle(leaves)
        yield (
            f"bundle/{name}",
            good(
                "each leaf after its length in two bytes",
                bytes=data.hex(),
                width=len(leaves),
                leaves=hexes(leaves),
            ),
        )
    data = format_bundle([b"ab", b"c"])
    for name, desc, changed, width in (
        ("too short", "a byte is missing", data[:-1], 2),
        ("too long", "a byte too many", data + b"\0", 2),
        ("one leaf more", "the width says three", data, 3),
        ("one leaf less", "the width says one", data, 1),
        ("half a length", "the end within a length", data + b"\0", 3),
        ("empty", "no bundle is empty", b"", 1),
    ):
        vector = bad("bad-bundle", desc, bytes=changed.hex(), width=width)
        yield f"bundle/{name}", vector
