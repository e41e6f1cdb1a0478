"""Reading over HTTP: what is served honestly arrives, what is not costs little."""

from __future__ import annotations

import gzip
import os
import socket
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from http.client import HTTPMessage
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from urllib.request import Request

import pytest

from ledger.errors import InputError
from ledger.errors import LedgerError
from ledger.errors import UnverifiableError
from ledger.errors import VerificationError
from ledger.reader import Reader
from ledger.reader import open_source
from ledger.reader.network import HttpSource
from ledger.reader.network import _SameHost
from tests.reader.shelf import VKEY
from tests.reader.shelf import Shelf
from tests.reader.shelf import leaves_of

Handle = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def serving(handle: Handle) -> Iterator[str]:
    """Serve on this machine; give the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with suppress(OSError):
                handle(self)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def send(
    handler: BaseHTTPRequestHandler, body: bytes, code: int = 200, **headers: str
) -> None:
    """Answer a request."""
    handler.send_response(code)
    headers = {"Content_Length": str(len(body)), **headers}
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def failed(address: str, length: int = 100) -> LedgerError:
    """Get a file, which has to fail, within little time."""
    source = HttpSource(address, wait_seconds=0.3, answer_seconds=0.6)
    began = time.monotonic()
    with pytest.raises(LedgerError) as caught:
        source.get("file", length)
    assert time.monotonic() - began < 5
    return caught.value


@pytest.mark.parametrize("prefix", ["", "/", "/some/log", "/some/log/"])
def test_a_log_is_read_from_a_prefix(prefix: str) -> None:
    """A log may be served under any prefix, with files packed or not."""
    shelf = Shelf(leaves_of(600))

    def handle(handler: BaseHTTPRequestHandler) -> None:
        data = shelf.files.get(handler.path.removeprefix(f"{prefix.rstrip('/')}/"))
        if data is None:
            send(handler, b"", 404)
        elif "entries" in handler.path:
            send(handler, gzip.compress(data), Content_Encoding="gzip")
        else:
            send(handler, data)

    with (
        serving(handle) as address,
        Reader(open_source(address + prefix), [VKEY]) as reader,
    ):
        assert tuple(reader.leaves(0, 600)) == leaves_of(600)
        assert reader.prove(599).extra == leaves_of(600)[599]


@pytest.mark.parametrize(
    ("status", "code"),
    [(404, "not-found"), (410, "not-found"), (403, "no-network"), (503, "no-network")],
)
def test_missing_and_failing_are_apart(status: int, code: str) -> None:
    """A file that is not there is told apart from a server that does not answer."""
    with serving(lambda handler: send(handler, b"log", status)) as address:
        error = failed(address)
    assert isinstance(error, UnverifiableError)
    assert (error.code, error.exit_code) == (code, 5)
    assert f"{address}/file" in error.message


@pytest.mark.parametrize("status", [201, 204, 206, 304])
def test_only_a_whole_answer_is_one(status: int) -> None:
    """Parts of a file and other kinds of success are no file."""
    with serving(lambda handler: send(handler, b"", status)) as address:
        assert failed(address).code == "no-network"


def test_nobody_there() -> None:
    """A closed port and an unknown name are a missing network."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    for address in (f"http://127.0.0.1:{port}", "http://a.invalid"):
        assert failed(address).code == "no-network"


@pytest.mark.parametrize("length", [0, 100])
def test_a_body_of_the_longest_length_arrives(length: int) -> None:
    """The limit itself is allowed, packed and unpacked."""
    body = bytes(length)
    packed = gzip.compress(body)
    for sent, encoding in ((body, "identity"), (packed, "gzip"), (packed, "GZIP ")):
        with serving(
            lambda handler, sent=sent, encoding=encoding: send(  # type: ignore[misc]
                handler, sent, Content_Encoding=encoding
            )
        ) as address:
            assert HttpSource(address).get("file", 100) == body


def test_a_huge_body_is_left() -> None:
    """Endless bodies, and small ones that unpack to large ones, are cut off early."""

    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(bytes(1 << 16))

    bomb = gzip.compress(bytes(1 << 24))
    for handle in (
        endless,
        lambda handler: send(handler, bytes(101)),
        lambda handler: send(handler, bomb, Content_Encoding="gzip"),
    ):
        with serving(handle) as address:
            error = failed(address, 100 if handle is not endless else 1 << 20)
            assert isinstance(error, VerificationError)
            assert error.code == "body-too-long"


def test_a_small_packed_body_that_unpacks_too_long_is_left() -> None:
    """The limit holds for what a body unpacks to, however short it arrives."""
    bomb = gzip.compress(bytes(10_000))
    assert len(bomb) < 100
    with serving(
        lambda handler: send(handler, bomb, Content_Encoding="gzip")
    ) as address:
        assert failed(address, 9_999).code == "body-too-long"


DRIPS = {
    "silent": (b"", b""),
    "head": (b"HTTP/1.1 200 OK\r\nSlow: ", b"x"),
    "body": (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "behind": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n",
        b"Later: x\r\n",
    ),
    "soon": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}
"""What a server begins with, and then sends again and again."""


