"""Clients that hold, flood and starve a server: it goes on answering everybody else."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from typing import TYPE_CHECKING
from typing import Any

import pytest
from waitress import wasyncore

from ledger.cli import bodies
from ledger.cli import listening
from ledger.cli.bodies import ACCEPTING
from ledger.cli.bodies import READING
from ledger.cli.bodies import BoundedParser
from ledger.cli.bodies import Bounds
from ledger.cli.listening import BoundedServer
from ledger.cli.listening import peer_of
from ledger.cli.spool import SMALL_BYTES_MAX
from ledger.cli.spool import Room

if TYPE_CHECKING:
    from wsgiref.types import StartResponse

SECONDS = 20
LARGE = 16 << 20
MANIFEST = b"PUT /v1/manifests/" + b"0" * 64
LIMIT = 40


def answer(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """Count the bytes of a body; give many where that is asked for."""
    body = environ["wsgi.input"].read()
    large = environ["PATH_INFO"] == "/large"
    text = b"x" * LARGE if large else str(len(body)).encode()
    start_response("200 OK", [("Content-Length", str(len(text)))])
    return [text]


@contextmanager
def running(bounds: Bounds | None = None) -> Iterator[BoundedServer]:
    """Run a server that looks after its connections all the time."""
    own = socket.create_server(("127.0.0.1", 0))
    server = BoundedServer(answer, own, bounds or Bounds(READING, Room(0)), threads=2)
    server.adj.cleanup_interval = 0
    connections: Any = server._map
    ended = threading.Event()

    def run() -> None:
        while not ended.is_set():
            wasyncore.loop(timeout=0.02, map=connections, use_poll=True, count=1)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield server
    finally:
        ended.set()
        thread.join(SECONDS)
        server.task_dispatcher.shutdown()
        wasyncore.close_all(connections)


def port_of(server: BoundedServer) -> int:
    """Give the port at which a server listens."""
    return int(server.sockinfo[3][1])


def connect(server: BoundedServer, *sent: bytes, source: str = "") -> socket.socket:
    """Connect, from an address of this machine, and send something."""
    line = socket.socket()
    line.settimeout(SECONDS)
    # So that the machine itself does not read ahead what the client leaves unread.
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    line.bind((source, 0))
    line.connect(("127.0.0.1", port_of(server)))
    for data in sent:
        line.sendall(data)
    return line


def rest(line: socket.socket) -> bytes:
    """Read until the server closes."""
    received = b""
    with line, suppress(ConnectionError):
        while more := line.recv(1 << 16):
            received += more
    return received


def ask(server: BoundedServer, path: str = "/", body: bytes = b"") -> bytes:
    """Ask as anybody does."""
    connection = http.client.HTTPConnection(
        "127.0.0.1", port_of(server), timeout=SECONDS
    )
    connection.request("POST" if body else "GET", path, body or None)
    said = connection.getresponse().read()
    connection.close()
    return said


def unread(server: BoundedServer) -> list[int]:
    """Give how many bytes of each answer are still to be read."""
    held = [each.total_outbufs_len for each in list(server.active_channels.values())]
    return [count for count in held if count]


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "PATIENCE_SECONDS", 0.3)


def test_a_head_that_trickles_is_cut_off(impatient: None) -> None:
    """A byte now and then does not hold a connection: 408, though none is missing."""
    with running() as server, connect(server, b"GET / HTTP/1.1\r\nX: ") as line:
        begun = time.monotonic()
        eventually(lambda: bool(server.active_channels))
        with suppress(ConnectionError):
            while time.monotonic() - begun < SECONDS and server.active_channels:
                line.sendall(b"a")
                time.sleep(0.02)
        assert 0.2 < time.monotonic() - begun < SECONDS / 2
        assert rest(line).startswith(b"HTTP/1.0 408 ")
        assert ask(server) == b"0"


def test_a_body_that_stands_still_is_cut_off(impatient: None) -> None:
    """What came fast before buys no time for what does not come: nobody sends it."""
    head = MANIFEST + b" HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n"
    room = Room(1 << 30)
    with running(Bounds(ACCEPTING, room)) as server:
        line = connect(server, head, b"x" * (4 << 20))  # two minutes at 32 KiB a second
        eventually(lambda: len(room) > 0)
        assert b" 408 " in rest(line)
        assert len(room) == 0


def test_silence_and_blank_lines_hold_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection without a request is closed, whatever blank lines it sent."""
    monkeypatch.setattr(listening, "SILENCE_SECONDS", 0.3)
    with running() as server:
        silent, blank = connect(server), connect(server, b"\r\n" * 30_000)
        assert rest(silent) == rest(blank) == b""
        assert ask(server) == b"0"


