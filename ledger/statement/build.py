"""From a party's postings to its statement."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace
from typing import Any

from ledger.accounting.chart import CLASSES
from ledger.events.lines import DistributionLine
from ledger.sentences import SIDES
from ledger.statement.explain import explain
from ledger.statement.holdings import notes
from ledger.statement.model import Account
from ledger.statement.model import Earned
from ledger.statement.model import Line
from ledger.statement.model import Sent
from ledger.statement.model import Statement
from ledger.statement.model import Step
from ledger.statement.sources import ReadEntry
from ledger.statement.sources import Sources
from ledger.storage.base import PostingRow

ACCOUNTS = {
    "payable": ("liability", "payable"),
    "receivable": ("asset", "receivable"),
    "prepaid": ("liability", "prepaid"),
}
"""Accounts whose subject is a party, and their class and type."""

POSTINGS_READ = 4_096


@dataclass(frozen=True)
class Window:
    """Which lines of each account to give: the newest `limit` below number `before`.

    None stands for all of them.
    """

    limit: int | None = None
    before: int | None = None

    def of(self, count: int) -> tuple[int, int]:
        """Give the bounds within an account of so many lines."""
        stop = count if self.before is None else max(0, min(count, self.before - 1))
        start = 0 if self.limit is None else max(0, stop - self.limit)
        return start, stop


WHOLE = Window()


def build_statement(
    sources: Sources, party: bytes, window: Window = WHOLE
) -> Statement:
    """Build the statement of a party that is on the log.

    Args:
        sources: what may be read; one and the same state for all of it.
        party: whose statement.
        window: which lines; by default the whole statement.

    Raises:
        HomeError: `derived-damaged`.
    """
    statement = Statement(
        party=party,
        name=sources.words.party(party),
        external=sources.words.external(party),
        origin=sources.state.need_log().origin,
        size=sources.state.size,
        accounts=tuple(_accounts(sources, party, window)),
        notes=tuple(notes(sources, party)),
    )
    statement.check()
    return statement


def _accounts(sources: Sources, party: bytes, window: Window) -> Iterator[Account]:
    for currency, exponent in sources.currencies.items():
        legs = list(_legs(sources, party, currency))
        for type_, account in ACCOUNTS.items():
            own = [leg for leg in legs if leg.account_type == type_]
            if own:
                built = _account(sources, own, currency, exponent, window)
                if not built.later:
                    sign = -1 if account[0] == "liability" else 1
                    balance = sign * sources.balance(account, party, currency)
                    built = replace(built, closing=balance)
                yield built


def _legs(sources: Sources, party: bytes, currency: str) -> Iterator[PostingRow]:
    after: tuple[int, int] | None = None
    read = sources.store.postings_of_party
    while legs := read(party, currency, after, POSTINGS_READ):
        yield from legs
        after = (legs[-1].entry_index, legs[-1].leg)


def _account(
    sources: Sources,
    legs: list[PostingRow],
    currency: str,
    exponent: int,
    window: Window,
) -> Account:
    start, stop = window.of(len(legs))
    sign = -1 if CLASSES[legs[0].account_type] == "liability" else 1
    opening = balance = sign * sum(leg.amount for leg in legs[:start])
    lines = []
    for number, leg in enumerate(legs[start:stop], start + 1):
        balance += sign * leg.amount
        lines.append(_line(sources, leg, number, sign * leg.amount, balance))
    return Account(
        type=legs[0].account_type,
        currency=currency,
        exponent=exponent,
        opening=opening,
        lines=tuple(lines),
        closing=balance,
        earlier=start,
        later=len(legs) - stop,
    )


def _line(
    sources: Sources, leg: PostingRow, number: int, amount: int, balance: int
) -> Line:
    entry = sources.entry(leg.entry_index)
    told = _TELLERS[entry.kind](sources, entry, leg)
    return Line(
        number=number,
        index=entry.index,
        time_ms=entry.time_ms,
        kind=entry.kind,
        society=sources.words.party(leg.society),
        words=told.words,
        amount=amount,
        balance=balance,
        earned=told.earned,
        sent=told.sent,
        steps=told.steps,
    )


@dataclass(frozen=True)
class _Told:
    words: str
    earned: Earned | None = None
    sent: Sent | None = None
    steps: tuple[Step, ...] = ()


def _distribution(sources: Sources, entry: ReadEntry, leg: PostingRow) -> _Told:
    root = entry.body.lines.root
    line: DistributionLine = sources.lines.at("distribution/lines", root, leg.line)
    earned = _earned(sources, entry, line)
    return _Told(
        words=f"Training run {earned.run} of {earned.lab}: {SIDES[earned.side]} of"
        f" {earned.title}",
        earned=earned,
        steps=tuple(explain(sources, entry, line)),
    )


def _earned(sources: Sources, entry: ReadEntry, line: DistributionLine) -> Earned:
    return Earned(
        recording=line.recording,
        title=sources.words.recording(line.recording),
        side=line.side,
        work=line.work if isinstance(line.work, str) else "",
        lab=sources.words.lab_of(entry.body.licence),
        run=entry.body.run,
        licence=entry.body.licence,
        gross=line.gross,
        fee=line.fee,
        cultural=line.cultural,
        net=line.net,
    )


def _payout(sources: Sources, entry: ReadEntry, leg: PostingRow) -> _Told:
    line: Any = sources.lines.at("payout/batch", entry.body.batch.root, leg.line)
    steps = [
        Step("The balance, rounded down to what a bank can send.", line.gross),
        Step("This went to the bank.", line.sent, entry.index),
    ]
    if line.tax:
        steps.insert(1, Step("Tax was withheld.", -line.tax, entry.index))
    sent = Sent(line.gross, line.sent, line.tax)
    return _Told("Paid out", sent=sent, steps=tuple(steps))


def _payout_result(sources: Sources, entry: ReadEntry, leg: PostingRow) -> _Told:
    row = sources.state.payout_lines.need((entry.body.payout, leg.party or b""))
    paid = Step("This had been paid out.", row.gross, entry.body.payout)
    if entry.body.outcome == "failed":
        sent = Sent(-row.gross, -row.sent, -row.tax)
        words, back = "A payout did not go through", "All of it is owed again."
    else:
        # The tax stays withheld: only what was sent can come back.
        sent = Sent(-row.sent, -row.sent, 0)
        words, back = "A payout came back", "What was sent is owed again."
    step = Step(back, -sent.gross, entry.index)
    return _Told(words, sent=sent, steps=(paid, step))


def _due(sources: Sources, entry: ReadEntry, leg: PostingRow) -> _Told:  # noqa: ARG001
    body = entry.body
    steps = [
        Step(
            f"The price for {body.quantity:,} licensed recordings.",
            body.net,
            entry.index,
        ),
        Step("VAT on top.", body.vat, entry.index),
    ]
    shown = tuple(step for step in steps if step.amount)
    return _Told(f"Billed for training run {body.run}", steps=shown)


def _payment(sources: Sources, entry: ReadEntry, leg: PostingRow) -> _Told:
    body = entry.body
    if leg.account_type == "prepaid":
        return _Told("Paid in advance")
    money = sources.words.amount(body.gross, body.currency)
    step = Step(f"Part of a payment of {money}.", -leg.amount, entry.index)
    return _Told("Payment received", steps=(step,))


def _reverse(sources: Sources, entry: ReadEntry, leg: PostingRow) -> _Told:
    """Tell what was undone, with its sums turned round."""
    target = sources.entry(entry.body.entry)
    undone = _TELLERS[target.kind](sources, target, leg)
    earned, sent = undone.earned, undone.sent
    if earned is not None:
        earned = replace(
            earned,
            gross=-earned.gross,
            fee=-earned.fee,
            cultural=-earned.cultural,
            net=-earned.net,
        )
    if sent is not None:
        sent = Sent(-sent.gross, -sent.sent, -sent.tax)
    cause = Step(f"Undone (cause: {entry.body.cause}).", entry=entry.index)
    first = Step("What was undone:", entry=target.index)
    return _Told(f"Undone: {undone.words}", earned, sent, (cause, first, *undone.steps))


_TELLERS: dict[str, Callable[[Sources, ReadEntry, PostingRow], _Told]] = {
    "distribution": _distribution,
    "due": _due,
    "payment.received": _payment,
    "payout": _payout,
    "payout.result": _payout_result,
    "reverse": _reverse,
}
