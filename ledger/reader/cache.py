"""A folder of files that were read before, so that they need not be read again.

What it holds is believed no more than what a server says: the reader checks it each
time, and replaces what does not hold. So a cache may be damaged, altered or lost, and
costs time only. It keeps to the paths of the log, write-once and whole (C2SP
tlog-tiles), which makes a full one a copy of the log.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     cache = Cache(Path(folder))
...     cache.write("tile/0/000.p/1", bytes(32))
...     cache.read("tile/0/000.p/1", 32) == bytes(32), cache.read("tile/0/001", 32)
(True, None)
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path

from ledger.errors import UnverifiableError
from ledger.errors import VerificationError
from ledger.reader.source import FolderSource


class Cache:
    """Files under a folder, which is made when it is needed.

    Args:
        folder: of one log.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files = FolderSource(folder)

    def read(self, path: str, bytes_max: int) -> bytes | None:
        """Read a file; None if it is not there, or nothing that could be right."""
        try:
            return self._files.get(path, bytes_max)
        except (UnverifiableError, VerificationError):
            return None

    def write(self, path: str, data: bytes) -> None:
        """Put a file in place whole; a cache that can't be written is none."""
        place = self.folder / path
        partial = place.with_name(
            f".{place.name}.{os.getpid()}-{threading.get_ident()}"
        )
        # Not synced: what a power cut leaves is checked like all the rest.
        with suppress(OSError):
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                partial.write_bytes(data)
                partial.replace(place)
            finally:
                partial.unlink(missing_ok=True)


class ReadOnly(Cache):
    """Files that are there already, of which none is added or replaced."""

    def write(self, path: str, data: bytes) -> None:
        """Write nothing."""