def test_whoever_holds_all_connections_gives_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One address that takes all there are loses the oldest; the others lose none."""
    monkeypatch.setattr(listening, "CONNECTIONS_MAX", LIMIT)
    slow = b"GET / HTTP/1.1\r\nX: "
    with running() as server:
        other = connect(server, slow, source="127.0.0.2")
        lines = [connect(server, slow, source="127.0.0.3") for _ in range(3 * LIMIT)]
        for _ in range(LIMIT):
            assert ask(server) == b"0"
        assert len(server.active_channels) <= LIMIT
        assert rest(lines[0]) == b""
        other.sendall(b"a\r\nConnection: close\r\n\r\n")
        assert rest(other).endswith(b"0")
        lines[-1].sendall(b"a\r\nConnection: close\r\n\r\n")
        assert rest(lines[-1]).endswith(b"0")
        for line in lines:
            line.close()


def test_a_body_is_not_closed_for_those_who_send_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of one address, as behind a proxy, whoever sends a body is closed last."""
    monkeypatch.setattr(listening, "CONNECTIONS_MAX", LIMIT)
    with running() as server:
        head = b"POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 2\r\n\r\n"
        body = connect(server, head, b"a")
        eventually(lambda: len(server.active_channels) == 1)
        lines = [connect(server, b"GET") for _ in range(2 * LIMIT)]
        assert ask(server) == b"0"
        body.sendall(b"b")
        assert rest(body).endswith(b"2")
        for line in lines:
            line.close()


def test_answers_that_nobody_reads_hold_no_thread(impatient: None) -> None:
    """Whoever asks for much and reads nothing is closed, and the threads go on."""
    asking = b"GET /large HTTP/1.1\r\n\r\n" * 100
    with running() as server:
        lines = [connect(server, asking) for _ in range(4)]
        eventually(lambda: len(unread(server)) == 4)
        eventually(lambda: not server.active_channels)
        assert ask(server) == b"0"
        for line in lines:
            line.close()


def test_an_answer_is_read_as_slowly_as_is_sensible(impatient: None) -> None:
    """A reader that goes on, if slower than others, gets the whole answer."""
    with running() as server, connect(server, b"GET /large HTTP/1.0\r\n\r\n") as line:
        received = 0
        while more := line.recv(1 << 17):
            received += len(more)
            time.sleep(0.01)  # more than a second in all: the patience several times
        assert received > LARGE


