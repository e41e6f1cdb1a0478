"""A log home open for questions.

    with Reader.open(Path("linernote-home")) as reader:
        print(reader.size, reader.root.hex())
        print(reader.entry(0).sentence)
        Path("0.tlog-proof").write_text(reader.prove(0))

A reader never writes. Each question sees one state of the log, and holds the
database no longer than it takes to answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from ledger.errors import InputError
from ledger.errors import UnverifiableError
from ledger.home import Home
from ledger.names import Names
from ledger.query.balances import Document
from ledger.query.balances import balances_document
from ledger.query.balances import replay_prefix
from ledger.query.entries import entry_view
from ledger.query.entries import view_of_leaf
from ledger.query.find import find_party
from ledger.query.find import find_recording
from ledger.query.find import search
from ledger.query.parties import party_view
from ledger.query.recordings import recording_view
from ledger.query.runs import run_report
from ledger.query.views import EntryView
from ledger.query.views import Found
from ledger.query.views import PartyView
from ledger.query.views import RecordingView
from ledger.query.views import RunReport
from ledger.replay import State
from ledger.replay.log_keys import vkeys_at
from ledger.replay.rows import LogRow
from ledger.statement import WHOLE
from ledger.statement import Sources
from ledger.statement import Statement
from ledger.statement import Window
from ledger.statement import build_statement
from ledger.storage.base import Store
from ledger.storage.spill import SpillRows
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import parse_checkpoint
from ledger.tlog.merkle import check_inclusion
from ledger.tlog.merkle import prove_inclusion
from ledger.tlog.merkle import tree_root
from ledger.tlog.note import Vkey
from ledger.tlog.note import parse_note
from ledger.tlog.proof import Proof
from ledger.tlog.proof import format_proof
from ledger.writer import open_reader

ENTRIES_MAX = 1_000


class Reader:
    """Answers questions about a log.

    Args:
        store: open for reading; `close` closes it.
        names: the side store; without it ids stand for names.
        scratch: folder for the rows of long replays; without it they stay in memory.
    """

    def __init__(
        self, store: Store, names: Names | None = None, scratch: Path | None = None
    ) -> None:
        self._store = store
        self._scratch = scratch
        self._sources = Sources(store, State("full", store.rows), names or Names())

    @classmethod
    def open(cls, home: Path) -> Self:
        """Open a log home read-only.

        Raises:
            InputError: `home-missing`.
            HomeError: `home-incomplete`, `names-damaged`, or a code of the store.
        """
        place = Home(home)
        names = Names.load(place.names)
        return cls(open_reader(place), names, place.staging)

    def close(self) -> None:
        """Let go of the store."""
        self._store.close()

    def __enter__(self) -> Self:
        """Use as a context."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the store."""
        self.close()

    @contextmanager
    def reading(self) -> Iterator[Sources]:
        """Let several questions see one and the same state. Keep it short."""
        state = self._sources.state
        with self._store.reading():
            if state.size != self._store.size():
                state.discard()
            yield self._sources

    @property
    def size(self) -> int:
        """How many entries there are."""
        with self.reading() as sources:
            return sources.state.size

    @property
    def root(self) -> bytes:
        """Root of the tree over all of them."""
        with self.reading() as sources:
            return tree_root(sources.state.size, self._store.nodes)

    @property
    def log(self) -> LogRow:
        """What genesis said.

        Raises:
            InputError: `log-empty`.
        """
        with self.reading() as sources:
            log = sources.state.log
        if log is None:
            raise InputError(
                "log-empty",
                "this log has no entry yet",
                hint="a log is born with its genesis: run 'linernote init'",
            )
        return log

    @property
    def vkeys(self) -> list[Vkey]:
        """What the log's checkpoints are verified by: one key, but for rotations.

        Raises:
            InputError: `log-empty`.
        """
        self.log  # noqa: B018 (refuses a log without one)
        with self.reading() as sources:
            return vkeys_at(sources.state, sources.state.size)

    @property
    def vkey(self) -> Vkey:
        """What the log's checkpoints and proofs are verified by: its newest key."""
        return self.vkeys[-1]

    @property
    def checkpoint_text(self) -> str | None:
        """The newest checkpoint as signed; None before the first."""
        return self._store.checkpoint()

    @property
    def checkpoint(self) -> Checkpoint | None:
        """The newest checkpoint, read."""
        return _checkpoint_of(self.checkpoint_text)

    def entry(self, index: int) -> EntryView:
        """Read an entry.

        Raises:
            InputError: `no-such-entry`.
        """
        with self.reading() as sources:
            return entry_view(sources, index)

    def entries(self, before: int | None = None, limit: int = 50) -> list[EntryView]:
        """Read entries, newest first.

        Args:
            before: only entries below this index; all by default.
            limit: at most so many, up to 1,000.
        """
        with self.reading() as sources:
            stop = sources.state.size if before is None else before
            stop = max(0, min(stop, sources.state.size))
            start = max(0, stop - max(0, min(limit, ENTRIES_MAX)))
            leaves = list(self._store.leaves(start, stop))
            return [view_of_leaf(sources, leaf) for leaf in reversed(leaves)]

    def search(self, text: str, limit: int = 50) -> list[Found]:
        """Find parties, recordings and entries by what a person would type."""
        with self.reading() as sources:
            return search(sources, text, limit)

    def party(self, text: str, before: int | None = None) -> PartyView:
        """Gather what the log says of a party.

        Args:
            text: its id in hex, its external id, the beginning of its id if that is
                nobody else's, or its name.
            before: only entries below this index; all by default.

        Raises:
            InputError: `party-unknown`, `party-ambiguous`.
        """
        with self.reading() as sources:
            return party_view(sources, find_party(sources, text), before)

    def recording(self, text: str) -> RecordingView:
        """Gather what the log says of a recording, by external id or ISRC.

        Raises:
            InputError: `recording-unknown`.
        """
        with self.reading() as sources:
            return recording_view(sources, find_recording(sources, text))

    def run(self, index: int, after: int = 0, limit: int = 50) -> RunReport:
        """Report what the training run of an entry used without a licence.

        Args:
            index: of the entry that opened the run.
            after: dataset line to go on after.
            limit: at most so many findings.

        Raises:
            InputError: `no-such-entry`, `no-such-run`.
        """
        with self.reading() as sources:
            entry_view(sources, index)
            return run_report(sources, index, after, limit)

    def statement(self, text: str, window: Window = WHOLE) -> Statement:
        """Build a party's statement; `ledger.statement` renders it.

        Args:
            text: the party, as for `party`.
            window: which lines of each account; by default all of them.

        Raises:
            InputError: `party-unknown`, `party-ambiguous`.
        """
        with self.reading() as sources:
            return build_statement(sources, find_party(sources, text), window)

    def balances(self, at: int | None = None) -> Document:
        """Give every party's balances as a JSON document.

        Args:
            at: size of the log to go back to, by replaying its first entries.

        Raises:
            InputError: `size-ahead`.
        """
        with self.reading() as sources:
            if at is None or at == sources.state.size:
                return balances_document(sources.state)
        if self._scratch is None:
            return balances_document(replay_prefix(self._store, at))
        with SpillRows(self._scratch) as rows:
            return balances_document(replay_prefix(self._store, at, rows))

    def prove(self, index: int, cosigned: str | None = None) -> str:
        """Make the self-contained proof of an entry: the text of a `.tlog-proof`.

        Args:
            index: of the entry.
            cosigned: the checkpoint to prove it by; the newest by default.

        Raises:
            InputError: `no-such-entry`.
            UnverifiableError: `not-published`: no checkpoint covers it yet.
        """
        with self.reading() as sources:
            leaf = entry_view(sources, index).leaf
            text = cosigned or self.checkpoint_text
            checkpoint = _checkpoint_of(text)
            if text is None or checkpoint is None or index >= checkpoint.size:
                raise _not_published(index, checkpoint)
            hashes = prove_inclusion(index, checkpoint.size, self._store.nodes)
            leaf_hash = self._store.leaf_hashes(index, index + 1)
        check_inclusion(index, checkpoint.size, leaf_hash, hashes, checkpoint.root)
        return format_proof(Proof(index, tuple(hashes), text, leaf))


def _checkpoint_of(text: str | None) -> Checkpoint | None:
    return None if text is None else parse_checkpoint(parse_note(text).text)


def _not_published(index: int, checkpoint: Checkpoint | None) -> UnverifiableError:
    size = 0 if checkpoint is None else checkpoint.size
    return UnverifiableError(
        "not-published",
        f"entry {index} is newer than the published checkpoint of {size} entries",
        hint="every 'linernote append' publishes at its end: ask again after it",
    )
