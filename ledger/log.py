"""The log: takes signed events in, one writer, durable before acknowledged.

    signed event → verified → judged on the state → entry → stored → acknowledged

Everything that an auditor will check is checked here first, by the same code
(`ledger.replay`), inside the write transaction. What would break a rule is
refused with the rule's code and leaves nothing behind. An answer, index and
leaf hash, is given only after the durable commit (format.md §7).

>>> from ledger.storage.memory import MemoryStore
>>> log = Log(MemoryStore(), clock=lambda: 1_764_000_000_000)
>>> log.size
0
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING
from typing import Any

import msgspec

from ledger import derive
from ledger.batch import Arrived
from ledger.batch import Batch
from ledger.batch import arrive
from ledger.batch import new_entry
from ledger.entry.envelope import Entry
from ledger.entry.envelope import Event
from ledger.entry.envelope import encode_entry
from ledger.entry.envelope import event_hash
from ledger.entry.verify import verify_signature
from ledger.errors import AuthorityError
from ledger.errors import ConflictError
from ledger.errors import HomeError
from ledger.errors import InputError
from ledger.errors import InvariantError
from ledger.errors import LedgerError
from ledger.errors import UnverifiableError
from ledger.events.registry import LEVEL
from ledger.events.registry import manifest_refs
from ledger.events.registry import parse_body
from ledger.replay import FullBookError
from ledger.replay import Replay
from ledger.replay import ReplayEntry
from ledger.replay import State
from ledger.replay.chain import CLOCK_SKEW_MS
from ledger.replay.chain import chain_head
from ledger.staging import StagedLines
from ledger.tlog.merkle import leaf_hash
from ledger.tlog.merkle import leaf_hashes
from ledger.tlog.tiles import TILE_WIDTH
from ledger.tlog.tiles import parse_bundle

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from collections.abc import Sequence

    from ledger.entry.sign import SignedEvent
    from ledger.events.types import ManifestRef
    from ledger.replay.replay import Judged
    from ledger.storage.base import NewEntry
    from ledger.storage.base import Store

_DAY_MS = 86_400_000

QUIET_MAX_MS = 5 * 366 * _DAY_MS
"""Longest time between two entries. No entry is ever earlier than the one before, so
one taken in while the clock is years ahead would shut the log until then."""


class Appended(msgspec.Struct, frozen=True):
    """The log's answer: where the event stands, durably.

    Attributes:
        index: of its entry.
        leaf_hash: of that entry.
        repeated: whether it stood there before; nothing was added then.
    """

    index: int
    leaf_hash: bytes
    repeated: bool


class StoredLines:
    """The lines in a store, as replay reads them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def bundles(self, root: bytes) -> Iterator[bytes]:
        """Give a manifest's bundles in order.

        Raises:
            UnverifiableError: `manifest-lines-missing`.
        """
        number = 0
        while (bundle := self._store.bundle(root, number)) is not None:
            yield bundle
            number += 1
        if number == 0:
            raise UnverifiableError(
                "manifest-lines-missing",
                f"the lines of manifest {root.hex()} are not in the store",
                hint="restore them from a backup or another copy of the log",
            )


def _place(error: BaseException, position: int) -> None:
    """Note which event of a batch was refused; a home refuses them all."""
    if isinstance(error, LedgerError) and not isinstance(error, HomeError):
        error.position = position


class _Lines:
    """Staged lines first, then the store's."""

    def __init__(self, staged: StagedLines | None, stored: StoredLines) -> None:
        self._staged = staged
        self._stored = stored

    def bundles(self, root: bytes) -> Iterator[bytes]:
        if self._staged is not None and root in self._staged:
            return self._staged.bundles(root)
        return self._stored.bundles(root)


class _Judged(msgspec.Struct, frozen=True, gc=False):
    """An event that no rule refuses, as the entry that it would be."""

    entry: ReplayEntry
    new: NewEntry
    judged: Judged


