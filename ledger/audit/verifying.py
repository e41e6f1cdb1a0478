"""Entries of a log, verified in worker processes, in order and flat memory.

    leaves ─ chunks of 512 ─► workers: bytes, chain, signatures
           └ decoded here for replay, believed only once their chunk is verified

Signatures take most of the time of an audit, and threads would queue for the
interpreter's lock, so processes do that work. The parent decodes each entry
once: it needs the key ids before (workers are given the public keys of their
chunk) and the events after.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor
from concurrent.futures import Future
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import wait
from threading import Thread
from typing import TYPE_CHECKING
from typing import Any

import msgspec

from ledger.entry.canonical import DECODE_ERRORS
from ledger.entry.envelope import decode_entry
from ledger.entry.envelope import decode_event
from ledger.entry.envelope import event_hash
from ledger.entry.verify import VerifiedChunk
from ledger.entry.verify import check_joint
from ledger.entry.verify import key_id
from ledger.entry.verify import verify_chunk
from ledger.errors import LedgerError
from ledger.errors import VerificationError
from ledger.replay.outcome import ReplayEntry

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable

    from ledger.entry.envelope import Event

CHUNK_LENGTH = 512
"""Entries verified at once: as many as stay in a core's cache until replayed."""
CHUNKS_AHEAD = 6
IN_PROCESS_MAX = 4_096
"""Logs up to this size are verified here: starting workers would take longer."""

_KEY_KINDS = frozenset({"genesis", "key", "party"})


class FailedEntryError(VerificationError):
    """An entry whose bytes, chain or signature do not hold.

    Args:
        index: of the entry.
        error: what is wrong with it.
    """

    def __init__(self, index: int, error: LedgerError) -> None:
        super().__init__(error.code, error.message, hint=error.hint)
        self.index = index


class Batch(msgspec.Struct, frozen=True, gc=False):
    """A verified chunk and its entries, ready for replay."""

    chunk: VerifiedChunk
    entries: list[ReplayEntry]
    leaf_hashes: list[bytes]


class _Failure(msgspec.Struct, frozen=True):
    index: int
    code: str
    message: str
    hint: str


_Decoded = list[tuple[int, "Event", bytes]]


@contextmanager
def verifying_workers(
    size: int, workers: int | None = None
) -> Iterator[Executor | None]:
    """Give a pool for a log of `size` entries; None if it is not worth one."""
    count = workers if workers is not None else os.cpu_count() or 1
    if size <= IN_PROCESS_MAX or count < 1:
        yield None
        return
    # The workers compute on bytes alone and touch nothing that was open before.
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(
        count, mp_context=context, initializer=_end_with_parent
    ) as pool:
        yield pool


