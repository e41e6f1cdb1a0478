"""A log asks the witnesses of its policy: published, remembered, late ones told."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from ledger.asking import Asker
from ledger.asking import ask_witnesses
from ledger.asking import standings
from ledger.author import Author
from ledger.events.identity import Accredit
from ledger.home import Home
from ledger.keys.keyfile import CHEAPEST
from ledger.keys.ring import KeyRing
from ledger.setup import LOG_KEY
from ledger.setup import OPERATOR_KEY
from ledger.setup import create_home
from ledger.setup import currency_rules
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.note import Note
from ledger.tlog.note import Signature
from ledger.tlog.note import Vkey
from ledger.tlog.note import format_note
from ledger.tlog.note import format_vkey
from ledger.tlog.note import parse_note
from ledger.tlog.policy import check_policy
from ledger.witness.cosigning import Witness
from ledger.witness.folder import add_log
from ledger.witness.folder import found_witness
from ledger.witnessing import read_policy
from ledger.writer import Writer
from ledger.writer import now_ms
from tests.witness.servers import behaving
from tests.witness.servers import dead_port
from tests.witness.servers import serving

ORIGIN = "a.example/log"
SECONDS = 20.0


class Scene:
    """A log, and witnesses that know it."""

    def __init__(self, folder: Path) -> None:
        made = create_home(
            folder / "home",
            origin=ORIGIN,
            currencies=currency_rules(["SEK"]),
            passphrase=None,
            cost=CHEAPEST,
        )
        self.home = made.home
        self.vkey = made.vkey
        self.witnesses = [self._witness(folder, number) for number in (1, 2, 3)]

    def _witness(self, folder: Path, number: int) -> Witness:
        key = SigningKey(bytes([number]) * 32)
        place = folder / f"witness-{number}"
        found_witness(place, f"w{number}.example", key.public)
        add_log(place, self.vkey)
        return Witness(place, key)

    def write_policy(self, *urls: str) -> None:
        lines = [f"log {format_vkey(self.vkey)}"]
        names = []
        for witness, url in zip(self.witnesses, urls, strict=False):
            names.append(witness.vkey.name[:2])
            lines.append(f"witness {names[-1]} {format_vkey(witness.vkey)} {url}")
        lines += [f"group g {min(2, len(names))} {' '.join(names)}", "quorum g", ""]
        (self.home.path / "policy").write_text("\n".join(lines))

    @property
    def published(self) -> str:
        return (self.home.public / "checkpoint").read_text(encoding="utf-8")

    def late(self) -> dict[str, bool]:
        policy = read_policy(self.home)
        assert policy is not None
        return {each.witness.name: each.late for each in standings(self.home, policy)}

    def meets(self) -> bool:
        policy = read_policy(self.home)
        assert policy is not None
        return len(check_policy(policy, self.published).witnesses) > 0


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return Scene(tmp_path)


@pytest.fixture
def urls(scene: Scene) -> Iterator[list[str]]:
    with ExitStack() as stack:
        yield [stack.enter_context(serving(each)) for each in scene.witnesses]


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    until = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.02)


def silent(connection: socket.socket) -> None:
    """Say nothing until the other side has gone."""
    connection.settimeout(SECONDS)
    connection.recv(1)


def test_without_a_policy_nobody_is_asked(scene: Scene) -> None:
    """A home that names no witness works as ever."""
    before = scene.published
    assert ask_witnesses(scene.home) is None
    assert scene.published == before


def test_the_published_checkpoint_bears_the_cosignatures(
    scene: Scene, urls: list[str]
) -> None:
    """Two of three are there: the policy is met, and the third is called late."""
    scene.write_policy(*urls[:2], dead_port())
    signed = scene.published
    assert scene.late() == {"w1": True, "w2": True, "w3": True}
    gathered = ask_witnesses(scene.home)
    assert gathered is not None
    assert gathered.text == scene.published
    assert scene.published.startswith(signed)
    assert scene.meets()
    assert scene.late() == {"w1": False, "w2": False, "w3": True}


def test_those_who_cosigned_are_not_asked_again(scene: Scene, urls: list[str]) -> None:
    """A second round is for the late ones alone."""
    scene.write_policy(*urls[:2], dead_port())
    ask_witnesses(scene.home)
    again = ask_witnesses(scene.home)
    assert again is not None
    assert list(again.outcomes) == ["w3"]
    scene.write_policy(*urls)
    last = ask_witnesses(scene.home)
    assert last is not None
    assert {name: each.code for name, each in last.outcomes.items()} == {
        "w3": "cosigned"
    }
    assert scene.late() == {"w1": False, "w2": False, "w3": False}


def test_what_a_witness_said_is_remembered(scene: Scene, urls: list[str]) -> None:
    """How far it was, when, and what it said instead, also after it has failed."""
    scene.write_policy(urls[0])
    ask_witnesses(scene.home)
    policy = read_policy(scene.home)
    assert policy is not None
    strip_cosignatures(scene.home)
    scene.write_policy(dead_port())
    ask_witnesses(scene.home)
    said = standings(scene.home, policy)[0].said
    assert said is not None
    assert (said.code, said.size) == ("no-answer", 2)
    assert 0 < said.cosigned_ms <= said.asked_ms


def strip_cosignatures(home: Home) -> None:
    """Publish what the log alone signed."""
    path = home.public / "checkpoint"
    note = parse_note(path.read_text(encoding="utf-8"))
    path.write_text(format_note(Note(note.text, note.signatures[:1])))


@pytest.mark.parametrize("damage", [b"", b"{", b'{"x": 1}', b"\xff"])
def test_a_lost_memory_costs_one_question(
    scene: Scene, urls: list[str], damage: bytes
) -> None:
    """Whoever forgot where a witness was is told by it."""
    scene.write_policy(urls[0])
    ask_witnesses(scene.home)
    strip_cosignatures(scene.home)
    (scene.home.path / "witnesses.json").write_bytes(damage)
    gathered = ask_witnesses(scene.home)
    assert gathered is not None
    assert gathered.outcomes["w1"].code == "cosigned"


def test_a_forged_cosignature_counts_for_nothing(scene: Scene, urls: list[str]) -> None:
    """Whatever stands in the file, a witness whose line does not hold is late."""
    scene.write_policy(urls[0])
    note = parse_note(scene.published)
    vkey: Vkey = scene.witnesses[0].vkey
    forged = Signature(vkey.name, vkey.key_id, bytes(7) + bytes(65))
    forged_note = Note(note.text, (*note.signatures, forged))
    (scene.home.public / "checkpoint").write_text(format_note(forged_note))
    assert scene.late() == {"w1": True}
    ask_witnesses(scene.home)
    assert scene.late() == {"w1": False}
    assert scene.meets()


def test_good_ones_are_published_while_a_slow_one_is_waited_for(
    scene: Scene, urls: list[str]
) -> None:
    """A cosignature is there as soon as it has come."""
    with behaving(silent) as slow:
        scene.write_policy(slow, *urls[1:])
        asking = threading.Thread(
            target=partial(ask_witnesses, scene.home, seconds=3.0)
        )
        asking.start()
        eventually(lambda: sum(scene.late().values()) == 1)
        assert asking.is_alive()
        assert scene.meets()
    asking.join(SECONDS)


def test_until_the_policy_is_met_is_long_enough(scene: Scene, urls: list[str]) -> None:
    """Whoever wants a receipt waits for the quorum, and not for the slowest."""
    with behaving(silent) as slow:
        scene.write_policy(slow, *urls[1:])
        started = time.monotonic()
        ask_witnesses(scene.home, seconds=SECONDS, until_met=True)
        assert time.monotonic() - started < SECONDS / 2
    assert scene.meets()


def test_what_was_gathered_before_counts_towards_the_policy(
    scene: Scene, urls: list[str]
) -> None:
    """With one cosignature there already, the second is enough to stop waiting."""
    scene.write_policy(urls[0])
    ask_witnesses(scene.home)
    with behaving(silent) as slow:
        scene.write_policy(dead_port(), urls[1], slow)
        started = time.monotonic()
        ask_witnesses(scene.home, seconds=SECONDS, until_met=True)
        assert time.monotonic() - started < SECONDS / 2
    assert scene.late() == {"w1": False, "w2": False, "w3": True}


def test_a_slow_one_does_not_hold_up_the_next_round(
    scene: Scene, urls: list[str]
) -> None:
    """While one round waits for a silent witness, the next is asked and cosigned."""
    asked = []

    def note(connection: socket.socket) -> None:
        asked.append(1)
        silent(connection)

    with behaving(note) as slow, Writer(scene.home) as writer:
        scene.write_policy(slow, *urls[1:])
        with Asker(scene.home, seconds=4.0) as asker:
            eventually(lambda: sum(scene.late().values()) == 1)
            append_with(writer)
            assert sum(scene.late().values()) == 3
            published = time.monotonic()
            asker.wake()
            eventually(lambda: sum(scene.late().values()) == 1)
            assert time.monotonic() - published < 2.0
            assert len(asked) == 1
    assert scene.meets()


def append_more(scene: Scene) -> None:
    """Publish a larger tree."""
    with Writer(scene.home) as writer:
        append_with(writer)


def append_with(writer: Writer) -> None:
    """Publish a larger tree, by a writer that is there."""
    ring = KeyRing(writer.home.keys)
    key_file = ring.load(OPERATOR_KEY)
    author = Author(
        writer.log,
        key_file.party,
        key_file.unlock(),
        new_id=partial(os.urandom, 16),
        clock=now_ms,
    )
    accredit = Accredit(action="grant", party=key_file.party, role="auditor")
    author.say("accredit", accredit)
    writer.publish(ring.unlock(LOG_KEY))


def test_an_asker_asks_for_what_was_published_last(
    scene: Scene, urls: list[str]
) -> None:
    """Closing it right after a publication still brings the cosignatures."""
    scene.write_policy(*urls)
    with Asker(scene.home) as asker:
        append_more(scene)
        asker.wake()
    assert set(scene.late().values()) == {False}


def test_an_asker_outlives_a_policy_that_cannot_be_read(
    scene: Scene, urls: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """A mistake in the file is logged; once it is mended, witnesses are asked."""
    path = scene.home.path / "policy"
    path.write_text("witness\n")
    with Asker(scene.home) as asker:
        eventually(lambda: "were not asked" in caplog.text)
        scene.write_policy(*urls)
        asker.wake()
        eventually(lambda: not any(scene.late().values()))
