"""The log's own files, as C2SP tlog-tiles wants them served.

    /checkpoint                                text/plain, good for a second
    /tile/<L>/<N>[.p/<W>], /tile/entries/…     octets that never change
    /manifest/<root>/tile/…                    the same for plain manifests

They are the files under the home's `public/`, so that any static file server could
stand here instead.
"""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint
from flask import Response
from flask import current_app
from flask import make_response

from ledger.errors import FormatError
from ledger.errors import InputError
from ledger.home import Home
from ledger.tlog.tiles import parse_bundle_path
from ledger.tlog.tiles import parse_tile_path
from web.answers import tagged

FOREVER = "public, max-age=31536000, immutable"
ANYONE = {
    # Witnesses, monitors and pages of other sites may read what is public anyway.
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}

blueprint = Blueprint("tlog", __name__)


@blueprint.get("/checkpoint")
def checkpoint() -> Response:
    """Serve the newest checkpoint."""
    response = _file("checkpoint")
    response.content_type = "text/plain; charset=utf-8"
    response.headers["Cache-Control"] = "public, max-age=1"
    return tagged(response)


@blueprint.get("/tile/<path:rest>")
def tile(rest: str) -> Response:
    """Serve a tile or an entry bundle of the log."""
    return _tile(f"tile/{rest}", "")


@blueprint.get("/manifest/<root:root>/tile/<path:rest>")
def manifest_tile(root: str, rest: str) -> Response:
    """Serve a tile or a bundle of a plain manifest."""
    return _tile(f"tile/{rest}", f"manifest/{root}/")


def _tile(path: str, folder: str) -> Response:
    # One spelling for each: what parses cannot lead out of the folder.
    parse = parse_bundle_path if path.startswith("tile/entries/") else parse_tile_path
    try:
        parse(path)
    except FormatError as error:
        raise _unknown(folder + path) from error
    response = _file(folder + path)
    response.content_type = "application/octet-stream"
    response.headers["Cache-Control"] = FOREVER
    return response


def _file(name: str) -> Response:
    home: Home = current_app.config["LINERNOTE_HOME"]
    try:
        data = Path(home.public, name).read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise _unknown(name) from error
    response = make_response(data)
    response.headers.update(ANYONE)
    return response


def _unknown(name: str) -> InputError:
    return InputError(
        "file-unknown",
        f"/{name[:120]} is not published",
        hint="/checkpoint says how many entries are; C2SP tlog-tiles, where they are",
    )
