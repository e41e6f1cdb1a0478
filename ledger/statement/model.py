"""What a statement consists of; all amounts in micro-units.

An account of a statement runs from its opening to its closing through lines, each
with the balance after it. `Statement.check` refuses one that does not add up.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.errors import HomeError


@dataclass(frozen=True)
class Step:
    """One sentence on the way from a training run to an amount.

    Attributes:
        words: in plain English.
        amount: what it comes to; None if it is no amount.
        entry: that says so; None if nothing but arithmetic does.
        sum: the arithmetic in figures; empty if there is none.
    """

    words: str
    amount: int | None = None
    entry: int | None = None
    sum: str = ""


@dataclass(frozen=True)
class Earned:
    """What a line earned: gross = fee + cultural + net; negative if taken back.

    Attributes:
        lab: who trained, with `run` and under `licence`, the grant's entry.
        work: of a composition; "" otherwise.
    """

    recording: str
    title: str
    side: str
    work: str
    lab: str
    run: str
    licence: int
    gross: int
    fee: int
    cultural: int
    net: int


@dataclass(frozen=True)
class Sent:
    """What a line paid out: gross = sent + tax; negative if it came back."""

    gross: int
    sent: int
    tax: int


@dataclass(frozen=True)
class Line:
    """One change of an account.

    Attributes:
        number: place in the account, from 1; it never changes.
        index: entry that changed it.
        time_ms: of that entry.
        kind: of that entry.
        society: whose books.
        words: what happened, in plain words.
        amount: added to the account.
        balance: of the account, after it.
        earned: set where a distribution gave or a reversal took.
        sent: set where money left for the bank or came back.
        steps: how the amount came about.
    """

    number: int
    index: int
    time_ms: int
    kind: str
    society: str
    words: str
    amount: int
    balance: int
    earned: Earned | None = None
    sent: Sent | None = None
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Account:
    """One account of a party.

    Attributes:
        type: `payable`, what the party is owed; `receivable`, what it has been
            billed and has not paid; `prepaid`, what it paid beyond its bills.
        opening: balance before the lines given here.
        closing: balance after them.
        earlier: how many lines there are before these.
        later: how many there are after these.
    """

    type: str
    currency: str
    exponent: int
    opening: int
    lines: tuple[Line, ...]
    closing: int
    earlier: int
    later: int


@dataclass(frozen=True)
class Note:
    """Money or use that concerns the party and is on none of its accounts.

    Attributes:
        code: `waiting`, money that waits for a recording's holders; `uncovered`, a
            use that no licence covers.
        entry: of the run; None for money that waits.
        amount: that waits for all holders of the recording together.
        ppm: the party's registered share.
    """

    code: str
    words: str
    recording: str
    side: str
    ppm: int
    currency: str = ""
    amount: int = 0
    entry: int | None = None


@dataclass(frozen=True)
class Statement:
    """A party's accounts after the first `size` entries of the log."""

    party: bytes
    name: str
    external: str
    origin: str
    size: int
    accounts: tuple[Account, ...]
    notes: tuple[Note, ...]

    def check(self) -> None:
        """Stop unless everything adds up.

        Raises:
            HomeError: `derived-damaged`.
        """
        for account in self.accounts:
            balance = account.opening
            for line in account.lines:
                balance += line.amount
                _demand(line.balance == balance, self, line.index)
                _demand(_parts_add_up(line), self, line.index)
            _demand(balance == account.closing, self, self.size)


def _parts_add_up(line: Line) -> bool:
    earned, sent = line.earned, line.sent
    if earned is not None:
        return (
            earned.gross == earned.fee + earned.cultural + earned.net
            and earned.net == line.amount
        )
    return sent is None or sent.gross == sent.sent + sent.tax


def _demand(holds: bool, statement: Statement, index: int) -> None:  # noqa: FBT001
    if not holds:
        raise derived_damaged(
            f"the statement of {statement.party.hex()} breaks at entry {index}"
        )


def derived_damaged(what: str) -> HomeError:
    """Say that the tables for questions contradict each other or the log."""
    return HomeError(
        "derived-damaged",
        what,
        hint="run 'linernote audit', then 'linernote rebuild': it derives the tables"
        " anew",
    )
