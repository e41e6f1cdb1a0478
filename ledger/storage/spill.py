"""Rows of a replay that does not fit in memory, in a temporary file.

The file loses its name as soon as it is open, so nothing is left of it however the
program ends. It is never committed or recovered: no journal, no syncs, and a page
cache that does not grow, so that memory stays flat however many rows there are.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder, SpillRows(Path(folder)) as rows:
...     rows.write([("t", b"b", b"2"), ("t", b"a", b"1")])
...     rows.get("t", b"b"), list(Path(folder).iterdir())
(b'2', [])
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from pathlib import Path
from typing import Self

from ledger.errors import HomeError
from ledger.storage.sqlite_errors import explain
from ledger.storage.sqlite_handle import Handle
from ledger.storage.sqlite_rows import SqliteRows
from ledger.storage.sqlite_schema import table_sql

CACHE_KIB = 16_384

_SETTINGS = (
    "PRAGMA journal_mode = OFF",
    "PRAGMA synchronous = OFF",
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA secure_delete = OFF",
    f"PRAGMA cache_size = -{CACHE_KIB}",
)


class SpillRows(SqliteRows):
    """State tables on disk until `close`.

    Args:
        folder: where there is room; not a file system in memory.

    Raises:
        HomeError: `store-unreadable`, `disk-full`.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(Handle(_open_unnamed(folder)))
        self._handle.begin()
        with self._handle.writing() as database:
            database.execute(table_sql(database, "state"))

    def close(self) -> None:
        """Let go of the file, and with it of its space."""
        self._handle.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _open_unnamed(folder: Path) -> sqlite3.Connection:
    try:
        handle, path = tempfile.mkstemp(prefix="linernote-", suffix=".rows", dir=folder)
    except OSError as error:
        raise HomeError(
            "store-unreadable", f"a temporary file: {error}", hint=f"check {folder}"
        ) from error
    os.close(handle)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        for setting in _SETTINGS:
            connection.execute(setting)
        connection.execute("PRAGMA user_version = 1")  # opens the file for writing
    except sqlite3.Error as error:
        connection.close()
        raise explain(error, "a temporary file") from error
    finally:
        Path(path).unlink()
    return connection
