"""A database is made whole, opened as asked, and refused by name otherwise."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from contextlib import closing
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import HomeError
from ledger.errors import InvariantError
from ledger.errors import LedgerError
from ledger.storage import sqlite_open
from ledger.storage.sqlite import FILE_NAME
from ledger.storage.sqlite import SqliteStore
from ledger.storage.sqlite_open import TRUNCATE_EXTRA
from ledger.storage.sqlite_open import WAL_FULL
from ledger.storage.sqlite_open import Journal
from ledger.storage.sqlite_open import choose_journal
from ledger.storage.sqlite_schema import VERSION
from tests.storage.samples import contents
from tests.storage.samples import entries
from tests.storage.samples import entry
from tests.storage.samples import fill


def pragma(store: SqliteStore, name: str) -> object:
    return store.one(f"PRAGMA {name}")[0]


def files(home: Path) -> set[str]:
    return {path.name for path in home.iterdir()}


def refusal(home: Path, *, read_only: bool = False) -> str:
    with pytest.raises(HomeError) as caught:
        SqliteStore.open(home, read_only=read_only)
    assert open_files(home) == []
    return caught.value.code


def open_files(home: Path) -> list[str]:
    """Files of a home that this process still holds."""
    links = Path("/proc/self/fd").iterdir()
    names = [os.readlink(link) for link in links if link.is_symlink()]  # noqa: PTH115
    return [name for name in names if name.startswith(f"{home}/")]


def read_all(home: Path, *, read_only: bool) -> None:
    with closing(SqliteStore.open(home, read_only=read_only)) as store:
        contents(store)


@pytest.mark.parametrize(
    ("version", "journal"),
    [
        ((3, 7, 0), TRUNCATE_EXTRA),
        ((3, 40, 1), TRUNCATE_EXTRA),
        ((3, 44, 5), TRUNCATE_EXTRA),
        ((3, 44, 6), WAL_FULL),
        ((3, 45, 0), TRUNCATE_EXTRA),
        ((3, 50, 6), TRUNCATE_EXTRA),
        ((3, 50, 7), WAL_FULL),
        ((3, 51, 0), TRUNCATE_EXTRA),
        ((3, 51, 2), TRUNCATE_EXTRA),
        ((3, 51, 3), WAL_FULL),
        ((3, 52, 0), WAL_FULL),
        ((4, 0, 0), WAL_FULL),
    ],
)
def test_wal_only_without_the_reset_race(
    version: tuple[int, int, int], journal: Journal
) -> None:
    """WAL is used from 3.51.3 on and in the two branches that have the fix."""
    assert choose_journal(version) == journal


@pytest.mark.parametrize("journal", [TRUNCATE_EXTRA, WAL_FULL])
def test_what_durability_rests_on_is_in_force(tmp_path: Path, journal: Journal) -> None:
    """Each setting, asked of the connection that writes."""
    SqliteStore.create(tmp_path).close()
    with closing(SqliteStore.open(tmp_path, journal=journal)) as store:
        assert pragma(store, "journal_mode") == journal.mode
        assert pragma(store, "synchronous") == {"wal": 2, "truncate": 3}[journal.mode]
        assert pragma(store, "trusted_schema") == 0
        assert pragma(store, "cell_size_check") == 1
        assert pragma(store, "mmap_size") == 0
        assert pragma(store, "fullfsync") == 1


def test_the_loaded_sqlite_chooses_the_journal(tmp_path: Path) -> None:
    """Without being told, a store uses what suits its SQLite."""
    with closing(SqliteStore.create(tmp_path)) as store:
        journal = choose_journal(sqlite3.sqlite_version_info)
        assert pragma(store, "journal_mode") == journal.mode


@pytest.mark.parametrize("journal", [Journal("none", 3), Journal("truncate", 9)])
def test_a_setting_that_is_not_in_force_refuses(
    tmp_path: Path, journal: Journal
) -> None:
    """SQLite ignores what it does not know: only reading back tells."""
    SqliteStore.create(tmp_path).close()
    with pytest.raises(HomeError) as caught:
        SqliteStore.open(tmp_path, journal=journal)
    assert caught.value.code == "store-not-durable"


def test_changing_the_journal_keeps_everything(tmp_path: Path) -> None:
    """A home moves between machines with and without the race."""
    with closing(SqliteStore.create(tmp_path)) as store:
        fill(store)
        before = contents(store)
    for journal in (WAL_FULL, TRUNCATE_EXTRA, WAL_FULL):
        with closing(SqliteStore.open(tmp_path, journal=journal)) as store:
            assert contents(store) == before
            size = store.size()
            with store.transaction():
                store.add_entries(entries(size, size + 1))
            before = contents(store)


def test_nobody_else_reads_the_files(tmp_path: Path) -> None:
    """Database and journal are the owner's alone."""
    with closing(SqliteStore.create(tmp_path)) as store:
        fill(store)
        assert FILE_NAME in files(tmp_path)
        for path in tmp_path.iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_journal_is_there_before_it_is_used(tmp_path: Path) -> None:
    """Its name in the folder is durable before a transaction depends on it."""
    SqliteStore.create(tmp_path).close()
    (tmp_path / "ledger.db-journal").unlink(missing_ok=True)
    with closing(SqliteStore.open(tmp_path, journal=TRUNCATE_EXTRA)):
        assert files(tmp_path) == {FILE_NAME, "ledger.db-journal"}


