"""Files that are written once: whole and durable before they have their names.

They are made in a folder beside, which nobody serves, and renamed into place. A file
that is there already is left alone if it is the same. A full tile or bundle never
changes, so another one in its place stops everything, unless it is known to be damage;
a partial one that no checkpoint names yet may be half of what a crash left, and is
replaced.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     public = Path(folder) / "public"
...     public.mkdir()
...     _ = put_files(public, [("tile/0/000", b"hashes")])
...     put_files(public, [("tile/0/000", b"other hashes")])
Traceback (most recent call last):
ledger.errors.HomeError: tile/0/000 is there already, and it is another one
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.errors import HomeError
from ledger.home import workshop_of
from ledger.storage.sync import sync

if TYPE_CHECKING:
    from collections.abc import Iterable

File = tuple[str, bytes]
"""Path below the public folder, and content."""


def put_files(public: Path, files: Iterable[File], *, replace: bool = False) -> int:
    """Put files in place that no checkpoint names yet, all durable at the end.

    Args:
        public: the folder.
        files: each once.
        replace: what differs, whatever it is; for files that were verified.

    Returns:
        How many were not there, or others.

    Raises:
        HomeError: `published-differs` unless `replace`; `sync-failed`.
        OSError: they cannot be written.
    """
    beside = workshop_of(public) / f".{public.resolve().name}.new"
    shutil.rmtree(beside, ignore_errors=True)  # what a crash left
    beside.mkdir(mode=0o700)
    try:
        return _put(public, beside, files, replace=replace)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _put(public: Path, beside: Path, files: Iterable[File], *, replace: bool) -> int:
    made: list[tuple[Path, Path]] = []
    places: list[Path] = []
    for number, (name, data) in enumerate(files):
        place = public / name
        places.append(place)
        if not _is_there(place, name, data, replace=replace):
            path = beside / str(number)
            path.write_bytes(data)
            made.append((path, place))
    # Synced together, since the first sync of many files carries most of them.
    for path, _ in made:
        sync(path)
    for folder in sorted({place.parent for _, place in made}):
        folder.mkdir(parents=True, exist_ok=True)
    for path, place in made:
        path.replace(place)
    for folder in _folders(public, places):
        sync(folder)
    return len(made)


def _is_there(place: Path, name: str, data: bytes, *, replace: bool) -> bool:
    try:
        same = place.read_bytes() == data
    except FileNotFoundError:
        return False
    if same or replace or ".p/" in name:
        return same
    raise HomeError(
        "published-differs",
        f"{name} is there already, and it is another one",
        hint="nothing was published: another log, or another copy of this one, wrote to"
        " this folder; keep it, and compare it with 'linernote audit'",
    )


def _folders(public: Path, places: list[Path]) -> list[Path]:
    """List the folders of some places, up to the public one."""
    above = {folder for place in places for folder in place.parents}
    return sorted(folder for folder in above if folder.is_relative_to(public))
