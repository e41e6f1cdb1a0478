"""State tables: typed rows in memory, over rows of bytes that may lie on disk.

The state of a log is a set of tables (format.md §6). A table
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

from collections.abc import Callable
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

HOT_ROWS_MAX = 131_072
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


class _Here(dict[Key, Value | None]):
    """The rows in memory; looks below for what is not here."""

    def __init__(self, below: Callable[[Key], Value | None]) -> None:
        super().__init__()
        self._below = below

    def __missing__(self, key: Key) -> Value | None:
        return self._below(key)


class Table(Generic[Key, Value]):
    """One table of the state.

    Keys and values are what MessagePack holds: scalars, tuples, and array-like
    frozen structs. Values are never changed in place.

    Args:
        name: its name in the digest.
        key_type: type of a key.
        value_type: type of a value.
        full: whether it belongs to the full book only (format.md §6).

    Attributes:
        get: looks a row up by its key; None where there is none.
    """

    get: Callable[[Key], Value | None]

    def __init__(
        self,
        name: str,
        key_type: Any,  # noqa: ANN401 (a type, as msgspec takes it)
        value_type: Any,  # noqa: ANN401 (the same)
        *,
        full: bool = False,
    ) -> None:
        self.name = name
        self.full = full
        self.rows: Rows | None = None
        self._all_here = True
        self._here: _Here[Key, Value] = _Here(self._look_below)
        # Every entry looks up some ten rows, so this is the dict's own method.
        self.get = self._here.__getitem__
        self._changed: set[Key] = set()
        self._decode_key = msgspec.msgpack.Decoder(key_type).decode
        self._decode_value = msgspec.msgpack.Decoder(value_type).decode

    def _look_below(self, key: Key) -> Value | None:
        if self._all_here or self.rows is None:
            return None
        data = self.rows.get(self.name, _encode(key))
        if data is None:
            return None
        value: Value = self._decode_value(data)
        self._here[key] = value
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
        self._here[key] = value
        self._changed.add(key)

    def changes(self) -> Iterator[tuple[str, bytes, bytes | None]]:
        """Encode what changed since the last flush."""
        for key in self._changed:
            value = self._here[key]
            encoded = None if value is None else _encode(value)
            yield self.name, _encode(key), encoded

    def settle(self) -> None:
        """Changes have been written: let go of the rows that came here first."""
        for key in self._changed:
            if self._here[key] is None:
                del self._here[key]
        self._changed.clear()
        excess = len(self._here) - HOT_ROWS_MAX // 2
        if excess > 0:
            self._all_here = False
            for key in list(self._here)[:excess]:
                del self._here[key]

    def overflowing(self) -> bool:
        """Tell whether older rows should go to `rows`."""
        return len(self._here) > HOT_ROWS_MAX

    def restart(self, *, all_here: bool) -> None:
        """Forget every row in memory.

        Args:
            all_here: whether there are none in the rows below either.
        """
        self._here.clear()
        self._changed.clear()
        self._all_here = all_here

    def scan(self) -> Iterator[tuple[bytes, bytes]]:
        """Read all rows as (key, value) bytes, ascending by key; flushed first."""
        if self.rows is not None:
            if self._changed:
                raise InvariantError("unflushed", f"{self.name} was scanned unflushed")
            yield from self.rows.scan(self.name)
            return
        encoded = (
            (_encode(key), _encode(value))
            for key, value in self._here.items()
            if value is not None
        )
        yield from sorted(encoded)

    def items(self) -> Iterator[tuple[Key, Value]]:
        """Read all rows as Python values, ascending by key bytes."""
        for key, value in self.scan():
            yield self._decode_key(key), self._decode_value(value)
