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

from ledger.audit.anchored import check_anchor
from ledger.audit.brought import BroughtManifests
from ledger.audit.checkpoint import LogKeys
from ledger.audit.checkpoint import Verified
from ledger.audit.checkpoint import check_checkpoint
from ledger.audit.checkpoint import check_handovers
from ledger.audit.checkpoint import read_checkpoint
from ledger.audit.derived import DerivingReplay
from ledger.audit.files import check_files
from ledger.audit.kept import KeptIndexes
from ledger.audit.kept import check_integrity
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
from ledger.entry.canonical import DECODE_ERRORS
from ledger.errors import InvariantError
from ledger.errors import LedgerError
from ledger.errors import UnverifiableError
from ledger.log import StoredLines
from ledger.replay import Problem
from ledger.replay import Replay
from ledger.replay import State
from ledger.replay.log_keys import all_log_keys
from ledger.storage.spill import SpillRows
from ledger.tlog.merkle import tree_root

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from collections.abc import Iterator

    from ledger.anchor import Anchor
    from ledger.replay.outcome import ReplayEntry
    from ledger.replay.state import Book
    from ledger.storage.base import Rows
    from ledger.storage.base import Store


def _silent(done: int, total: int) -> None:
    """Show no progress."""


class Audit:
    """One audit of a store and its public folder.

    Args:
        store: open for reading.
        public: the public folder; None to leave files out.
        anchor: what this machine remembers of the log; None to leave that out.
        workers: processes; None for one a core, 0 for none.
        log_only: leave out what the store keeps for its own use: state and query
            tables, indexes, the health of the database. Nothing that the log
            says depends on them; they cost about as much as the rest.
        progress: is told entries done and in all.
    """

    def __init__(
        self,
        store: Store,
        public: Path | None = None,
        anchor: Anchor | None = None,
        *,
        workers: int | None = None,
        log_only: bool = False,
        progress: Callable[[int, int], None] = _silent,
    ) -> None:
        self._store = store
        self._log_only = log_only
        self._public = public
        self._anchor = anchor
        self._workers = workers
        self._progress = progress
        self._size = store.size()
        self._spool = HashSpool()
        self._tree = VerifiedTree(self._spool)
        self._checkpoint_root: bytes | None = None
        self._failed = False
        self._hashes_kept = True
        self._log_keys: LogKeys | None = None
        self.report = Report(size=0, root=self._tree.root())
        self._indexes = KeptIndexes(store, self.report)

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
        if not self._log_only:
            check_integrity(self._store, report)
        checkpoint = read_checkpoint(self._store, self._public, report)
        state, manifests = State("full", rows), BroughtManifests(rows)
        claimed, published = 0 if checkpoint is None else checkpoint.size, 0
        replayed = self._stream(state, manifests, claimed)
        self._note_log_keys(state)
        report.size, report.root = self._tree.size, self._tree.root()
        if checkpoint is not None:
            root, whole = self._checkpoint_root, not self._failed
            verified = Verified(report.size, root, whole, self._log_keys, self._tree)
            published = check_checkpoint(
                self._store, self._public, checkpoint, verified, report
            )
        if self._log_keys is not None:
            check_handovers(self._log_keys, self._tree, report)
        if self._anchor is not None and not self._failed:
            published_once = checkpoint is not None
            check_anchor(self._anchor, self._tree, report, published=published_once)
        self._check_tree_of_store()
        if replayed is not None:
            self._note_state(replayed)
            if not self._log_only:
                self._indexes.check_manifests(state, manifests)
        if self._public is not None and self._failed:
            # What comes after the entry that failed would all look wrong.
            report.missing.append("public/ was not checked: the log does not hold")
        elif self._public is not None and state.log is not None:
            check_files(
                self._public,
                self._store,
                self._tree,
                published,
                manifests=manifests,
                report=report,
            )
        report.problems.sort(key=lambda found: found.index)

    def _stream(
        self, state: State, manifests: BroughtManifests, published: int
    ) -> Replay | None:
        """Verify and replay every entry; None unless this replay counts."""
        replay = self._replay_of(state)
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
                    manifests.note(batch.entries)
                    if not self._log_only:
                        self._indexes.check_entries(batch.entries)
                    ids.extend(
                        (entry.event.author, entry.event.id, entry.index)
                        for entry in batch.entries
                    )
                    if replaying:
                        replaying = self._replay(replay, batch.entries, set())
                    self._progress(self._tree.size, self._size)
            except FailedEntryError as error:
                self._found(error.index, error.code, error.message)
                self._failed = True
                return None
            repeated = set(ids.repeated())
        if replaying and not repeated:
            return replay
        if replaying:
            self._replay_again("full", repeated)
        elif replay.understood and state.log is not None:
            # Lines are missing or altered; the general ledger does not need them.
            self._replay_again("public", repeated)
        return None

    def _replay_of(self, state: State) -> Replay:
        if state.book == "full" and self._log_only:
            return Replay(state, self._spool.at, StoredLines(self._store))
        if state.book == "full":
            return DerivingReplay(state, self._spool.at, self._store)
        return Replay(state, self._spool.at)

    def _grow(self, hashes: list[bytes], published: int) -> None:
        """Add leaf hashes, and note the root at the published size on the way."""
        before = self._tree.size
        if not self._log_only:
            self._hashes_kept &= self._indexes.hashes_hold(before, hashes)
        if before <= published < before + len(hashes):
            self._tree.extend(hashes[: published - before])
            self._checkpoint_root = self._tree.root()
            hashes = hashes[published - before :]
        self._tree.extend(hashes)
        if self._tree.size == published:
            self._checkpoint_root = self._tree.root()

    def _replay(
        self, replay: Replay, entries: Iterable[ReplayEntry], repeated: set[int]
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
        except InvariantError:
            raise
        except UnverifiableError as error:
            self.report.missing.append(
                f"entry {entry.index}: {error.message}; the full book stops there"
            )
            return False
        except LedgerError as error:
            self._found(entry.index, error.code, error.message)
            return False
        return True

    def _replay_again(self, book: Book, repeated: set[int]) -> None:
        """Replay once more: knowing which event ids recur, or without lines.

        Only a log that let a repeated id pass pays for this; every other audit finds
        out at its end, by sorting, that there was none.
        """
        self.report.problems = [p for p in self.report.problems if p.book == "log"]
        with tempfile.TemporaryDirectory() as folder, SpillRows(Path(folder)) as rows:
            replay = self._replay_of(State(book, rows))
            whole = self._replay(replay, self._entries(), repeated)
            self._note_log_keys(replay.state)
            if whole:
                self._note_state(replay)
        if not whole and book == "full" and replay.understood:
            # Without the entries that used an id again, others bring lines in.
            self._replay_again("public", repeated)

    def _entries(self) -> Iterator[ReplayEntry]:
        """Read entries that were verified before once more."""
        hashes = (self._spool.at(index) for index in range(self._size))
        return decoded_entries(self._store.leaves(0, self._size), hashes)

    def _note_state(self, replay: Replay) -> None:
        """Take the digests, acknowledgements, and compare the store's own tables."""
        report, state = self.report, replay.state
        digests = state.digests()
        report.state_digest = digests["public"]
        self._note_acknowledgements(state)
        if not self._log_only:
            self._indexes.check_chains(state)
        if state.book == "public":
            return
        report.full_digest = digests["full"]
        if any(found.book == "full" for found in report.problems):
            # A problem that only lines show changed nothing in the full book, but
            # the public one took the entry in: it has a state of its own.
            with (
                tempfile.TemporaryDirectory() as folder,
                SpillRows(Path(folder)) as rows,
            ):
                public = State("public", rows)
                repeated = {f.index for f in report.problems if f.code == "id-reused"}
                general = self._replay_of(public)
                for entry in self._entries():
                    general.apply(entry, repeated=entry.index in repeated)
                report.state_digest = public.digest()
        if self._log_only:
            return
        if self._own_state() != (report.full_digest, _head(state)):
            self._found_derived("tables")
        elif isinstance(replay, DerivingReplay) and not replay.same_rows():
            self._found_derived("postings or search words")
        report.count("derived tables", len(state.tables))

    def _own_state(self) -> tuple[object, ...]:
        """Give digest and head of the store's own tables; none if unreadable."""
        try:
            own = State("full", self._store.rows)
            return own.digest(), _head(own)
        except DECODE_ERRORS:
            return ()

    def _check_tree_of_store(self) -> None:
        """Compare the hashes that the store keeps with those that were verified."""
        if self._failed or not self._size or self._log_only:
            return
        try:
            root = tree_root(self._size, self._store.nodes)
        except InvariantError:
            root = b""
        if not self._hashes_kept or root != self.report.root:
            self._found(
                NO_ENTRY,
                "derived-differs",
                "the hashes that the store keeps are not those of its entries, and"
                " no proof can be made of them; restore the home from a backup",
            )

    def _note_log_keys(self, state: State) -> None:
        """Keep what the replay that got furthest says of the keys of checkpoints."""
        judged = -1 if self._log_keys is None else self._log_keys.judged
        if state.log is not None and state.size > judged:
            rows = tuple(all_log_keys(state))
            self._log_keys = LogKeys(state.log.origin, rows, state.size)

    def _found_derived(self, what: str) -> None:
        self._found(
            NO_ENTRY,
            "derived-differs",
            f"the derived {what} of the store are not what the log gives;"
            " 'linernote rebuild' derives them anew",
        )

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


def _head(state: State) -> tuple[object, ...]:
    """Give what the next entry depends on besides the tables."""
    return state.last_leaf, state.last_time_ms, state.level
