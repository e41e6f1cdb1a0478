"""From an old verifier key of a log to the keys that sign it now (format.md §7).

    pinned key ── signed ──► handover, of size N ── holds ──► entry that added the next
                                │ the log only grew since
                                ▼
           entry r ≥ N, by the operator's root key, that retires the pinned one
                                │
                                ▼
    checkpoint at hand ◄── signed ── all keys that are in force at its size

The checkpoint is signed by nobody who is known, so its tree is a mere claim at first.
What makes more of it is the handover: the pinned key signed the tree of size N, with
genesis and all root keys and log keys up to there, and the claimed tree begins with it.
From N on nothing counts but what the operator's root keys say. So of all entries only
those that a root key signed are judged, by the rules of replay; which they are is not
taken from anybody: every leaf is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import msgspec

from ledger.entry.canonical import DECODE_ERRORS
from ledger.entry.envelope import event_hash
from ledger.entry.envelope import parse_event
from ledger.entry.verify import verify_signature
from ledger.errors import UnverifiableError
from ledger.errors import VerificationError
from ledger.events.registry import parse_body
from ledger.home import write_durably
from ledger.reader.authentic import tile_at
from ledger.reader.checks import open_leaf
from ledger.reader.tree import AuthenticTree
from ledger.replay import Replay
from ledger.replay import State
from ledger.replay.log_keys import all_log_keys
from ledger.replay.log_keys import vkeys_at
from ledger.replay.outcome import ReplayEntry
from ledger.replay.rows import NEVER
from ledger.replay.rows import LogKeyRow
from ledger.tlog.merkle import check_consistency
from ledger.tlog.merkle import leaf_hash
from ledger.tlog.note import Vkey
from ledger.tlog.note import make_vkey
from ledger.tlog.tiles import TILE_WIDTH

ENTRIES_MAX = 1 << 24
"""More are not looked through for a checkpoint that may be anybody's."""


class Known(NamedTuple):
    """Where the entries of root keys are, from an earlier search.

    Like every hint it saves time and proves nothing: they are read and judged again.

    Attributes:
        size: how many entries were looked at.
        indexes: of those that a root key of the operator signed.
    """

    size: int = 0
    indexes: tuple[int, ...] = ()

    @classmethod
    def recall(cls, path: Path) -> Known | None:
        """Read what was kept; None if there is nothing, or nothing of use."""
        try:
            known = msgspec.json.decode(path.read_bytes(), type=cls)
        except (OSError, *DECODE_ERRORS):
            return None
        usual = list(known.indexes) == sorted({*known.indexes})
        fits = usual and known.indexes[:1] == (0,) and known.indexes[-1] < known.size
        return known if fits else None

    def remember(self, path: Path) -> None:
        """Keep it, durably."""
        write_durably(path, msgspec.json.encode(self) + b"\n")


