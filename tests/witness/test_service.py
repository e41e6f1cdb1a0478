"""The witness over HTTP answers as C2SP tlog-witness says, and says no more."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from ledger.tlog.cosignature import merge_signatures
from ledger.tlog.note import Note
from ledger.tlog.note import Signature
from ledger.tlog.note import format_note
from ledger.tlog.note import open_note
from ledger.tlog.note import parse_note
from ledger.tlog.witness_messages import AddCheckpoint
from ledger.tlog.witness_messages import checkpoint_path
from ledger.tlog.witness_messages import format_request
from ledger.tlog.witness_messages import open_answer
from ledger.witness.cosigning import Witness
from tests.witness.logs import ORIGIN
from tests.witness.logs import Clock
from tests.witness.logs import GrowingLog
from tests.witness.logs import make_witness
from web.witness import create_witness

LOG = GrowingLog()
FORK = GrowingLog("other", 3)
PATH = f"/{checkpoint_path(ORIGIN)}"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def witness(tmp_path: Path, clock: Clock) -> Witness:
    return make_witness(tmp_path / "witness", LOG, clock=clock)


@pytest.fixture
def client(witness: Witness) -> FlaskClient:
    return create_witness(witness).test_client()


def post(client: FlaskClient, request: AddCheckpoint) -> TestResponse:
    return client.post("/add-checkpoint", data=format_request(request))


def test_a_cosignature_is_one_line(client: FlaskClient, witness: Witness) -> None:
    """200: a line that, put under the checkpoint sent, makes a cosigned note."""
    answer = post(client, LOG.request(0, 5))
    assert answer.status_code == 200
    assert answer.data.startswith("— w1.example ".encode())
    assert answer.data.count(b"\n") == 1
    note = LOG.checkpoint(5) + answer.text
    assert open_note(note, [witness.vkey]).verified == (witness.vkey,)


def test_a_stale_size_is_answered_with_the_right_one(client: FlaskClient) -> None:
    """409: the size in decimal and a newline, of the type that the standard names."""
    assert post(client, LOG.request(0, 5)).status_code == 200
    answer = post(client, LOG.request(0, 7))
    assert (answer.status_code, answer.data) == (409, b"5\n")
    assert answer.headers["Content-Type"] == "text/x.tlog.size"


def test_an_unknown_log_is_not_found(client: FlaskClient) -> None:
    """404: nobody added it."""
    other = GrowingLog(origin="b.example")
    assert post(client, other.request(0, 5)).status_code == 404
    assert client.get(f"/{checkpoint_path('b.example')}").status_code == 404
    assert client.get(PATH).status_code == 404  # known, and never cosigned


def test_a_signature_that_does_not_count_is_forbidden(client: FlaskClient) -> None:
    """403: none by a known key, or one by a known key that does not hold."""
    stranger = GrowingLog(seed=bytes([9]) * 32)
    assert post(client, stranger.request(0, 5)).status_code == 403
    note = parse_note(LOG.checkpoint(5))
    broken = Signature(ORIGIN, note.signatures[0].key_id, bytes(64))
    both = format_note(Note(note.text, (*note.signatures, broken)))
    assert post(client, AddCheckpoint(0, (), both)).status_code == 403


def test_a_proof_that_does_not_hold_is_unprocessable(client: FlaskClient) -> None:
    """422: another history, a proof from nothing, a proof for equal sizes."""
    assert (
        post(client, AddCheckpoint(0, (bytes(32),), LOG.checkpoint(5))).status_code
        == 422
    )
    assert post(client, LOG.request(0, 5)).status_code == 200
    for size in (5, 6):
        assert post(client, FORK.request(5, size)).status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0\n",
        b"old 00\n\n" + LOG.checkpoint(5).encode(),
        b"old +0\n\n" + LOG.checkpoint(5).encode(),
        b"old 6\n\n" + LOG.checkpoint(5).encode(),
        b"old 0\r\n\r\n" + LOG.checkpoint(5).encode(),
        b"old 0\nAA==\n\n" + LOG.checkpoint(5).encode(),
        b"old 0\n" + b"A" * 43 + b"=\n" * 64 + b"\n" + LOG.checkpoint(5).encode(),
        b"\xff" + LOG.checkpoint(5).encode(),
        LOG.checkpoint(5).encode(),
    ],
)
def test_what_is_no_request_is_bad(client: FlaskClient, body: bytes) -> None:
    """400: any other spelling, and an old size beyond the new one."""
    assert client.post("/add-checkpoint", data=body).status_code == 400


def test_a_body_beyond_bounds_is_not_read(client: FlaskClient) -> None:
    """413 for what is larger than any request, 405 for other methods."""
    assert client.post("/add-checkpoint", data=bytes(1 << 20)).status_code == 413
    assert client.get("/add-checkpoint").status_code == 405
    assert client.post(PATH).status_code == 405
    assert client.get("/").status_code == 404


def test_the_last_checkpoint_can_be_read(client: FlaskClient, witness: Witness) -> None:
    """Whoever monitors gets it with the signatures of both."""
    for old, new in ((0, 5), (5, 9)):
        answer = post(client, LOG.request(old, new))
    signatures = open_answer(answer.data, LOG.checkpoint(9), [witness.vkey])
    read = client.get(PATH)
    assert read.text == merge_signatures(LOG.checkpoint(9), signatures)
    assert read.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert client.get(PATH.upper()).status_code == 404


def test_a_witness_that_must_not_sign_says_so(
    client: FlaskClient, clock: Clock
) -> None:
    """503: its clock went back; nothing is cosigned, and it goes on once it is set."""
    post(client, LOG.request(0, 5))
    clock.time_s -= 3_600
    answer = post(client, LOG.request(5, 6))
    assert answer.status_code == 503
    assert answer.text.startswith("clock-went-back: ")
    clock.time_s += 3_600
    assert post(client, LOG.request(5, 6)).status_code == 200


def test_a_bug_tells_nothing(
    client: FlaskClient, witness: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """500: the answer has no traceback and no path."""
    monkeypatch.setattr(witness, "_clock", None)
    answer = post(client, LOG.request(0, 5))
    assert (answer.status_code, answer.text) == (500, "internal\n")


def test_origins_are_told_apart_by_their_hash(client: FlaskClient) -> None:
    """The path is the SHA-256 of the origin line, lower-case hex."""
    post(client, LOG.request(0, 5))
    path = f"/{sha256(ORIGIN.encode()).hexdigest()}/checkpoint"
    assert client.get(path).status_code == 200
