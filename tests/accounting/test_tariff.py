"""Flat sums and bands (money.md §4)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.accounting.tariff import Band
from ledger.accounting.tariff import flat
from ledger.accounting.tariff import graduated
from ledger.accounting.tariff import slab
from ledger.errors import InputError

BANDS = [
    Band(each=2_000_000, fixed=1_000_000, start=0),
    Band(each=1_500_000, fixed=500_000, start=10),
    Band(each=1_000_000, fixed=0, start=1_000),
]


@st.composite
def bands(draw: st.DrawFn) -> list[Band]:
    starts = sorted(draw(st.sets(st.integers(1, 60), max_size=4)))
    price = st.integers(0, 10**9)
    return [Band(draw(price), draw(price), start) for start in [0, *starts]]


def graduated_one_by_one(tariff: list[Band], quantity: int) -> int:
    """Walk the recordings: each pays its band, and a band's first its fixed sum too."""
    amount = tariff[0].fixed
    for recording in range(quantity):
        band = next(each for each in reversed(tariff) if each.start <= recording)
        amount += band.each
        if recording == band.start and recording > 0:
            amount += band.fixed
    return amount


@pytest.mark.parametrize(
    ("quantity", "by_slab", "by_graduated"),
    [
        (0, 1_000_000, 1_000_000),
        (1, 3_000_000, 3_000_000),
        (9, 19_000_000, 19_000_000),
        (10, 15_500_000, 21_000_000),
        (11, 17_000_000, 23_000_000),
        (999, 1_499_000_000, 1_505_000_000),
        (1_000, 1_000_000_000, 1_506_500_000),
        (1_001, 1_001_000_000, 1_507_500_000),
    ],
)
def test_both_kinds_at_every_edge(
    quantity: int, by_slab: int, by_graduated: int
) -> None:
    """By hand, one below, at and above each start."""
    assert slab(BANDS, quantity) == by_slab
    assert graduated(BANDS, quantity) == by_graduated


@given(bands(), st.integers(0, 80))
def test_graduated_is_the_walk_over_recordings(
    tariff: list[Band], quantity: int
) -> None:
    """The formula by bands equals paying one by one, and never falls."""
    amount = graduated(tariff, quantity)
    assert amount == graduated_one_by_one(tariff, quantity)
    assert graduated(tariff, quantity + 1) >= amount


@given(bands(), st.integers(0, 80))
def test_slab_uses_the_one_band_that_holds(tariff: list[Band], quantity: int) -> None:
    """A band reaches to the next start, exclusive; the last has no end."""
    ends = [*(band.start for band in tariff[1:]), 10**9]
    holding = [
        band.fixed + band.each * quantity
        for band, end in zip(tariff, ends, strict=True)
        if band.start <= quantity < end
    ]
    assert [slab(tariff, quantity)] == holding


def test_in_the_first_band_both_kinds_agree() -> None:
    """From nothing on, the base sum included."""
    for quantity in range(10):
        assert slab(BANDS, quantity) == graduated(BANDS, quantity)


def test_a_flat_tariff_is_its_sum() -> None:
    """Zero is a sum; below it and beyond 64 bits are none."""
    assert flat(0) == 0
    assert flat(2**63 - 1) == 2**63 - 1
    for amount, code in ((-1, "bad-tariff"), (2**63, "amount-too-large")):
        with pytest.raises(InputError) as caught:
            flat(amount)
        assert caught.value.code == code


@pytest.mark.parametrize(
    "tariff",
    [
        [],
        [Band(1, 1, 1)],
        [Band(1, 1, 0), Band(1, 1, 0)],
        [Band(1, 1, 0), Band(1, 1, 9), Band(1, 1, 5)],
        [Band(-1, 1, 0)],
        [Band(1, 1, 0), Band(1, -1, 5)],
    ],
)
def test_bands_in_disorder_are_refused(tariff: list[Band]) -> None:
    """None, no start at 0, doubled or falling starts, negative amounts."""
    for price in (slab, graduated):
        with pytest.raises(InputError) as caught:
            price(tariff, 1)
        assert caught.value.code == "bad-tariff"


def test_quantities_and_sums_are_bounded() -> None:
    """No negative number of recordings, and no due that does not fit."""
    for price in (slab, graduated):
        with pytest.raises(InputError) as caught:
            price(BANDS, -1)
        assert caught.value.code == "bad-tariff"
        with pytest.raises(InputError) as caught:
            price([Band(2**40, 0, 0)], 2**23)
        assert caught.value.code == "amount-too-large"
