r"""Asking witnesses to cosign our checkpoint (C2SP tlog-witness), all at once.

    add-checkpoint, from the size that the witness had last
      ├─► 200  cosignatures: verified, then merged
      ├─► 409  another size: once more, from there, unless it is beyond ours
      ├─► 422  our tree does not continue the one it cosigned
      └─► anything else, or nothing in time: what went wrong

Each witness has a thread and a connection of its own; none waits for another, and
after so many seconds nobody waits for any of them. A witness is believed in nothing:
its answer is bounded, a redirect is not followed, and a cosignature counts only if it
holds under the key that the policy names. Proofs are made in the caller's thread.

>>> from ledger.tlog.policy import parse_policy
>>> from ledger.tlog.ed25519 import SigningKey
>>> from ledger.tlog.checkpoint import Checkpoint, sign_checkpoint
>>> key = SigningKey(bytes(32))
>>> signed = sign_checkpoint(Checkpoint("a.example", 1, bytes(32)), "a.example", key)
>>> gather(parse_policy("quorum none\n"), signed, lambda old_size: []).outcomes
{}
"""

from __future__ import annotations

import time
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from queue import Empty
from queue import SimpleQueue
from typing import NamedTuple

from ledger.errors import LedgerError
from ledger.errors import UnverifiableError
from ledger.tlog.checkpoint import parse_checkpoint
from ledger.tlog.cosignature import cosignature_time
from ledger.tlog.cosignature import merge_signatures
from ledger.tlog.note import parse_note
from ledger.tlog.policy import Policy
from ledger.tlog.policy import Witness
from ledger.tlog.text import excerpt
from ledger.tlog.witness_messages import AddCheckpoint
from ledger.tlog.witness_messages import format_request
from ledger.tlog.witness_messages import open_answer
from ledger.tlog.witness_messages import parse_size
from ledger.witnessing.line import Answer
from ledger.witnessing.line import Line

SECONDS = 10.0
ROUNDS_MAX = 3
"""Asked, told another size, and once more where somebody else asked meanwhile."""
COSIGNED = "cosigned"
AHEAD = "witness-ahead"
DIFFERS = "witness-differs"

Prove = Callable[[int], Sequence[bytes]]
"""Proves that the checkpoint continues our tree of a smaller size, or an equal one."""

Heard = Callable[[str, "Outcome", str], object]
"""Is told a witness's name, what became of it, and the checkpoint cosigned so far."""


@dataclass(frozen=True)
class Outcome:
    """What became of asking a witness.

    Args:
        code: `cosigned`; `witness-ahead`, if it has a larger tree; `witness-differs`,
            if it has one that ours does not continue; or what else went wrong.
        message: the same in words.
        size: of what the witness cosigned last, as far as it said so.
        time_s: of its cosignature, seconds since 1970; 0 without one.
    """

    code: str
    message: str = ""
    size: int | None = None
    time_s: int = 0


class Gathered(NamedTuple):
    """What witnesses said.

    Attributes:
        text: the checkpoint, with every cosignature that holds.
        outcomes: by the witness's name in the policy; of those that have an address.
    """

    text: str
    outcomes: dict[str, Outcome]


def gather(
    policy: Policy,
    checkpoint: str,
    prove: Prove,
    *,
    known: Mapping[str, int] | None = None,
    seconds: float = SECONDS,
    heard: Heard = lambda *_: None,
    enough: Callable[[str], bool] = lambda _: False,
) -> Gathered:
    """Ask all witnesses of a policy that have an address.

    Args:
        policy: names them.
        checkpoint: signed by us.
        prove: gives the proof of consistency from a size up to the checkpoint's.
        known: what each witness cosigned last, by its name in the policy.
        seconds: after which no one is waited for.
        heard: is told of each witness as soon as there is something to tell.
        enough: tells of the checkpoint as cosigned so far whether the others need not
            be waited for; they have no outcome then.

    Raises:
        FormatError: the checkpoint is none.
    """
    asking = _Asking(checkpoint, prove, heard)
    for witness in policy.witnesses:
        if witness.url is not None:
            asking.start(witness, (known or {}).get(witness.name, 0), seconds)
    asking.listen(time.monotonic() + seconds, enough)
    names = [each.name for each in policy.witnesses if each.name in asking.outcomes]
    return Gathered(asking.text, {name: asking.outcomes[name] for name in names})


