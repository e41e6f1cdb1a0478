"""Events from many at once: one thread writes, the others wait for what it says.

    request ─┐                        ┌─► answers, once durable
    request ─┼─► queue ─► writer ─────┤
    request ─┘     one transaction    └─► published at most once a second

Whoever asks waits until the transaction is durable; requests that come meanwhile share
the next one. A batch that is all or none has a transaction of its own. Publishing
follows by itself, and at the end; witnesses are asked by somebody else, so that nothing
here ever waits for them.

A home that may not hold what was written to it ends the intake: whoever still waits
learns that it is unknown whether the event was stored, and that it is safe to send it
again. `close` then raises what happened.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING
from typing import NamedTuple
from typing import NoReturn
from typing import Self

from ledger.entry.envelope import parse_event
from ledger.errors import HomeError
from ledger.errors import InputError
from ledger.errors import LedgerError
from ledger.events.identity import LogKey
from ledger.events.registry import manifest_refs
from ledger.events.registry import parse_body
from ledger.uploads import Uploads

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Sequence

    from ledger.entry.sign import SignedEvent
    from ledger.log import Appended
    from ledger.tlog.ed25519 import SigningKey
    from ledger.writer import Writer

PUBLISH_EVERY_SECONDS = 1.0
IDLE_SECONDS = 60.0
WAITING_MAX = 256
EVENTS_TOGETHER_MAX = 4_096

_PASSING = frozenset(
    ["clock-ahead", "clock-behind", "disk-full", "level-unknown", "store-busy"]
)
"""Refusals of the home after which it can still be written, if its store answers."""

Answers = list["Appended | LedgerError"]
LOG_KEY_KIND = "log.key"
FindLogKey = Callable[[bytes], "SigningKey"]
"""Opens a log key by its public key."""


def log_key_not_here(public: bytes, why: str) -> InputError:
    """Refuse an event after which nothing could be published."""
    return InputError(
        "log-key-not-here",
        f"log key {public.hex()} would have to sign here, and cannot: {why}",
        hint="put its key file among those of the home first, under the passphrase of"
        " the log key that is there; 'linernote key rotate log --to URL' does both",
    )


def _find_none(public: bytes) -> NoReturn:
    raise log_key_not_here(public, "this server has the keys that it was started with")


class _Job(NamedTuple):
    events: Sequence[SignedEvent]
    atomic: bool
    answers: Future[Answers]


class Intake:
    """Takes events to an open home from any thread, until it is closed.

    Args:
        writer: of the home; from now on nobody else uses it.
        log_keys: sign checkpoints.
        find_log_key: opens another one by its public key, for an event that adds it;
            raises `log-key-not-here` for one that it does not have.
        on_published: is told the size of each checkpoint; must not take long.
        on_failure: is called once the intake has ended by itself.
    """

    def __init__(
        self,
        writer: Writer,
        log_keys: Sequence[SigningKey],
        *,
        find_log_key: FindLogKey = _find_none,
        on_published: Callable[[int], object] = lambda _: None,
        on_failure: Callable[[], object] = lambda: None,
    ) -> None:
        self.home = writer.home
        writer.home.staging.mkdir(mode=0o700, exist_ok=True)
        self.uploads = Uploads(writer.home.staging, writer.identity.log)
        self._writer = writer
        self._log_keys = tuple(log_keys)
        self._find_log_key = find_log_key
        self._finding = threading.Lock()
        self._on_published = on_published
        self._on_failure = on_failure
        self._jobs: queue.Queue[_Job | None] = queue.Queue()
        self._at_hand: list[_Job] = []
        self._failure: BaseException | None = None
        self._ended = False
        self._denied: BaseException | None = None
        self._door = threading.Lock()
        self._published = writer.publish(*log_keys).size
        self._news = threading.Condition()
        self._due = float("inf")
        self._told = time.monotonic() - PUBLISH_EVERY_SECONDS
        self._thread = threading.Thread(target=self._work, name="intake", daemon=True)
        self._thread.start()

    def append(self, events: Sequence[SignedEvent], *, atomic: bool = False) -> Answers:
        """Append events, and wait until they are durable.

        Args:
            events: signed, in order.
            atomic: all or none; otherwise each stands for itself.

        Returns:
            An answer or the refusal for each event, in order.

        Raises:
            LedgerError: the first refusal, if `atomic`; nothing was appended.
            InputError: `log-key-not-here`; nothing was appended.
            HomeError: `intake-full`, `intake-ended`; as `Log.append`.
        """
        self._find_log_keys(events)
        job = _Job(events, atomic and len(events) > 1, Future())
        with self._door:
            if self._ended:
                raise _ended()
            if self._jobs.qsize() >= WAITING_MAX:
                raise HomeError(
                    "intake-full",
                    f"{WAITING_MAX} requests wait already",
                    hint="send the same events again in a moment",
                )
            self._jobs.put(job)
        answers = job.answers.result()
        for answer in answers:
            if atomic and isinstance(answer, LedgerError):
                raise answer  # of a batch of one
        return answers

    def wait_published(self, index: int, seconds: float) -> bool:
        """Wait until a checkpoint covers an entry; tell whether one does."""
        with self._news:
            return self._news.wait_for(
                lambda: self._published > index or self._ended, seconds
            )

    def end(self, error: BaseException) -> None:
        """Take no more and publish no more: somebody found out why not.

        Args:
            error: says so; `close` raises it.
        """
        self._denied = error
        self._jobs.put(None)  # wakes the one that writes

    def close(self) -> None:
        """Take no more, append what waits, publish.

        Raises:
            BaseException: what ended the intake before.
        """
        with self._door:
            if not self._ended:
                self._ended = True
                self._jobs.put(None)
        self._thread.join()
        self.uploads.close()
        if self._failure is not None:
            raise self._failure

    def __enter__(self) -> Self:
        """Use as a context."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def _find_log_keys(self, events: Sequence[SignedEvent]) -> None:
        """Open the keys that events add before the events are appended.

        After them no checkpoint could be signed without these keys, and none published.
        """
        for position, signed in enumerate(events):
            public = _added_log_key(signed)
            if public is None:
                continue
            with self._finding:
                if any(key.public == public for key in self._log_keys):
                    continue
                try:
                    found = self._find_log_key(public)
                except LedgerError as error:
                    error.position = position if len(events) > 1 else None
                    raise
                self._log_keys = (*self._log_keys, found)

    def _work(self) -> None:
        """Be the one thread that writes."""
        try:
            while (jobs := self._next()) is not None:
                self._at_hand = jobs
                self._check_not_denied()
                self._append(jobs)
                self.uploads.expire()
                if time.monotonic() >= self._due:
                    self._publish()
            self._publish()
        except BaseException as error:  # noqa: BLE001 (told by `close`, which raises it)
            self._failure = error
            self._refuse_the_rest()
            self._on_failure()

    def _check_not_denied(self) -> None:
        if self._denied is not None:
            raise self._denied

    def _next(self) -> list[_Job] | None:
        """Wait for work: all that is there, or nothing if it is time to publish.

        Returns:
            Requests in the order in which they came; None after the last.
        """
        wait = min(IDLE_SECONDS, max(0.0, self._due - time.monotonic()))
        jobs: list[_Job] = []
        count = 0
        try:
            job = self._jobs.get(timeout=wait)
            while job is not None:
                jobs.append(job)
                count += len(job.events)
                if count >= EVENTS_TOGETHER_MAX:
                    return jobs
                job = self._jobs.get_nowait()
        except queue.Empty:
            return jobs
        if jobs:
            self._jobs.put(None)  # what came before the end goes first
        return jobs or None

    def _append(self, jobs: list[_Job]) -> None:
        together: list[_Job] = []
        for job in jobs:
            if job.atomic:
                self._append_each(together)
                self._append_atomic(job)
                together = []
            else:
                together.append(job)
        self._append_each(together)

    def _append_each(self, jobs: list[_Job]) -> None:
        """Append requests whose events stand for themselves in one transaction."""
        events = [event for job in jobs for event in job.events]
        if not events:
            return
        try:
            answers = self._write(events, atomic=False)
        except BaseException as error:  # noqa: BLE001 (raised again, if need be)
            _answer_all(jobs, error)
            self._go_on_or_raise(error)
            return
        start = 0
        for job in jobs:
            stop = start + len(job.events)
            job.answers.set_result(answers[start:stop])
            start = stop

    def _append_atomic(self, job: _Job) -> None:
        try:
            answers = self._write(job.events, atomic=True)
        except BaseException as error:  # noqa: BLE001 (raised again, if need be)
            _answer_all([job], error)
            self._go_on_or_raise(error)
            return
        job.answers.set_result(answers)

    def _write(self, events: Sequence[SignedEvent], *, atomic: bool) -> Answers:
        with self.uploads.held(_needed(events) if len(self.uploads) else ()):
            answers = self._writer.log.append(events, self.uploads, atomic=atomic)
        taken = [
            event
            for event, answer in zip(events, answers, strict=True)
            if not isinstance(answer, LedgerError)
        ]
        if taken:
            self._due = self._told + PUBLISH_EVERY_SECONDS
        if taken and len(self.uploads):
            self.uploads.drop(root for event in taken for root in _roots(event))
        return answers

    def _go_on_or_raise(self, error: BaseException) -> None:
        """Raise what the home does not survive."""
        if not isinstance(error, LedgerError) or error.exit_code == 1:
            raise error  # a bug of ours
        if not isinstance(error, HomeError):
            return
        if error.code not in _PASSING:
            raise error
        try:
            self._writer.log.store.size()
        except LedgerError:
            raise error from None

    def _publish(self) -> None:
        self._check_not_denied()
        size = self._writer.publish(*self._log_keys).size
        self._due = float("inf")
        self._told = time.monotonic()
        with self._news:
            self._published = size
            self._news.notify_all()
        self._on_published(size)

    def _refuse_the_rest(self) -> None:
        with self._door:
            self._ended = True
            left: list[_Job | None] = [*self._at_hand]
            while not self._jobs.empty():
                left.append(self._jobs.get_nowait())
        for job in left:
            if job is not None and not job.answers.done():
                job.answers.set_exception(_ended())
        with self._news:
            self._news.notify_all()


def _answer_all(jobs: list[_Job], error: BaseException) -> None:
    for job in jobs:
        job.answers.set_exception(error)


def _needed(events: Iterable[SignedEvent]) -> Iterator[bytes]:
    """Give the roots that events bring in, as far as these can be read."""
    for event in events:
        with suppress(LedgerError):
            yield from _roots(event)


def _roots(signed: SignedEvent) -> list[bytes]:
    event = parse_event(signed.event)
    body = parse_body(event.kind, event.body)
    return [ref.root for _, ref in manifest_refs(event.kind, body)]


def _added_log_key(signed: SignedEvent) -> bytes | None:
    """Give the public key that an event adds to those of the log, if it does."""
    if LOG_KEY_KIND.encode() not in signed.event:
        return None  # most are told without being parsed
    try:
        event = parse_event(signed.event)
        body = parse_body(event.kind, event.body)
    except LedgerError:
        return None  # the log says what is the matter with it
    if isinstance(body, LogKey) and body.action == "add":
        return body.public
    return None


def _ended() -> HomeError:
    return HomeError(
        "intake-ended",
        "the log takes no more events: this was not appended",
        hint="send the same events again once it is back",
    )
