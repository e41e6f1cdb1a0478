"""Listening for strangers: as many connections as there is room for, none for ever.

    a connection without a request    60 s
    whoever reads an answer           4 KiB a second, but for 30 s in all
    all connections                   1,000, or as many as descriptors allow
    answers that nobody reads         256 MiB

Once every second somebody looks after all connections, so that a client cannot hold one
by doing next to nothing. When they are nearly all taken, the oldest one on which no
request has come is closed, of the address that has most of them: whoever comes from
elsewhere is let in, and behind a proxy, where all come from one address, whoever came
last. What may be sent on a connection is bounded by `ledger.cli.bodies`.
"""

from __future__ import annotations

import errno
import logging
import resource
import socket
import sys
import threading
from collections import Counter
from ipaddress import IPv6Address
from ipaddress import ip_address
from typing import TYPE_CHECKING
from typing import Any

from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer

from ledger.cli import bodies
from ledger.cli.bodies import READING
from ledger.cli.bodies import BoundedParser
from ledger.cli.bodies import Bounds
from ledger.cli.bodies import Patience
from ledger.cli.bodies import too_slow
from ledger.cli.common import hint
from ledger.cli.serving import PORT
from ledger.cli.spool import Room
from ledger.errors import HomeError

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

SILENCE_SECONDS = 60
READ_BYTES_PER_SECOND_MIN = 1 << 12
CONNECTIONS_MAX = 1_000
SPARE_CONNECTIONS = 16
DESCRIPTORS = 8_192
DESCRIPTORS_EACH = 4
UNREAD_BYTES_MAX = 256 << 20
RECEIVED_BYTES = 1 << 16
THREADS = 8
_NETWORK_BITS = 64
"""Of an IPv6 address: whoever has one has all that begin like it."""


class BoundedChannel(HTTPChannel):
    """A connection that is held for its own sake by nobody."""

    server: BoundedServer
    request: BoundedParser | None
    requests: list[BoundedParser]
    requests_lock: threading.Lock

    def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401 (theirs)
        self.sent = 0
        self._reading: Patience | None = None
        super().__init__(*arguments, **named)
        self.peer = peer_of(self.addr)
        self.addr = (self.peer, *self.addr[1:])  # what the application is told

    def parser_class(self, adj: Any) -> BoundedParser:  # type: ignore[override] # noqa: ANN401 (it is called as one)
        """Begin a request."""
        return BoundedParser(adj, self.server.bounds, self.peer)

    # A connection that was closed may still be in the list that is gone through, and
    # its number be that of another by now.
    def readable(self) -> bool:
        """Tell whether to wait for what comes."""
        return self.connected and super().readable()

    def writable(self) -> bool:
        """Tell whether there is something to be sent or closed."""
        return self.connected and bool(super().writable())

    def send(self, data: bytes, do_close: bool = True) -> int:  # noqa: FBT001, FBT002 (theirs)
        """Send, and count it."""
        count: int = super().send(data, do_close)
        self.sent += count
        return count

    def handle_close(self) -> None:
        """Close, and drop what has come."""
        request = self.request
        super().handle_close()
        if request is not None:
            request.close()

    @property
    def waits(self) -> bool:
        """Tell whether it is the client's turn, and no request is answered."""
        return not (self.requests or self.total_outbufs_len)

    def look_after(self, now: float) -> None:
        """End what takes too long."""
        if self.total_outbufs_len:
            self._look_after_reader()
            return
        self._reading = None
        if self.requests:
            return
        if self.request is not None and self.request.begun:
            if self.request.patience.over:
                self._give_up()
        elif now - self.last_activity > SILENCE_SECONDS:
            self.handle_close()

    def _look_after_reader(self) -> None:
        sent, self.sent = self.sent, 0
        if self._reading is None:
            self._reading = Patience(READ_BYTES_PER_SECOND_MIN)
        self._reading.moved(sent)
        if self._reading.over:
            self.handle_close()

    def _give_up(self) -> None:
        """Answer a request that does not come."""
        with self.requests_lock:
            request = self.request
            if request is None:
                return
            self.request = None
            request.refuse(too_slow())
            self.requests.append(request)
            self.server.add_task(self)  # type: ignore[arg-type] # as they do


