"""What never changes is kept for ever, everything else is asked for again."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from ledger.names import Names
from ledger.query import Reader
from ledger.tlog.checkpoint import open_checkpoint
from ledger.tlog.merkle import node_hash
from ledger.tlog.proof import parse_proof
from ledger.tlog.proof import verify_proof
from ledger.tlog.text import parse_base64
from tests.story import Story
from tests.story import build_story
from tests.story import party_id
from tests.web.routes import ARTIST
from tests.web.routes import PAGES
from tests.web.routes import twin
from web import create_app
from web.present.entries import ladder

FOREVER = "max-age=31536000, immutable"


@pytest.mark.parametrize("page", [*PAGES, *map(twin, PAGES)])
def test_a_page_is_not_sent_twice(page: str, client: FlaskClient) -> None:
    """A tag by content; while nothing changed the answer is 304 and empty."""
    first = client.get(page)
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = client.get(page, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert again.data == b""
    assert "Content-Security-Policy" in again.headers


def test_an_erased_name_is_gone_from_the_next_page(tmp_path: Path) -> None:
    """Pages with names are never immutable, or erasing would take a year."""
    home = tmp_path / "home"
    build_story(home).close()
    client = create_app(home).test_client()
    first = client.get(f"/party/{ARTIST}")
    assert "Ottoline" in first.text
    Names().save(home / "names.json")
    again = client.get(
        f"/party/{ARTIST}", headers={"If-None-Match": first.headers["ETag"]}
    )
    assert again.status_code == 200
    assert "Ottoline" not in again.text


@pytest.mark.parametrize(
    "address", ["/entry/3.leaf", "/tile/0/000.p/23", "/tile/entries/000.p/23"]
)
def test_bytes_of_the_log_never_change(address: str, client: FlaskClient) -> None:
    """Leaf data, tiles and bundles are kept for ever."""
    assert client.get(address).headers["Cache-Control"].endswith(FOREVER)


def test_the_checkpoint_is_served_as_published(
    client: FlaskClient, home: Path, story: Story
) -> None:
    """The very bytes, fresh to the second, for anybody, verified by the vkey."""
    answer = client.get("/checkpoint")
    assert answer.data == (home / "public" / "checkpoint").read_bytes()
    assert answer.headers["Cache-Control"] == "public, max-age=1"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert open_checkpoint(answer.text, story.vkey).size == 23


def test_every_published_file_is_served(client: FlaskClient, home: Path) -> None:
    """Tiles, bundles and manifests at their addresses, byte for byte."""
    public = home / "public"
    files = [path for path in public.rglob("*") if path.is_file()]
    assert len(files) > 10
    assert any("manifest" in path.parts for path in files)
    for path in files:
        answer = client.get(f"/{path.relative_to(public).as_posix()}")
        assert answer.status_code == 200, path
        assert answer.data == path.read_bytes()


def test_only_public_files_are_served(client: FlaskClient, home: Path) -> None:
    """Whatever else lies under public/ has no address."""
    stray = home / "public" / "tile" / "secret"
    stray.write_text("x")
    assert client.get("/tile/secret").status_code == 404
    assert client.get("/manifest").status_code == 404
    stray.unlink()


def test_the_downloaded_proof_verifies(client: FlaskClient, story: Story) -> None:
    """What the page offers is the reader's proof, and holds offline."""
    answer = client.get("/entry/20.tlog-proof")
    assert 'filename="20.tlog-proof"' in answer.headers["Content-Disposition"]
    proof = parse_proof(answer.text)
    assert proof.extra is not None
    assert verify_proof(proof, proof.extra, story.vkey).size == 23


def test_the_path_on_the_page_folds_to_the_root(client: FlaskClient) -> None:
    """Hashing each rung on its side leads from the entry to the signed root."""
    home: Path = client.application.config["LINERNOTE_HOME"].path
    with Reader.open(home) as reader:
        checkpoint = reader.checkpoint
        assert checkpoint is not None
        for index in range(checkpoint.size):
            value = reader.entry(index).leaf_hash
            proof = parse_proof(reader.prove(index))
            for rung in ladder(proof, checkpoint.size):
                other = parse_base64(rung.hash)
                pair = (other, value) if rung.side == "left" else (value, other)
                value = node_hash(*pair)
            assert value == checkpoint.root


def test_styles_are_kept_and_change_their_address(client: FlaskClient) -> None:
    """Style sheets are named by their content, so browsers may keep them."""
    page = client.get("/").text
    for name in ("linernote.css", "vendor/pico.classless.min.css"):
        start = page.index(f"/static/{name}?v=")
        address = page[start : page.index('"', start)]
        answer = client.get(address, buffered=True)
        assert answer.status_code == 200
        assert "max-age=31536000" in answer.headers["Cache-Control"]


def test_a_party_without_money_has_a_page(client: FlaskClient) -> None:
    """The registry never earned anything, and its page says so."""
    shown = client.get(f"/party/{party_id('operator').hex()}").text
    assert "No money has moved for this party yet." in shown
