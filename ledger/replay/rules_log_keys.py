"""Rules of the keys that sign checkpoints: rotation (format.md §7).

An old key hands over to a new one by a checkpoint that both signed. The entry that
retires the old key brings that checkpoint along, so that who knows the old key alone
can follow: it vouches for the entry that added the new one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.entry.verify import key_id
from ledger.entry.verify import verify_log_key_proof
from ledger.errors import ConflictError
from ledger.errors import InputError
from ledger.errors import LedgerError
from ledger.errors import VerificationError
from ledger.replay.log_keys import all_log_keys
from ledger.replay.log_keys import in_force
from ledger.replay.log_keys import vkeys_at
from ledger.replay.outcome import Context
from ledger.replay.outcome import Outcome
from ledger.replay.rows import NEVER
from ledger.replay.rows import LogKeyRow
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import open_checkpoint
from ledger.tlog.checkpoint import parse_checkpoint
from ledger.tlog.note import ED25519_TYPE
from ledger.tlog.note import key_id as note_key_id
from ledger.tlog.note import parse_note

if TYPE_CHECKING:
    from typing import Any

    from ledger.events.identity import LogKey

LOG_KEYS_MAX = 4
"""Log keys in force at once: readers of notes have to bear no more than 16 signatures,
and witnesses need most of them (C2SP signed-note)."""


def log_key(context: Context, body: LogKey) -> Outcome:
    """Add or retire a log key."""
    return _retire(context, body) if body.action == "retire" else _add(context, body)


def _add(context: Context, body: Any) -> Outcome:  # noqa: ANN401
    state, public = context.state, body.public
    log, rows = state.need_log(), list(all_log_keys(state))
    short = note_key_id(log.origin, ED25519_TYPE, public)
    ids = [note_key_id(log.origin, ED25519_TYPE, row.public) for row in rows]
    if short in ids or state.keys.get(key_id(public)) is not None:
        raise ConflictError(
            "key-exists",
            f"key {public.hex()[:16]}… is on this log already, or its note id"
            f" {short.hex()} is",
            hint="a public key enters a log once, ever: make a new one",
        )
    if len(in_force(rows, context.index)) >= LOG_KEYS_MAX:
        raise ConflictError(
            "too-many-log-keys",
            f"{LOG_KEYS_MAX} keys sign the checkpoints of this log",
            hint="retire one first",
        )
    try:
        verify_log_key_proof(public, body.proof, log.log)
    except VerificationError as error:
        raise InputError(
            "bad-key-proof",
            f"log key {public.hex()[:16]}… does not prove its possession:"
            f" {error.message}",
            hint="sign the proof with the new key, for this log",
        ) from error
    row = LogKeyRow(public, context.index, NEVER, 0, b"")
    return Outcome(((state.log_keys, len(rows), row),))


def _retire(context: Context, body: Any) -> Outcome:  # noqa: ANN401
    state, rows = context.state, list(all_log_keys(context.state))
    signing = in_force(rows, context.index)
    row = next((row for row in signing if row.public == body.public), None)
    if row is None:
        raise InputError(
            "log-key-not-in-force",
            f"key {body.public.hex()[:16]}… does not sign this log's checkpoints",
            hint="'linernote vkey' shows the keys that do",
        )
    if len(signing) == 1:
        raise InputError(
            "last-log-key",
            "no key would be left to sign this log's checkpoints",
            hint="add the new key first, and publish a checkpoint that both signed",
        )
    newest = max(each.added for each in signing)
    handover = _handover(context, body.checkpoint, newest)
    new = LogKeyRow(row.public, row.added, context.index, handover.size, handover.root)
    return Outcome(((state.log_keys, rows.index(row), new),))


def _handover(context: Context, text: bytes, newest: int) -> Checkpoint:
    """Read the checkpoint that hands over: signed since the newest key, by all.

    Its root is not compared here: that takes the tree, which whoever audits has.
    """
    try:
        note = text.decode()
        size = parse_checkpoint(parse_note(note).text).size
        checkpoint = open_checkpoint(note, *vkeys_at(context.state, size))
    except (LedgerError, UnicodeDecodeError) as error:
        reason = error.message if isinstance(error, LedgerError) else str(error)
        raise InputError(
            "bad-handover",
            f"the checkpoint does not hand over: {reason}",
            hint="take the published one, once it bears the signatures of all keys",
        ) from error
    if not newest < size <= context.index:
        raise InputError(
            "bad-handover",
            f"a checkpoint of size {size} does not hand over: it has to hold entry"
            f" {newest}, which added the newest key, and come before this one",
            hint="publish a checkpoint since then, and take that",
        )
    return checkpoint
