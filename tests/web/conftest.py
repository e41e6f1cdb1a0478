"""The viewer over one log home, and over one whose every name is hostile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from ledger.names import Names
from tests.story import Story
from tests.story import build_story
from tests.story import party_id
from tests.story import recording_id
from tests.story import steps
from web import create_app

HOSTILE = "\"><script>alert(1)</script><img src=x onerror='a()'>{{7*7}}\u202e"


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    told = build_story(tmp_path_factory.mktemp("web") / "home")
    # One entry more than is published.
    steps.open_run(told, "run-2")
    yield told
    told.close()


@pytest.fixture(scope="session")
def home(story: Story) -> Path:
    assert story.home is not None
    return story.home.path


@pytest.fixture(scope="session")
def app(home: Path) -> Flask:
    return create_app(home)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="session")
def hostile_app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    path = tmp_path_factory.mktemp("hostile") / "home"
    build_story(path).close()
    everyone = ("operator", "society", "lab", "artist0", "artist1", "artist2")
    names = Names(
        parties={party_id(name).hex(): HOSTILE for name in everyone},
        recordings={recording_id(number): HOSTILE for number in range(7)},
    )
    names.save(path / "names.json")
    (path / "demonstration").write_text(HOSTILE)
    return create_app(path)
