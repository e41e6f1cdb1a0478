"""Rows are cut into cells as whoever wrote them meant it, or set aside."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InputError
from ledger.imports.sorting import Place
from ledger.imports.source import Source
from ledger.imports.table import Table
from tests.imports.files import refused
from tests.imports.files import write


class Read:
    """A table that was read: names, rows with their lines, and what was rejected."""

    def __init__(
        self, path: Path, *, header: bool = True, ragged: bool = False
    ) -> None:
        self.rows: list[tuple[int, list[str]]] = []
        self.rejected: list[tuple[int, str]] = []
        with Source(path) as source:
            table = Table(source)
            self.names = table.name_columns(header=header)
            for cells in table.rows(self.reject, ragged=ragged):
                self.rows.append((source.place.line, cells))
            self.count = table.row_count

    def reject(self, place: Place, error: InputError) -> None:
        self.rejected.append((place.line, error.code))


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@given(st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1))
def test_what_the_csv_module_writes_is_read_back(rows: list[list[str]]) -> None:
    """Any cells, line ends and quotes among them, come back as they were."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerows([["a", "b", "c"], *rows])
    with TemporaryDirectory() as folder:
        read = Read(write(Path(folder), text.getvalue()))
    assert [cells for _, cells in read.rows] == rows
    assert read.rejected == []


@pytest.mark.parametrize(
    ("content", "row"),
    [
        ("ID,A;B,C\n1,2;2,3\n", ["1", "2;2", "3"]),
        ("ID;A,B;C\n1;2,2;3\n", ["1", "2,2", "3"]),
        ("ID\tA,B\tC\n1\t2,2\t3\n", ["1", "2,2", "3"]),
        ('"ID";"A,B,C,D";C\n1;2;3\n', ["1", "2", "3"]),
        ('ID\tA\tC\n1\t"Heroes" (live)\t3\n', ["1", '"Heroes" (live)', "3"]),
        ('ID\tA\tC\n1\t"Heroes\t3\n', ["1", '"Heroes', "3"]),
        ('"ID"\tA\tC\n1\t"Heroes\t2"\t3\n', ["1", "Heroes\t2", "3"]),
    ],
)
def test_the_first_line_tells_the_form(
    tmp_path: Path, content: str, row: list[str]
) -> None:
    """Delimiter and quotes follow from the header alone."""
    assert Read(write(tmp_path, content)).rows == [(2, row)]


def test_a_single_column_needs_no_delimiter(tmp_path: Path) -> None:
    """Ids may hold commas, and may be quoted."""
    read = Read(write(tmp_path, 'ID\na,b\n"c"\n'))
    assert read.rows == [(2, ["a,b"]), (3, ["c"])]


def test_blank_lines_count_as_lines_only(tmp_path: Path) -> None:
    """Blank lines are no rows, before the header and after it."""
    read = Read(write(tmp_path, "\n\nID,A\n\n1,2\r\n\r\n3,4\n\n"))
    assert read.names == ["ID", "A"]
    assert read.rows == [(5, ["1", "2"]), (7, ["3", "4"])]
    assert read.count == 2


def test_rows_of_another_width_are_set_aside(tmp_path: Path) -> None:
    """A comma inside an unquoted title moves columns: such a row is never read."""
    read = Read(write(tmp_path, "ID,A\n1,2\n3,4,5\n6\n7,8\n"))
    assert read.rows == [(2, ["1", "2"]), (5, ["7", "8"])]
    assert read.rejected == [(3, "row-ragged"), (4, "row-ragged")]
    assert read.count == 4


def test_ragged_rows_may_be_wider_and_not_narrower(tmp_path: Path) -> None:
    """Tags without columns pass where the layout says so; absent columns do not."""
    read = Read(write(tmp_path, "ID\tA\n1\t2\t3\t4\n5\n"), ragged=True)
    assert read.rows == [(2, ["1", "2", "3", "4"])]
    assert read.rejected == [(3, "row-ragged")]


def test_lines_are_counted_inside_quotes(tmp_path: Path) -> None:
    """A row is where it begins, also after cells of several lines."""
    read = Read(write(tmp_path, 'ID,A\n1,"a\nb\n\nc"\n2,b\n'))
    assert read.rows == [(2, ["1", "a\nb\n\nc"]), (6, ["2", "b"])]


def test_broken_quotes_cost_one_row(tmp_path: Path) -> None:
    """The row is set aside, and reading goes on at the next line."""
    read = Read(write(tmp_path, 'ID,A\n1,"a"b\n2,c\n3,"d"e\n4,f\n'))
    assert read.rows == [(3, ["2", "c"]), (5, ["4", "f"])]
    assert read.rejected == [(2, "bad-quotes"), (4, "bad-quotes")]
    assert read.count == 4


def test_an_unclosed_quote_refuses_the_file(tmp_path: Path) -> None:
    """What follows it can't be told from what it holds; the line is named."""
    path = write(tmp_path, 'ID,A\n1,2\n3,"4\n5,6\n')
    assert "line 3" in str(refused("quote-unclosed", lambda: Read(path)))


def test_an_unclosed_quote_in_a_large_file_is_found_early(tmp_path: Path) -> None:
    """No more than one row is held while looking for the closing quote."""
    path = write(tmp_path, 'ID,A\n1,2\n3,"4\n' + "5,6\n" * 100_000)
    error = refused("row-too-long", lambda: Read(path))
    assert "line 3" in str(error)
    assert "quote" in error.hint


def test_line_ends_of_old_macs_are_named(tmp_path: Path) -> None:
    """A file of one endless line says what it is."""
    refused("bad-line-ends", lambda: Read(write(tmp_path, "ID,A\r1,2\r")))


def test_a_carriage_return_inside_a_cell_costs_its_row(tmp_path: Path) -> None:
    """A stray one later on is the matter of its row."""
    read = Read(write(tmp_path, "ID,A\n1,a\rb\n2,c\n"))
    assert read.rejected == [(2, "bad-quotes")]
    assert read.rows == [(3, ["2", "c"])]


def test_blank_lines_alone_are_no_table(tmp_path: Path) -> None:
    """Neither is a byte order mark."""
    refused("no-rows", lambda: Read(write(tmp_path, "\n\r\n  \n")))
    refused("no-rows", lambda: Read(write(tmp_path, "\ufeff")))


def test_columns_without_a_header_have_numbers(tmp_path: Path) -> None:
    """The first row is then a row as any other."""
    read = Read(write(tmp_path, "a,b\nc,d\n"), header=False)
    assert read.names == ["1", "2"]
    assert read.rows == [(1, ["a", "b"]), (2, ["c", "d"])]
    assert read.count == 2
