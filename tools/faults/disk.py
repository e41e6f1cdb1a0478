"""A disk whose power fails: what of the recorded operations may have reached it.

A file's content is durable once the file is synced, a name once its folder is. What
is not synced yet may be on the disk all the same: whole, in part, or before what was
written earlier. Two models differ in what a file's sync carries along:

    strict    the file's content and nothing else, as POSIX has it
    journal   earlier changes of names too, as ext4 and XFS do

A failed sync is taken at its worst: the pages are lost, while the kernel calls them
clean and goes on showing them to every reader until the machine restarts.

>>> disk = Disk({}, Model.STRICT)
>>> for line in ("C log", "W log", "S log"):
...     kind, path = line.split()
...     disk.apply(Operation(kind, 0, path, "", 0, b"entry"))
>>> disk.image(Policy("none"))
{}
>>> disk.apply(Operation("S", 0, ".", "", 0, b""))
>>> disk.image(Policy("none"))
{'log': b'entry'}
"""

from __future__ import annotations

import enum
import random
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from pathlib import PurePosixPath
from typing import NamedTuple

from tools.faults.record import Operation

SECTOR = 512
PAGE = 4096
GARBAGE = 0.05
"""How many of the torn sectors hold neither the old nor the new content."""

Image = dict[str, bytes | None]
"""Path to content; None for a folder."""


class Model(enum.Enum):
    """What the sync of a file carries along."""

    STRICT = "strict"
    JOURNAL = "journal"


class Policy(NamedTuple):
    """Which of the operations that were not synced the disk got.

    Attributes:
        name: none, all, data (no names), names (no data), last, butfirst, reorder,
            torn; the last two by chance.
        seed: of that chance.
    """

    name: str
    seed: str = ""


FIXED = tuple(map(Policy, ("none", "all", "data", "names", "last", "butfirst")))


class Change(NamedTuple):
    """Bytes written at an offset, or with None the file cut or grown to it."""

    offset: int
    data: bytes | None


@dataclass(eq=False)
class File:
    """Content on the disk, what waits to get there, and what the kernel shows."""

    durable: bytearray = field(default_factory=bytearray)
    waiting: list[Change] = field(default_factory=list)
    shown: bytearray = field(default_factory=bytearray)
    lost: set[int] = field(default_factory=set)

    def change(self, change: Change) -> None:
        """Write or truncate; a lost page that is written again is whole again."""
        apply_change(self.shown, change)
        self.waiting.append(change)
        if change.data is None:
            self.lost = {page for page in self.lost if page * PAGE < change.offset}
            return
        for page in self.lost & pages(change):
            self.lost.discard(page)
            start = page * PAGE
            self.waiting.append(Change(start, bytes(self.shown[start : start + PAGE])))

    def sync(self) -> None:
        """Let everything that waits reach the disk."""
        for change in self.waiting:
            apply_change(self.durable, change)
        self.waiting.clear()

    def fail_sync(self) -> None:
        """Lose the pages that wait; sizes are the folder's journal, and stay."""
        for change in self.waiting:
            if change.data is None:
                apply_change(self.durable, change)
            else:
                self.lost |= pages(change)
        self.waiting.clear()


Names = dict[str, "File | Folder"]
Renaming = tuple[tuple[str, "File | Folder | None"], ...]


@dataclass(eq=False)
class Folder:
    """Names on the disk, changes of names that wait, and the names shown."""

    durable: Names = field(default_factory=dict)
    waiting: list[Renaming] = field(default_factory=list)
    shown: Names = field(default_factory=dict)

    def change(self, *names: tuple[str, File | Folder | None]) -> None:
        """Set or remove names, all at once."""
        rename(self.shown, names)
        self.waiting.append(names)

    def sync(self) -> None:
        """Let every change of names reach the disk."""
        for names in self.waiting:
            rename(self.durable, names)
        self.waiting.clear()


