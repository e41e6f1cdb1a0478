"""A party: money, statement, shares, keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ledger.query import PartyView
from ledger.replay.rows import NEVER
from ledger.sentences import ROLES
from ledger.sentences import SIDES
from ledger.statement import Statement
from ledger.statement.model import Account
from ledger.statement.model import Line
from ledger.words import percent
from web.addresses import entry_address
from web.addresses import party_address
from web.addresses import recording_address
from web.present.basics import BAD
from web.present.basics import GOOD
from web.present.basics import WAITING
from web.present.basics import Amount
from web.present.basics import Status
from web.present.basics import When
from web.present.basics import amount
from web.present.basics import together
from web.present.basics import when
from web.present.items import Item
from web.present.items import item


@dataclass(frozen=True)
class Tile:
    """A figure with its name."""

    label: str
    amount: Amount


@dataclass(frozen=True)
class LineItem:
    """A line of a statement."""

    line: Line
    title: str
    about: str
    href: str
    when: When
    amount: Amount
    balance: Amount
    steps: tuple[tuple[str, str, Amount | None, str], ...]


@dataclass(frozen=True)
class AccountPart:
    """An account of a statement."""

    account: Account
    title: str
    opening: Amount
    closing: Amount
    lines: tuple[LineItem, ...]
    totals: tuple[Tile, ...]
    earlier_before: int


ACCOUNT_TITLES = {
    "payable": "What {name} is owed",
    "receivable": "What {name} was billed and has not paid",
    "prepaid": "What {name} paid in advance",
}


def account_part(name: str, account: Account) -> AccountPart:
    """Show an account."""

    def money(micro: int) -> Amount:
        return amount(micro, account.currency, account.exponent)

    lines = tuple(_line_item(line, money) for line in account.lines)
    earned = [line.earned for line in account.lines if line.earned is not None]
    sent = [line.sent for line in account.lines if line.sent is not None]
    sums = {
        "Gross": sum(each.gross for each in earned),
        "Fee": -sum(each.fee for each in earned),
        "Cultural": -sum(each.cultural for each in earned),
        "Sent to the bank": -sum(each.sent for each in sent),
        "Tax": -sum(each.tax for each in sent),
    }
    return AccountPart(
        account=account,
        title=ACCOUNT_TITLES[account.type].format(name=name),
        opening=money(account.opening),
        closing=money(account.closing),
        lines=lines,
        totals=tuple(
            Tile(label, money(micro)) for label, micro in sums.items() if micro
        ),
        earlier_before=account.lines[0].number if account.earlier else 0,
    )


def _line_item(line: Line, money: Callable[[int], Amount]) -> LineItem:
    title, about = line.words, line.society
    if line.earned is not None and line.kind == "distribution":
        earned = line.earned
        title = earned.title
        about = f"{SIDES[earned.side]}, run {earned.run} of {earned.lab}"
    return LineItem(
        line=line,
        title=title,
        about=about,
        href=entry_address(line.index),
        when=when(line.time_ms),
        amount=money(line.amount),
        balance=money(line.balance),
        steps=tuple(
            (
                step.words,
                step.sum,
                None if step.amount is None else money(step.amount),
                "" if step.entry is None else entry_address(step.entry),
            )
            for step in line.steps
        ),
    )


NOTES = {
    "uncovered": Status(*BAD, "Used without a licence"),
    "waiting": Status(*WAITING, "Waiting"),
}


@dataclass(frozen=True)
class HoldingItem:
    """A share that a party holds."""

    title: str
    href: str
    side: str
    share: str
    ppm: int
    role: str


@dataclass(frozen=True)
class PartyPage:
    """A party with its money, shares and entries."""

    party: PartyView
    id: str
    href: str
    statuses: tuple[Status, ...]
    tiles: tuple[Tile, ...]
    accounts: tuple[AccountPart, ...]
    notes: tuple[tuple[Status, str, str], ...]
    holdings: tuple[HoldingItem, ...]
    keys: tuple[tuple[str, Status, str], ...]
    entries: tuple[Item, ...]


def party_page(party: PartyView, statement: Statement) -> PartyPage:
    """Show a party."""
    return PartyPage(
        party=party,
        id=party.id.hex(),
        href=party_address(party.id),
        statuses=tuple(_party_statuses(party)),
        tiles=tuple(_tiles(party)),
        accounts=tuple(account_part(party.name, a) for a in statement.accounts),
        notes=tuple(
            (
                NOTES[note.code],
                together(note.words),
                recording_address(note.recording),
            )
            for note in statement.notes
        ),
        holdings=tuple(
            HoldingItem(
                title=each.title,
                href=recording_address(each.subject),
                side=SIDES[each.side],
                share=percent(each.ppm),
                ppm=each.ppm,
                role=each.role,
            )
            for each in party.holdings
        ),
        keys=tuple(
            (
                key.id.hex(),
                Status(*GOOD, "in force")
                if key.in_force
                else Status(*BAD, f"withdrawn by entry {key.revoked}"),
                "signs" if key.purpose == "sign" else "guards the others",
            )
            for key in party.keys
        ),
        entries=tuple(item(entry) for entry in party.entries),
    )


def _party_statuses(party: PartyView) -> list[Status]:
    statuses = [
        Status(*GOOD, f"Recognised as {ROLES[role]} (entry {index})")
        for role, index in party.roles
    ]
    if party.verified != NEVER:
        statuses.append(
            Status(*GOOD, f"Confirmed by a registrar (entry {party.verified})")
        )
    elif not party.roles:
        statuses.append(Status(*WAITING, "Not confirmed by a registrar yet"))
    return statuses


def _tiles(party: PartyView) -> list[Tile]:
    tiles = []
    for money in party.money:
        figures = {
            "Owed now": money.payable,
            "Credited so far": money.credited,
            "Paid out so far": money.paid,
            "Billed, not paid": money.owes,
            "Paid in advance": money.prepaid,
        }
        earning = bool(money.credited or money.paid)
        tiles += [
            Tile(label, amount(micro, money.currency, money.exponent))
            for label, micro in figures.items()
            if micro or (earning and label == "Owed now")
        ]
    return tiles
