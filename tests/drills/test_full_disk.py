"""A full disk refuses, says so, and loses nothing that was acknowledged."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.anchor import VARIABLE
from ledger.errors import HomeError
from ledger.home import Home
from ledger.writer import Writer
from tests.drills.places import audit
from tests.drills.places import grow
from tests.drills.places import log_key
from tests.drills.places import new_home
from tests.drills.places import say
from tests.drills.places import size_of

_ROOM = "size=2500k,mode=700"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for little more than a new log."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        pytest.skip("only root can mount a small disk")
    mounting = [mount, "-t", "tmpfs", "-o", _ROOM, "tmpfs", str(folder)]
    if subprocess.run(mounting, check=False, capture_output=True).returncode:
        pytest.skip("no disk can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Take what room there is."""
    path = folder / "ballast"
    with path.open("wb") as file:
        try:
            for size in (65_536, 4_096, 512):
                while True:
                    file.write(bytes(size))
                    file.flush()
        except OSError:
            pass
    return path


def test_appending_to_a_full_disk(
    small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused with exit code 8; with room again, the log goes on."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "anchors"))
    home = new_home(small_disk / "home")
    ballast = fill(small_disk)
    acknowledged: list[int] = [0, 1]
    with Writer(home) as writer, pytest.raises(HomeError) as error:
        acknowledged.extend(say(writer, f"n{number}") for number in range(10_000))
    assert (error.value.code, error.value.exit_code) == ("disk-full", 8)
    assert "free some space" in error.value.hint
    assert size_of(home) == len(acknowledged)
    ballast.unlink()
    assert grow(home) == len(acknowledged) + 1
    assert audit(home).exit_code == 0


def test_publishing_to_a_full_disk(
    small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What readers see stays as it was, and whole; then everything is published."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "anchors"))
    home = new_home(small_disk / "home")
    before = (home.public / "checkpoint").read_bytes()
    with Writer(home) as writer:
        say(writer, "more")
        ballast = fill(small_disk)
        with pytest.raises((OSError, HomeError)):
            writer.publish(log_key(home))
    assert (home.public / "checkpoint").read_bytes() == before
    ballast.unlink()
    assert audit(home).exit_code == 0
    with Writer(home) as writer:
        assert writer.publish(log_key(home)).size == 3
    assert audit(home).exit_code == 0


def test_a_full_disk_under_the_anchor(
    home: Home, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without room to remember a checkpoint, none is signed."""
    monkeypatch.setenv(VARIABLE, str(small_disk / "anchors"))
    other = new_home(home.path.with_name("other"))
    before = (other.public / "checkpoint").read_bytes()
    ballast = fill(small_disk)
    with Writer(other) as writer:
        say(writer, "more")
        with pytest.raises(OSError, match="No space"):
            writer.publish(log_key(other))
    assert (other.public / "checkpoint").read_bytes() == before
    ballast.unlink()
    assert grow(other) == 4
    assert audit(other).exit_code == 0


def test_a_public_folder_on_a_disk_of_its_own(home: Home, small_disk: Path) -> None:
    """Files are made where they can be renamed into place, and none is left over."""
    shutil.copytree(home.public, small_disk, dirs_exist_ok=True)
    shutil.rmtree(home.public)
    home.public.symlink_to(small_disk)
    assert grow(home, 3) == 5
    assert audit(home).exit_code == 0
