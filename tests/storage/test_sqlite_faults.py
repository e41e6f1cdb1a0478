"""Nothing acknowledged is lost: kills, other writers, full disks, failed commits."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ledger.errors import ConflictError
from ledger.errors import HomeError
from ledger.errors import InvariantError
from ledger.storage import sqlite_entries
from ledger.storage import sqlite_open
from ledger.storage.sqlite import SqliteStore
from ledger.storage.sqlite_entries import SqliteEntries
from ledger.storage.sqlite_errors import explain
from ledger.storage.sqlite_errors import explain_commit
from ledger.storage.sqlite_schema import KEPT
from ledger.storage.sqlite_schema import TABLES
from tests.storage.processes import kill
from tests.storage.processes import read_line
from tests.storage.processes import start
from tests.storage.samples import contents
from tests.storage.samples import entries
from tests.storage.samples import entry
from tests.storage.samples import fill


def test_kills_lose_nothing_acknowledged(tmp_path: Path) -> None:
    """After each of 12 kills, what was acknowledged is there, whole batches only."""
    SqliteStore.create(tmp_path).close()
    for round_ in range(12):
        writer = start("append", tmp_path)
        lines = [read_line(writer) for _ in range(3 + 5 * round_)]
        lines += kill(writer).splitlines()
        acknowledged = max(int(line) for line in lines)
        with closing(SqliteStore.open(tmp_path)) as store:
            size = store.size()
            assert size >= acknowledged
            stored = list(store.leaves(0, size))
        assert stored == [entry(index).leaf for index in range(size)]
        assert size in batch_ends(size)


def batch_ends(size: int) -> set[int]:
    """Sizes at which `program.append` commits."""
    ends = {0}
    while max(ends) < size:
        last = max(ends)
        ends.add(last + 1 + last % 3)
    return ends


def test_a_kill_in_mid_transaction_is_undone(tmp_path: Path) -> None:
    """Pages written before the kill are rolled back, by a writer and no reader."""
    with closing(SqliteStore.create(tmp_path)) as store:
        fill(store)
        before = contents(store)
    abandoned = start("abandon", tmp_path)
    assert abandoned.wait() != 0
    kill(abandoned)
    assert (tmp_path / "ledger.db-journal").stat().st_size > 0
    with pytest.raises(HomeError) as caught:
        SqliteStore.open(tmp_path, read_only=True)
    assert caught.value.code == "store-recovering"
    with closing(SqliteStore.open(tmp_path)) as store:
        assert contents(store) == before
    with closing(SqliteStore.open(tmp_path, read_only=True)) as reader:
        assert contents(reader) == before


def test_writers_take_turns(tmp_path: Path) -> None:
    """Processes that read the size and then write never fail and never fork."""
    SqliteStore.create(tmp_path).close()
    writers = [start("count", tmp_path, 60) for _ in range(3)]
    for writer in writers:
        writer.communicate()
        assert writer.returncode == 0
    with closing(SqliteStore.open(tmp_path)) as store:
        assert store.size() == 180


def test_a_second_writer_waits_at_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write lock is taken before anything is read."""
    monkeypatch.setattr(sqlite_open, "BUSY_SECONDS", 0.05)
    with (
        closing(SqliteStore.create(tmp_path)) as one,
        closing(SqliteStore.open(tmp_path)) as other,
    ):
        one.begin()
        with pytest.raises(HomeError) as caught:
            other.begin()
        assert caught.value.code == "store-busy"
        one.rollback()
        other.begin()
        other.rollback()


