"""Nothing that a command is given can act on the terminal that it prints to."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.note import format_vkey
from ledger.tlog.note import make_vkey
from tests.cli.conftest import Run

VKEY = format_vkey(make_vkey("x.example", SigningKey(bytes(32)).public))

HOSTILE = "p\x1b[2J\x9b\u202e.tlog-proof"
FORGED = "a.tlog-proof: verified: entry 1\nb.tlog-proof"


@pytest.mark.parametrize("name", [HOSTILE, FORGED])
def test_a_file_name_forges_no_line(run: Run, tmp_path: Path, name: str) -> None:
    """A name is shown escaped, on its own line, with what was found of its file."""
    path = tmp_path / name
    path.write_text("no proof")
    done = run("verify", str(path), "--vkey", VKEY)
    assert "is no proof" in done.out
    shown = done.out + done.err
    assert not {"\x1b", "\x9b", "\u202e"} & set(shown)
    assert "\nb.tlog-proof" not in done.out


def test_an_error_shows_no_control_codes(run: Run, tmp_path: Path) -> None:
    """Codes in a path are escaped in what is said of it."""
    done = run("audit", "--home", str(tmp_path / "\x1b[2Jhome"))
    assert r"\x1b[2Jhome" in done.err
    assert "\x1b" not in done.err
