"""The place of an event: its log, its key's chain, what its author saw (format.md §2).

Every key chains its own events by `seq` and `prev`; every event names the
newest entry that its author had verified. `check_place` says what is wrong
with the place of an entry; `move_chain` moves its key's chain, which even an
entry that breaks a rule does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ledger.errors import AuthorityError
from ledger.errors import ConflictError
from ledger.errors import InputError
from ledger.errors import VerificationError
from ledger.replay.rows import KeyRow

if TYPE_CHECKING:
    from ledger.replay.outcome import ReplayEntry
    from ledger.replay.state import State

CLOCK_SKEW_MS = 300_000
"""How far an event's time may lie ahead of its entry's (format.md §2)."""

UNACKNOWLEDGEABLE = frozenset(
    {
        "broken-key-chain",
        "genesis-misplaced",
        "key-unknown",
        "out-of-sequence",
        "seen-unknown",
        "wrong-log",
    }
)
"""Codes of failed chains, which nobody can acknowledge (format.md §6)."""

ZERO32 = bytes(32)
LeafHashAt = Callable[[int], bytes]


def check_place(
    state: State, entry: ReplayEntry, leaf_hash_at: LeafHashAt
) -> KeyRow | None:
    """Refuse an event that does not belong where it stands.

    Returns:
        The key that signed it; None for genesis, which brings its own.

    Raises:
        AuthorityError: `key-unknown`.
        VerificationError: `wrong-log`, `genesis-misplaced`,
            `seen-unknown`.
        ConflictError: `out-of-sequence`, `broken-key-chain`.
        InputError: `author-mismatch`, `event-time-ahead`.
    """
    event = entry.event
    if (entry.index == 0) != (event.kind == "genesis"):
        raise VerificationError("genesis-misplaced", "genesis is entry 0, and only it")
    if entry.index == 0:
        _check_genesis(entry)
        return None
    key = state.keys.get(event.key)
    if key is None:
        raise AuthorityError(
            "key-unknown",
            f"no key {event.key.hex()} is registered",
            hint="a registrar registers a party with its root key",
        )
    if event.log != state.need_log().log:
        raise VerificationError(
            "wrong-log", f"the event is for log {event.log.hex()}, this is another"
        )
    _check_sequence(entry, key)
    if key.party != event.author:
        raise InputError(
            "author-mismatch",
            f"key {event.key.hex()} is not of party {event.author.hex()}",
        )
    seen_index, seen_hash = event.seen
    if seen_index >= entry.index or leaf_hash_at(seen_index) != seen_hash:
        raise VerificationError(
            "seen-unknown",
            f"the author saw an entry {seen_index} that this log does not have",
            hint="the author was shown another history: keep both, and compare",
        )
    if event.time > entry.time_ms + CLOCK_SKEW_MS:
        raise InputError(
            "event-time-ahead",
            f"the event is {event.time - entry.time_ms} ms ahead of the log's clock",
            hint="set the signer's clock",
        )
    return key


def _check_sequence(entry: ReplayEntry, key: KeyRow) -> None:
    event = entry.event
    if event.seq != key.next_seq:
        raise ConflictError(
            "out-of-sequence",
            f"the key's next event is number {key.next_seq}, this is {event.seq}",
            hint="sign again with the key's head as the log gives it; two programs"
            " must not share a key",
        )
    if event.prev != key.prev:
        raise ConflictError(
            "broken-key-chain",
            f"event {event.seq} does not follow the key's event {event.seq - 1} on"
            " this log",
            hint="the key was used elsewhere, or restored from a copy",
        )


def _check_genesis(entry: ReplayEntry) -> None:
    event = entry.event
    zeros = event.log == event.prev == ZERO32 and event.seen == (0, ZERO32)
    if not zeros or event.seq != 0:
        raise VerificationError(
            "genesis-misplaced", "log, prev, seen and seq of genesis are zeros"
        )


def move_chain(state: State, entry: ReplayEntry) -> None:
    """Make this entry's event the head of its key's chain."""
    event = entry.event
    row = state.keys.get(event.key)
    if row is not None:
        moved = KeyRow(
            row.party,
            row.public,
            row.purpose,
            row.added,
            row.revoked,
            event.seq + 1,
            entry.event_hash,
        )
        state.keys.put(event.key, moved)
