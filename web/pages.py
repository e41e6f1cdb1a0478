"""Pages for people, each with a JSON twin at the same address and `.json`.

    /                 the log                /entries            all entries
    /entry/<index>    one entry              …/<index>.tlog-proof   its proof
                                             …/<index>/run          its training run
    /party/<id>       a party and its money  …/statement         all of its statement
    /recording/<id>   a recording            /search?q=          whatever is sought

A view asks `ledger.query` and hands the answer to `web.present`; the database is
let go before anything is rendered.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any

from flask import Blueprint
from flask import Response
from flask import current_app
from flask import request

from ledger.errors import InputError
from ledger.query import Reader
from ledger.query import documents
from ledger.query.documents import Document
from ledger.statement import Window
from ledger.statement import statement_csv
from ledger.statement import statement_json
from ledger.statement import statement_text
from ledger.tlog.note import format_vkey
from ledger.tlog.proof import parse_proof
from web import present
from web.answers import file_answer
from web.answers import html_answer
from web.answers import json_answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.home import Home
    from ledger.query import EntryView

ENTRY_FINDINGS = 5
HOME_ENTRIES = 10
LISTED_ENTRIES = 50
LISTED_FINDINGS = 100
PARTY_LINES = 30
STATEMENT_LINES = 200
SEARCH_HITS = 50
NEVER_CHANGES = "private, max-age=31536000, immutable"

RUN_KINDS = {"run.close", "run.open"}

Shown = dict[str, Any]
View = Callable[..., "Page"]

blueprint = Blueprint("pages", __name__)


@dataclass(frozen=True)
class Page:
    """An answer, not yet made: a document for programs, a template for people."""

    template: str
    document: Callable[[], Document]
    show: Callable[[], Shown]


@contextmanager
def open_reader() -> Iterator[Reader]:
    """Open the log home for one request, at one state of the log."""
    home: Home = current_app.config["LINERNOTE_HOME"]
    with Reader.open(home.path) as reader, reader.reading():
        yield reader


def page(rule: str, twin: str = "") -> Callable[[View], View]:
    """Serve a view at a rule as HTML, and at the rule with `.json` as JSON."""

    def register(view: View) -> View:
        def html(**names: Any) -> Response:  # noqa: ANN401
            with open_reader() as reader:
                answer = view(reader, **names)
                shown = answer.show()
            return html_answer(answer.template, **shown)

        def json(**names: Any) -> Response:  # noqa: ANN401
            with open_reader() as reader:
                document = view(reader, **names).document()
            return json_answer(document)

        name = view.__name__
        blueprint.add_url_rule(rule, name, html)
        blueprint.add_url_rule(twin or f"{rule}.json", f"{name}_json", json)
        return view

    return register


def number_asked(name: str) -> int | None:
    """Read a number of the query string.

    Raises:
        InputError: `bad-number`.
    """
    text = request.args.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):  # noqa: PLR2004
        raise InputError(
            "bad-number",
            f"{name}={text[:40]!r} is not a number",
            hint="leave it out, or take the cursor of the page before",
        )
    return int(text)


@page("/", "/index.json")
def home(reader: Reader) -> Page:
    """Show the log: its size, its root, what happened last."""
    checkpoint = reader.checkpoint
    published = 0 if checkpoint is None else checkpoint.size
    entries = reader.entries(limit=HOME_ENTRIES)
    facts = {
        "origin": reader.log.origin,
        "size": reader.size,
        "root": reader.root.hex(),
        "published": published,
        "vkey": format_vkey(reader.vkey),
    }
    return Page(
        "home.html",
        lambda: {**facts, **documents.entries_document(entries)},
        lambda: {**facts, "entries": [present.item(entry) for entry in entries]},
    )


@page("/entries")
def entries(reader: Reader) -> Page:
    """List entries, newest first."""
    before = number_asked("before")
    found = reader.entries(before, LISTED_ENTRIES)
    document = documents.entries_document(found)
    return Page(
        "entries.html",
        lambda: document,
        lambda: {
            "entries": [present.item(entry) for entry in found],
            "next": document["next"],
            "size": reader.size,
            "before": before,
        },
    )


@page("/entry/<index:index>")
def entry(reader: Reader, index: int) -> Page:
    """Show an entry with its fields, bytes and proof."""
    view = reader.entry(index)
    checkpoint = reader.checkpoint
    tree = (0, b"") if checkpoint is None else (checkpoint.size, checkpoint.root)
    proof = parse_proof(reader.prove(index)) if index < tree[0] else None
    with reader.reading() as sources:
        shown = present.entry_page(sources.words, view, proof, tree)
    return Page(
        "entry.html",
        lambda: documents.entry_document(view),
        lambda: {
            "page": shown,
            "last": index + 1 == reader.size,
            "run": _run_part(reader, view),
            "vkey": format_vkey(reader.vkey),
        },
    )


def _run_part(reader: Reader, entry: EntryView) -> present.RunPart | None:
    """Show beside the entry of a run what of it had no licence."""
    if entry.kind not in RUN_KINDS:
        return None
    try:
        report = reader.run(entry.index, limit=ENTRY_FINDINGS)
    except InputError:
        return None  # closes a run that was judged when it opened
    return present.run_part(report)


@page("/entry/<index:index>/run")
def run(reader: Reader, index: int) -> Page:
    """Show what of a training run had no licence."""
    report = reader.run(index, number_asked("after") or 0, LISTED_FINDINGS)
    return Page(
        "run.html",
        lambda: documents.run_document(report),
        lambda: {"run": present.run_part(report)},
    )


@blueprint.get("/entry/<index:index>.tlog-proof")
def proof_file(index: int) -> Response:
    """Give an entry's proof, a file that stands alone."""
    with open_reader() as reader:
        text = reader.prove(index)
    return file_answer(text, "text/plain; charset=utf-8", f"{index}.tlog-proof")


