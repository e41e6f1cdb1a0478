"""`linernote import catalogue`: a table becomes holders, recordings and shares."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.events.json import body_to_json
from ledger.log import StoredLines
from ledger.replay.manifests import lines_again
from ledger.storage.sqlite import SqliteStore
from tests.cli.conftest import Town

JAMENDO = "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS\n"
TRACK = "track_{n:07}\tartist_00000{a}\talbum_1\tx.mp3\t212.7\tcalm\n"
IMPORT = ("import", "catalogue")


def jamendo(tracks: int = 4) -> str:
    """Write a small catalogue of a layout that is recognised."""
    rows = [TRACK.format(n=n, a=n % 2) for n in range(tracks)]
    Path("catalogue.tsv").write_text(JAMENDO + "".join(rows), encoding="utf-8")
    return "catalogue.tsv"


def test_a_known_layout_needs_no_columns(staffed: Town) -> None:
    """The header tells the layout; ids get its namespace."""
    told = staffed.must(*IMPORT, jamendo(), "--key", "society")
    assert (told["recordings"], told["parties"], told["shares"]) == (4, 2, 4)
    assert told["rejected"] == 0
    kinds = ["party", "catalogue", "shares"]
    shown = [staffed.must("show", told["entries"][kind])["kind"] for kind in kinds]
    assert shown == kinds
    found = staffed.must("search", "jamendo:track_0000003")["found"]
    assert found[0]["what"] == "recording"
    assert staffed.must("audit")["ok"] is True


def test_a_rehearsal_appends_nothing(staffed: Town) -> None:
    """--dry-run reads and counts, without a key."""
    size = staffed.size
    told = staffed.must(*IMPORT, jamendo(), "--dry-run")
    assert (told["recordings"], told["entries"]) == (4, None)
    assert staffed.size == size
    assert "nothing was appended" in staffed.run(*IMPORT, jamendo(), "--dry-run").err


def test_holders_that_are_known_are_not_registered_again(staffed: Town) -> None:
    """A second catalogue brings only its new holders, and none if there are none."""
    staffed.must(*IMPORT, jamendo(1), "--key", "society")
    told = staffed.must(*IMPORT, jamendo(4), "--key", "society")
    body = staffed.must("show", told["entries"]["party"])["body"]
    assert body["parties"]["lines"] == 1
    told = staffed.must(*IMPORT, jamendo(4), "--key", "society")
    assert told["entries"]["party"] is None
    assert len(staffed.must("search", "jamendo:artist")["found"]) == 2


def test_of_two_parties_with_one_external_id_the_first_is_meant(staffed: Town) -> None:
    """Whoever registers later under a known id gets none of its shares."""
    registered = []
    for number in range(8):
        new = ("key", "new", f"x{number}", "--external", "town:zed", "--register")
        registered.append(staffed.must(*new, "--no-passphrase")["party"])
    Path("more.csv").write_text("id,artist\nr9,zed\n", encoding="utf-8")
    columns = ("--namespace", "town", "--id", "id", "--holder", "artist")
    told = staffed.must(*IMPORT, "more.csv", *columns, "--key", "society")
    assert told["entries"]["party"] is None
    holders = {line["party"] for line in shares_of(staffed, told["entries"]["shares"])}
    assert holders == {registered[0]}


def shares_of(town: Town, index: int) -> list[dict[str, str]]:
    """Read the share lines that an entry brought in."""
    root = bytes.fromhex(town.must("show", index)["body"]["lines"]["root"])
    store = SqliteStore.open(town.home, read_only=True)
    try:
        lines = lines_again(StoredLines(store), "shares/lines", root)
        return [body_to_json(line) for line in lines]
    finally:
        store.close()


def test_other_layouts_by_their_columns(staffed: Town) -> None:
    """Columns say what is what; sides and roles of holders come with them."""
    Path("songs.csv").write_text(
        "No;ISRC;Length;Label;Artist\n"
        "1;SEABC2600001;3:32.7;birch-records;ada\n"
        "2;SE-ABC-26-00002;1:00;birch-records;bo\n",
        encoding="utf-8",
    )
    columns = ("--namespace", "birch", "--id", "No", "--isrc", "ISRC")
    length = ("--duration", "Length", "--unit", "clock")
    holders = ("--holder", "Label", "--holder", "Artist:performer:featured")
    key = ("--key", "society", "--type", "organisation")
    told = staffed.must(*IMPORT, "songs.csv", *columns, *length, *holders, *key)
    assert (told["recordings"], told["parties"], told["shares"]) == (2, 3, 4)
    assert [note["code"] for note in told["notes"]] == ["isrc-normalised"]
    found = staffed.must("search", "SEABC2600002")["found"]
    assert found[0]["key"] == "birch:2"


def test_bad_rows_come_back_with_reasons(staffed: Town) -> None:
    """One bad row refuses the import; its file, mended, is imported as it is."""
    jamendo()
    with Path("catalogue.tsv").open("a", encoding="utf-8") as file:
        file.write("track_9\tartist_1\talbum\tx\tlong\tcalm\n")
    size = staffed.size
    done = staffed.run(*IMPORT, "catalogue.tsv", "--key", "society")
    assert (done.code, done.error) == (3, "rows-refused")
    assert "line 6" in done.err
    assert staffed.size == size
    rejected = Path("catalogue.rejected.tsv")
    assert "long" in rejected.read_text(encoding="utf-8")
    done = staffed.run(*IMPORT, "catalogue.tsv", "--key", "society")
    assert (done.code, done.error) == (3, "rejects-file-exists")
    skip = ("--skip-bad", "--rejects", "again.tsv", "--key", "society")
    told = staffed.must(*IMPORT, "catalogue.tsv", *skip)
    assert (told["recordings"], told["rejected"]) == (4, 1)
    assert told["rejects_file"] == "again.tsv"
    mended = rejected.read_text(encoding="utf-8").replace("\tlong\t", "\t61.5\t")
    Path("mended.tsv").write_text(mended, encoding="utf-8")
    told = staffed.must(*IMPORT, "mended.tsv", "--key", "society")
    assert told["recordings"] == 1


def test_a_table_of_shares_goes_with_the_catalogue(staffed: Town) -> None:
    """Shares told on purpose stand instead of those of a column."""
    Path("shares.csv").write_text(
        "subject,side,external,percent,role\n"
        "jamendo:track_0000000,master,jamendo:artist_000000,60,owner\n"
        "jamendo:track_0000000,master,jamendo:artist_000009,40,owner\n",
        encoding="utf-8",
    )
    shares = ("--shares", "shares.csv", "--effective", "2026-01-01")
    told = staffed.must(*IMPORT, jamendo(2), *shares, "--key", "society")
    assert (told["parties"], told["shares"]) == (3, 3)
    body = staffed.must("show", told["entries"]["shares"])["body"]
    assert body["effective"] == 20_454


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--key", "lab"), (7, "missing-role")),
        (("--key", "society", "--registrar", "lab"), (7, "missing-role")),
        (("--key", "nobody"), (3, "key-file-missing")),
        ((), (3, "key-needed")),
        (("--dry-run", "--namespace", "x"), (2, "usage")),
        (("--dry-run", "--holder", "a:b"), (2, "usage")),
        (("--dry-run", "--holder", "a:master:x:y"), (2, "usage")),
        (("--dry-run", "--effective", "20260101"), (2, "usage")),
        (("--dry-run", "--effective", "2026-02-30"), (2, "usage")),
        (("--dry-run", "--id", "NOPE"), (3, "column-missing")),
    ],
)
def test_what_cannot_be_imported_is_refused(
    staffed: Town, options: tuple[str, ...], code: tuple[int, str]
) -> None:
    """Nothing is appended unless all of it can be."""
    size = staffed.size
    done = staffed.run(*IMPORT, jamendo(), *options)
    assert (done.code, done.error) == code
    assert staffed.size == size


def test_a_table_that_is_missing_or_unknown_is_told(staffed: Town) -> None:
    """A missing file and a header that says nothing are invalid input (exit 3)."""
    done = staffed.run(*IMPORT, "nowhere.tsv", "--dry-run")
    assert done.code == 3
    assert "nowhere.tsv" in done.err
    Path("x.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    done = staffed.run(*IMPORT, "x.csv", "--dry-run")
    assert (done.code, done.error) == (3, "layout-unknown")


def test_a_real_catalogue_is_imported(
    staffed: Town, shared: Callable[[str], Path]
) -> None:
    """The MTG-Jamendo catalogue comes in whole."""
    catalogue = shared("jamendo") / "catalogue.tsv"
    told = staffed.must(*IMPORT, catalogue, "--key", "society", "--verified")
    assert told["recordings"] == told["rows"] == told["shares"]
    assert told["recordings"] > 10_000
    assert staffed.must("audit")["ok"] is True
