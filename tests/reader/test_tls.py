"""Reading over https: by the authorities that this machine believes, and no others."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from ledger.errors import LedgerError
from ledger.errors import UnverifiableError
from ledger.reader import Reader
from ledger.reader import open_source
from ledger.remote import Client
from ledger.tlog.note import format_vkey
from tests.cli.conftest import run_command
from tests.reader.shelf import VKEY
from tests.reader.shelf import Shelf
from tests.reader.shelf import leaves_of

OPENSSL = shutil.which("openssl")
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
SIZE = 600

pytestmark = pytest.mark.skipif(OPENSSL is None, reason="no openssl to certify with")


class Authority:
    """Certifies servers, with the openssl command.

    Args:
        folder: of its files.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.certificate = folder / "ca.pem"
        self._run(
            *("req", "-x509", *KEY, "-keyout", "ca.key", "-out", "ca.pem"),
            *("-subj", "/CN=an authority", "-days", "2"),
            *("-addext", "keyUsage=critical,keyCertSign"),
        )

    def certify(self, name: str, *, of_itself: bool = False) -> ssl.SSLContext:
        """Make what a server of a name, such as IP:127.0.0.1, proves itself by."""
        (self._folder / "names").write_text(f"subjectAltName={name}\n")
        self._run(
            *("req", *KEY, "-keyout", "server.key", "-out", "server.csr"),
            *("-subj", "/CN=a server"),
        )
        by = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial")
        self._run(
            *("x509", "-req", "-in", "server.csr", "-out", "server.pem", "-days", "2"),
            *(("-signkey", "server.key") if of_itself else by),
            *("-extfile", "names"),
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(
            self._folder / "server.pem", self._folder / "server.key"
        )
        return context

    def _run(self, *arguments: str) -> None:
        command = [OPENSSL or "", *arguments]
        subprocess.run(command, cwd=self._folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(autouse=True)
def no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no setting of this machine decide."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)


@contextmanager
def serving(
    context: ssl.SSLContext | None, moved: Callable[[str], str | None] = lambda _: None
) -> Iterator[str]:
    """Serve a log over https, or without; `moved` says where a path leads instead."""
    shelf = Shelf(leaves_of(SIZE))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            target = moved(self.path)
            data = shelf.files.get(self.path.lstrip("/"), b"")
            self.send_response(302 if target else 200 if data else 404)
            if target:
                self.send_header("Location", target)
            self.send_header("Content-Length", str(0 if target else len(data)))
            self.end_headers()
            self.wfile.write(b"" if target else data)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 128

        def handle_error(self, *_: object) -> None:
            """Say nothing of who hangs up."""

    with Server(("127.0.0.1", 0), Handler) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        try:
            yield f"http{'s' if context else ''}://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def refusal(url: str) -> LedgerError:
    with Reader(open_source(url), [VKEY]) as reader:
        with pytest.raises(LedgerError) as caught:
            reader.checkpoint()
        return caught.value


def test_an_authority_of_ones_own_is_believed_if_it_is_named(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole log is read with SSL_CERT_FILE, and nothing without."""
    with serving(authority.certify("IP:127.0.0.1")) as url:
        error = refusal(url)
        assert isinstance(error, UnverifiableError)
        assert error.code == "bad-certificate"
        assert "SSL_CERT_FILE" in error.hint
        assert url in error.message
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
        with Reader(open_source(url), [VKEY]) as reader:
            assert tuple(reader.leaves(0, SIZE)) == leaves_of(SIZE)
            assert reader.prove(7).extra == leaves_of(SIZE)[7]


@pytest.mark.parametrize(
    ("name", "of_itself"), [("DNS:other.example", False), ("IP:127.0.0.1", True)]
)
def test_a_certificate_of_another_or_by_itself_is_not_believed(
    name: str,
    of_itself: bool,  # noqa: FBT001
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is for the host that was named, and by an authority that is believed."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    with serving(authority.certify(name, of_itself=of_itself)) as url:
        assert refusal(url).code == "bad-certificate"


def test_what_speaks_no_tls_is_no_network(authority: Authority) -> None:
    """A plain server in the place of an encrypted one is no answer, nor the reverse."""
    with serving(None) as url:
        assert refusal(url.replace("http:", "https:")).code == "no-network"
    with serving(authority.certify("IP:127.0.0.1")) as url:
        assert refusal(url.replace("https:", "http:")).code == "no-network"


def test_nobody_is_led_out_of_the_encrypted(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file may have moved on its server, but not to where others can change it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    context = authority.certify("IP:127.0.0.1")
    with serving(None) as plain:

        def away(path: str) -> str:
            return f"{plain}{path}"

        with serving(context, away) as url:
            error = refusal(url)
            assert error.code == "no-network"
            assert "leads elsewhere" in error.message

    def within(path: str) -> str | None:
        return path.removeprefix("/old") if path.startswith("/old") else None

    with (
        serving(context, within) as url,
        Reader(open_source(f"{url}/old"), [VKEY]) as reader,
    ):
        assert reader.checkpoint().size == SIZE


def test_events_are_sent_to_nobody_unproven(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever signs sends to the server that was named, and is told at once."""
    waited: list[float] = []
    with serving(authority.certify("IP:127.0.0.1")) as url:
        client = Client(url, waited.append)
        with pytest.raises(UnverifiableError) as caught:
            client.head()
        assert (caught.value.code, waited) == ("bad-certificate", [])
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
        with pytest.raises(LedgerError) as caught_:
            client.head()
        assert caught_.value.code != "bad-certificate"


def test_the_command_says_so(authority: Authority) -> None:
    """Exit code 5, the code, and what to do."""
    pinned = ("--vkey", format_vkey(VKEY))
    with serving(authority.certify("IP:127.0.0.1")) as url:
        done = run_command("prove", 0, "--from", url, *pinned)
        assert (done.code, done.error) == (5, "bad-certificate")
        assert "SSL_CERT_FILE" in done.err
        trusted = {"SSL_CERT_FILE": str(authority.certificate)}
        assert run_command("prove", 0, "--from", url, *pinned, **trusted).code == 0
