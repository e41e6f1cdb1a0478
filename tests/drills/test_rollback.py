"""A home that was copied, set back or exchanged is never written to."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ledger.anchor import VARIABLE
from ledger.errors import HomeError
from ledger.errors import InputError
from ledger.home import Home
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import format_checkpoint
from ledger.writer import Writer
from tests.drills.places import ORIGIN
from tests.drills.places import anchored
from tests.drills.places import audit
from tests.drills.places import copy
from tests.drills.places import grow
from tests.drills.places import log_key
from tests.drills.places import new_home


def refusal(home: Home) -> str:
    """Give the code by which a home refuses to be written to."""
    with pytest.raises(HomeError) as error:
        Writer(home)
    assert error.value.exit_code == 8
    assert error.value.hint
    return error.value.code


def test_a_home_that_nobody_touched_goes_on(home: Home) -> None:
    """The anchor refuses nothing that is honest, and is what was signed last."""
    for size in (3, 4, 5):
        assert grow(home) == size
        text = anchored(home).read()
        assert text is not None
        assert (home.public / "checkpoint").read_text().startswith(f"{text}\n")
    assert audit(home).exit_code == 0
    assert audit(home).checked["anchors"] == 1


def test_a_home_set_back_with_all_that_is_in_it_is_refused(
    home: Home, tmp_path: Path
) -> None:
    """Database, public folder and keys of yesterday: the anchor knows of today."""
    old = copy(home, tmp_path / "old")
    grow(home)
    shutil.rmtree(home.path)
    old.path.rename(home.path)
    assert refusal(home) == "behind-anchor"
    report = audit(home)
    assert [found.code for found in report.problems] == ["behind-anchor"]
    assert report.exit_code == 4


def test_a_home_that_grew_another_way_is_refused(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy that went on by itself is a fork, however long it is."""
    other = copy(home, tmp_path / "other")
    shutil.copytree(tmp_path / "anchors", tmp_path / "other-anchors")
    grow(home)
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv(VARIABLE, str(tmp_path / "other-anchors"))
        grow(other, 3)
    assert refusal(other) == "anchor-differs"
    assert [found.code for found in audit(other).problems] == ["anchor-differs"]
    grow(home)


def test_a_home_copied_to_another_machine_is_refused(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who copies a home brings keys along, but not what its machine remembers."""
    copied = copy(home, tmp_path / "copied")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "elsewhere"))
    assert refusal(copied) == "anchor-missing"
    report = audit(copied)
    assert (report.ok, report.exit_code) == (True, 5)
    assert "does not know this log" in report.missing[0]


def test_two_copies_on_one_machine_do_not_both_go_on(
    home: Home, tmp_path: Path
) -> None:
    """They share an anchor: once one has published, the other is behind."""
    other = copy(home, tmp_path / "other")
    with Writer(other) as waiting:
        grow(home)
        with pytest.raises(HomeError) as error:
            waiting.publish(log_key(other))
        assert error.value.code == "behind-anchor"
    assert refusal(other) == "behind-anchor"


def test_another_log_s_anchor_is_refused(home: Home) -> None:
    """What is anchored has the log's own name in it."""
    anchor = anchored(home)
    own = anchor.checkpoint()
    assert own is not None
    other = Checkpoint("other.example/log", own.size, own.root)
    anchor.swap(anchor.read(), format_checkpoint(other))
    assert refusal(home) == "anchor-differs"


def test_an_anchor_that_somebody_else_moved_is_not_replaced(home: Home) -> None:
    """Only who knows what is anchored puts something else there."""
    anchor = anchored(home)
    before = anchor.read()
    with pytest.raises(HomeError) as caught:
        anchor.swap("what was there a while ago", "what is to come")
    assert caught.value.code == "anchor-moved"
    assert anchor.read() == before


@pytest.mark.parametrize("content", [b"", b"nothing\n", b"\xff\xfe", b"a\n1\n"])
def test_a_damaged_anchor_is_refused(home: Home, content: bytes) -> None:
    """Half a file is no checkpoint, and is never taken for none."""
    (anchored(home).folder / "checkpoint").write_bytes(content)
    assert refusal(home) == "anchor-unreadable"
    assert [found.code for found in audit(home).problems] == ["anchor-unreadable"]


def test_the_anchor_may_not_be_in_the_home(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There it would be copied and set back with all the rest."""
    for place in (home.path, home.path / "anchor", home.public / ".." / "a"):
        monkeypatch.setenv(VARIABLE, str(place))
        with pytest.raises(InputError) as error:
            Writer(home)
        assert error.value.code == "anchor-inside-home"
        with pytest.raises(InputError) as error:
            new_home(place)
        assert error.value.code == "anchor-inside-home"


def test_logs_share_a_folder_of_anchors(home: Home, tmp_path: Path) -> None:
    """Each log has a folder under its id, so none refuses another."""
    other = new_home(tmp_path / "second")
    assert anchored(home).folder.parent == anchored(other).folder.parent
    assert grow(home) == grow(other) == 3
    assert ORIGIN in (anchored(home).read() or "")
