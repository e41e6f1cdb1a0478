"""What may be sent to a server: so many bytes, and so fast.

    a head                      32 KiB, in 30 s
    POST /v1/events             16 MiB, where events are taken
    PUT  /v1/manifests/<root>   4 GiB, where events are taken
    POST /add-checkpoint        512 KiB, of a witness
    anything else               64 KiB, and so whatever does not say its length
    a body                      32 KiB a second, but for 30 s at the start or in all

A body is gathered before anybody looks at it (`ledger.cli.spool`): whoever sends too
much, or so slowly that the connection is held for its own sake, is refused here, as a
problem document (ledger/docs/json.md).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from waitress.parser import HTTPRequestParser
from waitress.parser import ParsingError
from waitress.utilities import Error

from ledger.cli.spool import SMALL_BYTES_MAX
from ledger.cli.spool import Body
from ledger.cli.spool import NoRoomError
from ledger.cli.spool import Room
from ledger.tlog.witness_messages import ADD_CHECKPOINT_PATH
from ledger.tlog.witness_messages import REQUEST_BYTES_MAX
from ledger.uploads import MANIFEST_BYTES_MAX
from ledger.wire import BODY_BYTES_MAX

HEAD_BYTES_MAX = 1 << 15
SPOOL_BYTES_MAX = 8 << 30
SMALL_SPOOL_BYTES_MAX = 64 << 20
PATIENCE_SECONDS = 30.0
BYTES_PER_SECOND_MIN = 1 << 15

Takes = Mapping[str, int]
"""Method and path, as a pattern, to the most bytes; 0 for what is not taken here."""

_EVENTS, _MANIFEST = "POST /v1/events", "PUT /v1/manifests/[0-9a-f]{64}"
READING: Takes = {_EVENTS: 0, _MANIFEST: 0}
ACCEPTING: Takes = {_EVENTS: BODY_BYTES_MAX, _MANIFEST: MANIFEST_BYTES_MAX}
WITNESS: Takes = {f"POST /{ADD_CHECKPOINT_PATH}": REQUEST_BYTES_MAX}


class RefusedError(Error):
    """An error before the application is asked, as a problem document."""

    def __init__(self, status: int, reason: str, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = status
        self.reason = reason
        self._problem = {
            "type": "about:blank",
            "title": reason,
            "status": status,
            "detail": detail,
            "code": code,
        }

    def to_response(  # type: ignore[override] # bytes, whatever the stubs say
        self, ident: str | None = None
    ) -> tuple[str, Sequence[tuple[str, str]], bytes]:
        """Make the answer."""
        del ident
        headers = [
            ("Content-Type", "application/problem+json"),
            ("Cache-Control", "no-store"),
            ("Connection", "close"),
        ]
        if self.code == 503:  # noqa: PLR2004 (Service Unavailable)
            headers.append(("Retry-After", "1"))
        return f"{self.code} {self.reason}", headers, json.dumps(self._problem).encode()


class Patience:
    """How long to wait for somebody who moves bytes: never long for the next ones.

    Each byte buys its share of a second, and nothing can be saved up beyond the
    patience that there was at first.

    Args:
        bytes_per_second: that are fast enough for ever.
    """

    def __init__(self, bytes_per_second: int = BYTES_PER_SECOND_MIN) -> None:
        self._rate = bytes_per_second
        self._deadline = time.monotonic() + PATIENCE_SECONDS

    def moved(self, count: int) -> None:
        """Take note of bytes."""
        most = time.monotonic() + PATIENCE_SECONDS
        self._deadline = min(self._deadline + count / self._rate, most)

    @property
    def over(self) -> bool:
        """Tell whether there is none left."""
        return time.monotonic() > self._deadline


class Bounds(NamedTuple):
    """What a server takes.

    Attributes:
        takes: how much at which address.
        room: for all bodies together.
    """

    takes: Takes
    room: Room


class BoundedParser(HTTPRequestParser):
    """A request that may not grow or last beyond its bounds.

    Args:
        adj: of the server.
        bounds: of the server.
        peer: who sends it.
    """

    body: Body | None = None

    def __init__(
        self,
        adj: Any,  # noqa: ANN401 (waitress has no types)
        bounds: Bounds,
        peer: str,
    ) -> None:
        super().__init__(adj)
        self.patience = Patience()
        self._bounds = bounds
        self._peer = peer

    def parse_header(self, header_plus: bytes) -> None:
        """Read the head, and have the body gathered where it has bounds."""
        try:
            super().parse_header(header_plus)
        except ValueError as error:  # a length of thousands of digits
            raise ParsingError("Content-Length is invalid") from error
        if self.body_rcv is not None:
            self.body = Body(self._bounds.room, self._peer)
            self.body_rcv.buf = self.body  # type: ignore[assignment]

    @property
    def begun(self) -> bool:
        """Tell whether more than blank lines came."""
        return self.headers_finished or bool(self.header_plus)

    def received(self, data: bytes) -> int:
        """Take what has come; return how much of it was of this request."""
        if not self.begun:
            blank = len(data) - len(data.lstrip(b"\r\n"))
            if blank:
                return blank
        in_head, consumed = not self.headers_finished, len(data)
        try:
            consumed = super().received(data)
        except NoRoomError:
            self.refuse(_no_room())
        except OSError as error:
            self.refuse(_disk_failed(error))
        if self.error is None and self.headers_finished:
            if in_head:
                self.patience = Patience()
            else:
                self.patience.moved(len(data))
            self._check_size()
        if not self.completed:
            return consumed
        self._complete(data[consumed:])
        return len(data)

    def _complete(self, rest: bytes) -> None:
        """Make of this request the last one if others are here already.

        So nobody asks for much at once and leaves the answers unread. What came too
        early is dropped, and the answer says that it was the last.
        """
        self.expect_continue = False
        if self.body is not None:
            self.body.coming = False
        if rest.strip():
            self.headers["CONNECTION"] = "close"  # type: ignore[index]

    def _check_size(self) -> None:
        allowed = self._allowed()
        most = max(allowed, SMALL_BYTES_MAX)
        if self.chunked:
            if self.body_bytes_received > SMALL_BYTES_MAX:
                self.refuse(_no_length())
        elif self.content_length > most:
            self.refuse(_too_large(most) if allowed else _not_accepting())

    def _allowed(self) -> int:
        asked = f"{self.command} {self.path}"  # type: ignore[attr-defined,str-bytes-safe] # str, whatever the stubs say
        for pattern, most in self._bounds.takes.items():
            if re.fullmatch(pattern, asked):
                return most
        return SMALL_BYTES_MAX

    def refuse(self, error: RefusedError) -> None:
        """Answer with an error, whatever is still to come."""
        if not self.headers_finished:
            self.parse_header(b"GET / HTTP/1.0\r\n")  # as the parser itself does
        self.error, self.completed = error, True
        self.close()


def too_slow() -> RefusedError:
    """Refuse what does not come."""
    detail = f"no whole request in {PATIENCE_SECONDS:.0f} seconds, or too slow a body"
    return RefusedError(408, "Request Timeout", "too-slow", detail)


def _too_large(most: int) -> RefusedError:
    detail = f"a body of more than {most} bytes"
    return RefusedError(413, "Request Entity Too Large", "too-large", detail)


def _no_length() -> RefusedError:
    detail = f"a body of more than {SMALL_BYTES_MAX} bytes without Content-Length"
    return RefusedError(411, "Length Required", "length-required", detail)


def _not_accepting() -> RefusedError:
    return RefusedError(403, "Forbidden", "not-accepting", "this server only reads")


def _no_room() -> RefusedError:
    detail = "too much is on its way already; send it again later"
    return RefusedError(503, "Service Unavailable", "staging-full", detail)


def _disk_failed(error: OSError) -> RefusedError:
    detail = f"the body could not be kept: {error.strerror}"
    return RefusedError(503, "Service Unavailable", "staging-failed", detail)
