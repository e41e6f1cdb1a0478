"""Errors as pages for people and as RFC 9457 problem documents for programs.

The one table from the project's errors to HTTP statuses; no view knows a status.
"""

from __future__ import annotations

import logging
from http import HTTPStatus

from flask import Flask
from flask import Response
from flask import jsonify
from flask import make_response
from flask import render_template
from flask import request
from werkzeug.exceptions import HTTPException

from ledger.errors import AuthorityError
from ledger.errors import ConflictError
from ledger.errors import HomeError
from ledger.errors import InputError
from ledger.errors import InvariantError
from ledger.errors import LedgerError
from ledger.errors import UnverifiableError
from ledger.wire import problem
from ledger.wire import status_of_refusal

STATUS_OF_CODE = {
    "document-unknown": HTTPStatus.NOT_FOUND,
    "file-unknown": HTTPStatus.NOT_FOUND,
    "key-unknown": HTTPStatus.NOT_FOUND,
    "no-such-entry": HTTPStatus.NOT_FOUND,
    "no-such-run": HTTPStatus.NOT_FOUND,
    "not-published": HTTPStatus.CONFLICT,
    "party-unknown": HTTPStatus.NOT_FOUND,
    "recording-unknown": HTTPStatus.NOT_FOUND,
}
STATUS_OF_CLASS: tuple[tuple[type[LedgerError], HTTPStatus], ...] = (
    (InputError, HTTPStatus.BAD_REQUEST),
    (ConflictError, HTTPStatus.CONFLICT),
    (AuthorityError, HTTPStatus.FORBIDDEN),
    (UnverifiableError, HTTPStatus.SERVICE_UNAVAILABLE),
    (HomeError, HTTPStatus.SERVICE_UNAVAILABLE),
)
STATUS_OF_REQUEST = {
    "too-large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "unsupported-encoding": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "unsupported-type": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
}
"""Of what is wrong with the request itself, where something was to be taken in."""
CODE_OF_STATUS = {
    HTTPStatus.NOT_FOUND: "not-found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method-not-allowed",
}
API = "/v1/"
RETRY_SECONDS = 1
TITLES = {
    HTTPStatus.NOT_FOUND: "Nothing is here",
    HTTPStatus.CONFLICT: "Not yet",
    HTTPStatus.SERVICE_UNAVAILABLE: "The log cannot answer now",
    HTTPStatus.INTERNAL_SERVER_ERROR: "This is our mistake",
}
OUR_MISTAKE = "The log is not harmed: this viewer only reads."
SEND_AGAIN = "Whether it was stored is unknown; the same event is safe to send again."

_log = logging.getLogger(__name__)


def handle(app: Flask) -> None:
    """Let an application answer every error in words."""
    app.register_error_handler(LedgerError, _ledger_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _our_error)


def status_of(error: LedgerError) -> HTTPStatus:
    """Give the status of an error of the project."""
    if request.method in {"POST", "PUT"}:
        # What somebody sent is wrong, and not what is stored here.
        return STATUS_OF_REQUEST.get(error.code) or status_of_refusal(error)
    if error.code in STATUS_OF_CODE:
        return STATUS_OF_CODE[error.code]
    for kind, status in STATUS_OF_CLASS:
        if isinstance(error, kind):
            return status
    return HTTPStatus.INTERNAL_SERVER_ERROR


def _ledger_error(error: LedgerError) -> Response:
    status = status_of(error)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("%s: %s", error.code, error.message, exc_info=error)
    return _answer(status, error)


def _http_error(error: HTTPException) -> Response:
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    code = CODE_OF_STATUS.get(status, status.phrase.lower().replace(" ", "-"))
    detail = error.description or status.phrase
    hint = ""
    if status == HTTPStatus.NOT_FOUND:
        detail = "This address leads to no page."
        hint = "Search for a name, a recording, an ISRC or the number of an entry."
    answer = _answer(status, InputError(code, detail, hint=hint))
    for name, value in error.get_headers():
        if name in {"Allow", "Location"}:
            answer.headers[name] = value
    return answer


def _our_error(error: Exception) -> Response:
    _log.error("unexpected", exc_info=error)
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    said = ("This could not be answered.", SEND_AGAIN)
    if not _is_api():
        said = ("This page could not be made.", OUR_MISTAKE)
    return _answer(status, InvariantError("internal", said[0], hint=said[1]))


def _answer(status: HTTPStatus, error: LedgerError) -> Response:
    title = TITLES.get(status, status.phrase)
    if _is_api():
        title = status.phrase
    if wants_json():
        response = jsonify(problem(error, status, title))
        response.mimetype = "application/problem+json"
    else:
        page = render_template(
            "error.html",
            title=title,
            code=error.code,
            detail=error.message,
            hint=error.hint,
        )
        response = make_response(page)
    response.status_code = status
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    response.headers["Cache-Control"] = "no-store"
    return response


def wants_json() -> bool:
    """Tell whether the request is a program's."""
    if request.path.endswith(".json") or _is_api():
        return True
    kinds = ("text/html", "application/json", "application/problem+json")
    return request.accept_mimetypes.best_match(kinds, "text/html") != "text/html"


def _is_api() -> bool:
    return request.path.startswith(API)