@blueprint.get("/entry/<index:index>.leaf")
def leaf_file(index: int) -> Response:
    """Give an entry's bytes, which never change."""
    with open_reader() as reader:
        leaf = reader.entry(index).leaf
    response = file_answer(leaf, "application/octet-stream", f"{index}.leaf")
    response.headers["Cache-Control"] = NEVER_CHANGES
    return response


@page("/party/<party:party>")
def party(reader: Reader, party: str) -> Page:
    """Show a party with its money."""
    view = reader.party(party, number_asked("before"))
    return Page(
        "party.html",
        lambda: documents.party_document(view),
        lambda: {
            "page": present.party_page(
                view, reader.statement(party, Window(PARTY_LINES))
            )
        },
    )


@page("/party/<party:party>/statement")
def statement(reader: Reader, party: str) -> Page:
    """Show a party's statement, the newest lines or those before one."""
    window = Window(STATEMENT_LINES, number_asked("before"))
    built = reader.statement(party, window)
    return Page(
        "statement.html",
        lambda: statement_json(built),
        lambda: {
            "statement": built,
            "id": party,
            "accounts": [present.account_part(built.name, a) for a in built.accounts],
        },
    )


@blueprint.get("/party/<party:party>/statement.csv")
def statement_as_csv(party: str) -> Response:
    """Give all of a party's statement for a spreadsheet."""
    with open_reader() as reader:
        built = reader.statement(party)
    text = statement_csv(built)
    return file_answer(text, "text/csv; charset=utf-8", f"statement-{party}.csv")


@blueprint.get("/party/<party:party>/statement.txt")
def statement_as_text(party: str) -> Response:
    """Give all of a party's statement as text, each line explained."""
    with open_reader() as reader:
        built = reader.statement(party)
    text = statement_text(built, explain=True)
    return file_answer(text, "text/plain; charset=utf-8", f"statement-{party}.txt")


@blueprint.get("/recording/<external:external>")
def recording(external: str) -> Response:
    """Show a recording with its holders, runs and money.

    An id may itself end in `.json`: what is a recording's id is its page.
    """
    wanted, as_json = external, False
    with open_reader() as reader, reader.reading() as sources:
        try:
            view = reader.recording(wanted)
        except InputError:
            wanted, as_json = external.removesuffix(".json"), True
            if wanted == external:
                raise
            view = reader.recording(wanted)
        shown = present.recording_page(view, sources.words)
    if as_json:
        return json_answer(documents.recording_document(view))
    return html_answer("recording.html", page=shown)


@page("/search")
def search(reader: Reader) -> Page:
    """Find parties, recordings and entries."""
    text = request.args.get("q", "").strip()
    found = reader.search(text, SEARCH_HITS)
    return Page(
        "search.html",
        lambda: documents.search_document(text, found),
        lambda: {
            "query": text,
            "hits": [present.hit(each) for each in found],
            "full": len(found) == SEARCH_HITS,
        },
    )


@blueprint.get("/robots.txt")
def robots() -> Response:
    """Keep search engines away."""
    return Response("User-agent: *\nDisallow: /\n", content_type="text/plain")
