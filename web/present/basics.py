"""Amounts, times and statuses as they are shown."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ledger.accounting.money import format_amount
from ledger.accounting.money import minor_unit_micro
from ledger.words import moment

_CURRENCY = re.compile(r"\b([A-Z]{3}) (?=[\d−-])")
MINUTES = len("2025-11-24 16:00")


@dataclass(frozen=True)
class Amount:
    """An amount: up to the minor unit, and what lies below it."""

    currency: str
    whole: str
    tail: str
    negative: bool


def amount(micro: int, currency: str, exponent: int) -> Amount:
    """Part an amount where a bank would cut it off.

    >>> amount(-100_512_615, "SEK", 2)
    Amount(currency='SEK', whole='−100.51', tail='2615', negative=True)
    """
    rest = abs(micro) % minor_unit_micro(exponent)
    whole = format_amount(abs(micro) - rest, exponent)
    full = format_amount(abs(micro), exponent)
    sign = "−" if micro < 0 else ""
    tail = full[len(whole) :]
    return Amount(currency, sign + whole, tail, micro < 0)


def together(text: str) -> str:
    r"""Keep a currency and its figures on one line of the page.

    >>> together("billed SEK 5.00").split(" ")
    ['billed', 'SEK\xa05.00']
    """
    return _CURRENCY.sub("\\1\xa0", text)


@dataclass(frozen=True)
class Status:
    """How something stands: `level` is good, waiting or bad."""

    level: str
    icon: str
    words: str


GOOD, WAITING, BAD = ("good", "✓"), ("waiting", "○"), ("bad", "✗")


@dataclass(frozen=True)
class When:
    """A time for people and for machines."""

    shown: str
    iso: str


def when(time_ms: int) -> When:
    """Write a time to the minute.

    >>> when(1_764_000_000_000)
    When(shown='2025-11-24 16:00 UTC', iso='2025-11-24T16:00:00Z')
    """
    text = moment(time_ms)
    iso = text.removesuffix(" UTC").replace(" ", "T") + "Z"
    return When(f"{text[:MINUTES]} UTC", iso)
