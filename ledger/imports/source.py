r"""A text file as a stream of lines, and what can be wrong with it as a whole.

Nothing here looks at what a line means. UTF-8 is the one encoding (RFC 3629), with or
without a byte order mark; whatever else a file holds is named as far as its bytes give
it away, with the place where they do. Memory is bounded by `ROW_BYTES_MAX`, whatever
the size of the file.

>>> import pathlib, tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     path = pathlib.Path(folder, "a.csv")
...     _ = path.write_bytes("ID,TITLE\\n1,Måne\\n".encode("latin-1"))
...     with Source(path) as source:
...         print(list(source.lines()))
Traceback (most recent call last):
ledger.errors.InputError: a.csv, line 2, byte 12: 0xe5 is not UTF-8
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from typing import Self

from ledger.errors import InputError
from ledger.imports.sorting import Place

ROW_BYTES_MAX = 131_072
"""More than any row of a catalogue; also what the csv module takes in one field."""

Progress = Callable[[int, int], object]
"""Is told how many bytes of a file were read, of how many."""

_PROGRESS_BYTES = 1024 * 1024
_UTF8_MARK = b"\xef\xbb\xbf"
_HEAD_BYTES = 1024

# What files of other kinds begin with; the longer mark of UTF-32 before that of UTF-16.
_SIGNATURES = (
    (b"PK\x03\x04", "a spreadsheet or zip archive", "export it as CSV"),
    (b"\xd0\xcf\x11\xe0", "a spreadsheet of the old kind", "export it as CSV"),
    (b"\x1f\x8b", "compressed with gzip", "unpack it first"),
    (b"%PDF", "a PDF document", "ask its sender for the table as CSV"),
    (b"PAR1", "a Parquet file", "export it as CSV"),
    (b"SQLite format 3\0", "an SQLite database", "export the table as CSV"),
)
_UNICODE_MARKS = (
    (b"\xff\xfe\x00\x00", "UTF-32LE"),
    (b"\x00\x00\xfe\xff", "UTF-32BE"),
    (b"\xff\xfe", "UTF-16LE"),
    (b"\xfe\xff", "UTF-16BE"),
)


class Source:
    """A file that is being read.

    Attributes:
        path: of the file.
        line: how many lines were read.
        position: how many bytes were read.
        marked: whether it began with the byte order mark of UTF-8.

    Args:
        path: of the file.
        progress: is called at every megabyte, and at the end.

    Raises:
        InputError: ``file-missing``, ``file-is-folder``, ``file-unreadable``,
            ``file-empty``, ``not-text`` or ``bad-encoding``.
    """

    def __init__(self, path: Path, progress: Progress | None = None) -> None:
        self.path = path
        self.line = self.position = 0
        self._progress = progress
        self._file = _open(path)
        try:
            self._status = os.fstat(self._file.fileno())
            self.marked = self._check_head()
        except BaseException:
            self._file.close()
            raise
        self.begin_row()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def name(self) -> str:
        """The file as messages call it."""
        return self.path.name

    @property
    def place(self) -> Place:
        """Where the row at hand stands, as far as it was read."""
        return Place(self._row_line, self._row_start, self.position - self._row_start)

    def begin_row(self) -> None:
        """Say that the next line begins a row."""
        self._row_line = self.line + 1
        self._row_start = self.position

    def lines(self) -> Iterator[str]:
        """Read the lines, each with its end.

        Raises:
            InputError: ``bad-encoding``, ``nul-byte``, ``row-too-long``,
                ``file-changed``.
        """
        readline = self._file.readline
        mark = 0
        while data := readline(ROW_BYTES_MAX + 1):
            if self.position + len(data) - self._row_start > ROW_BYTES_MAX:
                raise self._too_long()
            try:
                text = data.decode()
            except UnicodeDecodeError as error:
                raise self._bad_encoding(data, error.start) from None
            if "\0" in text:
                raise self._nul_byte(data)
            self.line += 1
            self.position += len(data)
            if self.position >= mark:
                mark = self._tell_progress()
            yield text
        self._check_unchanged()
        self._tell_progress()

    def read_at(self, start: int, length: int) -> bytes:
        """Read bytes again, wherever reading stands."""
        return os.pread(self._file.fileno(), length, start)

    def _check_head(self) -> bool:
        """Refuse what is no UTF-8 text at first sight, and skip a byte order mark."""
        head = self.read_at(0, _HEAD_BYTES)
        if not head:
            raise InputError("file-empty", f"{self.name} is empty")
        for signature, kind, hint in _SIGNATURES:
            if head.startswith(signature):
                raise InputError("not-text", f"{self.name} is {kind}", hint=hint)
        encoding = _wide_encoding(head)
        if encoding:
            raise InputError(
                "bad-encoding",
                f"{self.name}, line 1, byte 0: the file is {encoding}, not UTF-8",
                hint=_convert(encoding, self.name),
            )
        marked = head.startswith(_UTF8_MARK)
        if marked:
            self.position = self._file.seek(len(_UTF8_MARK))
        return marked

    def _tell_progress(self) -> int:
        if self._progress is not None:
            self._progress(self.position, self._status.st_size)
        return self.position + _PROGRESS_BYTES

    def _check_unchanged(self) -> None:
        """Refuse a file that was written to while it was read."""
        now = os.fstat(self._file.fileno())
        before = self._status
        if (now.st_size, now.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
            raise InputError(
                "file-changed",
                f"{self.name} was written to while it was read",
                hint="wait until it is complete, then import it again",
            )

    def _bad_encoding(self, data: bytes, start: int) -> InputError:
        where = f"{self.name}, line {self.line + 1}, byte {self.position + start}"
        message = f"{where}: {data[start]:#04x} is not UTF-8"
        try:
            shown = data[start : start + 1].decode("windows-1252")
        except UnicodeDecodeError:
            return InputError("bad-encoding", message, hint="save the file as UTF-8")
        likely = f"it would be {shown!a} in Latin-1 or Windows-1252"
        return InputError(
            "bad-encoding",
            message,
            hint=f"{likely}; if it is: {_convert('WINDOWS-1252', self.name)}",
        )

    def _nul_byte(self, data: bytes) -> InputError:
        byte = self.position + data.index(0)
        return InputError(
            "nul-byte",
            f"{self.name}, line {self.line + 1}, byte {byte}: a zero byte in text",
            hint="the file is damaged or no text: export it anew as UTF-8",
        )

    def _too_long(self) -> InputError:
        return InputError(
            "row-too-long",
            f"{self.name}, line {self._row_line}, byte {self._row_start}: a row of more"
            f" than {ROW_BYTES_MAX} bytes",
            hint="a quote that is never closed, or no table with a row on each line",
        )


def _open(path: Path) -> BinaryIO:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise InputError(
                "file-is-folder" if path.is_dir() else "file-is-special",
                f"{path} is a {'folder' if path.is_dir() else 'pipe or device'}",
                hint="name a file; save a stream to one first",
            )
        return path.open("rb")
    except FileNotFoundError:
        raise InputError(
            "file-missing", f"there is no file {path}", hint="check the path"
        ) from None
    except OSError as error:
        raise InputError(
            "file-unreadable", f"{path} can't be read: {error.strerror}"
        ) from error


def _wide_encoding(head: bytes) -> str:
    """Name UTF-16 and UTF-32, by their mark or by the zeros between Latin letters."""
    for mark, name in _UNICODE_MARKS:
        if head.startswith(mark):
            return name
    even, odd = head[0::2].count(0), head[1::2].count(0)
    most = len(head) // 4
    if max(even, odd) <= most or min(even, odd) > 0:
        return ""
    return "UTF-16BE" if even else "UTF-16LE"


def _convert(encoding: str, name: str) -> str:
    return f"save it as UTF-8, or: iconv -f {encoding} -t UTF-8 {name} > utf8-{name}"
