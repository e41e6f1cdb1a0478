"""After a sync that failed, nobody writes before a restart and a full check."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Callable

import pytest

from ledger.errors import HomeError
from ledger.home import Home
from ledger.storage import poison
from ledger.storage.sqlite import SqliteStore
from ledger.storage.sqlite_errors import explain
from ledger.writer import Writer
from ledger.writer import open_reader
from tests.cli.conftest import run_command
from tests.drills.places import audit
from tests.drills.places import grow
from tests.drills.places import log_key
from tests.drills.places import say
from tests.drills.places import size_of
from tests.test_writer import leave_unfinished

_FSYNC = os.fsync


def failing(number: int) -> Callable[[int], None]:
    """Make a sync that fails the `number`-th time, and holds at any other."""
    done = 0

    def sync(handle: int) -> None:
        nonlocal done
        done += 1
        if done == number:
            raise OSError(errno.EIO, "Input/output error")
        _FSYNC(handle)

    return sync


def attempt(writer: Writer) -> HomeError | None:
    """Publish and close; give what went wrong."""
    try:
        with writer:
            writer.publish(log_key(writer.home))
    except HomeError as error:
        return error
    return None


def run(home: Home, *args: str) -> tuple[int, str]:
    """Run a command on a home; give its exit code, and the code of its error."""
    result = run_command(*args, "--home", home.path, LINERNOTE_ANCHOR=anchors(home))
    return result.code, result.error if result.code == 8 else ""


def anchors(home: Home) -> str:
    """Say where the home of a drill is anchored."""
    return str(home.path.with_name("anchors"))


def restart(home: Home) -> None:
    """Let the marker be of an earlier start of the machine."""
    marker = home.path / poison.FILE_NAME
    marker.write_text("poisoned\nanother start\nsyncing\n", encoding="utf-8")


def test_every_sync_of_publishing_counts(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anchor, tiles, folders, checkpoint: each failure stops, marks and is passed."""
    number, failed = 0, 0
    while True:
        number += 1
        writer = Writer(home)
        say(writer, f"n{number}")
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", failing(number))
            error = attempt(writer)
        if error is None:
            break
        assert (error.code, error.exit_code) == ("sync-failed", 8)
        assert "safe to send again" in error.message
        failed += 1
        assert run(home, "rebuild") == (8, "home-poisoned")
        with pytest.raises(HomeError) as refused:
            Writer(home)
        assert refused.value.code == "home-poisoned"
        restart(home)
        assert run(home, "rebuild") == (8, "home-unverified")
        # What is published may be behind; what was acknowledged is all there.
        assert run(home, "audit")[0] == 0
        assert size_of(home) == 2 + number
    assert failed > 10
    assert audit(home).exit_code == 0


def test_a_writer_goes_no_further_after_a_failed_sync(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that lives on cannot append either, and the marker is there at once."""
    with Writer(home) as writer:
        say(writer, "before")
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", failing(1))
            with pytest.raises(HomeError):
                writer.publish(log_key(home))
        assert (home.path / poison.FILE_NAME).exists()
        with pytest.raises(Exception, match="closed"):
            say(writer, "after")
    assert size_of(home) == 3


def test_an_unfinished_transaction_is_undone_for_the_check(home: Home) -> None:
    """The check after a restart reads a database that a failed commit left open."""
    grow(home)
    leave_unfinished(home)
    poison.mark_poisoned(home.path, "another start", "commit: disk I/O error")
    with pytest.raises(HomeError) as error:
        SqliteStore.open(home.path, read_only=True)
    assert error.value.code == "store-recovering"
    open_reader(home).close()
    assert run(home, "audit") == (0, "")
    assert grow(home) == 4


def test_a_check_that_fails_opens_nothing(home: Home) -> None:
    """A log that lost what it anchored stays shut, whatever was restarted."""
    grow(home)
    (home.public / "tile" / "0" / "000.p" / "3").write_bytes(bytes(96))
    restart(home)
    assert run(home, "audit")[0] == 4
    assert run(home, "rebuild") == (8, "home-unverified")


def test_commands_without_a_writer_mark_the_home_too(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever rebuilds, recovers or restores meets the same disk."""
    for command in (["rebuild"], ["restore", "--from", str(home.path / ".." / "m")]):
        shutil.rmtree(home.path.with_name("m"), ignore_errors=True)
        shutil.copytree(home.public, home.path.with_name("m"))
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", failing(1))
            assert run(home, *command) == (8, "sync-failed")
        assert run(home, "rebuild") == (8, "home-poisoned")
        poison.clear_poison(home.path)
    assert grow(home) == 3


def test_a_sync_within_a_transaction_counts() -> None:
    """SQLite syncs its journal before it writes pages of a large transaction."""
    for code in (sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC):
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = code
        assert explain(error, "store").code == "sync-failed"
