"""The JSON of requests and answers: exact, bounded, and never a surprise."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.entry.envelope import EVENT_BYTES_MAX
from ledger.entry.sign import SignedEvent
from ledger.errors import AuthorityError
from ledger.errors import ConflictError
from ledger.errors import FormatError
from ledger.errors import HomeError
from ledger.errors import InputError
from ledger.errors import LedgerError
from ledger.errors import UnverifiableError
from ledger.errors import VerificationError
from ledger.log import Appended
from ledger.wire import EVENTS_MAX
from ledger.wire import Answer
from ledger.wire import Request
from ledger.wire import answers_document
from ledger.wire import format_request
from ledger.wire import parse_answers
from ledger.wire import parse_problem
from ledger.wire import parse_request
from ledger.wire import problem

events = st.builds(
    SignedEvent, st.binary(max_size=80), st.binary(min_size=64, max_size=64)
)


@given(st.lists(events, min_size=1, max_size=5), st.booleans(), st.booleans())
def test_a_request_is_read_as_it_was_written(
    signed: list[SignedEvent],
    atomic: bool,  # noqa: FBT001 (drawn)
    wait: bool,  # noqa: FBT001 (drawn)
) -> None:
    """Events arrive byte for byte, with what was wanted of them."""
    request = Request(signed, atomic, wait)
    assert parse_request(format_request(request)) == request


HEX64 = "00" * 64
BAD_REQUESTS = [
    b"",
    b"\xff",
    b"null",
    b"[]",
    b"{}",
    b'{"events": []}',
    b'{"events": {}}',
    b'{"events": [1]}',
    b'{"events": [{}]}',
    b'{"events": [{"event": "00"}]}',
    b'{"events": [{"event": 1, "signature": "' + HEX64.encode() + b'"}]}',
    b'{"events": [{"event": "0", "signature": "' + HEX64.encode() + b'"}]}',
    b'{"events": [{"event": "AA", "signature": "' + HEX64.encode() + b'"}]}',
    b'{"events": [{"event": "00", "signature": "00"}]}',
    b'{"events": [{"event": "00", "signature": "' + HEX64.encode() + b'", "x": 1}]}',
    b'{"events": [{"event": "00", "signature": "' + HEX64.encode() + b'"}], "x": 1}',
    b'{"events": [{"event": "00", "signature": "'
    + HEX64.encode()
    + b'"}], "wait": "yes"}',
    b"[" * 100_000,
    b'{"events": ' + b"[" * 100_000,
    b'{"events": [{"event": ' + b'{"a":' * 100_000,
]


@pytest.mark.parametrize("data", BAD_REQUESTS, ids=range(len(BAD_REQUESTS)))
def test_a_bad_request_is_a_format_error(data: bytes) -> None:
    """Whatever is wrong with a request, it is refused with a code."""
    with pytest.raises(FormatError):
        parse_request(data)


@given(st.binary(max_size=200))
def test_random_bytes_are_no_request(data: bytes) -> None:
    """No bytes make the parser fail in another way."""
    with pytest.raises(FormatError):
        parse_request(data)
    with pytest.raises(FormatError):
        parse_answers(data, 1)
    with pytest.raises(FormatError):
        parse_problem(data)


def test_requests_have_bounds() -> None:
    """The number of events and the bytes of each are limited."""
    event = SignedEvent(b"\x80", bytes(64))
    assert len(parse_request(format_request(Request([event] * EVENTS_MAX))).events)
    with pytest.raises(FormatError, match=f"1 to {EVENTS_MAX}"):
        parse_request(format_request(Request([event] * (EVENTS_MAX + 1))))
    large = SignedEvent(bytes(EVENT_BYTES_MAX + 1), bytes(64))
    with pytest.raises(FormatError) as refused:
        parse_request(format_request(Request([event, large])))
    assert refused.value.code == "too-large"
    assert "event 1" in refused.value.message


CLASSES: list[type[LedgerError]] = [
    InputError,
    AuthorityError,
    ConflictError,
    HomeError,
    UnverifiableError,
    VerificationError,
]


@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_keeps_its_class_code_and_hint(kind: type[LedgerError]) -> None:
    """Over the wire and back, exit code and words of an error are the same."""
    error = kind("some-code", "what was wrong", hint="what to do")
    back = parse_problem(json.dumps(problem(error)).encode())
    assert (type(back), back.code, back.message, back.hint) == (
        (kind, error.code, error.message, error.hint)
    )


@pytest.mark.parametrize("wait", [True, False])
def test_answers_are_read_as_they_were_written(*, wait: bool) -> None:
    """Places, refusals and receipts arrive in order."""
    refused = ConflictError("id-conflict", "another", hint="fresh ids")
    answers = [
        Answer(Appended(7, b"h" * 32, repeated=True), "proof" if wait else None),
        Answer(refused),
        Answer(Appended(8, b"i" * 32, repeated=False)),
    ]
    data = json.dumps(answers_document(answers, wait=wait)).encode()
    back = parse_answers(data, 3)
    assert (back[0], back[2]) == (answers[0], answers[2])
    assert isinstance(back[1].said, ConflictError)
    with pytest.raises(FormatError, match="3 answers to 2 events"):
        parse_answers(data, 2)


def test_an_answer_without_a_place_is_none() -> None:
    """Neither index nor error, or a hash of another length: no answer."""
    for each in ("{}", '{"index": 1}', '{"index": 1, "leaf_hash": "00"}'):
        with pytest.raises(FormatError):
            parse_answers(f'{{"answers": [{each}]}}'.encode(), 1)
