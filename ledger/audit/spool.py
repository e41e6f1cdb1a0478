"""What an audit has to remember of every entry, kept in files of bounded memory.

`HashSpool` answers with the leaf hash of any entry seen so far: a `seen` field
may point as far back as it likes. `IdSpool` finds event ids that an author used
twice, by sorting on disk once everything has passed.

>>> with IdSpool() as ids:
...     author, other, same = bytes(16), b"o" * 16, b"i" * 16
...     ids.extend([(author, same, 0), (other, same, 1), (author, same, 2)])
...     sorted(ids.repeated())
[2]
"""

from __future__ import annotations

import heapq
import tempfile
from typing import IO
from typing import TYPE_CHECKING
from typing import Self

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator

HASH_LENGTH = 32
RECENT_HASHES = 65_536
RUN_LENGTH = 65_536
_PAIR_LENGTH = 32
_ID_LENGTH = _PAIR_LENGTH + 8
_READ_IDS = 4_096


class _Spool:
    """A temporary file that goes with its context."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115

    def __enter__(self) -> Self:
        """Use as a context."""
        return self

    def __exit__(self, *_: object) -> None:
        """Drop the file."""
        self._file.close()


class HashSpool(_Spool):
    """Leaf hashes by index: the newest in memory, the others in a file."""

    def __init__(self) -> None:
        super().__init__()
        self._recent = bytearray()
        self._spooled = 0

    @property
    def size(self) -> int:
        """How many hashes there are."""
        return self._spooled + len(self._recent) // HASH_LENGTH

    def extend(self, hashes: bytes) -> None:
        """Add joined hashes of the entries that follow."""
        self._recent += hashes
        excess = len(self._recent) - 2 * RECENT_HASHES * HASH_LENGTH
        if excess > 0:
            kept = len(self._recent) - RECENT_HASHES * HASH_LENGTH
            self._file.seek(self._spooled * HASH_LENGTH)
            self._file.write(self._recent[:kept])
            self._spooled += kept // HASH_LENGTH
            del self._recent[:kept]

    def at(self, index: int) -> bytes:
        """Give the leaf hash of an entry."""
        start = (index - self._spooled) * HASH_LENGTH
        if start >= 0:
            return bytes(self._recent[start : start + HASH_LENGTH])
        return self.slice(index, index + 1)

    def slice(self, start: int, stop: int) -> bytes:
        """Give the joined leaf hashes of entries [start, stop)."""
        parts = []
        if start < self._spooled:
            upto = min(stop, self._spooled)
            self._file.seek(start * HASH_LENGTH)
            parts.append(self._file.read((upto - start) * HASH_LENGTH))
            start = upto
        if start < stop:
            low = (start - self._spooled) * HASH_LENGTH
            high = (stop - self._spooled) * HASH_LENGTH
            parts.append(bytes(self._recent[low:high]))
        return b"".join(parts)


class IdSpool(_Spool):
    """Pairs of author and event id, with the index of their entry."""

    def __init__(self) -> None:
        super().__init__()
        self._pending: list[bytes] = []
        self._runs: list[tuple[int, int]] = []

    def extend(self, events: Iterable[tuple[bytes, bytes, int]]) -> None:
        """Note events by author, event id and the index of their entry."""
        self._pending += [
            author + event_id + index.to_bytes(8, "big")
            for author, event_id, index in events
        ]
        if len(self._pending) >= RUN_LENGTH:
            self._write_run()

    def repeated(self) -> Iterator[int]:
        """Give the index of every entry whose (author, id) an earlier one has."""
        runs = [self._read_run(start, stop) for start, stop in self._runs]
        before = b""
        for pair in heapq.merge(*runs, sorted(self._pending)):
            if pair[:_PAIR_LENGTH] == before:
                yield int.from_bytes(pair[_PAIR_LENGTH:], "big")
            before = pair[:_PAIR_LENGTH]

    def _write_run(self) -> None:
        self._pending.sort()
        start = self._file.seek(0, 2)
        self._file.write(b"".join(self._pending))
        self._runs.append((start, start + len(self._pending) * _ID_LENGTH))
        self._pending = []

    def _read_run(self, start: int, stop: int) -> Iterator[bytes]:
        while start < stop:
            self._file.seek(start)
            data = self._file.read(min(stop - start, _READ_IDS * _ID_LENGTH))
            start += len(data)
            for place in range(0, len(data), _ID_LENGTH):
                yield data[place : place + _ID_LENGTH]
