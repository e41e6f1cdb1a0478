"""Who plays in the demonstration. All of it is fictional.

The ISRCs start with `CP`, a prefix that no country has, and `DEM`; they are
well formed and belong to nobody.
"""

from __future__ import annotations

from typing import NamedTuple

NOTICE = (
    "FICTIONAL. Every person, company, recording and amount in this log was made up"
    " for the demonstration."
)
NOTICE_OF_FILES = (
    "A demonstration: the lab and the money are made up; the catalogue and the training"
    " list are those given."
)
ORIGIN = "demo.linernote.example/log"


class Member(NamedTuple):
    """A party of the demonstration.

    Attributes:
        handle: short name of the keys and in external ids.
        name: shown from the side store, never on the log.
        part: what they do.
    """

    handle: str
    name: str
    part: str


REGISTRY = Member("registry", "Registry of Elms", "runs the log")
SOCIETY = Member("birch", "Society Birch", "collecting society")
LAB = Member("alder", "Lab Alder", "trains music models")
GUITARIST = Member("brackwater", "Ottoline Brackwater", "session guitarist")
PRODUCER = Member("quillfeather", "Dobb Quillfeather", "producer")
WRITER = Member("testdottir", "Ðagný Testdóttir", "co-writer")
MUSICIANS = (GUITARIST, PRODUCER, WRITER)


class Song(NamedTuple):
    """A recording of the demonstration, and the work it is of."""

    handle: str
    title: str
    ms: int

    @property
    def recording(self) -> str:
        """External id of the recording."""
        return f"demo:{self.handle}"

    @property
    def work(self) -> str:
        """External id of the work."""
        return f"demo-work:{self.handle}"


SONGS = (
    Song("nine-lamps", "Nine Lamps", 201_400),
    Song("paper-lanterns", "Paper Lanterns", 187_900),
    Song("salt-road", "Salt Road", 243_000),
    Song("wren-in-the-stairwell", "Wren in the Stairwell", 176_200),
)
DEMO_TAPE = Song("kitchen-tape", "Kitchen Tape (unreleased)", 95_000)
"""Ottoline's own tape: registered, but in no catalogue that the lab licensed."""

STRAY = "demo:found-on-a-forum"
"""Something that the lab trained on and nobody has registered."""
