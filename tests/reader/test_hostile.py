"""What a log that means harm serves is refused, and leaves nothing behind."""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path

import pytest

from ledger.errors import UnverifiableError
from ledger.errors import VerificationError
from ledger.reader import Reader
from ledger.reader import open_leaf
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import format_checkpoint
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.note import sign_note
from ledger.tlog.tiles import format_bundle
from ledger.tlog.tiles import parse_bundle
from tests.reader.harm import CHANGES
from tests.reader.harm import Change
from tests.reader.harm import flip
from tests.reader.harm import kept
from tests.reader.harm import refused
from tests.reader.shelf import KEY
from tests.reader.shelf import ORIGIN
from tests.reader.shelf import VKEY
from tests.reader.shelf import Shelf
from tests.reader.shelf import checkpoint_of
from tests.reader.shelf import leaves_of

SIZE = 66_000
TILES = [
    "tile/0/000",
    "tile/0/256",
    "tile/0/257.p/208",
    "tile/1/000",
    "tile/1/001.p/1",
    "tile/2/000.p/1",
]
"""A tile of every level, full and partial, in the log of 66,000."""
NEEDED = [
    (tile, index)
    for index, tiles in {
        7: ["tile/0/000", "tile/1/000"],
        65_600: ["tile/0/256"],
        65_999: ["tile/0/257.p/208", "tile/1/001.p/1", "tile/2/000.p/1"],
    }.items()
    for tile in tiles
]
"""Tiles, and an entry that cannot be proven without them."""


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize(("path", "index"), NEEDED)
def test_an_altered_tile_proves_nothing(
    path: str, index: int, change: Change, tmp_path: Path
) -> None:
    """A tile of any level, altered in any way, is refused and never cached."""
    shelf = Shelf(leaves_of(SIZE))
    honest = dict(shelf.files)
    shelf.files[path] = change(shelf.files[path])
    code = refused(lambda reader: reader.prove(index), shelf, tmp_path)
    assert code in {"tile-mismatch", "bundle-mismatch", "body-too-long"}
    # Whatever was kept before the wrong one came up is right.
    for name, data in kept(tmp_path).items():
        assert data == honest[name]
        assert name != path


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("path", ["tile/entries/000", "tile/entries/257.p/208"])
def test_an_altered_bundle_gives_no_leaf(
    path: str, change: Change, tmp_path: Path
) -> None:
    """No leaf of an altered bundle is given, not even an unaltered one."""
    shelf = Shelf(leaves_of(SIZE))
    shelf.files[path] = change(shelf.files[path])
    first = 0 if path.endswith("000") else 65_792
    for index in (first, first + 207):
        code = refused(partial(Reader.leaf, index=index), shelf, tmp_path)
        assert code in {"bundle-mismatch", "body-too-long"}
    assert path not in kept(tmp_path)


@pytest.mark.parametrize(("path", "index"), NEEDED)
def test_tiles_of_another_log_are_refused(path: str, index: int) -> None:
    """A tile of a log of the same size that tells another story does not fit."""
    shelf = Shelf(leaves_of(SIZE))
    shelf.files[path] = Shelf(leaves_of(SIZE, "other")).files[path]
    assert refused(lambda reader: reader.prove(index), shelf, None) in {
        "tile-mismatch",
        "bundle-mismatch",
    }


def test_swapped_tiles_and_bundles_are_refused() -> None:
    """Right hashes and leaves in the wrong place are wrong."""
    shelf = Shelf(leaves_of(SIZE))
    for one, other in [
        ("tile/0/000", "tile/0/001"),
        ("tile/entries/002", "tile/entries/003"),
    ]:
        shelf.files[one], shelf.files[other] = shelf.files[other], shelf.files[one]
    assert refused(lambda reader: reader.prove(7), shelf, None) == "tile-mismatch"
    for index in (512, 768):
        code = refused(partial(Reader.leaf, index=index), shelf, None)
        assert code == "bundle-mismatch"


