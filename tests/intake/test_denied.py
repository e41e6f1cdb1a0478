"""A server whose log a witness denies: at its start, or as soon as the witness speaks.

The whole machine was set back to yesterday, anchor included.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.remote import Client
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.note import COSIGNATURE_TYPE
from ledger.tlog.note import format_vkey
from ledger.tlog.note import make_vkey
from ledger.tlog.note import parse_vkey
from ledger.wire import Request
from ledger.witness.cosigning import Witness
from ledger.witness.folder import add_log
from ledger.witness.folder import found_witness
from tests.cli.conftest import Town
from tests.intake.places import SECONDS
from tests.intake.places import Speaker
from tests.intake.places import serving
from tests.witness.servers import dead_port
from tests.witness.servers import serving as witnessing

PARTS = ("home", "anchors")


@pytest.fixture
def address(town: Town, tmp_path: Path) -> Iterator[str]:
    """A witness that cosigned an entry which this machine does not know any more."""
    key = SigningKey(b"w" * 32)
    found_witness(tmp_path / "witness", "w.example", key.public)
    add_log(tmp_path / "witness", parse_vkey(town.vkey))
    witness = Witness(tmp_path / "witness", key)
    for part in PARTS:
        shutil.copytree(tmp_path / part, tmp_path / "yesterday" / part)
    with witnessing(witness) as url:
        name(town, url)
        body = {"action": "grant", "party": town.parties["operator"], "role": "auditor"}
        town.say("accredit", body, "operator", "--wait")
        for part in PARTS:
            shutil.rmtree(tmp_path / part)
            shutil.move(tmp_path / "yesterday" / part, tmp_path / part)
        yield url


def name(town: Town, url: str) -> None:
    """Name the witness in the policy of the home, at some address."""
    vkey = make_vkey("w.example", SigningKey(b"w" * 32).public, COSIGNATURE_TYPE)
    lines = f"log {town.vkey}\nwitness w {format_vkey(vkey)} {url}\nquorum w\n"
    (town.home / "policy").write_text(lines, encoding="utf-8")


def test_nothing_starts_to_write(town: Town, address: str) -> None:
    """The server ends with exit code 8 before it listens, and so does every command."""
    name(town, address)
    size = town.size
    done = town.run("serve", "--accept-events", "--port", 0)
    assert (done.code, done.error) == (8, "behind-witness")
    assert "restore --from" in done.err
    new = ("key", "new", "x", "--register", "--no-passphrase", "--role", "lab")
    assert town.run(*new).error == "behind-witness"
    asked = town.run("witness", "ask")
    assert (asked.code, asked.error) == (8, "behind-witness")
    assert town.run("audit").code == 0
    assert town.size == size


def test_a_running_server_ends(town: Town, address: str) -> None:
    """The witness was away at the start: the next publication makes it heard."""
    name(town, dead_port())
    speaker = Speaker(town, "lab")
    with serving(town.home) as (server, url):
        name(town, address)
        Client(url).append(Request([speaker.version()]))
        assert server.wait(SECONDS) == 8
        assert server.stderr is not None
        assert "witness-differs" in server.stderr.read()  # it has published since
