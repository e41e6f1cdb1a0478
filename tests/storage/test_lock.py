"""One writer at a time, whatever becomes of the one before."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ledger.errors import HomeError
from ledger.storage.lock import WriterLock
from tests.storage.processes import kill
from tests.storage.processes import read_line
from tests.storage.processes import start


def test_another_process_is_refused_and_told_whom_to_stop(tmp_path: Path) -> None:
    """While one process holds the lock, others learn its id; a kill releases it."""
    path = tmp_path / "lock"
    holder = start("hold", path)
    try:
        assert read_line(holder) == str(holder.pid)
        with pytest.raises(HomeError) as caught:
            WriterLock(path)
        assert caught.value.code == "home-in-use"
        assert f"process {holder.pid} " in caught.value.message
    finally:
        kill(holder)
    with WriterLock(path):
        assert path.read_text() == f"{os.getpid()}\n"


def test_the_same_process_is_refused_too(tmp_path: Path) -> None:
    """Two stores in one program are two writers."""
    with WriterLock(tmp_path / "lock"), pytest.raises(HomeError) as caught:
        WriterLock(tmp_path / "lock")
    assert caught.value.code == "home-in-use"


def test_a_released_lock_names_nobody(tmp_path: Path) -> None:
    """The file stays, private and empty; releasing twice is harmless."""
    path = tmp_path / "lock"
    lock = WriterLock(path)
    lock.close()
    lock.close()
    assert path.read_bytes() == b""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    WriterLock(path).close()


def test_what_a_killed_holder_left_is_replaced(tmp_path: Path) -> None:
    """The file holds the newest holder's id and nothing of an older one."""
    path = tmp_path / "lock"
    path.write_text("123456789012345\n")
    with WriterLock(path):
        assert path.read_text() == f"{os.getpid()}\n"


def test_an_error_releases_the_lock(tmp_path: Path) -> None:
    """Leaving by an exception is leaving."""
    with pytest.raises(KeyError), WriterLock(tmp_path / "lock"):
        raise KeyError
    WriterLock(tmp_path / "lock").close()
