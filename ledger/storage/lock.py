"""One writer: an advisory lock (flock) that dies with whoever holds it.

SQLite lets writers take turns; a log must not, since each believes that it knows
the head. The lock is held from before the store is opened until after it is closed,
across commits, checkpoints and publishing. The file stays when the lock is released:
unlinking it would let two processes lock two files of the same name.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as home:
...     with WriterLock(Path(home) / "lock"):
...         WriterLock(Path(home) / "lock")
Traceback (most recent call last):
ledger.errors.HomeError: process ... is writing to this log
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from pathlib import Path
from typing import Self

from ledger.errors import HomeError


class WriterLock:
    """Holds the lock from construction until `close`.

    Args:
        path: the lock file; made with mode 0600 if it isn't there.

    Raises:
        HomeError: `home-in-use`, naming the process that holds it.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._file, 32, 0).decode("ascii", "replace").strip()
            os.close(self._file)
            raise HomeError(
                "home-in-use",
                f"process {holder or 'unknown'} is writing to this log",
                hint="stop it, or read the log without writing",
            ) from None
        with suppress(OSError):  # it is only for people, and the disk may be full
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"{os.getpid()}\n".encode("ascii"), 0)

    def close(self) -> None:
        """Release the lock; again does nothing."""
        if self._file < 0:
            return
        os.ftruncate(self._file, 0)
        os.close(self._file)
        self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def waiting_lock(path: Path) -> Iterator[None]:
    """Hold a lock for a moment, after whoever holds it now: a thread or a process.

    Args:
        path: the lock file; made with mode 0600 if it isn't there.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)
