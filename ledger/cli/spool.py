"""Room for bodies that are on their way: bounded all together, whoever sends them.

    small bodies    up to 64 KiB, in memory: bounded by the number of connections
    other bodies    each in a file without a name; so many bytes in all, and no more
                    than a quarter of what would be free on their disk

Where there is no room left, the largest body of the address that sends most gives way:
nobody keeps others out by sending much. Bytes count as they come, since a length is
easily said.

>>> room = Room(1 << 20)
>>> body = Body(room, "192.0.2.7")
>>> body.append(b"x" * 100_000)
>>> len(room), body.close(), len(room)
(100000, None, 0)
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections import Counter
from pathlib import Path
from typing import IO

SMALL_BYTES_MAX = 1 << 16
FREE_SHARE = 4


class NoRoomError(Exception):
    """Others need the room of this body."""


class Body:
    """A body as it comes.

    Args:
        room: that it needs once it is no longer small.
        peer: who sends it.
    """

    def __init__(self, room: Room, peer: str) -> None:
        self.peer = peer
        self.size = 0
        self.coming = True
        self._room = room
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(  # noqa: SIM115
            SMALL_BYTES_MAX, dir=room.place
        )

    @property
    def held(self) -> int:
        """How many bytes lie in a file."""
        return self.size if self.size > SMALL_BYTES_MAX else 0

    def append(self, data: bytes) -> None:
        """Take what has come.

        Raises:
            NoRoomError: others need the room.
            OSError: of the disk.
        """
        if self._file.closed:
            raise NoRoomError
        self._room.grow(self, len(data))
        self._file.write(data)

    def __len__(self) -> int:
        """Count the bytes."""
        return self.size

    def getfile(self) -> IO[bytes]:
        """Give what has come, from its beginning."""
        self._file.seek(0)
        return self._file

    def close(self) -> None:
        """Drop it; again does nothing."""
        self._room.leave(self)
        self._file.close()


class Room:
    """Room for bodies in files.

    Args:
        bytes_max: of all of them together.
        folder: where they are; the system's own place by default.
    """

    def __init__(self, bytes_max: int, folder: Path | None = None) -> None:
        self.place = str(folder or tempfile.gettempdir())
        self._bytes_max = bytes_max
        self._bodies: set[Body] = set()
        self._held = 0
        self._lock = threading.Lock()

    def grow(self, body: Body, count: int) -> None:
        """Make room for more of a body.

        Raises:
            NoRoomError: there is none, and nobody takes more than whoever sends it.
        """
        size = body.size + count
        while (gives_way := self._try(body, size)) is not None:
            if gives_way is body:
                raise NoRoomError
            gives_way.close()

    def _try(self, body: Body, size: int) -> Body | None:
        """Let a body have a size, or tell which one gives way for it."""
        with self._lock:
            before, body.size = body.held, size
            self._bodies.add(body)
            self._held += body.held - before
            if body.held == 0 or self._held <= self._most():
                return None
            by_peer: Counter[str] = Counter()
            for each in self._bodies:
                by_peer[each.peer] += each.held
            coming = [each for each in self._bodies if each.coming]
            return max(coming, key=lambda each: (by_peer[each.peer], each.held))

    def _most(self) -> int:
        """Give the most bytes that may lie here now, where some lie already."""
        free = shutil.disk_usage(self.place).free
        return min(self._bytes_max, (free + self._held) // FREE_SHARE)

    def leave(self, body: Body) -> None:
        """Give back the room of a body."""
        with self._lock:
            if body in self._bodies:
                self._bodies.remove(body)
                self._held -= body.held

    def __len__(self) -> int:
        """Count the bytes in files."""
        return self._held