def test_a_slow_reader_costs_one_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit that a reader holds up is surely not stored, and can be repeated."""
    monkeypatch.setattr(sqlite_open, "BUSY_SECONDS", 0.05)
    SqliteStore.create(tmp_path).close()
    truncate = sqlite_open.TRUNCATE_EXTRA
    with (
        closing(SqliteStore.open(tmp_path, journal=truncate)) as store,
        closing(SqliteStore.open(tmp_path, read_only=True)) as reader,
    ):
        with reader.reading():
            assert reader.size() == 0
            with pytest.raises(HomeError) as caught, store.transaction():
                store.add_entries([entry(0)])
            assert caught.value.code == "store-busy"
        assert store.size() == 0
        with store.transaction():
            store.add_entries([entry(0)])
        assert reader.size() == 1


def test_reading_in_ranges_holds_nobody_up(tmp_path: Path) -> None:
    """While leaves or rows are read one by one, the log goes on."""
    with (
        closing(SqliteStore.create(tmp_path)) as store,
        closing(SqliteStore.open(tmp_path, read_only=True)) as reader,
    ):
        with store.transaction():
            store.add_entries(entries(0, 1200))
            store.rows.write(("parties", b"%05d" % i, b"") for i in range(2500))
        leaves, rows = reader.leaves(0, 1200), reader.rows.scan("parties")
        next(leaves)
        next(rows)
        with store.transaction():
            store.add_entries(entries(1200, 1300))
        assert len(list(leaves)) == 1199
        assert len(list(rows)) == 2499


def test_a_failed_commit_ends_the_store(tmp_path: Path) -> None:
    """After a real write error in a commit nothing more is answered or written."""
    with closing(SqliteStore.create(tmp_path)) as store:
        fill(store)
        before = contents(store)
    overfull = start("overfill", tmp_path)
    output, _ = overfull.communicate()
    # A rollback has nothing to do: cleaning up must not hide the first error.
    expected = ["commit-unknown", "store-failed", "store-failed", "done"]
    assert output.split() == expected
    assert overfull.returncode == 0
    with closing(SqliteStore.open(tmp_path)) as store:
        after = contents(store)
        assert after[0] in {40, 340}
        if after[0] == 40:
            assert after == before


def test_a_failed_commit_says_what_to_do(tmp_path: Path) -> None:
    """The message of the failed commit comes back with every later use."""
    store = SqliteStore.create(tmp_path)
    store.begin()
    store._connection = FailingCommit(store._connection)  # type: ignore[assignment]
    with pytest.raises(HomeError) as caught:
        store.commit()
    assert caught.value.code == "commit-unknown"
    assert "the same event is safe to send again" in caught.value.message
    with pytest.raises(HomeError) as caught:
        store.leaf(0)
    assert caught.value.code == "store-failed"
    assert "disk I/O error" in caught.value.message
    store.close()


class FailingCommit:
    """A connection whose commits fail as a sync does."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __getattr__(self, name: str) -> object:
        return getattr(self.connection, name)

    def execute(self, sql: str, parameters: tuple[int, ...] = ()) -> object:
        if sql == "COMMIT":
            raise sqlite_error(sqlite3.SQLITE_IOERR_FSYNC, "disk I/O error")
        return self.connection.execute(sql, parameters)


def test_a_full_disk_is_named_and_survived(tmp_path: Path) -> None:
    """What does not fit is refused as a whole; what fits goes on."""
    with closing(SqliteStore.create(tmp_path)) as store:
        fill(store)
        before = contents(store)
        pages = store.one("PRAGMA page_count")[0]
        store.one(f"PRAGMA max_page_count = {pages + 5}")
        with pytest.raises(HomeError) as caught, store.transaction():
            store.add_entries(entries(40, 2000))
        assert caught.value.code == "disk-full"
        assert contents(store) == before
        with store.transaction():
            store.add_entries(entries(40, 41))
        assert store.size() == 41


def test_a_transaction_that_sqlite_dropped_is_not_written_on(tmp_path: Path) -> None:
    """Where SQLite rolled back by itself, the next write does not commit alone."""
    with closing(SqliteStore.create(tmp_path)) as store:
        store.begin()
        store.add_entries([entry(0)])
        store.one("ROLLBACK")
        with pytest.raises(InvariantError) as caught:
            store.add_entries([entry(0)])
        assert caught.value.code == "transaction-missing"
        assert store.size() == 0


def test_a_lost_entry_is_damage_not_the_end(tmp_path: Path) -> None:
    """An entry below the size that is gone is named; no reader stops early."""
    with closing(SqliteStore.create(tmp_path)) as store:
        fill(store)
        with store.transaction():
            store.one("DROP TRIGGER entries_delete")
            store.one("DELETE FROM entries WHERE entry_index = 7")
        reads: list[Callable[[], object]] = [
            lambda: store.leaf(7),
            lambda: list(store.leaves(0, 40)),
            lambda: store.leaf_hashes(7, 8),
        ]
        for read in reads:
            with pytest.raises(HomeError) as caught:
                read()
            assert caught.value.code == "store-damaged"
            assert "entry 7 is missing" in caught.value.message


