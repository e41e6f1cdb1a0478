"""Rules of a log that succeeds another (format.md §7).

It begins with the entries of that log, byte for byte, and goes on under another name
and another log key. So parties, keys, ids and balances carry over, at the same
indexes, and whoever holds an old checkpoint or proof can compare. What the old log
had published beyond, and lost, is not in it: authors sign that again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ledger.entry.verify import key_id
from ledger.entry.verify import succession_message
from ledger.errors import ConflictError
from ledger.errors import InputError
from ledger.errors import VerificationError
from ledger.events.types import UNSET
from ledger.replay.log_keys import all_log_keys
from ledger.replay.log_keys import in_force
from ledger.replay.outcome import Context
from ledger.replay.outcome import Outcome
from ledger.replay.outcome import Put
from ledger.replay.rows import NEVER
from ledger.replay.rows import LogKeyRow
from ledger.replay.rows import LogRow
from ledger.replay.rows import PredecessorRow
from ledger.tlog.ed25519 import verify

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ledger.events.identity import Genesis
    from ledger.replay.state import State


def succeed(context: Context, body: Genesis) -> Outcome:
    """Let the log go on under another name and log key."""
    state, predecessor = context.state, body.predecessor
    if predecessor is UNSET:
        raise VerificationError(
            "genesis-misplaced", "a later genesis names its predecessor"
        )
    _check_operator(context, body)
    _check_same(context, body)
    _check_endorsement(body)
    _check_log_key(state, body.log_key)
    return Outcome(tuple(_puts(context, body)))


def _check_operator(context: Context, body: Genesis) -> None:
    event = context.entry.event
    own = event.key == key_id(body.root_key) and event.author == body.operator
    if not own or body.operator != context.state.need_log().operator:
        raise InputError(
            "genesis-key",
            "a log is succeeded by a genesis that its operator's root key signs",
        )


def _check_same(context: Context, body: Any) -> None:  # noqa: ANN401
    """Refuse what does not fit the log so far; its root takes the tree to compare."""
    state, log, named = context.state, context.state.need_log(), body.predecessor
    expected = (log.log, log.origin, context.index)
    other = (named.log, named.origin, named.size) != expected
    origins = {log.origin, *(row.origin for row in _predecessors(state))}
    rules = [(rule, state.currencies.get(rule.code)) for rule in body.currencies]
    for refused, why in (
        (other, f"the log so far is {log.origin}, with {context.index} entries"),
        (body.origin in origins, f"{body.origin} was its name before"),
        (body.level != state.level, f"the level in force is {state.level}"),
        (
            body.utc_offset != log.utc_offset_minutes,
            f"its offset is {log.utc_offset_minutes} minutes",
        ),
        (
            any(known not in {None, rule.exponent} for rule, known in rules),
            "a currency of it has other decimals",
        ),
    ):
        if refused:
            raise InputError("bad-predecessor", why)


def _check_endorsement(body: Any) -> None:  # noqa: ANN401
    named = msgspec.structs.asdict(body.predecessor)
    message = succession_message(body.operator, body.origin, named)
    try:
        verify(body.root_key, message, body.endorsement)
    except VerificationError as error:
        raise InputError(
            "bad-endorsement",
            f"the operator's root key does not endorse the succession: {error.message}",
        ) from error


def log_row(context: Context, body: Any) -> LogRow:  # noqa: ANN401 (a genesis)
    """Give the row of the log that a genesis begins."""
    return LogRow(
        context.entry.event_hash,
        body.origin,
        body.operator,
        body.log_key,
        body.utc_offset,
        context.index,
    )


def _check_log_key(state: State, public: bytes) -> None:
    known = state.keys.get(key_id(public)) is not None
    if known or any(row.public == public for row in all_log_keys(state)):
        raise ConflictError(
            "key-exists",
            "the log key was on the predecessor",
            hint="make a new one: the old one signs for the old name alone",
        )


def _predecessors(state: State) -> Iterator[PredecessorRow]:
    place = 0
    while (row := state.predecessors.get(place)) is not None:
        yield row
        place += 1


def _puts(context: Context, body: Any) -> Iterator[Put]:  # noqa: ANN401
    state, index = context.state, context.index
    named, rows = body.predecessor, list(all_log_keys(state))
    yield state.logs, "genesis", log_row(context, body)
    before = PredecessorRow(named.log, named.origin, named.size, named.root)
    yield state.predecessors, len(list(_predecessors(state))), before
    for row in in_force(rows, index):
        ended = LogKeyRow(row.public, row.added, index, named.size, named.root)
        yield state.log_keys, rows.index(row), ended
    yield state.log_keys, len(rows), LogKeyRow(body.log_key, index, NEVER, 0, b"")
    for rule in body.currencies:
        yield state.currencies, rule.code, rule.exponent
