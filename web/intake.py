"""Appending over HTTP, for programs (ledger/docs/json.md).

    POST /v1/events              signed events in, index and leaf hash out
    PUT  /v1/manifests/<root>    the lines of a manifest, ahead of its event
    GET  /v1/head?key=<id>       what is needed to sign the next event

A server takes events only if it was told to; the head it gives in any case. A page of
another site cannot make a browser send any of this: events come as `application/json`
alone, for which browsers ask first, and no answer here ever allows it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from flask import Blueprint
from flask import Response
from flask import current_app
from flask import request
from werkzeug.exceptions import BadRequest

from ledger.errors import AuthorityError
from ledger.errors import FormatError
from ledger.errors import HomeError
from ledger.errors import InputError
from ledger.errors import LedgerError
from ledger.intake import Intake
from ledger.query.heads import head_document
from ledger.receipts import receipts
from ledger.tlog.text import parse_hex
from ledger.wire import BODY_BYTES_MAX
from ledger.wire import HASH_LENGTH
from ledger.wire import Answer
from ledger.wire import answers_document
from ledger.wire import parse_request
from web.answers import json_answer
from web.pages import open_reader

INTAKE = "LINERNOTE_INTAKE"
KEYS_MAX = 64
APPENDING_MAX = 24
UPLOADING_MAX = 8
HASHING_MAX = 2
WAITING_MAX = 16
WAIT_SECONDS = 10.0

_log = logging.getLogger(__name__)

blueprint = Blueprint("intake", __name__, url_prefix="/v1")

# Whoever brings something in holds a thread, long if what others bring is large: some
# stay for those who only read. Hashing lines leaves little time to others, so few do it
# at once; and not all who append may wait for a receipt.
_appending = threading.BoundedSemaphore(APPENDING_MAX)
_uploading = threading.BoundedSemaphore(UPLOADING_MAX)
_hashing = threading.BoundedSemaphore(HASHING_MAX)
_waiting = threading.BoundedSemaphore(WAITING_MAX)


@blueprint.get("/head")
def head() -> Response:
    """Give the newest entry, and where the chains of the keys asked for stand."""
    asked = request.args.getlist("key")
    if len(asked) > KEYS_MAX:
        raise InputError("too-many-keys", f"{len(asked)} keys, at most {KEYS_MAX}")
    keys = [(None, parse_hex(key, HASH_LENGTH)) for key in asked]
    with open_reader() as reader:
        document = head_document(reader, keys, named=True)
    return _fresh(json_answer(document))


@blueprint.post("/events")
def events() -> Response:
    """Append a batch of signed events; answer once they are durable."""
    intake = _intake()
    _check_body("application/json")
    if (request.content_length or 0) > BODY_BYTES_MAX:
        raise FormatError(
            "too-large",
            f"a request of {request.content_length} bytes, at most {BODY_BYTES_MAX}",
            hint="send fewer events at a time",
        )
    with _place(_appending):
        given = parse_request(request.get_data(cache=False))
        atomic = given.atomic or len(given.events) == 1
        said = intake.append(given.events, atomic=atomic)
        answers = [Answer(each) for each in said]
        if given.wait:
            answers = _with_receipts(intake, answers)
    return _fresh(json_answer(answers_document(answers, wait=given.wait)))


def _with_receipts(intake: Intake, answers: list[Answer]) -> list[Answer]:
    """Add the receipts that there are before long: the events stand in any case.

    Also if the home's policy was spoilt meanwhile, which is not the asker's to mend.
    """
    indexes = [a.said.index for a in answers if not isinstance(a.said, LedgerError)]
    if not indexes or not _waiting.acquire(blocking=False):
        return answers
    try:
        found = receipts(intake.home, indexes, intake.wait_published, WAIT_SECONDS)
    except (LedgerError, OSError) as error:
        _log.warning("no receipts were made: %s", error)
        return answers
    finally:
        _waiting.release()
    return [
        Answer(said)
        if isinstance(said, LedgerError)
        else Answer(said, found.get(said.index))
        for said, _ in answers
    ]


@blueprint.put("/manifests/<root:root>")
def manifest(root: str) -> Response:
    """Keep the lines of a manifest until their event comes."""
    intake = _intake()
    _check_body("application/octet-stream")
    if request.content_length is None:
        raise BadRequest("say how long the lines are with Content-Length")
    sender = request.remote_addr or ""
    with _place(_uploading), _place(_hashing, WAIT_SECONDS):
        taken = intake.uploads.take(
            bytes.fromhex(root), request.stream, request.content_length, sender
        )
    response = json_answer({"root": root, "lines": taken.lines})
    response.status_code = HTTPStatus.OK if taken.repeated else HTTPStatus.CREATED
    return _fresh(response)


@contextmanager
def _place(places: threading.BoundedSemaphore, seconds: float = 0.0) -> Iterator[None]:
    """Take one of so many places.

    Raises:
        HomeError: `intake-full`.
    """
    if not places.acquire(timeout=seconds):
        raise HomeError(
            "intake-full",
            "too many requests wait already",
            hint="send the same again in a moment",
        )
    try:
        yield
    finally:
        places.release()


def _intake() -> Intake:
    intake: Intake | None = current_app.config[INTAKE]
    if intake is None:
        raise AuthorityError(
            "not-accepting",
            "this server only reads",
            hint="its operator starts it with --accept-events to take events",
        )
    return intake


def _check_body(content_type: str) -> None:
    """Take a body in one form only.

    Raises:
        InputError: `unsupported-type`, `unsupported-encoding`.
    """
    encoding = request.headers.get("Content-Encoding", "identity")
    if encoding.strip().lower() not in {"", "identity"}:
        raise InputError(
            "unsupported-encoding",
            "a body is taken as it is, not compressed",
            hint="send it without Content-Encoding",
        )
    if request.mimetype != content_type:
        raise InputError(
            "unsupported-type",
            f"a body of type {request.mimetype[:80]!r}",
            hint=f"send it as Content-Type: {content_type}",
        )


def _fresh(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
