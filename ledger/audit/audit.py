"""The audit of a log home: everything that can be checked, checked.

    bytes, signatures, chain, tree ─► replay (full, then public where they differ)
                                   └► checkpoint, every file under public/

It trusts nothing in the home: balances and digests come from replaying the
entries and lines, and the derived tables of the store are compared with that.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.audit.files import check_files
from ledger.audit.report import NO_ENTRY
from ledger.audit.report import Found
from ledger.audit.report import Report
from ledger.audit.spool import HashSpool
from ledger.audit.spool import IdSpool
from ledger.audit.tree import VerifiedTree
from ledger.audit.verifying import FailedEntryError
from ledger.audit.verifying import decoded_entries
from ledger.audit.verifying import verified_batches
from ledger.audit.verifying import verifying_workers
from ledger.errors import FormatError
from ledger.errors import LedgerError
from ledger.errors import UnverifiableError
from ledger.errors import VerificationError
from ledger.log import StoredLines
from ledger.publish import published_checkpoint
from ledger.replay import Problem
from ledger.replay import Replay
from ledger.replay import State
from ledger.storage.spill import SpillRows
from ledger.tlog.checkpoint import open_checkpoint
from ledger.tlog.note import make_vkey

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger.replay.outcome import ReplayEntry
    from ledger.storage.base import Rows
    from ledger.storage.base import Store
    from ledger.tlog.checkpoint import Checkpoint


def _silent(done: int, total: int) -> None:
    """Show no progress."""


class Audit:
    """One audit of a store and its public folder.

    Args:
        store: open for reading.
        public: the public folder; None to leave files out.
        workers: processes; None for one a core, 0 for none.
        progress: is told entries done and in all.
    """

    def __init__(
        self,
        store: Store,
        public: Path | None = None,
        *,
        workers: int | None = None,
        progress: Callable[[int, int], None] = _silent,
    ) -> None:
        self._store = store
        self._public = public
        self._workers = workers
        self._progress = progress
        self._size = store.size()
        self._spool = HashSpool()
        self._tree = VerifiedTree(self._spool)
        self._checkpoint_root: bytes | None = None
        self.report = Report(size=0, root=self._tree.root())

    def run(self) -> Report:
        """Check everything.

        Raises:
            HomeError: the store itself failed.
        """
        with (
            self._spool,
            tempfile.TemporaryDirectory() as folder,
            SpillRows(Path(folder)) as rows,
        ):
            self._run(rows)
        return self.report

    def _run(self, rows: Rows) -> None:
        report = self.report
        checkpoint = self._read_checkpoint()
        state = State("full", rows)
        replayed = self._stream(state, 0 if checkpoint is None else checkpoint.size)
        report.size, report.root = self._tree.size, self._tree.root()
        if checkpoint is not None:
            self._check_checkpoint(checkpoint, state)
        if replayed:
            self._note_state(state)
        if self._public is not None and state.log is not None:
            published = 0 if checkpoint is None else checkpoint.size
            check_files(self._public, self._tree, published, state, report)
        report.problems.sort(key=lambda found: found.index)

    def _stream(self, state: State, published: int) -> bool:
        """Verify and replay every entry; tell whether the full book was replayed."""
        replay = Replay(state, self._spool.at, StoredLines(self._store))
        replaying = True
        with (
            IdSpool() as ids,
            verifying_workers(self._size, self._workers) as pool,
        ):
            try:
                for batch in verified_batches(self._store.leaves, self._size, pool):
                    self._grow(batch.leaf_hashes, published)
                    self.report.count("entries", len(batch.entries))
                    self.report.count("signatures", batch.chunk.signatures)
                    for entry in batch.entries:
                        event = entry.event
                        ids.add(event.author, event.id, entry.index)
                    if replaying:
                        replaying = self._replay(replay, batch.entries, set())
                    self._progress(self._tree.size, self._size)
            except FailedEntryError as error:
                self._found(error.index, error.code, error.message)
                return False
            repeated = set(ids.repeated())
        if repeated and replaying:
            return self._replay_again(repeated)
        return replaying

    def _grow(self, hashes: list[bytes], published: int) -> None:
        """Add leaf hashes, and note the root at the published size on the way."""
        before = self._tree.size
        if before <= published < before + len(hashes):
            self._tree.extend(hashes[: published - before])
            self._checkpoint_root = self._tree.root()
            hashes = hashes[published - before :]
        self._tree.extend(hashes)
        if self._tree.size == published:
            self._checkpoint_root = self._tree.root()

    def _replay(
        self, replay: Replay, entries: list[ReplayEntry], repeated: set[int]
    ) -> bool:
        try:
            for entry in entries:
                problem = replay.apply(entry, repeated=entry.index in repeated)
                if problem is not None:
                    self._note_problem(problem)
                if not replay.understood:
                    self.report.missing.append(
                        f"level {replay.state.level} begins after entry {entry.index}:"
                        f" {entry.index + 1} entries are fully verified"
                    )
                    return False
        except UnverifiableError as error:
            self.report.missing.append(
                f"entry {entry.index}: {error.message}; the full book stops there"
            )
            return False
        except VerificationError as error:
            self._found(entry.index, error.code, error.message)
            return False
        return True

    def _replay_again(self, repeated: set[int]) -> bool:
        """Replay once more, knowing which event ids were used before.

        Only a log that let one pass pays for this; every other audit finds out
        at its end, by sorting, that there was none.
        """
        self.report.problems = [p for p in self.report.problems if p.book == "log"]
        with tempfile.TemporaryDirectory() as folder, SpillRows(Path(folder)) as rows:
            again = State("full", rows)
            self._replay_all(again, repeated, note=True)
            self._note_state(again)
        return False

    def _replay_all(self, state: State, repeated: set[int], *, note: bool) -> None:
        source = StoredLines(self._store) if state.book == "full" else None
        replay = Replay(state, self._spool.at, source)
        hashes = (self._spool.at(index) for index in range(self._size))
        for entry in decoded_entries(self._store.leaves(0, self._size), hashes):
            problem = replay.apply(entry, repeated=entry.index in repeated)
            if note and problem is not None:
                self._note_problem(problem)

    def _note_state(self, state: State) -> None:
        """Take the digests, acknowledgements, and compare the store's own tables."""
        report = self.report
        report.full_digest = state.digest()
        report.state_digest = state.digest("public")
        self._note_acknowledgements(state)
        if any(found.book == "full" for found in report.problems):
            # A problem that only lines show changed nothing in the full book, but
            # the public one took the entry in: it has a state of its own.
            with (
                tempfile.TemporaryDirectory() as folder,
                SpillRows(Path(folder)) as rows,
            ):
                public = State("public", rows)
                repeated = {f.index for f in report.problems if f.code == "id-reused"}
                self._replay_all(public, repeated, note=False)
                report.state_digest = public.digest()
        own = State("full", self._store.rows)
        if own.size != state.size or own.digest() != report.full_digest:
            self._found(
                NO_ENTRY,
                "derived-differs",
                "the derived tables of the store are not what the log gives;"
                " 'linernote rebuild' derives them anew",
            )
        report.count("derived tables", len(own.tables))

    def _note_acknowledgements(self, state: State) -> None:
        noted = []
        for found in self.report.problems:
            row = state.problems.get(found.index) if found.index >= 0 else None
            seen = -1 if row is None else row.acknowledged
            noted.append(
                Found(found.index, found.code, found.message, found.book, seen)
            )
        self.report.problems = noted

    def _note_problem(self, problem: Problem) -> None:
        self.report.problems.append(
            Found(problem.index, problem.code, problem.message, problem.book)
        )

    def _found(self, index: int, code: str, message: str) -> None:
        self.report.problems.append(Found(index, code, message))

    def _read_checkpoint(self) -> Checkpoint | None:
        """Parse the stored checkpoint; its signature waits for the log's key."""
        try:
            checkpoint = published_checkpoint(self._store)
        except FormatError as error:
            self._found(NO_ENTRY, "bad-checkpoint", error.message)
            return None
        if checkpoint is None:
            self.report.missing.append("no checkpoint has been published yet")
        return checkpoint

    def _check_checkpoint(self, checkpoint: Checkpoint, state: State) -> None:
        log = state.log
        text = self._store.checkpoint() or ""
        if log is None:
            return
        try:
            open_checkpoint(text, make_vkey(log.origin, log.log_key))
        except LedgerError as error:
            self._found(NO_ENTRY, "bad-checkpoint", error.message)
            return
        self.report.count("checkpoints")
        if checkpoint.size > self._tree.size:
            if not self.report.problems:
                self._found(
                    NO_ENTRY,
                    "log-truncated",
                    f"the checkpoint is of {checkpoint.size} entries, the log has"
                    f" {self._tree.size}",
                )
        elif self._checkpoint_root != checkpoint.root:
            self._found(
                NO_ENTRY,
                "root-mismatch",
                f"the log's first {checkpoint.size} entries give another root than"
                " the checkpoint",
            )
        self._check_published_text(text)

    def _check_published_text(self, text: str) -> None:
        if self._public is None:
            return
        path = self._public / "checkpoint"
        if not path.is_file():
            self.report.missing.append("public/checkpoint is missing")
        elif path.read_bytes() != text.encode():
            self._found(
                NO_ENTRY,
                "checkpoint-differs",
                "public/checkpoint is not the checkpoint that the store signed last",
            )
