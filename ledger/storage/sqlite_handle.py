"""A connection with transactions of ours and errors of ours.

sqlite-utils' `Database` makes the tables; statements go to the connection. Its
`atomic()` is not used to begin: a plain BEGIN takes the write lock too late, and two
writers that both read first both fail. Nor does it write rows: to learn what SQLite can
do it makes a table on the way, and passes over the error of a disk that fails there,
after which SQLite has dropped the transaction and the row is written outside of it.

A COMMIT that fails leaves nobody knowing whether it was stored, so the handle is
closed for good; the one exception is SQLITE_BUSY, which SQLite gives before it
touches the database, and which is rolled back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import contextmanager
from typing import Any

from sqlite_utils import Database

from ledger.errors import HomeError
from ledger.errors import InvariantError
from ledger.errors import LedgerError
from ledger.storage.sqlite_errors import DriverError
from ledger.storage.sqlite_errors import explain
from ledger.storage.sqlite_errors import explain_commit
from ledger.storage.sqlite_errors import primary_code

Parameters = Sequence[object] | Mapping[str, object]


class Handle:
    """One connection, used by one thread at a time.

    Args:
        connection: with `isolation_level=None`; closed by `close`.
        read_only: refuses to begin.
    """

    def __init__(
        self, connection: sqlite3.Connection, *, read_only: bool = False
    ) -> None:
        self._connection = connection
        self._database = Database(
            connection, recursive_triggers=False, execute_plugins=False, strict=True
        )
        self._read_only = read_only
        self._spoiled = False
        self._failed: LedgerError | None = None

    def begin(self) -> None:
        """Take the write lock and start a transaction."""
        if self._read_only:
            raise HomeError("store-read-only", "the store was opened for reading only")
        if self._in_transaction():
            raise InvariantError("transaction-nested", "a transaction is open already")
        self._run("BEGIN IMMEDIATE")
        self._spoiled = False

    def commit(self) -> None:
        """Store the transaction durably."""
        self._demand_transaction()
        if self._spoiled:
            raise InvariantError("transaction-spoiled", "an earlier write failed")
        try:
            self._connection.execute("COMMIT")
        except DriverError as error:
            raise self._commit_failure(error) from error

    def _commit_failure(self, error: Exception) -> LedgerError:
        busy = primary_code(error) == sqlite3.SQLITE_BUSY
        if busy and self._connection.in_transaction:
            self.rollback()
            return explain(error, "commit")
        return self._fail(explain_commit(error))

    def _fail(self, reason: LedgerError) -> LedgerError:
        self._failed = reason
        self._connection.close()
        return reason

    def rollback(self) -> None:
        """Drop the transaction, if there is one."""
        if self._failed is not None or not self._in_transaction():
            return
        try:
            self._connection.execute("ROLLBACK")
        except DriverError as error:
            raise self._fail(explain(error, "rollback")) from error

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
    def reading(self) -> Iterator[None]:
        """Let several reads see one state; inside a transaction they do anyway."""
        if self._in_transaction():
            yield
            return
        self._run("BEGIN")
        try:
            yield
        finally:
            self.rollback()

    @contextmanager
    def writing(self) -> Iterator[Database]:
        """Demand a transaction, and spoil it if anything fails in here."""
        self._demand_transaction()
        try:
            yield self._database
        except BaseException as error:
            self._spoiled = True
            if isinstance(error, DriverError):
                raise self._explain(error) from error
            raise

    def close(self) -> None:
        """Close the connection; an open transaction is dropped."""
        self._connection.close()

    def one(self, sql: str, parameters: Parameters = ()) -> Any:  # noqa: ANN401
        """Read the first row, or None."""
        try:
            return self._connection.execute(sql, parameters).fetchone()
        except DriverError as error:
            raise self._explain(error) from error

    def all(self, sql: str, parameters: Parameters = ()) -> list[Any]:
        """Read all rows at once, so that no read outlives the call."""
        try:
            return self._connection.execute(sql, parameters).fetchall()
        except DriverError as error:
            raise self._explain(error) from error

    def many(self, sql: str, rows: Iterable[Parameters]) -> None:
        """Run a statement for each row, in the transaction."""
        with self.writing():
            self._connection.executemany(sql, rows)

    def _run(self, sql: str) -> None:
        try:
            self._connection.execute(sql)
        except DriverError as error:
            raise self._explain(error) from error

    def _demand_transaction(self) -> None:
        # SQLite drops the transaction by itself after some errors: whatever came
        # next would be committed statement by statement.
        if not self._in_transaction():
            raise InvariantError("transaction-missing", "no transaction is open")

    def _in_transaction(self) -> bool:
        try:
            return self._connection.in_transaction
        except DriverError as error:
            raise self._explain(error) from error

    def _explain(self, error: Exception) -> LedgerError:
        if self._failed is None:
            return explain(error, "store")
        return HomeError(
            "store-failed",
            f"an earlier commit failed: {self._failed.message}",
            hint=self._failed.hint,
        )
