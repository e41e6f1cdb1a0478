"""A witness of others' logs over HTTP (C2SP tlog-witness).

    POST /add-checkpoint              200: cosignatures; 409: the size to start from
    GET  /<hex H(origin)>/checkpoint  the last checkpoint cosigned

Both prefixes are the root. Whatever else is answered is one line of text: the code of
the error, and what was wrong. Nothing says who asked: a checkpoint is as good as its
signature.
"""

from __future__ import annotations

import logging
from http import HTTPStatus

from flask import Flask
from flask import Response
from flask import request
from werkzeug.exceptions import HTTPException

from ledger.errors import InputError
from ledger.errors import LedgerError
from ledger.errors import VerificationError
from ledger.tlog.witness_messages import ADD_CHECKPOINT_PATH
from ledger.tlog.witness_messages import REQUEST_BYTES_MAX
from ledger.tlog.witness_messages import SIZE_TYPE
from ledger.tlog.witness_messages import format_answer
from ledger.tlog.witness_messages import format_size
from ledger.tlog.witness_messages import parse_request
from ledger.witness.cosigning import StaleError
from ledger.witness.cosigning import Witness
from ledger.witness.folder import last_checkpoint

TEXT = "text/plain; charset=utf-8"
STATUS_OF_CODE = {
    "bad-consistency-proof": HTTPStatus.UNPROCESSABLE_ENTITY,
    "log-unknown": HTTPStatus.NOT_FOUND,
}
STATUS_OF_CLASS: tuple[tuple[type[LedgerError], HTTPStatus], ...] = (
    (InputError, HTTPStatus.BAD_REQUEST),
    (VerificationError, HTTPStatus.FORBIDDEN),
    (LedgerError, HTTPStatus.SERVICE_UNAVAILABLE),
)

_log = logging.getLogger(__name__)


def create_witness(witness: Witness) -> Flask:
    """Make the application of a witness.

    Args:
        witness: asked by as many threads as there are.
    """
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = REQUEST_BYTES_MAX
    app.register_error_handler(StaleError, _stale)
    app.register_error_handler(LedgerError, _refused)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _our_error)

    @app.post(f"/{ADD_CHECKPOINT_PATH}")
    def add_checkpoint() -> Response:
        asked = parse_request(request.get_data(cache=False))
        return _text(format_answer([witness.add_checkpoint(asked)]))

    @app.get("/<origin_hash>/checkpoint")
    def checkpoint(origin_hash: str) -> Response:
        return _text(last_checkpoint(witness.folder, origin_hash))

    return app


def _text(body: str | bytes, status: HTTPStatus = HTTPStatus.OK) -> Response:
    response = Response(body, status, content_type=TEXT)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _stale(error: StaleError) -> Response:
    response = _text(format_size(error.size), HTTPStatus.CONFLICT)
    response.content_type = SIZE_TYPE
    return response


def _refused(error: LedgerError) -> Response:
    status = STATUS_OF_CODE.get(error.code) or next(
        status for kind, status in STATUS_OF_CLASS if isinstance(error, kind)
    )
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        _log.error("%s: %s", error.code, error.message)
    return _text(f"{error.code}: {error.message}\n", status)


def _http_error(error: HTTPException) -> Response:
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    answer = _text(f"{status.phrase}\n", status)
    for name, value in error.get_headers():
        if name in {"Allow", "Location"}:
            answer.headers[name] = value
    return answer


def _our_error(error: Exception) -> Response:
    _log.error("unexpected", exc_info=error)
    return _text("internal\n", HTTPStatus.INTERNAL_SERVER_ERROR)
