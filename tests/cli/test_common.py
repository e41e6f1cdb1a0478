"""What commands share: progress that is shown where it helps, and tables."""

from __future__ import annotations

import io
import sys

import pytest

from ledger.cli import common
from ledger.cli.common import Progress
from ledger.cli.documents import fields
from ledger.cli.documents import print_document
from ledger.cli.documents import table


class Terminal(io.StringIO):
    """Standard error on a terminal."""

    def isatty(self) -> bool:
        """Say that it is one."""
        return True


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands at the last number of the list."""
    now = [0.0]
    monkeypatch.setattr("ledger.cli.common.time.monotonic", lambda: now[-1])
    return now


def test_short_work_shows_no_progress(
    seconds: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is over in a moment leaves nothing on the terminal."""
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with Progress("auditing") as progress:
        for done in range(10):
            seconds.append(done / 100)
            progress(done, 10)
    assert terminal.getvalue() == ""


def test_long_work_shows_a_bar_on_a_terminal(
    seconds: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a moment a bar appears, with what is being done."""
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with Progress("auditing") as progress:
        for done in range(10):
            seconds.append(done)
            progress(done, 10)
    shown = terminal.getvalue()
    assert "auditing" in shown
    assert "%" in shown


def test_long_work_says_so_now_and_then_elsewhere(
    seconds: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    """In a file or a pipe a line comes every few seconds, not for every entry."""
    with Progress("auditing") as progress:
        for done in range(100):
            seconds.append(done)
            progress(done, 100)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "auditing: 16 of 100"
    assert 4 <= len(lines) <= 100 / common.LINE_EVERY_SECONDS


def test_tables_stand_under_one_another() -> None:
    """Columns are as wide as their widest cell, in what a terminal shows."""
    rows = [["a", "1"], ["\u97f3\u697d", "20"]]
    assert list(table(rows, right={1})) == ["a      1", "\u97f3\u697d  20"]
    assert list(table([])) == []
    assert list(fields([("a", "1"), ("bcd", "2")])) == ["  a    1", "  bcd  2"]
    assert list(fields([])) == []


def test_documents_are_json_whatever_the_terminal_speaks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the output cannot hold a character, JSON escapes it."""
    for encoding, expected in (("utf-8", "\u00f0"), ("ascii", "\\u00f0")):
        data = io.BytesIO()
        out = io.TextIOWrapper(data, encoding=encoding)
        monkeypatch.setattr(sys, "stdout", out)
        print_document({"name": "\u00f0"})
        out.flush()
        assert expected in data.getvalue().decode()
        monkeypatch.undo()
