"""Accounts and postings: double entry per society and currency (money.md §8).

An account is (society, class, type, subject, currency); a control account
lacks the subject. A posting adds a signed amount to one account, debit
positive. The postings of an entry add up to zero per society and currency.

>>> society = bytes(16)
>>> legs = (
...     Posting(society, "receivable", b"lab", "SEK", 125),
...     Posting(society, "due", b"pool", "SEK", -100),
...     Posting(society, "vat", b"", "SEK", -25),
... )
>>> check_balanced(control_sums(legs))
>>> CLASSES["receivable"]
'asset'
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ledger.errors import InvariantError

if TYPE_CHECKING:
    from collections.abc import Iterable

CLASSES = {
    "cultural": "liability",
    "charges": "expense",
    "due": "liability",
    "fee": "income",
    "in_transit": "liability",
    "payable": "liability",
    "pool": "liability",
    "prepaid": "liability",
    "receivable": "asset",
    "reserve": "liability",
    "suspense": "liability",
    "tax": "liability",
    "trust": "asset",
    "vat": "liability",
}
"""Class of each account type."""

Subject = bytes | tuple[str, str]
"""Party or pool id; recording and side in suspense; empty where none is kept."""


class Posting(msgspec.Struct, frozen=True, gc=False):
    """One leg of an entry.

    Attributes:
        society: whose books.
        type: account type, a key of `CLASSES`.
        subject: who or what within the control account.
        currency: code.
        amount: micro-units, debit positive.
        line: manifest line that it comes from, counted from 1; 0 if none.
    """

    society: bytes
    type: str
    subject: Subject
    currency: str
    amount: int
    line: int = 0


ControlSums = dict[tuple[bytes, str], dict[str, int]]
"""µ by account type, for each (society, currency)."""


def control_sums(postings: Iterable[Posting]) -> ControlSums:
    """Add postings up per control account."""
    sums: ControlSums = {}
    for posting in postings:
        book = sums.setdefault((posting.society, posting.currency), {})
        book[posting.type] = book.get(posting.type, 0) + posting.amount
    return sums


def check_balanced(sums: ControlSums) -> None:
    """Stop unless control sums add up to zero per society and currency.

    Raises:
        InvariantError: `unbalanced`; rules build balanced postings only.
    """
    for (society, currency), book in sums.items():
        total = sum(book.values())
        if total != 0:
            raise InvariantError(
                "unbalanced",
                f"postings of {society.hex()} in {currency} add up to {total} µ",
            )


def negate(postings: Iterable[Posting]) -> tuple[Posting, ...]:
    """Turn every posting round, as a reversal does."""
    return tuple(
        Posting(p.society, p.type, p.subject, p.currency, -p.amount, p.line)
        for p in postings
    )
