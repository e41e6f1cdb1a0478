"""Parties, recordings and entries are gathered whole, and are JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from ledger.errors import InputError
from ledger.events import identity
from ledger.events import lines
from ledger.events import rights
from ledger.events import training
from ledger.names import Names
from ledger.query import Reader
from ledger.query import documents
from ledger.replay.rows import NEVER
from ledger.replay.rows import ProblemRow
from ledger.storage.memory import MemoryStore
from tests.story import OUTSIDE
from tests.story import Story
from tests.story import build_story
from tests.story import names
from tests.story import party_id
from tests.story import steps

ARTIST = party_id("artist0").hex()


def test_a_party_is_gathered(reader: Reader, story: Story) -> None:
    """Roles, keys, shares, money and entries of parties of each sort."""
    artist = reader.party(ARTIST)
    assert (artist.name, artist.external) == ("Ottoline Brackwater", "demo:artist0")
    assert (artist.type, artist.verified) == ("person", story.at["artists"])
    assert [(h.subject, h.ppm) for h in artist.holdings] == [
        ("demo:r000000", 600_000),
        ("demo:r000003", 1_000_000),
        ("demo:r000006", 500_000),
    ]
    (money,) = artist.money
    assert money.credited - money.paid == money.payable == 3
    assert [entry.index for entry in artist.entries] == [21, 20, 10, 8]
    assert sum(p.amount for p in artist.postings) == money.payable
    society = reader.party("Society Birch")
    assert society.roles == (("society", 4),)
    assert [key.purpose for key in society.keys if key.in_force] != []
    assert {key.purpose for key in society.keys} == {"root", "sign"}
    operator = reader.party("Registry of Elms")
    assert operator.roles == (("operator", 0), ("registrar", 0))
    lab = reader.party("Lab Alder")
    assert [(m.owes, m.prepaid, m.credited) for m in lab.money] == [(0, 1, 0)]
    assert lab.verified == NEVER


def test_the_entries_of_a_party_join(reader: Reader) -> None:
    """The cursor leads through all entries of a party, each once."""
    whole = reader.party("Society Birch")
    assert whole.next_before is None
    later = reader.party("Society Birch", before=whole.entries[3].index)
    assert later.entries == whole.entries[4:]


def test_a_recording_is_gathered(reader: Reader, story: Story) -> None:
    """Listing, holders, runs and money of a recording."""
    found = reader.recording("demo:r000000")
    (listing,) = found.listings
    assert (listing.catalogue, listing.isrc) == (story.at["catalogue"], "CPDEM2600000")
    (table,) = found.tables
    assert table.in_force
    assert [(h.name, h.ppm) for h in table.holders] == [
        ("Ottoline Brackwater", 600_000),
        ("Dobb Quillfeather", 400_000),
    ]
    (run,) = found.runs
    assert (run.run, run.lab_name, run.licences) == ("run-1", "Lab Alder", (13,))
    assert run.findings == ()
    (money,) = found.money
    assert (money.credited, money.waiting) == (116_228_571_432, 0)
    (half,) = reader.recording("demo:r000006").money
    assert half.waiting == 71_428_571_428


def test_only_the_table_in_force_counts_now() -> None:
    """Past and future tables are shown, and one of each side counts today."""
    story = build_story(MemoryStore())
    today = story.log.state.day(story.log.state.last_time_ms)
    for effective in (today, today + 30):
        row = rights.ShareRow(party=story.artists[2], ppm=1_000_000, role="owner")
        table = rights.ShareTable(lines=[row], side="master", subject="demo:r000000")
        shares = rights.Shares(effective=effective, kind="transfer", table=table)
        story.society.say("shares", shares)
    with Reader(story.log.store) as asked:
        tables = asked.recording("demo:r000000").tables
        held = [h.subject for h in asked.party("demo:artist2").holdings]
        lost = [h.subject for h in asked.party("demo:artist0").holdings]
    assert [(t.effective - today, t.in_force) for t in tables] == [
        (30, False),
        (0, True),
        (-today, False),
    ]
    assert "demo:r000000" in held
    assert "demo:r000000" not in lost


def test_each_society_has_its_own_tables() -> None:
    """Two societies' tables of one recording both count, each for its own."""
    story = build_story(MemoryStore())
    steps.register(story, "other")
    accredit = identity.Accredit(
        action="grant", party=party_id("other"), role="society"
    )
    story.operator.say("accredit", accredit)
    row = rights.ShareRow(party=story.artists[2], ppm=1_000_000, role="owner")
    table = rights.ShareTable(lines=[row], side="master", subject="demo:r000000")
    shares = rights.Shares(effective=5, kind="transfer", table=table)
    story.author("other").say("shares", shares)
    with Reader(story.log.store, Names(**names(story))) as asked:
        tables = asked.recording("demo:r000000").tables
        held = asked.party("demo:artist2").holdings
    assert [(table.society, table.in_force) for table in tables] == [
        ("6f746865", True),
        ("Society Birch", True),
    ]
    assert ("demo:r000000", "6f746865") in [(h.subject, h.society) for h in held]