class Log:
    """A log open for writing; whoever makes one holds the writer lock.

    Args:
        store: open for writing.
        clock: gives the time now, ms since 1970.
    """

    def __init__(self, store: Store, clock: Callable[[], int]) -> None:
        self.store = store
        self._clock = clock
        self.state = State("full", store.rows)
        self._check_state()

    def _check_state(self) -> None:
        size = self.store.size()
        if self.state.size != size:
            raise HomeError(
                "state-behind",
                f"the derived state is of {self.state.size} of {size} entries",
                hint="run 'linernote rebuild': it derives the state anew",
            )

    @property
    def size(self) -> int:
        """How many entries there are."""
        return self.state.size

    def head(self) -> tuple[int, bytes]:
        """Index and leaf hash of the newest entry, for `seen`; zeros if empty."""
        return max(self.size - 1, 0), self.state.last_leaf

    def key_head(self, key: bytes) -> tuple[int, bytes]:
        """The next `seq` and the `prev` of a key that is on the log.

        Raises:
            InputError: `key-unknown`.
        """
        row = self.state.keys.get(key)
        if row is None:
            raise InputError("key-unknown", f"no key {key.hex()} is on this log")
        return chain_head(self.state.need_log(), row)

    def append(
        self,
        events: Sequence[SignedEvent],
        staged: StagedLines | None = None,
        *,
        atomic: bool = False,
    ) -> list[Appended | LedgerError]:
        """Append events in order, in one durable transaction.

        Args:
            events: signed events.
            staged: the lines of the manifests that they bring in.
            atomic: all or none; otherwise each stands for itself.

        Returns:
            An answer or the refusal for each event, in order.

        Raises:
            LedgerError: the first refusal, if `atomic`, with its `position` among
                several; nothing was appended.
            HomeError: the store failed; whether it was stored is said. Or
                `level-unknown`: nobody here could judge the events.
        """
        if self.state.level > LEVEL:
            raise HomeError(
                "level-unknown",
                f"the log is at level {self.state.level}, this version knows {LEVEL}",
                hint="append with a version that knows the level in force",
            )
        lines = _Lines(staged, StoredLines(self.store))
        arrived = arrive(events, self._public_key)
        answers: list[Appended | LedgerError] = []
        try:
            with self.store.transaction():
                batch = Batch(self.store)
                batch.look_up(
                    (each.event.author, each.event.id)
                    for each in arrived
                    if isinstance(each, Arrived)
                )
                replay = Replay(self.state, batch.leaf_hash_at, lines)
                for each in arrived:
                    answer = self._answer(each, batch, replay, lines, atomic=atomic)
                    answers.append(answer)
                batch.write()
                self.state.flush()
        except BaseException as error:
            if atomic and len(answers) < len(arrived) > 1:
                _place(error, len(answers))
            # Of a store that failed nothing can be read; the first error says why.
            with suppress(HomeError):
                self.state.discard()
            raise
        return answers

    def _public_key(self, key: bytes) -> bytes | None:
        row = self.state.keys.get(key)
        return None if row is None else row.public

    def _answer(
        self,
        arrived: Arrived | LedgerError,
        batch: Batch,
        replay: Replay,
        lines: _Lines,
        *,
        atomic: bool,
    ) -> Appended | LedgerError:
        """Take an event in; only what changes nothing is given as a refusal."""
        try:
            if isinstance(arrived, LedgerError):
                raise arrived
            judged = self._judge(arrived, batch, replay)
        except (HomeError, InvariantError):
            raise
        except LedgerError as error:
            if atomic:
                raise
            return error
        if isinstance(judged, _Judged):
            # A failure from here on ends the batch.
            return self._take(judged, batch, replay, lines)
        return judged

    def _judge(
        self, arrived: Arrived, batch: Batch, replay: Replay
    ) -> _Judged | Appended:
        event = arrived.event
        if not arrived.verified:
            self._check_signature(event, arrived.signed)
        known = batch.find(event.author, event.id)
        if known is not None:
            return self._answer_again(event, known, batch)
        entry, leaf = self._entry(event, arrived.signed, self._now(event))
        try:
            judged = replay.judge(entry)
        except FullBookError as refused:
            raise refused.error from refused
        if event.kind == "level":
            raise InputError("level-unknown", "this version knows level 1 only")
        begun = event.kind == "genesis"
        first = entry.index if begun else self.state.need_log().index
        return _Judged(entry, new_entry(entry, leaf, first), judged)

    def _take(
        self, new: _Judged, batch: Batch, replay: Replay, lines: _Lines
    ) -> Appended:
        """Add a judged entry to the state and the batch."""
        entry, body = new.entry, new.judged.body
        replay.commit(entry, new.judged)
        self._store_lines(entry, body, lines)
        batch.add(
            new.new,
            derive.posting_rows(entry, body, new.judged.postings, lines),
            derive.mentions(entry, body, lines),
        )
        return Appended(entry.index, entry.leaf_hash, repeated=False)

    def _check_signature(self, event: Event, signed: SignedEvent) -> None:
        """Verify the signature of an event whose key was not known as it arrived."""
        if self.size == 0 and event.kind == "genesis":
            body: Any = parse_body(event.kind, event.body)
            verify_signature(signed.event, signed.signature, body.root_key)
            return
        row = self.state.keys.get(event.key)
        if row is None:
            raise AuthorityError(
                "key-unknown",
                f"no key {event.key.hex()} is on this log",
                hint="a registrar registers a party with its root key first",
            )
        verify_signature(signed.event, signed.signature, row.public)

    def _answer_again(self, event: Event, index: int, batch: Batch) -> Appended:
        """Answer an event sent again with its first index (format.md §2)."""
        before = batch.event_at(index)
        # Signed anew it has another place in its key's chain, and says the same.
        if (before.kind, before.body) != (event.kind, event.body):
            raise ConflictError(
                "id-conflict",
                f"the author's event id {event.id.hex()} is entry {index}, which says"
                " something else",
                hint="give every event a fresh random id",
            )
        return Appended(index, batch.leaf_hash_at(index), repeated=True)

    def _now(self, event: Event) -> int:
        now, last = self._clock(), self.state.last_time_ms
        if now < last - CLOCK_SKEW_MS:
            raise HomeError(
                "clock-behind",
                f"the clock is {last - now} ms behind the newest entry",
                hint="set this machine's clock; nothing was appended",
            )
        if self.size and now > last + QUIET_MAX_MS:
            raise HomeError(
                "clock-ahead",
                f"the clock is {(now - last) // _DAY_MS} days past the newest entry",
                hint="set this machine's clock; nothing was appended. A log that was"
                " quiet for years is continued by one that succeeds it",
            )
        if event.time > now + CLOCK_SKEW_MS:
            raise InputError(
                "event-time-ahead",
                f"the event is {event.time - now} ms ahead of the log's clock",
                hint="set the signer's clock",
            )
        return max(now, last)

    def _entry(
        self, event: Event, signed: SignedEvent, now: int
    ) -> tuple[ReplayEntry, bytes]:
        entry = Entry(
            event=signed.event,
            index=self.size,
            previous=self.state.last_leaf,
            signature=signed.signature,
            time=now,
        )
        leaf = encode_entry(entry)
        taken = ReplayEntry(
            index=entry.index,
            time_ms=now,
            event=event,
            event_hash=event_hash(signed.event),
            leaf_hash=leaf_hash(leaf),
        )
        return taken, leaf

    def _store_lines(self, entry: ReplayEntry, body: Any, lines: _Lines) -> None:  # noqa: ANN401
        for field, ref in manifest_refs(entry.event.kind, body):
            for number, bundle in enumerate(lines.bundles(ref.root)):
                hashes = _bundle_hashes(bundle, number, ref)
                self.store.put_bundle(ref.root, number, bundle, hashes)
            info = msgspec.msgpack.encode((entry.index, field))
            self.store.add_manifest(ref.root, info)


def _bundle_hashes(bundle: bytes, number: int, ref: ManifestRef) -> bytes:
    width = min(TILE_WIDTH, ref.lines + 1 - number * TILE_WIDTH)
    return b"".join(leaf_hashes(parse_bundle(bundle, width)))
