"""Audit and replay beside raw libsodium verification of the same signatures."""

from __future__ import annotations

import subprocess
import sys
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import pytest
from nacl.bindings import crypto_sign_open

from ledger.audit import Audit
from ledger.audit.verifying import CHUNK_LENGTH
from ledger.audit.verifying import decoded_entries
from ledger.entry.envelope import EVENT_TAG
from ledger.entry.envelope import decode_entry
from ledger.entry.envelope import decode_event
from ledger.log import StoredLines
from ledger.replay import Replay
from ledger.replay import State
from ledger.storage.spill import SpillRows
from ledger.storage.sqlite import SqliteStore
from tests.bench.logs import Builder
from tests.bench.measure import Stopwatch
from tests.bench.measure import sized
from tests.bench.measure import tell
from tests.bench.measure import tell_at_most

SIZE = sized(full=100_000, tiny=600)
CHUNK = 2_000
ROOT = Path(__file__).parents[2]


class Signature(NamedTuple):
    """What libsodium alone is given."""

    signed: bytes
    public: bytes


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a log of `SIZE` entries by 64 keys."""
    folder = tmp_path_factory.mktemp("bench")
    build(folder, SIZE)
    return folder


def build(folder: Path, size: int) -> None:
    """Fill a new store with a log."""
    store = SqliteStore.create(folder)
    Builder(store).fill(size)
    store.close()


def signatures(store: SqliteStore, start: int, stop: int) -> list[Signature]:
    """Collect what raw verification needs of some entries."""
    state = State("full", store.rows)
    found = []
    for leaf in store.leaves(start, stop):
        entry = decode_entry(leaf)
        key = state.keys.need(decode_event(entry.event).key)
        signed = entry.signature + EVENT_TAG + entry.event
        found.append(Signature(signed, key.public))
    return found


def verify_raw(items: list[Signature]) -> None:
    """Verify signatures by libsodium and nothing else."""
    for signed, public in items:
        crypto_sign_open(signed, public)


def test_replay(home: Path, tmp_path: Path) -> None:
    """Replay, reading and decoding included, beside raw verification, one core."""
    store = SqliteStore.open(home, read_only=True)
    joined = store.leaf_hashes(0, SIZE)
    hashes = [joined[place : place + 32] for place in range(0, len(joined), 32)]
    watch = Stopwatch()
    with SpillRows(tmp_path) as rows:
        replay = Replay(State("full", rows), hashes.__getitem__, StoredLines(store))
        for start in range(0, SIZE, CHUNK):
            stop = min(start + CHUNK, SIZE)
            items = signatures(store, start, stop)
            with watch.on("raw"):
                verify_raw(items)
            with watch.on("replay"):
                for first in range(start, stop, CHUNK_LENGTH):
                    last = min(first + CHUNK_LENGTH, stop)
                    leaves = list(store.leaves(first, last))
                    entries = list(decoded_entries(leaves, hashes[first:last], first))
                    for entry in entries:
                        problem = replay.apply(entry)
                        if problem is not None:
                            pytest.fail(problem.message)
        assert replay.state.size == SIZE
    store.close()
    times = watch.seconds["raw"] / watch.seconds["replay"]
    tell("replay of a verified log, times raw verification", times, 4)


def test_audit(home: Path) -> None:
    """The audit of a log beside raw verification, both by a process for each core."""
    store = SqliteStore.open(home, read_only=True)
    watch = Stopwatch()
    chunks = [
        signatures(store, start, min(start + CHUNK, SIZE))
        for start in range(0, SIZE, CHUNK)
    ]
    with watch.on("raw"), get_context("fork").Pool() as pool:
        pool.map(verify_raw, chunks, chunksize=1)
        pool.close()
        pool.join()
    with watch.on("audit"):
        report = Audit(store, log_only=True).run()
    with watch.on("whole"):
        whole = Audit(store).run()
    store.close()
    assert report.checked["signatures"] == whole.checked["signatures"] == SIZE
    assert report.ok
    assert whole.ok
    items = [item for chunk in chunks for item in chunk]
    size = sum(len(item.signed) - 83 for item in items) / len(items)
    print(f"\n{SIZE:,} entries, events of {size:.0f} bytes", end="")
    raw = watch.seconds["raw"]
    share = raw / watch.seconds["audit"]
    tell("audit of the log, of raw verification on the same cores", share, 0.65)
    whole_share = raw / watch.seconds["whole"]
    print(f" ({whole_share:.2f} with the store's own tables)", end="")


def test_memory(tmp_path: Path) -> None:
    """Peak memory of an audit does not follow the length of the log."""
    peaks = []
    for number, size in enumerate((sized(200_000, 200), sized(400_000, 400))):
        folder = tmp_path / str(number)
        folder.mkdir()
        build(folder, size)
        told = subprocess.run(
            [sys.executable, "-m", "tests.bench.peak_memory", str(folder)],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
        peaks.append(int(told.stdout))
    tell_at_most("peak of an audit of twice the log", peaks[1] / peaks[0], 1.1)
    print(f" ({peaks[0] / 1024:.0f} and {peaks[1] / 1024:.0f} MB)", end="")
