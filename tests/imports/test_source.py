"""What is wrong with a file as a whole is named, with the place where it shows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ledger.imports.source import ROW_BYTES_MAX
from ledger.imports.source import Source
from tests.imports.files import refused
from tests.imports.files import write


def read(path: Path) -> list[str]:
    lines = []
    with Source(path) as source:
        for line in source.lines():
            lines.append(line)
            source.begin_row()
    return lines


def test_lines_come_with_their_ends(tmp_path: Path) -> None:
    """Both kinds of line ends, none at the end, and any letters pass as they are."""
    path = write(tmp_path, "a\r\nMåne\u2028\x0b\n\nlast")
    assert read(path) == ["a\r\n", "Måne\u2028\x0b\n", "\n", "last"]


def test_a_byte_order_mark_of_utf8_is_left_out(tmp_path: Path) -> None:
    """Spreadsheets write one; it is no part of the first name."""
    path = write(tmp_path, "\ufeffID\n1\n")
    with Source(path) as source:
        assert source.marked
        assert list(source.lines()) == ["ID\n", "1\n"]


def test_places_count_bytes_and_lines(tmp_path: Path) -> None:
    """A row of two lines after a mark is found again by its place."""
    path = write(tmp_path, '\ufeffID\n"é\né"\nlast\n')
    with Source(path) as source:
        lines = source.lines()
        next(lines)
        source.begin_row()
        next(lines)
        next(lines)
        place = source.place
        assert (place.line, place.start) == (2, 6)
        assert source.read_at(place.start, place.length) == '"é\né"\n'.encode()


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"", "file-empty", "is empty"),
        (b"PK\x03\x04....", "not-text", "spreadsheet or zip"),
        (b"\xd0\xcf\x11\xe0....", "not-text", "spreadsheet of the old kind"),
        (b"\x1f\x8b\x08....", "not-text", "gzip"),
        (b"%PDF-1.7", "not-text", "PDF"),
        ("ID\n1\n".encode("utf-16"), "bad-encoding", "UTF-16LE, not UTF-8"),
        ("\ufeffID\n1\n".encode("utf-16-be"), "bad-encoding", "UTF-16BE"),
        ("ID\n1\n".encode("utf-16-le"), "bad-encoding", "UTF-16LE"),
        ("ID\n1\n".encode("utf-16-be"), "bad-encoding", "UTF-16BE"),
        ("ID\n1\n".encode("utf-32"), "bad-encoding", "UTF-32LE"),
        (b"ID\n1\nM\xe5ne\n", "bad-encoding", "line 3, byte 6: 0xe5"),
        (b"ID\nok \xc3\xa5\n\xf0\x9f\n", "bad-encoding", "line 3, byte 9: 0xf0"),
        (b"\xef\xbb\xbfID\n\xff\n", "bad-encoding", "line 2, byte 6: 0xff"),
        (b"ID\n\x81\n", "bad-encoding", "line 2, byte 3: 0x81"),
        (b"ID\n1\n22\x00\n", "nul-byte", "line 3, byte 7"),
        (b"ID\n" + b"a" * ROW_BYTES_MAX + b"\n", "row-too-long", "line 2, byte 3"),
    ],
)
def test_a_bad_file_is_named_with_its_place(
    tmp_path: Path, content: bytes, code: str, said: str
) -> None:
    """Each kind of file that is no UTF-8 text has its code, and says where."""
    path = write(tmp_path, content)
    assert said in str(refused(code, lambda: read(path)))


def test_the_hint_converts_latin_1(tmp_path: Path) -> None:
    """Who has a file in Latin-1 is told the letter, and the command that converts."""
    error = refused("bad-encoding", lambda: read(write(tmp_path, b"M\xe5ne\n")))
    assert r"'\xe5'" in error.hint
    assert "iconv -f WINDOWS-1252 -t UTF-8 table.csv" in error.hint


def test_the_longest_row_passes(tmp_path: Path) -> None:
    """The bound is on the row with its end, and one byte less is no error."""
    line = "a" * (ROW_BYTES_MAX - 1) + "\n"
    assert read(write(tmp_path, line * 2)) == [line, line]


def test_lines_of_one_row_count_together(tmp_path: Path) -> None:
    """A row that never ends is noticed, however short its lines."""
    path = write(tmp_path, "short\n" * ROW_BYTES_MAX)
    with Source(path) as source:
        refused("row-too-long", lambda: list(source.lines()))
        assert source.line < ROW_BYTES_MAX // 6 + 1


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    """A missing path, a folder, a pipe, and a name that no file can have."""
    refused("file-missing", lambda: Source(tmp_path / "missing.csv"))
    refused("file-is-folder", lambda: Source(tmp_path))
    refused("file-unreadable", lambda: Source(tmp_path / ("x" * 300)))
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    refused("file-is-special", lambda: Source(pipe))


def test_a_file_that_grows_is_refused(tmp_path: Path) -> None:
    """An export still being written must not be taken for a whole catalogue."""
    path = write(tmp_path, "ID\n1\n")
    with Source(path) as source:
        lines = source.lines()
        next(lines)
        with path.open("a") as file:
            file.write("2\n")
        refused("file-changed", lambda: list(lines))


def test_progress_tells_bytes_to_the_end(tmp_path: Path) -> None:
    """Progress ascends, names the size, and ends with it."""
    path = write(tmp_path, "0123456789\n" * 300_000)
    told: list[tuple[int, int]] = []
    with Source(path, lambda read, size: told.append((read, size))) as source:
        for _ in source.lines():
            source.begin_row()
    assert told == sorted(told)
    assert 4 <= len(told) <= 6
    assert told[-1] == (3_300_000, 3_300_000)
