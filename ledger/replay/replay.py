"""Replay: entries in, state out; total, deterministic, clock-free (format.md §6).

    replay(entries)         → public state
    replay(entries, lines)  → full state

`Replay.judge` says what an entry changes, or why it breaks a rule; it changes
nothing. `Replay.apply` goes on whatever happens: an entry that breaks a rule
moves its key's chain, becomes a problem, and changes nothing else. The appender
calls `judge` before it takes an event in, every auditor calls `apply`, so both
answer to the same rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any
from typing import Literal

import msgspec

from ledger.accounting.chart import CLASSES
from ledger.accounting.chart import ControlSums
from ledger.accounting.chart import Posting
from ledger.accounting.chart import check_balanced
from ledger.accounting.chart import control_sums
from ledger.accounting.money import AMOUNT_MAX
from ledger.entry.verify import key_id
from ledger.errors import ConflictError
from ledger.errors import InputError
from ledger.errors import InvariantError
from ledger.errors import LedgerError
from ledger.errors import UnverifiableError
from ledger.events.registry import LEVEL
from ledger.events.registry import MANIFEST_FIELDS
from ledger.events.registry import manifest_refs
from ledger.events.registry import parse_body
from ledger.replay.authority import check_authority
from ledger.replay.chain import LeafHashAt
from ledger.replay.chain import check_place
from ledger.replay.chain import move_chain
from ledger.replay.manifests import AlteredLinesError
from ledger.replay.manifests import LineSource
from ledger.replay.outcome import Context
from ledger.replay.outcome import Outcome
from ledger.replay.outcome import Problem
from ledger.replay.outcome import Put
from ledger.replay.outcome import ReplayEntry
from ledger.replay.rows import NEVER
from ledger.replay.rows import KeyRow
from ledger.replay.rows import ProblemRow
from ledger.replay.rules import FULL_RULES
from ledger.replay.rules import PUBLIC_RULES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ledger.entry.envelope import Event
    from ledger.events.types import Body
    from ledger.replay.state import State


RELIEF_ENTRIES = 512
"""After how many entries, or rows of one, tables are looked at for their size."""


class Judged(msgspec.Struct, frozen=True, gc=False):
    """What an entry changes.

    Attributes:
        puts: rows to set.
        postings: in the own book.
        body: what the event says; None where it says nothing to this code.
    """

    puts: tuple[Put, ...]
    postings: tuple[Posting, ...]
    body: Body | None


_NOTHING = Judged((), (), None)


class FullBookError(Exception):
    """Carries a refusal by a full rule up to where the book is noted."""

    def __init__(self, error: LedgerError) -> None:
        super().__init__(error.message)
        self.error = error


class Replay:
    """Applies entries to a state, one after the other.

    Args:
        state: where to go on; changed in place.
        leaf_hash_at: gives the leaf hash of any earlier entry.
        source: where the lines are; needed for the full book.
    """

    def __init__(
        self, state: State, leaf_hash_at: LeafHashAt, source: LineSource | None = None
    ) -> None:
        if state.book == "full" and source is None:
            raise InvariantError("no-lines", "the full book needs lines")
        self.state = state
        self._leaf_hash_at = leaf_hash_at
        self._source = source

    @property
    def understood(self) -> bool:
        """Tell whether the level in force is one that this code knows."""
        return self.state.level <= LEVEL

    def apply(self, entry: ReplayEntry, *, repeated: bool = False) -> Problem | None:
        """Take an entry in, whatever it is.

        Args:
            entry: the next entry, its bytes and signature verified.
            repeated: whether its author used this event id before.

        Raises:
            UnverifiableError, AlteredLinesError: lines are missing, or not those
                that were signed; the full book ends there.
            VerificationError: `genesis-misplaced` at entry 0: this is no log.
        """
        problem = None
        judged = _NOTHING
        try:
            judged = self.judge(entry, repeated=repeated)
        except FullBookError as refused:
            problem = _problem(entry, refused.error, "full")
        except (InvariantError, UnverifiableError, AlteredLinesError):
            raise
        except LedgerError as error:
            if entry.index == 0:
                raise
            problem = _problem(entry, error, "public")
        self.commit(entry, judged, problem)
        return problem

    def judge(self, entry: ReplayEntry, *, repeated: bool = False) -> Judged:
        """Say what an entry would change; change nothing.

        Raises:
            FullBookError: a full rule refuses it.
            LedgerError: its place, its authority or a public rule does.
        """
        state, event = self.state, entry.event
        if entry.index != state.size:
            raise InvariantError(
                "replay-order", f"entry {entry.index} after {state.size} entries"
            )
        key = check_place(state, entry, self._leaf_hash_at)
        if repeated:
            raise ConflictError(
                "id-reused", f"the author used event id {event.id.hex()} before"
            )
        if state.level > LEVEL:
            return _NOTHING
        body = parse_body(event.kind, event.body)
        check_authority(state, event, key or _genesis_key(event, body), body)
        context = Context(state, entry, self._source)
        manifests: Iterable[Put] = ()
        if MANIFEST_FIELDS[event.kind]:
            manifests = self._new_manifests(entry, body)
        outcome = PUBLIC_RULES[event.kind](context, body)
        sums = control_sums(outcome.postings) if outcome.postings else {}
        balances: list[Put] = []
        if sums:
            check_balanced(sums)
            balances = self._general(sums)
        if state.book == "full":
            # What the general ledger refuses, both books refuse alike: it comes first.
            if event.kind in FULL_RULES:
                outcome = self._judge_full(context, body, outcome, sums)
            if sums:
                balances += self._subsidiary(outcome.postings)
        puts = (*outcome.puts, *manifests, *balances)
        return Judged(puts, outcome.postings, body)

    def _judge_full(
        self,
        context: Context,
        body: Any,  # noqa: ANN401 (the rules' own)
        outcome: Outcome,
        sums: ControlSums,
    ) -> Outcome:
        try:
            full = FULL_RULES[context.entry.event.kind](context, body, outcome)
        except (InvariantError, UnverifiableError):
            raise
        except LedgerError as error:
            context.check_lines(body)
            raise FullBookError(error) from error
        if full is not outcome and control_sums(full.postings) != sums:
            raise InvariantError(
                "books-disagree", f"the two books of entry {context.index} differ"
            )
        return full

    def _new_manifests(self, entry: ReplayEntry, body: Any) -> list[Put]:  # noqa: ANN401
        puts: list[Put] = []
        for field, ref in manifest_refs(entry.event.kind, body):
            first = self.state.manifests.get(ref.root)
            if first is not None:
                raise ConflictError(
                    "manifest-root-reused",
                    f"{field}: entry {first} brought this root in",
                    hint="a root enters a log once; cite that entry instead",
                )
            puts.append((self.state.manifests, ref.root, entry.index))
        return puts

    def _general(self, sums: ControlSums) -> list[Put]:
        """Add the control sums to the general ledger's balances."""
        table = self.state.general
        get = table.get
        puts: list[Put] = []
        for (society, currency), book in sums.items():
            for type_, amount in book.items():
                if amount:
                    key = (society, CLASSES[type_], type_, currency)
                    balance = (get(key) or 0) + amount
                    if type_ == "trust" or not -AMOUNT_MAX <= balance <= AMOUNT_MAX:
                        _check_balance(type_, balance, amount)
                    puts.append((table, key, balance or None))
        return puts

    def _subsidiary(self, postings: tuple[Posting, ...]) -> list[Put]:
        """Add the postings to the balances of their accounts."""
        table = self.state.accounts
        get = table.get
        balances: dict[Any, int] = {}
        for p in postings:
            type_ = p.type
            key = (p.society, CLASSES[type_], type_, p.subject, p.currency)
            before = balances[key] if key in balances else get(key) or 0
            balances[key] = before + p.amount
        puts: list[Put] = []
        for key, balance in balances.items():
            # One account can outgrow the control account that it is a part of.
            if not -AMOUNT_MAX <= balance <= AMOUNT_MAX:
                message = "an account would exceed 2**63 - 1 µ"
                raise FullBookError(InputError("amount-too-large", message))
            puts.append((table, key, balance or None))
        return puts

    def commit(
        self, entry: ReplayEntry, judged: Judged, problem: Problem | None = None
    ) -> None:
        """Set what was judged, move the key's chain, and go on to the next entry."""
        state = self.state
        for table, key, value in judged.puts:
            table.put(key, value)
        if entry.event.kind == "genesis":
            state.begin_log()
        move_chain(state, entry)
        if problem is not None:
            row = ProblemRow(problem.code, problem.book, NEVER)
            state.problems.put(entry.index, row)
        elif entry.event.kind == "level" and self.understood:
            state.level += 1
        state.size += 1
        state.last_leaf = entry.leaf_hash
        state.last_time_ms = entry.time_ms
        if state.size % RELIEF_ENTRIES == 0 or len(judged.puts) > RELIEF_ENTRIES:
            state.relieve()


def _problem(
    entry: ReplayEntry, error: LedgerError, book: Literal["full", "public"]
) -> Problem:
    return Problem(entry.index, error.code, book, error.message)


def _genesis_key(event: Event, body: Any) -> KeyRow:  # noqa: ANN401
    """Find the key of genesis in its own body."""
    if event.key != key_id(body.root_key) or event.author != body.operator:
        raise InputError(
            "genesis-key", "genesis is signed by the operator's own root key"
        )
    return KeyRow(event.author, body.root_key, "root", 0, NEVER, 0, bytes(32))


def _check_balance(type_: str, balance: int, amount: int) -> None:
    if abs(balance) > AMOUNT_MAX:
        raise InputError("amount-too-large", f"{type_} would exceed 2**63 - 1 µ")
    if type_ == "trust" and balance < 0 and amount < 0:
        raise InputError(
            "trust-overdrawn",
            f"clients' money would fall to {balance} µ",
            hint="what leaves the trust account must have come in first",
        )
