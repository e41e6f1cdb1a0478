"""One look at a log after another, each from where the last one ended.

    newest checkpoint, by the keys ─► continues the one kept ─► kept
      ─► every new entry: place in the tree, signature, chain, rules (format.md §6)
      ─► signed by the keys that the log itself names (format.md §7) ─► not too old

The public book is replayed. Lines of manifests are left to audits and mirrors: nothing
that the general ledger says depends on them.
"""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from ledger.audit.verifying import FailedEntryError
from ledger.errors import UnverifiableError
from ledger.errors import VerificationError
from ledger.monitor.alarm import Alarm
from ledger.monitor.alarm import stale
from ledger.reader import Reader
from ledger.reader import trust_led_to
from ledger.reader.handover import check_handovers
from ledger.replay.log_keys import all_log_keys
from ledger.replay.log_keys import vkeys_at
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import open_checkpoint
from ledger.tlog.cosignature import cosignature_time
from ledger.tlog.note import parse_note
from ledger.tlog.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger.monitor.kept import Kept
    from ledger.reader import Source
    from ledger.reader import Trust
    from ledger.replay import Problem


class Look(msgspec.Struct):
    """What one look at a log showed.

    Attributes:
        old_size: entries verified before it.
        size: entries verified after it.
        checkpoint: the newest one that held; None if none ever did.
        alarms: what is wrong.
        missing: why the log could not be read, if it could not.
    """

    old_size: int
    size: int
    checkpoint: Checkpoint | None
    alarms: list[Alarm]
    missing: UnverifiableError | None = None


class Monitor:
    """Follows one log.

    Args:
        source: of the log's files.
        trust: the log's verifier keys, or a policy; as `Reader`.
        kept: from the looks before.
        clock: gives the time now, ms since 1970.
        stale_ms: after how long without anything newer to raise an alarm.
    """

    def __init__(
        self,
        source: Source,
        trust: Trust,
        kept: Kept,
        clock: Callable[[], int],
        stale_ms: int | None = None,
    ) -> None:
        self._source = source
        self._trust = trust
        self._kept = kept
        self._clock = clock
        self._stale_ms = stale_ms
        vkeys = [log.vkey for log in trust.logs] if isinstance(trust, Policy) else trust
        self.origin = vkeys[0].name

    def look(self) -> Look:
        """Verify what is new.

        Raises:
            HomeError: what is kept is damaged, or cannot be written.
        """
        kept = self._kept
        look = Look(kept.state.size, kept.state.size, None, [])
        raise_alarm = partial(self._alarm, look)
        try:
            trust = trust_led_to(self._trust, kept.state)
            with Reader(self._source, trust) as reader:
                self._follow(reader, raise_alarm)
        except UnverifiableError as error:
            look.missing = error
        if self._stale_ms is not None and kept.state.size:
            too_old = stale(self._newest_ms(), self._clock(), self._stale_ms)
            if too_old is not None:
                raise_alarm(too_old)
        look.size, look.checkpoint = kept.state.size, kept.checkpoint()
        return look

    def _follow(self, reader: Reader, raise_alarm: Callable[..., None]) -> None:
        kept = self._kept
        old_note, old = kept.note, kept.checkpoint()
        notes, size = () if old_note is None else (old_note,), kept.state.size
        try:
            checkpoint = reader.checkpoint()
            notes = (*notes, reader.note)
            if old is not None:
                reader.consistency(old)
            kept.swap(old_note, reader.note)
            notes = (reader.note,)
            self._take(reader, checkpoint.size, raise_alarm)
            _check_keys(kept, checkpoint, reader.note)
            rows = all_log_keys(kept.state)
            check_handovers((row for row in rows if row.retired >= size), reader.tree)
        except FailedEntryError as error:
            raise_alarm(error, error.index, notes)
        except VerificationError as error:
            raise_alarm(error, None, notes)

    def _take(
        self, reader: Reader, size: int, raise_alarm: Callable[..., None]
    ) -> None:
        leaves = reader.leaves(self._kept.state.size, size)

        def tell(problem: Problem) -> None:
            error = VerificationError(problem.code, problem.message)
            raise_alarm(error, problem.index, (reader.note,))

        self._kept.take(lambda start, stop: islice(leaves, stop - start), size, tell)

    def _alarm(
        self,
        look: Look,
        error: VerificationError,
        index: int | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        alarm = Alarm.of_error(error, self.origin, self._clock(), index, notes)
        self._kept.note_alarm(alarm)
        look.alarms.append(alarm)

    def _newest_ms(self) -> int:
        """Give the time of the newest entry or, later, of a witness's cosignature."""
        times = [self._kept.state.last_time_ms]
        if isinstance(self._trust, Policy) and self._kept.note is not None:
            known = {(w.vkey.name, w.vkey.key_id) for w in self._trust.witnesses}
            # Each of them held, or the checkpoint would not have been kept.
            times += [
                cosignature_time(signature) * 1000
                for signature in parse_note(self._kept.note).signatures
                if (signature.name, signature.key_id) in known
            ]
        return max(times)


def _check_keys(kept: Kept, checkpoint: Checkpoint, note: str) -> None:
    """Check that a checkpoint is signed by the keys that the log's entries name.

    Raises:
        VerificationError: `unexpected-key`, or as `open_checkpoint`.
    """
    if checkpoint.size == 0:
        return
    vkeys = vkeys_at(kept.state, checkpoint.size)
    try:
        open_checkpoint(note, *vkeys)
    except VerificationError as error:
        if error.code != "not-signed":
            raise
        raise _unexpected("lacks a signature by a key that its entries name") from error
    named = {vkey.key_id for vkey in vkeys}
    for signature in parse_note(note).signatures:
        if signature.name == checkpoint.origin and signature.key_id not in named:
            key = signature.key_id.hex()
            raise _unexpected(f"bears one by {key}, which none of its entries names")


def _unexpected(message: str) -> VerificationError:
    return VerificationError(
        "unexpected-key",
        f"the checkpoint {message}",
        hint="ask the operator by another way than the log: its key may be stolen",
    )
