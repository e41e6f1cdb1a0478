"""A home open for writing: one at a time, trusted, and let go of whatever happens."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from ledger.errors import HomeError
from ledger.home import Home
from ledger.setup import create_home
from ledger.setup import currency_rules
from ledger.storage.lock import WriterLock
from ledger.storage.poison import FILE_NAME
from ledger.storage.poison import mark_poisoned
from ledger.storage.sqlite import SqliteStore
from ledger.tlog.ed25519 import SigningKey
from ledger.writer import Writer
from ledger.writer import boot_id
from ledger.writer import open_reader


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A new log home."""
    return create_home(
        tmp_path / "home",
        origin="a.example/log",
        currencies=currency_rules(["SEK"]),
        passphrase=None,
    ).home


def test_there_is_one_writer(home: Home) -> None:
    """A second writer is refused until the first has closed."""
    with Writer(home), pytest.raises(HomeError) as error:
        Writer(home)
    assert error.value.code == "home-in-use"
    Writer(home).close()


def test_a_writer_that_cannot_open_lets_go_of_the_lock(home: Home) -> None:
    """After a refusal to open, the next one may try."""
    data = home.database.read_bytes()
    home.database.write_bytes(b"x" * 100)
    for _ in range(2):
        with pytest.raises(HomeError) as error:
            Writer(home)
        assert error.value.code == "store-damaged"
    home.database.write_bytes(data)
    Writer(home).close()


def test_a_state_behind_its_log_lets_go_of_the_lock(home: Home) -> None:
    """A log whose derived state is gone is refused, and can be rebuilt then."""
    store = SqliteStore.open(home.path)
    with store.transaction():
        store.clear_derived()
    store.close()
    for _ in range(2):
        with pytest.raises(HomeError) as error:
            Writer(home)
        assert error.value.code == "state-behind"


def test_another_key_than_the_logs_signs_no_checkpoint(home: Home) -> None:
    """A checkpoint that nobody could verify is never published."""
    before = (home.public / "checkpoint").read_text(encoding="utf-8")
    with Writer(home) as writer, pytest.raises(HomeError) as error:
        writer.publish(SigningKey(bytes(32)))
    assert error.value.code == "wrong-log-key"
    assert (home.public / "checkpoint").read_text(encoding="utf-8") == before


def test_a_commit_of_unknown_fate_poisons_the_home(home: Home) -> None:
    """Nobody writes again before the machine was restarted and the log audited."""
    writer = Writer(home)
    with pytest.raises(HomeError), writer:
        raise HomeError("commit-unknown", "commit: disk I/O error")
    with pytest.raises(HomeError) as error:
        Writer(home)
    assert error.value.code == "home-poisoned"
    (home.path / FILE_NAME).unlink()
    mark_poisoned(home.path, "another start", "commit: disk I/O error")
    with pytest.raises(HomeError) as error:
        Writer(home)
    assert error.value.code == "home-unverified"
    open_reader(home).close()


def test_other_failures_poison_nothing(home: Home) -> None:
    """A refusal of the store that stored nothing leaves the home as it is."""
    with pytest.raises(HomeError), Writer(home):
        raise HomeError("store-busy", "another process holds it")
    Writer(home).close()


def leave_unfinished(home: Home) -> None:
    """Leave the home as a crash in the middle of a transaction does."""
    connection = sqlite3.connect(home.database, isolation_level=None)
    connection.execute("PRAGMA journal_mode = TRUNCATE")
    connection.execute("PRAGMA cache_size = 1")  # changed pages go to the file at once
    connection.execute("BEGIN IMMEDIATE")
    rows = [("x", number.to_bytes(4, "big"), bytes(2_000)) for number in range(500)]
    connection.executemany("INSERT INTO state VALUES (?, ?, ?)", rows)
    kept = home.path.with_name("kept")
    kept.mkdir()
    for path in home.path.glob("ledger.db*"):
        shutil.copy(path, kept)
    connection.execute("ROLLBACK")
    connection.close()
    for path in kept.iterdir():
        shutil.copy(path, home.path)


def test_a_reader_undoes_what_a_crash_left(home: Home) -> None:
    """After a crash the first one to read sees the log as it was acknowledged."""
    leave_unfinished(home)
    with pytest.raises(HomeError) as error:
        SqliteStore.open(home.path, read_only=True)
    assert error.value.code == "store-recovering"
    store = open_reader(home)
    assert (store.size(), list(store.rows.scan("x"))) == (2, [])
    store.close()


def test_nobody_undoes_what_a_writer_is_doing(home: Home) -> None:
    """While another process writes, what looks like a crash is left alone."""
    leave_unfinished(home)
    with WriterLock(home.lock), pytest.raises(HomeError) as error:
        open_reader(home)
    assert error.value.code == "home-in-use"


def test_this_start_of_the_machine_has_one_id() -> None:
    """The id stays the same until the machine starts anew."""
    assert boot_id() == boot_id()
    assert len(boot_id()) >= 16
