"""Many who bring something in at once: some threads stay for those who read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from flask.testing import FlaskClient

from ledger.anchor import VARIABLE
from ledger.cli.serving import ACCEPTING_THREADS
from ledger.entry.manifest import plain_leaf
from ledger.home import Home
from ledger.intake import Intake
from ledger.writer import Writer
from tests.intake.places import found
from tests.intake.places import log_key
from web import create_app
from web import intake as taking

ROOT = "0" * 64
LINES = (b"\0\x14", plain_leaf({"a": "b"}))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    folder = tmp_path_factory.mktemp("crowds")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(folder / "anchors"))
        town = found(folder, "lab")
        with (
            Writer(Home(town.home)) as writer,
            Intake(writer, [log_key(town)]) as intake,
        ):
            yield create_app(town.home, intake).test_client()


def post(client: FlaskClient) -> str:
    answer = client.post("/v1/events", data=b"{}", content_type="application/json")
    return str((answer.json or {})["code"])


def put(client: FlaskClient, data: bytes = b"".join(LINES)) -> str:
    kind = "application/octet-stream"
    answer = client.put(f"/v1/manifests/{ROOT}", data=data, content_type=kind)
    return str((answer.json or {})["code"])


def test_appending_leaves_threads_for_readers(client: FlaskClient) -> None:
    """When all places to append are taken, the next one is told, and readers read."""
    assert post(client) != "intake-full"
    with ExitStack() as stack:
        for _ in range(taking.APPENDING_MAX):
            stack.enter_context(taking._appending)
        assert post(client) == "intake-full"
        assert put(client) != "intake-full"
        assert client.get("/v1/head").status_code == 200
    assert post(client) != "intake-full"
    both = taking.APPENDING_MAX + taking.UPLOADING_MAX
    assert both < ACCEPTING_THREADS
    assert taking.WAITING_MAX < taking.APPENDING_MAX


def test_uploading_leaves_threads_for_appending(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines are hashed two at a time: others wait for a while, and only so many."""
    monkeypatch.setattr(taking, "WAIT_SECONDS", 0.05)
    with ExitStack() as stack:
        for _ in range(taking.HASHING_MAX):
            stack.enter_context(taking._hashing)
        assert put(client) == "intake-full"
        assert post(client) != "intake-full"
    assert put(client) != "intake-full"
    with ExitStack() as stack:
        for _ in range(taking.UPLOADING_MAX):
            stack.enter_context(taking._uploading)
        assert put(client) == "intake-full"
    assert put(client) != "intake-full"


def test_lines_are_of_whoever_sent_them(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address that a request comes from is told where lines are kept."""
    senders: list[object] = []

    def take(*arguments: object) -> None:
        senders.extend(arguments[4:])
        raise AssertionError

    monkeypatch.setattr("ledger.uploads.Uploads.take", take)
    assert put(client) == "internal"
    assert senders == ["127.0.0.1"]
