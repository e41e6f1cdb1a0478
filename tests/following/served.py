"""A log of signed events that is published into a folder, to be followed.

log = Served(folder)
log.say(5)
log.publish()
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from ledger.anchor import Anchor
from ledger.publish import publish
from ledger.storage.base import Store
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.note import make_vkey
from ledger.tlog.note import parse_note
from tests.replay import acts
from tests.replay.making import ORIGIN
from tests.replay.making import signing_key
from tests.replay.rotation import keys_in_force
from tests.replay.world import World

VKEY = make_vkey(ORIGIN, signing_key("log").public)


def publish_anyhow(store: Store, folder: Path, keys: Sequence[SigningKey]) -> None:
    """Publish from a copy of a log as well, as no anchor would let an honest one do."""
    anchor, signed = Anchor(folder / "anchor"), store.checkpoint()
    if signed is not None and anchor.read() is None:
        anchor.swap(None, parse_note(signed).text)
    publish(store, folder / "public", ORIGIN, keys, anchor)


class Served:
    """A world and the public folder of its log.

    Args:
        folder: of both; `public` in it is what servers serve.
        world: with everybody there, unless one is given.
    """

    def __init__(self, folder: Path, world: World | None = None) -> None:
        self.world = World() if world is None else world
        self.public = folder / "public"
        self._folder = folder
        self.public.mkdir(parents=True)

    @property
    def size(self) -> int:
        """How many entries there are, published or not."""
        return self.world.log.size

    @property
    def checkpoint(self) -> str:
        """The published one."""
        return (self.public / "checkpoint").read_text(encoding="utf-8")

    @checkpoint.setter
    def checkpoint(self, text: str) -> None:
        (self.public / "checkpoint").write_text(text, encoding="utf-8")

    def say(self, entries: int) -> None:
        """Append entries of some kind."""
        for _ in range(entries):
            self.world.society.say("scheme", acts.scheme_body())

    def publish(self) -> None:
        """Publish, signed by every key in force."""
        keys = keys_in_force(self.world)
        publish_anyhow(self.world.store, self._folder, keys)

    def fork(self, folder: Path, entries: int) -> None:
        """Show another history from here on, signed by the same key."""
        other = Served(folder, self.world.copy())
        for _ in range(entries):
            other.world.rival.say("scheme", acts.scheme_body())
        other.publish()
        self.show(other.public)

    def show(self, public: Path) -> None:
        """Serve the files of another folder in the place of these."""
        shutil.rmtree(self.public)
        shutil.copytree(public, self.public)
