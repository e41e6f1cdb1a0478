"""Reading over HTTP: bounded in length and time, packed or not, from one host only.

Each limit is against a server that means harm or is broken: an endless body, a small
body that unpacks to a large one, a byte every few seconds, an answer that sends the
reader on to some machine in its own network. Over https a server proves who it is to
the authorities that the machine believes, or those that SSL_CERT_FILE and SSL_CERT_DIR
name.
"""

from __future__ import annotations

import http.client
import socket
import threading
import urllib.request
import zlib
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from ssl import SSLCertVerificationError
from typing import IO
from typing import TYPE_CHECKING
from typing import Any
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
"""For a whole exchange."""

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
        answer_seconds: limit for all of it.
    """

    def __init__(
        self,
        prefix: str,
        *,
        wait_seconds: float = WAIT_SECONDS_MAX,
        answer_seconds: float = ANSWER_SECONDS_MAX,
    ) -> None:
        self._prefix = prefix.rstrip("/")
        self._wait = wait_seconds
        self._answer_seconds = answer_seconds
        self._proxies = urllib.request.getproxies()

    def __str__(self) -> str:
        return self._prefix

    def get(self, path: str, bytes_max: int) -> bytes:
        """Read one file; as `Source.get`."""
        url = f"{self._prefix}/{path}"
        request = urllib.request.Request(url, headers=_HEADERS)  # noqa: S310 (open_source)
        watch = Watch(self._answer_seconds)
        try:
            with watch, self._opener(watch).open(request, timeout=self._wait) as answer:
                if answer.status != HTTPStatus.OK:
                    raise _no_network(url, f"answered {answer.status}")
                body = _read(answer, url, bytes_max)
                encoding = answer.headers.get("Content-Encoding", "identity")
                watch.check()
        except HTTPError as error:
            error.close()
            raise _refusal(url, error) from None
        # A server that breaks HTTP is one that cannot be read.
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            if isinstance(reason, SSLCertVerificationError):
                raise bad_certificate(url, reason) from error
            raise _no_network(url, str(reason) or type(error).__name__) from error
        return _unpack(body, encoding.strip().lower(), url, bytes_max)

    def _opener(self, watch: Watch) -> urllib.request.OpenerDirector:
        """Make an opener that knows HTTP and nothing else: no files, no FTP."""
        opener = urllib.request.OpenerDirector()
        for handler in (
            urllib.request.ProxyHandler(self._proxies),
            _Handler(watch),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
            _SameHost(),
        ):
            opener.add_handler(handler)
        return opener


def _read(answer: http.client.HTTPResponse, url: str, length: int) -> bytes:
    announced = answer.length
    parts: list[bytes] = []
    read = 0
    while read != announced and (part := answer.read1(_CHUNK_BYTES)):
        parts.append(part)
        read += len(part)
        if read > length:
            raise _too_long(url, length)
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
    """Follows a redirect only where it stays with the host that the person named.

    Nothing is read but its head: the body, which nobody wants, might have no end, and
    the base class would hold all of it in memory before it goes on.
    """

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
        led = super().redirect_request(req, fp, code, msg, headers, newurl)
        fp.close()
        return led


class Watch:
    """Hangs up on a server that takes too long, whatever it is about to send.

    A socket's timeout begins anew with every byte: by one now and then, in the head, in
    the body or behind it, a server could keep a monitor waiting for years.

    Args:
        seconds: for all that happens while it is entered.
    """

    def __init__(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._hang_up)
        self._timer.daemon = True
        self._late = False
        self._connection: socket.socket | None = None

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def begin(self, connection: socket.socket | None) -> None:
        """Watch over a connection, instead of the one before."""
        self._connection = connection
        self.check()

    def check(self) -> None:
        """Check that there was time: what was cut off reads like what has ended.

        Raises:
            TimeoutError: it is over.
        """
        if self._late:
            raise TimeoutError("took too long to answer")

    def _hang_up(self) -> None:
        self._late = True
        if self._connection is not None:
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)


class _Watched:
    """A connection that tells a watch when it begins to wait for an answer."""

    sock: socket.socket | None

    def __init__(self, *args: Any, watch: Watch, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **kwargs)
        self._watch = watch

    def getresponse(self) -> http.client.HTTPResponse:
        self._watch.begin(self.sock)
        answer: http.client.HTTPResponse = super().getresponse()  # type: ignore[misc]
        try:
            self._watch.check()
        except TimeoutError:
            answer.close()
            raise
        return answer


class _Http(_Watched, http.client.HTTPConnection):
    pass


class _Https(_Watched, http.client.HTTPSConnection):
    pass


class _Handler(urllib.request.HTTPHandler, urllib.request.HTTPSHandler):
    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(partial(_Http, watch=self._watch), req)

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(partial(_Https, watch=self._watch), req)


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


def bad_certificate(url: str, error: SSLCertVerificationError) -> UnverifiableError:
    """Make the error of a server that does not prove that it is the one named."""
    return UnverifiableError(
        "bad-certificate",
        f"{url}: the server's certificate is not to be believed: {error}",
        hint="check the address; an authority that this machine does not know is named"
        " by SSL_CERT_FILE, a file of its certificates",
    )


def _too_long(url: str, length: int) -> VerificationError:
    return VerificationError(
        "body-too-long", f"{url} is longer than {length:,} bytes, which no such file is"
    )
