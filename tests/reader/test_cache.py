"""A cache is believed no more than a server, and never gets in the way."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from ledger.errors import LedgerError
from ledger.reader import Reader
from tests.reader.harm import CHANGES
from tests.reader.harm import Change
from tests.reader.harm import flip
from tests.reader.harm import kept
from tests.reader.harm import refused
from tests.reader.shelf import VKEY
from tests.reader.shelf import Shelf
from tests.reader.shelf import leaves_of

SIZE = 66_000


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_poisoned_cache_is_replaced(change: Change, tmp_path: Path) -> None:
    """A cache that was altered on disk changes no result, and is mended."""
    shelf = Shelf(leaves_of(SIZE))

    def read_all() -> None:
        with Reader(shelf, [VKEY], tmp_path) as reader:
            assert tuple(reader.leaves(0, SIZE)) == leaves_of(SIZE)
            assert reader.prove(300).extra == leaves_of(SIZE)[300]

    read_all()
    honest = kept(tmp_path)
    poisoned = ["tile/0/001", "tile/1/000", "tile/2/000.p/1", "tile/entries/000"]
    poisoned.append("tile/entries/257.p/208")
    for path in tmp_path.rglob("*"):
        if "/".join(path.relative_to(tmp_path).parts[1:]) in poisoned:
            path.write_bytes(change(path.read_bytes()))
    assert sum(kept(tmp_path)[path] != honest[path] for path in poisoned) >= 4
    read_all()
    assert kept(tmp_path) == honest


@pytest.mark.parametrize(
    "path", ["tile/entries/001", "tile/0/001", "tile/1/000", "tile/2/000.p/1"]
)
def test_a_poisoned_cache_and_a_hostile_log_make_no_right_one(
    path: str, tmp_path: Path
) -> None:
    """What is wrong in the cache and at the source alike is refused."""
    shelf = Shelf(leaves_of(SIZE))
    with Reader(shelf, [VKEY], tmp_path) as reader:
        reader.prove(300)
    shelf.files[path] = flip(shelf.files[path])
    (kept_file,) = tmp_path.glob(f"*/{path}")
    kept_file.write_bytes(shelf.files[path])
    code = refused(partial(Reader.prove, index=300), shelf, tmp_path)
    assert code in {"bundle-mismatch", "tile-mismatch"}


def test_a_damaged_memory_is_said_and_not_begun_anew(tmp_path: Path) -> None:
    """A remembered checkpoint that does not verify stops the reader, and is named."""
    shelf = Shelf(leaves_of(3))
    with Reader(shelf, [VKEY], tmp_path) as reader:
        reader.checkpoint()
    (path,) = tmp_path.glob("*/checkpoint")
    for data in (b"", b"\xff", flip(path.read_bytes())):
        path.write_bytes(data)
        with Reader(shelf, [VKEY], tmp_path) as reader:
            with pytest.raises(LedgerError) as caught:
                reader.checkpoint()
            assert caught.value.code == "bad-cache"
            assert str(path) in caught.value.message


def test_logs_share_no_part_of_a_cache(tmp_path: Path) -> None:
    """Each log has a folder of its own, whatever its origin looks like."""
    with Reader(Shelf(leaves_of(3)), [VKEY], tmp_path) as reader:
        reader.checkpoint()
    (folder,) = tmp_path.iterdir()
    assert len(folder.name) == 64
    assert (folder / "checkpoint").is_file()


def test_a_cache_that_cannot_be_written_is_none(tmp_path: Path) -> None:
    """Tiles that cannot be kept are read all the same."""
    shelf = Shelf(leaves_of(600))
    with Reader(shelf, [VKEY], tmp_path) as reader:
        reader.checkpoint()
        (folder,) = tmp_path.iterdir()
        (folder / "tile").write_bytes(b"in the way")
        assert tuple(reader.leaves(0, 600)) == leaves_of(600)


def remembered(folder: Path) -> str:
    (path,) = folder.glob("*/checkpoint")
    return path.read_text(encoding="utf-8")


def test_a_shared_cache_is_never_set_back(tmp_path: Path) -> None:
    """Who verified for long does not overwrite what another remembered meanwhile."""
    shelf = Shelf(leaves_of(3))
    with Reader(shelf, [VKEY], tmp_path) as reader:
        reader.checkpoint()
    shelf.show(leaves_of(5))

    def answer(path: str) -> bytes | None:
        if path.startswith("tile/"):  # the slow one has read the checkpoint of 5
            shelf.answer = shelf.files.get
            shelf.show(leaves_of(9))
            with Reader(shelf, [VKEY], tmp_path) as fast:
                assert fast.checkpoint().size == 9
        return shelf.files.get(path)

    shelf.answer = answer
    with Reader(shelf, [VKEY], tmp_path) as slow:
        assert slow.checkpoint().size == 9
        assert slow.note == remembered(tmp_path) == shelf.files["checkpoint"].decode()
        assert tuple(slow.leaves(0, 9)) == leaves_of(9)


@pytest.mark.parametrize("story", ["", "other"])
def test_readers_of_one_cache_take_turns(story: str, tmp_path: Path) -> None:
    """What another remembered is gone on from if it is newer, and else continued."""
    one, two = Shelf(leaves_of(3)), Shelf(leaves_of(3))
    with Reader(one, [VKEY], tmp_path) as ours, Reader(two, [VKEY], tmp_path) as theirs:
        for reader in (ours, theirs):
            reader.checkpoint()
        two.show(leaves_of(3) + leaves_of(9, story)[3:])
        assert theirs.checkpoint().size == 9
        before = remembered(tmp_path)
        for size in (5, 12):
            one.show(leaves_of(size))
            one.files.update(
                (path, data) for path, data in two.files.items() if ".p/9" in path
            )
            if not story:
                assert ours.checkpoint().size == max(size, 9)
                continue
            with pytest.raises(LedgerError) as caught:
                ours.checkpoint()
            assert caught.value.code == "fork"
            assert remembered(tmp_path) == before
        assert ("\n12\n" in remembered(tmp_path)) is not bool(story)


def test_a_cache_that_is_spoilt_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    """It may have remembered more than is shown: somebody has to look."""
    shelf = Shelf(leaves_of(3))
    with Reader(shelf, [VKEY], tmp_path) as reader:
        reader.checkpoint()
        (path,) = tmp_path.glob("*/checkpoint")
        whole = path.read_bytes()
        shelf.show(leaves_of(5))
        for data in (b"", b"\xff", flip(whole)):
            path.write_bytes(data)
            with pytest.raises(LedgerError) as caught:
                reader.checkpoint()
            assert caught.value.code == "bad-cache"
            assert path.read_bytes() == data
        path.unlink()
        assert reader.checkpoint().size == 5
        assert "\n5\n" in remembered(tmp_path)
