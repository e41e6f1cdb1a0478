"""Transactions over plain dictionaries: note what was there, take it back.

>>> undo, prices = Undo(), {"single": 9}
>>> try:
...     with undo.transaction():
...         undo.set(prices, "single", 12)
...         raise KeyError("album")
... except KeyError:
...     prices
{'single': 9}
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from ledger.errors import InvariantError

Key = TypeVar("Key")
Value = TypeVar("Value")


class Undo:
    """One transaction at a time, over any number of mappings."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] | None = None
        self._spoiled = False

    def begin(self) -> None:
        """Start a transaction."""
        if self._undo is not None:
            raise InvariantError("transaction-nested", "a transaction is open already")
        self._undo = []
        self._spoiled = False

    def commit(self) -> None:
        """Keep the changes."""
        if self._undo is None:
            raise InvariantError("transaction-missing", "no transaction is open")
        if self._spoiled:
            raise InvariantError("transaction-spoiled", "an earlier write failed")
        self._undo = None

    def rollback(self) -> None:
        """Take the changes back, last one first."""
        for undo in reversed(self._undo or []):
            undo()
        self._undo = None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Begin; commit at the end, or roll back on any exception."""
        self.begin()
        try:
            yield
            self.commit()
        finally:
            self.rollback()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Demand a transaction, and spoil it if anything fails in here."""
        if self._undo is None:
            raise InvariantError("transaction-missing", "no transaction is open")
        try:
            yield
        except BaseException:
            self._spoiled = True
            raise

    def set(self, mapping: dict[Key, Value], key: Key, value: Value | None) -> None:
        """Change a mapping and note how to take it back; None deletes."""
        if self._undo is None:
            raise InvariantError("transaction-missing", "no transaction is open")
        before = mapping.get(key)
        self._undo.append(lambda: _put(mapping, key, before))
        _put(mapping, key, value)


def _put(mapping: dict[Key, Value], key: Key, value: Value | None) -> None:
    if value is None:
        mapping.pop(key, None)
    else:
        mapping[key] = value