class BoundedServer(TcpWSGIServer):
    """A server of strangers.

    Args:
        app: what it serves.
        listening: for connections already.
        bounds: of what they send.
        threads: that answer.
    """

    channel_class = BoundedChannel
    active_channels: dict[int, BoundedChannel]  # type: ignore[assignment] # as it is
    _map: dict[int, Any]

    def __init__(
        self,
        app: WSGIApplication,
        listening: socket.socket,
        bounds: Bounds,
        threads: int = THREADS,
    ) -> None:
        self.bounds = bounds
        own = listening.getsockname()
        super().__init__(
            app,
            _sock=listening,
            bind_socket=False,
            sockinfo=(listening.family, listening.type, listening.proto, own),
            adj=Adjustments(
                sockets=[listening],
                threads=threads,
                ident="linernote",
                asyncore_use_poll=True,  # `select` knows 1,024 descriptors
                cleanup_interval=1,
                connection_limit=_connections_max(),
                max_request_header_size=bodies.HEAD_BYTES_MAX,
                max_request_body_size=sys.maxsize,  # each address has its own
                outbuf_overflow=sys.maxsize,  # answers stay in memory: see below
                recv_bytes=RECEIVED_BYTES,
            ),
        )

    def readable(self) -> bool:
        """Tell whether another connection may come; make room for it before."""
        if len(self.active_channels) > self.adj.connection_limit - SPARE_CONNECTIONS:
            self._make_room()
        return super().readable()

    def _make_room(self) -> None:
        channels = list(self.active_channels.values())
        waiting = [channel for channel in channels if channel.waits]
        if not waiting:
            return
        counts = Counter(channel.peer for channel in channels)

        def nuisance(channel: BoundedChannel) -> tuple[int, bool, float]:
            sends = channel.request is not None and channel.request.headers_finished
            return counts[channel.peer], not sends, -channel.creation_time

        max(waiting, key=nuisance).handle_close()

    def maintenance(self, now: float) -> None:
        """Look after all connections."""
        channels = list(self.active_channels.values())
        for channel in channels:
            channel.look_after(now)
        channels.sort(key=lambda channel: channel.total_outbufs_len)
        unread = sum(channel.total_outbufs_len for channel in channels)
        while unread > UNREAD_BYTES_MAX:
            most = channels.pop()
            unread -= most.total_outbufs_len
            most.handle_close()


def peer_of(address: Any) -> str:  # noqa: ANN401 (as a socket gives it)
    """Name who is at the other end: an address, or the network of an IPv6 one.

    >>> peer_of(("192.0.2.7", 443)), peer_of(("2001:db8::7%eth0", 443, 0, 0))
    ('192.0.2.7', '2001:db8::')
    """
    found = ip_address(str(address[0]).partition("%")[0])
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    kept = int(found) >> (128 - _NETWORK_BITS) << (128 - _NETWORK_BITS)
    return str(IPv6Address(kept))


def _connections_max() -> int:
    """Ask for descriptors: bodies need some, and so does the rest of the server."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < DESCRIPTORS:
        soft = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY:
        return CONNECTIONS_MAX
    return max(SPARE_CONNECTIONS * 2, min(CONNECTIONS_MAX, soft // DESCRIPTORS_EACH))


def run_server(
    app: WSGIApplication,
    host: str,
    port: int,
    *,
    bounds: Bounds | None = None,
    threads: int = THREADS,
) -> None:
    """Serve until interrupted.

    Args:
        app: what to serve.
        host: address to listen at.
        port: of it.
        bounds: of what may be sent; by default no more than questions.
        threads: that answer.

    Raises:
        HomeError: `port-in-use`, `not-permitted`, `bad-address`.
    """
    # A queue of questions is nothing to write into a journal for each of them.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    listening = _listen(host, port)
    shown = f"[{host}]" if ":" in host else host
    server = BoundedServer(app, listening, bounds or Bounds(READING, Room(0)), threads)
    hint(f"serving http://{shown}:{listening.getsockname()[1]}")
    hint("Ctrl-C ends it")
    try:
        server.run()
    except KeyboardInterrupt:
        hint("ended")
    finally:
        server.close()


def check_free(host: str, port: int) -> None:
    """Refuse an address at which nothing could be served now.

    Raises:
        HomeError: as `run_server`.
    """
    _listen(host, port).close()


def _listen(host: str, port: int) -> socket.socket:
    """Listen at an address, before anything is started for it."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        raise _explain(error, host, port) from None


def _explain(error: OSError, host: str, port: int) -> HomeError:
    if error.errno == errno.EADDRINUSE:
        return HomeError(
            "port-in-use",
            f"something listens on port {port} of {host} already",
            hint="stop it, or choose another with --port; --port 0 takes a free one",
        )
    if error.errno in {errno.EACCES, errno.EPERM}:
        return HomeError(
            "not-permitted",
            f"this account may not listen on port {port}",
            hint=f"choose a port above 1023, such as --port {PORT}",
        )
    return HomeError(
        "bad-address",
        f"{host} is no address of this machine",
        hint="127.0.0.1 is this machine alone, 0.0.0.0 every address it has",
    )
