"""Worlds for the tests of replay: made once, and copied for each test."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from tests.replay import everything
from tests.replay import stages
from tests.replay.world import World


@cache
def _stage(name: str) -> World:
    world = World()
    if name == "everything":
        return everything.tell(world)
    if name != "world":
        getattr(stages, name)(world)
    return world


@pytest.fixture
def stage() -> Callable[[str], World]:
    """Give a world of its own at a stage of the story, named as in `stages`."""
    return lambda name: _stage(name).copy()


@pytest.fixture
def world() -> World:
    """Everybody is there; nothing has been said yet."""
    return _stage("world").copy()


@pytest.fixture
def licensed() -> World:
    """The lab has a licence and a model version."""
    return _stage("licensed").copy()


@pytest.fixture
def trained() -> World:
    """The lab has run."""
    return _stage("trained").copy()


@pytest.fixture
def billed() -> World:
    """The run is billed."""
    return _stage("billed").copy()


@pytest.fixture
def paid() -> World:
    """The due is paid."""
    return _stage("paid").copy()


@pytest.fixture
def shared_out() -> World:
    """The pool is distributed."""
    return _stage("shared_out").copy()


@pytest.fixture
def paid_out() -> World:
    """The payout is on its way."""
    return _stage("paid_out").copy()
