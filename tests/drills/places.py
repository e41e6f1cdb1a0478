"""A log home for drills: made by the library, anchored in a folder of its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from ledger.anchor import Anchor
from ledger.anchor import anchor_of
from ledger.anchor import log_id_of
from ledger.audit import Audit
from ledger.audit import Report
from ledger.author import Author
from ledger.entry.verify import prove_key
from ledger.events.identity import Party
from ledger.events.lines import PartyLine
from ledger.events.types import ManifestRef
from ledger.home import Home
from ledger.keys.ring import KeyRing
from ledger.setup import LOG_KEY
from ledger.setup import OPERATOR_KEY
from ledger.setup import create_home
from ledger.setup import currency_rules
from ledger.storage.sqlite import SqliteStore
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.note import Vkey
from ledger.tlog.note import make_vkey
from ledger.writer import Writer
from ledger.writer import now_ms

ORIGIN = "drill.example/log"


class Clock:
    """A clock that tells what it is set to.

    Args:
        now: ms since 1970.
    """

    def __init__(self, now: int | None = None) -> None:
        self.now = now_ms() if now is None else now

    def __call__(self) -> int:
        return self.now


def new_home(path: Path, clock: Clock | None = None) -> Home:
    """Make a log home."""
    founded = create_home(
        path,
        origin=ORIGIN,
        currencies=currency_rules(["SEK"]),
        passphrase=None,
        clock=clock or now_ms,
    )
    return founded.home


def log_key(home: Home) -> SigningKey:
    """Open the key that signs checkpoints."""
    return KeyRing(home.keys).unlock(LOG_KEY)


def vkey(home: Home) -> Vkey:
    """Give the verifier key of checkpoints."""
    return make_vkey(ORIGIN, log_key(home).public)


def say(writer: Writer, name: str) -> int:
    """Register a party; return the index of the entry."""
    key = SigningKey(os.urandom(32))
    log, party = writer.identity.log, os.urandom(16)
    body = Party(
        external=f"drill:{name}",
        party=party,
        proof=prove_key(key, log=log, party=party, purpose="root"),
        public=key.public,
        type="organisation",
    )
    return _operator(writer).say("party", body).index


def say_many(writer: Writer, count: int) -> int:
    """Register people, by a manifest of so many lines; return the entry's index."""
    lines = [
        PartyLine(
            external=f"drill:p{number:06d}",
            party=number.to_bytes(16, "big"),
            type="person",
            verified=True,
        )
        for number in range(1, count + 1)
    ]

    def body(refs: Mapping[str, ManifestRef]) -> Party:
        return Party(parties=refs["parties"])

    return _operator(writer).say("party", body, {"parties": lines}).index


def _operator(writer: Writer) -> Author:
    return Author(
        writer.log,
        writer.identity.operator,
        KeyRing(writer.home.keys).unlock(OPERATOR_KEY),
        new_id=lambda: os.urandom(16),
        clock=writer.clock,
    )


def grow(home: Home, count: int = 1, clock: Clock | None = None) -> int:
    """Append entries and publish them; return the size."""
    with Writer(home, clock or now_ms) as writer:
        for number in range(count):
            say(writer, f"{writer.log.size}-{number}")
        return writer.publish(log_key(home)).size


def size_of(home: Home) -> int:
    """Count the entries of a home."""
    with closing(SqliteStore.open(home.path, read_only=True)) as store:
        return store.size()


def anchored(home: Home) -> Anchor:
    """Give the anchor of a home."""
    with closing(SqliteStore.open(home.path, read_only=True)) as store:
        return anchor_of(home.path, log_id_of(store) or b"")


def audit(home: Home) -> Report:
    """Audit a home with all that belongs to it."""
    with closing(SqliteStore.open(home.path, read_only=True)) as store:
        anchor = anchor_of(home.path, log_id_of(store) or b"")
        return Audit(store, home.public, anchor, workers=0).run()


def copy(home: Home, path: Path) -> Home:
    """Copy a home as `cp -r` does."""
    shutil.copytree(home.path, path)
    return Home(path)
