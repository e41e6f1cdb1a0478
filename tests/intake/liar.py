"""A server between a signer and an honest log, which lies where a test wants it to."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.error import HTTPError

Document = dict[str, Any]


class Liar:
    """What is said instead of the truth; an attribute of None lies about nothing.

    Attributes:
        url: of the liar.
        head: changes the head that the log gave.
        events: answers to events that the log never hears of.
    """

    def __init__(self) -> None:
        self.url = ""
        self.head: Callable[[Document], None] | None = None
        self.events: Callable[[Document], Document] | None = None

    def answer(self, url: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        """Answer in the log's name; the log itself is at `url`."""
        if path == "/v1/events" and body is not None and self.events is not None:
            return 200, json.dumps(self.events(json.loads(body))).encode()
        status, data = _relay(url + path, body)
        if path.startswith("/v1/head") and self.head is not None:
            document = json.loads(data)
            self.head(document)
            data = json.dumps(document).encode()
        return status, data


def _relay(url: str, body: bytes | None) -> tuple[int, bytes]:
    headers = {} if body is None else {"Content-Type": "application/json"}
    request = urllib.request.Request(url, body, headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        return error.code, error.read()


@contextmanager
def lying(url: str) -> Iterator[Liar]:
    """Serve in the name of a log at an address."""
    liar = Liar()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send(None)

        def do_POST(self) -> None:
            self.send(self.rfile.read(int(self.headers["Content-Length"])))

        def send(self, body: bytes | None) -> None:
            status, data = liar.answer(url, self.path, body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        liar.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield liar
        finally:
            server.shutdown()
