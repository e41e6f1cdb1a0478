r"""The documents of the project, beside the log that they describe.

Markdown becomes HTML by markdown-it, with raw HTML switched off. Headings get the
anchors that GitHub gives them, links between documents lead to their pages here.

>>> make_html("# Pools & *funds*\n[rule](money.md#lr) <b>")[1]
'<h1 id="pools--funds">Pools &amp; <em>funds</em></h1>\n<p><a href="/docs/money#lr">rule</a> &lt;b&gt;</p>\n'
"""  # noqa: E501 (a doctest's result is one line)

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from flask import Blueprint
from flask import Response
from flask import make_response
from flask import request
from markdown_it import MarkdownIt
from markdown_it.token import Token

from ledger import errors
from ledger.errors import InputError
from web.answers import html_answer
from web.answers import json_answer

FOLDER = Path(errors.__file__).parent / "docs"
IMAGES = {".png": "image/png", ".svg": "image/svg+xml"}
_DOCUMENT_LINK = re.compile(r"(?P<name>[a-z0-9/-]+)\.md(?P<anchor>#.*)?")
_NOT_IN_ANCHOR = re.compile(r"[^\w\- ]")
_NO_TITLE = "Document"

blueprint = Blueprint("docs", __name__)


@blueprint.get("/docs")
@blueprint.get("/docs.json")
def index() -> Response:
    """List the documents."""
    listed = [{"name": name, "title": _read(name)[0]} for name in _names()]
    if request.path.endswith(".json"):
        return json_answer({"documents": listed})
    return html_answer("docs.html", documents=listed)


@blueprint.get("/docs/<path:name>")
def document(name: str) -> Response:
    """Show a document."""
    wanted = name.removesuffix(".json")
    if wanted not in _names():
        raise InputError(
            "document-unknown",
            f"there is no document {wanted[:80]!r}",
            hint="/docs lists them",
        )
    title, html, text = _read(wanted)
    if name.endswith(".json"):
        return json_answer({"name": wanted, "title": title, "markdown": text})
    return html_answer("doc.html", title=title, html=html)


@blueprint.get("/docs/images/<name>")
def image(name: str) -> Response:
    """Show a picture of a document."""
    found = {path.name: path for path in (FOLDER / "images").glob("*.*")}
    path = found.get(name)
    if path is None or path.suffix not in IMAGES:
        raise InputError("document-unknown", f"there is no picture {name[:80]!r}")
    response = make_response(path.read_bytes())
    response.content_type = IMAGES[path.suffix]
    return response


def _names() -> list[str]:
    """List the documents: the overview, the others, then why it was decided so."""
    overview = FOLDER / "architecture.md"
    paths = sorted(
        FOLDER.rglob("*.md"),
        key=lambda path: (path != overview, path.parent != FOLDER, path),
    )
    return [path.relative_to(FOLDER).with_suffix("").as_posix() for path in paths]


@lru_cache(maxsize=64)
def _read(name: str) -> tuple[str, str, str]:
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    title, html = make_html(text, name.rpartition("/")[0])
    return title, html, text


def make_html(text: str, folder: str = "") -> tuple[str, str]:
    """Render Markdown.

    Args:
        text: of the document; raw HTML in it is shown as text.
        folder: of the document below `docs`, for its relative links.

    Returns:
        Title and HTML.
    """
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = reader.parse(text)
    title = _add_anchors(tokens)
    for token in tokens:
        for child in token.children or []:
            if child.type == "link_open":
                child.attrSet("href", _address(str(child.attrGet("href")), folder))
            elif child.type == "image":
                child.attrSet("src", f"/docs/{child.attrGet('src')}")
    return title or _NO_TITLE, reader.renderer.render(tokens, reader.options, {})


def _add_anchors(tokens: list[Token]) -> str:
    """Give headings the anchors that GitHub would; return the first one's text."""
    title, used = "", dict[str, int]()
    for opening, inline in pairwise(tokens):
        if opening.type != "heading_open":
            continue
        words = "".join(
            child.content
            for child in inline.children or []
            if child.type in {"code_inline", "text"}
        )
        title = title or words
        anchor = _NOT_IN_ANCHOR.sub("", words.lower()).replace(" ", "-")
        repeated = used.get(anchor, 0)
        used[anchor] = repeated + 1
        opening.attrSet("id", f"{anchor}-{repeated}" if repeated else anchor)
    return title


def _address(target: str, folder: str) -> str:
    """Lead links to other documents to their pages."""
    found = _DOCUMENT_LINK.fullmatch(target.removeprefix("../" if folder else ""))
    if found is None:
        return target
    inside = f"{folder}/" if folder and not target.startswith("../") else ""
    return f"/docs/{inside}{found['name']}{found['anchor'] or ''}"
