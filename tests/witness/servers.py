"""Witnesses on free ports: real ones, and what else may listen there."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress

from werkzeug.serving import make_server

from ledger.witness.cosigning import Witness
from web.witness import create_witness

Behaviour = Callable[[socket.socket], None]
"""What is done with a connection whose request was read."""


@contextmanager
def serving(witness: Witness) -> Iterator[str]:
    """Serve a witness; give its address."""
    server = make_server("127.0.0.1", 0, create_witness(witness), threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def behaving(
    behaviour: Behaviour, context: ssl.SSLContext | None = None
) -> Iterator[str]:
    """Listen, and do with each connection as said; give the address."""
    listening = socket.create_server(("127.0.0.1", 0))
    scheme = "http" if context is None else "https"

    def meet(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            if context is not None:
                connection = context.wrap_socket(connection, server_side=True)
            with connection:
                _read_request(connection)
                behaviour(connection)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                threading.Thread(target=meet, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"{scheme}://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        # A thread that waits in accept is woken by shutdown, not by close.
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()


def answering(status: str, body: bytes, *headers: str) -> Behaviour:
    """Answer every request alike."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]

    def answer(connection: socket.socket) -> None:
        connection.sendall("\r\n".join(lines).encode() + body)

    return answer


def dead_port() -> str:
    """Give an address at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def _read_request(connection: socket.socket) -> None:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65_536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(65_536)
