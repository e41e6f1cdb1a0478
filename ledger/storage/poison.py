"""A disk whose sync failed is not to be written again before the machine restarts.

After a failed fsync the kernel may call pages clean that never reached the disk: a
program that goes on, or starts again, reads them back from memory and believes them.
Only a restart shows what is really there. So whoever meets `commit-unknown` leaves a
marker with the machine's boot id in the home, and stops.

    poisoned            while the boot id is the same, the log refuses to open;
    <boot id>           after a restart it is opened only to be verified in full,
    <reason>            and the marker is removed when that has passed

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as home:
...     mark_poisoned(Path(home), "boot-1", "commit: disk I/O error")
...     check_poison(Path(home), "boot-2")
...     clear_poison(Path(home))
...     check_poison(Path(home), "boot-2")
True
False
"""

from __future__ import annotations

import os
from pathlib import Path

from ledger.errors import HomeError
from ledger.storage.sync import sync

FILE_NAME = "poisoned"


def mark_poisoned(home: Path, boot_id: str, reason: str) -> None:
    """Leave the marker; the first one stays.

    Args:
        home: the log's folder.
        boot_id: what the kernel calls this start of the machine.
        reason: for whoever finds it, on one line.

    Raises:
        HomeError: `sync-failed`.
        OSError: the disk refuses this as well.
    """
    marker = home / FILE_NAME
    if marker.exists():
        return
    # Under its own name only when whole: one without a boot id would stay for good.
    partial = marker.with_name(f".{FILE_NAME}.partial")
    text = f"poisoned\n{boot_id}\n{' '.join(reason.split())}\n"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    with os.fdopen(os.open(partial, flags, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    sync(partial)
    partial.replace(marker)
    sync(home)


def check_poison(home: Path, boot_id: str) -> bool:
    """Tell whether the log must be verified in full before it is written.

    Raises:
        HomeError: `home-poisoned`: the machine has not restarted since.
    """
    try:
        text = (home / FILE_NAME).read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    _, marked, reason = (*text.splitlines(), "", "", "")[:3]
    if marked in ("", boot_id):
        raise HomeError(
            "home-poisoned",
            f"{home} is not to be trusted: {reason or 'a marker without a reason'}",
            hint="restart the machine, then run linernote audit",
        )
    return True


def clear_poison(home: Path) -> None:
    """Remove the marker, after a full verification has passed."""
    (home / FILE_NAME).unlink(missing_ok=True)
