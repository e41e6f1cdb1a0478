"""What runs in a process of its own, until it ends or is ended: the log at work.

It says only what a client would be told: each entry once `append` has answered, each
checkpoint once it is published, and why it stopped.
"""

from __future__ import annotations

from collections.abc import Callable

from ledger.entry.envelope import decode_event
from ledger.errors import LedgerError
from ledger.log import Appended
from ledger.storage import sqlite_open
from ledger.storage.sqlite_open import TRUNCATE_EXTRA
from ledger.storage.sqlite_open import WAL_FULL
from ledger.storage.sqlite_open import Journal
from ledger.writer import Writer
from tools.faults.world import LATER_MS
from tools.faults.world import Batch
from tools.faults.world import Place
from tools.faults.world import Scenario
from tools.faults.world import World
from tools.faults.world import found
from tools.faults.world import ticking

JOURNALS = {"truncate": TRUNCATE_EXTRA, "wal": WAL_FULL}
"""Both modes that a store may be in, whichever suits the SQLite loaded here."""

UNSAFE = {"normal": Journal("wal", 1), "off": Journal("wal", 0)}
"""Modes that a store is never in: controls of the harness itself."""

CHECKPOINT_PAGES = 20
"""Frames after which SQLite copies its log into the database; 1,000 would be never."""

EARLY = "early"
"""How a log acknowledges that must never: before the commit; a control as well."""

Say = Callable[[str], None]


def choose(journal: str) -> None:
    """Let stores open in this mode from now on, in this process."""
    chosen = (JOURNALS | UNSAFE)[journal]
    setattr(sqlite_open, "choose_journal", lambda _: chosen)  # noqa: B010


def work(
    world: World, place: Place, scenario: Scenario, say: Say, how: str = ""
) -> None:
    """Do all that the scenario asks for, and say what clients are told."""
    if scenario.name == "create":
        founded = found(place.home)
        say(f"created {founded.checkpoint.size} {founded.checkpoint.root.hex()}")
        return
    clock = ticking(LATER_MS)
    for session in scenario.sessions:
        with Writer(place.home, clock) as writer:
            writer.store.one(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
            for batch in session:
                if how == EARLY:
                    _acknowledge_early(writer, batch, say)
                answers = writer.log.append(batch.events, batch.staged, atomic=True)
                for signed, answer in zip(batch.events, answers, strict=True):
                    say_entry(say, signed.event, answer)
                checkpoint = writer.publish(world.log_key)
                say(f"checkpoint {checkpoint.size} {checkpoint.root.hex()}")


def say_entry(say: Say, event: bytes, answer: Appended | LedgerError) -> None:
    """Tell a client where its event stands.

    Raises:
        LedgerError: it was refused.
    """
    if isinstance(answer, LedgerError):
        raise answer
    decoded = decode_event(event)
    event_id = f"{decoded.author.hex()} {decoded.id.hex()}"
    say(f"entry {event_id} {answer.index:012d} {answer.leaf_hash.hex()}")


def _acknowledge_early(writer: Writer, batch: Batch, say: Say) -> None:
    """Let the store's next commit acknowledge the batch before it is stored."""
    store, commit = writer.store, writer.store.commit

    def acknowledge() -> None:
        for signed in batch.events:
            event = decode_event(signed.event)
            found = store.find_event(event.author, event.id)
            index = -1 if found is None else found
            answer = Appended(
                index, store.leaf_hashes(index, index + 1), repeated=False
            )
            say_entry(say, signed.event, answer)
        setattr(store, "commit", commit)  # noqa: B010
        commit()

    setattr(store, "commit", acknowledge)  # noqa: B010