@pytest.mark.parametrize("table", KEPT)
@pytest.mark.parametrize("sql", ["DELETE FROM {}", "UPDATE {} SET {} = x'07'"])
def test_what_is_kept_cannot_be_changed(
    tmp_path: Path, table: str, sql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even a statement of our own takes an entry, node or line back."""
    monkeypatch.setattr(sqlite_entries, "SPAN", 16)
    with closing(SqliteStore.create(tmp_path)) as store:
        fill(store)
        before = contents(store)
        column = list(TABLES[table].columns)[-1]
        with pytest.raises(InvariantError) as caught, store.transaction():
            store.one(sql.format(table, column))
        assert f"{table} is append-only" in caught.value.message
        assert contents(store) == before


def test_a_store_moves_between_threads(tmp_path: Path) -> None:
    """A server's threads use one writer, one after the other."""
    with closing(SqliteStore.create(tmp_path)) as store:
        thread = threading.Thread(target=fill, args=(store,))
        thread.start()
        thread.join()
        assert store.size() == 40


def test_numbers_beyond_64_bits_are_refused_whole(tmp_path: Path) -> None:
    """A number that SQLite cannot hold spoils the transaction it was in."""
    with closing(SqliteStore.create(tmp_path)) as store:
        store.begin()
        with pytest.raises(OverflowError):
            store.add_entries([entry(0), entry(1, seq=2**63)])
        with pytest.raises(InvariantError):
            store.commit()
        store.rollback()
        assert store.size() == 0


def sqlite_error(code: int, text: str = "text") -> sqlite3.Error:
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_FULL, "disk-full"),
        (sqlite3.SQLITE_CORRUPT, "store-damaged"),
        (sqlite3.SQLITE_CORRUPT_VTAB, "store-damaged"),
        (sqlite3.SQLITE_NOTADB, "store-damaged"),
        (sqlite3.SQLITE_ERROR, "store-damaged"),
        (0, "store-damaged"),
        (sqlite3.SQLITE_BUSY, "store-busy"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "store-busy"),
        (sqlite3.SQLITE_LOCKED, "store-busy"),
        (sqlite3.SQLITE_READONLY, "store-read-only"),
        (sqlite3.SQLITE_READONLY_ROLLBACK, "store-recovering"),
        (sqlite3.SQLITE_CANTOPEN, "store-unreadable"),
        (sqlite3.SQLITE_IOERR_READ, "store-unreadable"),
        (sqlite3.SQLITE_PERM, "store-unreadable"),
    ],
)
def test_each_remedy_has_a_code(code: int, expected: str) -> None:
    """Errors of the disk and the file are the home's, with a hint."""
    error = explain(sqlite_error(code), "opening")
    assert isinstance(error, HomeError)
    assert error.code == expected
    assert error.hint
    assert "opening" in error.message


def test_doubles_are_conflicts_and_the_rest_are_bugs() -> None:
    """A taken key is no bug; anything else that SQLite refuses is one."""
    double = explain(sqlite_error(sqlite3.SQLITE_CONSTRAINT_UNIQUE), "store")
    assert isinstance(double, ConflictError)
    for code in (sqlite3.SQLITE_CONSTRAINT_CHECK, sqlite3.SQLITE_MISMATCH):
        error = explain(sqlite_error(code), "store")
        assert isinstance(error, InvariantError)
        assert error.code == "store-misused"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_FULL, "disk-full"),
        (sqlite3.SQLITE_IOERR_FSYNC, "commit-unknown"),
        (sqlite3.SQLITE_CORRUPT, "commit-unknown"),
        (0, "commit-unknown"),
    ],
)
def test_a_failed_commit_is_unknown(code: int, expected: str) -> None:
    """Whatever failed, the message promises nothing about what is stored."""
    error = explain_commit(sqlite_error(code))
    assert error.code == expected
    assert "whether it was stored is unknown" in error.message


def test_opening_and_asking_do_not_depend_on_the_length(tmp_path: Path) -> None:
    """Opening, the size, an event and a chain take as many steps in a longer log."""
    steps = []
    store = SqliteStore.create(tmp_path)
    for stop in (600, 6000):
        with store.transaction():
            store.add_entries(entries(store.size(), stop))
        store.close()
        store = SqliteStore.open(tmp_path)
        steps.append(count_steps(store))
    store.close()
    assert steps[0] == steps[1]


def count_steps(store: SqliteEntries) -> int:
    """Count the steps of SQLite's machine for the questions of an append."""
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    store._connection.set_progress_handler(step, 1)
    store.size()
    store.find_event(entry(7).author, entry(7).id)
    store.key_head(entry(7).key)
    store.leaf(7)
    store._connection.set_progress_handler(None, 1)
    return steps


def test_rows_are_written_by_plain_statements(tmp_path: Path) -> None:
    """Nothing else is tried in a transaction, where a failing disk would end it."""
    said: list[str] = []
    with closing(SqliteStore.create(tmp_path)) as store:
        store._connection.set_trace_callback(said.append)
        with store.transaction():
            store.rows.write([("currency", b"SEK", b"2")])
            store.swap_checkpoint(None, "first")
            store.add_manifest(bytes(32), b"info")
            store.add_entries([entry(0)])
            store.clear_derived()
    assert said[0] == "BEGIN IMMEDIATE"
    assert said[-1] == "COMMIT"
    verbs = {statement.split()[0] for statement in said[1:-1]}
    assert verbs == {"DELETE", "INSERT", "SELECT"}