def test_leaves_swapped_within_a_bundle_are_refused() -> None:
    """The order of leaves counts, and so does every border between two of them."""
    shelf = Shelf(leaves_of(600))
    for path, width, index in [
        ("tile/entries/001", 256, 256),
        ("tile/entries/002.p/88", 88, 512),
    ]:
        leaves = parse_bundle(shelf.files[path], width)
        swapped = [leaves[1], leaves[0], *leaves[2:]]
        shifted = [leaves[0] + leaves[1][:1], leaves[1][1:], *leaves[2:]]
        for altered in (swapped, shifted):
            shelf.files[path] = format_bundle(altered)
            code = refused(partial(Reader.leaf, index=index), shelf, None)
            assert code == "bundle-mismatch"


def test_a_wrong_bundle_that_its_tile_agrees_with_is_refused() -> None:
    """A whole column, from entry to the tile below the edge, cannot be exchanged."""
    shelf, other = Shelf(leaves_of(SIZE)), Shelf(leaves_of(SIZE, "other"))
    for path in ("tile/entries/000", "tile/0/000", "tile/1/000"):
        shelf.files[path] = other.files[path]
    assert refused(lambda reader: reader.leaf(0), shelf, None) == "tile-mismatch"
    # The edge is the other log's, too: then it does not make the signed root.
    shelf.files = {**other.files, "checkpoint": shelf.files["checkpoint"]}
    shelf.answer = shelf.files.get
    assert refused(lambda reader: reader.leaf(0), shelf, None) == "tile-mismatch"


def test_the_rest_of_a_wider_tile_is_not_believed(tmp_path: Path) -> None:
    """Only the asked part of a full tile in place of a partial one is used or kept."""
    shelf = Shelf(leaves_of(600))
    grown = Shelf(leaves_of(SIZE))
    for path, full in [
        ("tile/0/002.p/88", grown.files["tile/0/002"]),
        ("tile/entries/002.p/88", grown.files["tile/entries/002"]),
    ]:
        del shelf.files[path]
        name = path.removesuffix(".p/88")
        half = 88 * 32 if "entries" not in name else len(full) - 1
        shelf.files[name] = full[:half] + flip(full[half:])
    honest = Shelf(leaves_of(600)).files
    with Reader(shelf, [VKEY], tmp_path) as reader:
        assert reader.leaf(599) == leaves_of(600)[599]
    found = kept(tmp_path)
    assert found["tile/0/002.p/88"] == honest["tile/0/002.p/88"]
    assert found["tile/entries/002.p/88"] == honest["tile/entries/002.p/88"]
    assert "tile/0/002" not in found
    assert "tile/entries/002" not in found


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_full_tile_in_place_of_the_edge_is_checked(change: Change) -> None:
    """A full tile that stands in for a partial one is held to its length and hash."""
    shelf = Shelf(leaves_of(600))
    full = Shelf(leaves_of(SIZE)).files["tile/0/002"]
    del shelf.files["tile/0/002.p/88"]
    shelf.files["tile/0/002"] = change(full)
    with Reader(shelf, [VKEY]) as reader:
        if change(full)[: 88 * 32] == full[: 88 * 32] and len(change(full)) == 8192:
            assert reader.leaf(599) == leaves_of(600)[599]
            return
        with pytest.raises(VerificationError):
            reader.leaf(599)


def test_a_partial_tile_is_no_full_one() -> None:
    """A tile that was full in the checkpoint may not be served as it was before."""
    shelf = Shelf(leaves_of(SIZE))
    shelf.files["tile/0/002"] = Shelf(leaves_of(600)).files["tile/0/002.p/88"]
    assert refused(lambda reader: reader.prove(600), shelf, None) == "tile-mismatch"
    shelf.files["tile/entries/002"] = Shelf(leaves_of(600)).files[
        "tile/entries/002.p/88"
    ]
    assert refused(lambda reader: reader.leaf(512), shelf, None) == "bundle-mismatch"


def test_every_tile_of_one_reading_is_authenticated() -> None:
    """However many tiles share an edge, none slips through unchecked.

    A reader that counts checked hashes instead of checked tiles believes the first
    tiles after an edge whose parts lie in one tile: sizes of several bits show it.
    """
    chance = random.Random(7)
    leaves = leaves_of(3 * 256 + 255)
    honest = Shelf(leaves)
    for path in [each for each in honest.files if each.startswith("tile/0/")]:
        shelf = Shelf(leaves)
        shelf.files[path] = flip(shelf.files[path])
        tile = int(path.split("/")[2].removesuffix(".p"))
        index = tile * 256 + chance.randrange(255)
        refused(partial(Reader.prove, index=index), shelf, None)


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 600])
def test_a_checkpoint_over_other_tiles_is_refused(size: int) -> None:
    """A signed root that the tiles do not make is refused, for the empty tree too."""
    shelf = Shelf(leaves_of(size))
    shelf.sign(Checkpoint(ORIGIN, size, bytes(32)))

    def read_all(reader: Reader) -> None:
        list(reader.leaves(0, size))
        reader.tree.check()

    assert refused(read_all, shelf, None) in {"tile-mismatch", "bundle-mismatch"}


