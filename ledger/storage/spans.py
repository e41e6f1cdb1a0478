"""Finding entries by the beginning of a hash, without an index of hashes.

Hashes and event ids arrive in no order, so an index of them is written all over for
every batch, and the more so the longer the log is. Instead the first 8 bytes of both
are kept together for each *span* of 4,096 entries, written once when it is full:
16 MB for 1,000,000 entries, which are searched faster than a page is shown. The
entries after the last full span are looked at themselves.

>>> data = pack([(b"leaf hash" + bytes(23), b"event id" + bytes(8))])
>>> list(places(data, b"event")), list(places(data, b"vent"))
([0], [])
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator

SPAN = 4_096
"""Entries in a span."""

PRINT_LENGTH = 8
"""Bytes kept of a hash or an id."""


def pack(pairs: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Join the beginnings of the (leaf hash, event id) of entries in order."""
    return b"".join([a[:PRINT_LENGTH] + b[:PRINT_LENGTH] for a, b in pairs])


def places(data: bytes, start: bytes) -> Iterator[int]:
    """Find entries in a span, as places from 0.

    Args:
        data: as packed.
        start: of a leaf hash or event id, at most `PRINT_LENGTH` bytes.
    """
    found = data.find(start)
    while found >= 0:
        if found % PRINT_LENGTH == 0:
            yield found // (2 * PRINT_LENGTH)
        found = data.find(start, found + 1)


def starts_so(digits: str, *values: bytes) -> bool:
    """Tell whether one of some values, in hex, starts with given digits."""
    return any(value.hex().startswith(digits) for value in values)


def start_of(digits: str) -> bytes:
    """Give the whole bytes that hex digits begin with, as many as are kept."""
    return bytes.fromhex(digits[: len(digits) // 2 * 2])[:PRINT_LENGTH]
