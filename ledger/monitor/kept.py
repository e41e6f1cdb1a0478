"""What a monitor keeps from one look to the next: verified, durable, its own.

    checkpoint    the newest one that held, replaced only by one that continues it
    state         of the public book, after the entries verified so far
    rows          leaf hashes by index, event ids, public keys by key id
    alarms        `alarms.ndjson`, one line each
    evidence      `checkpoints/<SHA-256, hex>`, the signed notes that alarms cite
    reading       files of the log while it is looked at, and no longer

Entries are taken in after the checkpoint that names them has been kept, in lots, each
in one transaction with the state after it. So whatever moment a monitor is stopped at,
it goes on from there, and never forgets a checkpoint that it has once believed.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from hashlib import sha256
from itertools import islice
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING
from typing import Self

from ledger.audit.verifying import verified_batches
from ledger.audit.verifying import verifying_workers
from ledger.entry.envelope import ZERO32
from ledger.entry.verify import VerifiedChunk
from ledger.errors import FormatError
from ledger.errors import HomeError
from ledger.errors import UnverifiableError
from ledger.home import write_durably
from ledger.replay import Replay
from ledger.replay import State
from ledger.storage.lock import WriterLock
from ledger.storage.sqlite import FILE_NAME
from ledger.storage.sqlite import SqliteStore
from ledger.storage.sync import sync
from ledger.tlog.checkpoint import parse_checkpoint
from ledger.tlog.note import parse_note

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Mapping

    from ledger.audit.verifying import Batch
    from ledger.monitor.alarm import Alarm
    from ledger.replay import Problem
    from ledger.tlog.checkpoint import Checkpoint

_EVENTS, _KEYS, _LEAVES = "monitor.event", "monitor.key", "monitor.leaf"

STATE_VARIABLE = "XDG_STATE_HOME"


def default_folder(origin: str, environ: Mapping[str, str]) -> Path:
    """Say where what is kept of a log goes, unless somebody says otherwise.

    >>> default_folder("log.example/a", {"XDG_STATE_HOME": "/var/state"}).parent
    PosixPath('/var/state/linernote-monitor')
    """
    state = Path(environ.get(STATE_VARIABLE) or "")
    if not state.is_absolute():  # a relative one does not count (XDG Base Directory)
        state = Path.home() / ".local" / "state"
    # An origin may be any path: its hash is a name for a folder.
    return state / "linernote-monitor" / sha256(origin.encode()).hexdigest()


class Kept:
    """The folder of one monitor of one log.

    Args:
        folder: made if it is not there.

    Raises:
        HomeError: `home-in-use`, or a code of `SqliteStore.open`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = WriterLock(folder / "lock")
        try:
            there = (folder / FILE_NAME).exists()
            self._store = (SqliteStore.open if there else SqliteStore.create)(folder)
        except BaseException:
            self._lock.close()
            raise
        self.state = State("public", self._store.rows)
        self._publics = dict(self._store.rows.scan(_KEYS))
        self._kept_publics = len(self._publics)
        self._new_leaves: dict[int, bytes] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the store, then of the lock."""
        try:
            self._store.close()
        finally:
            self._lock.close()

    @property
    def note(self) -> str | None:
        """The newest checkpoint that held, as it was signed."""
        return self._store.checkpoint()

    def checkpoint(self) -> Checkpoint | None:
        """Parse it; None before the first.

        Raises:
            HomeError: `store-damaged`.
        """
        note = self.note
        try:
            return None if note is None else parse_checkpoint(parse_note(note).text)
        except FormatError as error:
            raise HomeError(
                "store-damaged",
                f"the checkpoint kept in {self.folder} is none: {error.message}",
                hint="keep the folder, and begin anew with another --state",
            ) from error

    def ahead(self) -> State:
        """Give the state once more, to be judged ahead in and never written."""
        return State("public", self._store.rows)

    @contextmanager
    def reading(self) -> Iterator[Path]:
        """Give a folder for what is read more than once in a look, and not after it."""
        folder = self.folder / "reading"
        rmtree(folder, ignore_errors=True)  # where somebody was stopped
        try:
            yield folder
        finally:
            rmtree(folder, ignore_errors=True)

    def swap(self, old: str | None, new: str) -> None:
        """Keep a checkpoint that continues the one before.

        Raises:
            HomeError: `checkpoint-moved`: another monitor was here.
        """
        if new != old:
            with self._store.transaction():
                self._store.swap_checkpoint(old, new)

    def take(
        self,
        leaves: Callable[[int, int], Iterable[bytes]],
        size: int,
        tell: Callable[[Problem], None],
    ) -> None:
        """Verify and replay the entries up to a size.

        Args:
            leaves: gives the leaf data of entries [start, stop), which the tree holds.
            size: of the checkpoint that is kept.
            tell: is given each entry that breaks a rule, before it is taken in.

        Raises:
            FailedEntryError: the first entry that does not hold.
            UnverifiableError: `level-unknown`, or as `leaves`.
            VerificationError: as `leaves`, or `genesis-misplaced`.
        """
        with verifying_workers(size - self.state.size) as pool:
            for batch in verified_batches(
                leaves, size, pool, before=self._before(), publics=self._publics
            ):
                try:
                    with self._store.transaction():
                        self._take(batch, tell)
                except BaseException:
                    self.state.discard()
                    raise
                finally:
                    self._new_leaves.clear()

    def _before(self) -> VerifiedChunk | None:
        state = self.state
        if state.size == 0:
            return None
        time_ms = state.last_time_ms
        # Only its end is looked at, to go on from there.
        return VerifiedChunk(
            state.size - 1, ZERO32, time_ms, time_ms, state.last_leaf, ()
        )

    def _take(self, batch: Batch, tell: Callable[[Problem], None]) -> None:
        rows: list[tuple[str, bytes, bytes | None]] = []
        events: dict[bytes, bytes] = {}
        replay = Replay(self.state, self._leaf_hash_at)
        for entry in batch.entries:
            self._check_level(replay)
            event, at = entry.event.author + entry.event.id, _key(entry.index)
            first = events.setdefault(event, self._first(event) or at)
            problem = replay.apply(entry, repeated=first < at)
            if problem is not None:
                tell(problem)
            self._new_leaves[entry.index] = entry.leaf_hash
            rows.append((_LEAVES, at, entry.leaf_hash))
        rows += [(_EVENTS, event, at) for event, at in events.items()]
        new = islice(self._publics.items(), self._kept_publics, None)
        rows += [(_KEYS, key, public) for key, public in new]
        self._kept_publics = len(self._publics)
        self._store.rows.write(rows)
        self.state.flush()

    def _check_level(self, replay: Replay) -> None:
        if not replay.understood:
            raise UnverifiableError(
                "level-unknown",
                f"entry {self.state.size} is of level {self.state.level},"
                " which this version does not know",
                hint="use a newer version of linernote",
            )

    def _first(self, event: bytes) -> bytes | None:
        return self._store.rows.get(_EVENTS, event)

    def _leaf_hash_at(self, index: int) -> bytes:
        known = self._new_leaves.get(index)
        if known is None:
            known = self._store.rows.get(_LEAVES, _key(index))
        if known is None:
            raise HomeError("store-damaged", f"the hash of entry {index} is lost")
        return known

    def cite(self, note: str) -> str:
        """Keep a signed note as evidence, durably and once; give its hash, hex."""
        data = note.encode()
        name = sha256(data).hexdigest()
        path = self.folder / "checkpoints" / name
        if not path.exists():
            path.parent.mkdir(mode=0o700, exist_ok=True)
            write_durably(path, data)
            sync(self.folder)
        return name

    def note_alarm(self, alarm: Alarm) -> None:
        """Write an alarm down, durably, before anybody is told."""
        path = self.folder / "alarms.ndjson"
        new = not path.exists()
        with path.open("a", encoding="ascii") as file:
            file.write(alarm.line() + "\n")
            file.flush()
            os.fsync(file.fileno())
        if new:
            sync(self.folder)


def _key(index: int) -> bytes:
    return index.to_bytes(8, "big")
