"""The life of money once more, small and slow: fractions, dictionaries, no log.

It shares no code with the ledger. Each act says by which code the ledger should
refuse it, or "" and then changes `accounts` as money.md §8 says.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from dataclasses import field
from fractions import Fraction
from math import floor
from typing import NamedTuple

Account = tuple[str, str]
"""(type, subject): a party, a recording, a due's number for its pool, or nothing."""

FEE, CULTURAL, RESERVE, TAX = (
    Fraction(9_600, 100_000),
    Fraction(1, 10),
    Fraction(1, 20),
    Fraction(3, 10),
)
MINOR = 10_000
NOBODY = "nobody"


class Line(NamedTuple):
    """A line of a payout."""

    gross: int
    tax: int
    state: str


@dataclass
class Due:
    """A bill, its pool, and what was paid on it."""

    net: int
    vat: int
    recordings: tuple[str, ...]
    paid: int = 0
    funded: int = 0
    closed: bool = False
    reversed: bool = False


@dataclass
class Act:
    """Something that can be reversed: what it posted, and what it was on."""

    kind: str
    legs: list[tuple[Account, int]]
    due: Due | None = None
    amount: int = 0
    funded: int = 0
    reversed: bool = False
    lines: dict[str, Line] = field(default_factory=dict)
    settled: bool = False


def share(total: int, weights: list[int]) -> list[int]:
    """Divide by largest remainder, earlier ones first among equals."""
    ideal = [Fraction(total * weight, sum(weights)) for weight in weights]
    parts = [floor(each) for each in ideal]
    order = sorted(range(len(parts)), key=lambda n: (parts[n] - ideal[n], n))
    for place in order[: total - sum(parts)]:
        parts[place] += 1
    return parts


