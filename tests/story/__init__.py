"""A whole story on a log, the same every time: parties, rights, terms, run, money.

    Lab Alder trains on Society Birch's catalogue and pays for it; Birch shares the
    fee among three artists, and what it pays out arrives.

`build_story` tells it into a store or a new log home, with keys from fixed seeds and
a clock that counts, so that every root, amount and index is known. Seven recordings
belong to the artists in turn; the first is split 60 to 40, the last is half nobody's
known, and the lab also trains on one that no catalogue has.
"""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path

from ledger.home import Home
from ledger.log import Log
from ledger.storage.base import Store
from ledger.storage.sqlite import SqliteStore
from tests.story import steps
from tests.story.stage import NAMES
from tests.story.stage import ORIGIN
from tests.story.stage import OUTSIDE
from tests.story.stage import START_MS
from tests.story.stage import STEP_MS
from tests.story.stage import TITLES
from tests.story.stage import Story
from tests.story.stage import party_id
from tests.story.stage import recording_id
from tests.story.stage import signing_key

__all__ = [
    "NAMES",
    "ORIGIN",
    "OUTSIDE",
    "START_MS",
    "STEP_MS",
    "TITLES",
    "Story",
    "build_story",
    "names",
    "party_id",
    "recording_id",
    "signing_key",
    "steps",
]


def build_story(where: Store | Path, recordings: int = 7) -> Story:
    """Tell the story.

    Args:
        where: an empty store, or a folder that becomes a home, published.
        recordings: how many the catalogue has; at least 2.
    """
    home = Home(where) if isinstance(where, Path) else None
    if isinstance(where, Path):
        store: Store = _new_home(Home(where))
    else:
        store = where
    ticks = count(1)
    log = Log(store, clock=lambda: START_MS + STEP_MS * next(ticks))
    story = Story(log, home, [recording_id(n) for n in range(recordings)], ticks)
    steps.introduce(story)
    steps.register_rights(story)
    steps.agree_terms(story)
    steps.train(story)
    steps.take_money(story)
    steps.distribute(story)
    steps.pay_out(story)
    if home is not None:
        home.names.write_text(json.dumps(names(story)), encoding="utf-8")
        story.publish()
    return story


def names(story: Story) -> dict[str, dict[str, str]]:
    """Give the content of the side store of names."""
    titles = dict(zip(story.recordings, TITLES, strict=False))
    parties = {party_id(name).hex(): shown for name, shown in NAMES.items()}
    return {"parties": parties, "recordings": titles}


def _new_home(home: Home) -> SqliteStore:
    home.build(lambda partial: SqliteStore.create(partial.path).close())
    return SqliteStore.open(home.path)
