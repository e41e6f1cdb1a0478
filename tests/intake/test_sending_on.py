"""`linernote append --to` a log that succeeds another (format.md §7)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.errors import VerificationError
from ledger.home import Home
from ledger.keys.ring import KeyRing
from ledger.remote import Chain
from ledger.remote import Remembered
from ledger.remote import is_proven
from ledger.remote import verified_seen
from ledger.tlog.note import parse_vkey
from tests.cli.conftest import Town
from tests.cli.conftest import run_command
from tests.intake.places import serving
from tests.intake.sending import answers
from tests.intake.sending import memory
from tests.intake.sending import send
from tests.intake.sending import versions

NEXT = "town.example/log-2"


@pytest.fixture
def after(town: Town, away: Path) -> Town:
    """A log that succeeds the town's, for which the lab has signed once."""
    with serving(town.home) as (_, url):
        answers(send(url, versions("a"), "--wait"))
    successor = Town(town.home.with_name("next"), town.at, town.parties)
    init = ("init", "--origin", NEXT, "--succeeds", town.home, "--no-passphrase")
    done = run_command(*init, "--home", successor.home)
    assert done.code == 0, done
    return successor


@pytest.fixture
def url(after: Town) -> Iterator[str]:
    with serving(after.home) as (_, address):
        yield address


def test_a_key_goes_on_at_a_successor(after: Town, away: Path, url: str) -> None:
    """With the successor's key: its chain starts anew, and the tree goes on."""
    size = after.size
    refused = send(url, versions("b"))
    assert (refused.code, refused.error) == (4, "wrong-log-key")
    options = ("--vkey", after.vkey, "--wait")
    assert answers(send(url, versions("b"), *options))[0]["index"] == size
    said = json.loads(memory(away).read_text())
    assert (said["seq"], said["log"]) == (1, after.must("head")["log"])
    assert answers(send(url, versions("c")))[0]["index"] == size + 1


def test_a_new_signer_begins_at_a_successor(after: Town, away: Path, url: str) -> None:
    """Without a memory the log is believed by the key that it has."""
    memory(away).unlink()
    assert answers(send(url, versions("b"), "--wait"))[0]["index"] == after.size - 1


def test_what_was_seen_and_lost_is_said(after: Town, away: Path, url: str) -> None:
    """A successor that lacks entries seen before is not gone on with unasked."""
    said = json.loads(memory(away).read_text())
    memory(away).write_text(json.dumps({**said, "size": after.size + 5}))
    refused = send(url, versions("b"), "--vkey", after.vkey)
    assert (refused.code, refused.error) == (4, "log-changed")
    memory(away).write_text(json.dumps({**said, "root": "00" * 32}))
    refused = send(url, versions("b"), "--vkey", after.vkey)
    assert (refused.code, refused.error) == (4, "fork")


def test_a_genesis_is_of_the_log_that_signs(town: Town, after: Town) -> None:
    """A successor has its predecessor's genesis too, and is not that log."""
    trust, public = parse_vkey(after.vkey), str(after.home / "public")
    old, new = (bytes.fromhex(each.must("head")["log"]) for each in (town, after))
    begin = after.must("head")["genesis"]
    assert begin == town.size > 0
    assert town.must("head")["genesis"] == 0
    assert verified_seen(public, trust, new, begin, None).log == new
    for log, index in (
        (old, 0),
        (new, 0),
        (old, begin),
        (new, begin - 1),
        (new, begin + 1),
        (new, 10**9),
    ):
        with pytest.raises(VerificationError) as refused:
            verified_seen(public, trust, log, index, None)
        assert refused.value.code == "log-changed", (log, index)
    other = Remembered(b"o" * 32, "", 0, bytes(32), 0, bytes(32))
    with pytest.raises(VerificationError) as changed:
        verified_seen(public, trust, new, begin, other)
    assert changed.value.code == "log-changed"


def test_a_chain_of_the_predecessor_is_none_of_the_successor(
    town: Town, after: Town
) -> None:
    """What a key signed for the log before does not move its chain on this one."""
    trust, public = parse_vkey(after.vkey), str(after.home / "public")
    lab = KeyRing(Home(town.home).keys, os.urandom).load("lab").public
    head, (place,) = after.must("head"), town.must("head", "--key", "lab")["keys"]
    before = Remembered(bytes.fromhex(head["log"]), "", 0, bytes(32), 0, bytes(32))
    old = Chain(lab, place["seq"], bytes.fromhex(place["prev"]), 0, place["newest"])
    assert is_proven(public, trust, before, old)
    with pytest.raises(VerificationError) as refused:
        is_proven(public, trust, before, old._replace(genesis=head["genesis"]))
    assert refused.value.code == "chain-contradicted"
