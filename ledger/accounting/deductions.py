"""From a pool to the bank: reserve, fee, cultural deduction, payout (money.md §5).

Fee and cultural deduction are functions of a line's *cumulative* gross G:

    F = ⌊G·f/10⁶⌋
    C = ⌊(G − F)·c/10⁶⌋   base `after_fee`        C = ⌊G·c/10⁶⌋   base `gross`
    net = G − F − C

What is posted is the difference from what was posted before, so that the result
does not depend on how the gross arrived:

>>> now = deduct(12_564_076, 96_000, 100_000, "after_fee")
>>> now
Deducted(gross=12564076, fee=1206151, cultural=1135792, net=10222133)
>>> before = deduct(10_000_000, 96_000, 100_000, "after_fee")
>>> now - before
Deducted(gross=2564076, fee=246151, cultural=231792, net=2086133)

A cumulative gross may pass below zero by corrections; the floor stays the
mathematical one, so that at G = −1 µ any fee above 0 ppm is −1 µ. The net never
falls while G grows with `after_fee`; with `gross` both floors may step at once,
and the net then falls by 1 µ: 19 → 20 µ at 50,000 and 100,000 ppm nets 18 → 17.

A payout sends whole minor units:

>>> payout(12_879_156_672, 2, 300_000)
Payout(gross=12879150000, tax=3863740000, sent=9015410000)
"""

from __future__ import annotations

from typing import Literal
from typing import TypeAlias

import msgspec

from ledger.accounting.money import PPM
from ledger.accounting.money import check_ppm
from ledger.accounting.money import floor_to_minor
from ledger.errors import InputError

Base: TypeAlias = Literal["after_fee", "gross"]


class Deducted(msgspec.Struct, frozen=True, gc=False):
    """A gross line after its deductions, in µ: gross = fee + cultural + net."""

    gross: int
    fee: int
    cultural: int
    net: int

    def __sub__(self, posted: Deducted) -> Deducted:
        """What remains to be posted of this cumulative state after `posted`."""
        return Deducted(
            self.gross - posted.gross,
            self.fee - posted.fee,
            self.cultural - posted.cultural,
            self.net - posted.net,
        )


class Payout(msgspec.Struct, frozen=True, gc=False):
    """What leaves a balance, in µ of whole minor units: gross = tax + sent."""

    gross: int
    tax: int
    sent: int


def fee(gross: int, fee_ppm: int) -> int:
    """The society's fee on a line's cumulative gross, in µ.

    Raises:
        InputError: `bad-ppm`.
    """
    return _floor_ppm(gross, fee_ppm)


def cultural(gross: int, fee: int, cultural_ppm: int, base: Base) -> int:
    """The cultural deduction on a line's cumulative gross and its fee, in µ.

    Raises:
        InputError: `bad-ppm`; `bad-base`, neither `after_fee` nor `gross`.
    """
    if base == "after_fee":
        return _floor_ppm(gross - fee, cultural_ppm)
    if base == "gross":
        return _floor_ppm(gross, cultural_ppm)
    raise InputError(
        "bad-base",
        f"cultural base {base!r} is not known",
        hint="use after_fee or gross",
    )


def deduct(gross: int, fee_ppm: int, cultural_ppm: int, base: Base) -> Deducted:
    """Fee, cultural deduction and net of a line's cumulative gross, in µ.

    Raises:
        InputError: `bad-ppm`, a rate outside 0 to 10⁶, or two rates of one base
            that exceed the whole; `bad-base`.
    """
    if base == "gross":
        check_ppm(fee_ppm + cultural_ppm)
    fee_micro = fee(gross, fee_ppm)
    cultural_micro = cultural(gross, fee_micro, cultural_ppm, base)
    return Deducted(
        gross, fee_micro, cultural_micro, gross - fee_micro - cultural_micro
    )


def reserve(total: int, ppm: int) -> int:
    """The part ⌊A·ppm/10⁶⌋ of a pool's cumulative total that is kept back, in µ.

    Raises:
        InputError: `bad-ppm`.

    >>> reserve(1_000_000_000_001, 50_000)
    50000000000
    """
    return _floor_ppm(total, ppm)


def payout(balance: int, exponent: int, tax_ppm: int) -> Payout:
    """What of a balance goes to the bank and what to the tax office, in µ.

    The balance is floored to the minor unit; the tax is floored to it as well, to
    the payee's favour. The rest stays payable. A balance below one minor unit, or
    below zero, sends nothing. The threshold is the caller's.

    Args:
        balance: µ in the currency that is sent.
        exponent: of that currency.
        tax_ppm: the rate that the payee's certificate gives.

    Raises:
        InputError: `bad-exponent`, `bad-ppm`.
    """
    gross = floor_to_minor(max(balance, 0), exponent)
    tax = floor_to_minor(_floor_ppm(gross, tax_ppm), exponent)
    return Payout(gross, tax, gross - tax)


def _floor_ppm(amount: int, ppm: int) -> int:
    check_ppm(ppm)
    return amount * ppm // PPM
