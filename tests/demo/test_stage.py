"""A former demonstration gives way as a whole, or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ledger.demo import stage
from ledger.errors import ConflictError


def _former(path: Path) -> Path:
    path.mkdir()
    (path / stage.MARK).write_text("made up\n")
    (path / "ledger.db").write_text("log")
    return path


def test_an_interrupted_removal_leaves_no_half_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed while it removes files, the place is free for the next one."""
    home = _former(tmp_path / "home")

    def killed(_: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        stage.clear(home)
    assert not home.exists()


def test_only_a_demonstration_is_removed(tmp_path: Path) -> None:
    """A folder without the mark is left as it is; one with it goes."""
    home = _former(tmp_path / "home")
    (home / stage.MARK).rename(home / "mark")
    with pytest.raises(ConflictError):
        stage.clear(home)
    assert (home / "ledger.db").read_text() == "log"
    (home / "mark").rename(home / stage.MARK)
    stage.clear(home)
    assert list(tmp_path.iterdir()) == []
