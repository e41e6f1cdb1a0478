"""The public folder as an audit reads it: files that are files, of a bounded size.

Whoever can alter the folder can also put a link, a pipe or an endless file there. A
link would let a static server serve what no audit walks through; a pipe has no end,
and a file of any size no place in memory.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     _ = Path(folder, "checkpoint").write_bytes(b"log")
...     Path(folder, "link").symlink_to("/")
...     found = [(path.name, kind) for path, kind in walk(Path(folder))]
...     read_at_most(Path(folder, "checkpoint"), 2), found
(None, [('checkpoint', 'file'), ('link', 'other')])
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

# A pipe is opened without waiting for who writes to it, and a link not at all.
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


DEPTH_MAX = 16
"""Folders within folders: no path of a tile needs more."""


def walk(
    folder: Path, depth: int = 0
) -> Iterator[tuple[Path, Literal["file", "other"]]]:
    """Give whatever lies in a folder, by name, and whether it is a file.

    Folders are walked through; only one too deep for any tile is given itself.
    """
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        path = folder / entry.name
        if entry.is_dir(follow_symlinks=False) and depth < DEPTH_MAX:
            yield from walk(path, depth + 1)
        else:
            yield path, "file" if entry.is_file(follow_symlinks=False) else "other"


def read_at_most(path: Path, size: int) -> bytes | None:
    """Read a file of at most `size` bytes; None if it is longer, or no file.

    Raises:
        OSError: it cannot be read.
    """
    try:
        handle = os.open(path, _FLAGS)
    except OSError as error:
        if path.is_symlink() or not path.is_file():
            return None
        raise error from None
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return None
        data = file.read(size + 1)
    return data if len(data) <= size else None
