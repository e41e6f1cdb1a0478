"""State tables: typed rows in memory, over rows of bytes that may lie on disk.

The state of a log is a set of tables (ledger/docs/format.md, "State"). A table
holds what was touched lately as Python values; everything else waits as
canonical bytes in `Rows`. Three kinds of rows serve three users: none at all
(a short replay keeps everything in memory), a temporary file (an audit, so
that memory stays flat however long the log is), and the log's own database
(the appender, which writes changed rows in the transaction of the entry).

>>> table = Table("currency", str, int)
>>> table.put("SEK", 2)
>>> table.get("SEK"), table.get("USD")
(2, None)
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any
from typing import Generic
from typing import Protocol
from typing import TypeVar

import msgspec

from ledger.errors import InvariantError

Key = TypeVar("Key")
Value = TypeVar("Value")

HOT_ROWS_MAX = 16_384
"""Rows that one table keeps as Python values before older ones go to `Rows`."""

_encode = msgspec.msgpack.Encoder().encode


class Rows(Protocol):
    """Rows of bytes, by table and key: what `ledger.storage` offers."""

    def get(self, table: str, key: bytes) -> bytes | None:
        """Read one row."""
        ...

    def write(self, rows: Iterable[tuple[str, bytes, bytes | None]]) -> None:
        """Write rows; a value of None deletes."""
        ...

    def scan(self, table: str) -> Iterator[tuple[bytes, bytes]]:
        """Read a table in ascending order of key bytes."""
        ...


class Table(Generic[Key, Value]):
    """One table of the state.

    Keys and values are what MessagePack holds: scalars, tuples, and array-like
    frozen structs. Values are never changed in place.

    Args:
        name: its name in the digest.
        key_type: type of a key.
        value_type: type of a value.
        full: whether it belongs to the full book only (format.md §6).
    """

    def __init__(
        self, name: str, key_type: Any, value_type: Any, *, full: bool = False
    ) -> None:
        self.name = name
        self.full = full
        self.rows: Rows | None = None
        self._hot: dict[Key, Value | None] = {}
        self._dirty: set[Key] = set()
        self._decode_key = msgspec.msgpack.Decoder(key_type).decode
        self._decode_value = msgspec.msgpack.Decoder(value_type).decode

    def get(self, key: Key) -> Value | None:
        """Look a row up; None where there is none."""
        value = self._hot.get(key)
        if value is not None or self.rows is None or key in self._hot:
            return value
        data = self.rows.get(self.name, _encode(key))
        if data is not None:
            value = self._hot[key] = self._decode_value(data)
        return value

    def need(self, key: Key) -> Value:
        """Look up a row that the rules guarantee.

        Raises:
            InvariantError: `row-missing`.
        """
        value = self.get(key)
        if value is None:
            raise InvariantError("row-missing", f"{self.name} has no row {key!r}")
        return value

    def put(self, key: Key, value: Value | None) -> None:
        """Set a row; None deletes it."""
        self._hot[key] = value
        if self.rows is not None:
            self._dirty.add(key)

    def changes(self) -> Iterator[tuple[str, bytes, bytes | None]]:
        """Encode what changed since the last flush."""
        for key in self._dirty:
            value = self._hot[key]
            encoded = None if value is None else _encode(value)
            yield self.name, _encode(key), encoded

    def settle(self) -> None:
        """Changes have been written: keep only the rows touched last."""
        self._dirty.clear()
        excess = len(self._hot) - HOT_ROWS_MAX // 2
        if excess > 0:
            for key in list(self._hot)[:excess]:
                del self._hot[key]

    def overflowing(self) -> bool:
        """Tell whether older rows should go to `rows`."""
        return self.rows is not None and len(self._hot) > HOT_ROWS_MAX

    def discard(self) -> None:
        """Forget every row in memory, as after a rollback."""
        self._hot.clear()
        self._dirty.clear()

    def scan(self) -> Iterator[tuple[bytes, bytes]]:
        """Read all rows as (key, value) bytes, ascending by key; flushed first."""
        if self.rows is not None:
            if self._dirty:
                raise InvariantError("unflushed", f"{self.name} was scanned unflushed")
            yield from self.rows.scan(self.name)
            return
        encoded = (
            (_encode(key), _encode(value))
            for key, value in self._hot.items()
            if value is not None
        )
        yield from sorted(encoded)

    def items(self) -> Iterator[tuple[Key, Value]]:
        """Read all rows as Python values, ascending by key bytes."""
        for key, value in self.scan():
            yield self._decode_key(key), self._decode_value(value)
