"""Amounts: exact integers of micro-units, and their decimal text.

An amount is a signed integer of micro-units (µ, 10⁻⁶ of the currency's major
unit) within ±(2⁶³ − 1). Ratios are integers in parts per million. The minor
unit, the smallest that a bank moves, follows from the currency's ISO 4217
exponent (money.md, preamble and §5).

>>> parse_amount("1000000.00")
1000000000000
>>> format_amount(1_000_000_000_000, 2), format_amount(100_512_615, 2)
('1,000,000.00', '100.512615')
>>> format_amount(floor_to_minor(12_879_156_672, 2), 2)
'12,879.15'
"""

from __future__ import annotations

import re
from typing import Final

from ledger.errors import FormatError
from ledger.errors import InputError

MICRO: Final = 1_000_000
"""Micro-units in one major unit."""

PPM: Final = 1_000_000
"""The whole, in parts per million."""

AMOUNT_MAX: Final = 2**63 - 1

DECIMALS: Final = 6
"""Decimals of a micro-unit, and the greatest exponent of a currency."""

# ASCII digits only: `\d` and `int()` also take '٣', '1_000', '+5' and '007'.
_AMOUNT: Final = re.compile(r"(-?)(0|[1-9][0-9]*)(?:\.([0-9]{1,6}))?", re.ASCII)

_WHOLE_DIGITS_MAX: Final = len(str(AMOUNT_MAX // MICRO))


def minor_unit_micro(exponent: int) -> int:
    """The minor unit of a currency, in µ.

    Args:
        exponent: decimals of the currency (ISO 4217): 2 for SEK, 0 for JPY.

    Raises:
        InputError: `bad-exponent`, outside 0 to 6.

    >>> minor_unit_micro(2), minor_unit_micro(0)
    (10000, 1000000)
    """
    if not 0 <= exponent <= DECIMALS:
        raise InputError(
            "bad-exponent",
            f"currency exponent {exponent} is outside 0 to {DECIMALS}",
            hint="use the ISO 4217 exponent of the currency",
        )
    return int(10 ** (DECIMALS - exponent))


def floor_to_minor(amount: int, exponent: int) -> int:
    """The greatest whole number of minor units that is ≤ `amount` µ, in µ.

    The floor is the mathematical one, below zero too (money.md, preamble).

    >>> floor_to_minor(19_999, 2), floor_to_minor(-1, 2)
    (10000, -10000)
    """
    return amount - amount % minor_unit_micro(exponent)


def check_amount(amount: int) -> None:
    """Require an amount within ±(2⁶³ − 1).

    Raises:
        InputError: `amount-too-large`.
    """
    if abs(amount) > AMOUNT_MAX:
        raise InputError(
            "amount-too-large",
            f"{amount} micro-units do not fit 64 bits",
            hint="amounts reach 9,223,372,036,854.775807 of the major unit",
        )


def check_ppm(ppm: int) -> None:
    """Require 0 ≤ `ppm` ≤ 10⁶.

    Raises:
        InputError: `bad-ppm`.
    """
    if not 0 <= ppm <= PPM:
        raise InputError(
            "bad-ppm",
            f"{ppm} parts per million is outside 0 to {PPM}",
            hint="10 percent is 100000",
        )


def parse_amount(text: str) -> int:
    """Read decimal text of the major unit, as people and files give it, into µ.

    One spelling of each digit string: ASCII digits, no leading zero, no plus,
    no exponent, no thousands separators, no spaces, and no minus before zero.
    At most 6 decimals; a point needs digits on both sides.

    Raises:
        FormatError: `bad-amount`, not such text.
        InputError: `amount-too-large`.

    >>> parse_amount("0.000001"), parse_amount("-2.5")
    (1, -2500000)
    """
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise _bad_amount(text)
    minus, whole, fraction = match.group(1), match.group(2), match.group(3) or ""
    # Bounded before int(), which gives up with ValueError at 4,300 digits.
    if len(whole) > _WHOLE_DIGITS_MAX:
        raise InputError(
            "amount-too-large",
            f"an amount of {len(whole)} digits before the point does not fit 64 bits",
            hint="amounts reach 9,223,372,036,854.775807 of the major unit",
        )
    amount = int(whole) * MICRO + int(fraction.ljust(DECIMALS, "0"))
    if minus and amount == 0:
        raise _bad_amount(text)
    check_amount(amount)
    return -amount if minus else amount


def _bad_amount(text: str) -> FormatError:
    return FormatError(
        "bad-amount",
        f"amount {text[:40]!r} is not plain decimal text",
        hint="write digits and at most 6 decimals after one point, as 1000000.00",
    )


def format_amount(amount: int, exponent: int) -> str:
    """Write µ exactly, in the major unit, with thousands separators.

    At least `exponent` decimals, more only where the amount has them. Without
    its commas the text is what `parse_amount` reads back.

    Raises:
        InputError: `bad-exponent`.

    >>> format_amount(12_564_076, 2), format_amount(-1_234_500_000, 2)
    ('12.564076', '-1,234.50')
    >>> format_amount(5_000_000, 0), format_amount(5_500_000, 0)
    ('5', '5.5')
    """
    minor_unit_micro(exponent)
    whole, fraction = divmod(abs(amount), MICRO)
    decimals = f"{fraction:06}".rstrip("0").ljust(exponent, "0")
    point = "." if decimals else ""
    return f"{'-' if amount < 0 else ''}{whole:,}{point}{decimals}"
