"""What was signed before binds: nothing is signed that does not continue it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from ledger.anchor import Anchor
from ledger.errors import HomeError
from ledger.errors import VerificationError
from ledger.publish import publish
from ledger.storage.memory import MemoryStore
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import format_checkpoint
from ledger.tlog.checkpoint import sign_checkpoint
from ledger.tlog.merkle import tree_root
from tests.replay import acts
from tests.replay.making import ORIGIN
from tests.replay.making import signing_key
from tests.replay.world import World

LOG_KEY = signing_key("log")


class Published:
    """A log of some entries, published."""

    def __init__(self, folder: Path) -> None:
        self.world = World()
        assert isinstance(self.world.store, MemoryStore)
        self.store = self.world.store
        self.public = folder / "public"
        self.public.mkdir()
        self.anchor = Anchor(folder / "anchor")
        self.publish()

    def publish(self) -> Checkpoint:
        """Publish what there is."""
        return publish(self.store, self.public, ORIGIN, [LOG_KEY], self.anchor)

    def grow(self) -> int:
        """Append an entry; return the size."""
        self.world.society.say("scheme", acts.scheme_body())
        return self.world.log.size

    def text(self) -> bytes:
        """Read what readers see."""
        return (self.public / "checkpoint").read_bytes()


@pytest.fixture
def log(tmp_path: Path) -> Published:
    """A published log."""
    return Published(tmp_path)


def test_another_history_that_was_signed_is_not_continued(log: Published) -> None:
    """The store's own signed checkpoint counts, also where the anchor is older."""
    size, before = log.grow(), log.text()
    other = sign_checkpoint(Checkpoint(ORIGIN, size, bytes(32)), ORIGIN, LOG_KEY)
    log.store._checkpoint[""] = other
    log.grow()
    with pytest.raises(VerificationError) as caught:
        log.publish()
    assert caught.value.code == "bad-consistency-proof"
    assert log.text() == before


def test_an_entry_altered_after_it_was_anchored_is_not_served(log: Published) -> None:
    """A stop came before its files were written; they are made from what is stored."""
    size, before = log.grow(), log.text()
    anchored = Checkpoint(ORIGIN, size, tree_root(size, log.store.nodes))
    log.anchor.swap(log.anchor.read(), format_checkpoint(anchored))
    entry = log.store._entries[size - 1]
    altered = msgspec.structs.replace(entry, leaf=entry.leaf + b"x")
    log.store._entries[size - 1] = altered
    log.grow()
    with pytest.raises(HomeError) as caught:
        log.publish()
    assert caught.value.code == "store-damaged"
    assert log.text() == before
