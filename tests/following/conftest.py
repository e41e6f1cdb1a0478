"""Logs served over HTTP by servers that tell the truth, and by others."""

from __future__ import annotations

import threading
from collections.abc import Callable
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.following.served import Served
from tests.following.watch import Watch

Alter = Callable[[str, bytes], bytes | None]


class Server(ThreadingHTTPServer):
    """Serves a folder as it is, or as `alter` wants it.

    Attributes:
        asked: every path that was asked for.
        alter: given path and content, gives other content, or None for 404.
    """

    request_queue_size = 128  # readers come many at once

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), partial(_Handler, directory=str(folder)))
        self.folder = folder
        self.asked: list[str] = []
        self.alter: Alter = lambda _, data: data

    @property
    def url(self) -> str:
        """The prefix of the log."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(SimpleHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        path = self.path.lstrip("/")
        self.server.asked.append(path)
        file = self.server.folder / path
        data = file.read_bytes() if file.is_file() else None
        if data is not None:
            data = self.server.alter(path, data)
        if data is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def serve() -> Iterator[Callable[[Path], Server]]:
    """Give what serves a folder on a free port, until the test ends."""
    servers = []

    def start(folder: Path) -> Server:
        server = Server(folder)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        servers.append((server, thread))
        return server

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def log(tmp_path: Path) -> Served:
    """A published log."""
    served = Served(tmp_path / "log")
    served.publish()
    return served


@pytest.fixture
def watch(log: Served, serve: Callable[[Path], Server], tmp_path: Path) -> Watch:
    """A monitor of it."""
    return Watch(log, serve(log.public), tmp_path / "kept")
