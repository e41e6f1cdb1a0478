"""The root of a log, computed a second time from what is stored.

A checkpoint is signed only if two ways agree: the nodes that were kept as entries
came in, and this one. It reads the leaf data back, hashes each leaf anew and folds
them onto the right edge of a tree that was anchored before, whose root proves that
edge. So it costs as much as there is new, however long the log is.

>>> from ledger.storage.memory import MemoryStore
>>> recompute_root(MemoryStore(), None, 0).hex()[:8]
'e3b0c442'
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from ledger.errors import HomeError
from ledger.errors import VerificationError
from ledger.tlog.merkle import HASH_LENGTH
from ledger.tlog.merkle import Frontier

if TYPE_CHECKING:
    from ledger.storage.base import Entries
    from ledger.tlog.checkpoint import Checkpoint
    from ledger.tlog.merkle import Node

_READ = 512
_RESTORE = "restore the home from a backup; 'linernote audit' shows more"


def recompute_root(store: Entries, known: Checkpoint | None, size: int) -> bytes:
    """Compute the root of the first `size` entries from their leaf data.

    Args:
        store: read anew, not through what wrote it.
        known: an earlier tree that is trusted, to go on from.
        size: at least that of `known`.

    Raises:
        HomeError: `store-damaged`: an entry is not what its kept hash says.
        VerificationError: `bad-frontier`: the kept nodes are not those of `known`.
    """
    start = 0 if known is None else known.size
    frontier = Frontier(start, store.nodes(_edge(start)))
    if known is not None and frontier.root() != known.root:
        raise VerificationError(
            "bad-frontier",
            f"the nodes kept are not those of the first {start} entries",
            hint=_RESTORE,
        )
    for first in range(start, size, _READ):
        last = min(first + _READ, size)
        hashes = [sha256(b"\x00" + leaf).digest() for leaf in store.leaves(first, last)]
        _check_kept(store, first, hashes)
        frontier.extend(hashes)
    return frontier.root()


def _edge(size: int) -> list[Node]:
    """Name the perfect subtrees that a tree of that size splits into, largest first.

    >>> _edge(6)
    [(2, 0), (1, 2)]
    """
    levels = reversed(range(size.bit_length()))
    return [(level, (size >> level) - 1) for level in levels if size >> level & 1]


def _check_kept(store: Entries, first: int, hashes: list[bytes]) -> None:
    kept = store.leaf_hashes(first, first + len(hashes))
    for place, computed in enumerate(hashes):
        if kept[place * HASH_LENGTH : (place + 1) * HASH_LENGTH] != computed:
            raise HomeError(
                "store-damaged",
                f"entry {first + place} is not what its hash says",
                hint=_RESTORE,
            )
