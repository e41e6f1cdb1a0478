"""A log to append to from many sides."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.anchor import VARIABLE
from ledger.home import Home
from ledger.intake import Intake
from ledger.writer import Writer
from tests.cli.conftest import Town
from tests.intake.places import found
from tests.intake.places import log_key
from tests.intake.places import serving


@pytest.fixture(autouse=True)
def anchors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anchor the log of a test beside its home, as its commands do."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "anchors"))


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return found(tmp_path, "lab", "other")


@pytest.fixture
def writer(town: Town) -> Iterator[Writer]:
    with Writer(Home(town.home)) as opened:
        yield opened


@pytest.fixture
def intake(writer: Writer, town: Town) -> Iterator[Intake]:
    with Intake(writer, [log_key(town)]) as taking:
        yield taking


@pytest.fixture
def url(town: Town) -> Iterator[str]:
    with serving(town.home) as (_, address):
        yield address


@pytest.fixture
def away(town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without a home, which has the lab's key."""
    folder = tmp_path / "away"
    (folder / "linernote-keys").mkdir(parents=True)
    for name in ("lab", "operator"):
        key = town.home / "keys" / f"{name}.key"
        shutil.copy(key, folder / "linernote-keys")
    monkeypatch.chdir(folder)
    return folder
