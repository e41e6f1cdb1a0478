"""Homes for drills, each on a machine of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.anchor import VARIABLE
from ledger.home import Home
from tests.drills.places import new_home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A new log home, anchored beside it."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "anchors"))
    return new_home(tmp_path / "home")
