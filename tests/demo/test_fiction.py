"""The fictional demonstration: told, verified, and proof against one flipped bit."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.demo import run_demo
from ledger.demo.cast import MUSICIANS
from ledger.demo.cast import STRAY
from ledger.demo.stage import MARK
from ledger.errors import ConflictError
from ledger.query import Reader
from ledger.replay import State
from ledger.storage.sqlite import SqliteStore


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Tell the demonstration once, with tampering: its home, and what was said."""
    home = tmp_path_factory.mktemp("demo") / "home"
    said: list[str] = []
    run_demo(home, said.append, tampering=True)
    return home, said


def test_it_says_that_it_is_fictional(told: tuple[Path, list[str]]) -> None:
    """The first line said and the home itself tell that nobody in it is real."""
    home, said = told
    assert said[0].startswith("FICTIONAL")
    assert "FICTIONAL" in (home / MARK).read_text()


def test_every_role_gets_something_to_try(told: tuple[Path, list[str]]) -> None:
    """Each role finds its command or its page at the end."""
    text = "\n".join(told[1])
    for member in MUSICIANS:
        assert member.name in text
    for words in ("linernote statement", "linernote balances", "tools/verify.py"):
        assert words in text


def test_everybody_who_looks_notices_a_flipped_bit(
    told: tuple[Path, list[str]],
) -> None:
    """Database, public folder and proof each answer with a stable code."""
    text = "\n".join(told[1])
    for code in ("bad-signature", "bundle-mismatch", "bad-inclusion-proof"):
        assert f"FAILED {code}" in text


def test_the_home_itself_was_not_tampered_with(told: tuple[Path, list[str]]) -> None:
    """Tampering happens in copies: the home still proves its entries."""
    with Reader.open(told[0]) as reader:
        assert "c2sp.org/tlog-proof@v1" in reader.prove(0)


def test_what_was_used_without_a_licence_is_found(
    told: tuple[Path, list[str]],
) -> None:
    """The tape's owner is named, and the stray recording names nobody."""
    store = SqliteStore.open(told[0], read_only=True)
    findings = dict(State("full", store.rows).findings.items())
    store.close()
    named = {recording: row.owed for (_, recording, _), row in findings.items()}
    assert len(named["demo:kitchen-tape"]) == 1
    assert named[STRAY] == ()
    assert set(named) == {"demo:kitchen-tape", STRAY}


def test_a_second_telling_replaces_the_first(tmp_path: Path) -> None:
    """A home that a demonstration made may be made again, with other keys."""
    home, said = tmp_path / "home", list[str]()
    first = run_demo(home, said.append)
    second = run_demo(home, said.append)
    assert first.ok
    assert second.ok
    assert first.root != second.root


def test_no_other_home_is_replaced(tmp_path: Path) -> None:
    """A folder without the mark is refused, and nothing in it is touched."""
    precious = tmp_path / "home" / "ledger.db"
    precious.parent.mkdir()
    precious.write_text("precious")
    with pytest.raises(ConflictError) as refused:
        run_demo(precious.parent, lambda _: None)
    assert refused.value.code == "home-not-a-demonstration"
    assert precious.read_text() == "precious"
