"""The log's own files, to the letter of C2SP tlog-tiles.

    /checkpoint                                text/plain, good for a second
    /tile/<L>/<N>[.p/<W>]                      octets that never change
    /tile/entries/<N>[.p/<W>]                  the same, gzip for whoever takes it
    /manifest/<root>/tile/…                    the same for plain manifests

They are the files under the home's `public/`, so that any static file server could
stand here instead. This one is stricter: whatever the published checkpoint does not
name is not there yet, or not for ever, and is not found.
"""

from __future__ import annotations

import gzip
from pathlib import Path

from flask import Blueprint
from flask import Response
from flask import current_app
from flask import make_response
from flask import request

from ledger.errors import FormatError
from ledger.errors import InputError
from ledger.home import Home
from ledger.query import Reader
from ledger.tlog.checkpoint import parse_checkpoint
from ledger.tlog.note import parse_note
from ledger.tlog.tiles import Tile
from ledger.tlog.tiles import format_bundle_path
from ledger.tlog.tiles import format_tile_path
from ledger.tlog.tiles import parse_bundle
from ledger.tlog.tiles import parse_bundle_path
from ledger.tlog.tiles import parse_tile
from ledger.tlog.tiles import parse_tile_path
from ledger.tlog.tiles import tile_width
from web.answers import tagged

A_SECOND = "public, max-age=1"
FOREVER = "public, max-age=31536000, immutable"
ANYONE = {
    # Witnesses, monitors and pages of other sites may read what is public anyway.
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
GZIP_LEVEL = 6
BUNDLES = "tile/entries/"
NAMED_MANIFESTS = "LINERNOTE_NAMED_MANIFESTS"

blueprint = Blueprint("tlog", __name__)


@blueprint.get("/checkpoint")
def checkpoint() -> Response:
    """Serve the newest checkpoint."""
    response = make_response(_read("checkpoint"))
    response.content_type = "text/plain; charset=utf-8"
    response.headers["Cache-Control"] = A_SECOND
    return tagged(response)


@blueprint.get("/tile/<path:rest>")
def tile(rest: str) -> Response:
    """Serve a tile or an entry bundle of the log."""
    path = f"tile/{rest}"
    asked = _parse(path, path)
    widest = tile_width(asked.level, asked.index, _published_size())
    if asked.width > widest:
        raise _unknown(path)
    data = _read(path)
    if asked.width < widest:
        _check_superseded(path, asked, data, widest)
    return _final(path, data)


@blueprint.get("/manifest/<root:root>/tile/<path:rest>")
def manifest_tile(root: str, rest: str) -> Response:
    """Serve a tile or a bundle of a plain manifest."""
    path = f"tile/{rest}"
    name = f"manifest/{root}/{path}"
    _parse(path, name)
    data = _read(name)
    if not _is_named(root):
        raise _unknown(name)
    return _final(path, data)


@blueprint.after_request
def for_anyone(response: Response) -> Response:
    """Let other sites read the answer, also that something is not found."""
    response.headers.update(ANYONE)
    return response


def _parse(path: str, name: str) -> Tile:
    # One spelling for each: what parses cannot lead out of the folder.
    try:
        if path.startswith(BUNDLES):
            index, width = parse_bundle_path(path)
            return Tile(0, index, width)
        return parse_tile_path(path)
    except FormatError as error:
        raise _unknown(name) from error


def _published_size() -> int:
    """Read the size that everything served belongs to."""
    text = _read("checkpoint").decode()
    return parse_checkpoint(parse_note(text).text).size


def _check_superseded(path: str, asked: Tile, data: bytes, widest: int) -> None:
    """Refuse a partial tile that is no beginning of the one that took its place.

    A process killed before it signed may leave half of one, of a size that no
    checkpoint ever had and that nobody writes again.
    """
    try:
        if path.startswith(BUNDLES):
            parse_bundle(data, asked.width)
            wider = _read(format_bundle_path(asked.index, widest))
        else:
            parse_tile(data, asked.width)
            wider = _read(format_tile_path(Tile(asked.level, asked.index, widest)))
    except FormatError as error:
        raise _unknown(path) from error
    if not wider.startswith(data):
        raise _unknown(path)


def _is_named(root: str) -> bool:
    """Tell whether a published entry names the manifest; if so, for ever."""
    named: set[str] = current_app.config.setdefault(NAMED_MANIFESTS, set())
    if root not in named:
        size = _published_size()
        with Reader.open(_home().path) as reader, reader.reading() as sources:
            index = sources.state.manifests.get(bytes.fromhex(root))
        if index is None or index >= size:
            return False
        named.add(root)
    return True


def _final(path: str, data: bytes) -> Response:
    """Answer with octets that never change; hashes do not get smaller by gzip."""
    response = make_response(data)
    response.content_type = "application/octet-stream"
    response.headers["Cache-Control"] = FOREVER
    if path.startswith(BUNDLES):
        response.vary.add("Accept-Encoding")
        if _takes_gzip():
            # Without the time, so that the same octets have the same tag.
            response.data = gzip.compress(data, GZIP_LEVEL, mtime=0)
            response.content_encoding = "gzip"
    return tagged(response)


def _takes_gzip() -> bool:
    accepted = request.accept_encodings
    return 0 < accepted.quality("gzip") >= accepted.quality("identity")


def _home() -> Home:
    home: Home = current_app.config["LINERNOTE_HOME"]
    return home


def _read(name: str) -> bytes:
    try:
        return Path(_home().public, name).read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise _unknown(name) from error


def _unknown(name: str) -> InputError:
    return InputError(
        "file-unknown",
        f"/{name[:120]} is not published",
        hint="/checkpoint says how many entries are; C2SP tlog-tiles, where they are",
    )