def test_only_the_pinned_key_is_believed() -> None:
    """A checkpoint by another key, altered, malformed or endless is refused."""
    shelf = Shelf(leaves_of(3))
    good = shelf.files["checkpoint"]
    shelf.sign(checkpoint_of(leaves_of(3)), SigningKey(bytes(32)))
    strange = shelf.files["checkpoint"]
    shelf.sign(checkpoint_of(leaves_of(3), "other.example"))
    served = {
        "bad-note": [b"", b"\xff", good[:-1]],
        "bad-signature": [good.replace(b"\n3\n", b"\n4\n")],
        "not-signed": [strange, shelf.files["checkpoint"]],
        "body-too-long": [good + b"x" * (1 << 20)],
    }
    for code, notes in served.items():
        for note in notes:
            shelf.files["checkpoint"] = note
            assert refused(Reader.checkpoint, shelf, None) == code


def test_the_key_name_has_to_be_the_origin() -> None:
    """A checkpoint that the right key signed for another log is not this log's."""
    shelf = Shelf(leaves_of(3))
    text = format_checkpoint(checkpoint_of(leaves_of(3), "other.example"))
    shelf.files["checkpoint"] = sign_note(text, ORIGIN, KEY).encode()
    assert refused(Reader.checkpoint, shelf, None) == "wrong-origin"


@pytest.mark.parametrize("runs", [1, 2])
@pytest.mark.parametrize(
    ("size", "story", "code"),
    [
        (599, "", "rolled-back"),
        (0, "", "rolled-back"),
        (600, "other", "fork"),
        (601, "other", "fork"),
        (66_000, "other", "fork"),
    ],
)
def test_history_is_never_changed(
    size: int, story: str, code: str, runs: int, tmp_path: Path
) -> None:
    """A log that shows an older or another history is caught, in a later run too."""
    shelf = Shelf(leaves_of(600))
    first = Reader(shelf, [VKEY], tmp_path)
    with first:
        first.checkpoint()
        shelf.show(leaves_of(size, story))
        with Reader(shelf, [VKEY], tmp_path) if runs > 1 else first as reader:
            for _ in range(2):
                with pytest.raises(VerificationError) as caught:
                    reader.checkpoint()
                assert caught.value.code == code
    # What was seen stays remembered: the honest log goes on from there.
    shelf.show(leaves_of(601))
    with Reader(shelf, [VKEY], tmp_path) as reader:
        assert reader.checkpoint().size == 601


def test_a_checkpoint_whose_growth_cannot_be_proven_is_not_adopted() -> None:
    """Where tiles are missing, reading stays with the checkpoint that was proven."""
    shelf = Shelf(leaves_of(600))
    with Reader(shelf, [VKEY]) as reader:
        reader.checkpoint()
        shelf.files = {"checkpoint": Shelf(leaves_of(66_000)).files["checkpoint"]}
        shelf.answer = shelf.files.get
        with pytest.raises(UnverifiableError):
            reader.checkpoint()
        assert b"\n600\n" in reader.note.encode()
        assert reader.tree.size == 600


def test_consistency_with_another_log_is_no_question_of_trees() -> None:
    """A checkpoint of another origin is refused before any tile is compared."""
    with Reader(Shelf(leaves_of(3)), [VKEY]) as reader:
        with pytest.raises(VerificationError) as caught:
            reader.consistency(checkpoint_of(leaves_of(3), "other.example"))
        assert caught.value.code == "wrong-origin"


def test_leaves_that_are_no_entries_are_refused() -> None:
    """That a log vouches for bytes makes them no entry: a failed verification."""
    with pytest.raises(VerificationError) as caught:
        open_leaf(b"leaf 0", 0)
    assert caught.value.code == "bad-tag"
