"""A catalogue becomes sorted, valid lines for three manifests, or is refused."""

from __future__ import annotations

import random
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from ledger.errors import InvariantError
from ledger.events.types import UNKNOWN_PARTY
from ledger.events.types import UNSET
from ledger.imports import HolderColumn
from ledger.imports import Layout
from ledger.imports import PartyBook
from ledger.imports import read_catalogue
from tests.imports.files import party_of
from tests.imports.files import refused
from tests.imports.files import write
from tests.imports.label import LABEL
from tests.imports.label import check_manifests
from tests.imports.label import label

JAMENDO_HEADER = "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS\r\n"
read = partial(read_catalogue, party_of=party_of)


def jamendo(tmp_path: Path, *rows: str) -> Path:
    text = JAMENDO_HEADER + "".join(f"{row}\r\n" for row in rows)
    return write(tmp_path, text, "catalogue.tsv")


def test_the_jamendo_layout_is_recognised(tmp_path: Path) -> None:
    """CRLF, tags in columns of their own, tenths of a second, whole master side."""
    path = jamendo(
        tmp_path,
        "track_0002165\tartist_000326\talbum_000347\t65/2165.mp3\t229.0\tcalm\tfilm",
        "track_0000948\tartist_000087\talbum_000149\t48/948.mp3\t212.7\tcalm",
        "track_0000950\tartist_000087\talbum_000149\t50/950.mp3\t248.0\ta\tb\tc\td",
    )
    catalogue = read(path)
    assert [(each.external, each.ms, each.isrc) for each in catalogue.recordings()] == [
        ("jamendo:track_0000948", 212_700, UNSET),
        ("jamendo:track_0000950", 248_000, UNSET),
        ("jamendo:track_0002165", 229_000, UNSET),
    ]
    artists = {"jamendo:artist_000087", "jamendo:artist_000326"}
    assert {each.external for each in catalogue.parties()} == artists
    shares = list(catalogue.shares())
    assert [each.party for each in shares] == [
        party_of("jamendo:artist_000087"),
        party_of("jamendo:artist_000087"),
        party_of("jamendo:artist_000326"),
    ]
    assert {(e.side, e.place, e.ppm, e.role) for e in shares} == {
        ("master", 0, 1_000_000, "artist")
    }
    assert catalogue.counts == (3, 3, 2, 3)
    check_manifests(catalogue)


def test_five_columns_are_too_few_for_jamendo(tmp_path: Path) -> None:
    """Ragged means wider, never narrower."""
    path = jamendo(tmp_path, "track_1\tartist_1\talbum_1\tx.mp3\t212.7")
    assert "row-ragged" in str(refused("rows-refused", lambda: read(path)))


def test_columns_by_name(tmp_path: Path) -> None:
    """Titles stay behind; absent values are absent; works and holders have theirs."""
    path = label(
        tmp_path,
        '2,"Heroes, live",cp-dem-26-00002,3.5,iswc:T2=400000 iswc:T1=600000,ada',
        "1,Silence,,,,unknown",
    )
    catalogue = read(path, LABEL)
    first, second = catalogue.recordings()
    assert (first.external, first.isrc, first.ms, first.works) == (
        "label:1",
        UNSET,
        UNSET,
        UNSET,
    )
    assert (second.isrc, second.ms) == ("CPDEM2600002", 3_500)
    assert second.works == [("iswc:T2", 400_000), ("iswc:T1", 600_000)]
    parties = [share.party for share in catalogue.shares()]
    assert parties == [UNKNOWN_PARTY, party_of("people:ada")]
    assert [party.external for party in catalogue.parties()] == ["people:ada"]
    assert [note.code for note in catalogue.notes] == ["isrc-normalised"]
    check_manifests(catalogue)


def test_our_own_names_need_no_layout(tmp_path: Path) -> None:
    """A file with the fields' names is read as it is."""
    path = write(
        tmp_path, "isrc;external;NOTE;works;ms\nCPDEM2600001;a:1;x;b:1;212700\n"
    )
    (line,) = read(path).recordings()
    assert (line.external, line.isrc, line.ms) == ("a:1", "CPDEM2600001", 212_700)
    assert line.works == [("b:1", 1_000_000)]
    assert read(path).counts == (1, 1, 0, 0)


def test_an_isrc_can_be_the_id(tmp_path: Path) -> None:
    """Without a column of ids, the ISRC is id and ISRC."""
    path = write(tmp_path, "ISRC,LENGTH\nCP-DEM-26-00001,3:32\n")
    (line,) = read(
        path, Layout(isrc="ISRC", duration="LENGTH", unit="clock")
    ).recordings()
    assert (line.external, line.isrc) == ("isrc:CPDEM2600001", "CPDEM2600001")
    assert line.ms == 212_000


