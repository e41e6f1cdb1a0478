"""The store in SQLite keeps the contract, in both journal modes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.storage.base import Store
from ledger.storage.sqlite import SqliteStore
from ledger.storage.sqlite_open import TRUNCATE_EXTRA
from ledger.storage.sqlite_open import WAL_FULL
from ledger.storage.sqlite_open import Journal
from tests.storage.contract import StoreContract


class SqliteContract(StoreContract):
    """One store in a new home."""

    journal: Journal

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        SqliteStore.create(tmp_path).close()
        store = SqliteStore.open(tmp_path, journal=self.journal)
        yield store
        store.close()


class TestTruncate(SqliteContract):
    """The journal of an SQLite with the WAL-reset race."""

    journal = TRUNCATE_EXTRA


class TestWal(SqliteContract):
    """The journal of an SQLite without it."""

    journal = WAL_FULL
