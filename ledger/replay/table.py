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
from itertools import islice
from typing import Any
from typing import Generic
from typing import Protocol
from typing import TypeVar

import msgspec

from ledger.errors import InvariantError

Key = TypeVar("Key")
Value = TypeVar("Value")

HOT_ROWS_MAX = 65_536
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


class _Fresh(dict[Key, Value | None]):
    """The rows set since the last flush; looks among the older ones for others."""

    def __init__(self, older: Callable[[Key], Value | None]) -> None:
        super().__init__()
        self._older = older

    def __missing__(self, key: Key) -> Value | None:
        return self._older(key)


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
        put: sets a row; None deletes it.
        all_here: whether every row is in memory, so that nothing lies below only.
    """

    get: Callable[[Key], Value | None]
    put: Callable[[Key, Value | None], None]

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
        self.all_here = True
        self._fresh: _Fresh[Key, Value] = _Fresh(self._look_below)
        self._flushed: dict[Key, Value] = {}
        # Every entry reads and sets some ten rows, so these are a dict's own methods.
        self.get = self._fresh.__getitem__
        self.put = self._fresh.__setitem__
        self._decode_key = msgspec.msgpack.Decoder(key_type).decode
        self._decode_value = msgspec.msgpack.Decoder(value_type).decode

    def _look_below(self, key: Key) -> Value | None:
        value: Value | None = self._flushed.get(key)
        if value is not None or self.all_here or self.rows is None:
            return value
        data = self.rows.get(self.name, _encode(key))
        if data is None:
            return None
        found: Value = self._decode_value(data)
        self._flushed[key] = found
        return found

    def need(self, key: Key) -> Value:
        """Look up a row that the rules guarantee.

        Raises:
            InvariantError: `row-missing`.
        """
        value = self.get(key)
        if value is None:
            raise InvariantError("row-missing", f"{self.name} has no row {key!r}")
        return value

    def changes(self) -> Iterator[tuple[str, bytes, bytes | None]]:
        """Encode what was set since the last flush."""
        for key, value in self._fresh.items():
            yield self.name, _encode(key), None if value is None else _encode(value)

    def settle(self) -> None:
        """Changes have been written: let go of the rows that came here first."""
        for key, value in self._fresh.items():
            if value is None:
                self._flushed.pop(key, None)
            else:
                self._flushed[key] = value
        self._fresh.clear()
        excess = len(self._flushed) - HOT_ROWS_MAX // 2
        if excess > 0:
            self.all_here = False
            for key in list(islice(self._flushed, excess)):
                del self._flushed[key]

    def overflowing(self) -> bool:
        """Tell whether older rows should go to `rows`."""
        return len(self._fresh) + len(self._flushed) > HOT_ROWS_MAX

    def restart(self, *, all_here: bool) -> None:
        """Forget every row in memory.

        Args:
            all_here: whether there are none in the rows below either.
        """
        self._fresh.clear()
        self._flushed.clear()
        self.all_here = all_here

    def scan(self) -> Iterator[tuple[bytes, bytes]]:
        """Read all rows as (key, value) bytes, ascending by key.

        Raises:
            InvariantError: `unflushed`, unless all rows are in memory.
        """
        if self.rows is not None and not self.all_here:
            if self._fresh:
                raise InvariantError("unflushed", f"{self.name} was scanned unflushed")
            return self.rows.scan(self.name)
        return iter(sorted(self._encoded()))

    def _encoded(self) -> Iterator[tuple[bytes, bytes]]:
        for key, value in (self._flushed | self._fresh).items():
            if value is not None:
                yield _encode(key), _encode(value)

    def items(self) -> Iterator[tuple[Key, Value]]:
        """Read all rows as Python values, ascending by key bytes."""
        for key, value in self.scan():
            yield self._decode_key(key), self._decode_value(value)
