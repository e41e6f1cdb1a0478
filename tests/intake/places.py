"""A log with labs that can say something new at any time, and a server of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path

from ledger.ahead import Chain
from ledger.ahead import parse_head
from ledger.drafts import Draft
from ledger.entry.sign import SignedEvent
from ledger.home import Home
from ledger.keys.ring import KeyRing
from ledger.staging import Staged
from ledger.tlog.ed25519 import SigningKey
from ledger.writer import now_ms
from tests.cli.conftest import Town

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60
ORIGIN = "town.example/log"


def found(folder: Path, *labs: str) -> Town:
    """Make a new log, with an operator and labs."""
    town = Town(folder / "home")
    init = ("init", "--origin", ORIGIN, "--currency", "SEK", "--no-passphrase")
    town.parties["operator"] = town.must(*init)["operator"]
    for name in labs:
        new = ("key", "new", name, "--role", "lab", "--register", "--no-passphrase")
        town.parties[name] = town.must(*new)["party"]
    return town


def log_key(town: Town) -> SigningKey:
    """Open the key that signs the log's checkpoints."""
    return _ring(town).load("log").unlock()


def _ring(town: Town) -> KeyRing:
    return KeyRing(Home(town.home).keys, os.urandom)


class Speaker:
    """A party of a town that signs one event after the other.

    Args:
        town: whose head it goes on from.
        name: of its key.
    """

    def __init__(self, town: Town, name: str) -> None:
        text = json.dumps(town.must("head", "--key", name))
        key_file = _ring(town).load(name)
        self.party = key_file.party
        self.chain: Chain = parse_head(text).chain(key_file.unlock(), self.party)

    def version(self, event_id: bytes | None = None) -> SignedEvent:
        """Say something new that the log takes from any lab."""
        body = {"model": "m", "parents": [], "synthetic": []}
        version = os.urandom(8).hex()
        return self.say("model.version", {**body, "version": version}, event_id)

    def versions(self, count: int) -> list[SignedEvent]:
        """Say so many new things."""
        return [self.version() for _ in range(count)]

    def say(
        self, kind: str, body: dict[str, object], event_id: bytes | None = None
    ) -> SignedEvent:
        """Sign an event."""
        draft = Draft(kind, body, event_id, None, kind)
        return self.chain.sign(draft, event_id=os.urandom(16), time=now_ms())

    def parties(self, staged: Staged, count: int) -> SignedEvent:
        """Sign an event of a registrar that brings so many parties in as lines."""
        lines = [
            {"party": bytes(12) + n.to_bytes(4, "big"), "type": "person"}
            for n in range(1, count + 1)
        ]
        whole = [{**line, "verified": False} for line in lines]
        draft = Draft("party", {}, None, None, "party")
        return self.chain.sign(
            draft,
            event_id=os.urandom(16),
            time=now_ms(),
            lines={"parties": whole},
            staged=staged,
        )


@contextmanager
def serving(
    home: Path, *options: str, program: Sequence[str] = ("-m", "ledger")
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Serve a home that takes events, on a free port; give process and address."""
    arguments = ["serve", "--port", "0", "--accept-events", *options]
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "LINERNOTE_HOME": str(home)}
    server = subprocess.Popen(
        [sys.executable, *program, *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env=variables,
    )
    try:
        assert server.stderr is not None
        seen = ""
        while not (found := re.search(r"http://\S+", seen)):
            line = server.stderr.readline()
            assert line, seen
            seen += line
        yield server, found[0]
    finally:
        server.kill()
        server.communicate(timeout=SECONDS)
