"""Tiles, entry bundles and their paths."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import FormatError
from ledger.errors import InputError
from ledger.tlog.merkle import Frontier
from ledger.tlog.merkle import check_consistency
from ledger.tlog.merkle import check_inclusion
from ledger.tlog.merkle import prove_consistency
from ledger.tlog.merkle import prove_inclusion
from ledger.tlog.merkle import subtree_root
from ledger.tlog.merkle import tree_root
from ledger.tlog.tiles import Tile
from ledger.tlog.tiles import format_bundle
from ledger.tlog.tiles import format_bundle_path
from ledger.tlog.tiles import format_tile_path
from ledger.tlog.tiles import new_tiles
from ledger.tlog.tiles import node_reader
from ledger.tlog.tiles import parse_bundle
from ledger.tlog.tiles import parse_bundle_path
from ledger.tlog.tiles import parse_tile
from ledger.tlog.tiles import parse_tile_path
from ledger.tlog.tiles import tile_width
from ledger.tlog.tiles import tiles_of

LEAVES = [sha256(b"%d" % index).digest() for index in range(66_000)]
SIZES = [1, 2, 255, 256, 257, 511, 512, 700, 65_535, 65_536, 65_537, 65_800, 66_000]

widths = st.integers(1, 256)
indexes = st.integers(0, 2**63 - 1)
tiles = st.builds(Tile, level=st.integers(0, 63), index=indexes, width=widths)


def make_tile(tile: Tile) -> bytes:
    """The bytes of a tile, each hash by its definition."""
    span = 256**tile.level
    start = tile.index * 256
    return b"".join(
        subtree_root(LEAVES[at * span : (at + 1) * span])
        for at in range(start, start + tile.width)
    )


@given(tiles)
def test_tile_paths_round_trip(tile: Tile) -> None:
    """Every tile has a path that leads back to it."""
    assert parse_tile_path(format_tile_path(tile)) == tile


@given(indexes, widths)
def test_bundle_paths_round_trip(index: int, width: int) -> None:
    """Every bundle has a path that leads back to it."""
    assert parse_bundle_path(format_bundle_path(index, width)) == (index, width)


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(1, 999, 255), "tile/1/999.p/255"),
        (Tile(63, 1000, 1), "tile/63/x001/000.p/1"),
        (Tile(2, 1_234_067), "tile/2/x001/x234/067"),
    ],
)
def test_published_paths(tile: Tile, path: str) -> None:
    """Paths look as C2SP tlog-tiles says."""
    assert format_tile_path(tile) == path
    assert parse_tile_path(path) == tile
    bundle = path.replace(f"tile/{tile.level}/", "tile/entries/")
    assert format_bundle_path(tile.index, tile.width) == bundle


@pytest.mark.parametrize(
    "place",
    [
        *(
            "",
            "0",
            "00",
            "0000",
            "x000",
            "x000/000",
            "x001/x000",
            "001/000",
            "X001/000",
        ),
        *("x001/00", "x001/0000", "x01/000", "x001//000", "/000", "000/", "00\u0660"),
        *("000.p/0", "000.p/256", "000.p/257", "000.p/01", "000.p/+1", "000.p/1_0"),
        *("000.p", "000.p/", "000.p/1/", "000.p/\u0661", "000.P/1", "000\n", "../000"),
        "/".join(["x999"] * 6 + ["999"]),
        "/".join(["x001"] * 7 + ["000"]),
    ],
)
def test_other_spellings_of_a_path_are_refused(place: str) -> None:
    """Padding, a full width spelled out, foreign digits: one tile, one path."""
    for path, parse in (
        (f"tile/0/{place}", parse_tile_path),
        (f"tile/entries/{place}", parse_bundle_path),
    ):
        with pytest.raises(FormatError) as caught:
            parse(path)
        assert caught.value.code == "bad-tile-path"


@pytest.mark.parametrize(
    "level", ["00", "01", "64", "99", "100", "-1", "+1", "", "\u0661"]
)
def test_bad_levels_are_refused(level: str) -> None:
    """Levels go from 0 to 63, without leading zeros."""
    for path in (f"tile/{level}/000", f"/tile/{level}/000", f"tiles/{level}/000"):
        with pytest.raises(FormatError):
            parse_tile_path(path)


def test_bundles_and_tiles_are_not_mixed_up() -> None:
    """The parser of one refuses the paths of the other."""
    with pytest.raises(FormatError):
        parse_tile_path("tile/entries/000")
    with pytest.raises(FormatError):
        parse_bundle_path("tile/0/000")


@pytest.mark.parametrize(
    ("level", "index", "width"),
    [(-1, 0, 1), (64, 0, 1), (0, -1, 1), (0, 2**63, 1), (0, 0, 0), (0, 0, 257)],
)
def test_impossible_tiles_are_refused(level: int, index: int, width: int) -> None:
    """An empty tile, or one beyond the bounds, can't be named."""
    with pytest.raises(FormatError) as caught:
        Tile(level, index, width)
    assert caught.value.code == "bad-tile"


