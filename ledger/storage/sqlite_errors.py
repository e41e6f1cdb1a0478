"""What SQLite says, in the words of the log home: one code for each remedy.

    SQLITE_FULL             disk-full          SQLITE_CANTOPEN    store-unreadable
    SQLITE_CORRUPT, NOTADB  store-damaged      SQLITE_IOERR       store-unreadable
    SQLITE_BUSY, LOCKED     store-busy         SQLITE_READONLY    store-read-only
    a doubled key           already-stored     a hot journal      store-recovering
    a failed COMMIT         commit-unknown     a failed sync      sync-failed
                                               anything else is a bug of ours

A damaged schema shows as SQLITE_ERROR ("no such table"), a damaged text as an error
of decoding, even in the middle of an error message; ours are fixed and tested.

A failed commit is told apart because nobody knows what it left behind: of the
errors injected into a commit, some leave the transaction stored.

>>> explain(sqlite3.ProgrammingError("Incorrect number of bindings"), "a query").code
'store-misused'
"""

from __future__ import annotations

import sqlite3

from ledger.errors import ConflictError
from ledger.errors import HomeError
from ledger.errors import InvariantError
from ledger.errors import LedgerError
from ledger.storage.sync import SAFE_TO_REPEAT
from ledger.storage.sync import sync_failed

DriverError = (sqlite3.Error, UnicodeDecodeError)
"""What the driver raises."""

_DAMAGED = (
    "store-damaged",
    "restore a backup, then audit it against a checkpoint that others hold",
)

_HOME: dict[int, tuple[str, str]] = {
    sqlite3.SQLITE_FULL: ("disk-full", "free some space, then start again"),
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_ERROR: _DAMAGED,
    sqlite3.SQLITE_BUSY: ("store-busy", "another process holds it; try again"),
    sqlite3.SQLITE_LOCKED: ("store-busy", "another process holds it; try again"),
    sqlite3.SQLITE_READONLY: ("store-read-only", "check owner and mode of the home"),
    sqlite3.SQLITE_PERM: ("store-unreadable", "check owner and mode of the home"),
    sqlite3.SQLITE_CANTOPEN: (
        "store-unreadable",
        "check owner, mode and free space of the home",
    ),
    sqlite3.SQLITE_IOERR: (
        "store-unreadable",
        "the disk returns errors: read the kernel's log before anything else",
    ),
}

_DOUBLES = (
    sqlite3.SQLITE_CONSTRAINT_UNIQUE,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
    sqlite3.SQLITE_CONSTRAINT_ROWID,
)

_SYNCS = (sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC)


def primary_code(error: Exception) -> int:
    """Give SQLite's primary result code; 0 where Python's module found the error."""
    return _extended_code(error) & 0xFF


def _extended_code(error: Exception) -> int:
    code: int = getattr(error, "sqlite_errorcode", 0)
    if code == 0 and isinstance(error, sqlite3.OperationalError | UnicodeDecodeError):
        return sqlite3.SQLITE_CORRUPT  # text that is not UTF-8
    return code


def explain(error: Exception, doing: str) -> LedgerError:
    """Make an error of ours of one that the driver raised outside of a commit."""
    extended = _extended_code(error)
    if extended == sqlite3.SQLITE_READONLY_ROLLBACK:
        return HomeError(
            "store-recovering",
            f"{doing}: a writer stopped in mid-transaction",
            hint="open the log once for writing; that undoes the unfinished part",
        )
    if extended in _SYNCS:
        # The journal, before pages of a large transaction; or on the way back.
        return sync_failed(f"{doing}: {error}")
    if extended in _DOUBLES:
        return ConflictError("already-stored", f"{doing}: {error}")
    code, hint = _HOME.get(primary_code(error), ("", ""))
    if not code:
        return InvariantError("store-misused", f"{doing}: {error}")
    return HomeError(code, f"{doing}: {error}", hint=hint)


def explain_commit(error: Exception) -> HomeError:
    """Make an error of ours of one that a COMMIT raised."""
    if primary_code(error) == sqlite3.SQLITE_FULL:
        return HomeError(
            "disk-full",
            f"commit: {error}: {SAFE_TO_REPEAT}",
            hint="free some space, start again, and send it again",
        )
    return HomeError(
        "commit-unknown",
        f"commit: {error}: {SAFE_TO_REPEAT}",
        hint="stop; if the disk failed, restart the machine and audit before going on",
    )
