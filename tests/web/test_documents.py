"""Documents become pages: safely, with the anchors and links that GitHub gives them."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from tests import markdown
from web import docs


def test_every_document_has_a_page(client: FlaskClient) -> None:
    """The list leads to each; each has its heading and its text as JSON."""
    listed = client.get("/docs.json").json
    assert listed is not None
    names = [each["name"] for each in listed["documents"]]
    first, *others = [name for name in names if not name.startswith("adr/")]
    decisions = [name for name in names if name.startswith("adr/")]
    assert names == [first, *others, *decisions]
    assert (first, others) == ("architecture", sorted(others))
    assert decisions == sorted(decisions)
    assert "json" in names
    for each in listed["documents"]:
        page = client.get(f"/docs/{each['name']}")
        assert page.status_code == 200
        assert "<h1" in page.text
        twin = client.get(f"/docs/{each['name']}.json").json
        assert twin is not None
        text = (docs.FOLDER / f"{each['name']}.md").read_text(encoding="utf-8")
        assert twin == {**each, "markdown": text}


def test_links_between_documents_lead_to_pages(client: FlaskClient) -> None:
    """No document links to a page or an anchor that is not there."""
    listed = client.get("/docs.json").json
    assert listed is not None
    for each in listed["documents"]:
        text = client.get(f"/docs/{each['name']}").text
        for target in re.findall(r'(?:href|src)="(/docs[^"]*)"', text):
            path, _, anchor = target.partition("#")
            there = client.get(path)
            assert there.status_code == 200, f"{each['name']}: {target}"
            assert not anchor or f'id="{anchor}"' in there.text, target


def test_anchors_are_those_that_the_tests_know() -> None:
    """The viewer and the link checker of the documents agree on every anchor."""
    text = "# A `code` & *em*\n\n## Twice\n\n## Twice\n\n## Ünï—dash, (x)\n"
    _, html = docs.make_html(text)
    prose = markdown.split(text)[1]
    assert set(re.findall(r'id="([^"]*)"', html)) == {
        anchor.replace("`", "").replace("*", "") for anchor in markdown.anchors(prose)
    }


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "![x](javascript:alert(1))",
        '<img src=x onerror="alert(1)">',
        "[x](vbscript:a)",
        '[x](/a "onclick=alert(1)")',
        "# <svg onload=alert(1)>",
    ],
)
def test_markup_in_documents_does_nothing(hostile: str) -> None:
    """Raw HTML is shown as text, and links that act are no links."""
    _, html = docs.make_html(hostile)
    assert not re.search(r"<(?:script|img src=x|svg)", html)
    assert not re.search(r'(?:href|src)="(?:/docs/)?(?:\w+script:|data:)', html.lower())
    assert not re.search(r"<[^>]*\son\w+=", html)


@pytest.mark.parametrize(
    ("target", "folder", "address"),
    [
        ("format.md", "", "/docs/format"),
        ("format.md#levels", "", "/docs/format#levels"),
        ("adr/0001-leaf.md", "", "/docs/adr/0001-leaf"),
        ("0002-x.md", "adr", "/docs/adr/0002-x"),
        ("../money.md#cash", "adr", "/docs/money#cash"),
        ("#here", "", "#here"),
        ("https://c2sp.org/tlog-tiles", "", "https://c2sp.org/tlog-tiles"),
    ],
)
def test_links_are_led_to_pages(target: str, folder: str, address: str) -> None:
    """A link that works in the folder works in the viewer."""
    _, html = docs.make_html(f"[x]({target})", folder)
    assert f'href="{address}"' in html


def test_pictures_come_from_the_documents() -> None:
    """A picture beside the documents has its address in the viewer."""
    _, html = docs.make_html("![A phone](images/party.png)")
    assert '<img src="/docs/images/party.png" alt="A phone"' in html


@pytest.mark.parametrize("name", ["party-phone.png", "entry-phone.png"])
def test_pictures_are_served(name: str, client: FlaskClient) -> None:
    """The pictures of the documents have an address, and are not heavy."""
    answer = client.get(f"/docs/images/{name}")
    assert answer.status_code == 200
    assert answer.content_type == "image/png"
    assert answer.data.startswith(b"\x89PNG")
    assert len(answer.data) <= 150_000


def test_tables_and_code_are_rendered() -> None:
    """Tables become tables, and code stays as it is."""
    _, html = docs.make_html("| a | b |\n|---|---|\n| 1 | `<x>` |\n\n```\n<y>\n```\n")
    assert "<table>" in html
    assert "<code>&lt;x&gt;</code>" in html
    assert "&lt;y&gt;" in html
