"""Rows set aside come back in a file that can be corrected and imported."""

from __future__ import annotations

import csv
import shutil
from functools import partial
from pathlib import Path

import pytest

from ledger.errors import InputError
from ledger.imports import DatasetLayout
from ledger.imports import Form
from ledger.imports import HolderColumn
from ledger.imports import Layout
from ledger.imports import read_catalogue
from ledger.imports import read_dataset
from tests.imports.files import party_of
from tests.imports.files import refused
from tests.imports.files import write

LAYOUT = Layout(
    id="ID", namespace="x", isrc="ISRC", holders=(HolderColumn("WHO"),),
    holders_namespace="p",
)  # fmt: skip

read = partial(read_catalogue, party_of=party_of)


def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    """Byte by byte, behind three columns, under the header that they had."""
    path = write(
        tmp_path,
        "ID;TITLE;ISRC;WHO\r\n"
        '1;"Heroes; ""live""";CPDEM26;ada\r\n'
        "2;Måne;;ada\r\n"
        '3;"two\r\nlines";;\r\n'
        "4;last;bad;ada",
    )
    aside = tmp_path / "rejected.csv"
    catalogue = read(path, LAYOUT, reject_to=aside, skip_bad=True)
    assert catalogue.counts.recordings == 1
    text = aside.read_bytes().decode()
    start = "linernote_line;linernote_code;linernote_reason;ID;TITLE;ISRC;WHO\r\n"
    assert text.startswith(f"{start}2;bad-isrc;")
    assert ';1;"Heroes; ""live""";CPDEM26;ada\r\n4;holder-missing;' in text
    assert ';3;"two\r\nlines";;\r\n6;bad-isrc;' in text
    assert text.endswith(";4;last;bad;ada\n")
    with aside.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    assert [row["linernote_line"] for row in rows] == ["2", "4", "6"]
    assert rows[0]["linernote_reason"].startswith("column ISRC: 'CPDEM26' is not an")
    assert "holder" in rows[1]["linernote_reason"]


def test_corrected_rows_are_imported_as_they_are(tmp_path: Path) -> None:
    """What is wrong again comes back again, with its line in the new file."""
    path = write(tmp_path, "ID,ISRC,WHO\n1,x,ada\n2,,ada\n3,y,ada\n")
    aside, again = tmp_path / "rejected.csv", tmp_path / "again.csv"
    read(path, LAYOUT, reject_to=aside, skip_bad=True)
    aside.write_text(aside.read_text().replace(",1,x,", ",1,CPDEM2600001,"))
    catalogue = read(aside, LAYOUT, reject_to=again, skip_bad=True)
    (line,) = catalogue.recordings()
    assert (line.external, line.isrc) == ("x:1", "CPDEM2600001")
    assert [row.split(",")[0] for row in again.read_text().splitlines()[1:]] == ["3"]
    assert again.read_text().endswith(",3,y,ada\n")
    again.write_text(again.read_text().replace(",3,y,", ",3,,"))
    assert read(again, LAYOUT).counts.recordings == 1


@pytest.mark.parametrize("row", ['2,"a"b,ada\n', '2,a"b,ada\n'])
def test_quotes_in_a_reason_are_left_out_with_it(tmp_path: Path, row: str) -> None:
    """A row comes back whole, as often as it takes, whatever its reason quotes."""
    path = write(tmp_path, f"\n\nID,ISRC,WHO\n1,,ada\n{row}")
    aside, again = tmp_path / "rejected.csv", tmp_path / "again.csv"
    read(path, LAYOUT, reject_to=aside, skip_bad=True)
    header, rejected = aside.read_text().splitlines(keepends=True)
    assert header == "linernote_line,linernote_code,linernote_reason,ID,ISRC,WHO\n"
    assert '""' in rejected.removesuffix(row)
    refused("rows-refused", lambda: read(aside, LAYOUT, reject_to=again))
    _, rejected_again = again.read_text().splitlines(keepends=True)
    assert rejected_again.partition(",")[2] == rejected.partition(",")[2]
    assert rejected_again.endswith(f'",{row}')


def test_ragged_rows_between_tabs(tmp_path: Path) -> None:
    """The Jamendo layout keeps its tags, and is recognised in the new file."""
    header = "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS\r\n"
    rows = "t 1\ta1\tb1\tp\t1.0\tx\ty\r\nt2\ta1\tb1\tp\t2.0\tx\r\n"
    path = write(tmp_path, header + rows, "catalogue.tsv")
    aside = tmp_path / "rejected.tsv"
    read(path, reject_to=aside, skip_bad=True)
    first, second = aside.read_bytes().decode().splitlines(keepends=True)
    assert first == f"linernote_line\tlinernote_code\tlinernote_reason\t{header}"
    assert second.split("\t")[:2] == ["2", "bad-external"]
    assert second.endswith("\tt 1\ta1\tb1\tp\t1.0\tx\ty\r\n")
    aside.write_bytes(aside.read_bytes().replace(b"\tt 1\t", b"\tt1\t"))
    (line,) = read(aside).recordings()
    assert (line.external, line.ms) == ("jamendo:t1", 1_000)


