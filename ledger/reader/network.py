"""Reading over HTTP: bounded in length and time, packed or not, from one host only.

Each limit is against a server that means harm or is broken: an endless body, a small
body that unpacks to a large one, a byte every few seconds, an answer that sends the
reader on to some machine in its own network.
"""

from __future__ import annotations

import http.client
import socket
import threading
import time
import urllib.request
import zlib
from contextlib import suppress
from http import HTTPStatus
from typing import IO
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.parse import urlsplit

from ledger import __version__
from ledger.errors import UnverifiableError
from ledger.errors import VerificationError

if TYPE_CHECKING:
    from http.client import HTTPMessage

WAIT_SECONDS_MAX = 10.0
"""For a connection, and for each further part of an answer."""
ANSWER_SECONDS_MAX = 60.0
"""For the head of an answer, and again for its body."""

_CHUNK_BYTES = 1 << 16
_GZIP = 16 + zlib.MAX_WBITS
_GONE = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
_HEADERS = {
    "Accept-Encoding": "gzip",
    "User-Agent": f"linernote/{__version__}",
}


class HttpSource:
    """The files of a log under a prefix of URLs.

    Args:
        prefix: http or https, without query or fragment.
        wait_seconds: limit for each step of an exchange.
        answer_seconds: limit for the head, and for the body, of an answer.
    """

    def __init__(
        self,
        prefix: str,
        *,
        wait_seconds: float = WAIT_SECONDS_MAX,
        answer_seconds: float = ANSWER_SECONDS_MAX,
    ) -> None:
        self._prefix = prefix.rstrip("/")
        self._wait_seconds = wait_seconds
        self._answer_seconds = answer_seconds
        self._opener = _make_opener(answer_seconds)

    def __str__(self) -> str:
        return self._prefix

    def get(self, path: str, bytes_max: int) -> bytes:
        """Read one file; as `Source.get`."""
        url = f"{self._prefix}/{path}"
        request = urllib.request.Request(url, headers=_HEADERS)  # noqa: S310 (open_source)
        try:
            with self._opener.open(request, timeout=self._wait_seconds) as answer:
                if answer.status != HTTPStatus.OK:
                    raise _no_network(url, f"answered {answer.status}")
                body = self._read(answer, url, bytes_max)
                encoding = answer.headers.get("Content-Encoding", "identity")
        except HTTPError as error:
            error.close()
            raise _refusal(url, error) from None
        # A server that breaks HTTP is one that cannot be read.
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            raise _no_network(url, str(reason) or type(error).__name__) from error
        return _unpack(body, encoding.strip().lower(), url, bytes_max)

    def _read(self, answer: http.client.HTTPResponse, url: str, length: int) -> bytes:
        """Read the body in parts, so that none and all of them can be too late."""
        deadline = time.monotonic() + self._answer_seconds
        announced = answer.length
        parts: list[bytes] = []
        read = 0
        while read != announced and (part := answer.read1(_CHUNK_BYTES)):
            parts.append(part)
            read += len(part)
            if read > length:
                raise _too_long(url, length)
            if time.monotonic() > deadline:
                raise _no_network(url, "took too long to answer")
        if announced is not None and read != announced:
            raise _no_network(url, f"broke off after {read:,} of {announced:,} bytes")
        return b"".join(parts)


def _unpack(body: bytes, encoding: str, url: str, length: int) -> bytes:
    if encoding == "identity":
        return body
    if encoding != "gzip":
        raise _no_network(url, f"answered in encoding {encoding!a}, not asked for")
    unpacker = zlib.decompressobj(wbits=_GZIP)
    try:
        data = unpacker.decompress(body, length + 1)
    except zlib.error as error:
        raise _no_network(url, f"answered with broken gzip: {error}") from None
    if len(data) > length:
        raise _too_long(url, length)
    if not unpacker.eof or unpacker.unused_data:
        raise _no_network(url, "answered with gzip that does not end where it should")
    return data


class _SameHost(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only where it stays with the host that the person named."""

    def redirect_request(  # noqa: PLR0917 (as the base class has it)
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if urlsplit(req.full_url)[:2] != urlsplit(newurl)[:2]:
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _make_opener(head_seconds: float) -> urllib.request.OpenerDirector:
    """Make an opener that knows HTTP and nothing else: no files, no FTP."""

    class Http(_Patience, http.client.HTTPConnection):
        seconds = head_seconds

    class Https(_Patience, http.client.HTTPSConnection):
        seconds = head_seconds

    class HttpHandler(urllib.request.HTTPHandler):
        def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
            return self.do_open(Http, req)

    class HttpsHandler(urllib.request.HTTPSHandler):
        def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
            return self.do_open(Https, req)

    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        HttpHandler(),
        HttpsHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _SameHost(),
    ):
        opener.add_handler(handler)
    return opener


class _Patience:
    """A connection that waits for the head of an answer only so long.

    A socket's timeout begins anew with every byte, so a server that sends one now
    and then could keep a monitor waiting for years.
    """

    seconds: float
    sock: socket.socket | None

    def getresponse(self) -> http.client.HTTPResponse:
        late = threading.Event()
        timer = threading.Timer(self.seconds, _hang_up, [self.sock, late])
        timer.daemon = True
        timer.start()
        try:
            answer: http.client.HTTPResponse = super().getresponse()  # type: ignore[misc]
        finally:
            timer.cancel()
        if late.is_set():
            # A head that was cut off reads like one that ended.
            answer.close()
            raise TimeoutError("took too long to answer")
        return answer


def _hang_up(connection: socket.socket | None, late: threading.Event) -> None:
    late.set()
    with suppress(OSError):
        if connection is not None:
            connection.shutdown(socket.SHUT_RDWR)


def _refusal(url: str, error: HTTPError) -> UnverifiableError:
    if error.code in _GONE:
        return UnverifiableError(
            "not-found",
            f"{url} is not there",
            hint="name the prefix under which the log serves checkpoint and tile/",
        )
    if error.code in range(300, 400):
        return _no_network(url, f"leads elsewhere: {error.headers.get('Location')!a}")
    return _no_network(url, f"answered {error.code}")


def _no_network(url: str, message: str) -> UnverifiableError:
    return UnverifiableError(
        "no-network",
        f"{url}: {message}",
        hint="check the address, or try again later",
    )


def _too_long(url: str, length: int) -> VerificationError:
    return VerificationError(
        "body-too-long", f"{url} is longer than {length:,} bytes, which no such file is"
    )
