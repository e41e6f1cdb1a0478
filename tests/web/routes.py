"""Every address of the viewer over the story, for tests that walk them all."""

from __future__ import annotations

from tests.story import OUTSIDE
from tests.story import party_id

ARTIST, LAB, SOCIETY = (party_id(n).hex() for n in ("artist0", "lab", "society"))

PAGES = [
    "/",
    "/entries",
    "/entries?before=5",
    *(f"/entry/{index}" for index in (0, 1, 2, 4, *range(8, 24))),
    "/entry/16/run",
    "/entry/23/run?after=3",
    f"/party/{ARTIST}",
    f"/party/{ARTIST}?before=20",
    f"/party/{LAB}",
    f"/party/{SOCIETY}",
    f"/party/{party_id('operator').hex()}",
    f"/party/{ARTIST}/statement",
    f"/party/{ARTIST}/statement?before=3",
    f"/party/{LAB}/statement",
    "/recording/demo:r000000",
    "/recording/demo:r000006",
    f"/recording/{OUTSIDE}",
    "/search",
    "/search?q=demo",
    "/search?q=nothing-like-it",
    "/docs",
]
"""Pages for people; the JSON twin of each is `twin`."""

FILES = {
    "/checkpoint": "text/plain; charset=utf-8",
    "/entry/3.leaf": "application/octet-stream",
    "/entry/3.tlog-proof": "text/plain; charset=utf-8",
    f"/party/{ARTIST}/statement.csv": "text/csv; charset=utf-8",
    f"/party/{ARTIST}/statement.txt": "text/plain; charset=utf-8",
    "/robots.txt": "text/plain",
    "/tile/0/000.p/23": "application/octet-stream",
    "/tile/entries/000.p/23": "application/octet-stream",
}

MISSING = [
    "/nope",
    "/entry/24",
    "/entry/999999999999999999",
    "/entry/-1",
    "/entry/007",
    "/entry/1e3",
    "/entry/٣",
    "/entry/9999999999999999999999",
    "/entry/24.tlog-proof",
    "/entry/24/run",
    "/entry/18/run",
    "/entry/17/run",
    "/party/" + "f" * 32,
    "/party/" + ARTIST.upper(),
    "/party/" + ARTIST[:31],
    "/party/demo:artist0",
    "/recording/demo:nope",
    "/recording/nope",
    "/recording/Demo:r1",
    "/recording/demo:",
    "/recording/demo:" + "x" * 97,
    "/tile/0/000",
    "/tile/0/000.p/0",
    "/tile/0/001.p/1",
    "/tile/x/000",
    "/tile/../ledger.db",
    "/tile/..%2f..%2fledger.db",
    "/tile/entries/..%2f..%2f..%2fledger.db",
    "/tile/entries/000.p/023",
    "/manifest/" + "0" * 64 + "/tile/0/000.p/1",
    "/manifest/../ledger.db",
    "/docs/nope",
    "/docs/../app",
    "/docs/..%2f..%2fpyproject",
    "/docs/images/..%2fjson.md",
    "/docs/images/nope.png",
    "/static/../app.py",
    "/static/vendor/..%2f..%2fapp.py",
    "/ledger.db",
]


def twin(page: str) -> str:
    """Give the address of a page's JSON twin."""
    path, mark, query = page.partition("?")
    return ("/index" if path == "/" else path) + ".json" + mark + query