def test_the_tiles_of_a_tree_of_70_000() -> None:
    """The example of C2SP tlog-tiles: 273 full and three partial tiles, one full."""
    found = list(tiles_of(70_000))
    assert found[:273] == [Tile(0, index) for index in range(273)]
    assert found[273:] == [Tile(0, 273, 112), Tile(1, 0), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert list(tiles_of(256)) == [Tile(0, 0), Tile(1, 0, 1)]
    assert list(tiles_of(0)) == []


@given(st.integers(0, 70_000), st.integers(0, 70_000))
def test_new_tiles_are_those_that_the_old_tree_lacked(one: int, other: int) -> None:
    """What is published at each growth adds up to every tile of the new tree."""
    old_size, new_size = sorted((one, other))
    fresh = list(new_tiles(old_size, new_size))
    assert set(fresh) == set(tiles_of(new_size)) - set(tiles_of(old_size))
    assert len(fresh) == len(set(fresh))


@given(st.integers(0, 200_000))
def test_tiles_have_the_widths_of_the_rule(size: int) -> None:
    """Full tiles, then at most one partial of floor(size / 256**level) mod 256."""
    for tile in tiles_of(size):
        full, partial = divmod(size // 256**tile.level, 256)
        expected = 256 if tile.index < full else partial
        assert tile.width == expected == tile_width(tile.level, tile.index, size)
        assert tile_width(tile.level, full + 1, size) == 0


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=256))
def test_bundles_round_trip(leaves: list[bytes]) -> None:
    """Leaf data survives the trip, and only with the right number of leaves."""
    data = format_bundle(leaves)
    assert parse_bundle(data, len(leaves)) == leaves
    assert len(data) == sum(2 + len(leaf) for leaf in leaves)
    with pytest.raises(FormatError):
        parse_bundle(data, len(leaves) + 1)
    with pytest.raises(FormatError):
        parse_bundle(data, len(leaves) - 1)


def test_every_cut_of_a_bundle_is_refused() -> None:
    """A bundle that ends within a length, within a leaf or beyond: refused."""
    data = format_bundle([b"abc", b"", bytes(300)])
    for spoiled in [data[:length] for length in range(len(data))] + [data + b"\0"]:
        with pytest.raises(FormatError) as caught:
            parse_bundle(spoiled, 3)
        assert caught.value.code == "bad-bundle"


def test_the_bounds_of_a_bundle() -> None:
    """1 to 256 leaves of at most 65,535 bytes."""
    assert parse_bundle(format_bundle([bytes(65_535)]), 1) == [bytes(65_535)]
    assert parse_bundle(format_bundle([b"a"] * 256), 256) == [b"a"] * 256
    for leaves in ([], [b""] * 257, [bytes(65_536)]):
        with pytest.raises(InputError) as caught:
            format_bundle(leaves)
        assert caught.value.code == "bad-bundle"


def test_a_tile_is_its_hashes() -> None:
    """A tile splits into hashes only at its own width."""
    data = b"".join(LEAVES[:17])
    assert parse_tile(data, 17) == LEAVES[:17]
    for spoiled in (data[:-1], data + b"\0", data[:-32], b""):
        with pytest.raises(FormatError) as caught:
            parse_tile(spoiled, 17)
        assert caught.value.code == "bad-tile"


@pytest.mark.parametrize("size", SIZES)
def test_tiles_hold_the_tree(size: int) -> None:
    """Root, inclusion and consistency come out of the tiles of that size alone."""
    published = set(tiles_of(size))

    def read_tiles(wanted: Sequence[Tile]) -> list[bytes]:
        assert len(set(wanted)) == len(wanted), "no tile is asked for twice"
        assert published.issuperset(wanted)
        return [make_tile(tile) for tile in wanted]

    read = node_reader(size, read_tiles)
    root = subtree_root(LEAVES[:size])
    assert tree_root(size, read) == root
    for place in {0, size // 3, size // 2, size - 2, size - 1} - {-1}:
        proof = prove_inclusion(place, size, read)
        check_inclusion(place, size, LEAVES[place], proof, root)
        frontier = Frontier()
        frontier.extend(LEAVES[: place + 1])
        proof = prove_consistency(place + 1, size, read)
        check_consistency(place + 1, size, proof, frontier.root(), root)


@pytest.mark.parametrize("node", [(0, 300), (1, 150), (8, 1), (9, 0)])
def test_nodes_beyond_the_tree_are_refused(node: tuple[int, int]) -> None:
    """A node that is not perfect at this size is never read from a partial tile."""
    read = node_reader(300, lambda wanted: [make_tile(tile) for tile in wanted])
    with pytest.raises(InputError) as caught:
        read([node])
    assert caught.value.code == "beyond-tree"
