"""The API for programs: whatever is sent, an answer with a code, and never a 500."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from ledger.ahead import parse_head
from ledger.anchor import VARIABLE
from ledger.entry.sign import SignedEvent
from ledger.errors import HomeError
from ledger.home import Home
from ledger.intake import Intake
from ledger.staging import Staged
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.note import COSIGNATURE_TYPE
from ledger.tlog.note import format_vkey
from ledger.tlog.note import make_vkey
from ledger.tlog.note import parse_vkey
from ledger.tlog.proof import parse_proof
from ledger.tlog.proof import verify_proof
from ledger.wire import BODY_BYTES_MAX
from ledger.wire import Request
from ledger.wire import format_request
from ledger.writer import Writer
from tests.cli.conftest import Town
from tests.intake.places import Speaker
from tests.intake.places import found
from tests.intake.places import log_key
from tests.web.test_json_documents import documented
from tests.web.test_json_documents import fields_of
from web import create_app

EVENTS = "/v1/events"
JSON = "application/json"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("intake")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(folder / "anchors"))
        yield found(folder, "lab", "other")


@pytest.fixture(scope="module")
def intake(town: Town) -> Iterator[Intake]:
    with (
        Writer(Home(town.home)) as writer,
        Intake(writer, [log_key(town)]) as taking,
    ):
        yield taking


@pytest.fixture(scope="module")
def taking(intake: Intake) -> FlaskClient:
    return create_app(intake.home.path, intake).test_client()


def post(client: FlaskClient, *events: SignedEvent, **wanted: bool) -> TestResponse:
    data = format_request(Request(list(events), **wanted))
    return client.post(EVENTS, data=data, content_type=JSON)


def problem(answer: TestResponse) -> tuple[int, str]:
    """Check that an answer is a problem document; give status and code."""
    assert answer.mimetype == "application/problem+json", answer.text
    document: dict[str, Any] = answer.json or {}
    assert document["status"] == answer.status_code
    assert document["detail"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in answer.headers
    return answer.status_code, document["code"]


def test_an_event_is_answered_with_its_place(taking: FlaskClient, town: Town) -> None:
    """Index and leaf hash of the entry, which is there for every reader."""
    event = Speaker(town, "lab").version()
    answer = post(taking, event)
    assert answer.status_code == 200
    (said,) = (answer.json or {})["answers"]
    shown = taking.get(f"/entry/{said['index']}.json").json or {}
    assert shown["leaf_hash"] == said["leaf_hash"]
    assert said["repeated"] is False
    again = post(taking, event).json or {}
    assert again["answers"] == [{**said, "repeated": True}]


def test_a_batch_is_answered_in_order(taking: FlaskClient, town: Town) -> None:
    """Each for itself: places and problem documents, side by side."""
    first, second = Speaker(town, "lab").versions(2)
    bad = SignedEvent(first.event, bytes(64))
    answer = post(taking, first, bad, second)
    assert answer.status_code == 200
    said = (answer.json or {})["answers"]
    assert said[2]["index"] == said[0]["index"] + 1
    assert said[1]["error"]["status"] == 422
    assert set(fields_of(answer.json)) | {
        "answers[].receipt",
        "answers[].error.hint",
    } == documented("Appending over HTTP")


def test_all_or_none_is_refused_as_a_whole(taking: FlaskClient, town: Town) -> None:
    """An atomic batch with a refusal is a problem, and so is a single event."""
    speaker, size = Speaker(town, "lab"), town.size
    first, second, third = speaker.versions(3)
    refused = post(taking, first, third, atomic=True)
    assert problem(refused)[0] in {400, 409, 422}
    assert (refused.json or {})["event"] == 1
    assert town.size == size
    bad = SignedEvent(first.event, bytes(64))
    refused = post(taking, bad)
    assert problem(refused) == (422, "bad-signature")
    assert "event" not in (refused.json or {})
    assert post(taking, first, second, third, atomic=True).status_code == 200
    stranger = SignedEvent(first.event[:-1] + b"\0", first.signature)
    assert post(taking, stranger).status_code in {400, 422}


def test_each_class_of_refusal_has_its_status(taking: FlaskClient, town: Town) -> None:
    """The status says of what class a refusal is, and the code which rule it was."""
    lab = Speaker(town, "lab")
    body: dict[str, object] = {
        "action": "grant",
        "party": town.parties["lab"],
        "role": "auditor",
    }
    assert problem(post(taking, lab.say("accredit", body)))[0] == 403
    lab = Speaker(town, "lab")
    assert post(taking, lab.version(b"c" * 16)).status_code == 200
    assert problem(post(taking, lab.version(b"c" * 16))) == (409, "id-conflict")
    assert problem(post(taking, SignedEvent(b"\x80", bytes(64))))[0] == 400


def test_waiting_brings_the_receipt(taking: FlaskClient, town: Town) -> None:
    """With `wait`, a proof by the log's key that stands alone; without, none."""
    event = Speaker(town, "lab").version()
    said = (post(taking, event, wait=True).json or {})["answers"][0]
    proof = parse_proof(said["receipt"])
    assert proof.index == said["index"]
    assert proof.extra is not None
    assert event.event in proof.extra
    verify_proof(proof, proof.extra, parse_vkey(town.vkey))
    assert "receipt" not in (post(taking, event).json or {})["answers"][0]