def test_a_recording_of_no_catalogue_shows_who_used_it(reader: Reader) -> None:
    """What a lab trained on without anybody's licence is found, with the finding."""
    found = reader.recording(OUTSIDE)
    assert (found.listings, found.tables, found.money) == ((), (), ())
    (run,) = found.runs
    assert [(cover.side, cover.finding) for cover in run.findings] == [
        ("", "uncovered")
    ]


def test_a_run_says_what_had_no_licence(reader: Reader, story: Story) -> None:
    """What each licence covers, and what none does, with a cursor that joins."""
    index = story.at["run-1"]
    whole = reader.run(index)
    assert (whole.lab_name, whole.run, whole.recordings) == ("Lab Alder", "run-1", 8)
    assert whole.covered == ((story.at["licence"], 7),)
    (found,) = whole.findings
    assert (found.line, found.recording) == (8, OUTSIDE)
    assert whole.next_after is None
    first = reader.run(index, limit=1)
    assert (first.findings, first.next_after) == (whole.findings, None)
    assert reader.run(index, after=8).findings == ()
    for other in (0, story.at["close"], story.at["due"]):
        with pytest.raises(InputError) as error:
            reader.run(other)
        assert error.value.code == "no-such-run"


def test_findings_of_a_run_join() -> None:
    """A run without any licence: every recording, page by page."""
    story = build_story(MemoryStore())
    names = [*story.recordings, OUTSIDE]
    story.lab.say(
        "run.open",
        lambda refs: training.RunOpen(
            licences=[],
            model="alder",
            run="run-2",
            use="gen_train",
            version="1",
            **refs,
        ),
        {"dataset": [lines.DatasetLine(external=name) for name in names]},
    )
    with Reader(story.log.store) as asked:
        seen: list[str] = []
        after: int | None = 0
        while after is not None:
            report = asked.run(story.log.size - 1, after, limit=3)
            seen += [found.recording for found in report.findings]
            after = report.next_after
    assert seen == names


def test_problems_are_shown(story: Story, reader: Reader) -> None:
    """An entry that broke a rule carries the code and who took note."""
    with reader.reading() as sources:
        sources.state.problems.put(3, ProblemRow("some-code", "public", 5))
        entry = reader.entry(3)
        sources.state.discard()
    assert entry.problem == ProblemRow("some-code", "public", 5)
    assert documents.entry_document(entry)["problem"] == {
        "code": "some-code",
        "book": "public",
        "acknowledged": 5,
    }


DOCUMENTS: dict[str, Callable[[Reader], Any]] = {
    "entries": lambda r: documents.entries_document(r.entries()),
    "party": lambda r: documents.party_document(r.party(ARTIST)),
    "recording": lambda r: documents.recording_document(r.recording("demo:r000000")),
    "search": lambda r: documents.search_document("demo", r.search("demo")),
    "every entry": lambda r: [documents.entry_document(e) for e in r.entries()],
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_are_json(name: str, reader: Reader) -> None:
    """Every answer survives the way through JSON as it is: no bytes, no tuples."""
    document = DOCUMENTS[name](reader)
    assert json.loads(json.dumps(document)) == document