def test_several_columns_share_a_side(tmp_path: Path) -> None:
    """They keep the order of the layout; sides ascend by name."""
    layout = Layout(
        id="ID",
        namespace="x",
        holders=(
            HolderColumn("LABEL", ppm=700_000),
            HolderColumn("WRITER", "composition", "writer"),
            HolderColumn("ARTIST", role="artist", ppm=300_000),
        ),
        holders_namespace="p",
    )
    path = write(tmp_path, "ID,ARTIST,LABEL,WRITER\n1,ada,big,unknown\n")
    catalogue = read(path, layout)
    assert [(e.side, e.place, e.ppm, e.role) for e in catalogue.shares()] == [
        ("composition", 0, 1_000_000, "writer"),
        ("master", 0, 700_000, "owner"),
        ("master", 1, 300_000, "artist"),
    ]
    check_manifests(catalogue)


@pytest.mark.parametrize(
    "holders",
    [
        (HolderColumn("ARTIST", ppm=999_999),),
        (HolderColumn("ARTIST"), HolderColumn("TITLE")),
    ],
)
def test_holders_are_the_whole_of_a_side(
    tmp_path: Path, holders: tuple[HolderColumn, ...]
) -> None:
    """A layout that would make tables other than 100% is refused at once."""
    layout = Layout(id="ID", namespace="x", holders=holders)
    refused("bad-layout", lambda: read(label(tmp_path, "1,,,,,ada"), layout))


def test_layouts_are_checked(tmp_path: Path) -> None:
    """No id, an unknown role, a column that is not there or there twice."""
    path = label(tmp_path, "1,,,,,ada")
    refused("bad-layout", lambda: read(path, Layout(duration="SECONDS")))
    wrong = Layout(id="ID", holders=(HolderColumn("ARTIST", "performer", "singer"),))
    refused("bad-role", lambda: read(path, wrong))
    error = refused("column-missing", lambda: read(path, Layout(id="Isrc")))
    assert "'ISRC'" in error.hint
    doubled = write(tmp_path, "ID,ID\n1,2\n", "doubled.csv")
    refused("column-doubled", lambda: read(doubled, Layout(id="ID")))
    error = refused("layout-unknown", lambda: read(path))
    assert "'SECONDS'" in str(error)


@pytest.mark.parametrize(
    ("row", "code", "column"),
    [
        (",,,,,ada", "id-missing", "ID"),
        ("a b,,,,,ada", "bad-external", "ID"),
        ("1.5E+10,,,,,ada", "id-mangled", "ID"),
        ("1,,CPDEM260000,,,ada", "bad-isrc", "ISRC"),
        ("1,,,-3,,ada", "duration-not-positive", "SECONDS"),
        ("1,,,1e3,,ada", "bad-duration", "SECONDS"),
        ("1,,,999999,,ada", "duration-too-long", "SECONDS"),
        ("1,,,,a:1=5,ada", "works-not-whole", "WORKS"),
        ("1,,,,,", "holder-missing", "ARTIST"),
        ("1,,,,,a b", "bad-external", "ARTIST"),
        ("0,,,,,ada", "id-doubled", ""),
        ("1,,,,ada", "row-ragged", ""),
        ('1,"a"b,,,,ada', "bad-quotes", ""),
    ],
)
def test_a_bad_row_refuses_the_import_and_is_named(
    tmp_path: Path, row: str, code: str, column: str
) -> None:
    """Line, column, code and hint are in the message; no party got an id."""
    path = label(tmp_path, "0,,,,,ada", row)

    def nobody(external: str) -> bytes:
        raise AssertionError(external)

    error = refused("rows-refused", lambda: read(path, LABEL, party_of=nobody))
    assert "table.csv: 1 of 2 rows" in str(error)
    where = f"line 3, column {column}: " if column else "line 3: "
    assert where in str(error)
    assert f"[{code}]" in str(error)
    assert error.hint

    catalogue = read(path, LABEL, skip_bad=True)
    assert catalogue.counts == (2, 1, 1, 1)
    (rejection,) = catalogue.rejected
    assert (rejection.line, rejection.code, rejection.column) == (3, code, column)
    assert catalogue.rejected.by_code == {code: 1}


def test_of_doubles_the_first_stays(tmp_path: Path) -> None:
    """Wherever they are in the file, and however their ids were written."""
    path = label(tmp_path, "2,,,9,,b", "1,,,1,,a", " 1,,,2,,b", "label:1,,,3,,c")
    catalogue = read(path, LABEL, skip_bad=True)
    assert [(each.external, each.ms) for each in catalogue.recordings()] == [
        ("label:1", 1_000),
        ("label:2", 9_000),
    ]
    assert [str(each) for each in catalogue.rejected] == [
        "line 4: this recording stands in line 3 already",
        "line 5: this recording stands in line 3 already",
    ]
    # The holder of a row set aside is nobody.
    externals = {party.external for party in catalogue.parties()}
    assert externals == {"people:a", "people:b"}