def test_opening_makes_nothing(tmp_path: Path) -> None:
    """A missing database stays missing."""
    for read_only in (False, True):
        assert refusal(tmp_path, read_only=read_only) == "store-missing"
    assert files(tmp_path) == set()


@pytest.mark.parametrize("suffix", ["", "-journal", "-wal", "-shm"])
def test_creating_replaces_nothing(tmp_path: Path, suffix: str) -> None:
    """Neither a database nor what is left of one is in the way of a new one."""
    left = tmp_path / f"{FILE_NAME}{suffix}"
    left.write_bytes(b"left")
    with pytest.raises(HomeError) as caught:
        SqliteStore.create(tmp_path)
    assert caught.value.code == "store-exists"
    assert left.read_bytes() == b"left"
    assert files(tmp_path) == {left.name}


def test_creating_again_after_a_crash(tmp_path: Path) -> None:
    """What an interrupted creation left is no database and in nobody's way."""
    (tmp_path / f"{FILE_NAME}.new").write_bytes(b"half")
    assert refusal(tmp_path) == "store-missing"
    with closing(SqliteStore.create(tmp_path)) as store:
        assert store.size() == 0
    assert f"{FILE_NAME}.new" not in files(tmp_path)


def test_an_interrupted_creation_leaves_no_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name appears with the whole schema or not at all."""

    def fail(_: object) -> None:
        raise sqlite3.OperationalError

    monkeypatch.setattr(sqlite_open, "create_tables", fail)
    with pytest.raises(LedgerError):
        SqliteStore.create(tmp_path)
    assert FILE_NAME not in files(tmp_path)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """The home is made by whoever asks for a store, not by the store."""
    with pytest.raises(HomeError) as caught:
        SqliteStore.create(tmp_path / "missing")
    assert caught.value.code == "store-unreadable"


@pytest.mark.parametrize("read_only", [False, True])
def test_other_databases_are_refused_untouched(
    tmp_path: Path, *, read_only: bool
) -> None:
    """A foreign file, an older or newer one, and what is no database at all."""
    path = tmp_path / FILE_NAME
    SqliteStore.create(tmp_path).close()
    ours = path.read_bytes()
    for sql, code in [
        ("PRAGMA user_version = 0", "store-version"),
        (f"PRAGMA user_version = {VERSION - 1}", "store-version"),
        (f"PRAGMA user_version = {VERSION + 1}", "store-version"),
        ("PRAGMA application_id = 7", "store-version"),
    ]:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(sql)
        before = path.read_bytes()
        assert refusal(tmp_path, read_only=read_only) == code
        assert path.read_bytes() == before
        path.write_bytes(ours)
    for data, code in [
        (b"", "store-version"),
        (b"not a database" * 99, "store-damaged"),
    ]:
        path.write_bytes(data)
        assert refusal(tmp_path, read_only=read_only) == code
        assert path.read_bytes() == data


def test_a_database_that_lost_pages_says_so(tmp_path: Path) -> None:
    """A file cut short is refused, at the latest when it is read."""
    path = tmp_path / FILE_NAME
    with closing(SqliteStore.create(tmp_path)) as store:
        fill(store)
    path.write_bytes(path.read_bytes()[:-8192])
    with pytest.raises(HomeError) as caught:
        read_all(tmp_path, read_only=True)
    assert caught.value.code == "store-damaged"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("filled")
    with closing(SqliteStore.create(home)) as store:
        fill(store)
    return home / FILE_NAME


@pytest.mark.parametrize("read_only", [False, True])
@given(
    # The header and the schema decide how all else is read: flip there often.
    places=st.lists(
        st.integers(0, 200) | st.integers(0, 2**20), min_size=1, max_size=3
    ),
    flip=st.integers(1, 255),
)
def test_damage_never_shows_as_an_error_of_sqlite(
    filled: Path,
    tmp_path_factory: pytest.TempPathFactory,
    *,
    read_only: bool,
    places: list[int],
    flip: int,
) -> None:
    """A flipped byte is our error or changed content, which the audit finds."""
    home = tmp_path_factory.mktemp("damaged")
    damaged = bytearray(filled.read_bytes())
    for place in places:
        damaged[place % len(damaged)] ^= flip
    (home / FILE_NAME).write_bytes(damaged)
    with suppress(LedgerError):
        read_all(home, read_only=read_only)
    shutil.rmtree(home)


def test_readers_cannot_write(tmp_path: Path) -> None:
    """Neither through the port nor by any statement."""
    with closing(SqliteStore.create(tmp_path)) as store:
        fill(store)
        before = contents(store)
        with closing(SqliteStore.open(tmp_path, read_only=True)) as reader:
            assert contents(reader) == before
            assert pragma(reader, "query_only") == 1
            assert pragma(reader, "trusted_schema") == 0
            with pytest.raises(HomeError) as caught:
                reader.begin()
            assert caught.value.code == "store-read-only"
            with reader.reading(), pytest.raises(HomeError) as caught:
                reader.clear_derived()
            assert caught.value.code == "store-read-only"
            with pytest.raises(HomeError) as caught:
                reader.one("DELETE FROM head")
            assert caught.value.code == "store-read-only"
        assert contents(store) == before


def test_readers_see_what_is_committed(tmp_path: Path) -> None:
    """A reader sees a transaction once it is committed, not before."""
    with (
        closing(SqliteStore.create(tmp_path)) as store,
        closing(SqliteStore.open(tmp_path, read_only=True)) as reader,
    ):
        with store.transaction():
            store.add_entries([entry(0)])
            assert reader.size() == 0
        assert reader.size() == 1


def test_a_reader_keeps_its_state_while_reading(tmp_path: Path) -> None:
    """In WAL a reader's view stays, while the log goes on."""
    SqliteStore.create(tmp_path).close()
    with (
        closing(SqliteStore.open(tmp_path, journal=WAL_FULL)) as store,
        closing(SqliteStore.open(tmp_path, read_only=True)) as reader,
    ):
        with reader.reading():
            assert reader.size() == 0
            with store.transaction():
                store.add_entries([entry(0)])
            assert reader.size() == 0
        assert reader.size() == 1


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    """Use after closing is a bug of the caller, by name."""
    store = SqliteStore.create(tmp_path)
    store.close()
    for use in (store.size, store.begin, store.commit, store.rollback):
        with pytest.raises(InvariantError) as caught:
            use()
        assert caught.value.code == "store-misused"


def test_a_home_with_an_odd_name(tmp_path: Path) -> None:
    """Names that mean something in a URI are names here."""
    home = tmp_path / "år 100%?mode=memory#x"
    home.mkdir()
    SqliteStore.create(home).close()
    with closing(SqliteStore.open(home)) as store:
        assert store.size() == 0
    assert FILE_NAME in files(home)


def test_a_change_of_the_journal_that_fails_late_is_heard() -> None:
    """SQLite answers first and commits the change then: that error counts as well."""

    class Cursor:
        def fetchone(self) -> tuple[str]:
            return ("wal",)

        def fetchall(self) -> None:
            raise sqlite3.OperationalError("disk I/O error")

    class Connection:
        def execute(self, _: str) -> Cursor:
            return Cursor()

    with pytest.raises(sqlite3.OperationalError):
        sqlite_open._configure(Connection(), {"journal_mode": "wal"})  # type: ignore[arg-type]
