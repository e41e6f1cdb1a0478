"""Mutations of encoded values: the ways in which a second form could come about."""

from __future__ import annotations

import random

# Bytes that begin something in MessagePack, which blind flips would seldom hit.
_MARKERS = bytes(range(0x80, 0xE0)) + b"\x00\x01\x7f\xe0\xff"
_WIDER = [b"\xcc", b"\xcd\x00", b"\xce\x00\x00\x00", b"\xd9", b"\xda\x00", b"\xc5\x00"]


def mutate(data: bytes, source: random.Random) -> bytes:
    """Change some bytes in one or two of several ways."""
    for _ in range(source.choice((1, 1, 1, 2))):
        data = source.choice((_flip, _mark, _cut, _insert, _double, _swap))(
            data, source
        )
    return data


def _flip(data: bytes, source: random.Random) -> bytes:
    at = source.randrange(len(data)) if data else 0
    return data[:at] + bytes([data[at] ^ 1 << source.randrange(8)]) + data[at + 1 :]


def _mark(data: bytes, source: random.Random) -> bytes:
    at = source.randrange(len(data))
    return data[:at] + bytes([source.choice(_MARKERS)]) + data[at + 1 :]


def _cut(data: bytes, source: random.Random) -> bytes:
    start = source.randrange(len(data))
    return data[:start] + data[start + source.randrange(4) :] or b"\x80"


def _insert(data: bytes, source: random.Random) -> bytes:
    at = source.randrange(len(data) + 1)
    return data[:at] + source.choice(_WIDER) + data[at:]


def _double(data: bytes, source: random.Random) -> bytes:
    start, length = source.randrange(len(data)), source.randrange(1, 12)
    part = data[start : start + length]
    return data[:start] + part + data[start:]


def _swap(data: bytes, source: random.Random) -> bytes:
    one, two = sorted(source.randrange(len(data) + 1) for _ in range(2))
    length = source.randrange(1, 8)
    return (
        data[:one]
        + data[two : two + length]
        + data[one + length : two]
        + data[one : one + length]
        + data[two + length :]
    ) or b"\x80"
