"""What the shim recorded: operations on files in order, and marks between them.

    A mark   C create   O open   W write   T truncate   S sync   F failed sync
    M mkdir  U unlink   R rename L link

>>> head = HEAD.pack(b"W", 3, 4, 0, 512, 2)
>>> list(parse_record(head + b"logs" + b"hi"))
[Operation(kind='W', number=3, path='logs', other='', offset=512, data=b'hi')]
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

HEAD = struct.Struct("<cIHHQI")
CHANGES = frozenset("CWTSMURL")


class Operation(NamedTuple):
    """One operation, or a mark, whose text is its `data`."""

    kind: str
    number: int
    path: str
    other: str
    offset: int
    data: bytes


def parse_record(record: bytes) -> Iterator[Operation]:
    """Read a record; what a kill left of its last part is dropped."""
    place = 0
    while place + HEAD.size <= len(record):
        kind, number, path, other, offset, size = HEAD.unpack_from(record, place)
        start = place + HEAD.size
        middle = start + path
        data = middle + other
        place = data + size
        if place > len(record):
            return
        yield Operation(
            kind.decode(),
            number,
            record[start:middle].decode(),
            record[middle:data].decode(),
            offset,
            record[data:place],
        )
