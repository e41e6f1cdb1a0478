"""Many processes find what one finds, in logs longer than a chunk."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from ledger.audit import Audit
from ledger.audit import verifying
from ledger.errors import HomeError
from ledger.storage.lock import WriterLock
from ledger.storage.memory import MemoryStore
from tests.audit.logs import Published
from tests.audit.logs import codes
from tests.audit.logs import published
from tests.replay import acts
from tests.replay.world import World


@pytest.fixture
def short_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of ten entries, so that a short log has many."""
    monkeypatch.setattr(verifying, "CHUNK_LENGTH", 10)
    monkeypatch.setattr(verifying, "CHUNKS_AHEAD", 2)
    monkeypatch.setattr(verifying, "IN_PROCESS_MAX", 0)


@pytest.mark.usefixtures("short_chunks")
@pytest.mark.parametrize("workers", [0, 1, 2])
def test_chunks_and_processes_change_nothing(log: Published, workers: int) -> None:
    """Reports are the same, however the work is divided."""
    report = log.audit(workers)
    assert report.exit_code == 0
    assert report.to_json() == log.audit().to_json()


@pytest.mark.usefixtures("short_chunks")
@pytest.mark.parametrize("index", [0, 9, 10, 19, 20, 35, 70])
@pytest.mark.parametrize("workers", [0, 2])
def test_failures_are_found_at_the_edges_of_chunks(
    log: Published, index: int, workers: int
) -> None:
    """The first entry that fails is named, also where two chunks meet."""
    leaves = log.leaves()
    changed = bytearray(leaves[index])
    # Within the signature, the last field but one.
    changed[-20] ^= 1
    log.put_leaves([*leaves[:index], bytes(changed), *leaves[index + 1 :]])
    found = [(p.index, p.code) for p in log.audit(workers).problems]
    assert (index, "bad-signature") in found


@pytest.mark.usefixtures("short_chunks")
@pytest.mark.parametrize("index", [9, 10, 11])
def test_gaps_are_found_at_the_edges_of_chunks(log: Published, index: int) -> None:
    """A chunk has to follow the one before it."""
    leaves = log.leaves()
    del leaves[index]
    log.put_leaves(leaves)
    found = log.audit(2).problems[0]
    assert (found.code, found.index) == ("wrong-index", index)


@pytest.mark.usefixtures("short_chunks")
def test_progress_is_told() -> None:
    """Whoever waits is told how far it is, up to the end."""
    told: list[tuple[int, int]] = []
    store = World().store
    assert isinstance(store, MemoryStore)
    Audit(
        store, workers=0, progress=lambda done, total: told.append((done, total))
    ).run()
    assert told == [(10, 26), (20, 26), (26, 26)]
    assert codes(Audit(store, workers=0).run()) == []


@pytest.mark.usefixtures("short_chunks")
def test_a_checkpoint_of_any_size_is_held_against_the_log(tmp_path: Path) -> None:
    """Whether its size is the edge of a chunk or within one."""
    world = World()
    log = published(world, tmp_path / "public")
    for size in range(27, 42):
        world.society.say("scheme", acts.scheme_body())
        log.publish()
        text = world.store.checkpoint()
        grown = world.copy()
        for _ in range(12):
            grown.society.say("scheme", acts.scheme_body())
        report = Audit(grown.store, log.public, workers=0).run()
        assert report.exit_code == 0, size
        assert grown.store.checkpoint() == text
        assert report.size == size + 12


LOCKED = """
import sys, time
from pathlib import Path
from ledger.audit.verifying import IN_PROCESS_MAX, verifying_workers
from ledger.storage.lock import WriterLock

with WriterLock(Path(sys.argv[1])), verifying_workers(IN_PROCESS_MAX + 1, 2) as pool:
    pool.submit(len, b"").result()
    print("at work", flush=True)
    time.sleep(60)
"""


def test_workers_end_with_who_started_them(tmp_path: Path) -> None:
    """They began with its locks: one that is killed would be locked out for ever."""
    lock = tmp_path / "lock"
    command = [sys.executable, "-c", LOCKED, str(lock)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"at work\n"
        with pytest.raises(HomeError):
            WriterLock(lock)
        process.kill()
    deadline = time.monotonic() + 20
    while True:
        try:
            WriterLock(lock).close()
            break
        except HomeError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
