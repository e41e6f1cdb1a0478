"""One look at a log after another, each from where the last one ended.

    newest checkpoint, by the keys ─► continues the one kept
      ─► signed by the keys that the log itself names (format.md §7) ─► kept
      ─► every new entry: place in the tree, signature, chain, rules (format.md §6)
      ─► neither too old nor ahead of its time

The public book is replayed. Lines of manifests are left to audits and mirrors: nothing
that the general ledger says depends on them.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from ledger.audit.verifying import FailedEntryError
from ledger.errors import UnverifiableError
from ledger.errors import VerificationError
from ledger.monitor.age import ahead
from ledger.monitor.age import cosigned_ms
from ledger.monitor.age import is_ahead
from ledger.monitor.age import quorum_ms
from ledger.monitor.age import stale
from ledger.monitor.alarm import Alarm
from ledger.monitor.signers import check_signers
from ledger.reader import Reader
from ledger.reader import trust_led_to
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.policy import Policy
from ledger.tlog.text import excerpt

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger.monitor.kept import Kept
    from ledger.reader import Source
    from ledger.reader import Trust
    from ledger.replay import Problem


ALARMS_MAX = 100
"""Entries that break a rule, told one by one in one look."""


class Look(msgspec.Struct):
    """What one look at a log showed.

    Attributes:
        old_size: entries verified before it.
        size: entries verified after it.
        checkpoint: the newest one that held; None if none ever did.
        alarms: what is wrong.
        more: how many entries more break rules, beyond those that are alarms.
        missing: why the log could not be read, if it could not.
    """

    old_size: int
    size: int
    checkpoint: Checkpoint | None
    alarms: list[Alarm]
    more: int = 0
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
        try:
            trust = trust_led_to(self._trust, kept.state)
            with (
                kept.reading() as folder,
                Reader(self._source, trust, folder) as reader,
            ):
                self._follow(reader, look)
        except UnverifiableError as error:
            look.missing = error
        self._check_times(look)
        look.size, look.checkpoint = kept.state.size, kept.checkpoint()
        return look

    def _follow(self, reader: Reader, look: Look) -> None:
        kept = self._kept
        old_note, old = kept.note, kept.checkpoint()
        notes = () if old_note is None else (old_note,)
        try:
            checkpoint = reader.checkpoint()
            notes = (*notes, reader.note)
            if old is not None:
                reader.consistency(old)
            check_signers(kept.ahead(), reader.tree, reader.note)
            kept.swap(old_note, reader.note)
            notes = (reader.note,)
            self._take(reader, checkpoint.size, look)
        except FailedEntryError as error:
            self._alarm(look, error, error.index, notes)
        except VerificationError as error:
            if error.code == "policy-not-met":
                raise _late(error) from error
            self._alarm(look, error, None, notes)

    def _take(self, reader: Reader, size: int, look: Look) -> None:
        leaves = reader.leaves(self._kept.state.size, size)

        def tell(problem: Problem) -> None:
            error = VerificationError(problem.code, problem.message)
            if len(look.alarms) == ALARMS_MAX:
                error = _more_problems()
            if len(look.alarms) > ALARMS_MAX:
                look.more += 1
            else:
                self._alarm(look, error, problem.index, (reader.note,))

        self._kept.take(lambda start, stop: islice(leaves, stop - start), size, tell)

    def _alarm(
        self,
        look: Look,
        error: VerificationError,
        index: int | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        cited = tuple(self._kept.cite(note) for note in notes)
        alarm = Alarm.of_error(error, self.origin, self._clock(), index, cited)
        self._kept.note_alarm(alarm)
        look.alarms.append(alarm)

    def _check_times(self, look: Look) -> None:
        """Raise an alarm at what is too old, or ahead of its time."""
        kept, now_ms = self._kept, self._clock()
        if kept.note is None:
            return
        newest_ms = kept.state.last_time_ms
        wrong = [ahead("the newest entry", newest_ms, now_ms)]
        if isinstance(self._trust, Policy) and self._trust.quorum is not None:
            times = cosigned_ms(self._trust, kept.note)
            for name, time_ms in times.items():
                what = f"the cosignature by {excerpt(name)}"
                wrong.append(ahead(what, time_ms, now_ms))
            held = {n: ms for n, ms in times.items() if not is_ahead(ms, now_ms)}
            newest_ms = quorum_ms(self._trust, held)
        if self._stale_ms is not None:
            wrong.append(stale(newest_ms, now_ms, self._stale_ms))
        for error in wrong:
            if error is not None:
                self._alarm(look, error, None, (kept.note,))


def _late(error: VerificationError) -> UnverifiableError:
    """A witness that is late or away shows nothing false: there is less to go by."""
    return UnverifiableError(
        error.code,
        error.message,
        hint="witnesses may still cosign it; if they do not, ask them and the operator"
        " why, and give --stale-after to be alarmed",
    )


def _more_problems() -> VerificationError:
    return VerificationError(
        "more-problems",
        "this entry breaks a rule, and those after it that do are only counted",
        hint="an audit of the log names every one",
    )
