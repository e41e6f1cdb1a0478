"""What an import has to say of single rows: those set aside, and those mended.

A row that can't be imported is set aside with its line, a stable code, the column and
the reason. Those rows go to a file of their own: the columns that they had, after three
that say what is wrong. Such a file can be corrected and imported as it is, since the
three columns are left out again when it is read. Rows are copied byte by byte.

    linernote_line,linernote_code,linernote_reason,ID,ISRC
    17,bad-isrc,"column ISRC: 'XX' is not an ISRC: …",track_17,XX

One row set aside refuses the whole import unless the caller said to go on without it,
so that nothing is half done.

>>> rejected = Rejected()
>>> error = InputError("bad-isrc", "'XX' is not an ISRC")
>>> rejected.add(Place(7, 300, 12), error, "ISRC")
>>> [str(rejection) for rejection in rejected]
["line 7, column ISRC: 'XX' is not an ISRC"]
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import msgspec

from ledger.errors import InputError
from ledger.imports.sorting import Place
from ledger.imports.sorting import Sorter
from ledger.imports.sorting import pack
from ledger.imports.sorting import unpack
from ledger.imports.source import Source
from ledger.imports.table import REJECTED_COLUMNS
from ledger.imports.table import Table

_SHOWN = 5


class Rejection(msgspec.Struct, frozen=True, array_like=True):
    """A row that was set aside.

    Attributes:
        line: its first line in the file, from 1.
        start: bytes before it.
        length: its bytes.
        code: stable kebab-case identifier.
        column: name of the column that is to blame, or "".
        reason: what is wrong with it.
        hint: what to do about it.
    """

    line: int
    start: int
    length: int
    code: str
    column: str
    reason: str
    hint: str

    def __str__(self) -> str:
        where = f", column {self.column}" if self.column else ""
        return f"line {self.line}{where}: {self.reason}"

    @property
    def explanation(self) -> str:
        """Column, reason and hint in one sentence, without line ends."""
        where = f"column {self.column}: " if self.column else ""
        what_to_do = f"; {self.hint}" if self.hint else ""
        return " ".join(f"{where}{self.reason}{what_to_do}".split())


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Rejection).decode


class Rejected:
    """The rows set aside, in the order of their lines; readable again and again.

    Attributes:
        by_code: how many for each code.
    """

    def __init__(self) -> None:
        self.by_code: Counter[str] = Counter()
        self._sorter = Sorter()

    def __len__(self) -> int:
        return len(self._sorter)

    def __iter__(self) -> Iterator[Rejection]:
        return (_decode(unpack(item)[2]) for item in self._sorter)

    def add(self, place: Place, error: InputError, column: str = "") -> None:
        """Set a row aside."""
        self.by_code[error.code] += 1
        rejection = Rejection(
            place.line,
            place.start,
            place.length,
            error.code,
            column,
            error.message,
            error.hint,
        )
        self._sorter.add(pack(place.line.to_bytes(8), place, _encode(rejection)))


class Note(msgspec.Struct, frozen=True):
    """Something that was mended, or that is odd: where first, and how often."""

    code: str
    line: int
    reason: str
    count: int


class Notes:
    """Collects notes while a file is read."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._first: dict[str, tuple[int, str]] = {}
        self._counts: Counter[str] = Counter()
        if source.marked:
            self.add("byte-order-mark", "a byte order mark of UTF-8 was left out")

    def add(self, code: str, reason: str) -> None:
        """Note something about the row at hand."""
        self._first.setdefault(code, (self._source.place.line, reason))
        self._counts[code] += 1

    def all(self) -> tuple[Note, ...]:
        """Give one note for each code, in the order of first lines."""
        return tuple(
            Note(code, line, reason, self._counts[code])
            for code, (line, reason) in self._first.items()
        )


def check_free(path: Path | None) -> None:
    """Refuse to write rejected rows over a file that is there.

    It may be the table itself, or rows that somebody has spent an afternoon on.

    Raises:
        InputError: ``rejects-file-exists``.
    """
    if path is not None and (path.exists() or path.is_symlink()):
        raise InputError(
            "rejects-file-exists",
            f"{path} exists, and rejected rows would replace it",
            hint="move it away, or name another file for them",
        )


def write_rejected(table: Table, rejected: Rejected, path: Path | None) -> None:
    """Write the rows set aside to their own file; none is made for none.

    Raises:
        InputError: ``rejects-file-unwritable``; also if a file is there by now.
    """
    if path is None or not len(rejected):
        return
    try:
        with path.open("xb") as file:
            _write_rows(file, table, rejected)
    except OSError as error:
        raise InputError(
            "rejects-file-unwritable",
            f"rejected rows can't be written to {path}: {error.strerror}",
            hint="name a file in a folder that you may write to",
        ) from error


def refuse_rejected(
    name: str, rejected: Rejected, path: Path | None, *, rows: int, skip_bad: bool
) -> None:
    """Refuse an import with rows set aside, unless going on was asked for.

    Args:
        name: of the file.
        rejected: its rows set aside.
        path: where they are, if anywhere.
        rows: how many the file has, those set aside included.
        skip_bad: go on without them.

    Raises:
        InputError: ``no-rows`` if there are none at all; ``rows-refused`` if some were
            set aside and `skip_bad` is not set, or if nothing else is left.
    """
    if rows == 0:
        raise InputError(
            "no-rows",
            f"{name} has no rows",
            hint="check that the export was complete",
        )
    if len(rejected) == 0 or (skip_bad and len(rejected) < rows):
        return
    shown = [f"{each} [{each.code}]" for each in islice(rejected, _SHOWN)]
    more = len(rejected) - len(shown)
    shown += [f"and {more:,} more"] if more else []
    where = f"they are in {path}, with reasons: " if path else ""
    hints = {each.hint: None for each in islice(rejected, _SHOWN) if each.hint}
    raise InputError(
        "rows-refused",
        f"{name}: {len(rejected):,} of {rows:,} rows can't be imported: "
        + "; ".join(shown),
        hint=f"{where}{'; '.join(hints) or 'correct them'}; or go on without them",
    )


def _write_rows(file: BinaryIO, table: Table, rejected: Rejected) -> None:
    file.write(_joined(table, REJECTED_COLUMNS))
    file.write(_ended(table.header_bytes))
    for each in rejected:
        told = (str(each.line), each.code, each.explanation)
        row = table.without_reasons(table.source.read_at(each.start, each.length))
        file.write(_joined(table, told) + _ended(row))


def _joined(table: Table, cells: Sequence[str]) -> bytes:
    """Format cells that others follow."""
    if not table.quoted:
        plain = (cell.replace(table.delimiter, " ") for cell in cells)
        return table.delimiter.join((*plain, "")).encode()
    line = io.StringIO()
    csv.writer(line, delimiter=table.delimiter, lineterminator="").writerow(
        (*cells, "")
    )
    return line.getvalue().encode()


def _ended(row: bytes) -> bytes:
    return row if row.endswith((b"\n", b"\r")) else row + b"\n"