def test_a_delimiter_in_a_reason_moves_no_column(tmp_path: Path) -> None:
    """Reasons hold commas; where no quotes hold them together, they have none."""
    layout = Layout(id="ID", form=Form(",", quoted=False))
    path = write(tmp_path, "ID,X\nbad,1\na:1,1\n")
    aside = tmp_path / "rejected.txt"
    read(path, layout, reject_to=aside, skip_bad=True)
    line, code, reason, *row = aside.read_text().splitlines()[1].split(",")
    assert (line, code, row) == ("2", "bad-external", ["bad", "1"])
    assert "namespace:id  the id in 1 to 96" in reason


@pytest.mark.parametrize("header", [True, False])
def test_lists_without_a_header_get_one(tmp_path: Path, header: bool) -> None:  # noqa: FBT001
    """Numbers name their columns, so that the new file says what it is."""
    start = "external\n" if header else ""
    path = write(tmp_path, f"{start}a:1\na:1\na 2\n", "list.txt")
    aside, again = tmp_path / "rejected.txt", tmp_path / "again.txt"
    layout = None if header else DatasetLayout("1", header=False)
    dataset = read_dataset(path, layout, reject_to=aside, skip_bad=True)
    assert dataset.count == 1
    named = "external" if header else "1"
    assert aside.read_text().splitlines()[0].endswith(f"linernote_reason\t{named}")
    aside.write_text(aside.read_text().replace("\ta 2\n", "\ta:2\n"))
    assert [e.external for e in read_dataset(aside).lines()] == ["a:1", "a:2"]
    if not header:
        assert read_dataset(aside, layout, reject_to=again).count == 2


def test_no_bad_row_makes_no_file(tmp_path: Path) -> None:
    """A file of rejected rows is a sign that there are some."""
    path = write(tmp_path, "ID,ISRC,WHO\n1,,ada\n")
    read(path, LAYOUT, reject_to=tmp_path / "rejected.csv")
    assert not (tmp_path / "rejected.csv").exists()


def test_a_refused_import_leaves_the_rows_too(tmp_path: Path) -> None:
    """Refusing and explaining go together; the message says where."""
    path = write(tmp_path, "ID,ISRC,WHO\n1,x,ada\n2,,ada\n")
    aside = tmp_path / "rejected.csv"
    error = refused("rows-refused", lambda: read(path, LAYOUT, reject_to=aside))
    assert str(aside) in error.hint
    assert aside.read_text().endswith(",1,x,ada\n")


def test_nothing_is_written_over(tmp_path: Path) -> None:
    """Neither the table itself, nor rows that somebody corrected, nor a link to it."""
    path = write(tmp_path, "ID,ISRC,WHO\n1,x,ada\n2,,ada\n")
    before = path.read_bytes()
    link = tmp_path / "link.csv"
    link.symlink_to(tmp_path / "nowhere.csv")
    for aside in (path, link):
        refused(
            "rejects-file-exists",
            lambda: read(path, LAYOUT, reject_to=aside, skip_bad=True),  # noqa: B023
        )
    assert path.read_bytes() == before


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The rows would be lost: the import stops and says so."""
    path = write(tmp_path, "ID,ISRC,WHO\n1,x,ada\n2,,ada\n")
    aside = tmp_path / "missing" / "rejected.csv"
    refused(
        "rejects-file-unwritable",
        lambda: read(path, LAYOUT, reject_to=aside, skip_bad=True),
    )


def test_more_bad_rows_than_memory_holds(tmp_path: Path) -> None:
    """All rows come back in their order, also those found late to be doubles."""
    rows = [f"{n % 4_000},,{'ada' if n % 2 else ''}\n" for n in range(6_000)]
    path = write(tmp_path, "ID,ISRC,WHO\n" + "".join(rows))
    aside = tmp_path / "rejected.csv"
    catalogue = read(path, LAYOUT, reject_to=aside, skip_bad=True, memory_max=9_999)
    assert catalogue.rejected.by_code == {"holder-missing": 3_000, "id-doubled": 1_000}
    lines = [int(row.split(",")[0]) for row in aside.read_text().splitlines()[1:]]
    assert lines == sorted(lines)
    assert len(set(lines)) == 4_000
    assert sum(1 for _ in catalogue.rejected) == 4_000


def test_rows_of_a_spreadsheet_program_come_back(tmp_path: Path) -> None:
    """Saved again with other quotes, the three columns are still left out."""
    path = write(tmp_path, "ID,ISRC,WHO\n1,x,ada\n")
    aside = tmp_path / "rejected.csv"
    refused("rows-refused", lambda: read(path, LAYOUT, reject_to=aside))
    with aside.open(newline="") as file:
        rows = list(csv.reader(file))
    with aside.open("w", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows(rows)
    again = tmp_path / "again.csv"
    refused("rows-refused", lambda: read(aside, LAYOUT, reject_to=again))
    assert again.read_text().splitlines()[1].endswith('"1","x","ada"')
    shutil.copy(again, aside)
    error = refused("rows-refused", lambda: read(aside, LAYOUT))
    assert isinstance(error, InputError)
    assert "bad-isrc" in str(error)
