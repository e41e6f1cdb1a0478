"""Honest logs of every awkward size are read whole, proven, and followed."""

from __future__ import annotations

import threading
from itertools import islice
from pathlib import Path

import pytest

from ledger.errors import InputError
from ledger.errors import UnverifiableError
from ledger.reader import Reader
from ledger.reader import open_source
from ledger.reader import tree
from ledger.tlog.merkle import check_consistency
from ledger.tlog.proof import verify_proof
from tests.reader.shelf import VKEY
from tests.reader.shelf import Shelf
from tests.reader.shelf import checkpoint_of
from tests.reader.shelf import leaves_of

SIZES = [0, 1, 2, 255, 256, 257, 600, 66_000]


def read(source: Shelf, cache: Path | None = None) -> Reader:
    return Reader(source, [VKEY], cache)


@pytest.mark.parametrize("size", SIZES)
def test_every_leaf_comes_back(size: int) -> None:
    """A log of any size is read from its first leaf to its last."""
    with read(Shelf(leaves_of(size))) as reader:
        assert reader.checkpoint() == checkpoint_of(leaves_of(size))
        assert tuple(reader.leaves(0, size)) == leaves_of(size)


@pytest.mark.parametrize("size", SIZES[1:])
def test_leaves_are_proven(size: int) -> None:
    """Proofs for leaves at the borders of tiles verify offline, by the key alone."""
    leaves = leaves_of(size)
    with read(Shelf(leaves)) as reader:
        for index in {0, size // 2, size - 1, 255 % size, 256 % size, 65_535 % size}:
            proof = reader.prove(index)
            assert proof.extra == leaves[index]
            assert verify_proof(proof, leaves[index], VKEY) == checkpoint_of(leaves)


@pytest.mark.parametrize("new", SIZES)
def test_growth_is_proven(new: int) -> None:
    """A log proves that it grew from every smaller one, edge cases included."""
    with read(Shelf(leaves_of(new))) as reader:
        checkpoint = reader.checkpoint()
        for size in [old for old in SIZES if old <= new]:
            old = checkpoint_of(leaves_of(size))
            hashes = reader.consistency(old)
            check_consistency(size, new, hashes, old.root, checkpoint.root)


def test_a_range_is_read_as_it_is_asked_for() -> None:
    """Ranges that start and end within bundles, or hold nothing, come back exactly."""
    leaves = leaves_of(600)
    with read(Shelf(leaves)) as reader:
        for start, stop in [(0, 0), (600, 600), (3, 4), (255, 257), (511, 600)]:
            assert tuple(reader.leaves(start, stop)) == leaves[start:stop]


@pytest.mark.parametrize(("start", "stop"), [(0, 601), (-1, 3), (5, 4), (601, 601)])
def test_there_is_nothing_beyond_the_tree(start: int, stop: int) -> None:
    """A range that is not in the tree is refused rather than cut."""
    with (
        read(Shelf(leaves_of(600))) as reader,
        pytest.raises(InputError, match="leaves") as caught,
    ):
        list(reader.leaves(start, stop))
    assert caught.value.code == "beyond-tree"


def test_a_log_is_followed_as_it_grows(tmp_path: Path) -> None:
    """A reader goes from each checkpoint to the next, with a cache or without."""
    for cache in (None, tmp_path):
        shelf = Shelf(leaves_of(0))
        with read(shelf, cache) as reader:
            for size in SIZES:
                shelf.show(leaves_of(size))
                assert reader.checkpoint().size == size
                tail = tuple(reader.leaves(max(0, size - 300), size))
                assert tail == leaves_of(size)[max(0, size - 300) :]


def test_a_partial_tile_that_is_gone_is_cut_from_the_full_one() -> None:
    """A log that has grown since may have dropped the tiles of its old edge."""
    shelf = Shelf(leaves_of(600))
    old = shelf.files["checkpoint"]
    shelf.files = {**Shelf(leaves_of(66_000)).files, "checkpoint": old}
    shelf.answer = shelf.files.get
    for path in list(shelf.files):
        if path.endswith(".p/88"):
            del shelf.files[path]
    with read(shelf) as reader:
        assert tuple(reader.leaves(500, 600)) == leaves_of(600)[500:]
        assert reader.prove(599).extra == leaves_of(600)[599]


def test_what_is_missing_is_named() -> None:
    """A file that is not there is no failed verification, and is named."""
    shelf = Shelf(leaves_of(600))
    del shelf.files["tile/entries/002.p/88"]
    with read(shelf) as reader, pytest.raises(UnverifiableError) as caught:
        list(reader.leaves(0, 600))
    assert caught.value.code == "not-found"
    assert "002.p/88" in caught.value.message


def test_leaves_are_read_without_the_tiles_over_them() -> None:
    """Full bundles stand for themselves: no tile of level 0 is asked for."""
    shelf = Shelf(leaves_of(66_000))
    with read(shelf) as reader:
        list(reader.leaves(0, 66_000))
    tiles = [path for path in shelf.asked if path.startswith("tile/0/")]
    assert tiles == ["tile/0/257.p/208"]
    assert len(shelf.asked) == len(set(shelf.asked))


def test_bundles_are_fetched_ahead() -> None:
    """Bundles come several at a time: a far log is not read one trip after another."""
    shelf = Shelf(leaves_of(66_000))
    together = threading.Barrier(8, timeout=20)
    first = {f"tile/entries/{number:03}" for number in range(16)}

    def answer(path: str) -> bytes | None:
        if path in first:
            together.wait()
        return shelf.files.get(path)

    shelf.answer = answer
    with read(shelf) as reader:
        assert tuple(reader.leaves(0, 64 * 256)) == leaves_of(66_000)[: 64 * 256]


def test_no_more_is_fetched_ahead_than_memory_holds() -> None:
    """Whoever stops early, or verifies slowly, has not fetched the whole log."""
    shelf = Shelf(leaves_of(66_000))
    with read(shelf) as reader:
        leaves = reader.leaves(0, 66_000)
        next(leaves)
        del leaves
    bundles = [path for path in shelf.asked if path.startswith("tile/entries/")]
    assert len(bundles) <= 17


def test_long_bundles_are_fetched_one_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What waits to be verified is bounded in bytes, and is more where it is short."""
    shelf, read_ahead = Shelf(leaves_of(66_000)), []
    for bytes_max in (1, tree.AHEAD_BYTES):
        monkeypatch.setattr(tree, "AHEAD_BYTES", bytes_max)
        shelf.asked.clear()
        with read(shelf) as reader:
            for _ in islice(reader.leaves(0, 66_000), 40 * 256 + 1):
                pass
        bundles = [path for path in shelf.asked if path.startswith("tile/entries/")]
        read_ahead.append(len(bundles) - 40)
    assert read_ahead[0] <= 2
    assert 17 < read_ahead[1] <= tree.AHEAD_MAX + 1


def test_a_cache_saves_asking_again(tmp_path: Path) -> None:
    """What was read and verified once is not asked for again, but the checkpoint."""
    shelf = Shelf(leaves_of(66_000))
    with read(shelf, tmp_path) as reader:
        first = tuple(reader.leaves(0, 66_000))
        reader.prove(300)
    shelf.asked.clear()
    with read(shelf, tmp_path) as reader:
        assert tuple(reader.leaves(0, 66_000)) == first
        reader.prove(300)
    assert shelf.asked == ["checkpoint"]


def test_a_folder_is_a_source(tmp_path: Path) -> None:
    """The public folder of a log is read like the log itself."""
    Shelf(leaves_of(257)).write(tmp_path)
    with Reader(open_source(str(tmp_path)), [VKEY]) as reader:
        assert tuple(reader.leaves(0, 257)) == leaves_of(257)


def test_a_manifest_is_read_by_the_root_that_an_entry_names() -> None:
    """The lines of a plain manifest are verified by root and size like entries."""
    shelf = Shelf(leaves_of(1))
    lines = Shelf(leaves_of(300, "lines"))
    root = checkpoint_of(leaves_of(300, "lines")).root
    for path, data in lines.files.items():
        shelf.files[f"manifest/{root.hex()}/{path}"] = data
    with read(shelf) as reader:
        tree = reader.manifest(root, 300)
        assert tuple(tree.leaves(0, 300)) == leaves_of(300, "lines")


def test_a_reader_needs_a_key() -> None:
    """A log whose key nobody pinned is not read at all."""
    with pytest.raises(InputError) as caught:
        Reader(Shelf(leaves_of(1)), [])
    assert caught.value.code == "no-keys"
