"""The keys that sign a log's checkpoints: which of them, at which size (format.md §7).

    genesis names the first      log.key adds one      log.key retires one

A key added by entry a and retired by entry r signs the checkpoints of sizes a + 1 to
r, since a checkpoint of size N speaks of the entries before N. A checkpoint bears the
signatures of all keys in force at its size, or it is not this log's.

>>> old = LogKeyRow(b"o" * 32, 0, 9, 8, b"")
>>> new = LogKeyRow(b"n" * 32, 5, NEVER, 0, b"")
>>> [[row.public[:1] for row in in_force([old, new], size)] for size in (5, 6, 9, 10)]
[[b'o'], [b'o', b'n'], [b'o', b'n'], [b'n']]
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from ledger.replay.rows import NEVER
from ledger.replay.rows import LogKeyRow
from ledger.tlog.note import make_vkey

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator

    from ledger.replay.state import State
    from ledger.tlog.note import Vkey


def all_log_keys(state: State) -> Iterator[LogKeyRow]:
    """Give every log key that there has been, in the order of their entries."""
    for place in count():
        row = state.log_keys.get(place)
        if row is None:
            return
        yield row


def in_force(rows: Iterable[LogKeyRow], size: int) -> list[LogKeyRow]:
    """Choose the log keys that sign a checkpoint of a size."""
    return [
        row
        for row in rows
        if row.added < size and (row.retired == NEVER or size <= row.retired)
    ]


def vkeys_at(state: State, size: int) -> list[Vkey]:
    """Give the verifier keys of a checkpoint, every one of which has to have signed.

    Args:
        state: of a log with a genesis, of `size` entries or more.
        size: of the checkpoint.

    Raises:
        VerificationError: `bad-public-key`: genesis names no key.
    """
    origin = state.need_log().origin
    return [
        make_vkey(origin, row.public) for row in in_force(all_log_keys(state), size)
    ]
