"""What the server takes from a connection: bounded by address, and in bounded time.

    POST /v1/events               16 MiB
    PUT  /v1/manifests/<root>     4 GiB
    POST /add-checkpoint          512 KiB, of a witness
    anything else                 64 KiB
    a body                        30 s, and a second more for each 32 KiB that came

A body is gathered before anybody looks at it, first in memory and then in a temporary
file: whoever sends too much, or so slowly that the connection is held for its own sake,
is refused here, as a problem document (ledger/docs/json.md).
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.utilities import Error

from ledger.tlog.witness_messages import ADD_CHECKPOINT_PATH
from ledger.tlog.witness_messages import REQUEST_BYTES_MAX
from ledger.uploads import MANIFEST_BYTES_MAX
from ledger.wire import BODY_BYTES_MAX

OTHER_BYTES_MAX = 1 << 16
PATIENCE_SECONDS = 30.0
BYTES_PER_SECOND_MIN = 1 << 15


class _RefusedError(Error):
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
        return f"{self.code} {self.reason}", headers, json.dumps(self._problem).encode()


class BoundedParser(HTTPRequestParser):
    """A request that may not grow or last beyond its bounds."""

    def __init__(self, adj: Any) -> None:  # noqa: ANN401 (waitress has no types)
        super().__init__(adj)
        self._started = time.monotonic()

    def received(self, data: bytes) -> int:
        """Take what has come; return how much of it was of this request."""
        consumed: int = super().received(data)
        if self.error is None and self.headers_finished and not self.empty:
            refused = self._too_large() or self._too_slow()
            if refused is not None:
                self.error, self.completed = refused, True
                self.expect_continue = False
        return consumed

    def _too_large(self) -> _RefusedError | None:
        most = body_bytes_max(getattr(self, "command", ""), getattr(self, "path", ""))
        if max(self.content_length, self.body_bytes_received) <= most:
            return None
        return _RefusedError(
            413,
            "Request Entity Too Large",
            "too-large",
            f"a body of more than {most} bytes",
        )

    def _too_slow(self) -> _RefusedError | None:
        passed = time.monotonic() - self._started
        allowed = PATIENCE_SECONDS + self.body_bytes_received / BYTES_PER_SECOND_MIN
        if self.completed or passed <= allowed:
            return None
        return _RefusedError(
            408,
            "Request Timeout",
            "too-slow",
            f"no whole body in {int(passed)} seconds",
        )


class BoundedChannel(HTTPChannel):
    """A connection whose requests have bounds."""

    parser_class = BoundedParser


def body_bytes_max(method: str, path: str) -> int:
    """Give the most bytes that a body may have.

    >>> body_bytes_max("GET", "/"), body_bytes_max("POST", "/add-checkpoint")
    (65536, 524288)
    """
    if method == "POST" and path == "/v1/events":
        return BODY_BYTES_MAX
    if method == "POST" and path == f"/{ADD_CHECKPOINT_PATH}":
        return REQUEST_BYTES_MAX
    if method == "PUT" and path.startswith("/v1/manifests/"):
        return MANIFEST_BYTES_MAX
    return OTHER_BYTES_MAX
