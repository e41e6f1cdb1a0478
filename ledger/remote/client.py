"""The API of a log, as a client uses it: the same bytes again until they are answered.

An answer can be lost on its way, and a server can end between the durable commit and
its answer. Sending the same bytes again is harmless, since the log answers an event
that it has with its first index: so that is what the client does, a few times. No
server keeps it waiting for good, however slowly it reads or answers.
"""

from __future__ import annotations

import http.client
import time
from http import HTTPStatus
from ssl import SSLCertVerificationError
from typing import TYPE_CHECKING
from typing import Annotated
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from ledger import __version__
from ledger.ahead import Head
from ledger.ahead import parse_head
from ledger.entry.canonical import DECODE_ERRORS
from ledger.errors import HomeError
from ledger.errors import LedgerError
from ledger.errors import UnverifiableError
from ledger.reader.network import Watch
from ledger.reader.network import bad_certificate
from ledger.reader.source import open_source
from ledger.tlog.note import Vkey
from ledger.tlog.note import parse_vkey
from ledger.wire import Answer
from ledger.wire import Request
from ledger.wire import bad_answer
from ledger.wire import format_request
from ledger.wire import parse_answers
from ledger.wire import parse_problem

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable

TIMEOUT_SECONDS = 60.0
"""For a connection, for each part that is sent, and until more of an answer comes."""
EXCHANGE_SECONDS_MAX = 180.0
SENT_BYTES_A_SECOND_MIN = 16 << 10
"""A whole exchange may take so long; and longer, if there is much to send."""
PAUSES_SECONDS = (0.5, 1.0, 2.0)
ANSWER_BYTES_MAX = 256 << 20
_TAKEN = {HTTPStatus.OK, HTTPStatus.CREATED}

Body = bytes | tuple[int, "Callable[[], Iterable[bytes]]"]
"""Bytes, or their number and what gives them, each time anew."""


class RemoteHead(NamedTuple):
    """Where a log says that it stands.

    Attributes:
        head: of the log, with the keys asked for.
        vkey: that it says its checkpoints are verified by.
        genesis: index of its own genesis: above 0 if it succeeds another log.
        newest: keys to the entry of their newest event, if the log has found it.
    """

    head: Head
    vkey: Vkey
    genesis: int
    newest: dict[bytes, int]


_Index = Annotated[int, msgspec.Meta(ge=0)]


class _Key(msgspec.Struct):
    key: str
    newest: _Index | None


class _Log(msgspec.Struct):
    vkey: str
    genesis: _Index
    keys: list[_Key]


