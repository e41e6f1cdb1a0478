"""What a hostile log may do to its files, and what a reader then has to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.errors import VerificationError
from ledger.reader import Reader
from tests.reader.shelf import VKEY
from tests.reader.shelf import Shelf

Change = Callable[[bytes], bytes]


def flip(data: bytes) -> bytes:
    """Alter one bit in the middle."""
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


CHANGES: dict[str, Change] = {
    "first bit": lambda data: bytes([data[0] ^ 0x80]) + data[1:],
    "middle bit": flip,
    "last bit": lambda data: data[:-1] + bytes([data[-1] ^ 1]),
    "empty": lambda _: b"",
    "a byte short": lambda data: data[:-1],
    "a hash short": lambda data: data[:-32],
    "a byte more": lambda data: data + b"\0",
    "a hash more": lambda data: data + bytes(32),
    "twice": lambda data: data * 2,
    "zeros": lambda data: bytes(len(data)),
    "a page": lambda _: b"<!doctype html>",
}


def refused(act: Callable[[Reader], object], shelf: Shelf, cache: Path | None) -> str:
    """Read with a fresh reader, which has to refuse; give the code."""
    with Reader(shelf, [VKEY], cache) as reader:
        with pytest.raises(VerificationError) as caught:
            act(reader)
        return caught.value.code


def kept(cache: Path) -> dict[str, bytes]:
    """Everything that a cache holds, by the path in the log."""
    return {
        "/".join(path.relative_to(cache).parts[1:]): path.read_bytes()
        for path in cache.rglob("*")
        if path.is_file() and path.name != "lock"
    }
