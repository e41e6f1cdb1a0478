"""Share tables are whole, in the order of their file, or set aside as a whole."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from ledger.events.types import UNKNOWN_PARTY
from ledger.imports import SharesLayout
from ledger.imports import holders
from ledger.imports import read_shares
from tests.imports.files import party_of
from tests.imports.files import refused
from tests.imports.files import write

HEADER = "subject,side,party,external,ppm,role\n"
ADA = "0a" * 16

read = partial(read_shares, party_of=party_of)


def table(tmp_path: Path, *rows: str) -> Path:
    return write(tmp_path, HEADER + "".join(f"{row}\n" for row in rows))


def test_tables_keep_the_order_of_their_rows(tmp_path: Path) -> None:
    """Places count within a table, also where tables are mixed in the file."""
    path = table(
        tmp_path,
        "a:2,master,,p:x,600000,artist",
        f"a:1,performer,{ADA},,500000,session",
        "a:2,master,,p:a,400000,label",
        "a:1,performer,,unknown,500000,featured",
        "a:1,composition,unknown,,1000000,writer",
    )
    holdings, reading = read(path)
    lines = [(e.subject, e.side, e.place, e.party, e.role) for e in holdings.shares()]
    assert lines == [
        ("a:1", "composition", 0, UNKNOWN_PARTY, "writer"),
        ("a:1", "performer", 0, bytes.fromhex(ADA), "session"),
        ("a:1", "performer", 1, UNKNOWN_PARTY, "featured"),
        ("a:2", "master", 0, party_of("p:x"), "artist"),
        ("a:2", "master", 1, party_of("p:a"), "label"),
    ]
    # A party with an id of its own is on the log already: no line for it.
    assert {each.external for each in holdings.parties()} == {"p:a", "p:x"}
    assert (reading.rows, len(reading.rejected)) == (5, 0)


def test_an_id_on_the_log_counts_before_any_other(tmp_path: Path) -> None:
    """Where a row has both, the external id is there for people to read."""
    holdings, _ = read(table(tmp_path, f"a:1,master,{ADA},p:x,1000000,artist"))
    assert [share.party.hex() for share in holdings.shares()] == [ADA]
    assert list(holdings.parties()) == []


@pytest.mark.parametrize(
    ("row", "code", "said"),
    [
        ("a:1,master,,p:x,900000,artist", "shares-not-whole", "900000 ppm"),
        ("a:1,publishing,,p:x,1000000,artist", "bad-side", "publishing"),
        ("a:1,master,,p:x,100%,artist", "bad-share", "100%"),
        ("a:1,master,,,1000000,artist", "holder-missing", "no holder"),
        ("a:1,master,0A,,1000000,artist", "bad-party", "0A"),
        ("a:1,master,,p x,1000000,artist", "bad-external", "p x"),
        ("a:1,master,,p:x,1000000,Artist", "bad-token", "Artist"),
        ("a:1,performer,,p:x,1000000,singer", "bad-role", "singer"),
        ("1,master,,p:x,1000000,artist", "bad-external", "'1'"),
        (",master,,p:x,1000000,artist", "id-missing", "empty"),
        ("a:1,master,,p:x,1000000", "row-ragged", "5 cells"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, row: str, code: str, said: str) -> None:
    """Every way to be wrong has its code; good tables are not touched by it."""
    good = "b:1,master,,p:y,1000000,artist"
    path = table(tmp_path, good, row)
    error = refused("rows-refused", lambda: read(path))
    assert "line 3" in str(error)
    assert f"[{code}]" in str(error)
    assert said in str(error)
    holdings, reading = read(path, skip_bad=True)
    assert [share.subject for share in holdings.shares()] == ["b:1"]
    assert (reading.rows, len(reading.rejected)) == (2, 1)


def test_a_table_that_lacks_a_row_is_set_aside_with_it(tmp_path: Path) -> None:
    """All of its rows come back together, so that correcting one mends the table."""
    path = table(
        tmp_path,
        "a:1,master,,p:x,0,artist",
        "a:1,master,,p:y,1000000,Artist",
        "a:1,master,,p:z,1000000,artist",
        "b:1,master,,p:y,1000000,artist",
    )
    holdings, reading = read(path, skip_bad=True)
    assert [share.subject for share in holdings.shares()] == ["b:1"]
    codes = [(each.line, each.code) for each in reading.rejected]
    assert codes == [
        (2, "table-incomplete"),
        (3, "bad-token"),
        (4, "table-incomplete"),
    ]
    assert "line 3" in next(iter(reading.rejected)).reason


def test_columns_by_name_and_percent(tmp_path: Path) -> None:
    """A society's own layout, with a role for all."""
    layout = SharesLayout(
        subject="Work",
        side="Right",
        namespace="society",
        external="IPI",
        holders_namespace="ipi",
        percent="Share",
        default_role="writer",
    )
    path = write(
        tmp_path,
        "Work;Right;Name;IPI;Share\n7;Composition;Ada;111;66.6667\n"
        "7;Composition;Bo;222;33.3333\n",
    )
    holdings, _ = read(path, layout)
    lines = [(e.subject, e.ppm, e.role) for e in holdings.shares()]
    assert lines == [
        ("society:7", 666_667, "writer"),
        ("society:7", 333_333, "writer"),
    ]


@pytest.mark.parametrize(
    "header", ["subject,side,external,role", "subject,side,ppm,role"]
)
def test_a_layout_says_who_and_how_much(tmp_path: Path, header: str) -> None:
    """Without a column of holders or of shares there is nothing to read."""
    refused("bad-layout", lambda: read(write(tmp_path, header + "\na,b,c,d\n")))


def test_unknown_columns_are_no_layout(tmp_path: Path) -> None:
    """The message names what is there."""
    error = refused("layout-unknown", lambda: read(write(tmp_path, "A,B\n1,2\n")))
    assert "'A', 'B'" in str(error)


def test_a_table_has_so_many_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One more than a place can count is refused, all rows of it, and no other."""
    monkeypatch.setattr("ledger.imports.shares.PLACES_MAX", 4)
    four = [f"a:1,master,,p:{n},250000,artist" for n in range(4)]
    five = [f"b:1,master,,p:{n},200000,artist" for n in range(5)]
    six = [f"c:1,master,,p:{n},0,artist" for n in range(6)]
    holdings, reading = read(table(tmp_path, *four, *five, *six), skip_bad=True)
    assert {share.subject for share in holdings.shares()} == {"a:1"}
    assert reading.rejected.by_code == {"too-many-shares": 11}


def test_the_bound_is_what_a_place_can_be() -> None:
    """The last place is the largest that a share line takes."""
    assert holders.PLACES_MAX - 1 == 65_535


def test_memory_bounds_change_nothing(tmp_path: Path) -> None:
    """Tables that lie apart in a large file come together through temporary files."""
    rows = [
        f"a:{n % 500},master,,p:{n},{333_334 if n < 500 else 333_333},artist"
        for n in range(1_500)
    ]
    path = table(tmp_path, *rows)
    holdings, reading = read(path, memory_max=10_000)
    assert reading.items.runs > 5
    assert list(holdings.shares()) == list(read(path)[0].shares())
    assert holdings.share_count == 1_500
