"""What answers are made from: the store, the state after its newest entry, names.

Derived rows say where a figure stands; the lines of manifests say what it consists
of. `LineReader` reads single lines by their number, as postings cite them, and so
an answer costs the lines that it shows, however long their manifest is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ledger.accounting.chart import Subject
from ledger.entry.envelope import decode_entry
from ledger.entry.envelope import decode_event
from ledger.entry.manifest.leaves import line_start
from ledger.errors import UnverifiableError
from ledger.events.registry import parse_body
from ledger.events.registry import parse_line
from ledger.log import StoredLines
from ledger.names import Names
from ledger.replay.manifests import lines_again
from ledger.replay.state import State
from ledger.storage.base import Store
from ledger.tlog.tiles import TILE_WIDTH
from ledger.tlog.tiles import parse_bundle
from ledger.words import Words

BUNDLES_KEPT = 64
ENTRIES_KEPT = 256
HASH_LENGTH = 32

_PLAIN = line_start(sealed=False)
_SEALED = line_start(sealed=True)


@dataclass(frozen=True, slots=True)
class ReadEntry:
    """An entry that replay has accepted, as far as answers need it."""

    index: int
    time_ms: int
    author: bytes
    kind: str
    body: Any


class Sources:
    """Everything that a question may read.

    Args:
        store: of the log.
        state: the full state after the store's newest entry.
        names: the side store.
    """

    def __init__(self, store: Store, state: State, names: Names) -> None:
        self.store = store
        self.state = state
        self.names = names
        self.words = Words(state, names)
        self.lines = LineReader(store)
        self.entry = lru_cache(maxsize=ENTRIES_KEPT)(self._entry)

    def _entry(self, index: int) -> ReadEntry:
        """Read an entry; its body must be one of its kind."""
        entry = decode_entry(self.store.leaf(index))
        event = decode_event(entry.event)
        body = parse_body(event.kind, event.body)
        return ReadEntry(index, entry.time, event.author, event.kind, body)

    @property
    def currencies(self) -> dict[str, int]:
        """Give the log's currencies with their decimals."""
        return dict(self.state.currencies.items())

    @property
    def societies(self) -> list[bytes]:
        """List all who keep books: whoever is or was a society has accounts."""
        return sorted({key[0] for key, _ in self.state.general.items()})

    def balance(self, account: tuple[str, str], subject: Subject, currency: str) -> int:
        """Add up an account (class, type) over all societies, in µ, debit positive."""
        accounts = self.state.accounts
        keys = [(society, *account, subject, currency) for society in self.societies]
        return sum(accounts.get(key) or 0 for key in keys)


class LineReader:
    """Single lines of manifests.

    Args:
        store: that holds their bundles.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._leaves = lru_cache(maxsize=BUNDLES_KEPT)(self._read_bundle)

    def at(self, kind: str, root: bytes, number: int) -> Any:  # noqa: ANN401
        """Read a line by its number, from 1.

        Raises:
            UnverifiableError: `manifest-lines-missing`.
        """
        leaves = self._leaves(root, number // TILE_WIDTH)
        place = number % TILE_WIDTH
        if number < 1 or place >= len(leaves):
            raise _missing(root, number)
        leaf = leaves[place]
        plain = leaf.startswith(_PLAIN[0])
        return parse_line(kind, leaf[_PLAIN[1] if plain else _SEALED[1] :])

    def all(self, kind: str, root: bytes) -> Iterator[Any]:
        """Read every line in order."""
        return lines_again(StoredLines(self._store), kind, root)

    def _read_bundle(self, root: bytes, number: int) -> list[bytes]:
        data = self._store.bundle(root, number)
        hashes = self._store.bundle_hashes(root, number)
        if data is None or hashes is None:
            raise _missing(root, number * TILE_WIDTH)
        return parse_bundle(data, len(hashes) // HASH_LENGTH)


def _missing(root: bytes, number: int) -> UnverifiableError:
    return UnverifiableError(
        "manifest-lines-missing",
        f"line {number} of manifest {root.hex()} is not in the store",
        hint="restore it from a backup or another copy of the log",
    )
