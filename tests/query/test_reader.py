"""A reader opens a home, follows its writer, and reads entries in order."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.errors import HomeError
from ledger.errors import InputError
from ledger.query import Reader
from ledger.storage.memory import MemoryStore
from ledger.tlog.merkle import leaf_hash
from tests.story import ORIGIN
from tests.story import Story
from tests.story import build_story
from tests.story import party_id
from tests.story import steps


def test_a_reader_knows_the_log(reader: Reader, story: Story) -> None:
    """Size, root, identity, key and checkpoint are those of the log."""
    checkpoint = reader.checkpoint
    assert checkpoint is not None
    assert (reader.size, checkpoint.size) == (story.log.size, story.log.size)
    assert reader.root == checkpoint.root
    assert reader.log.origin == ORIGIN
    assert reader.vkey == story.vkey
    assert story.home is not None
    published = (story.home.public / "checkpoint").read_text()
    assert reader.checkpoint_text == published


def test_a_home_that_is_none_is_refused(tmp_path: Path) -> None:
    """Opening never makes anything, and says what to do instead."""
    with pytest.raises(InputError) as missing:
        Reader.open(tmp_path / "nowhere")
    assert missing.value.code == "home-missing"
    with pytest.raises(HomeError) as incomplete:
        Reader.open(tmp_path)
    assert incomplete.value.code == "home-incomplete"
    assert list(tmp_path.iterdir()) == []


def test_an_empty_store_has_no_log() -> None:
    """Before genesis there is nothing to name."""
    with Reader(MemoryStore()) as empty, pytest.raises(InputError) as error:
        _ = empty.log
    assert error.value.code == "log-empty"
    assert Reader(MemoryStore()).entries() == []


def test_an_entry_comes_with_its_bytes(reader: Reader, story: Story) -> None:
    """What is shown of an entry is in the leaf that the tree commits to."""
    entry = reader.entry(story.at["due"])
    assert entry.kind == "due"
    assert entry.author == party_id("society")
    assert entry.leaf == story.log.store.leaf(entry.index)
    assert entry.leaf_hash == leaf_hash(entry.leaf)
    assert entry.event_bytes in entry.leaf
    assert entry.problem is None


@pytest.mark.parametrize("index", [-1, 23, 10**6, 2**63, 10**30])
def test_an_entry_beyond_the_log_is_refused(reader: Reader, index: int) -> None:
    """Indexes outside the log name the size, whatever their own."""
    for ask in (reader.entry, reader.prove):
        with pytest.raises(InputError) as error:
            ask(index)
        assert error.value.code == "no-such-entry"


def test_entries_come_newest_first_and_join(reader: Reader) -> None:
    """Pages by cursor give every entry once, in order."""
    seen: list[int] = []
    before: int | None = None
    while page := reader.entries(before, limit=5):
        seen += [entry.index for entry in page]
        before = page[-1].index
    assert seen == list(range(reader.size - 1, -1, -1))
    assert [e.index for e in reader.entries(3, 100)] == [2, 1, 0]
    assert reader.entries(0) == []
    assert reader.entries(limit=-1) == []
    assert len(reader.entries(10**9, 2)) == 2


def test_a_reader_follows_the_writer(tmp_path: Path) -> None:
    """An open reader sees what was appended since, state and all."""
    story = build_story(tmp_path / "home")
    with Reader.open(tmp_path / "home") as asked:
        before = asked.size
        steps.earn(story, "run-2")
        assert asked.size == story.log.size > before
        credited = {row["credited"] for row in asked.balances()["balances"]}
        assert credited == {
            2 * x for x in (244_080_000_003, 278_948_571_431, 232_457_142_858)
        }
    story.close()
