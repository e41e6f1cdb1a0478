"""The Flask application: its parts, and the headers of every answer."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path

from flask import Flask
from flask import Response
from flask import current_app
from flask import url_for

from ledger.home import Home
from ledger.intake import Intake
from ledger.names import neutral
from web import docs
from web import errors
from web import intake
from web import pages
from web import tlog
from web.addresses import CONVERTERS

HOME = "LINERNOTE_HOME"
YEAR_SECONDS = 31_536_000
DEMONSTRATION_FILE = "demonstration"
FICTIONAL, PARTLY_FICTIONAL = "FICTIONAL", "A demonstration"

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:;"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}
"""On every answer. Who is paid what is nobody's search result."""


def create_app(home: Path, taking: Intake | None = None) -> Flask:
    """Make the viewer of a log home.

    Args:
        home: its folder; read anew for every request, never written.
        taking: takes events in; without it this only reads.

    Raises:
        InputError: `home-missing`.
        HomeError: `home-incomplete`.
    """
    place = Home(home)
    place.check()
    app = Flask(__name__)
    app.config[HOME] = place
    app.config[intake.INTAKE] = taking
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = YEAR_SECONDS  # addresses have versions
    app.url_map.converters.update(CONVERTERS)
    # An external id may hold two slashes, and is an address as it is.
    app.url_map.merge_slashes = False
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals["asset"] = cache(asset_address)
    for part in (pages, docs, tlog, intake):
        app.register_blueprint(part.blueprint)
    errors.handle(app)
    app.after_request(add_headers)
    app.context_processor(lambda: demonstration(place))
    return app


def add_headers(response: Response) -> Response:
    """Keep the browser from doing anything that no page asks for."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "private, no-cache")
    return response


def asset_address(name: str) -> str:
    """Give the address of a static file, which changes when the file does."""
    content = Path(current_app.static_folder or "", name).read_bytes()
    version = sha256(content).hexdigest()[:12]
    return url_for("static", filename=name, v=version)


def demonstration(home: Home) -> dict[str, str]:
    """Give the notice of the banner, empty for a real log, and the word before it.

    A notice that begins with "A demonstration" is of a log over somebody's own files,
    of which only some is made up. All others are of fictions.
    """
    try:
        text = (home.path / DEMONSTRATION_FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return {"fictional": "", "notice": ""}
    except (OSError, UnicodeDecodeError):
        text = "Everybody and everything here is made up."
    notice = neutral(text.replace("\n", " ")).strip()
    if notice.startswith(PARTLY_FICTIONAL):
        return {"fictional": "", "notice": notice}
    # The banner starts with the word, whether the notice does or not.
    notice = notice.removeprefix(FICTIONAL).lstrip(" .:")
    return {"fictional": FICTIONAL, "notice": notice or "Everything here is made up."}
