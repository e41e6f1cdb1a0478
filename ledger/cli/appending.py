"""Events to the log, file by file, and what became of each.

Events that are not signed yet are signed for the place that they will have, many at
a time: they form a chain, which a refusal breaks, and those after it are signed anew.
Events that were signed elsewhere are one batch for each file, all or none
(format.md §2).
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from typing import NamedTuple
from typing import Protocol

from ledger.cli.common import Progress
from ledger.cli.eventfiles import EventFile
from ledger.cli.eventfiles import lines_of
from ledger.cli.eventfiles import stage_lines
from ledger.cli.heads import head_of
from ledger.cli.signing import Desk
from ledger.cli.signing import Signer
from ledger.cli.signing import check_in_force
from ledger.cli.signing import new_id
from ledger.entry.envelope import parse_event
from ledger.errors import FormatError
from ledger.errors import HomeError
from ledger.errors import InvariantError
from ledger.errors import LedgerError
from ledger.errors import UnverifiableError
from ledger.events.json import body_from_json
from ledger.writer import now_ms

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence

    from ledger.ahead import Head
    from ledger.drafts import Draft
    from ledger.entry.sign import SignedEvent
    from ledger.log import Appended
    from ledger.staging import Staged

BATCH_MAX = 256


class Outcome(NamedTuple):
    """What became of an event, or of a file of signed ones that was refused.

    Attributes:
        where: it stood.
        kind: of the event; empty for a file.
        answer: of the log.
    """

    where: str
    kind: str
    answer: Appended | LedgerError


class Destination(Protocol):
    """A log that events go to, here or elsewhere."""

    def head(self, signer: Signer) -> Head:
        """Say where the log and the chain of a key stand.

        Raises:
            InputError: `key-unknown`.
            AuthorityError: `key-revoked`.
        """
        ...

    def stands(self, party: bytes, event_id: bytes) -> bool:
        """Tell whether it is known that an event stands on the log already."""
        ...

    def append(
        self, events: Sequence[SignedEvent], staged: Staged, *, atomic: bool = False
    ) -> Sequence[Appended | LedgerError]:
        """Append events, as `Log.append`."""
        ...


class HomeDestination:
    """The log in a home on this machine.

    Args:
        desk: of the home, open for writing.
    """

    def __init__(self, desk: Desk) -> None:
        self._log = desk.log

    def head(self, signer: Signer) -> Head:
        """Say where the log and the chain of a key stand."""
        check_in_force(self._log.state, signer)
        return head_of(self._log.state, signer.id)

    def stands(self, party: bytes, event_id: bytes) -> bool:
        """Tell whether an event stands on the log already."""
        return self._log.store.find_event(party, event_id) is not None

    def append(
        self, events: Sequence[SignedEvent], staged: Staged, *, atomic: bool = False
    ) -> Sequence[Appended | LedgerError]:
        """Append events, as `Log.append`."""
        return self._log.append(events, staged, atomic=atomic)


class Appending:
    """Takes files of events to a log.

    Args:
        log: that they go to.
        signer: signs what is not signed yet; None if everything is.
        staged: takes lines.
        line_files: body field to file of lines, for the single event.
    """

    def __init__(
        self,
        log: Destination,
        signer: Signer | None,
        staged: Staged,
        line_files: dict[str, Path],
    ) -> None:
        if signer is not None:
            log.head(signer)  # refuses a key that would be refused anyway
        self._log = log
        self._signer = signer
        self._staged = staged
        self._line_files = line_files

    def each(self, files: Sequence[EventFile]) -> list[Outcome]:
        """Append each event by itself, and each file of signed events.

        Raises:
            FormatError: an event is no event of its kind; nothing was appended.
            HomeError: the store failed.
        """
        self._check(files)
        outcomes: list[Outcome] = []
        for file in files:
            if file.signed:
                outcomes += self._signed_file(file)
            else:
                outcomes += self._drafts(file.drafts)
        return outcomes

    def all_or_none(self, files: Sequence[EventFile]) -> list[Outcome]:
        """Append the events of all files as one batch.

        Raises:
            LedgerError: the first refusal, and where it stands; nothing was appended.
        """
        self._check(files)
        drafts = [draft for file in files for draft in file.drafts]
        made = iter(self._sign(drafts))
        events: list[SignedEvent] = []
        names: list[str] = []
        for file in files:
            self._stage(file)
            events += file.signed or [next(made) for _ in file.drafts]
            names += [draft.where for draft in file.drafts] or _names(file)
        with _naming(names):
            answers = self._log.append(events, self._staged, atomic=True)
        return _outcomes(names, events, answers)

    def _check(self, files: Sequence[EventFile]) -> None:
        """Refuse what can never be an event, before anything is appended."""
        if self._line_files:
            return  # the single event is complete only with its lines
        for file in files:
            for draft in file.drafts:
                try:
                    body_from_json(draft.kind, draft.body)
                except FormatError as error:
                    message = f"{draft.where}: {error.message}"
                    raise FormatError(error.code, message, hint=error.hint) from None

    def _stage(self, file: EventFile) -> None:
        if self._line_files:
            for signed in file.signed:
                stage_lines(signed, self._line_files, self._staged)

    def _signed_file(self, file: EventFile) -> list[Outcome]:
        self._stage(file)
        try:
            with _naming([f"line {n}" for n, _ in enumerate(file.signed, 1)]):
                answers = self._log.append(file.signed, self._staged, atomic=True)
        except (HomeError, InvariantError):
            raise
        except UnverifiableError as error:
            if error.code != "manifest-lines-missing":
                raise
            return [Outcome(file.name, "", _say_lines(error))]
        except LedgerError as error:
            return [Outcome(file.name, "", error)]
        return _outcomes(_names(file), file.signed, answers)

    def _drafts(self, drafts: Sequence[Draft]) -> Iterator[Outcome]:
        done, batch = 0, BATCH_MAX
        with Progress("appending") as progress:
            while done < len(drafts):
                taken = drafts[done : done + batch]
                events = self._sign(taken)
                answers = self._log.append(events, self._staged)
                outcomes = _outcomes([d.where for d in taken], events, answers)
                settled = _settled(outcomes)
                yield from outcomes[:settled]
                done += settled
                # What came after a break in the chain is signed anew.
                whole = settled == len(outcomes) and _took(outcomes[-1])
                batch = min(2 * batch, BATCH_MAX) if whole else 1
                progress(done, len(drafts))

    def _sign(self, drafts: Sequence[Draft]) -> list[SignedEvent]:
        """Sign events for the places that they would have now."""
        signer = self._signer
        if not drafts:
            return []
        if signer is None:
            raise InvariantError("no-signer", "events to sign, and nobody to do it")
        head = self._log.head(signer)
        party = signer.file.party
        chain = head.chain(signer.key, party)
        signed = []
        for draft in drafts:
            known = draft.id is not None and self._log.stands(party, draft.id)
            # One that stands on the log already takes no new place.
            place = head.chain(signer.key, party) if known else chain
            event = place.sign(
                draft,
                event_id=new_id(),
                time=now_ms(),
                lines=lines_of(draft.kind, self._line_files),
                staged=self._staged,
            )
            signed.append(event)
        return signed


@contextmanager
def _naming(names: Sequence[str]) -> Iterator[None]:
    """Say where an event stands by which a batch was refused."""
    try:
        yield
    except LedgerError as error:
        if error.position is None or not 0 <= error.position < len(names):
            raise
        message = f"{names[error.position]}: {error.message}"
        raise type(error)(error.code, message, hint=error.hint) from error


def _settled(outcomes: Sequence[Outcome]) -> int:
    """Count the outcomes that are final.

    Events form a chain, which breaks after one that was refused, and after one that
    stood there before and so took no place: refusals from there on say nothing of
    the events themselves.
    """
    broken = False
    for place, outcome in enumerate(outcomes):
        if isinstance(outcome.answer, LedgerError):
            return place if broken else place + 1
        broken |= outcome.answer.repeated
    return len(outcomes)


def _took(outcome: Outcome) -> bool:
    return not isinstance(outcome.answer, LedgerError)


def _say_lines(error: UnverifiableError) -> UnverifiableError:
    """Say what an appender does about lines that are missing."""
    return UnverifiableError(
        error.code,
        error.message,
        hint="give the file that was signed: --lines FIELD=FILE",
    )


def _names(file: EventFile) -> list[str]:
    return [f"{file.name}, line {n}" for n, _ in enumerate(file.signed, 1)]


def _outcomes(
    names: Sequence[str],
    events: Sequence[SignedEvent],
    answers: Sequence[Appended | LedgerError],
) -> list[Outcome]:
    return [
        Outcome(name, parse_event(signed.event).kind, answer)
        for name, signed, answer in zip(names, events, answers, strict=True)
    ]
