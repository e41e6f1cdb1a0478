"""The newest checkpoint that readers of a cache have verified: it only ever grows.

    cache/<origin's hash>/checkpoint, log-keys; lock: held while they are replaced

Readers may share a cache. Each replaces only what it has verified its own checkpoint
against: what came in between, another reader's, is given back, to be verified first.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     one, two = Remembered(Path(folder)), Remembered(Path(folder))
...     one.read(), two.read(), one.swap("of size 9", None), two.swap("of 5", None)
(None, None, None, 'of size 9')
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ledger.errors import UnverifiableError
from ledger.home import write_durably
from ledger.reader.handover import Known
from ledger.storage.lock import waiting_lock

if TYPE_CHECKING:
    from ledger.reader.handover import LogKeys

_CHECKPOINT, _KEYS, _LOCK = "checkpoint", "log-keys", "lock"


class Remembered:
    """What is remembered of one log, as one reader knows it.

    Args:
        folder: of the log in the cache; made when it is needed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / _CHECKPOINT
        self._known: str | None = None

    def read(self) -> str | None:
        """Read the checkpoint; None if there is none.

        Raises:
            UnverifiableError: ``bad-cache``.
        """
        try:
            return self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise self.spoilt(error) from None

    def go_on_from(self, note: str) -> None:
        """Take note that one was verified: what replaces it continues it."""
        self._known = note

    def keys(self) -> Known | None:
        """Read where the entries are that name the log's keys."""
        return Known.recall(self._folder / _KEYS)

    def swap(self, note: str, keys: LogKeys | None) -> str | None:
        """Remember a checkpoint that continues the one that is gone on from.

        Returns:
            None; or the checkpoint that is there instead of that one, and stays.

        Raises:
            UnverifiableError: ``bad-cache``.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        with waiting_lock(self._folder / _LOCK):
            there = self.read()
            if there not in {None, self._known}:
                return there
            if keys is not None:
                keys.known.remember(self._folder / _KEYS)
            write_durably(self._path, note.encode())
        self._known = note
        return None

    def spoilt(self, error: Exception) -> UnverifiableError:
        """Make the error of a remembered checkpoint that does not verify."""
        return UnverifiableError(
            "bad-cache",
            f"{self._path}, the checkpoint seen last, does not verify: {error}",
            hint="find out why; without that file, reading begins anew and cannot"
            " tell whether the log was rolled back meanwhile",
        )
