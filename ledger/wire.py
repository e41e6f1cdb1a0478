r"""What a log and those who append over HTTP say to each other (ledger/docs/json.md).

    POST /v1/events   {"events": [{"event": hex, "signature": hex}, …],
                       "atomic": false, "wait": false}
    200               {"answers": [{"index": …, "leaf_hash": hex, "repeated": false},
                                   {"error": problem}, …]}

An event travels as the bytes that were signed, in hex: JSON around it is of this one
conversation, and is signed by nobody.

>>> request = Request([SignedEvent(b"\x80", bytes(64))])
>>> parse_request(format_request(request)) == request
True
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from typing import NamedTuple

import msgspec

from ledger.entry.canonical import DECODE_ERRORS
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
from ledger.tlog.text import parse_hex

EVENTS_MAX = 1_024
BODY_BYTES_MAX = 16 << 20
SIGNATURE_LENGTH = 64
HASH_LENGTH = 32

STATUS_OF_REFUSAL: tuple[tuple[type[LedgerError], HTTPStatus], ...] = (
    (InputError, HTTPStatus.BAD_REQUEST),
    (AuthorityError, HTTPStatus.FORBIDDEN),
    (ConflictError, HTTPStatus.CONFLICT),
    (VerificationError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (UnverifiableError, HTTPStatus.FAILED_DEPENDENCY),
    (HomeError, HTTPStatus.SERVICE_UNAVAILABLE),
)
"""One status for each class of what is refused, so that a client can tell them."""


class Request(NamedTuple):
    """Signed events that somebody wants appended.

    Attributes:
        events: in order.
        atomic: all or none; otherwise each stands for itself.
        wait: answer with receipts as well.
    """

    events: list[SignedEvent]
    atomic: bool = False
    wait: bool = False


class Answer(NamedTuple):
    """What the log says of an event.

    Attributes:
        said: where it stands, or why it was refused.
        receipt: the text of its `.tlog-proof`, once there is one.
    """

    said: Appended | LedgerError
    receipt: str | None = None


class _Event(msgspec.Struct, forbid_unknown_fields=True):
    event: str
    signature: str


class _Request(msgspec.Struct, forbid_unknown_fields=True):
    events: list[_Event]
    atomic: bool = False
    wait: bool = False


class _Problem(msgspec.Struct):
    code: str
    detail: str
    status: int
    hint: str = ""
    event: int | None = None


class _Answer(msgspec.Struct):
    index: int = -1
    leaf_hash: str = ""
    repeated: bool = False
    receipt: str | None = None
    error: _Problem | None = None


class _Answers(msgspec.Struct):
    answers: list[_Answer]


def parse_request(data: bytes) -> Request:
    """Parse what a client sent; the events inside stay bytes.

    Raises:
        FormatError: `bad-request`; `bad-hex`, `too-large`, naming the event.
    """
    try:
        given = msgspec.json.decode(data, type=_Request)
    except DECODE_ERRORS as error:
        raise _bad_request(str(error)) from None
    count = len(given.events)
    if not 1 <= count <= EVENTS_MAX:
        raise _bad_request(f"a batch of {count} events: 1 to {EVENTS_MAX} may be sent")
    events = [_event(number, each) for number, each in enumerate(given.events)]
    return Request(events, given.atomic, given.wait)


def _event(number: int, given: _Event) -> SignedEvent:
    if len(given.event) > 2 * EVENT_BYTES_MAX:
        raise FormatError(
            "too-large",
            f"event {number} has more than {EVENT_BYTES_MAX} bytes",
            hint="put what is long into the lines of a manifest",
        )
    try:
        return SignedEvent(
            parse_hex(given.event, len(given.event) // 2),
            parse_hex(given.signature, SIGNATURE_LENGTH),
        )
    except FormatError as error:
        message = f"event {number}: {error.message}"
        raise FormatError(error.code, message, hint=error.hint) from None


def _bad_request(reason: str) -> FormatError:
    return FormatError(
        "bad-request",
        f"the request cannot be read: {reason}",
        hint='send {"events": [{"event": "…", "signature": "…"}]}, bytes as'
        " lower-case hex; ledger/docs/json.md says more",
    )


def format_request(request: Request) -> bytes:
    """Format what a client sends."""
    events = [_Event(e.event.hex(), e.signature.hex()) for e in request.events]
    return msgspec.json.encode(_Request(events, request.atomic, request.wait))


def problem(
    error: LedgerError, status: HTTPStatus | None = None, title: str = ""
) -> dict[str, Any]:
    """Make the problem document of an error (RFC 9457).

    Args:
        error: any.
        status: of HTTP; that of a refusal by default.
        title: of the status, for people; by default the one that HTTP gives it.
    """
    shown = status or status_of_refusal(error)
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": title or shown.phrase,
        "status": int(shown),
        "detail": error.message,
        "code": error.code,
    }
    if error.hint:
        document["hint"] = error.hint
    if error.position is not None:
        document["event"] = error.position
    return document


def status_of_refusal(error: LedgerError) -> HTTPStatus:
    """Give the status of what was refused."""
    for kind, status in STATUS_OF_REFUSAL:
        if isinstance(error, kind):
            return status
    return HTTPStatus.INTERNAL_SERVER_ERROR


def answers_document(answers: list[Answer], *, wait: bool) -> dict[str, Any]:
    """Make the answer to a batch, one for each event, in order."""
    return {"answers": [_answer_document(each, wait=wait) for each in answers]}


def _answer_document(answer: Answer, *, wait: bool) -> dict[str, Any]:
    said = answer.said
    if isinstance(said, LedgerError):
        return {"error": problem(said)}
    document: dict[str, Any] = {
        "index": said.index,
        "leaf_hash": said.leaf_hash.hex(),
        "repeated": said.repeated,
    }
    if wait:
        document["receipt"] = answer.receipt
    return document


def parse_answers(data: bytes, count: int) -> list[Answer]:
    """Parse the log's answer to so many events.

    Raises:
        FormatError: `bad-answer`.
    """
    try:
        given = msgspec.json.decode(data, type=_Answers).answers
        answers = [_answer(each) for each in given]
    except (*DECODE_ERRORS, FormatError) as error:
        raise bad_answer(str(error)) from None
    if len(answers) != count:
        raise bad_answer(f"{len(answers)} answers to {count} events")
    return answers


def _answer(given: _Answer) -> Answer:
    if given.error is not None:
        return Answer(_error(given.error))
    if given.index < 0:
        raise bad_answer("an answer without an index or an error")
    leaf_hash = parse_hex(given.leaf_hash, HASH_LENGTH)
    return Answer(Appended(given.index, leaf_hash, given.repeated), given.receipt)


def parse_problem(data: bytes) -> LedgerError:
    """Parse a problem document to the error that it tells of.

    Raises:
        FormatError: `bad-answer`.
    """
    try:
        return _error(msgspec.json.decode(data, type=_Problem))
    except DECODE_ERRORS as error:
        raise bad_answer(str(error)) from None


def _error(given: _Problem) -> LedgerError:
    kind: type[LedgerError] = InputError
    for each, status in STATUS_OF_REFUSAL:
        if status == given.status:
            kind = each
    if given.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        kind = HomeError
    error = kind(given.code, given.detail, hint=given.hint)
    error.position = given.event
    return error


def bad_answer(reason: str) -> FormatError:
    """Make the error of an answer that is none."""
    return FormatError(
        "bad-answer",
        f"the server's answer cannot be read: {reason}",
        hint="is there a linernote log at this address?",
    )
