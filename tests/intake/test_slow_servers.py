"""A server that reads or answers slowly keeps no signer waiting for good."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from ledger.errors import UnverifiableError
from ledger.remote import Client
from ledger.remote import client as module
from tests.reader.test_network import DRIPS
from tests.reader.test_network import serving


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EXCHANGE_SECONDS_MAX", 0.5)
    monkeypatch.setattr(module, "PAUSES_SECONDS", (0.0,))


@pytest.mark.parametrize(("begin", "again"), DRIPS.values(), ids=DRIPS)
def test_a_slow_answer_is_left(begin: bytes, again: bytes) -> None:
    """A byte now and then, or promises of an answer, end after a while."""
    over = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(begin)
        while not over.wait(0.1):
            handler.wfile.write(again)
            handler.wfile.flush()

    with serving(drip) as address:
        began = time.monotonic()
        with pytest.raises(UnverifiableError) as caught:
            Client(address).head()
        over.set()
    assert caught.value.code == "no-network"
    assert "took too long" in caught.value.message
    assert time.monotonic() - began < 10


def test_who_does_not_read_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines are sent as long as their length gives reason to, and no longer."""
    length = 64 << 20
    monkeypatch.setattr(module, "SENT_BYTES_A_SECOND_MIN", length)

    def bundles() -> Iterator[bytes]:
        for _ in range(64):
            yield bytes(1 << 20)

    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        began = time.monotonic()
        with pytest.raises(UnverifiableError) as caught:
            Client(address).put_manifest(bytes(32), length, bundles)
    assert "took too long" in caught.value.message
    assert 2.9 < time.monotonic() - began < 10  # twice: more time for more to send
