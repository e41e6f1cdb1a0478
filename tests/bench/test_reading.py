"""Reading a log from elsewhere beside what verifying it takes anyway.

Raw work is one signature and one leaf hash for each entry. A reader does that, and
fetches, authenticates and parses; far away is 50 ms for every file.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import closing
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pytest

from ledger.audit.verifying import verified_batches
from ledger.mirror import Mirror
from ledger.monitor import Kept
from ledger.monitor import Monitor
from ledger.reader import Reader
from ledger.reader import Source
from ledger.reader import open_source
from ledger.storage.sqlite import SqliteStore
from ledger.tlog.merkle import leaf_hashes
from ledger.tlog.note import make_vkey
from tests.bench.logs import LOG_KEY
from tests.bench.logs import ORIGIN
from tests.bench.measure import Stopwatch
from tests.bench.measure import sized
from tests.bench.measure import tell
from tests.bench.measure import tell_at_most
from tests.bench.measure import timed
from tests.bench.test_audit import build
from tests.bench.test_audit import signatures
from tests.bench.test_audit import verify_raw
from tests.reader.shelf import VKEY
from tests.reader.shelf import Shelf
from tests.reader.shelf import checkpoint_of

SIZE = sized(full=100_000, tiny=600)
FAR_SECONDS = 0.05


class Far:
    """A source that takes a while for each file, wherever it is."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def get(self, path: str, bytes_max: int) -> bytes:
        """Read one file, late."""
        time.sleep(FAR_SECONDS)
        return self._source.get(path, bytes_max)


SERVER = """
import sys, time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

class Handler(SimpleHTTPRequestHandler):
    def do_GET(self):
        time.sleep(float(sys.argv[2]))
        super().do_GET()

class Server(ThreadingHTTPServer):
    request_queue_size = 128

server = Server(("127.0.0.1", 0), partial(Handler, directory=sys.argv[1]))
print(server.server_port, flush=True)
server.serve_forever()
"""


@contextmanager
def served(folder: Path, late_seconds: float = 0.0) -> Iterator[str]:
    """Serve a folder in a process of its own, each answer so late."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, str(folder), str(late_seconds)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        try:
            said = server.stdout.readline() if server.stdout else ""
            yield f"http://127.0.0.1:{said.strip()}"
        finally:
            server.kill()


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStore]:
    """A log in a home."""
    folder = tmp_path_factory.mktemp("home")
    build(folder, SIZE)
    with closing(SqliteStore.open(folder, read_only=True)) as store:
        yield store


def verify(source: Source, cache: Path | None = None) -> int:
    """Read and verify all entries here, in one process; count them."""
    with Reader(source, [VKEY], cache) as reader:
        stream = reader.leaves(0, reader.latest.size)

        def following(start: int, stop: int) -> Iterator[bytes]:
            return islice(stream, stop - start)

        batches = verified_batches(following, reader.latest.size, None)
        return sum(batch.chunk.signatures for batch in batches)


def test_reading_beside_raw_verification(log: SqliteStore, tmp_path: Path) -> None:
    """From a folder, from this machine, from far away, and from a cache."""
    leaves = list(log.leaves(0, SIZE))
    Shelf(leaves).write(tmp_path / "public")
    items = signatures(log, 0, SIZE)
    folder = open_source(str(tmp_path / "public"))
    cache = tmp_path / "cache"

    def measure(act: Callable[[], int]) -> tuple[float, float]:
        """Give the shares of raw work, by the processor's time and by the clock's."""
        watch, seconds = Stopwatch(), list[float]()
        with timed(seconds), watch.on("raw"):
            verify_raw(items)
            leaf_hashes(leaves)
        with timed(seconds), watch.on("act"):
            assert act() == SIZE
        used = watch.seconds
        return used["raw"] / used["act"], seconds[0] / seconds[1]

    with served(tmp_path / "public") as url:
        shares = {
            "a folder": measure(lambda: verify(folder)),
            "localhost": measure(lambda: verify(open_source(url))),
            "far away": measure(lambda: verify(Far(folder), cache)),
            "a cache": measure(lambda: verify(Far(folder), cache)),
        }
    for place, (worked, waited) in shares.items():
        what = f"reading {SIZE:,} entries from {place}, of raw verification"
        tell(f"{what}, work", worked, 0.6)
        tell(f"{what}, time", waited, 0.6)


def test_following_far_away(log: SqliteStore, tmp_path: Path) -> None:
    """A mirror and a monitor take the time of their work, wherever the log is."""
    leaves = list(log.leaves(0, SIZE))
    shelf = Shelf(leaves)
    shelf.sign(checkpoint_of(leaves, ORIGIN), LOG_KEY)
    shelf.write(tmp_path / "public")
    trust = [make_vkey(ORIGIN, LOG_KEY.public)]

    def mirror(source: Source, place: str) -> float:
        seconds: list[float] = []
        with timed(seconds):
            done = Mirror(source, trust, tmp_path / f"copy-{place}").copy()
        assert done.checkpoint.size == SIZE
        return seconds[0]

    def monitor(source: Source, place: str) -> float:
        seconds: list[float] = []
        with timed(seconds), Kept(tmp_path / f"kept-{place}") as kept:
            assert Monitor(source, trust, kept, lambda: 0).look().size == SIZE
        return seconds[0]

    for what, follow in (("mirror", mirror), ("monitor", monitor)):
        seconds: dict[float, list[float]] = {0.0: [], FAR_SECONDS: []}
        for turn in range(2):
            for late, taken in seconds.items():
                with served(tmp_path / "public", late) as url:
                    taken.append(follow(open_source(url), f"{late}-{turn}"))
        near, far = map(min, seconds.values())
        share = near / far
        tell(f"{what} of {SIZE:,} entries from near, of from far away", share, 0.7)


def test_reading_alone(log: SqliteStore, tmp_path: Path) -> None:
    """Authenticating the bytes alone, without signatures, is a small part of it."""
    leaves = list(log.leaves(0, SIZE))
    Shelf(leaves).write(tmp_path)
    items = signatures(log, 0, SIZE)
    seconds: list[float] = []
    with timed(seconds):
        verify_raw(items)
    with timed(seconds), Reader(open_source(str(tmp_path)), [VKEY]) as reader:
        assert sum(1 for _ in reader.leaves(0, SIZE)) == SIZE
    tell_at_most("reading, of raw verification", seconds[1] / seconds[0], 0.2)
