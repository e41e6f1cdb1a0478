"""Every page and its JSON twin say what the log says."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import render_template
from flask.testing import FlaskClient

from ledger.names import Names
from ledger.query import RecordingView
from ledger.query.views import Holder
from ledger.query.views import TableView
from ledger.replay import State
from ledger.storage.memory import MemoryStore
from ledger.words import Words
from tests.story import Story
from tests.story import build_story
from tests.story import party_id
from tests.web.routes import ARTIST
from tests.web.routes import FILES
from tests.web.routes import LAB
from tests.web.routes import PAGES
from tests.web.routes import twin
from web import create_app
from web.addresses import recording_address
from web.present.recordings import recording_page


def text_of(client: FlaskClient, address: str) -> str:
    """What a page says, without its markup."""
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    plain = re.sub(r"<[^>]+>", " ", answer.text)
    return " ".join(html.unescape(plain).replace("\xa0", " ").split())


def json_of(client: FlaskClient, address: str) -> dict[str, Any]:
    """What a twin says."""
    answer = client.get(address)
    assert answer.status_code == 200
    assert isinstance(answer.json, dict)
    return answer.json


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_whole(page: str, client: FlaskClient) -> None:
    """Each page has one heading, a title, a language, and links to its twin."""
    answer = client.get(page)
    assert answer.status_code == 200
    assert answer.content_type == "text/html; charset=utf-8"
    assert answer.text.count("<h1") == 1
    assert '<html lang="en">' in answer.text
    assert re.search(r"<title>[^<]+ · linernote</title>", answer.text)
    assert "None" not in re.sub(r"<[^>]+>", "", answer.text)
    path = twin(page).partition("?")[0]
    assert f'href="{path}' in answer.text


@pytest.mark.parametrize("page", PAGES)
def test_every_page_has_a_json_twin(page: str, client: FlaskClient) -> None:
    """The same address with .json gives the same thing to programs."""
    answer = client.get(twin(page))
    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    assert isinstance(answer.json, dict)


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str, client: FlaskClient) -> None:
    """No page points at an address that is not there."""
    links = set(re.findall(r'(?:href|src|action)="([^"#]+)', client.get(page).text))
    assert links
    for link in links - SEEN:
        assert link.startswith("/"), f"{page} leads away to {link}"
        answer = client.get(html.unescape(link), buffered=True)
        assert answer.status_code == 200, f"{page}: {link}"
    SEEN.update(links)


SEEN: set[str] = set()


@pytest.mark.parametrize(("path", "content_type"), FILES.items())
def test_files_have_their_types(
    path: str, content_type: str, client: FlaskClient
) -> None:
    """Each file comes as what it is."""
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.content_type == content_type


def test_the_home_page_says_what_happened(client: FlaskClient) -> None:
    """Size, publication, the latest sentence and a search box come first."""
    shown = text_of(client, "/")
    assert "24 entries" in shown
    assert "23 published" in shown
    assert "Lab Alder opened training run run-2" in shown
    assert 'type="search"' in client.get("/").text


def test_an_entry_is_a_sentence_then_fields(client: FlaskClient) -> None:
    """Sentence, signer, fields in words with links, proof and bytes."""
    shown = text_of(client, "/entry/18")
    sentence = (
        "Society Birch billed Lab Alder SEK 1,000,000.00 for training run run-1, plus"
        " SEK 250,000.00 VAT."
    )
    assert sentence in shown
    for part in (
        "Signed by Society Birch",
        "Net SEK 1,000,000.00",
        "To be paid by 2025-12-18",
        "Licence entry 13",
        "Licensed recordings 7",
        "Published, and sealed with 23 entries",
        "Follows the rules of this log",
        "linernote verify 18.tlog-proof --vkey",
    ):
        assert part in shown
    assert shown.index(sentence) < shown.index("What it says") < shown.index("Proof")


def test_fields_are_told_in_words(client: FlaskClient) -> None:
    """Choices, rates and nested fields read as language, not as codes."""
    scheme = text_of(client, "/entry/12")
    assert "Shared equally between recordings" in scheme
    assert "Fee 9.6%" in scheme
    assert "Cultural deduction is taken of what the fee leaves" in scheme
    grant = text_of(client, "/entry/13")
    assert "Lab Lab Alder" in grant
    assert "Any model version yes" in grant
    payment = text_of(client, "/entry/19")
    assert "Pays Amount SEK 1,250,000.00 Due entry 18" in payment


def test_a_run_says_what_had_no_licence(client: FlaskClient) -> None:
    """The lab sees beside its entry what is covered and what is not."""
    for address in ("/entry/16", "/entry/16/run"):
        shown = text_of(client, address)
        assert "Some of what it used had no licence" in shown
        assert "The licence of entry 13 covers 7 of 8 recordings" in shown
        assert "demo:zz No licence covers it; nobody has registered" in shown
    assert "licensed" not in text_of(client, "/entry/17")


def test_an_entry_that_is_not_published_says_so(client: FlaskClient) -> None:
    """Without a checkpoint over it there is no proof, and the page says when."""
    shown = text_of(client, "/entry/23")
    assert "Not published yet" in shown
    assert "come back in a moment" in shown
    assert "Download the proof" not in shown
    answer = client.get("/entry/23.tlog-proof")
    assert answer.status_code == 409


def test_a_party_sees_money_and_why(client: FlaskClient) -> None:
    """Balance, statement, each line unfolding to sentences with their sums."""
    shown = text_of(client, f"/party/{ARTIST}")
    for part in (
        "Ottoline Brackwater",
        "Confirmed by a registrar",
        "Paid out so far SEK 244,080.00",
        "Opening SEK 0.00",
        "Ottoline Brackwater is registered with 60% of it: the gross amount.",
        "142,857.142858 × 60%",
        "Closing SEK 0.00 0003",
        "waits for the master recording of demo:r000006",
    ):
        assert part in shown
    assert client.get(f"/party/{ARTIST}").text.count("<details class=") == 5


def test_a_lab_sees_its_bills(client: FlaskClient) -> None:
    """What was billed, what was paid, what is left."""
    shown = text_of(client, f"/party/{LAB}")
    assert "What Lab Alder was billed and has not paid" in shown
    assert "Billed for training run run-1" in shown
    assert "Recognised as an AI lab" in shown


def test_a_statement_turns_its_pages(client: FlaskClient) -> None:
    """Earlier lines are carried forward, and a link leads to them."""
    shown = text_of(client, f"/party/{ARTIST}/statement?before=3")
    assert "Closing, 2 later lines follow" in shown
    document = json_of(client, f"/party/{ARTIST}/statement.json?before=3")
    (account,) = document["accounts"]
    assert [line["number"] for line in account["lines"]] == [1, 2]
    assert account["closing"] == account["lines"][-1]["balance"]
    assert account["later"] == 2


def test_a_recording_says_who_used_it(client: FlaskClient) -> None:
    """Holders with shares, runs with their licence, money with what waits."""
    shown = text_of(client, "/recording/demo:r000000")
    assert "Wren in the Stairwell" in shown
    assert "ISRC CPDEM2600000 · 3:00" in shown
    assert "Ottoline Brackwater owner 60%" in shown
    assert "Lab Alder trained alder 1 in run run-1" in shown
    assert "licensed" in shown
    outside = text_of(client, "/recording/demo:zz")
    assert "In no catalogue" in outside
    assert "without a licence" in outside
    assert "nobody has registered who holds it" in outside


def test_a_search_leads_on(client: FlaskClient) -> None:
    """What is found is linked; nothing found says what to try."""
    page = client.get("/search?q=ottoline").text
    assert f'href="/party/{ARTIST}"' in page
    assert "Nothing found for" in client.get("/search?q=qqq").text


def test_the_twins_agree_with_the_log(client: FlaskClient, story: Story) -> None:
    """JSON carries the bytes and integers that the pages are written from."""
    entry = json_of(client, "/entry/18.json")
    assert bytes.fromhex(entry["leaf"]) == story.log.store.leaf(18)
    assert entry["body"]["net"] == 1_000_000_000_000
    assert client.get("/entry/18.leaf").data == story.log.store.leaf(18)
    party = json_of(client, f"/party/{ARTIST}.json")
    assert party["money"][0]["payable"] == 3
    assert party["party"] == party_id("artist0").hex()
    home = json_of(client, "/index.json")
    assert (home["size"], home["published"]) == (24, 23)


def test_external_ids_are_addresses_whatever_they_hold(tmp_path: Path) -> None:
    """Slashes, dots, queries and percent signs in an id reach its page."""
    awkward = "demo:a//b/../c?d=1#e%2f&f.json"
    story = build_story(tmp_path / "home")
    client = create_app(tmp_path / "home").test_client()
    rows = story.log.state.recordings
    known = rows.get("demo:r000000")
    assert known is not None
    with story.log.store.transaction():
        rows.put(awkward, known)
        story.log.state.flush()
    answer = client.get(recording_address(awkward))
    assert answer.status_code == 200
    assert html.escape(awkward) in answer.text
    found = json_of(client, recording_address(awkward) + ".json")
    assert found["external"] == awkward
    story.close()


def test_a_work_is_no_recording_that_a_lab_made_up(client: FlaskClient) -> None:
    """What has a composition alone is a work; shares in what nobody lists are told."""
    table = TableView(
        subject="demo-work:x",
        side="composition",
        kind="initial",
        effective=0,
        society="Birch",
        index=7,
        in_force=True,
        holders=(Holder(bytes(16), "Ada", 1_000_000, "author"),),
    )
    work = RecordingView("demo-work:x", "Salt Road", (), (table,), (), False, ())
    unlisted = replace(work, tables=(replace(table, side="master"),))
    words = Words(State("public", MemoryStore().rows), Names())
    with client.application.test_request_context():
        shown, other = (
            render_template("recording.html", page=recording_page(each, words))
            for each in (work, unlisted)
        )
    assert "Work · demo-work:x" in shown
    assert "A work: recordings in catalogues name it" in shown
    for said in ("In no catalogue", "a lab named it", "Who trained on it"):
        assert said not in shown
    assert "Recording · demo-work:x" in other
    assert "though shares in it are" in other
    assert "nobody has registered it" not in other
