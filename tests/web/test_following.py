"""The viewer follows a log that is being written, and never sees half of an entry."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

from flask import Flask

from tests.story import build_story
from tests.story import steps
from tests.web.routes import ARTIST
from web import create_app

RUNS = 4
READERS = 3


def read_until(app: Flask, done: Event) -> list[tuple[int, int]]:
    """Ask for statements until told to stop; give their sizes and lines."""
    seen = []
    client = app.test_client()
    while not done.is_set():
        answer = client.get(f"/party/{ARTIST}/statement.json")
        assert answer.status_code == 200, answer.text
        document = answer.json
        assert document is not None
        (account,) = document["accounts"]
        assert client.get(f"/party/{ARTIST}").status_code == 200
        assert client.get("/").status_code == 200
        seen.append((document["size"], len(account["lines"])))
    return seen


def test_pages_follow_the_writer(tmp_path: Path) -> None:
    """While runs are paid, every statement adds up at the size that it names."""
    story = build_story(tmp_path / "home")
    app = create_app(tmp_path / "home")
    done = Event()
    with ThreadPoolExecutor(READERS) as pool:
        reading = [pool.submit(read_until, app, done) for _ in range(READERS)]
        lines_at = {story.log.size: 4}
        try:
            for number in range(RUNS):
                steps.earn(story, f"more-{number}")
                lines_at[story.log.size] = 4 + 3 * (number + 1)
                story.publish()
        finally:
            done.set()
        seen = {pair for each in reading for pair in each.result()}
    assert seen
    # Only a distribution, the last entry of each run, adds lines.
    for size, lines in seen:
        assert lines == max(n for at, n in lines_at.items() if at <= size)
    final = app.test_client().get("/index.json").json
    assert final is not None
    assert final["size"] == final["published"] == story.log.size
    story.close()
