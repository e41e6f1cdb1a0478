"""Syncing: what is written rests on the disk, or nobody may go on.

After a failed sync the kernel may call pages clean that never reached the disk, so
its error has a code of its own, and leaves a marker (`ledger.storage.poison`).

>>> sync(Path("/"))
"""

from __future__ import annotations

import os
from pathlib import Path

from ledger.errors import HomeError

SAFE_TO_REPEAT = (
    "whether it was stored is unknown; the same event is safe to send again"
)


def sync(path: Path) -> None:
    """Make a file's content, or the names in a folder, durable.

    Raises:
        HomeError: `sync-failed`: the disk may have lost what was written.
    """
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        sync_handle(handle, path)
    finally:
        os.close(handle)


def sync_handle(handle: int, path: Path) -> None:
    """Make durable what was written through a handle; as `sync`."""
    try:
        os.fsync(handle)
    except OSError as error:
        raise sync_failed(f"{path}: {error.strerror or error}") from error


def sync_failed(message: str) -> HomeError:
    """Say that nobody knows any more what the disk holds."""
    return HomeError(
        "sync-failed",
        f"syncing {message}: {SAFE_TO_REPEAT}",
        hint="restart the machine, then run linernote audit before going on",
    )
