"""The log home: where the files of a log lie (ledger/docs/interface.md).

    ledger.db          entries, manifests, derived tables
    lock               held by the one writer
    keys/NAME.key      key files, encrypted unless made without a passphrase
    names.json         names of parties and titles of recordings; erasable
    policy             witnesses to ask, if there are any (C2SP tlog-policy)
    restored           marks a home from a backup that has not caught up
    staging/           lines on their way in
    public/            checkpoint, tiles, bundles, plain manifests: serve as it is

A home is built beside its place and moved there whole, so that a folder under
its name is complete; one that lacks its parts was damaged, and is refused.

>>> Home(Path("demo")).public.as_posix()
'demo/public'
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.errors import ConflictError
from ledger.errors import HomeError
from ledger.errors import InputError
from ledger.storage.sync import sync
from ledger.storage.sync import sync_handle

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_HOME = "linernote-home"
HOME_VARIABLE = "LINERNOTE_HOME"
_PARTS = ("ledger.db", "keys", "public")


class Home:
    """Paths within a log home.

    Args:
        path: the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.database = path / "ledger.db"
        self.lock = path / "lock"
        self.keys = path / "keys"
        self.names = path / "names.json"
        self.restored = path / "restored"
        self.staging = path / "staging"
        self.public = path / "public"

    def check(self) -> None:
        """Refuse a folder that is not a whole home.

        Raises:
            InputError: `home-missing`.
            HomeError: `home-incomplete`.
        """
        if not self.path.is_dir():
            raise InputError(
                "home-missing",
                f"there is no log home at {self.path}",
                hint="make one with 'linernote init --origin ORIGIN --currency SEK',"
                f" or name another with --home or {HOME_VARIABLE}",
            )
        missing = [part for part in _PARTS if not (self.path / part).exists()]
        if missing:
            raise HomeError(
                "home-incomplete",
                f"the log home at {self.path} lacks {', '.join(missing)}",
                hint="restore it from a backup; nothing in it was changed",
            )

    def build(self, fill: Callable[[Home], None]) -> None:
        """Make a home: `fill` a folder beside it, then move that into place.

        Raises:
            ConflictError: `home-exists`.
        """
        if self.path.exists() and any(self.path.iterdir()):
            raise ConflictError(
                "home-exists",
                f"{self.path} exists and is not empty",
                hint="choose another folder; a log is never overwritten",
            )
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._clear_leftovers()
        partial = self.path.parent / f".{self.path.name}.partial-{os.getpid()}"
        shutil.rmtree(partial, ignore_errors=True)
        try:
            partial.mkdir(mode=0o700)
            for folder in ("keys", "public", "staging"):
                (partial / folder).mkdir(mode=0o755 if folder == "public" else 0o700)
            fill(Home(partial))
            partial.replace(self.path)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        sync(self.path.parent)

    def _clear_leftovers(self) -> None:
        """Remove what processes that were killed left beside the home's place.

        Neither holds a log: one was never finished, the other was being removed.
        """
        name = re.escape(self.path.name)
        leftover = re.compile(rf"\.{name}\.(?:partial|gone)-([1-9][0-9]{{0,8}})")
        for beside in self.path.parent.iterdir():
            named = leftover.fullmatch(beside.name)
            if named and not beside.is_symlink() and not _runs(int(named[1])):
                shutil.rmtree(beside, ignore_errors=True)


def _runs(pid: int) -> bool:
    """Tell whether a process runs; one that may not be asked about does."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def workshop_of(folder: Path) -> Path:
    """Say where files for a folder are made that somebody else may serve.

    It is on the same file system, or they could not be renamed into place: the folder
    above, and for one that is mounted the folder itself.
    """
    whole = folder.resolve()
    return whole if whole.is_mount() else whole.parent


def write_durably(
    path: Path, data: bytes, mode: int = 0o644, beside: Path | None = None
) -> None:
    """Put a file in place whole: written beside it, synced, then renamed.

    Args:
        path: of the file.
        data: its content.
        mode: of a file that is new.
        beside: folder for the file until it is whole, on the same file system; the
            file's own, unless somebody serves that.

    Raises:
        HomeError: `sync-failed`.
        OSError: it cannot be written.
    """
    folder = path.parent if beside is None else beside
    partial = folder / f".{path.name}.partial-{os.getpid()}"
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            sync_handle(file.fileno(), partial)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync(path.parent)
