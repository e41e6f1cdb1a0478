"""What a due comes to: a flat sum, or bands over distinct covered recordings.

Bands ascend strictly by `start` and the first starts at 0; a band reaches to the
next start, exclusive, and the last has no end (money.md §4). For n recordings:

    slab        fixed_b + each_b·n         of the band with start_b ≤ n < start_b+1
    graduated   Σ_b fixed_b + each_b·n_b   over the bands reached

Graduated, the first band is reached always, and a later one as soon as at least
one recording lies in it (n > start_b); n_b is how many lie in band b. So with
bands from 0 and from 100, exactly 100 recordings are a slab of the second band,
but 100 recordings of the first band when graduated.

>>> bands = [Band(each=10, fixed=500, start=0), Band(each=8, fixed=50, start=100)]
>>> [slab(bands, n) for n in (0, 99, 100, 101)]
[500, 1490, 850, 858]
>>> [graduated(bands, n) for n in (0, 99, 100, 101)]
[500, 1490, 1500, 1558]

A slab may cost less for one recording more, which is what such tariffs say; a
graduated sum never falls.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from ledger.accounting.money import check_amount
from ledger.errors import InputError


class Band(msgspec.Struct, frozen=True, gc=False):
    """One band of a tariff.

    Attributes:
        each: µ for each recording.
        fixed: µ once.
        start: the number of recordings from which the band reaches.
    """

    each: int
    fixed: int
    start: int


def flat(amount: int) -> int:
    """The sum itself, in µ.

    Raises:
        InputError: `bad-tariff`, below 0; `amount-too-large`.
    """
    if amount < 0:
        raise _bad_tariff(f"a flat tariff of {amount} µ is below 0")
    check_amount(amount)
    return amount


def slab(bands: Sequence[Band], quantity: int) -> int:
    """All recordings at the terms of the one band that holds their number, in µ.

    Raises:
        InputError: `bad-tariff`, the bands or the quantity; `amount-too-large`.
    """
    check_bands(bands)
    _check_quantity(quantity)
    band = [each for each in bands if each.start <= quantity][-1]
    amount = band.fixed + band.each * quantity
    check_amount(amount)
    return amount


def graduated(bands: Sequence[Band], quantity: int) -> int:
    """Each recording at the terms of the band that it lies in, in µ.

    Raises:
        InputError: `bad-tariff`, the bands or the quantity; `amount-too-large`.
    """
    check_bands(bands)
    _check_quantity(quantity)
    ends = [band.start for band in bands[1:]]
    amount = 0
    for band, end in zip(bands, [*ends, quantity], strict=True):
        if band.start < quantity or band.start == 0:
            amount += band.fixed + band.each * (min(quantity, end) - band.start)
    check_amount(amount)
    return amount


def check_bands(bands: Sequence[Band]) -> None:
    """Require bands as this module describes them, with no negative amount.

    Raises:
        InputError: `bad-tariff`.
    """
    if not bands or bands[0].start != 0:
        raise _bad_tariff("the first band does not start at 0")
    for band, following in pairwise(bands):
        if following.start <= band.start:
            raise _bad_tariff(
                f"the band from {following.start} follows that from {band.start}"
            )
    for band in bands:
        if band.each < 0 or band.fixed < 0:
            raise _bad_tariff(f"the band from {band.start} has an amount below 0")


def _check_quantity(quantity: int) -> None:
    if quantity < 0:
        raise _bad_tariff(f"a tariff of {quantity} recordings")


def _bad_tariff(message: str) -> InputError:
    return InputError(
        "bad-tariff",
        message,
        hint="give amounts of at least 0, and bands that ascend from start 0",
    )
