"""`linernote audit` and `rebuild`: everything verified, everything derived anew."""

from __future__ import annotations

import base64
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.storage.sqlite import SqliteStore
from tests.cli.conftest import Town


def test_an_audit_says_what_it_checked(paid: Town) -> None:
    """The document holds what ledger/docs/interface.md promises."""
    report = paid.must("audit")
    size = paid.size
    assert report["ok"] is True
    assert report["size"] == report["entries"] == report["signatures"] == size
    assert len(base64.b64decode(report["root"])) == 32
    assert len(report["state_digest"]) == len(report["full_digest"]) == 64
    assert report["problems"] == report["missing"] == []
    text = paid.run("audit")
    assert text.code == 0
    assert "signatures" in text.out
    assert report["full_digest"] in text.out
    assert text.out.endswith("ok: everything holds\n")


def test_workers_change_nothing(paid: Town) -> None:
    """The same report, however many processes verify."""
    assert paid.must("audit", "--workers", 2) == paid.must("audit", "--workers", 0)


def _flip_leaf(home: Path) -> None:
    """Change one byte of a signed event, where the database has it."""
    connection = sqlite3.connect(home / "ledger.db")
    triggers = connection.execute("SELECT name FROM sqlite_master WHERE type='trigger'")
    for (name,) in triggers.fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    (leaf,) = connection.execute(
        "SELECT leaf FROM entries WHERE entry_index = 3"
    ).fetchone()
    changed = bytearray(leaf)
    changed[len(leaf) // 2] ^= 1
    connection.execute(
        "UPDATE entries SET leaf = ? WHERE entry_index = 3", (bytes(changed),)
    )
    connection.commit()
    connection.close()


def _flip_tile(home: Path) -> None:
    path = max((home / "public" / "tile" / "0").rglob("*"), key=lambda p: len(str(p)))
    path.write_bytes(b"\0" * path.stat().st_size)


def _forge_checkpoint(home: Path) -> None:
    path = home / "public" / "checkpoint"
    path.write_text(path.read_text(encoding="utf-8") + "x", encoding="utf-8")


def _add_file(home: Path) -> None:
    (home / "public" / "more").write_text("x", encoding="utf-8")


@pytest.mark.parametrize(
    "tamper", [_flip_leaf, _flip_tile, _forge_checkpoint, _add_file]
)
def test_whatever_was_changed_fails_the_audit(
    paid: Town, tamper: Callable[[Path], None]
) -> None:
    """A changed byte anywhere exits 4, with a problem that names it."""
    tamper(paid.home)
    done = paid.run("audit", "--json")
    assert done.code == 4
    assert done.json["ok"] is False
    assert done.json["problems"]
    text = paid.run("audit")
    assert text.code == 4
    assert done.json["problems"][0]["code"] in text.out
    assert "FAILED" in text.out


def test_what_is_missing_is_not_verified(paid: Town) -> None:
    """A file that should be there and is not exits 5, never 0."""
    shutil.rmtree(paid.home / "public" / "tile")
    done = paid.run("audit", "--json")
    assert (done.code, done.json["ok"]) == (5, True)
    assert done.json["missing"]
    assert "could not" in paid.run("audit").out


def test_rebuilding_gives_the_same_state_and_answers(paid: Town) -> None:
    """Derived tables can be thrown away: the log gives them again, to the byte."""
    paid.must("distribute", "--run", "run-1", "--licence", paid.at["licence"])
    report, found = paid.must("audit"), paid.must("search", "town:", "--limit", 900)
    statement = paid.must("statement", "town:ada")
    store = SqliteStore.open(paid.home)
    with store.transaction():
        store.clear_derived()
    store.close()
    done = paid.run("show", 0)
    assert done.code in {0, 3, 8}
    done = paid.refused("party.verify", {"party": "00" * 16}, "operator")
    assert (done.code, done.error) == (8, "state-behind")
    assert "linernote rebuild" in done.err
    rebuilt = paid.must("rebuild")
    assert rebuilt["entries"] == report["size"]
    assert rebuilt["problems"] == 0
    assert paid.must("audit") == report
    assert paid.must("search", "town:", "--limit", 900) == found
    assert paid.must("statement", "town:ada") == statement
    assert "derived anew" in paid.run("rebuild").out


def test_derived_tables_that_lie_are_found_and_mended(paid: Town) -> None:
    """An audit compares the tables with the log; a rebuild puts them right."""
    paid.must("distribute", "--run", "run-1", "--licence", paid.at["licence"])
    connection = sqlite3.connect(paid.home / "ledger.db")
    connection.execute("DELETE FROM state WHERE part = 'credit'")
    connection.commit()
    connection.close()
    done = paid.run("audit", "--json")
    assert done.code == 4
    assert [each["code"] for each in done.json["problems"]] == ["derived-differs"]
    paid.must("rebuild")
    assert paid.must("audit")["ok"] is True
