"""Appending beside what it cannot do without: verification, and a durable commit.

A log of 1,000,000 entries is no slower than one of 10,000: an append, a proof and
opening it read a bounded number of rows.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import islice
from pathlib import Path
from statistics import median

from nacl.bindings import crypto_sign_open

from ledger.entry.envelope import EVENT_TAG
from ledger.entry.envelope import decode_event
from ledger.entry.sign import SignedEvent
from ledger.errors import LedgerError
from ledger.log import Log
from ledger.storage.sqlite import SqliteStore
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import sign_checkpoint
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.merkle import prove_inclusion
from ledger.tlog.merkle import tree_root
from tests.bench.logs import Builder
from tests.bench.measure import Stopwatch
from tests.bench.measure import sized
from tests.bench.measure import tell
from tests.bench.measure import tell_at_most
from tests.bench.measure import timed

EVENTS = sized(full=40_000, tiny=200)
BATCH = 2_000
SINGLES = sized(full=300, tiny=3)
SMALL, LARGE = sized(full=10_000, tiny=200), sized(full=1_000_000, tiny=400)
KEY = SigningKey(bytes(31) + b"\x01")


def test_batches(tmp_path: Path) -> None:
    """Batches end to end, checkpoint signed, beside raw verification."""
    store = SqliteStore.create(tmp_path)
    builder = Builder(store)
    events = builder.events()
    watch = Stopwatch()
    for _ in range(EVENTS // BATCH or 1):
        batch = list(islice(events, min(BATCH, EVENTS)))
        items = [_raw(builder.log, signed) for signed in batch]
        with watch.on("raw"):
            for signed, public in items:
                crypto_sign_open(signed, public)
        with watch.on("append"):
            _append(builder.log, batch)
            _checkpoint(store)
    store.close()
    share = watch.seconds["raw"] / watch.seconds["append"]
    tell("appending batches, of raw verification per core", share, 0.6)


def test_one_event(tmp_path: Path) -> None:
    """One event, acknowledged durably, beside a bare commit and two signatures."""
    store = SqliteStore.create(tmp_path)
    builder = Builder(store)
    builder.fill(sized(2_000, 200))
    events = builder.events()
    bare = _bare(tmp_path / "bare.db", store)
    alone: list[float] = []
    limit: list[float] = []
    for number, signed in enumerate(islice(events, SINGLES)):
        item, public = _raw(builder.log, signed)
        with timed(limit):
            crypto_sign_open(item, public)
            KEY.sign(signed.event)
            bare.execute("BEGIN IMMEDIATE")
            bare.execute("INSERT INTO entries VALUES (?, ?)", (number, signed.event))
            bare.execute("COMMIT")
        with timed(alone):
            _append(builder.log, [signed])
    bare.close()
    store.close()
    times = median(alone) / median(limit)
    tell_at_most("one event, times a bare commit and two signatures", times, 3)


def test_a_large_log(tmp_path: Path) -> None:
    """Opening, proving and appending do not grow with the log."""
    costs = []
    for size in (SMALL, LARGE):
        folder = tmp_path / str(size)
        folder.mkdir()
        store = SqliteStore.create(folder)
        builder = Builder(store)
        builder.fill(size)
        batches = [list(islice(builder.events(), BATCH if size > BATCH else 50))]
        watch = Stopwatch()
        for batch in batches:
            with watch.on("append"):
                _append(builder.log, batch)
        costs.append(watch.seconds["append"] / len(batches[0]))
        store.close()
    opening: list[float] = []
    with timed(opening):
        store = SqliteStore.open(tmp_path / str(LARGE))
        log = Log(store, lambda: 0)
    proofs: list[float] = []
    for number in range(1_000 if LARGE > SMALL * 10 else 10):
        index = number * 7_919 % LARGE
        with timed(proofs):
            prove_inclusion(index, log.size, store.nodes)
    store.close()
    tell_at_most("opening a log", opening[0], 1, " s")
    tell_at_most("an inclusion proof, median", 1_000 * median(proofs), 1, " ms")
    tell_at_most("an append to the large log, times a small", costs[1] / costs[0], 1.2)


def _raw(log: Log, signed: SignedEvent) -> tuple[bytes, bytes]:
    key = log.state.keys.need(decode_event(signed.event).key)
    return signed.signature + EVENT_TAG + signed.event, key.public


def _append(log: Log, batch: list[SignedEvent]) -> None:
    for answer in log.append(batch):
        if isinstance(answer, LedgerError):
            raise answer


def _checkpoint(store: SqliteStore) -> None:
    size = store.size()
    checkpoint = Checkpoint("bench.example/log", size, tree_root(size, store.nodes))
    before = store.checkpoint()
    with store.transaction():
        text = sign_checkpoint(checkpoint, "bench.example/log", KEY)
        store.swap_checkpoint(before, text)


def _bare(path: Path, store: SqliteStore) -> sqlite3.Connection:
    """Open a database of one table that is as durable as the store."""
    with closing(store._connection.execute("PRAGMA journal_mode")) as mode:
        journal = mode.fetchone()[0]
    with closing(store._connection.execute("PRAGMA synchronous")) as level:
        synchronous = level.fetchone()[0]
    bare = sqlite3.connect(path, isolation_level=None)
    bare.execute(f"PRAGMA journal_mode = {journal}")
    bare.execute(f"PRAGMA synchronous = {synchronous}")
    bare.execute("CREATE TABLE entries (entry_index INTEGER PRIMARY KEY, leaf BLOB)")
    return bare
