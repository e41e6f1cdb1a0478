"""Where a log is read from: a folder, or a prefix of URLs (C2SP tlog-tiles).

A source gives bytes for paths such as ``checkpoint`` and ``tile/0/x001/067``, and
vouches for none of them. It bounds what others could make of a read: no body is
longer than asked for, packed or unpacked, none takes longer than a minute, and no
answer leads to another host.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     _ = Path(folder, "checkpoint").write_bytes(b"a.example")
...     open_source(folder).get("checkpoint", 100)
b'a.example'
>>> open_source("ftp://a.example/log")
Traceback (most recent call last):
ledger.errors.InputError: 'ftp://a.example/log' is no http or https URL
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from ledger.errors import InputError
from ledger.errors import UnverifiableError
from ledger.errors import VerificationError
from ledger.reader.network import HttpSource
from ledger.tlog.text import excerpt

# A pipe is opened without waiting for who writes to it.
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


class Source(Protocol):
    """Gives the files of a log; may be asked by several threads at once."""

    def get(self, path: str, bytes_max: int) -> bytes:
        """Read one file.

        Args:
            path: relative to the log's prefix.
            bytes_max: no honest file of that path is longer.

        Raises:
            UnverifiableError: ``not-found``, ``no-network``, ``bad-certificate`` or
                ``unreadable``.
            VerificationError: ``body-too-long``.
        """


class FolderSource:
    """The files of a log in a folder, such as ``public/`` of a log home.

    Args:
        folder: that holds ``checkpoint`` and ``tile/``.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __str__(self) -> str:
        return str(self._folder)

    def get(self, path: str, bytes_max: int) -> bytes:
        """Read one file; as `Source.get`."""
        place = self._folder / path
        try:
            data = _read_file(place, bytes_max + 1)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise UnverifiableError(
                "not-found",
                f"{place} is not there",
                hint="name the folder that holds checkpoint and tile/",
            ) from None
        except OSError as error:
            raise UnverifiableError(
                "unreadable", f"{place}: {error.strerror}"
            ) from error
        if len(data) > bytes_max:
            raise VerificationError(
                "body-too-long", f"{place} is longer than {bytes_max:,} bytes"
            )
        return data


def _read_file(path: Path, length: int) -> bytes:
    with os.fdopen(os.open(path, _FLAGS), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise IsADirectoryError
        return file.read(length)


def open_source(place: str) -> Source:
    """Open a folder, or a URL, which is what contains ``://``.

    Raises:
        InputError: ``bad-url`` if it is a URL that cannot be read.
    """
    if "://" not in place:
        return FolderSource(Path(place))
    try:
        parts = urlsplit(place)
        plain = parts.port != 0 and not (parts.query or parts.fragment)
    except ValueError:
        plain = False
    # What urlsplit drops or forgives would be asked for under another name.
    if not plain or not place.isascii() or not place.isprintable() or " " in place:
        raise _bad_url(place, "is no URL of a log")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise _bad_url(place, "is no http or https URL")
    if "@" in parts.netloc:
        raise _bad_url(place, "holds a password; a log is read without")
    return HttpSource(place)


def _bad_url(place: str, message: str) -> InputError:
    return InputError(
        "bad-url",
        f"{excerpt(place)} {message}",
        hint="give a folder, or a prefix such as https://example.com/log",
    )
