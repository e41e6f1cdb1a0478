"""What an audit remembers of every entry is right, however little is in memory."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.audit import spool
from ledger.audit.spool import HashSpool
from ledger.audit.spool import IdSpool
from ledger.audit.tree import VerifiedTree
from ledger.tlog.merkle import Frontier
from ledger.tlog.merkle import subtree_root
from ledger.tlog.tiles import tiles_of

HASHES = [sha256(b"%d" % number).digest() for number in range(700)]


@pytest.fixture
def small_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nearly all of it lies in files."""
    monkeypatch.setattr(spool, "RECENT_HASHES", 8)
    monkeypatch.setattr(spool, "RUN_LENGTH", 5)


@pytest.mark.usefixtures("small_memory")
@pytest.mark.parametrize("step", [1, 7, 16, 17, 100, 700])
def test_hashes_are_found_wherever_they_lie(step: int) -> None:
    """In memory, in the file, or across the edge between them."""
    with HashSpool() as hashes:
        for start in range(0, 700, step):
            hashes.extend(b"".join(HASHES[start : start + step]))
            assert hashes.size == min(start + step, 700)
        assert [hashes.at(index) for index in range(700)] == HASHES
        for start in (0, 5, 600, 650, 690, 699):
            for length in (0, 1, 20, 60, 700 - start):
                stop = min(start + length, 700)
                expected = b"".join(HASHES[start:stop])
                assert hashes.slice(start, stop) == expected


@pytest.mark.usefixtures("small_memory")
def test_little_stays_in_memory() -> None:
    """However long the log, memory holds some of the newest hashes only."""
    with HashSpool() as hashes:
        for each in HASHES:
            hashes.extend(each)
            assert len(hashes._recent) <= 2 * spool.RECENT_HASHES * 32


@pytest.mark.parametrize("run_length", [1, 2, 5, 1_000])
@given(pairs=st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("123"))))
def test_ids_used_again_are_found(
    run_length: int, pairs: list[tuple[str, str]]
) -> None:
    """Every use of an author's id but the first, in whatever order they came."""
    with pytest.MonkeyPatch.context() as patch, IdSpool() as ids:
        patch.setattr(spool, "RUN_LENGTH", run_length)
        for index, (author, event_id) in enumerate(pairs):
            ids.extend([(author.encode() * 16, event_id.encode() * 16, index)])
        repeated = {n for n, pair in enumerate(pairs) if pair in pairs[:n]}
        assert set(ids.repeated()) == repeated


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 512, 700])
def test_every_tile_of_every_size_is_known(size: int) -> None:
    """Tiles are those of the tree; one that is not there is None."""
    frontier = Frontier()
    frontier.extend(HASHES[:size])
    with HashSpool() as hashes:
        tree = VerifiedTree(hashes)
        for start in range(0, size, 100):
            tree.extend(HASHES[start : min(start + 100, size)])
        assert (tree.size, tree.root()) == (size, frontier.root())
        for tile in tiles_of(size):
            found = tree.tile(tile.level, tile.index, tile.width)
            start = tile.index * 256
            if tile.level == 0:
                expected = HASHES[start : start + tile.width]
            else:
                expected = [
                    subtree_root(HASHES[256 * n : 256 * n + 256])
                    for n in range(tile.width)
                ]
            assert found == b"".join(expected)
        assert tree.tile(0, size // 256, size % 256 + 1) is None
        assert tree.tile(1, 0, size // 256 + 1) is None
        assert tree.tile(2, 0, 1) is None
