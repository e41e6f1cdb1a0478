"""One log home for all questions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger.query import Reader
from tests.story import Story
from tests.story import build_story


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    told = build_story(tmp_path_factory.mktemp("query") / "home")
    yield told
    told.close()


@pytest.fixture(scope="module")
def reader(story: Story) -> Iterator[Reader]:
    assert story.home is not None
    with Reader.open(story.home.path) as opened:
        yield opened
