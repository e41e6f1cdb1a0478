"""Checkpoints bear the signatures of all log keys in force at their size."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import sign_checkpoint
from tests.audit.logs import Published
from tests.audit.logs import codes
from tests.audit.logs import published
from tests.audit.logs import small_world
from tests.replay import rotation
from tests.replay.making import ORIGIN
from tests.replay.making import signing_key
from tests.replay.rotation import FIRST
from tests.replay.rotation import SECOND
from tests.replay.world import World


@pytest.fixture
def world() -> World:
    """A small log to whose first key a second was added."""
    world = small_world()
    rotation.add(world)
    return world


def replace_checkpoint(log: Published, text: str) -> None:
    """Make another checkpoint the newest, in the store and beside it."""
    log.store._checkpoint[""] = text
    (log.public / "checkpoint").write_text(text, encoding="utf-8")


def test_a_rotation_passes_at_each_step(world: World, tmp_path: Path) -> None:
    """Signed by the first, by both, and by the second alone."""
    log = published(world, tmp_path / "public")
    assert log.audit().exit_code == 0
    assert (log.store.checkpoint() or "").count("— ") == 2
    rotation.retire(world)
    log.publish()
    report = log.audit()
    assert (report.exit_code, report.checked["checkpoints"]) == (0, 2)
    assert (log.store.checkpoint() or "").count("— ") == 1


@pytest.mark.parametrize("alone", [FIRST, SECOND])
def test_a_checkpoint_that_lacks_one_of_two_is_refused(
    alone: str, world: World, tmp_path: Path
) -> None:
    """Neither the old nor the new key speaks for the log by itself."""
    log = published(world, tmp_path / "public")
    note = rotation.checkpoint(world, keys=[signing_key(alone)])
    replace_checkpoint(log, note)
    assert codes(log.audit()) == ["bad-checkpoint"]


def test_the_checkpoint_of_a_stolen_retired_key_is_refused(
    world: World, tmp_path: Path
) -> None:
    """Of the size at which it was retired or any later, even with the right root."""
    rotation.retire(world)
    log = published(world, tmp_path / "public")
    stolen = [signing_key(FIRST)]
    replace_checkpoint(log, rotation.checkpoint(world, keys=stolen))
    assert codes(log.audit()) == ["bad-checkpoint"]


def test_keys_that_handed_over_another_history_are_found(world: World) -> None:
    """The root of the handover is that of the entries, or the keys signed a fork."""
    other = Checkpoint(ORIGIN, world.log.size, bytes(32))
    note = sign_checkpoint(other, ORIGIN, *rotation.keys_in_force(world))
    index = rotation.retire(world, FIRST, note)
    (found,) = world.audit().problems
    assert (found.index, found.code, found.book) == (index, "root-mismatch", "log")


def test_a_log_whose_lines_are_missing_still_says_which_keys_sign(
    world: World, tmp_path: Path
) -> None:
    """The keys are in the general ledger, which does not need lines."""
    rotation.retire(world)
    log = published(world, tmp_path / "public")
    log.store._bundles.clear()
    report = log.audit()
    assert "bad-checkpoint" not in codes(report)
    assert report.checked["checkpoints"] == 2