class LogKeys:
    """The keys that sign a log's checkpoints, as its entries say.

    Args:
        tree: of the entries; whoever vouches for it, or nobody.
        known: from an earlier search of a tree that this one continues.

    Raises:
        LedgerError: the entries are no log, or one that this version cannot judge:
            as `AuthenticTree.leaves`, `open_leaf` and `Replay.apply`; `level-unknown`;
            `not-signed` if they are too many to look at.
    """

    def __init__(self, tree: AuthenticTree, known: Known | None = None) -> None:
        self._tree = tree
        self._state = State("public")
        self._replay = Replay(self._state, partial(leaf_hash_at, tree))
        self._roots: list[bytes] = []
        self._indexes: list[int] = []
        usable = known is not None and known.size <= tree.size
        self._read(known if known is not None and usable else Known())

    @property
    def known(self) -> Known:
        """Give what spares the next search."""
        return Known(self._tree.size, tuple(self._indexes))

    def vkeys(self, size: int) -> list[Vkey]:
        """Give the verifier keys of a checkpoint, as far as the entries say.

        Args:
            size: of the checkpoint; beyond the entries, it is those at their end.
        """
        return vkeys_at(self._state, min(size, self._tree.size))

    def check_handovers(self) -> None:
        """As the function of that name."""
        check_handovers(all_log_keys(self._state), self._tree)

    def names(self, vkey: Vkey) -> bool:
        """Tell whether the entries name a key, in force or retired, for this origin."""
        log = self._state.need_log()
        return any(
            make_vkey(log.origin, row.public) == vkey
            for row in all_log_keys(self._state)
            if row.added >= log.index
        )

    def _read(self, known: Known) -> None:
        tree = self._tree
        if tree.size - known.size > ENTRIES_MAX:
            raise VerificationError(
                "not-signed", f"{tree.size:,} entries are too many to look for its keys"
            )
        for _, group in groupby(known.indexes, lambda index: index // TILE_WIDTH):
            indexes = list(group)
            leaves = list(tree.leaves(indexes[0], indexes[-1] + 1))
            for index in indexes:
                self._take(index, leaves[index - indexes[0]])
        for index, leaf in enumerate(tree.leaves(known.size, tree.size), known.size):
            # Whatever a key signed names it, so nothing else has to be decoded.
            if index == 0 or any(key in leaf for key in self._roots):
                self._take(index, leaf)
            elif b"level" in leaf:
                _check_level(index, leaf)

    def _take(self, index: int, leaf: bytes) -> None:
        if take_from_root(self._replay, index, leaf):
            self._indexes.append(index)
            rows = self._state.keys.items()
            self._roots = [key for key, row in rows if row.purpose == "root"]


def leaf_hash_at(tree: AuthenticTree, index: int) -> bytes:
    """Read the hash of a leaf; as `AuthenticTree.tiles`."""
    tile = tile_at(0, index // TILE_WIDTH, tree.size)
    return tree.tiles([tile])[0][index % TILE_WIDTH]


def take_from_root(replay: Replay, index: int, leaf: bytes) -> bool:
    """Judge an entry if a root key of the operator signed it; pass others over.

    Args:
        replay: of such entries; may have passed others over before this one.
        index: of the entry.
        leaf: its data.

    Returns:
        Whether it is by a root key.

    Raises:
        LedgerError: as `open_leaf`, `verify_signature` and `Replay.apply`.
    """
    state = replay.state
    entry = open_leaf(leaf, index)
    event = parse_event(entry.event)
    if index == 0:
        public = getattr(parse_body(event.kind, event.body), "root_key", b"")
    else:
        row = state.keys.get(event.key)
        if row is None or row.purpose != "root":
            return False
        public = row.public
    verify_signature(entry.event, entry.signature, public)
    state.size = index
    # One that breaks a rule moves the key's chain and does nothing else.
    hashes = event_hash(entry.event), leaf_hash(leaf)
    replay.apply(ReplayEntry(index, entry.time, event, *hashes))
    return True


def check_handovers(rows: Iterable[LogKeyRow], tree: AuthenticTree) -> None:
    """Check that a tree begins with what each retired key signed last.

    Their signatures are a rule of replay.

    Raises:
        UnverifiableError: as `Source.get`.
        VerificationError: ``root-mismatch``, or as `AuthenticTree.tiles`.
    """
    for row in rows:
        if row.retired == NEVER:
            continue
        hashes = tree.prove_consistency(row.size)
        try:
            check_consistency(row.size, tree.size, hashes, row.root, tree.root)
        except VerificationError as error:
            raise VerificationError(
                "root-mismatch",
                f"the log does not begin with the {row.size:,} entries of the"
                f" checkpoint by which entry {row.retired} hands over",
                hint="keep both: those keys signed another history",
            ) from error


def _check_level(index: int, leaf: bytes) -> None:
    if parse_event(open_leaf(leaf, index).event).kind == "level":
        raise UnverifiableError(
            "level-unknown",
            f"from entry {index} on the rules are others than this version knows",
            hint="use a newer version of linernote, or give the log's newest key",
        )
