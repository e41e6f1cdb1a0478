"""The log's database: one file, `ledger.db`, in the home folder.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as home:
...     store = SqliteStore.create(Path(home))
...     with store.transaction():
...         store.swap_checkpoint(None, "first")
...     store.close()
...     reader = SqliteStore.open(Path(home), read_only=True)
...     reader.checkpoint()
...     reader.close()
'first'
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from contextlib import contextmanager
from pathlib import Path

from ledger.errors import HomeError
from ledger.storage.checks import checkpoint_moved
from ledger.storage.sqlite_derived import SqliteDerived
from ledger.storage.sqlite_entries import SqliteEntries
from ledger.storage.sqlite_entries import SqliteManifests
from ledger.storage.sqlite_errors import DriverError
from ledger.storage.sqlite_errors import explain
from ledger.storage.sqlite_open import Journal
from ledger.storage.sqlite_open import create_file
from ledger.storage.sqlite_open import open_file
from ledger.storage.sqlite_rows import SqliteRows
from ledger.storage.sync import sync

FILE_NAME = "ledger.db"

FAULTS_MAX = 10
"""Faults of a file that `integrity` names: one is enough to act on."""

_INTEGRITY = f"PRAGMA integrity_check({FAULTS_MAX})"
_CHECKPOINT = "SELECT text FROM head WHERE name = 'checkpoint'"
_SET_CHECKPOINT = "INSERT OR REPLACE INTO head (name, text) VALUES ('checkpoint', ?)"


class SqliteStore(SqliteEntries, SqliteManifests, SqliteDerived):
    """A store in SQLite; use `create` or `open`.

    One thread at a time uses it, and no process forked from its own. Whoever
    writes holds a `WriterLock` from before opening until after closing.
    """

    def __init__(
        self, connection: sqlite3.Connection, *, read_only: bool = False
    ) -> None:
        super().__init__(connection, read_only=read_only)
        self._rows = SqliteRows(self)

    @classmethod
    def create(cls, home: Path) -> SqliteStore:
        """Make the database in a home that has none, and open it for writing.

        Raises:
            HomeError: `store-exists`, `disk-full`, `store-unreadable`.
        """
        create_file(home / FILE_NAME)
        return cls.open(home)

    @classmethod
    def open(
        cls, home: Path, *, read_only: bool = False, journal: Journal | None = None
    ) -> SqliteStore:
        """Open the database; takes the same time however long the log is.

        Args:
            home: the folder that holds it.
            read_only: for all who are not the writer.
            journal: instead of the one that suits the SQLite loaded.

        Raises:
            HomeError: `store-missing`, `store-version`, `store-damaged`,
                `store-not-durable`, `store-recovering`, `store-busy`.
        """
        connection = open_file(home / FILE_NAME, read_only=read_only, journal=journal)
        return cls(connection, read_only=read_only)

    @contextmanager
    def reread(self) -> Iterator[SqliteStore]:
        """Open what was stored once more, past the pages that this handle keeps."""
        (*_, path) = self.one("PRAGMA database_list")
        with closing(SqliteStore.open(Path(path).parent, read_only=True)) as stored:
            yield stored

    def backup(self, path: Path) -> None:
        """Copy all that is committed to a new file, durably, while others write.

        Raises:
            HomeError: `disk-full`, `store-busy`, `store-unreadable`, `sync-failed`.
        """
        try:
            with closing(sqlite3.connect(path)) as copy:
                self._connection.backup(copy)
        except DriverError as error:
            raise explain(error, f"copying to {path}") from error
        sync(path)
        sync(path.parent)

    @property
    def rows(self) -> SqliteRows:
        """The state tables, written in the store's transactions."""
        return self._rows

    def integrity(self) -> list[str]:
        """Say what is wrong with the storage itself: pages, indexes, types."""
        try:
            found = [row[0] for row in self.all(_INTEGRITY)]
        except HomeError as error:
            if error.code != "store-damaged":
                raise
            return [error.message]
        return [] if found == ["ok"] else found

    def checkpoint(self) -> str | None:
        """Read the newest checkpoint's text."""
        found: tuple[str] | None = self.one(_CHECKPOINT)
        return found[0] if found else None

    def swap_checkpoint(self, old: str | None, new: str) -> None:
        """Replace the checkpoint if it still is `old`."""
        with self.writing():
            if self.checkpoint() != old:
                raise checkpoint_moved()
            self.many(_SET_CHECKPOINT, [(new,)])
