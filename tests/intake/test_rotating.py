"""The log's key is changed while the log is served: no event is refused meanwhile."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.entry.verify import prove_log_key
from ledger.errors import InputError
from ledger.errors import LedgerError
from ledger.home import Home
from ledger.intake import Intake
from ledger.keys.ring import KeyRing
from ledger.remote import Client
from ledger.tlog.checkpoint import open_checkpoint
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.note import parse_note
from ledger.tlog.note import parse_vkey
from ledger.wire import Request
from ledger.writer import Writer
from tests.cli.conftest import Town
from tests.intake.places import SECONDS
from tests.intake.places import Speaker
from tests.intake.places import log_key
from tests.intake.places import serving


def checkpoint_of(town: Town) -> str:
    """Read what is published."""
    return (town.home / "public" / "checkpoint").read_text(encoding="utf-8")


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    until = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)


def signers(town: Town) -> int:
    """Count the signatures of what is published."""
    return len(parse_note(checkpoint_of(town)).signatures)


def added(town: Town, made: SigningKey) -> dict[str, object]:
    """Give the body of an event that adds a log key."""
    log = bytes.fromhex(town.must("head")["log"])
    proof = prove_log_key(made, log).hex()
    return {"action": "add", "proof": proof, "public": made.public.hex()}


class Talker(threading.Thread):
    """A lab that says something new all the time.

    Attributes:
        taken: indexes of what was taken.
        refused: what was said of the rest.
    """

    def __init__(self, town: Town, url: str) -> None:
        super().__init__(daemon=True)
        self.taken: list[int] = []
        self.refused: list[LedgerError] = []
        self._speaker, self._client = Speaker(town, "lab"), Client(url)
        self._over = threading.Event()

    def run(self) -> None:
        """Talk."""
        while not self._over.wait(0.05):
            (answer,) = self._client.append(Request([self._speaker.version()]))
            if isinstance(answer.said, LedgerError):
                self.refused.append(answer.said)
                return
            self.taken.append(answer.said.index)

    def end(self) -> None:
        """Have talked."""
        self._over.set()
        self.join(SECONDS)


def test_a_rotation_while_a_lab_goes_on(town: Town) -> None:
    """Added, published by both, retired, published by the new one; and started anew."""
    old = town.vkey
    with serving(town.home) as (server, url):
        talker = Talker(town, url)
        talker.start()
        eventually(lambda: len(talker.taken) > 3)
        told = town.must("key", "rotate", "log", "--no-passphrase", "--to", url)
        assert told["name"] == "log-2"
        eventually(lambda: signers(town) == 2)
        both = [parse_vkey(each) for each in town.must("vkey")["vkeys"]]
        between = open_checkpoint(checkpoint_of(town), *both).size
        assert between > told["entry"]
        eventually(lambda: talker.taken[-1] > between)
        told = town.must("key", "retire", "log", "--yes", "--to", url)
        eventually(lambda: signers(town) == 1)
        new = town.vkey
        assert new != old
        eventually(lambda: talker.taken[-1] > told["entry"] + 1)
        talker.end()
        assert not talker.refused
        server.send_signal(signal.SIGTERM)
        assert server.wait(SECONDS) == 0
    assert open_checkpoint(checkpoint_of(town), parse_vkey(new)).size == town.size
    assert json.loads(town.run("audit", "--json").out)["ok"]
    (town.home / "keys" / "log.key").unlink()
    with serving(town.home) as (_, url):
        said = Client(url).append(Request([Speaker(town, "lab").version()]))
        assert not isinstance(said[0].said, LedgerError)


def test_a_locked_key_joins_under_the_passphrase_that_was_given(town: Town) -> None:
    """The server has it from its start; a key under another is refused and taken away.

    The old key was made without a passphrase here: what counts is what was given.
    """
    with serving(town.home) as (_, url):
        done = town.run(
            *("key", "rotate", "log", "--to", url), LINERNOTE_PASSPHRASE="unheard of"
        )
        assert (done.code, done.error) == (3, "log-key-not-here")
        assert not (town.home / "keys" / "log-2.key").exists()
    size = town.size
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LINERNOTE_PASSPHRASE", "the servers own")
        with serving(town.home) as (_, url):
            rotated = town.run(
                *("key", "rotate", "log", "--to", url),
                LINERNOTE_PASSPHRASE="the servers own",
            )
            assert rotated.code == 0, rotated
            eventually(lambda: signers(town) == 2)
    assert town.size == size + 1


def test_a_key_that_is_not_here_is_not_added(town: Town) -> None:
    """After such an entry nothing could be published: the batch that has it is refused.

    Who sent it is told which event it was; the log goes on.
    """
    made = SigningKey(os.urandom(32))
    events = [
        Speaker(town, "lab").version(),
        Speaker(town, "operator-root").say("log.key", added(town, made)),
    ]
    size = town.size
    with Writer(Home(town.home)) as writer, Intake(writer, [log_key(town)]) as intake:
        for batch, position in ((events, 1), (events[1:], None)):
            with pytest.raises(InputError) as refused:
                intake.append(batch, atomic=True)
            assert refused.value.code == "log-key-not-here"
            assert refused.value.position == position
        assert intake.append(events[:1])
    assert town.size == size + 1


def test_a_key_is_looked_for_once(town: Town) -> None:
    """Whoever sends the same again costs no second opening of a key file."""
    made, looked = SigningKey(os.urandom(32)), []

    def find(public: bytes) -> SigningKey:
        looked.append(public)
        return made

    event = Speaker(town, "operator-root").say("log.key", added(town, made))
    with (
        Writer(Home(town.home)) as writer,
        Intake(writer, [log_key(town)], find_log_key=find) as intake,
    ):
        first = intake.append([event], atomic=True)[0]
        again = intake.append([event], atomic=True)[0]
        assert not isinstance(first, LedgerError)
        assert not isinstance(again, LedgerError)
        assert (again.index, again.repeated) == (first.index, True)
        intake.wait_published(first.index, SECONDS)
    assert looked == [made.public]
    assert signers(town) == 2


def test_what_the_commands_say_of_a_server(town: Town) -> None:
    """Without --to they name it; with it, other keys than the log's are no matter."""
    with serving(town.home) as (_, url):
        done = town.run("key", "rotate", "log", "--no-passphrase")
        assert (done.code, done.error) == (8, "home-in-use")
        assert "--to" in done.err
        assert KeyRing(Home(town.home).keys, os.urandom).names().count("log-2") == 0
        done = town.run("key", "rotate", "lab", "--no-passphrase", "--to", url)
        assert done.code == 2
        done = town.run("key", "retire", "log", "--yes", "--to", url)
        assert done.error == "last-log-key"
    assert Path(town.home / "keys" / "log.key").exists()
