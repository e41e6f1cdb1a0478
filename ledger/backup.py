"""A copy of a log home that is whole, taken while the log is written to.

    ledger.db      all that was committed when the copy began
    names.json     names of parties and titles of recordings, as in the home
    policy         where there is one
    keys/          only where asked for: whoever has them writes as the operator

A database that is copied file by file while somebody writes is torn. This one is
copied through the database itself, and compared with its own checkpoint. `public/` is
left out: the log gives it again.
"""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from typing import TYPE_CHECKING
from typing import NamedTuple

from ledger.errors import ConflictError
from ledger.errors import HomeError
from ledger.errors import InputError
from ledger.publish import published_checkpoint
from ledger.storage.sqlite import SqliteStore
from ledger.storage.sync import sync
from ledger.tlog.merkle import tree_root
from ledger.writer import open_reader

if TYPE_CHECKING:
    from pathlib import Path

    from ledger.home import Home

_BESIDE = ("names.json", "policy")


class BackedUp(NamedTuple):
    """What a backup holds.

    Attributes:
        size: of the log.
        published: size of its newest checkpoint, 0 if there is none.
    """

    size: int
    published: int


def back_up(home: Home, folder: Path, *, keys: bool = False) -> BackedUp:
    """Copy a home to a new folder, durably, while others read and write.

    Args:
        home: a whole one.
        folder: is not there yet.
        keys: whether to copy its keys as well.

    Raises:
        ConflictError: `file-exists`.
        InputError: `backup-inside-home`; as `open_reader`.
        HomeError: `store-damaged`, `sync-failed`, or a code of `SqliteStore.backup`.
    """
    _check_place(home, folder)
    partial = folder.with_name(f".{folder.name}.partial-{os.getpid()}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(mode=0o700)
        with closing(open_reader(home)) as store:
            store.backup(partial / home.database.name)
        copy_beside(home.path, partial, keys=keys)
        done = _checked(partial)
        partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    sync(folder.parent)
    return done


def copy_beside(source: Path, target: Path, *, keys: bool) -> None:
    """Copy what lies beside the database, durably."""
    for name in _BESIDE:
        if (source / name).is_file():
            shutil.copy2(source / name, target / name)
    if keys and (source / "keys").is_dir():
        shutil.copytree(source / "keys", target / "keys", dirs_exist_ok=True)
    for path in target.rglob("*"):
        sync(path)
    sync(target)


def _check_place(home: Home, folder: Path) -> None:
    if folder.exists():
        raise ConflictError(
            "file-exists",
            f"{folder} exists already",
            hint="choose another folder: a backup never replaces one",
        )
    if folder.resolve().is_relative_to(home.path.resolve()):
        raise InputError(
            "backup-inside-home",
            f"{folder} is in the log home, and would be lost with it",
            hint="choose a folder elsewhere, best on another disk",
        )


def _checked(folder: Path) -> BackedUp:
    """Hold the copy against its own checkpoint."""
    with closing(SqliteStore.open(folder, read_only=True)) as copy:
        size, last = copy.size(), published_checkpoint(copy)
        if last is None:
            return BackedUp(size, 0)
        if last.size > size or tree_root(last.size, copy.nodes) != last.root:
            raise HomeError(
                "store-damaged",
                "the log is not the one that its checkpoint names; the backup was"
                " thrown away",
                hint="run 'linernote audit' on the home",
            )
        return BackedUp(size, last.size)
