"""What each event posts, by double entry (the table of money.md §8).

Every function is pure and returns balanced postings. Legs of amount zero are
left out. `line` numbers count the lines of the event's manifest from 1.

>>> for leg in due(bytes(16), b"lab", b"pool", "SEK", net=100, vat=25):
...     print(leg.type, leg.amount)
receivable 125
due -100
vat -25
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.accounting.chart import Posting

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Sequence

    from ledger.accounting.chart import Subject

Postings = tuple[Posting, ...]


def _legs(
    society: bytes, currency: str, legs: Sequence[tuple[str, Subject, int]]
) -> Postings:
    return tuple(
        [
            Posting(society, type_, subject, currency, amount)
            for type_, subject, amount in legs
            if amount
        ]
    )


def due(
    society: bytes, lab: bytes, pool: bytes, currency: str, *, net: int, vat: int
) -> Postings:
    """Receivable against Due and VAT: billed is not paid."""
    return _legs(
        society,
        currency,
        [("receivable", lab, net + vat), ("due", pool, -net), ("vat", b"", -vat)],
    )


def funding(paid_before: int, amount: int, *, net: int, vat: int) -> int:
    """How much of `amount`, paid on a due, funds its pool (money.md §4).

    Of a gross X cleared to date ⌊X·N/(N+V)⌋ funds the pool, so instalments of
    any size fund exactly N in the end.

    >>> [funding(x, 1, net=2, vat=1) for x in range(3)]
    [0, 1, 1]
    """
    whole = net + vat
    return (paid_before + amount) * net // whole - paid_before * net // whole


def payment(
    society: bytes,
    payer: bytes,
    currency: str,
    *,
    gross: int,
    charges: int,
    applications: Sequence[tuple[bytes, bytes, int, int]],
) -> Postings:
    """Trust and Charges against Receivable and Prepaid; Due against Pool.

    Args:
        society: whose books.
        payer: who paid; what is not applied is prepaid by them.
        currency: of every amount.
        gross: what the payer sent.
        charges: what the bank kept of it.
        applications: (lab, pool, amount, funded) for each due.
    """
    legs: list[tuple[str, Subject, int]] = [
        ("trust", b"", gross - charges),
        ("charges", b"", charges),
    ]
    applied = 0
    for lab, pool, amount, funded in applications:
        applied += amount
        legs += [
            ("receivable", lab, -amount),
            ("due", pool, funded),
            ("pool", pool, -funded),
        ]
    legs.append(("prepaid", payer, applied - gross))
    return _legs(society, currency, legs)


def distribution_totals(
    society: bytes,
    pool: bytes,
    currency: str,
    *,
    reserve: int,
    total: int,
    fee: int,
    cultural: int,
    net: int,
) -> Postings:
    """The general ledger's side: Pool against its six destinations' totals."""
    return _legs(
        society,
        currency,
        [
            ("pool", pool, total + reserve),
            ("reserve", pool, -reserve),
            ("fee", b"", -fee),
            ("cultural", b"", -cultural),
            ("payable", b"", -net),
            ("suspense", b"", fee + cultural + net - total),
        ],
    )


def distribution_lines(
    society: bytes,
    pool: bytes,
    currency: str,
    *,
    unallocated: int,
    payable: Iterable[tuple[int, bytes, int]],
    suspense: Iterable[tuple[int, tuple[str, str], int]],
) -> Postings:
    """The subsidiary ledger's side: who, within Payable and Suspense.

    Args:
        society: whose books.
        pool: subject of what no recording can be named for.
        currency: of every amount.
        unallocated: that amount.
        payable: (line, party, net).
        suspense: (line, (recording, side), gross).
    """
    legs = [
        Posting(society, "payable", party, currency, -net, line)
        for line, party, net in payable
        if net
    ]
    legs += [
        Posting(society, "suspense", cell, currency, -gross, line)
        for line, cell, gross in suspense
    ]
    if unallocated:
        legs.append(Posting(society, "suspense", pool, currency, -unallocated))
    return tuple(legs)


def payout_totals(
    society: bytes, currency: str, *, gross: int, sent: int, tax: int
) -> Postings:
    """Payable against InTransit and Tax."""
    return _legs(
        society,
        currency,
        [("payable", b"", gross), ("in_transit", b"", -sent), ("tax", b"", -tax)],
    )


def payout_lines(
    society: bytes, currency: str, lines: Iterable[tuple[int, bytes, int]]
) -> Postings:
    """Payable of each party of a payout: (line, party, gross)."""
    return tuple(
        Posting(society, "payable", party, currency, gross, line)
        for line, party, gross in lines
        if gross
    )


def payout_result(
    society: bytes,
    currency: str,
    outcome: str,
    *,
    gross: int,
    sent: int,
    tax: int,
    charges: int,
) -> Postings:
    """Confirmed, failed or returned; `gross` is credited back to Payable.

    A failed line never left: payment and tax are undone. A returned one was
    confirmed before and comes back as the sum sent; its tax stays withheld.
    """
    legs: list[tuple[str, Subject, int]]
    if outcome == "confirmed":
        legs = [("in_transit", b"", sent), ("trust", b"", -sent)]
    elif outcome == "failed":
        legs = [("in_transit", b"", sent), ("tax", b"", tax), ("payable", b"", -gross)]
    else:
        legs = [("trust", b"", sent), ("payable", b"", -sent)]
    legs += [("charges", b"", charges), ("trust", b"", -charges)]
    return _legs(society, currency, legs)
