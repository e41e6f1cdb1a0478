"""Small files, and what is said of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.errors import InputError


def write(folder: Path, content: str | bytes, name: str = "table.csv") -> Path:
    """Write a file as it is given, line ends included."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refused(code: str, act: Callable[[], object]) -> InputError:
    """Give the error that an action raises, after checking its code."""
    with pytest.raises(InputError) as raised:
        act()
    assert raised.value.code == code, str(raised.value)
    return raised.value


def party_of(external: str) -> bytes:
    """Give an id that anyone can work out again."""
    return hashlib.sha256(external.encode()).digest()[:16]
