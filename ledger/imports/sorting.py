r"""Sorting of more than memory holds: an external merge sort of byte strings.

Manifests want their lines in order (format.md §5), and files bring them in any. Lines
become byte strings whose order is the order wanted. As many as fit are sorted in
memory; each such run goes to a temporary file, and reading merges the runs (Knuth,
The Art of Computer Programming 3, §5.4).

    key       fields in turn, each ended by a zero byte or of fixed length
    item      key | u64 line | u64 start | u32 length | payload | u16 bytes of the key

The numbers say where in its file the row stands that an item was read from, so that of
two items with one key the row further down is the double.

>>> sorter = Sorter(memory_max=100)
>>> sorter.extend(b"%d" % (number % 7) for number in range(9))
>>> b"".join(sorter), len(sorter)
(b'001123456', 9)
"""

from __future__ import annotations

import heapq
import os
import tempfile
import weakref
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from itertools import chain
from itertools import islice
from struct import Struct
from typing import BinaryIO

import msgspec

from ledger.errors import HomeError
from ledger.errors import InvariantError

MEMORY_MAX = 16 * 1024 * 1024
"""Bytes that one sorter holds in memory, more or less."""

_OBJECT_BYTES = 57  # what Python adds to the bytes of an item in a list
_RUNS_MAX = 128
_BLOCK_ITEMS_MIN = 16
_BLOCK_SHARE = 50_000
"""One block of each run that is read takes less memory than a run that is made."""

_PLACE = Struct(">QQI")
_KEY_LENGTH = Struct(">H")

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[bytes]).decode


_Run = list[tuple[int, int]]
"""Start and length of each block of a sorted run, in the temporary file."""


class Sorter:
    """Takes byte strings in any order, and gives them ascending, again and again.

    Its temporary file has no name and goes when the sorter does.

    Args:
        memory_max: bytes to hold before a run goes to the file.
    """

    def __init__(self, memory_max: int = MEMORY_MAX) -> None:
        self._memory_max = memory_max
        self._block_items = max(_BLOCK_ITEMS_MIN, memory_max // _BLOCK_SHARE)
        self._items: list[bytes] = []
        self._bytes = 0
        self._count = 0
        self._levels: list[list[_Run]] = []
        self._file: BinaryIO | None = None
        self._sorted = False

    def __len__(self) -> int:
        return self._count + len(self._items)

    @property
    def runs(self) -> int:
        """How many runs the temporary file holds."""
        return sum(map(len, self._levels))

    def add(self, item: bytes) -> None:
        """Take one item.

        Raises:
            HomeError: ``disk-full`` if a run can't be written.
        """
        self.extend((item,))

    def extend(self, items: Iterable[bytes]) -> None:
        """Take items, before any was read.

        Raises:
            HomeError: ``disk-full`` if a run can't be written.
        """
        if self._sorted:
            raise InvariantError("sorter-read", "an item after reading began")
        held, room = self._items, self._memory_max - self._bytes
        for item in items:
            held.append(item)
            room -= len(item) + _OBJECT_BYTES
            if room < 0:
                self._spill()
                room = self._memory_max
        self._bytes = self._memory_max - room

    def __iter__(self) -> Iterator[bytes]:
        if not self._sorted:
            self._items.sort()
            self._sorted = True
        if not self._levels:
            return iter(self._items)
        runs = chain.from_iterable(self._levels)
        return heapq.merge(self._items, *map(self._read, runs))

    def _spill(self) -> None:
        """Write what is held as one sorted run."""
        self._items.sort()
        self._keep(self._write(self._items), level=0)
        self._count += len(self._items)
        self._items.clear()

    def _keep(self, run: _Run, level: int) -> None:
        """Keep a run, and merge as many as are read at once without much memory."""
        if level == len(self._levels):
            self._levels.append([])
        runs = self._levels[level]
        runs.append(run)
        if len(runs) == _RUNS_MAX:
            merged = self._write(heapq.merge(*map(self._read, runs)))
            runs.clear()
            self._keep(merged, level + 1)

    def _write(self, items: Iterable[bytes]) -> _Run:
        source, run = iter(items), []
        try:
            file = self._open()
            while block := list(islice(source, self._block_items)):
                data = _encode(block)
                run.append((file.tell(), len(data)))
                file.write(data)
            file.flush()
        except OSError as error:
            raise HomeError(
                "disk-full",
                f"sorting needs a temporary file, which failed: {error}",
                hint="free some space, or set TMPDIR to a folder that has more",
            ) from error
        return run

    def _open(self) -> BinaryIO:
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115
            weakref.finalize(self, self._file.close)
        return self._file

    def _read(self, run: _Run) -> Iterator[bytes]:
        # Positions of its own for each reader, so that runs are read side by side.
        number = self._open().fileno()
        for start, length in run:
            yield from _decode(os.pread(number, length, start))


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where a row stands in its file.

    Attributes:
        line: number of its first line, from 1.
        start: bytes before it.
        length: its bytes, line ends included.
    """

    line: int
    start: int
    length: int


def pack(key: bytes, place: Place, payload: bytes) -> bytes:
    """Make an item of a row that was read."""
    return (
        key
        + _PLACE.pack(place.line, place.start, place.length)
        + payload
        + _KEY_LENGTH.pack(len(key))
    )


def unpack(item: bytes) -> tuple[bytes, Place, bytes]:
    """Give key, place and payload of an item."""
    (middle,) = _KEY_LENGTH.unpack_from(item, len(item) - 2)
    place = Place(*_PLACE.unpack_from(item, middle))
    return item[:middle], place, item[middle + _PLACE.size : -2]


def distinct(
    items: Iterable[bytes], double: Callable[[Place, Place], object] | None = None
) -> Iterator[bytes]:
    """Give the payloads of sorted items, and leave out all but the first of each key.

    Args:
        items: packed, ascending.
        double: is told the place of an item left out, and that of the first one.
    """
    key_length, skipped = _KEY_LENGTH.unpack_from, _PLACE.size
    last_key, first = None, b""
    for item in items:
        (middle,) = key_length(item, len(item) - 2)
        key = item[:middle]
        if key != last_key:
            last_key, first = key, item
            yield item[middle + skipped : -2]
        elif double is not None:
            double(unpack(item)[1], unpack(first)[1])