class Client:
    """Sends requests to a log.

    Args:
        url: prefix at which it is served.
        pause: waits so many seconds before a request is sent again.

    Raises:
        InputError: `bad-url`.
    """

    def __init__(self, url: str, pause: Callable[[float], object] = time.sleep) -> None:
        if "://" not in url:
            url = f"http://{url}"
        open_source(url)  # refuses what is no prefix of URLs
        self.url = url.rstrip("/")
        self._parts = urlsplit(self.url)
        self._pause = pause

    def head(self, *keys: bytes) -> RemoteHead:
        """Ask where the log and the chains of keys stand.

        Raises:
            UnverifiableError: `no-network`.
            FormatError: `bad-answer`, `bad-head`.
            LedgerError: what the log says, such as `key-unknown`.
        """
        query = "&".join(f"key={key.hex()}" for key in keys)
        data = self._exchange("GET", f"/v1/head?{query}", b"", "")
        try:
            log = msgspec.json.decode(data, type=_Log)
            head = parse_head(data.decode())
            newest = {
                bytes.fromhex(each.key): each.newest
                for each in log.keys
                if each.newest is not None
            }
            return RemoteHead(head, parse_vkey(log.vkey), log.genesis, newest)
        except DECODE_ERRORS as error:
            raise bad_answer(str(error)) from None

    def append(self, request: Request) -> list[Answer]:
        """Append events; the refusal of a single one is an answer like any other.

        Raises:
            UnverifiableError: `no-network`: whether they were stored is unknown.
            HomeError: as the log says; whether they were stored is said.
            LedgerError: the first refusal, if atomic; nothing was appended.
        """
        body = format_request(request)
        count = len(request.events)
        try:
            data = self._exchange("POST", "/v1/events", body, "application/json")
        except _RefusedError as refused:
            if count > 1 or request.atomic or isinstance(refused.error, HomeError):
                raise refused.error from None
            return [Answer(refused.error)]
        return parse_answers(data, count)

    def put_manifest(
        self, root: bytes, length: int, bundles: Callable[[], Iterable[bytes]]
    ) -> None:
        """Send the lines of a manifest ahead of its event.

        Args:
            root: of its tree.
            length: of all bundles together.
            bundles: gives them in order.

        Raises:
            LedgerError: as for `append`.
        """
        path = f"/v1/manifests/{root.hex()}"
        try:
            self._exchange("PUT", path, (length, bundles), "application/octet-stream")
        except _RefusedError as refused:
            raise refused.error from None

    def _exchange(self, method: str, path: str, body: Body, kind: str) -> bytes:
        """Send a request until it is answered, or for too long."""
        for pause in (*PAUSES_SECONDS, None):
            failure: LedgerError
            try:
                status, data = self._send(method, path, body, kind)
            except SSLCertVerificationError as error:
                raise bad_certificate(self.url, error) from error
            except (OSError, http.client.HTTPException) as error:
                failure = self._no_network(error)
            else:
                if status in _TAKEN:
                    return data
                refusal = _refusal(status, data)
                if status != HTTPStatus.SERVICE_UNAVAILABLE:
                    raise refusal.error if method == "GET" else refusal
                failure = refusal.error
            if pause is None:
                raise failure
            self._pause(pause)
        raise failure

    def _send(self, method: str, path: str, body: Body, kind: str) -> tuple[int, bytes]:
        secure = self._parts.scheme == "https"
        connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = connect(self._parts.netloc, timeout=TIMEOUT_SECONDS)
        headers = {"User-Agent": f"linernote/{__version__}"}
        if kind:
            headers["Content-Type"] = kind
        length, content = _content(body)
        if isinstance(body, tuple):
            headers["Content-Length"] = str(length)
        watch = Watch(EXCHANGE_SECONDS_MAX + length / SENT_BYTES_A_SECOND_MIN)
        try:
            with watch:
                connection.connect()
                watch.begin(connection.sock)
                connection.request(method, self._parts.path + path, content, headers)
                answer = connection.getresponse()
                data = answer.read(ANSWER_BYTES_MAX + 1)
            watch.check()
        except (OSError, http.client.HTTPException):
            watch.check()  # that is why, then
            raise
        finally:
            connection.close()
        if len(data) > ANSWER_BYTES_MAX:
            raise bad_answer(f"it is longer than {ANSWER_BYTES_MAX} bytes")
        return answer.status, data

    def _no_network(self, error: Exception) -> UnverifiableError:
        return UnverifiableError(
            "no-network",
            f"{self.url}: {str(error) or type(error).__name__}",
            hint="check the address; if events were sent, whether they were stored is"
            " unknown, and those with an id are safe to send again",
        )


def _content(body: Body) -> tuple[int, bytes | Iterable[bytes] | None]:
    if isinstance(body, tuple):
        return body[0], body[1]()
    return len(body), body or None


class _RefusedError(Exception):
    """What the server refused, told apart from what failed on the way to it."""

    def __init__(self, error: LedgerError) -> None:
        super().__init__(error.message)
        self.error = error


def _refusal(status: int, data: bytes) -> _RefusedError:
    try:
        return _RefusedError(parse_problem(data))
    except LedgerError:
        return _RefusedError(bad_answer(f"status {status} and no problem document"))
