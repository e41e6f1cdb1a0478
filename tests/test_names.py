"""Names are shown, never trusted: the side store, and what may be hidden in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ledger.errors import HomeError
from ledger.names import SHOWN_LENGTH_MAX
from ledger.names import UNKNOWN
from ledger.names import Names
from ledger.names import neutral

ARTIST = b"artist0........."


def test_without_a_file_there_are_no_names(tmp_path: Path) -> None:
    """The side store can be erased: ids take the place of names."""
    names = Names.load(tmp_path / "names.json")
    assert names == Names()
    assert names.party(ARTIST) == "61727469"
    assert names.party(ARTIST, "demo:artist0") == "demo:artist0"
    assert names.recording("demo:r1") == "demo:r1"


def test_names_come_back_as_they_were_saved(tmp_path: Path) -> None:
    """Saving and loading changes nothing, in any script."""
    path = tmp_path / "names.json"
    names = Names({ARTIST.hex(): "Ðagný Testdóttir"}, {"demo:r1": "聖なる塩"})
    names.save(path)
    assert Names.load(path) == names
    assert list(tmp_path.iterdir()) == [path]


def test_names_are_durable_before_they_take_their_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The content is synced, then renamed, then the folder is synced."""
    steps: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def noted_fsync(handle: int) -> None:
        steps.append("sync")
        fsync(handle)

    def noted_replace(path: Path, target: Path) -> Path:
        steps.append("rename")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    Names().save(tmp_path / "names.json")
    assert steps == ["sync", "rename", "sync"]


def test_two_writers_never_mix_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each writes a file of its own; whoever comes last has its names there, whole."""
    path = tmp_path / "names.json"
    first, second = Names({ARTIST.hex(): "First"}), Names({ARTIST.hex(): "Second"})
    own, fsync = os.getpid(), os.fsync

    def meanwhile(handle: int) -> None:
        monkeypatch.setattr(os, "fsync", fsync)
        monkeypatch.setattr(os, "getpid", lambda: own + 1)
        second.save(path)
        assert Names.load(path) == second
        fsync(handle)

    monkeypatch.setattr(os, "fsync", meanwhile)
    first.save(path)
    assert Names.load(path) == first
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"parties": 1}',
        '{"parties": {"xyz": "not an id"}}',
        '{"parties": {"61": "short"}}',
        '{"people": {}}',
    ],
)
def test_a_damaged_file_is_refused(text: str, tmp_path: Path) -> None:
    """What is no side store is not half read, and the error says what to do."""
    path = tmp_path / "names.json"
    path.write_text(text)
    with pytest.raises(HomeError) as error:
        Names.load(path)
    assert error.value.code == "names-damaged"
    assert "remove it" in error.value.hint


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("a\u202eb", "a\ufffdb"),  # right to left override
        ("pay\u200bpal", "pay\ufffdpal"),  # zero width space
        ("bell\x07\x1b[31m", "bell\ufffd\ufffd[31m"),  # terminal escape
        ("two\nlines", "two\ufffdlines"),
        ("\u2028", "\ufffd"),
        ("\ud800", "\ufffd"),
        ("  padded  ", "padded"),
        ("A\u030a", "Å"),  # one spelling for one look
    ],
)
def test_what_deceives_is_neutralised(hostile: str, shown: str) -> None:
    """Characters that act or hide are replaced by one that shows."""
    assert neutral(hostile) == shown


def test_a_name_cannot_flood_the_page() -> None:
    """A name is cut where no name is longer."""
    assert len(neutral("x" * 10_000)) == SHOWN_LENGTH_MAX


def test_a_name_of_nothing_is_no_name() -> None:
    """An empty name falls back to the id, as a missing one does."""
    names = Names({ARTIST.hex(): "  "}, {"demo:r1": ""})
    assert names.party(ARTIST, "demo:a") == "demo:a"
    assert names.recording("demo:r1") == "demo:r1"


def test_the_unknown_party_has_words_of_its_own() -> None:
    """The party of zeros is nobody, whatever the side store says."""
    assert Names({bytes(16).hex(): "Somebody"}).party(bytes(16)) == UNKNOWN


def test_finding_ignores_case() -> None:
    """A name is found by any part of it, in any case."""
    names = Names({ARTIST.hex(): "Ottoline Brackwater"}, {"demo:r1": "Salt Road"})
    assert names.parties_like("BRACK") == [(ARTIST, "Ottoline Brackwater")]
    assert names.recordings_like("salt") == [("demo:r1", "Salt Road")]
    assert names.parties_like("nobody") == []
