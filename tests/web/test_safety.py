"""Nothing foreign acts on a page, nothing leaves it, nothing leads out of the home."""

from __future__ import annotations

import html
import re
import shutil
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web.conftest import HOSTILE
from tests.web.routes import ARTIST
from tests.web.routes import FILES
from tests.web.routes import MISSING
from tests.web.routes import PAGES
from tests.web.routes import twin
from web import create_app
from web import present

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
ANYWHERE = [*PAGES, *map(twin, PAGES), *FILES, *MISSING, "/static/linernote.css"]


@pytest.mark.parametrize("address", ANYWHERE)
def test_every_answer_carries_the_headers(address: str, client: FlaskClient) -> None:
    """Pages, files and errors alike: strict policy, no sniffing, no referrer."""
    headers = client.get(address, buffered=True).headers
    assert headers["Content-Security-Policy"] == POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Robots-Tag"] == "noindex, nofollow"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Set-Cookie" not in headers


@pytest.mark.parametrize("page", PAGES)
def test_pages_obey_their_own_policy(page: str, client: FlaskClient) -> None:
    """No script, no inline style, no address outside of this one."""
    text = client.get(page).text
    assert "<script" not in text
    assert not re.search(r"\sstyle=|\son\w+=|javascript:", text)
    assert not re.search(r'(?:href|src|action)="(?:https?:)?//', text)
    assert '<meta name="robots" content="noindex, nofollow">' in text


@pytest.mark.parametrize("page", [page for page in PAGES if "/entry/23" not in page])
def test_hostile_names_stay_words(page: str, hostile_app: Flask) -> None:
    """Markup, templates and reversed writing in names are shown, never obeyed."""
    answer = hostile_app.test_client().get(page)
    assert answer.status_code == 200
    assert "<script" not in answer.text
    assert "<img src=x" not in answer.text
    assert "\u202e" not in answer.text
    assert "49" not in re.findall(r"a\(\)'&gt;(\d+)", answer.text)
    plain = html.unescape(answer.text)
    assert HOSTILE[:-1] in plain


@pytest.mark.parametrize(
    "query",
    [
        "<script>alert(1)</script>",
        '"><b>',
        "{{7*7}}",
        "\x00",
        "%00",
        "a" * 5_000,
        "\u202e",
    ],
)
def test_what_is_searched_for_stays_words(query: str, client: FlaskClient) -> None:
    """A search shows its query back, harmless."""
    answer = client.get("/search", query_string={"q": query})
    assert answer.status_code == 200
    assert "<script" not in answer.text
    assert "<b>" not in answer.text
    assert client.get("/search.json", query_string={"q": query}).status_code == 200


@pytest.mark.parametrize("address", MISSING)
def test_what_is_not_there_is_not_found(address: str, client: FlaskClient) -> None:
    """Wrong ids, other spellings and ways out of the folder are 404, in words."""
    answer = client.get(address)
    assert answer.status_code == 404
    assert b"SQLite" not in answer.data
    assert answer.content_type == "text/html; charset=utf-8"
    assert "<h1>Nothing is here</h1>" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


PROBLEMS = [
    ("/entry/24.json", 404, "no-such-entry"),
    (f"/party/{'f' * 32}.json", 404, "party-unknown"),
    ("/recording/demo:nope.json", 404, "recording-unknown"),
    ("/docs/nope.json", 404, "document-unknown"),
    ("/nope.json", 404, "not-found"),
    ("/entry/x.json", 404, "not-found"),
    ("/entries.json?before=x", 400, "bad-number"),
    ("/entries.json?before=-1", 400, "bad-number"),
    ("/entries.json?before=٣", 400, "bad-number"),
    (f"/entries.json?before={'9' * 30}", 400, "bad-number"),
    (f"/party/{ARTIST}.json?before=1.5", 400, "bad-number"),
    (f"/party/{ARTIST}/statement.json?before=a", 400, "bad-number"),
]


@pytest.mark.parametrize(("address", "status", "code"), PROBLEMS)
def test_problems_are_documents(
    address: str, status: int, code: str, client: FlaskClient
) -> None:
    """Programs get RFC 9457 with the stable code, people the same as a page."""
    answer = client.get(address)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert answer.json is not None
    assert answer.json["code"] == code
    assert answer.json["status"] == status
    assert answer.json["type"] == "about:blank"
    assert answer.json["title"]
    assert answer.json["detail"]
    page = client.get(address.replace(".json", ""))
    assert page.status_code == status
    assert code in page.text


def test_a_program_that_asks_for_json_gets_problems(client: FlaskClient) -> None:
    """The Accept header counts where the address says nothing."""
    answer = client.get("/entry/24.tlog-proof", headers={"Accept": "application/json"})
    assert answer.content_type == "application/problem+json"
    assert client.get("/nope", headers={"Accept": "*/*"}).mimetype == "text/html"


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_the_viewer_takes_nothing_in(method: str, client: FlaskClient) -> None:
    """Pages are read; any other method is refused and says which are allowed."""
    answer = getattr(client, method)("/entry/3")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    assert "method-not-allowed" in answer.text


def test_our_own_mistakes_say_nothing_of_the_inside(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug is a friendly page without a trace, with status 500."""

    def broken(*_: object) -> None:
        message = "secret path /home/x"
        raise RuntimeError(message)

    monkeypatch.setattr(present, "item", broken)
    answer = create_app(home).test_client().get("/entries")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "The log is not harmed" in answer.text


def test_a_damaged_home_is_said_to_be_so(home: Path, tmp_path: Path) -> None:
    """A home that cannot be read is 503 with the code, not a crash."""
    copy = tmp_path / "home"
    shutil.copytree(home, copy)
    app = create_app(copy)
    (copy / "names.json").write_text("{")
    answer = app.test_client().get("/entries.json")
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["code"] == "names-damaged"


@pytest.mark.parametrize(
    ("notice", "shown"),
    [
        ("FICTIONAL. Nobody exists.\n", "<strong>FICTIONAL</strong> Nobody exists."),
        ("Nobody exists.", "<strong>FICTIONAL</strong> Nobody exists."),
        ("", "<strong>FICTIONAL</strong> Everything here is made up."),
        ("A demonstration: some of it.\n", 'role="note">A demonstration: some of it.<'),
    ],
)
def test_the_banner_says_the_word_once(
    notice: str, shown: str, home: Path, tmp_path: Path
) -> None:
    """The banner starts with one FICTIONAL, unless only some of it is made up."""
    shutil.copytree(home, tmp_path / "home")
    (tmp_path / "home" / "demonstration").write_text(notice)
    assert shown in create_app(tmp_path / "home").test_client().get("/docs").text


def test_a_fiction_says_so_everywhere(hostile_app: Flask, client: FlaskClient) -> None:
    """The banner is on every page of a demonstration, errors too, and on no other."""
    fiction = hostile_app.test_client()
    for page in (*PAGES[:3], "/nope"):
        assert "<strong>FICTIONAL</strong>" in fiction.get(page).text
        assert "FICTIONAL" not in client.get(page).text