def test_a_receipt_that_is_late_is_null(
    taking: FlaskClient, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event stands although no witness cosigned in time: its receipt is null."""
    policy = town.home / "policy"
    key = SigningKey(bytes([1] * 32)).public
    witness = format_vkey(make_vkey("w.example", key, COSIGNATURE_TYPE))
    policy.write_text(f"log {town.vkey}\nwitness w {witness}\nquorum w\n")
    monkeypatch.setattr("web.intake.WAIT_SECONDS", 0.3)
    event = Speaker(town, "lab").version()
    try:
        said = (post(taking, event, wait=True).json or {})["answers"][0]
    finally:
        policy.unlink()
    assert said["receipt"] is None
    assert said["index"] == town.size - 1


@pytest.mark.parametrize("text", [b"witness w\n", b"quorum none\n", b"\xff"])
def test_a_spoilt_policy_takes_no_answer_away(
    taking: FlaskClient, town: Town, text: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """What was stored is answered as that, whatever the operator did to the file."""
    policy = town.home / "policy"
    policy.write_bytes(text)
    event = Speaker(town, "lab").version()
    try:
        answer = post(taking, event, wait=True)
    finally:
        policy.unlink()
    (said,) = (answer.json or {})["answers"]
    assert (answer.status_code, said["receipt"]) == (200, None)
    assert said["index"] == town.size - 1
    assert "no receipts were made" in caplog.text


def test_the_head_is_what_a_signer_needs(taking: FlaskClient, town: Town) -> None:
    """The newest entry and the key's own place, as `linernote head` has them."""
    listed = town.must("key", "list")["keys"]
    key = next(each["key"] for each in listed if each["name"] == "lab")
    answer = taking.get(f"/v1/head?key={key}")
    told = town.must("head", "--key", key)
    assert answer.json == told
    assert parse_head(answer.text).keys.keys() == {bytes.fromhex(key)}
    assert (taking.get("/v1/head").json or {})["keys"] == []
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_head_of_unknown_keys_is_refused(taking: FlaskClient) -> None:
    """Keys that are no ids, or not on the log, or too many."""
    assert problem(taking.get("/v1/head?key=" + "0" * 64)) == (404, "key-unknown")
    for bad in ("", "xyz", "0" * 63, "A" * 64, "%00"):
        assert problem(taking.get(f"/v1/head?key={bad}")) == (400, "bad-hex")
    many = "&".join(["key=" + "0" * 64] * 65)
    assert problem(taking.get(f"/v1/head?{many}")) == (400, "too-many-keys")


def test_lines_go_ahead_of_their_event(taking: FlaskClient, town: Town) -> None:
    """Without its lines an event is told to put them; with them it goes in."""
    speaker = Speaker(town, "operator")
    with Staged() as staged:
        event = speaker.parties(staged, 600)
        (root,) = staged._spans
        data = b"".join(staged.bundles(root))
    assert problem(post(taking, event)) == (424, "manifest-lines-missing")
    address, kind = f"/v1/manifests/{root.hex()}", "application/octet-stream"
    wrong = taking.put(address, data=data[:-1] + b"x", content_type=kind)
    assert problem(wrong) == (422, "manifest-root-mismatch")
    first = taking.put(address, data=data, content_type=kind)
    assert (first.status_code, first.json) == (201, {"root": root.hex(), "lines": 600})
    assert taking.put(address, data=data, content_type=kind).status_code == 200
    assert post(taking, event).status_code == 200
    assert problem(taking.put("/v1/manifests/xyz", data=b"")) == (404, "not-found")


def test_a_reader_takes_nothing(town: Town) -> None:
    """A server that was not told to take events says so, and still gives the head."""
    reader = create_app(town.home).test_client()
    event = Speaker(town, "lab").version()
    assert problem(post(reader, event)) == (403, "not-accepting")
    lines = reader.put("/v1/manifests/" + "0" * 64, data=b"")
    assert problem(lines) == (403, "not-accepting")
    assert reader.get("/v1/head").status_code == 200


def test_only_json_as_it_is(taking: FlaskClient, town: Town) -> None:
    """No form a page could post, no compression, no other method, no other address."""
    data = format_request(Request([Speaker(town, "lab").version()]))
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        sent = taking.post(EVENTS, data=data, content_type=kind)
        assert problem(sent) == (415, "unsupported-type")
    packed = taking.post(
        EVENTS, data=data, content_type=JSON, headers={"Content-Encoding": "gzip"}
    )
    assert problem(packed) == (415, "unsupported-encoding")
    large = taking.post(EVENTS, data=b" " * (BODY_BYTES_MAX + 1), content_type=JSON)
    assert problem(large) == (413, "too-large")
    assert problem(taking.get(EVENTS)) == (405, "method-not-allowed")
    assert problem(taking.options("/v1/nothing")) == (404, "not-found")
    preflight = taking.options(EVENTS, headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in preflight.headers


def test_a_home_that_refuses_is_unavailable(
    taking: FlaskClient, intake: Intake, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the home says is 503 with its code, and when to come again."""

    def refuse(*_: object, **__: object) -> None:
        raise HomeError("commit-unknown", "unknown", hint="send it again")

    monkeypatch.setattr(intake, "append", refuse)
    answer = post(taking, Speaker(town, "lab").version())
    assert problem(answer) == (503, "commit-unknown")
    assert answer.headers["Retry-After"] == "1"


def test_our_own_mistakes_say_to_send_it_again(
    taking: FlaskClient, intake: Intake, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug is 500 without its inside, and says that sending again is safe."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("/secret/path")

    monkeypatch.setattr(intake, "append", broken)
    answer = post(taking, Speaker(town, "lab").version())
    assert problem(answer) == (500, "internal")
    assert "secret" not in answer.text
    assert "safe to send again" in answer.text


bodies = st.one_of(
    st.binary(max_size=300),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
        ),
    ),
    st.fixed_dictionaries(
        {
            "events": st.lists(
                st.fixed_dictionaries(
                    {
                        "event": st.binary(max_size=200).map(bytes.hex),
                        "signature": st.binary(min_size=64, max_size=64).map(bytes.hex),
                    }
                ),
                max_size=3,
            )
        },
        optional={"atomic": st.booleans(), "wait": st.just(value=False)},
    ),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(body=bodies)
def test_nothing_sent_is_a_mistake_of_ours(
    taking: FlaskClient, town: Town, body: object
) -> None:
    """Random bytes, JSON and events: an answer with codes, and the log as before."""
    size = (taking.get("/v1/head").json or {})["size"]
    data = body if isinstance(body, bytes) else None
    document = None if isinstance(body, bytes) else body
    answer = taking.post(
        EVENTS, data=data, json=document, content_type=JSON if data else None
    )
    if answer.status_code == 200:
        assert all("error" in each for each in (answer.json or {})["answers"])
    else:
        assert 400 <= problem(answer)[0] < 500
    assert (taking.get("/v1/head").json or {})["size"] == size


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(place=st.integers(0, 10_000), flip=st.integers(1, 255), cut=st.booleans())
def test_no_altered_event_goes_in(
    taking: FlaskClient, town: Town, *, place: int, flip: int, cut: bool
) -> None:
    """A changed byte of event or signature, or a cut, is refused with a code."""
    event = altered_source(town)
    data = bytearray(event.event + event.signature)
    place %= len(data)
    data[place] ^= flip
    changed = SignedEvent(bytes(data[:-64]), bytes(data[-64:]))
    if cut:
        changed = SignedEvent(event.event[:place], event.signature)
    answer = post(taking, changed)
    if changed != event:
        assert 400 <= problem(answer)[0] < 500


_signed: list[SignedEvent] = []


def altered_source(town: Town) -> SignedEvent:
    """Sign one event, once, that is never sent as it is."""
    if not _signed:
        _signed.append(Speaker(town, "other").version())
    return _signed[0]


def test_addresses_of_the_api_are_programs(taking: FlaskClient) -> None:
    """Everything under /v1 answers in JSON, also to who asks for pages."""
    answer = taking.get("/v1/nothing", headers={"Accept": "text/html"})
    assert problem(answer) == (404, "not-found")


def test_a_home_folder_is_needed(tmp_path: Path) -> None:
    """The application of no home is refused as before."""
    with pytest.raises(Exception, match="no log home"):
        create_app(tmp_path / "none")
