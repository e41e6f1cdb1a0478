"""The place of an event: its log, its key's chain, what its author saw (format.md §2).

Every key chains its own events by `seq` and `prev`; every event names the
newest entry that its author had verified. `check_place` says what is wrong
with the place of an entry; `move_chain` moves its key's chain, which even an
entry that breaks a rule does.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING
from typing import NoReturn

from ledger.errors import AuthorityError
from ledger.errors import ConflictError
from ledger.errors import InputError
from ledger.errors import VerificationError
from ledger.replay.rows import KeyRow

if TYPE_CHECKING:
    from ledger.entry.envelope import Event
    from ledger.replay.outcome import ReplayEntry
    from ledger.replay.rows import LogRow
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
    genesis = event.kind == "genesis"
    if genesis or entry.index == 0:
        _check_genesis(entry)
    if entry.index == 0:
        return None
    key = state.keys.get(event.key)
    if key is None:
        raise AuthorityError(
            "key-unknown",
            f"no key {event.key.hex()} is registered",
            hint="a registrar registers a party with its root key",
        )
    if not genesis:
        log = state.need_log()
        if event.log != log.log:
            raise VerificationError(
                "wrong-log", f"the event is for log {event.log.hex()}, this is another"
            )
        next_seq, prev = chain_head(log, key)
        if event.seq != next_seq or event.prev != prev:
            _refuse_sequence(event, next_seq)
    if key.party != event.author:
        raise InputError(
            "author-mismatch",
            f"key {event.key.hex()} is not of party {event.author.hex()}",
        )
    seen_index, seen_hash = event.seen
    honest = seen_index < entry.index and leaf_hash_at(seen_index) == seen_hash
    if not honest and not genesis:
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


def chain_id(genesis: int, key: bytes) -> bytes:
    """Name a key's chain on the log whose genesis is that entry, for a store."""
    return sha256(genesis.to_bytes(8, "big") + key).digest() if genesis else key


def chain_head(log: LogRow, key: KeyRow) -> tuple[int, bytes]:
    """Give the next `seq` of a key's chain on this log, and its `prev`.

    On a log that succeeds another chains start anew (format.md §7).
    """
    return (key.next_seq, key.prev) if key.since == log.index else (0, ZERO32)


def _refuse_sequence(event: Event, next_seq: int) -> NoReturn:
    if event.seq != next_seq:
        raise ConflictError(
            "out-of-sequence",
            f"the key's next event is number {next_seq}, this is {event.seq}",
            hint="sign again with the key's head as the log gives it; two programs"
            " must not share a key",
        )
    raise ConflictError(
        "broken-key-chain",
        f"event {event.seq} does not follow the key's event {event.seq - 1} on this"
        " log",
        hint="the key was used elsewhere, or restored from a copy",
    )


def _check_genesis(entry: ReplayEntry) -> None:
    event = entry.event
    zeros = event.log == event.prev == ZERO32 and event.seen == (0, ZERO32)
    if event.kind != "genesis" or not zeros or event.seq != 0:
        raise VerificationError(
            "genesis-misplaced",
            "entry 0 is a genesis, and log, prev, seen and seq of one are zeros",
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
            state.need_log().index,
        )
        state.keys.put(event.key, moved)
