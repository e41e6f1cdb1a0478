"""A line to one witness: a thread, a connection, and bounds on what comes back.

The thread waits for the witness, so that nobody else does. Redirects are not followed,
bodies are bounded, and a line that is hung up ends, even if the witness keeps it alive
one byte at a time.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import NamedTuple
from urllib.parse import urlsplit

from ledger.errors import LedgerError
from ledger.errors import UnverifiableError
from ledger.tlog.policy import Witness
from ledger.tlog.text import excerpt
from ledger.tlog.witness_messages import ADD_CHECKPOINT_PATH
from ledger.tlog.witness_messages import ANSWER_BYTES_MAX


class Answer(NamedTuple):
    """What a witness answered, whatever it is worth.

    Attributes:
        status: of HTTP.
        body: bounded.
    """

    status: int
    body: bytes


class Line(Thread):
    """A connection to a witness, and the thread that waits for what it says.

    Args:
        witness: with an address.
        seconds: without a byte, after which it is given up.
        heard: where what it said is put.

    Raises:
        UnverifiableError: `bad-witness-url`.
    """

    def __init__(
        self,
        witness: Witness,
        seconds: float,
        heard: SimpleQueue[tuple[Line, Answer | LedgerError]],
    ) -> None:
        super().__init__(name=f"asking {witness.name}", daemon=True)
        self.witness = witness
        self.rounds = 0
        self._connection, self._path = _connection(witness.url or "", seconds)
        self._bodies: SimpleQueue[bytes | None] = SimpleQueue()
        self._heard = heard
        self._over = False

    def ask(self, body: bytes) -> None:
        """Send a request, as soon as the last one was answered."""
        self.rounds += 1
        self._bodies.put(body)

    def run(self) -> None:
        """Ask until there is nothing more to ask."""
        while (body := self._bodies.get()) is not None:
            try:
                self._heard.put((self, self._exchange(body)))
            except LedgerError as error:
                self._heard.put((self, error))
        self._connection.close()

    def hang_up(self) -> None:
        """End the thread, also one that is read to one byte at a time."""
        self._over = True
        self._bodies.put(None)
        sock = self._connection.sock
        if sock is not None:
            with suppress(OSError):
                # Not the method of TLS sockets, which another thread must not call.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def _exchange(self, body: bytes) -> Answer:
        """Send a request, and read what comes back.

        Raises:
            UnverifiableError: `timeout`, `no-answer`, `answer-too-large`.
        """
        kept = self._connection.sock is not None
        try:
            answer = self._post(body)
        except ConnectionError as error:
            self._connection.close()
            if not kept:
                raise _no_answer(error) from error
            return self._exchange(body)  # it was closed while nothing was asked
        except TimeoutError as error:
            self._connection.close()
            raise UnverifiableError("timeout", "no answer in time") from error
        # Some of what may stand for a host raises ValueError before any socket.
        except (OSError, ValueError, http.client.HTTPException) as error:
            self._connection.close()
            raise _no_answer(error) from error
        if len(answer.body) > ANSWER_BYTES_MAX:
            self._connection.close()
            raise UnverifiableError(
                "answer-too-large", f"more than {ANSWER_BYTES_MAX:,} bytes"
            )
        return answer

    def _post(self, body: bytes) -> Answer:
        connection = self._connection
        if connection.sock is None:
            connection.connect()
        if self._over:
            raise TimeoutError
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        connection.request("POST", self._path, body, headers)
        with connection.getresponse() as response:
            return Answer(response.status, response.read(ANSWER_BYTES_MAX + 1))


def _connection(url: str, seconds: float) -> tuple[http.client.HTTPConnection, str]:
    """Prepare a connection; give it with the path to ask."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    plain = not (parts.query or parts.fragment or parts.username or parts.password)
    if parts.scheme not in {"http", "https"} or host is None or not plain:
        raise UnverifiableError(
            "bad-witness-url",
            f"{excerpt(url)} is not an http or https address of a witness",
            hint="give its submission prefix, such as https://witness.example/w",
        )
    path = f"{parts.path.rstrip('/')}/{ADD_CHECKPOINT_PATH}"
    if parts.scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=seconds), path
    context = ssl.create_default_context()
    return http.client.HTTPSConnection(
        host, port, timeout=seconds, context=context
    ), path


def _no_answer(error: Exception) -> UnverifiableError:
    return UnverifiableError("no-answer", excerpt(str(error) or type(error).__name__))
