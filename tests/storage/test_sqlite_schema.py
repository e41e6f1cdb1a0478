"""The tables are what the structs say, and every question finds an index."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import fields

from ledger.storage import sqlite
from ledger.storage import sqlite_derived
from ledger.storage import sqlite_entries
from ledger.storage import sqlite_rows
from ledger.storage.base import Mention
from ledger.storage.base import PostingRow
from ledger.storage.sqlite import SqliteStore
from ledger.storage.sqlite_schema import DERIVED
from ledger.storage.sqlite_schema import HEADS
from ledger.storage.sqlite_schema import KEPT
from ledger.storage.sqlite_schema import TABLES

QUESTIONS = {
    f"{module.__name__}.{name}": sql
    for module in (sqlite, sqlite_derived, sqlite_entries, sqlite_rows)
    for name, sql in vars(module).items()
    if isinstance(sql, str) and "SELECT " in sql and not name.startswith("__")
}


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(SqliteStore.create(tmp_path)) as store:
        yield store._connection


@pytest.mark.parametrize("name", QUESTIONS)
def test_no_question_reads_a_whole_table(
    connection: sqlite3.Connection, name: str
) -> None:
    """SQLite plans a search by key for each question, and sorts no legs."""
    sql = QUESTIONS[name]
    named = dict.fromkeys(re.findall(r":(\w+)", sql), 1)
    values = named or (1,) * sql.count("?")
    plan = connection.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
    steps = [row[3] for row in plan]
    assert steps
    # max(entry_index) reads one end of the table, which SQLite calls a search too.
    given = ("SCAN CONSTANT ROW", "SCAN wanted")
    assert not [s for s in steps if s.startswith("SCAN") and not s.startswith(given)]
    if "UNION" not in sql:
        assert not [step for step in steps if "TEMP B-TREE" in step]


@pytest.mark.parametrize(
    ("name", "search"),
    [
        ("_OF_PARTY", "(party=? AND currency=? AND (entry_index,leg)>(?,?))"),
        ("_OF_RECORDING", "(recording=? AND (entry_index,leg)>(?,?))"),
        ("_FIND", "PRIMARY KEY (value>? AND value<?)"),
    ],
)
def test_pages_are_searched_by_all_that_is_asked(
    connection: sqlite3.Connection, name: str, search: str
) -> None:
    """A page costs what is on it, however much comes before."""
    sql: str = vars(sqlite_derived)[name]
    plan = connection.execute(f"EXPLAIN QUERY PLAN {sql}", (1,) * sql.count("?"))
    assert [row[3].endswith(search) for row in plan] == [True]


def test_every_question_was_asked() -> None:
    """The list above is not empty by some change of names."""
    assert len(QUESTIONS) >= 16


@pytest.mark.parametrize(("table", "struct"), [("mentions", Mention)])
def test_columns_are_the_fields(table: str, struct: type[Mention]) -> None:
    """Rows become structs by position."""
    assert list(TABLES[table].columns) == [field.name for field in fields(struct)]


def test_columns_of_postings_are_the_fields() -> None:
    """`type` is called so in the table alone."""
    columns = [field.name.removeprefix("account_") for field in fields(PostingRow)]
    assert list(TABLES["postings"].columns) == columns


def test_every_table_is_kept_or_derived_or_a_head() -> None:
    """No table is forgotten when rows are protected, or dropped to be rebuilt."""
    assert {*KEPT, *DERIVED, *HEADS} == set(TABLES)
    assert len(KEPT) + len(DERIVED) + len(HEADS) == len(TABLES)


def test_tables_are_strict(connection: sqlite3.Connection) -> None:
    """A text never slips into a column of bytes or numbers."""
    for name, spec in TABLES.items():
        row = connection.execute("PRAGMA table_list(%s)" % name).fetchone()  # noqa: UP031
        assert row[2] == "table"
        assert row[4] == int(spec.clustered)
        assert row[5] == 1