def _end_with_parent() -> None:
    """Let a worker end with who started it, even if that is killed.

    It would wait for work for ever, and hold the locks that were held when it began.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        Thread(target=_wait_for, args=(parent.sentinel,), daemon=True).start()


def _wait_for(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


def verified_batches(
    leaves: Callable[[int, int], Iterable[bytes]],
    size: int,
    pool: Executor | None,
    *,
    before: VerifiedChunk | None = None,
    publics: dict[bytes, bytes] | None = None,
) -> Iterator[Batch]:
    """Verify a log of `size` entries, chunk by chunk.

    Args:
        leaves: gives the leaf data of entries [start, stop).
        size: of the log.
        pool: workers, or None to verify here.
        before: where to go on; None for the start.
        publics: public keys by key id that earlier entries brought; grows.

    Raises:
        FailedEntryError: the first entry that does not hold.
    """
    publics = {} if publics is None else publics
    waiting: deque[tuple[Future[VerifiedChunk | _Failure], _Decoded]] = deque()
    first = 0 if before is None else before.first_index + before.size
    for start in range(first, size, CHUNK_LENGTH):
        chunk = list(leaves(start, min(start + CHUNK_LENGTH, size)))
        decoded, keys = _decode(start, chunk, publics)
        waiting.append((_submit(pool, start, chunk, keys), decoded))
        if len(waiting) > CHUNKS_AHEAD:
            batch = _settle(*waiting.popleft(), before)
            before = batch.chunk
            yield batch
    while waiting:
        batch = _settle(*waiting.popleft(), before)
        before = batch.chunk
        yield batch


def decoded_entries(
    leaves: Iterable[bytes], leaf_hashes: Iterable[bytes], start: int = 0
) -> Iterator[ReplayEntry]:
    """Decode entries that were verified before, for another replay."""
    for index, (leaf, hash_) in enumerate(zip(leaves, leaf_hashes, strict=True), start):
        entry = decode_entry(leaf)
        event = entry.event
        yield ReplayEntry(
            index, entry.time, decode_event(event), event_hash(event), hash_
        )


def _decode(
    start: int, chunk: list[bytes], publics: dict[bytes, bytes]
) -> tuple[_Decoded, dict[bytes, bytes]]:
    """Decode a chunk, and pick the public keys that its signatures need.

    Nothing here is verified yet; a key that an event brings is only a candidate
    by which its own signatures are checked. Whether it was in force is for
    replay.
    """
    decoded: _Decoded = []
    for index, leaf in enumerate(chunk, start):
        try:
            entry = decode_entry(leaf)
            event = decode_event(entry.event)
        except DECODE_ERRORS:
            # The worker finds the same and says what is wrong.
            break
        if event.kind in _KEY_KINDS:
            _note_public(index, event, publics)
        decoded.append((entry.time, event, entry.event))
    wanted = {event.key for _, event, _ in decoded}
    return decoded, {key: publics[key] for key in wanted if key in publics}


def _note_public(index: int, event: Event, publics: dict[bytes, bytes]) -> None:
    try:
        body: Any = msgspec.msgpack.decode(event.body)
    except DECODE_ERRORS:
        return
    field = "root_key" if index == 0 else "public"
    public = body.get(field) if isinstance(body, dict) else None
    if isinstance(public, bytes):
        publics[key_id(public)] = public


def _submit(
    pool: Executor | None, start: int, chunk: list[bytes], keys: dict[bytes, bytes]
) -> Future[VerifiedChunk | _Failure]:
    if pool is not None:
        return pool.submit(_verify, start, chunk, keys)
    done: Future[VerifiedChunk | _Failure] = Future()
    done.set_result(_verify(start, chunk, keys))
    return done


def _verify(
    start: int, chunk: list[bytes], keys: dict[bytes, bytes]
) -> VerifiedChunk | _Failure:
    """Verify a chunk; if it fails, find the first entry that does."""
    try:
        verified = verify_chunk(start, chunk, keys)
    except LedgerError as error:
        found = error
    else:
        if not verified.unknown_keys:
            return verified
        index = verified.unknown_keys[0]
        return _Failure(
            index, "key-unknown", f"entry {index}: its key was never registered", ""
        )
    for place in range(len(chunk)):
        # Pairs, since a broken chain shows between two entries only.
        first = max(place - 1, 0)
        try:
            verify_chunk(start + first, chunk[first : place + 1], keys)
        except LedgerError as error:
            return _Failure(start + place, error.code, error.message, error.hint)
    return _Failure(start, found.code, found.message, found.hint)


def _settle(
    future: Future[VerifiedChunk | _Failure],
    decoded: _Decoded,
    before: VerifiedChunk | None,
) -> Batch:
    result = future.result()
    if isinstance(result, _Failure):
        raise FailedEntryError(
            result.index,
            VerificationError(result.code, result.message, hint=result.hint),
        )
    if before is not None:
        try:
            check_joint(before, result)
        except LedgerError as error:
            raise FailedEntryError(result.first_index, error) from error
    joined = result.leaf_hashes
    hashes = [joined[place : place + 32] for place in range(0, len(joined), 32)]
    entries = [
        ReplayEntry(index, time_ms, event, event_hash(data), hash_)
        for index, ((time_ms, event, data), hash_) in enumerate(
            zip(decoded, hashes, strict=True), result.first_index
        )
    ]
    return Batch(result, entries, hashes)
