"""State tables in SQLite: one clustered table for all of them.

>>> import sqlite3
>>> from ledger.storage.sqlite_schema import table_sql
>>> handle = Handle(sqlite3.connect(":memory:", isolation_level=None))
>>> with handle.reading(), handle.writing() as database:
...     _ = database.execute(table_sql(database, "state"))
...     rows = SqliteRows(handle)
...     rows.write([("t", b"b", b"2"), ("t", b"a", b"1"), ("t", b"b", None)])
...     list(rows.scan("t"))
[(b'a', b'1')]
>>> handle.close()
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator

from ledger.storage.sqlite_handle import Handle

SCAN_ROWS = 1024
"""Rows read at a time: between two reads nobody is kept waiting."""

_GET = "SELECT value FROM state WHERE part = ? AND key = ?"
_SET = "INSERT OR REPLACE INTO state (part, key, value) VALUES (?, ?, ?)"
_DELETE = "DELETE FROM state WHERE part = ? AND key = ?"
_FIRST = "SELECT key, value FROM state WHERE part = ? ORDER BY key LIMIT ?"
_NEXT = "SELECT key, value FROM state WHERE part = ? AND key > ? ORDER BY key LIMIT ?"


class SqliteRows:
    """The tables behind a handle; written in its transactions."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._one = handle.one

    def get(self, table: str, key: bytes) -> bytes | None:
        """Read one row; None where there is none."""
        found: tuple[bytes] | None = self._one(_GET, (table, key))
        return found[0] if found else None

    def write(self, rows: Iterable[tuple[str, bytes, bytes | None]]) -> None:
        """Set rows; a value of None deletes, the last of equal keys counts."""
        with self._handle.writing():
            newest = {(table, key): value for table, key, value in rows}
        keys = sorted(newest)  # in the table's own order each page is met once
        gone = [key for key in keys if newest[key] is None]
        kept = [(*key, value) for key in keys if (value := newest[key]) is not None]
        self._handle.many(_DELETE, gone)
        self._handle.many(_SET, kept)

    def scan(self, table: str) -> Iterator[tuple[bytes, bytes]]:
        """Read a table, ascending by key bytes; not to be written meanwhile."""
        found = self._handle.all(_FIRST, (table, SCAN_ROWS))
        while found:
            yield from found
            last = found[-1][0]
            found = self._handle.all(_NEXT, (table, last, SCAN_ROWS))