@pytest.mark.parametrize(("begin", "again"), DRIPS.values(), ids=DRIPS)
def test_a_slow_answer_is_left(begin: bytes, again: bytes) -> None:
    """A byte now and then keeps no reader waiting, wherever it drips."""
    over = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(begin)
        while not over.wait(0.1):
            handler.wfile.write(again)
            handler.wfile.flush()

    with serving(drip) as address:
        error = failed(address, 1 << 20)
        over.set()
    assert error.code == "no-network"


def test_a_body_that_ends_early_is_no_file() -> None:
    """A connection that breaks off is a network's fault, not a failed verification."""
    with serving(lambda handler: send(handler, b"half", Content_Length="8")) as address:
        assert failed(address).code == "no-network"


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"no gzip", "gzip"),
        (gzip.compress(b"x" * 50, mtime=0)[:-1], "gzip"),
        (gzip.compress(b"x", mtime=0) + b"more", "gzip"),
        (b"plain", "br"),
        (b"plain", "gzip, gzip"),
    ],
)
def test_broken_packing_is_no_file(body: bytes, encoding: str) -> None:
    """What does not unpack, or was packed as nobody asked for, is refused."""
    with serving(
        lambda handler: send(handler, body, Content_Encoding=encoding)
    ) as address:
        assert failed(address).code == "no-network"


def test_no_redirect_leads_to_another_host() -> None:
    """A log may move a file on its own host, and send nobody anywhere else."""
    reached = []

    def elsewhere(handler: BaseHTTPRequestHandler) -> None:
        reached.append(handler.path)
        send(handler, b"secret")

    with serving(elsewhere) as other:

        def handle(handler: BaseHTTPRequestHandler) -> None:
            if handler.path == "/moved":
                send(handler, b"moved")
            else:
                send(handler, b"", 302, Location=target)

        with serving(handle) as address:
            target = "/moved"
            assert HttpSource(address).get("file", 100) == b"moved"
            for target in (
                f"{other}/file",
                other.replace("127.0.0.1", "localhost"),
                address.replace("127.0.0.1", "localhost"),
                address.replace("http:", "https:") + "/moved",
                "file:///etc/passwd",
                "ftp://127.0.0.1/file",
                "//a.invalid/file",
                "/file",
            ):
                assert failed(address).code == "no-network", target
    assert not reached


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_body_of_a_redirect_is_not_read(status: int) -> None:
    """However long it is, the reader goes on at once and holds none of it."""
    sent = []

    def handle(handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/moved":
            return send(handler, b"moved")
        handler.send_response(status)
        handler.send_header("Location", "/moved")
        handler.end_headers()
        while True:
            sent.append(handler.wfile.write(bytes(1 << 20)))

    with serving(handle) as address:
        source = HttpSource(address, wait_seconds=1, answer_seconds=2)
        assert source.get("file", 100) == b"moved"
    assert sum(sent) < 32 << 20


@pytest.mark.parametrize(
    ("target", "followed"),
    [
        ("https://a.example/moved", True),
        ("http://a.example/moved", False),
        ("https://a.example:8443/moved", False),
        ("https://b.example/moved", False),
    ],
)
def test_no_redirect_gives_encryption_up(target: str, *, followed: bool) -> None:
    """A redirect keeps scheme, host and port, so that none leads into the open."""
    request = Request("https://a.example/log/checkpoint")
    led = _SameHost().redirect_request(
        request, BytesIO(), 302, "Found", HTTPMessage(), target
    )
    assert (led is not None) is followed


def test_a_server_that_breaks_http_is_no_network() -> None:
    """Nonsense instead of HTTP is an error of ours with a code."""
    for nonsense in (b"SSH-2.0\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\r\n" * 300):

        def handle(handler: BaseHTTPRequestHandler, nonsense: bytes = nonsense) -> None:
            handler.wfile.write(nonsense)

        with serving(handle) as address:
            assert failed(address).code == "no-network"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/log",
        "file:///etc/passwd",
        "http://",
        "https:///log",
        "http://a.example/log?key=1",
        "http://a.example/log#part",
        "http://user:word@a.example/log",
        "http://a.example:port/log",
        "http://a.example:99999/log",
        "http://[::1/log",
        "http://a.example/a b",
        "http://a.example/\n",
        "http://é.example/",
        "://",
    ],
)
def test_what_is_no_url_of_a_log_is_refused(url: str) -> None:
    """An address that cannot be asked is wrong input, and never a folder."""
    with pytest.raises(InputError) as caught:
        open_source(url)
    assert caught.value.code == "bad-url"


def test_a_folder_gives_files_and_nothing_else(tmp_path: Path) -> None:
    """Folders, pipes and what is too long are refused without waiting."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(bytes(100))
    os.mkfifo(tmp_path / "pipe")
    source = open_source(str(tmp_path))
    assert source.get("file", 100) == bytes(100)
    for path, length, code in [
        ("folder", 100, "not-found"),
        ("file/below", 100, "not-found"),
        ("missing", 100, "not-found"),
        ("pipe", 100, "not-found"),
        ("file", 99, "body-too-long"),
    ]:
        with pytest.raises(LedgerError) as caught:
            source.get(path, length)
        assert caught.value.code == code, path
