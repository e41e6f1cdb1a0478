"""Whatever well-signed events say, replay goes on and money is conserved."""

from __future__ import annotations

import os
from functools import cache

from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from tests.properties import hostile
from tests.replay import everything
from tests.replay.checks import check_books
from tests.replay.checks import check_credits
from tests.replay.everything import Said
from tests.replay.world import ROLES
from tests.replay.world import World

EXAMPLES = int(os.environ.get("LINERNOTE_EXAMPLES", "1"))
"""Multiplies how much is tried; 50 takes some minutes."""
FOUNDED = 2 + 3 * len(ROLES)
"""From here on there is somebody of each role."""


@cache
def told() -> tuple[list[World], list[Said]]:
    world = everything.tell(World())
    return everything.prefixes(world), list(everything.said(world))


@settings(max_examples=60 * EXAMPLES, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_hostile_events_neither_stop_a_replay_nor_make_money(
    data: st.DataObject,
) -> None:
    """Changed events of anybody are taken or refused; the books balance throughout."""
    worlds, templates = told()
    world = data.draw(st.sampled_from(worlds[FOUNDED:])).copy()
    for _ in range(6):
        hostile.utter(data.draw, world, templates)
        check_books(world.state)
        check_credits(world.state)
    again = world.replayed()
    assert again.digests() == world.state.digests()