class Model:
    """What the books of one society should be."""

    def __init__(self) -> None:
        self.accounts: Counter[Account] = Counter()
        self.tables: dict[str, list[tuple[str, int]]] = {}
        self.dues: list[Due] = []
        self.acts: list[Act] = []

    def _post(self, legs: list[tuple[Account, int]], sign: int = 1) -> None:
        for account, amount in legs:
            self.accounts[account] += sign * amount

    def _take(self, act: Act) -> str:
        trust = self.accounts["trust", ""]
        change = sum(amount for (type_, _), amount in act.legs if type_ == "trust")
        if change < 0 and trust + change < 0:
            return "trust-overdrawn"
        self._post(act.legs)
        self.acts.append(act)
        return ""

    def bill(self, net: int, vat: int, recordings: tuple[str, ...]) -> str:
        """Bill a new run."""
        number = len(self.dues)
        due = Due(net, vat, recordings)
        self.dues.append(due)
        legs = [
            (("receivable", "lab"), net + vat),
            (("due", str(number)), -net),
            (("vat", ""), -vat),
        ]
        return self._take(Act("due", legs, due))

    def pay(self, number: int, amount: int, extra: int, charges: int) -> str:
        """Take a payment in, of which `amount` is for a due."""
        due, gross = self.dues[number], amount + extra
        if gross == 0:
            return "bad-body"
        if charges > gross:
            return "payment-exceeded"
        if amount and due.reversed:
            return "due-unknown"
        if amount and due.closed:
            return "pool-closed"
        if amount > due.net + due.vat - due.paid:
            return "over-applied"
        legs = [(("trust", ""), gross - charges), (("charges", ""), charges)]
        funded = 0
        if amount:
            ratio = Fraction(due.net, due.net + due.vat)
            funded = floor((due.paid + amount) * ratio) - due.funded
            legs.append((("receivable", "lab"), -amount))
            legs.append((("due", str(number)), funded))
            legs.append((("pool", str(number)), -funded))
            due.paid += amount
            due.funded += funded
        legs.append((("prepaid", "lab"), -extra))
        return self._take(Act("payment", legs, due, amount, funded))

    def distribute(self, number: int) -> str:
        """Share a pool out."""
        due = self.dues[number]
        if due.reversed:
            return "pool-unknown"
        if due.closed:
            return "pool-closed"
        if due.paid < due.net + due.vat:
            return "due-unpaid"
        due.closed = True
        reserve = floor(due.funded * RESERVE)
        legs = [(("pool", str(number)), due.funded)]
        legs.append((("reserve", str(number)), -reserve))
        parts = share(due.funded - reserve, [1] * len(due.recordings))
        for recording, part in zip(due.recordings, parts, strict=True):
            table = self.tables[recording]
            amounts = share(part, [ppm for _, ppm in table])
            merged: Counter[str] = Counter()
            for (party, _), amount in zip(table, amounts, strict=True):
                merged[party] += amount
            for party, gross in merged.items():
                legs += self._line(recording, party, gross)
        return self._take(Act("distribution", legs, due))

    def _line(
        self, recording: str, party: str, gross: int
    ) -> list[tuple[Account, int]]:
        if party == NOBODY:
            return [(("suspense", recording), -gross)]
        fee = floor(gross * FEE)
        cultural = floor((gross - fee) * CULTURAL)
        return [
            (("fee", ""), -fee),
            (("cultural", ""), -cultural),
            (("payable", party), fee + cultural - gross),
        ]

    def pay_out(self) -> str:
        """Send everybody what is owed in whole minor units."""
        lines = {}
        legs: list[tuple[Account, int]] = []
        for (type_, party), amount in sorted(self.accounts.items()):
            gross = -amount // MINOR * MINOR if type_ == "payable" else 0
            if gross > 0:
                tax = floor(gross * TAX / MINOR) * MINOR
                lines[party] = Line(gross, tax, "transit")
                legs.append((("payable", party), gross))
                legs.append((("in_transit", ""), tax - gross))
                legs.append((("tax", ""), -tax))
        return self._take(Act("payout", legs, lines=lines))

    def settle(
        self, payout: Act, outcome: str, parties: list[str], charges: int
    ) -> str:
        """Say what became of some lines, or with no parties of all that fit."""
        wanted = "confirmed" if outcome == "returned" else "transit"
        if payout.reversed:
            return "payout-unknown"
        fitting = [p for p, line in payout.lines.items() if line.state == wanted]
        chosen = parties or fitting
        # The totals are held against what is left before the lines are.
        left, asked = _sums(payout, fitting), _sums(payout, chosen)
        checked = 2 if outcome == "returned" else 3
        if asked[0] == 0 or any(
            a > b for a, b in zip(asked[:checked], left[:checked], strict=True)
        ):
            return "result-exceeded"
        legs: list[tuple[Account, int]] = []
        for party in chosen:
            gross, tax, _ = payout.lines[party]
            legs += _result(outcome, party, gross, tax)
        legs += [(("charges", ""), charges), (("trust", ""), -charges)]
        probe = Act("result", legs)
        trust = sum(amount for (type_, _), amount in legs if type_ == "trust")
        if trust < 0 and self.accounts["trust", ""] + trust < 0:
            return "trust-overdrawn"
        if not set(chosen) <= set(fitting):
            return "result-line"
        for party in chosen:
            gross, tax, _ = payout.lines[party]
            payout.lines[party] = Line(gross, tax, outcome)
        payout.settled = True
        return self._take(probe)

    def reverse(self, act: Act) -> str:
        """Undo an act."""
        refused = self._irreversible(act)
        if refused:
            return refused
        undone = Act("reverse", [(account, -amount) for account, amount in act.legs])
        code = self._take(undone)
        if code:
            return code
        act.reversed = True
        if act.due and act.kind == "due":
            act.due.reversed = True
        elif act.due and act.kind == "payment":
            act.due.paid -= act.amount
            act.due.funded -= act.funded
        elif act.due:
            act.due.closed = False
        return ""

    def _irreversible(self, act: Act) -> str:
        due = act.due or Due(0, 0, ())
        reasons = {
            "not-reversible": act.kind in {"reverse", "result"},
            "already-reversed": act.reversed,
            "due-paid": act.kind == "due" and due.paid > 0,
            "pool-closed": due.closed
            and (act.kind == "due" or (act.kind == "payment" and act.amount > 0)),
            "payout-settled": act.settled,
        }
        return next((code for code, holds in reasons.items() if holds), "")


def _sums(payout: Act, parties: list[str]) -> tuple[int, int, int]:
    lines = [payout.lines[party] for party in parties]
    gross, tax = sum(line.gross for line in lines), sum(line.tax for line in lines)
    return gross, gross - tax, tax


def _result(
    outcome: str, party: str, gross: int, tax: int
) -> list[tuple[Account, int]]:
    sent = gross - tax
    if outcome == "confirmed":
        return [(("in_transit", ""), sent), (("trust", ""), -sent)]
    if outcome == "failed":
        return [
            (("in_transit", ""), sent),
            (("tax", ""), tax),
            (("payable", party), -gross),
        ]
    return [(("trust", ""), sent), (("payable", party), -sent)]
