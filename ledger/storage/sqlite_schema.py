"""Tables of the log's database, and how a file is known to be one.

    PRAGMA application_id   0x4C4E4F54 ("LNOT")
    PRAGMA user_version     version of the tables below

`entries` and the manifests' tables are what cannot be rebuilt: triggers keep them
append-only even against ourselves. A key's chain needs its newest link alone, in
`chains`: since its seq only ascends, no (key, seq) enters twice. Large columns come
last, so that reading hashes does not walk over leaf data.

Leaf hashes of a manifest stand beside their bundle: a proof for a line reads one
bundle's 8 KiB of them and nodes for all the rest, never the lines.

>>> import sqlite3
>>> database = Database(sqlite3.connect(":memory:"))
>>> create_tables(database)
>>> sorted(database.table_names())[:3]
['bundles', 'chains', 'entries']
>>> database.close()
"""

from __future__ import annotations

from typing import NamedTuple

from sqlite_utils import Database

APPLICATION_ID = 0x4C4E4F54
VERSION = 3

HEADS = ("chains", "head")
"""Tables whose rows are replaced: the newest of each key, and of the log."""

KEPT = ("entries", "spans", "nodes", "manifests", "bundles")
"""Tables whose rows never change."""

DERIVED = ("state", "postings", "mentions")
"""Tables that can be rebuilt."""


class TableSpec(NamedTuple):
    """A table: columns in order, its key, and what may be absent.

    A clustered table is its own index (WITHOUT ROWID), which suits short rows.
    """

    columns: dict[str, type]
    key: tuple[str, ...]
    optional: frozenset[str] = frozenset()
    clustered: bool = False


TABLES = {
    "entries": TableSpec(
        {
            "entry_index": int,
            "leaf_hash": bytes,
            "author": bytes,
            "id": bytes,
            "leaf": bytes,
        },
        key=("entry_index",),
    ),
    "chains": TableSpec(
        {"key": bytes, "seq": int, "event_hash": bytes},
        key=("key",),
        clustered=True,
    ),
    "spans": TableSpec({"number": int, "data": bytes}, key=("number",)),
    "nodes": TableSpec(
        {"tree": bytes, "level": int, "number": int, "hash": bytes},
        key=("tree", "level", "number"),
        clustered=True,
    ),
    "manifests": TableSpec({"root": bytes, "info": bytes}, key=("root",)),
    "bundles": TableSpec(
        {"root": bytes, "number": int, "hashes": bytes, "data": bytes},
        key=("root", "number"),
    ),
    "head": TableSpec({"name": str, "text": str}, key=("name",)),
    "state": TableSpec(
        {"part": str, "key": bytes, "value": bytes},
        key=("part", "key"),
        clustered=True,
    ),
    "postings": TableSpec(
        {
            "entry_index": int,
            "leg": int,
            "society": bytes,
            "type": str,
            "subject": bytes,
            "party": bytes,
            "recording": str,
            "side": str,
            "currency": str,
            "amount": int,
            "line": int,
        },
        key=("entry_index", "leg"),
        optional=frozenset({"party", "recording", "side"}),
        clustered=True,
    ),
    "mentions": TableSpec(
        {"value": str, "what": str, "entry_index": int, "kind": str},
        key=("value", "what", "entry_index"),
        clustered=True,
    ),
}


def table_sql(database: Database, name: str) -> str:
    """Write the CREATE TABLE statement of a table."""
    spec = TABLES[name]
    sql = database.create_table_sql(
        name,
        dict(spec.columns),
        pk=spec.key,
        not_null=[column for column in spec.columns if column not in spec.optional],
        strict=True,
    )
    return sql.rstrip().rstrip(";") + (", WITHOUT ROWID" if spec.clustered else "")


def create_tables(database: Database) -> None:
    """Create all tables, indexes and triggers, and mark the file as ours.

    To be called in one transaction: half a schema is no schema.
    """
    for name in TABLES:
        database.execute(table_sql(database, name))
    entries = database.table("entries")
    entries.create_index(["author", "id"], unique=True)
    for column, *others in (
        ("party", "currency", "entry_index", "leg"),
        ("recording", "entry_index", "leg"),
    ):
        # Most legs name no recording, and many no party: the index leaves them out.
        database.execute(
            f"CREATE INDEX idx_postings_{column} ON postings"
            f" ({', '.join([column, *others])}) WHERE {column} IS NOT NULL"
        )
    for name in KEPT:
        for action in ("UPDATE", "DELETE"):
            database.execute(
                f"CREATE TRIGGER {name}_{action.lower()} BEFORE {action} ON {name} "
                f"BEGIN SELECT RAISE(ABORT, '{name} is append-only'); END"
            )
    database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    database.execute(f"PRAGMA user_version = {VERSION}")
