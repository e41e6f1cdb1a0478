"""Who has to sign a checkpoint, found out before it is believed (format.md §7).

    state of the entries verified ─► what root keys say in those after them
      ─► the keys in force at the size of the checkpoint

One pinned key is not enough where the log has more: whoever stole it would lead the
monitor away from the log for good. So before a checkpoint is kept, and any entry taken
in by it, all keys in force have to have signed it, and what retired keys signed last
has to be where it begins.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ledger.audit.verifying import FailedEntryError
from ledger.entry.canonical import DECODE_ERRORS
from ledger.entry.envelope import decode_entry
from ledger.entry.envelope import decode_event
from ledger.errors import AuthorityError
from ledger.errors import ConflictError
from ledger.errors import InputError
from ledger.errors import VerificationError
from ledger.reader.handover import check_handovers
from ledger.reader.handover import leaf_hash_at
from ledger.reader.handover import take_from_root
from ledger.replay import Replay
from ledger.replay.log_keys import all_log_keys
from ledger.replay.log_keys import vkeys_at
from ledger.tlog.checkpoint import open_checkpoint
from ledger.tlog.note import parse_note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.reader import AuthenticTree
    from ledger.replay import State
    from ledger.tlog.note import Vkey


def check_signers(state: State, tree: AuthenticTree, note: str) -> None:
    """Check that a checkpoint is signed by the keys that the log's entries name.

    Args:
        state: after the entries verified so far; is changed, and nothing written.
        tree: of the checkpoint, which continues them.
        note: the checkpoint, signed by a pinned key.

    Raises:
        FailedEntryError: an entry by a root key does not hold.
        UnverifiableError: as `Source.get`.
        VerificationError: `unexpected-key`; `bad-signature`; `root-mismatch`; or as
            `AuthenticTree.leaves`.
    """
    if tree.size == 0:
        return
    size = state.size
    _read_ahead(state, tree)
    _check_signatures(note, vkeys_at(state, tree.size))
    new = (row for row in all_log_keys(state) if row.retired >= size)
    check_handovers(new, tree)


def _read_ahead(state: State, tree: AuthenticTree) -> None:
    replay = Replay(state, partial(leaf_hash_at, tree))
    for index, leaf in enumerate(tree.leaves(state.size, tree.size), state.size):
        try:
            if index == 0 or _may_be_from_root(leaf, state):
                take_from_root(replay, index, leaf)
        except (AuthorityError, ConflictError, InputError, VerificationError) as error:
            raise FailedEntryError(index, error) from error


def _may_be_from_root(leaf: bytes, state: State) -> bool:
    """Look at the key alone: what is by none that signs is verified later, or fails."""
    try:
        row = state.keys.get(decode_event(decode_entry(leaf).event).key)
    except DECODE_ERRORS:
        return False
    return row is not None and row.purpose == "root"


def _check_signatures(note: str, vkeys: Sequence[Vkey]) -> None:
    try:
        origin = open_checkpoint(note, *vkeys).origin
    except VerificationError as error:
        if error.code != "not-signed":
            raise
        raise _unexpected("lacks a signature by a key that its entries name") from error
    named = {vkey.key_id for vkey in vkeys}
    for signature in parse_note(note).signatures:
        if signature.name == origin and signature.key_id not in named:
            key = signature.key_id.hex()
            raise _unexpected(f"bears one by {key}, which none of its entries names")


def _unexpected(message: str) -> VerificationError:
    return VerificationError(
        "unexpected-key",
        f"the checkpoint {message}",
        hint="ask the operator by another way than the log: its key may be stolen",
    )
