"""What every backend demands before it stores.

>>> raise checkpoint_moved()
Traceback (most recent call last):
ledger.errors.HomeError: the checkpoint is not the one that was read
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence

from ledger.errors import ConflictError
from ledger.errors import HomeError
from ledger.errors import InvariantError
from ledger.storage.base import NewEntry
from ledger.storage.tree import HASH_LENGTH


def check_new_entries(entries: Sequence[NewEntry], size: int) -> None:
    """Check what every backend demands of entries before it adds them.

    Raises:
        InvariantError: `index-not-dense`, `hash-length`.
    """
    for index, entry in enumerate(entries, size):
        if entry.index != index:
            raise InvariantError(
                "index-not-dense", f"entry {entry.index} was added at {index}"
            )
        if len(entry.leaf_hash) != HASH_LENGTH:
            raise InvariantError(
                "hash-length", f"the leaf hash of entry {index} is not 32 bytes"
            )


def extend_chains(
    entries: Sequence[NewEntry],
    key_head: Callable[[bytes], tuple[int, bytes] | None],
) -> dict[bytes, NewEntry]:
    """Find the new head of each key's chain; a seq that ascends is unique.

    Args:
        entries: what is added, in order.
        key_head: gives the heads so far, as `Entries.key_head`.

    Raises:
        ConflictError: `already-stored`: the chain is that far already.
    """
    heads: dict[bytes, NewEntry] = {}
    for entry in entries:
        before = heads.get(entry.key)
        if before is None:
            next_seq, _ = key_head(entry.key) or (0, b"")
        else:
            next_seq = before.seq + 1
        if entry.seq < next_seq:
            raise ConflictError(
                "already-stored",
                f"entry {entry.index} has seq {entry.seq}, its key is at {next_seq}",
            )
        heads[entry.key] = entry
    return heads


def checkpoint_moved() -> HomeError:
    """Say that somebody else replaced the checkpoint."""
    return HomeError(
        "checkpoint-moved",
        "the checkpoint is not the one that was read",
        hint="another writer was here: stop both, then run linernote audit",
    )
