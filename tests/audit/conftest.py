"""Published logs, made once and copied for each test that does harm."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.audit import logs
from tests.audit.logs import Published
from tests.replay import everything
from tests.replay.world import World


@pytest.fixture(scope="session")
def small_log(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """A log of three entries; not to be changed."""
    folder = tmp_path_factory.mktemp("small") / "public"
    return logs.published(logs.small_world(), folder)


@pytest.fixture(scope="session")
def long_log(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """A log on which every kind was said; not to be changed."""
    folder = tmp_path_factory.mktemp("long") / "public"
    return logs.published(everything.tell(World()), folder)


@pytest.fixture
def small(small_log: Published, tmp_path: Path) -> Published:
    """A log of three entries."""
    return logs.copy(small_log, tmp_path / "public")


@pytest.fixture
def log(long_log: Published, tmp_path: Path) -> Published:
    """A log on which every kind was said."""
    return logs.copy(long_log, tmp_path / "public")
