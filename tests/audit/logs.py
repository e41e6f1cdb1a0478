"""Logs to tamper with: in memory, published to a folder, and copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ledger.anchor import Anchor
from ledger.audit import Audit
from ledger.audit import Report
from ledger.entry.envelope import Entry
from ledger.entry.envelope import decode_entry
from ledger.entry.envelope import encode_entry
from ledger.entry.sign import SignedEvent
from ledger.events.identity import Party
from ledger.publish import publish
from ledger.replay import State
from ledger.replay.log_keys import all_log_keys
from ledger.replay.log_keys import in_force
from ledger.storage.memory import MemoryStore
from ledger.tlog.merkle import leaf_hash
from tests.replay import rotation
from tests.replay.making import ORIGIN
from tests.replay.making import copy_store
from tests.replay.making import genesis
from tests.replay.making import holder
from tests.replay.making import party_id
from tests.replay.world import World


@dataclass
class Published:
    """A store with its public folder, to do harm to."""

    store: MemoryStore
    public: Path

    @property
    def anchor(self) -> Anchor:
        """What was anchored: beside the folder."""
        return Anchor(self.public.with_name(f"{self.public.name}-anchor"))

    def audit(self, workers: int = 0) -> Report:
        """Audit both."""
        return Audit(self.store, self.public, workers=workers).run()

    def leaves(self) -> list[bytes]:
        """Give the leaf data of every entry."""
        return list(self.store.leaves(0, self.store.size()))

    def put_leaves(self, leaves: list[bytes]) -> None:
        """Make a store hold other entries, as a whole and as it would itself."""
        old = self.store._entries
        self.store._entries = {}
        for index, leaf in enumerate(leaves):
            like = old.get(index) or old[max(old)]
            self.store._entries[index] = msgspec.structs.replace(
                like, index=index, leaf=leaf, leaf_hash=leaf_hash(leaf)
            )

    def publish(self) -> None:
        """Publish what is in the store."""
        rows = all_log_keys(State("full", self.store.rows))
        keys = [rotation.KEYS[row.public] for row in in_force(rows, self.store.size())]
        publish(self.store, self.public, ORIGIN, keys, self.anchor)


def small_world(lines: int = 3) -> World:
    """A log of three entries, the last of which brings in a manifest."""
    world = World(empty=True)
    world.operator.rule("genesis", genesis())
    world.add_key(world.operator, world.operator.sign, "sign")
    parties = [holder(party_id(f"p{number:04d}")) for number in range(lines)]
    world.operator.say(
        "party", lambda refs: Party(parties=refs["parties"]), parties=parties
    )
    return world


def published(world: World, folder: Path) -> Published:
    """Publish a world's log to a folder."""
    assert isinstance(world.store, MemoryStore)
    folder.mkdir()
    log = Published(world.store, folder)
    log.publish()
    return log


def copy(log: Published, folder: Path) -> Published:
    """Copy a published log."""
    shutil.copytree(log.public, folder)
    return Published(copy_store(log.store), folder)


def relink(
    leaves: list[bytes], change: Callable[[int, Entry], Entry] | None = None
) -> list[bytes]:
    """Give every entry its index and previous again, changed as one likes."""
    linked: list[bytes] = []
    for index, leaf in enumerate(leaves):
        entry = decode_entry(leaf)
        if change is not None:
            entry = change(index, entry)
        previous = leaf_hash(linked[-1]) if linked else bytes(32)
        entry = msgspec.structs.replace(entry, index=index, previous=previous)
        linked.append(encode_entry(entry))
    return linked


def signed_event(leaf: bytes) -> SignedEvent:
    """Give the signed event of an entry."""
    entry = decode_entry(leaf)
    return SignedEvent(entry.event, entry.signature)


def codes(report: Report) -> list[str]:
    """Give the codes of what was found."""
    return [found.code for found in report.problems]