def test_unread_answers_are_bounded_all_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The largest answers that nobody reads are dropped before memory is full."""
    monkeypatch.setattr(listening, "UNREAD_BYTES_MAX", 3 * LARGE)
    with running() as server:
        lines = [connect(server, b"GET /large HTTP/1.1\r\n\r\n") for _ in range(12)]
        assert ask(server) == b"0"  # by now they all are connected
        eventually(lambda: len(server.active_channels) <= 3)
        assert ask(server) == b"0"
        for line in lines:
            line.close()


def test_one_request_at_a_time() -> None:
    """A second one that did not wait is not answered, and the first one says so."""
    with running() as server:
        said = rest(connect(server, b"GET / HTTP/1.1\r\n\r\n" * 2))
        assert said.count(b"HTTP/1.1 200 OK") == 1
        assert b"Connection: close" in said
        with connect(server) as line:  # with patience, a connection takes many
            for _ in range(3):
                line.sendall(b"\r\nGET / HTTP/1.1\r\n\r\n")
                said = b""
                while not said.endswith(b"\r\n\r\n0"):
                    said += line.recv(1 << 16)


def test_a_length_is_said_for_what_is_large() -> None:
    """Chunks come small only: 411 beyond, and for control lines without an end."""
    head = MANIFEST + b" HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    with running(Bounds(ACCEPTING, Room(1 << 30))) as server:
        small = rest(connect(server, head + b"5\r\nabcde\r\n0\r\n\r\nGET"))
        assert small.endswith(b"\r\n\r\n5")
        for more in (
            b"1\r\na\r\n" * 20_000,
            b"1;" + b"a" * 100_000,
            b"0\r\nX: " * 20_000,
        ):
            assert rest(connect(server, head, more))[:13] in {b"", b"HTTP/1.1 411 "}
        assert ask(server) == b"0"


def test_a_reader_takes_no_bodies() -> None:
    """Where nothing is accepted no large body is gathered, and a small one is asked."""
    with running() as server:
        for line in (MANIFEST, b"POST /v1/events"):
            large = rest(
                connect(server, line + b" HTTP/1.1\r\nContent-Length: 99999\r\n\r\n")
            )
            assert large.startswith(b"HTTP/1.1 403 ")
            assert b"not-accepting" in large
        assert ask(server, "/v1/events", b"{}") == b"2"


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 8_000 + b"\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nContent-Length: " + b"9" * 9_000 + b"\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400"),
        (
            b"GET / HTTP/1.1\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n",
            b"200",
        ),
        (b"HEAD / HTTP/1.0\r\nRange: bytes=0-0\r\n\r\n", b"200"),
    ],
)
def test_odd_heads_are_answered(head: bytes, status: bytes) -> None:
    """Whatever stands in a head, its client gets a status, and none is held."""
    with running() as server:
        assert rest(connect(server, head)).split()[1] == status
        assert ask(server) == b"0"


def test_a_full_room_and_a_failing_disk_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """503 with a code, so that a client sends it again; nothing of it is kept."""
    head = MANIFEST + b" HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n"
    room = Room(2 * SMALL_BYTES_MAX)
    with running(Bounds(ACCEPTING, room)) as server:
        full = rest(connect(server, head, b"x" * 999_999))
        assert not full or (b" 503 " in full and b"staging-full" in full)

        def fail(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(Room, "grow", fail)
        failed = rest(connect(server, head, b"x"))
        assert b" 503 " in failed
        assert b"staging-failed" in failed
        assert len(room) == 0


def test_a_body_whose_client_went_away_is_dropped() -> None:
    """Half a body leaves nothing behind when its connection ends."""
    head = MANIFEST + b" HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n"
    room = Room(1 << 30)
    with running(Bounds(ACCEPTING, room)) as server:
        line = connect(server, head, b"x" * (1 << 20))
        eventually(lambda: len(room) == 1 << 20)
        line.close()
        eventually(lambda: len(room) == 0)


def test_a_request_is_read_in_parts() -> None:
    """Blank lines before it at once; its body with time and bounds of its own."""
    with running() as server:
        parser = BoundedParser(server.adj, Bounds(READING, Room(0)), "a")
        assert parser.received(b"\r\n" * 50 + b"POST") == 100
        assert not parser.header_plus
        first = parser.patience
        parser.received(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n")
        assert parser.patience is not first
        body = parser.body
        assert body is not None
        coming = [body.coming]  # until it has, it may be closed for others
        parser.received(b"ab")
        assert [*coming, body.coming] == [True, False]
        parser.close()


@pytest.mark.parametrize(
    ("address", "peer"),
    [
        (("192.0.2.7", 1), "192.0.2.7"),
        (("::ffff:192.0.2.7", 1, 0, 0), "192.0.2.7"),
        (("2001:db8:1:2:3:4:5:6", 1, 0, 0), "2001:db8:1:2::"),
        (("fe80::1%eth0", 1, 0, 2), "fe80::"),
    ],
)
def test_a_peer_is_an_address_or_a_network(
    address: tuple[object, ...], peer: str
) -> None:
    """Whoever has an IPv6 network is one peer, and so is IPv4 however it is written."""
    assert peer_of(address) == peer
