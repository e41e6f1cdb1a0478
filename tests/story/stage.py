"""The stage of the story: a log, its speakers and their keys, a clock that counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from itertools import count

from ledger.anchor import Anchor
from ledger.author import Author
from ledger.home import Home
from ledger.log import Log
from ledger.publish import publish
from ledger.replay.rules_payments import pool_id
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.note import Vkey
from ledger.tlog.note import make_vkey

ORIGIN = "demo.example/log"
START_MS = 1_764_000_000_000  # 2025-11-24, 16:00 UTC
STEP_MS = 60_000
FEE_MICRO = 1_000_000_000_000
OUTSIDE = "demo:zz"
"""A recording that the lab trains on, and no catalogue has."""
NAMES = {
    "operator": "Registry of Elms",
    "society": "Society Birch",
    "lab": "Lab Alder",
    "artist0": "Ottoline Brackwater",
    "artist1": "Dobb Quillfeather",
    "artist2": "Ðagný Testdóttir",
}
TITLES = ["Wren in the Stairwell", "Nine Lamps", "Salt Road", "Paper Lanterns"]


def party_id(name: str) -> bytes:
    """Make the id of a party that can be read in a hex dump."""
    return name.encode().ljust(16, b".")


def signing_key(name: str) -> SigningKey:
    """Make the key of a name, from its own seed."""
    return SigningKey(name.encode().ljust(32, b"k"))


def recording_id(number: int) -> str:
    """Make a recording's external id."""
    return f"demo:r{number:06d}"


@dataclass
class Story:
    """A log with everybody who speaks on it.

    Attributes:
        log: open for writing, until `close`.
        home: of the log, or None if it only is in a store.
        recordings: external ids in the catalogue, ascending.
        at: name of what happened to the index of its entry.
    """

    log: Log
    home: Home | None
    recordings: list[str]
    ticks: Iterator[int] = field(default_factory=lambda: count(1))
    at: dict[str, int] = field(default_factory=dict)
    artists: tuple[bytes, ...] = tuple(party_id(f"artist{n}") for n in range(3))
    run: str = "run-1"

    def clock(self) -> int:
        """Give the next moment, ms since 1970."""
        return START_MS + STEP_MS * next(self.ticks)

    def author(self, name: str, purpose: str = "sign") -> Author:
        """Give a party with its root or its sign key."""
        return Author(
            self.log,
            party_id(name),
            signing_key(name + purpose),
            new_id=lambda: next(self.ticks).to_bytes(16, "big"),
            clock=self.clock,
        )

    @property
    def operator(self) -> Author:
        """The registry that runs the log."""
        return self.author("operator")

    @property
    def society(self) -> Author:
        """The collecting society."""
        return self.author("society")

    @property
    def lab(self) -> Author:
        """The lab that trains."""
        return self.author("lab")

    @property
    def log_id(self) -> bytes:
        """The log's id."""
        return self.log.state.need_log().log

    @property
    def vkey(self) -> Vkey:
        """What checkpoints are verified by."""
        return make_vkey(ORIGIN, signing_key("log").public)

    @property
    def pool(self) -> bytes:
        """Pool id of the story's run under its licence."""
        return pool_id(self.at["licence"], self.run)

    def publish(self) -> Checkpoint:
        """Write the public folder and sign its checkpoint; needs a home."""
        assert self.home is not None
        key, path = signing_key("log"), self.home.path
        # Every telling is the same log: each has its own anchor.
        anchor = Anchor(path.with_name(f"{path.name}-anchor"))
        return publish(self.log.store, self.home.public, ORIGIN, [key], anchor)

    def close(self) -> None:
        """Let go of the store, so that another may write."""
        self.log.store.close()
