"""Every published entry has a proof that stands alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.errors import UnverifiableError
from ledger.query import Reader
from ledger.storage.memory import MemoryStore
from ledger.tlog.merkle import check_inclusion
from ledger.tlog.proof import parse_proof
from ledger.tlog.proof import verify_proof
from tests.story import Story
from tests.story import build_story
from tests.story import steps


def test_every_entry_can_be_proven(reader: Reader, story: Story) -> None:
    """A proof stands alone: leaf data and checkpoint inside, verified by the vkey."""
    for index in range(reader.size):
        proof = parse_proof(reader.prove(index))
        assert proof.index == index
        assert proof.extra == reader.entry(index).leaf
        checkpoint = verify_proof(proof, proof.extra, story.vkey)
        assert checkpoint.size == reader.size
        hashed = reader.entry(index).leaf_hash
        check_inclusion(index, checkpoint.size, hashed, proof.hashes, reader.root)


def test_an_entry_that_is_not_published_has_no_proof(tmp_path: Path) -> None:
    """Entries beyond the checkpoint are refused with what to do."""
    story = build_story(tmp_path / "home")
    steps.open_run(story, "run-2")
    newest = story.log.size - 1
    with Reader(story.log.store) as asked:
        assert parse_proof(asked.prove(newest - 1)).index == newest - 1
        with pytest.raises(UnverifiableError) as error:
            asked.prove(newest)
        assert error.value.code == "not-published"
        assert str(newest) in error.value.message
        assert story.home is not None
        story.publish()
        assert parse_proof(asked.prove(newest)).index == newest
    with pytest.raises(UnverifiableError, match="checkpoint of 0"):
        Reader(build_story(MemoryStore()).log.store).prove(0)
