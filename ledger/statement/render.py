"""A statement as text, JSON and CSV; none of them computes anything.

Text is for a terminal, JSON for programs (`ledger/docs/json.md`), CSV for a
spreadsheet: there, amounts are decimal text of the major unit, and what a party may
have called itself cannot become a formula.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from ledger.accounting.money import format_amount
from ledger.statement.model import Account
from ledger.statement.model import Line
from ledger.statement.model import Note
from ledger.statement.model import Statement
from ledger.words import moment

TITLES = {
    "payable": "owed to the party",
    "receivable": "billed to the party and not paid yet",
    "prepaid": "paid by the party in advance",
}
COLUMNS = (
    *("account", "currency", "number", "entry", "time", "kind", "society", "what"),
    *("recording", "title", "side", "work", "lab", "run", "licence"),
    *("gross", "fee", "cultural", "net", "sent", "tax", "amount", "balance"),
)
AMOUNT_WIDTH = 24
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def statement_json(statement: Statement) -> dict[str, Any]:
    """Give a statement as a JSON document; amounts are integer micro-units."""
    return {
        "party": statement.party.hex(),
        "external": statement.external or None,
        "name": statement.name,
        "origin": statement.origin,
        "size": statement.size,
        "accounts": [_account_json(account) for account in statement.accounts],
        "notes": [_note_json(note) for note in statement.notes],
    }


def _account_json(account: Account) -> dict[str, Any]:
    return {
        "account": account.type,
        "currency": account.currency,
        "exponent": account.exponent,
        "opening": account.opening,
        "lines": [_line_json(line) for line in account.lines],
        "closing": account.closing,
        "earlier": account.earlier,
        "later": account.later,
    }


def _line_json(line: Line) -> dict[str, Any]:
    document = {
        "number": line.number,
        "entry": line.index,
        "time_ms": line.time_ms,
        "kind": line.kind,
        "society": line.society,
        "words": line.words,
        "amount": line.amount,
        "balance": line.balance,
        "steps": [asdict(step) for step in line.steps],
    }
    for name, detail in (("earned", line.earned), ("sent", line.sent)):
        if detail is not None:
            document[name] = asdict(detail)
    return document


def _note_json(note: Note) -> dict[str, Any]:
    document = asdict(note)
    if not note.currency:
        del document["currency"], document["amount"]
    if note.entry is None:
        del document["entry"]
    return document


def statement_text(statement: Statement, *, explain: bool = False) -> str:
    """Write a statement for a terminal.

    Args:
        statement: to be written.
        explain: whether each line is followed by how its amount came about.
    """
    return "\n".join(_text_lines(statement, explain=explain)) + "\n"


def _text_lines(statement: Statement, *, explain: bool) -> Iterator[str]:
    known_as = f" ({statement.external})" if statement.external else ""
    yield f"Statement of {statement.name}{known_as}"
    yield f"party {statement.party.hex()}"
    yield f"{statement.origin}, after {statement.size:,} entries"
    if not statement.accounts:
        yield ""
        yield "No money has moved yet."
    for account in statement.accounts:
        yield ""
        yield from _account_text(account, explain=explain)
    if statement.notes:
        yield ""
        yield "Not on any account:"
        for note in statement.notes:
            yield f"  {note.words}."


def _account_text(account: Account, *, explain: bool) -> Iterator[str]:
    def money(micro: int) -> str:
        return format_amount(micro, account.exponent)

    yield f"{account.currency} {TITLES[account.type]}"
    if account.earlier:
        yield f"  {account.earlier:,} earlier lines are in the opening balance"
    yield f"  {'opening':<12}{money(account.opening):>{AMOUNT_WIDTH}}"
    for line in account.lines:
        yield ""
        yield f"  {line.words}"
        yield f"  {moment(line.time_ms)}, entry {line.index}, {line.society}"
        for name, micro in _sums(line):
            yield f"    {name:<10}{money(micro):>{AMOUNT_WIDTH}}"
        yield (
            f"    {'amount':<10}{money(line.amount):>{AMOUNT_WIDTH}}"
            f"    balance {money(line.balance)}"
        )
        if explain:
            for number, step in enumerate(line.steps, 1):
                yield f"      {number}. {_step_text(step.words, step.entry)}"
                if step.amount is not None:
                    equals = f"{step.sum} = " if step.sum else ""
                    yield f"         {equals}{money(step.amount)}"
    yield ""
    yield f"  {'closing':<12}{money(account.closing):>{AMOUNT_WIDTH}}"
    if account.later:
        yield f"  {account.later:,} later lines follow"


def _step_text(words: str, entry: int | None) -> str:
    return words if entry is None else f"{words} (entry {entry})"


def _sums(line: Line) -> list[tuple[str, int]]:
    earned, sent = line.earned, line.sent
    if earned is not None:
        return [
            ("gross", earned.gross),
            ("fee", -earned.fee),
            ("cultural", -earned.cultural),
        ]
    if sent is not None:
        return [("to bank", -sent.sent), ("tax", -sent.tax)]
    return []


def statement_csv(statement: Statement) -> str:
    """Write the lines of a statement as CSV, with opening and closing balances."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for account in statement.accounts:
        writer.writerow(_bound(account, "opening", account.opening))
        for line in account.lines:
            writer.writerow(_csv_line(account, line))
        writer.writerow(_bound(account, "closing", account.closing))
    return out.getvalue()


def _bound(account: Account, what: str, balance: int) -> dict[str, str]:
    shown = _plain(balance, account.exponent)
    return {
        "account": account.type,
        "currency": account.currency,
        "what": what,
        "balance": shown,
    }


def _csv_line(account: Account, line: Line) -> dict[str, str | int]:
    fields: dict[str, str | int] = {
        "account": account.type,
        "currency": account.currency,
        "number": line.number,
        "entry": line.index,
        "time": moment(line.time_ms),
        "kind": line.kind,
        "society": _cell(line.society),
        "what": _cell(line.words),
        "amount": _plain(line.amount, account.exponent),
        "balance": _plain(line.balance, account.exponent),
    }
    for detail in (line.earned, line.sent):
        for name, value in (asdict(detail) if detail is not None else {}).items():
            sum_ = name in {"gross", "fee", "cultural", "net", "sent", "tax"}
            fields[name] = _plain(value, account.exponent) if sum_ else _cell(value)
    return fields


def _plain(micro: int, exponent: int) -> str:
    return format_amount(micro, exponent).replace(",", "")


def _cell(value: str | int) -> str | int:
    """Keep text from being read as a formula."""
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value
