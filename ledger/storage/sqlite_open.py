"""Opening a database so that what is acknowledged survives a power cut.

WAL with synchronous=FULL is used only where SQLite is free of the WAL-reset race
(3.7.0 to 3.51.2; fixed in 3.51.3, and in 3.50.7 and 3.44.6 of their branches), which
can lose commits. Elsewhere the journal is TRUNCATE with synchronous=EXTRA. Every
setting is read back, since SQLite reports a refused PRAGMA by nothing else.

A database is made under another name and renamed into place: there is no half-made
one. Folders are synced here, because SQLite passes over errors in doing so. Opening
never creates a file.

>>> choose_journal((3, 40, 1)).mode, choose_journal((3, 51, 3)).mode
('truncate', 'wal')
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from sqlite_utils import Database

from ledger.errors import HomeError
from ledger.storage.sqlite_errors import DriverError
from ledger.storage.sqlite_errors import explain
from ledger.storage.sqlite_schema import APPLICATION_ID
from ledger.storage.sqlite_schema import VERSION
from ledger.storage.sqlite_schema import create_tables
from ledger.storage.sync import sync

BUSY_SECONDS = 10.0
WRITER_CACHE_KIB = 131_072
READER_CACHE_KIB = 16_384
SIDECARS = ("", "-journal", "-wal", "-shm")

Settings = dict[str, str | int]

_DEFENSIVE: Settings = {
    "trusted_schema": 0,  # functions in a damaged schema do nothing
    "cell_size_check": 1,  # damaged pages are found where they are read
    "mmap_size": 0,  # a disk error is an error code, not a signal
}


class Journal(NamedTuple):
    """A journal mode, and the level of `PRAGMA synchronous` that makes it durable."""

    mode: str
    synchronous: int


WAL_FULL = Journal("wal", 2)
TRUNCATE_EXTRA = Journal("truncate", 3)


def choose_journal(version: tuple[int, ...]) -> Journal:
    """Choose by the version of SQLite that is loaded."""
    fixed = (
        version >= (3, 51, 3)
        or (3, 50, 7) <= version < (3, 51)
        or (3, 44, 6) <= version < (3, 45)
    )
    return WAL_FULL if fixed else TRUNCATE_EXTRA


def create_file(path: Path) -> None:
    """Make a new, empty database, mode 0600.

    Raises:
        HomeError: `store-exists`, `disk-full`, `store-unreadable`.
    """
    for suffix in SIDECARS:
        # A journal left by another database would be rolled into the new one.
        if Path(f"{path}{suffix}").exists():
            raise HomeError(
                "store-exists",
                f"{path}{suffix} is there already",
                hint="choose another home, or move it away",
            )
    new = path.with_name(f"{path.name}.new")
    try:
        new.unlink(missing_ok=True)
        os.close(os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        _fill(new)
        sync(new)
        new.rename(path)
        sync(path.parent)
    except OSError as error:
        raise HomeError(
            "store-unreadable", f"creating {path}: {error}", hint="check the home"
        ) from error
    except sqlite3.Error as error:
        raise explain(error, f"creating {path}") from error


def _fill(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = MEMORY")
        connection.execute("BEGIN IMMEDIATE")
        create_tables(Database(connection, execute_plugins=False))
        connection.execute("COMMIT")


def open_file(
    path: Path, *, read_only: bool, journal: Journal | None = None
) -> sqlite3.Connection:
    """Open a database that is there.

    Args:
        path: its file.
        read_only: neither writes nor takes part in recovery.
        journal: instead of the one that suits the SQLite loaded.

    Raises:
        HomeError: `store-missing`, `store-version`, `store-damaged`,
            `store-not-durable`, `store-recovering`, `store-busy`.
    """
    if not path.exists():
        raise HomeError(
            "store-missing", f"there is no {path}", hint="linernote init makes a log"
        )
    try:
        connection = _connect(path, "ro" if read_only else "rw")
    except sqlite3.Error as error:
        raise explain(error, f"opening {path}") from error
    try:
        cache_kib = READER_CACHE_KIB if read_only else WRITER_CACHE_KIB
        connection.execute(f"PRAGMA cache_size = -{cache_kib}")
        _check_header(connection, path)
        if read_only:
            _configure(connection, _DEFENSIVE | {"query_only": 1})
        else:
            chosen = journal or choose_journal(sqlite3.sqlite_version_info)
            _make_durable(connection, path, chosen)
    except BaseException as error:
        connection.close()
        if isinstance(error, DriverError):
            raise explain(error, f"opening {path}") from error
        raise
    return connection


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.resolve().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,  # transactions are ours: BEGIN IMMEDIATE, see the port
        check_same_thread=False,  # one thread at a time, which the caller sees to
    )


def _check_header(connection: sqlite3.Connection, path: Path) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        raise HomeError("store-version", f"{path} is not a store of linernote")
    if version != VERSION:
        raise HomeError(
            "store-version",
            f"{path} has tables of version {version}, not {VERSION}",
            hint="open it with the release of linernote that wrote it",
        )


def _make_durable(connection: sqlite3.Connection, path: Path, journal: Journal) -> None:
    _configure(
        connection,
        _DEFENSIVE
        | {
            "journal_mode": journal.mode,
            "synchronous": journal.synchronous,
            "fullfsync": 1,  # macOS: through the disk's own cache as well
        },
    )
    if journal == TRUNCATE_EXTRA:
        # There before its first use, so that its name is durable before its content.
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        os.close(os.open(f"{path}-journal", flags, 0o600))
    _check_header(connection, path)  # reads, which makes the WAL where there is one
    sync(path.parent)


def _configure(connection: sqlite3.Connection, settings: Settings) -> None:
    for name, value in settings.items():
        # To its end: changing the journal mode commits there, and may fail.
        connection.execute(f"PRAGMA {name} = {value}").fetchall()
        (answer,) = connection.execute(f"PRAGMA {name}").fetchone() or (0,)
        if answer != value:
            raise HomeError(
                "store-not-durable",
                f"SQLite keeps {name} at {answer}, not at {value}",
                hint="keep the home on a local disk",
            )