class Disk:
    """A disk that recorded operations are applied to.

    Args:
        image: what is durable at first.
        model: what the sync of a file carries along.
    """

    def __init__(self, image: Mapping[str, bytes | None], model: Model) -> None:
        self._model = model
        self._top = Folder()
        for path, data in sorted(image.items()):
            folder, name = self._place(path)
            new: File | Folder = Folder()
            if data is not None:
                new = File(bytearray(data), [], bytearray(data))
            folder.shown[name] = folder.durable[name] = new

    def _find(self, path: str) -> File | Folder:
        here: File | Folder = self._top
        for name in PurePosixPath(path).parts:
            here = _folder(here).shown[name]
        return here

    def _place(self, path: str) -> tuple[Folder, str]:
        pure = PurePosixPath(path)
        return _folder(self._find(str(pure.parent))), pure.name

    def _folders(self, here: Folder) -> Iterator[Folder]:
        yield here
        for name in here.shown.values():
            if isinstance(name, Folder):
                yield from self._folders(name)

    def apply(self, done: Operation) -> None:
        """Apply an operation that the program did."""
        match done.kind:
            case "C" | "M":
                folder, name = self._place(done.path)
                folder.change((name, File() if done.kind == "C" else Folder()))
            case "U":
                folder, name = self._place(done.path)
                folder.change((name, None))
            case "R" | "L":
                self._rename(done)
            case "W":
                self._file(done.path).change(Change(done.offset, done.data))
            case "T":
                self._file(done.path).change(Change(done.offset, None))
            case "S":
                self._sync(self._find(done.path))
            case "F":
                failed = self._find(done.path)
                if isinstance(failed, File):
                    failed.fail_sync()

    def _file(self, path: str) -> File:
        found = self._find(path)
        if isinstance(found, Folder):
            raise TypeError(f"{path} is a folder")
        return found

    def _rename(self, done: Operation) -> None:
        folder, name = self._place(done.path)
        target, other = self._place(done.other)
        found = folder.shown[name]
        if done.kind == "L":
            target.change((other, found))
        elif folder is target:
            folder.change((name, None), (other, found))
        else:  # each folder gets to the disk by itself: the worst there is
            target.change((other, found))
            folder.change((name, None))

    def _sync(self, synced: File | Folder) -> None:
        synced.sync()
        if self._model is Model.JOURNAL:
            for folder in self._folders(self._top):
                folder.sync()

    def image(self, policy: Policy) -> Image:
        """Give what may be there after the power fails now."""
        chance = random.Random(policy.seed)  # noqa: S311
        return dict(_after(self._top, "", policy, chance))

    def shown(self) -> Image:
        """Give what programs see as long as the machine runs."""
        return dict(_shown(self._top, ""))


def _folder(found: File | Folder) -> Folder:
    if isinstance(found, File):
        raise TypeError("a file is no folder")
    return found


def _shown(folder: Folder, prefix: str) -> Iterator[tuple[str, bytes | None]]:
    for name, found in folder.shown.items():
        if isinstance(found, Folder):
            yield prefix + name, None
            yield from _shown(found, f"{prefix}{name}/")
        else:
            yield prefix + name, bytes(found.shown)


def _after(
    folder: Folder, prefix: str, policy: Policy, chance: random.Random
) -> Iterator[tuple[str, bytes | None]]:
    names = dict(folder.durable)
    for change in folder.waiting[: _kept_names(policy, len(folder.waiting), chance)]:
        rename(names, change)
    for name, found in sorted(names.items(), key=lambda pair: pair[0]):
        if isinstance(found, Folder):
            yield prefix + name, None
            yield from _after(found, f"{prefix}{name}/", policy, chance)
            continue
        content = bytearray(found.durable)
        for written in _kept_changes(policy, found.waiting, chance):
            apply_change(content, written)
        yield prefix + name, bytes(content)


def _kept_names(policy: Policy, waiting: int, chance: random.Random) -> int:
    """Say how many changes of a folder are there: they get there in order."""
    if policy.name in ("reorder", "torn"):
        return chance.randint(0, waiting)
    return waiting if policy.name in ("all", "names", "last", "butfirst") else 0


def _kept_changes(
    policy: Policy, waiting: list[Change], chance: random.Random
) -> list[Change]:
    match policy.name:
        case "all" | "data":
            return waiting
        case "last":
            return waiting[-1:]
        case "butfirst":
            return waiting[1:]
        case "reorder":
            return [change for change in waiting if chance.random() < 1 / 2]
        case "torn":
            return list(_torn(waiting, chance))
    return []


def _torn(waiting: list[Change], chance: random.Random) -> Iterator[Change]:
    for change in waiting:
        if change.data is None:
            if chance.random() < 1 / 2:
                yield change
            continue
        start, end = change.offset, change.offset + len(change.data)
        while start < end:
            stop = min(end, start - start % SECTOR + SECTOR)
            if chance.random() < GARBAGE:
                yield Change(start, chance.randbytes(stop - start))
            elif chance.random() < 1 / 2:
                first = start - change.offset
                yield Change(start, change.data[first : stop - change.offset])
            start = stop


def pages(change: Change) -> set[int]:
    """Number the pages that a write touches."""
    last = change.offset + len(change.data or b"") - 1
    return set(range(change.offset // PAGE, last // PAGE + 1))


def apply_change(content: bytearray, change: Change) -> None:
    """Do to content what a write or a truncation does."""
    missing = change.offset - len(content)
    if missing > 0:
        content.extend(bytes(missing))
    if change.data is None:
        del content[change.offset :]
    else:
        content[change.offset : change.offset + len(change.data)] = change.data


def rename(names: Names, changes: Renaming) -> None:
    """Do to a folder's names what one operation does."""
    for name, found in changes:
        if found is None:
            names.pop(name, None)
        else:
            names[name] = found
