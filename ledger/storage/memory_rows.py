"""State tables in memory, by themselves or following a store's transactions."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator

from ledger.storage.undo import Undo


class MemoryRows:
    """State tables in memory.

    >>> rows = MemoryRows()
    >>> rows.write([("t", b"b", b"2"), ("t", b"a", b"1"), ("t", b"b", None)])
    >>> list(rows.scan("t"))
    [(b'a', b'1')]
    """

    def __init__(self) -> None:
        self._tables: dict[str, dict[bytes, bytes]] = {}

    def get(self, table: str, key: bytes) -> bytes | None:
        """Read one row; None where there is none."""
        return self._tables.get(table, {}).get(key)

    def write(self, rows: Iterable[tuple[str, bytes, bytes | None]]) -> None:
        """Set rows; a value of None deletes, the last of equal keys counts."""
        for table, key, value in rows:
            self._set(self._tables.setdefault(table, {}), key, value)

    def scan(self, table: str) -> Iterator[tuple[bytes, bytes]]:
        """Read a table, ascending by key bytes."""
        yield from sorted(self._tables.get(table, {}).items())

    def _set(self, table: dict[bytes, bytes], key: bytes, value: bytes | None) -> None:
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value


class UndoneRows(MemoryRows):
    """State tables that follow a store's transactions."""

    def __init__(self, store: Undo) -> None:
        super().__init__()
        self._store = store

    def write(self, rows: Iterable[tuple[str, bytes, bytes | None]]) -> None:
        """Set rows in the store's transaction."""
        with self._store.writing():
            super().write(rows)

    def clear(self) -> None:
        """Delete all rows, in the store's transaction."""
        for table in self._tables.values():
            for key in list(table):
                self._store.set(table, key, None)

    def _set(self, table: dict[bytes, bytes], key: bytes, value: bytes | None) -> None:
        self._store.set(table, key, value)
