"""A monitor follows the rotation of a log's key, and no thief of either."""

from __future__ import annotations

import pytest

from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import sign_checkpoint
from ledger.tlog.note import make_vkey
from tests.following.served import publish_anyhow
from tests.following.watch import Watch
from tests.replay import rotation
from tests.replay.making import ORIGIN
from tests.replay.making import signing_key

OLD_KEY = signing_key(rotation.FIRST)


@pytest.mark.parametrize("looks", [1, 2, 3])
def test_a_rotation_is_followed_from_the_first_key(looks: int, watch: Watch) -> None:
    """With the key of years ago, from the start or from anywhere in between."""
    for step in range(3):
        if looks > step + 1:
            watch.calm()
        (rotation.add, rotation.retire, lambda _: 0)[step](watch.log.world)
        watch.log.say(3)
        watch.log.publish()
    watch.calm()
    watch.log.say(300)
    watch.log.publish()
    watch.server.asked.clear()
    watch.calm()
    bundles = [path for path in watch.server.asked if "entries" in path]
    assert len(bundles) == len(set(bundles)), "nothing is looked through again"


def test_the_thief_of_a_retired_key_is_an_alarm(watch: Watch) -> None:
    """What it signs counts no longer for a monitor that saw it retired."""
    rotation.add(watch.log.world)
    rotation.retire(watch.log.world)
    watch.log.publish()
    watch.calm()
    watch.log.say(1)
    publish_anyhow(watch.log.world.store, watch.log.public.parent, [OLD_KEY])
    alarm = watch.alarm()
    assert (alarm.alarm, alarm.code) == ("unexpected-key", "not-signed")


def test_keys_that_handed_over_another_history_are_an_alarm(watch: Watch) -> None:
    """The checkpoint that hands over is of these entries, whoever signs now."""
    rotation.add(watch.log.world)
    watch.calm()
    world = watch.log.world
    other = Checkpoint(ORIGIN, world.log.size, bytes(32))
    note = sign_checkpoint(other, ORIGIN, *rotation.keys_in_force(world))
    rotation.retire(world, rotation.FIRST, note)
    watch.log.publish()
    watch.trust = [make_vkey(ORIGIN, signing_key(rotation.SECOND).public)]
    assert watch.alarm().code == "root-mismatch"
