"""What a person types leads to the one party, recording or entry that is meant."""

from __future__ import annotations

import pytest

from ledger.errors import InputError
from ledger.events import identity
from ledger.events import lines
from ledger.events import training
from ledger.query import Reader
from ledger.storage.memory import MemoryStore
from tests.story import ORIGIN
from tests.story import OUTSIDE
from tests.story import build_story
from tests.story import party_id

ARTIST = party_id("artist0").hex()


SEARCHES = [
    ("Ottoline", ("party", ARTIST, "name")),
    ("ottoline brack", ("party", ARTIST, "name")),
    ("demo:artist0", ("party", ARTIST, "external id")),
    (ARTIST, ("party", ARTIST, "party id")),
    (ARTIST[:10].upper(), ("party", ARTIST, "party id")),
    ("nine lamps", ("recording", "demo:r000001", "title")),
    ("demo:r000001", ("recording", "demo:r000001", "external id")),
    ("CPDEM2600001", ("recording", "demo:r000001", "ISRC")),
    ("cp-dem-26-00001", ("recording", "demo:r000001", "ISRC")),
    ("CPDEM26000", ("recording", "demo:r000001", "ISRC")),
    (OUTSIDE, ("recording", OUTSIDE, "external id")),
    ("run-1", ("entry", "16", "run")),
    ("20", ("entry", "20", "index")),
    (ORIGIN, ("entry", "0", "origin")),
    ("alder", ("entry", "15", "model")),
]


@pytest.mark.parametrize(("text", "wanted"), SEARCHES)
def test_a_search_finds(
    text: str, wanted: tuple[str, str, str], reader: Reader
) -> None:
    """Names, titles, ids, ISRCs, runs, indexes: as people type them."""
    found = reader.search(text)
    assert wanted in [(each.what, each.key, each.reason) for each in found]
    assert len({(each.what, each.key) for each in found}) == len(found)


def test_a_search_finds_hashes(reader: Reader) -> None:
    """The beginning of a leaf hash leads to its entry."""
    entry = reader.entry(7)
    (found,) = reader.search(entry.leaf_hash.hex()[:12])
    assert (found.what, found.key, found.label) == ("entry", "7", entry.sentence)


@pytest.mark.parametrize(
    "text", ["", "   ", "no such thing", "%", "'", "\x00", "9" * 500]
)
def test_a_search_for_nothing_finds_nothing(text: str, reader: Reader) -> None:
    """Whatever is typed, a search answers."""
    assert reader.search(text) == []


def test_a_search_is_bounded(reader: Reader) -> None:
    """No more is given than was asked for; parties stand first."""
    found = reader.search("demo", limit=4)
    assert [each.what for each in found] == ["party", "party", "party", "recording"]


@pytest.mark.parametrize(
    "text",
    [ARTIST, ARTIST[:15], "demo:artist0", "Ottoline Brackwater", "ottoline brackwater"],
)
def test_a_party_goes_by_many_names(text: str, reader: Reader) -> None:
    """Id, unique beginning, external id and name lead to one party."""
    assert reader.party(text).id == party_id("artist0")


@pytest.mark.parametrize(
    "text", ["", "nobody", "ff" * 16, "demo:artist9", "demo:", "a:b:c", bytes(16).hex()]
)
def test_an_unknown_party_is_refused(text: str, reader: Reader) -> None:
    """Nobody is made up, and the hint says how to look."""
    with pytest.raises(InputError) as error:
        reader.party(text)
    assert error.value.code == "party-unknown"
    assert error.value.hint


def test_a_beginning_that_several_share_is_refused(reader: Reader) -> None:
    """An id's beginning has to be one party's alone."""
    with pytest.raises(InputError) as error:
        reader.party(ARTIST[:12])
    assert error.value.code == "party-ambiguous"
    assert ARTIST in error.value.message


def test_a_beginning_is_found_among_many_mentions() -> None:
    """A party mentioned everywhere does not hide another with the same beginning."""
    story = build_story(MemoryStore())
    for number in range(300):
        version = training.ModelVersion(
            model="m", parents=[], synthetic=[], version=str(number)
        )
        story.lab.say("model.version", version)
    twin = lines.PartyLine(party=b"lab~" + bytes(12), type="person", verified=False)
    story.operator.say(
        "party",
        lambda refs: identity.Party(parties=refs["parties"]),
        {"parties": [twin]},
    )
    with Reader(story.log.store) as asked:
        assert asked.party("6c61622e2e").id == party_id("lab")
        with pytest.raises(InputError, match="2 parties"):
            asked.party("6c6162")


@pytest.mark.parametrize("text", ["demo:r000001", "CPDEM2600001", "cp-dem-26-00001"])
def test_a_recording_goes_by_id_and_isrc(text: str, reader: Reader) -> None:
    """External id and ISRC lead to one recording."""
    assert reader.recording(text).external == "demo:r000001"


@pytest.mark.parametrize(
    "text", ["", "demo:r00000", "CPDEM2699999", "x", "demo:" + "x" * 300]
)
def test_an_unknown_recording_is_refused(text: str, reader: Reader) -> None:
    """The beginning of an id is no id, and nothing is made up."""
    with pytest.raises(InputError) as error:
        reader.recording(text)
    assert error.value.code == "recording-unknown"
