"""The program, killed as soon as it has committed while a certain file is there.

`KILL_FILE` names the file: it is removed, and the process gets SIGKILL before it can
answer anybody. With `FAIL_FILE` a commit fails instead, and nobody knows its fate.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from pathlib import Path

from ledger.cli import main
from ledger.storage.sqlite_errors import explain_commit
from ledger.storage.sqlite_handle import Handle

_commit = Handle.commit


def _triggered(variable: str) -> bool:
    file = Path(os.environ.get(variable, "/nowhere"))
    there = file.exists()
    file.unlink(missing_ok=True)
    return there


def commit(self: Handle) -> None:
    """Commit, and go no further where a file says so."""
    _commit(self)
    if _triggered("KILL_FILE"):
        os.kill(os.getpid(), signal.SIGKILL)
    if _triggered("FAIL_FILE"):
        raise self._fail(explain_commit(sqlite3.OperationalError("disk I/O error")))


if __name__ == "__main__":
    Handle.commit = commit  # type: ignore[method-assign]
    sys.exit(main())