class _Asking:
    """One round of asking: lines to witnesses, and what they said so far."""

    def __init__(self, checkpoint: str, prove: Prove, heard: Heard) -> None:
        self.outcomes: dict[str, Outcome] = {}
        self.text = checkpoint
        self._tell = heard
        self._checkpoint = checkpoint
        self._size = parse_checkpoint(parse_note(checkpoint).text).size
        self._prove = prove
        self._heard: SimpleQueue[tuple[Line, Answer | LedgerError]] = SimpleQueue()
        self._lines: list[Line] = []
        self._from: dict[str, int] = {}

    def start(self, witness: Witness, old_size: int, seconds: float) -> None:
        """Begin to ask a witness."""
        try:
            line = Line(witness, seconds, self._heard)
        except LedgerError as error:
            self._note(witness.name, Outcome(error.code, error.message))
            return
        self._lines.append(line)
        self._ask(line, min(old_size, self._size))
        line.start()

    def listen(self, deadline: float, enough: Callable[[str], bool]) -> None:
        """Hear them, until all have said what they will, or enough, or it is time."""
        waiting = {line.witness.name for line in self._lines}
        while waiting and not enough(self.text):
            left = deadline - time.monotonic()
            try:
                line, answer = self._heard.get(timeout=max(0.0, left))
            except Empty:
                break
            outcome = self._hear(line, answer)
            if outcome is not None:
                waiting.remove(line.witness.name)
                self._note(line.witness.name, outcome)
        for line in self._lines:
            line.hang_up()
        for name in () if enough(self.text) else waiting:
            self._note(name, Outcome("timeout", "no answer in time"))

    def _note(self, name: str, outcome: Outcome) -> None:
        self.outcomes[name] = outcome
        self._tell(name, outcome, self.text)

    def _hear(self, line: Line, answer: Answer | LedgerError) -> Outcome | None:
        """Take an answer; None if the witness is asked once more."""
        try:
            if isinstance(answer, LedgerError):
                raise answer
            if answer.status == HTTPStatus.OK:
                return self._cosigned(line.witness, answer.body)
            old_size = self._from[line.witness.name]
            if answer.status == HTTPStatus.CONFLICT:
                size = parse_size(answer.body)
                if size == old_size == self._size:
                    return _differs(old_size, answer)
                return self._resync(line, size)
            if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY and old_size:
                return _differs(old_size, answer)
            raise _refused(answer)
        except LedgerError as error:
            return Outcome(error.code, error.message)

    def _cosigned(self, witness: Witness, body: bytes) -> Outcome:
        held = open_answer(body, self._checkpoint, [witness.vkey])
        newest = max(held, key=cosignature_time)
        self.text = merge_signatures(self.text, [newest])
        return Outcome(COSIGNED, "", self._size, cosignature_time(newest))

    def _resync(self, line: Line, size: int) -> Outcome | None:
        if size > self._size:
            ahead = f"it cosigned size {size} of this log, which is {self._size} here"
            return Outcome(AHEAD, ahead, size)
        if line.rounds == ROUNDS_MAX:
            return Outcome("stale-size", "it says another size each time", size)
        self._ask(line, size)
        return None

    def _ask(self, line: Line, old_size: int) -> None:
        proof = tuple(self._prove(old_size))
        self._from[line.witness.name] = old_size
        line.ask(format_request(AddCheckpoint(old_size, proof, self._checkpoint)))


def _differs(old_size: int, answer: Answer) -> Outcome:
    """Say that a witness denies our proof from what it cosigned, by its own words."""
    message = f"its tree of {old_size} entries is not the first part of ours"
    return Outcome(DIFFERS, f"{message}; it answers {_said(answer)}", old_size)


def _refused(answer: Answer) -> UnverifiableError:
    if 300 <= answer.status < 400:  # noqa: PLR2004 (the redirects of HTTP)
        return UnverifiableError(
            "redirected", f"it answers {answer.status}; redirects are not followed"
        )
    return UnverifiableError("refused", f"it answers {_said(answer)}")


def _said(answer: Answer) -> str:
    said = excerpt(answer.body.decode("utf-8", "replace").strip())
    return f"{answer.status}: {said}"
