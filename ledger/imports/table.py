r"""A text file as a table: delimiter, quotes, header and rows.

    delimiter   tab, semicolon or comma: the one that the first line has most of
    quotes      as in RFC 4180; but between tabs they are ordinary characters, unless
                the header has some: a title like "Heroes" is no quoted cell there
    header      the first line that is not blank; a row has as many cells as it has

Tags that follow one another in columns without names make rows *ragged*: wider than
their header. A layout has to say so, because a comma inside an unquoted title looks the
same and moves every column behind it.

>>> import pathlib, tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     path = pathlib.Path(folder, "a.csv")
...     _ = path.write_text('ID;TITLE\n1;"Heroes; live"\n')
...     with Source(path) as source:
...         table = Table(source)
...         print(table.first, list(table.rows(print)))
['ID', 'TITLE'] [['1', 'Heroes; live']]
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from collections.abc import Iterator
from itertools import chain

from ledger.errors import InputError
from ledger.imports.sorting import Place
from ledger.imports.source import Source

REJECTED_COLUMNS = ("linernote_line", "linernote_code", "linernote_reason")
"""Stand before the columns of a file of rejected rows, and are left out on reading."""

_REASONS = len(REJECTED_COLUMNS)
_DELIMITERS = "\t;,"
_QUOTED = re.compile(r'"[^"]*"')

Reject = Callable[[Place, InputError], object]


class Table:
    """The rows of a file.

    Attributes:
        source: the file.
        delimiter: between cells.
        quoted: whether quotes hold a cell together.
        first: cells of the first row, which may be a header.
        header_bytes: the header as it stands.
        row_count: rows read so far, those refused included.

    Args:
        source: the file, not read yet.
        delimiter: "" to find it out.
        quoted: None to find it out.

    Raises:
        InputError: ``no-rows`` if every line is blank; ``bad-line-ends``;
            ``bad-quotes``; a code of ``Source.lines``.
    """

    def __init__(
        self, source: Source, delimiter: str = "", *, quoted: bool | None = None
    ) -> None:
        self.source = source
        self.row_count = 0
        self._first_is_header = True
        lines = source.lines()
        line = self._first_line(lines)
        self.delimiter = delimiter or _likely_delimiter(line)
        self.quoted = _likely_quoted(line, self.delimiter) if quoted is None else quoted
        self._reader = csv.reader(
            chain([line], lines),
            delimiter=self.delimiter,
            quoting=csv.QUOTE_MINIMAL if self.quoted else csv.QUOTE_NONE,
            strict=True,
        )
        self._read_first()

    def name_columns(self, *, header: bool = True) -> list[str]:
        """Name the columns: by the first row, or 1, 2, 3 … if it is no header."""
        self._first_is_header = header or self._skip > 0
        if self._first_is_header:
            return [name.strip() for name in self.first]
        numbers = [str(number) for number in range(1, len(self.first) + 1)]
        self.header_bytes = self.delimiter.join(numbers).encode()
        return numbers

    def rows(self, reject: Reject, *, ragged: bool = False) -> Iterator[list[str]]:
        """Read the rows once; ``source.place`` says where the one at hand stands.

        Args:
            reject: is told of rows that can't be cut into cells.
            ragged: whether rows may be wider than the header.

        Raises:
            InputError: ``quote-unclosed``; a code of ``Source.lines``.
        """
        if not self._first_is_header:
            self.row_count += 1
            yield self.first
        while True:
            self.source.begin_row()
            try:
                yield from self._cut(reject, ragged=ragged)
                return
            except csv.Error as error:
                self.row_count += 1
                reject(self.source.place, self._explain(error))

    def without_reasons(self, row: bytes) -> bytes:
        """Cut the columns of reasons off a row, if this is a file of rejected rows."""
        position = 0
        for _ in range(self._skip):
            position = _end_of_cell(row, position, self.delimiter.encode())
        return row[position:]

    def _cut(self, reject: Reject, *, ragged: bool) -> Iterator[list[str]]:
        begin_row, skip = self.source.begin_row, self._skip
        width = len(self.first) + skip
        for cells in self._reader:
            self.row_count += bool(cells)
            if len(cells) == width or (ragged and len(cells) > width):
                yield cells[skip:] if skip else cells
            elif cells:
                reject(self.source.place, _ragged(len(cells) - skip, width - skip))
            begin_row()

    def _first_line(self, lines: Iterator[str]) -> str:
        for line in lines:
            if line.strip():
                break
            self.source.begin_row()
        else:
            raise InputError("no-rows", f"{self.source.name} has blank lines only")
        if "\r" in line.rstrip("\r\n"):
            raise InputError(
                "bad-line-ends",
                f"{self.source.name}, line {self.source.line}: lines end in CR alone",
                hint="save it with line ends of Unix (LF) or Windows (CRLF)",
            )
        return line

    def _read_first(self) -> None:
        try:
            cells = next(self._reader)
        except csv.Error as error:
            raise self._explain(error) from None
        place = self.source.place
        header = self.source.read_at(place.start, place.length)
        self._skip = _REASONS if tuple(cells[:_REASONS]) == REJECTED_COLUMNS else 0
        self.first = cells[self._skip :]
        self.header_bytes = self.without_reasons(header)

    def _explain(self, error: csv.Error) -> InputError:
        """Say what the csv module has against a row."""
        where = f"{self.source.name}, line {self.source.place.line}"
        if "end of data" in str(error):
            # What follows the quote can't be told from what it holds.
            raise InputError(
                "quote-unclosed",
                f"{where}: a quote is opened and never closed",
                hint='close it, or double it where it is meant: ""',
            ) from None
        return InputError(
            "bad-quotes",
            f"the row can't be cut into cells: {_in_words(error)}",
            hint='a quote inside a quoted cell is doubled: ""',
        )


def _in_words(error: csv.Error) -> str:
    if "expected after" in str(error):
        return "a quoted cell goes on after its closing quote"
    if "new-line character" in str(error):
        return "a carriage return inside a cell without quotes"
    return str(error)


def _likely_delimiter(line: str) -> str:
    bare = _QUOTED.sub("", line)
    return max(_DELIMITERS, key=bare.count)


def _likely_quoted(line: str, delimiter: str) -> bool:
    return '"' in line or delimiter != "\t" or delimiter not in line


def _ragged(cells: int, width: int) -> InputError:
    return InputError(
        "row-ragged",
        f"{cells} cells, where the header has {width}",
        hint="quote a cell that holds the delimiter; leave absent cells empty",
    )


def _end_of_cell(row: bytes, position: int, delimiter: bytes) -> int:
    """Find where the next cell begins, in a row that this program wrote."""
    if row[position : position + 1] == b'"':
        closing = row.find(b'"', position + 1)
        while row[closing + 1 : closing + 2] == b'"':
            closing = row.find(b'"', closing + 2)
        position = closing + 1
    return row.find(delimiter, position) + 1