def test_nothing_left_is_refused(tmp_path: Path) -> None:
    """A catalogue has a line; skipping all of them is no import."""
    path = label(tmp_path, ",,,,,ada")
    refused("rows-refused", lambda: read(path, LABEL, skip_bad=True))
    refused("no-rows", lambda: read(label(tmp_path), LABEL, skip_bad=True))


def test_many_bad_rows_are_summed_up(tmp_path: Path) -> None:
    """The message shows the first of them, and says how many more there are."""
    path = label(tmp_path, *[",,,,,ada"] * 3_000)
    error = refused("rows-refused", lambda: read(path, LABEL))
    assert "3,000 of 3,000 rows" in str(error)
    assert "and 2,995 more" in str(error)
    assert len(str(error)) < 1_000


def test_parties_are_asked_for_once_in_order(tmp_path: Path) -> None:
    """So that new ids need not be remembered by whoever gives them."""
    asked: list[str] = []

    def give(external: str) -> bytes:
        asked.append(external)
        return len(asked).to_bytes(16)

    names = ["c", "a", "b", "a", "c", "c"]
    path = label(tmp_path, *[f"{n},,,,,{name}" for n, name in enumerate(names)])
    catalogue = read(path, LABEL, party_of=give)
    assert asked == ["people:a", "people:b", "people:c"]
    parties = [int.from_bytes(share.party) for share in catalogue.shares()]
    assert parties == [3, 1, 2, 1, 3, 3]


def test_parties_on_the_log_keep_their_ids(tmp_path: Path) -> None:
    """The book gives known ids again, and leaves those out of a manifest."""
    book = PartyBook({"people:a": b"A" * 16}.get, lambda: b"N" * 16)
    path = label(tmp_path, "1,,,,,a", "2,,,,,b")
    catalogue = read(path, LABEL, party_of=book)
    assert [share.party for share in catalogue.shares()] == [b"A" * 16, b"N" * 16]
    assert [each.external for each in book.new(catalogue.parties())] == ["people:b"]


def test_two_names_of_one_party_are_one_line(tmp_path: Path) -> None:
    """A party that the log knows by two ids is listed once."""
    path = label(tmp_path, "1,,,,,a", "2,,,,,b")
    catalogue = read(path, LABEL, party_of=lambda _: b"A" * 16)
    assert [each.external for each in catalogue.parties()] == ["people:a"]
    check_manifests(catalogue)


def test_a_holder_may_turn_out_to_be_nobody(tmp_path: Path) -> None:
    """Zeros are the unknown party, and never a line of their own."""
    catalogue = read(label(tmp_path, "1,,,,,a"), LABEL, party_of=lambda _: bytes(16))
    assert list(catalogue.parties()) == []
    assert [share.party for share in catalogue.shares()] == [UNKNOWN_PARTY]


def test_an_id_has_sixteen_bytes(tmp_path: Path) -> None:
    """What gives ids and gives something else is a bug."""
    with pytest.raises(InvariantError):
        read(label(tmp_path, "1,,,,,a"), LABEL, party_of=lambda _: b"short")


def test_what_the_caller_says_of_parties(tmp_path: Path) -> None:
    """Type and verification are the registrar's to say."""
    path = label(tmp_path, "1,,,,,a")
    (party,) = read(path, LABEL, party_type="group", verified=True).parties()
    assert (party.type, party.verified) == ("group", True)
    (party,) = read(path, LABEL).parties()
    assert (party.type, party.verified) == ("person", False)


def test_any_order_and_any_memory_give_the_same_lines(tmp_path: Path) -> None:
    """Neither the order of rows nor temporary files change a line; lines ascend."""
    rows = [
        f"{n},T,CPDEM26{n:05},{n + 1}.{n % 10},,p{n * 7 % 301}" for n in range(3_000)
    ]
    whole = read(label(tmp_path, *rows), LABEL)
    random.Random(1).shuffle(rows)
    path = label(tmp_path, *rows)
    pieces = read(path, LABEL, memory_max=20_000)
    assert pieces._recordings.runs > 10
    assert pieces.holdings._shares.runs > 5
    for lines, again in (
        (whole.recordings, pieces.recordings),
        (whole.parties, pieces.parties),
        (whole.shares, pieces.shares),
    ):
        assert list(lines()) == list(again())
    externals = [each.external for each in pieces.recordings()]
    assert all(a < b for a, b in pairwise(externals))
    check_manifests(pieces)
