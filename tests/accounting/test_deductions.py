"""Reserve, fee, cultural deduction and payout (money.md §5)."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.accounting.deductions import Base
from ledger.accounting.deductions import Deducted
from ledger.accounting.deductions import Payout
from ledger.accounting.deductions import cultural
from ledger.accounting.deductions import deduct
from ledger.accounting.deductions import fee
from ledger.accounting.deductions import payout
from ledger.accounting.deductions import reserve
from ledger.errors import InputError

BASES: list[Base] = ["after_fee", "gross"]
amounts = st.integers(-(2**62), 2**62) | st.integers(-50, 50)
ppms = st.integers(0, 1_000_000) | st.sampled_from([1, 96_000, 500_000, 999_999])
halves = st.integers(0, 500_000) | st.sampled_from([1, 333_333, 500_000])


def test_worked_figure_of_fee_and_cultural() -> None:
    """money.md §5: 12.564076 at 96,000 ppm, then 100,000 ppm `after_fee`."""
    assert deduct(12_564_076, 96_000, 100_000, "after_fee") == Deducted(
        gross=12_564_076, fee=1_206_151, cultural=1_135_792, net=10_222_133
    )
    assert fee(12_564_076, 96_000) == 1_206_151
    assert cultural(12_564_076, 1_206_151, 100_000, "after_fee") == 1_135_792


def test_base_gross_deducts_from_the_same_sum() -> None:
    """By hand: 10% of 12.564076 is 1.2564076, whatever the fee was."""
    assert deduct(12_564_076, 96_000, 100_000, "gross") == Deducted(
        gross=12_564_076, fee=1_206_151, cultural=1_256_407, net=10_101_518
    )


def test_worked_figure_of_a_payout() -> None:
    """money.md §5: 12,879.156672 SEK with 30% tax."""
    assert payout(12_879_156_672, 2, 300_000) == Payout(
        gross=12_879_150_000, tax=3_863_740_000, sent=9_015_410_000
    )


@given(amounts, halves, halves, st.sampled_from(BASES))
def test_deductions_are_floors_and_add_up(
    gross: int, fee_ppm: int, cultural_ppm: int, base: Base
) -> None:
    """Each is the floor of the exact product, and nothing is lost."""
    split = deduct(gross, fee_ppm, cultural_ppm, base)
    assert split.fee + split.cultural + split.net == split.gross == gross
    assert split.fee == Fraction(gross * fee_ppm, 10**6).__floor__()
    rest = gross - split.fee if base == "after_fee" else gross
    assert split.cultural == Fraction(rest * cultural_ppm, 10**6).__floor__()
    if gross >= 0:
        assert min(split.fee, split.cultural, split.net) >= 0


@given(
    st.lists(st.integers(-1_000, 10**12), min_size=1, max_size=8),
    st.randoms(use_true_random=False),
    ppms,
    ppms,
)
def test_net_credit_is_independent_of_batches(
    deltas: list[int], random: object, fee_ppm: int, cultural_ppm: int
) -> None:
    """Posting differences of the cumulative gives the same as posting once."""
    whole = deduct(sum(deltas), fee_ppm, cultural_ppm, "after_fee")
    random.shuffle(deltas)  # type: ignore[attr-defined]
    posted = deduct(0, fee_ppm, cultural_ppm, "after_fee")
    sums = [0, 0, 0, 0]
    gross = 0
    for delta in deltas:
        gross += delta
        now = deduct(gross, fee_ppm, cultural_ppm, "after_fee")
        step = now - posted
        assert step.gross == delta == step.fee + step.cultural + step.net
        sums[0] += step.gross
        sums[1] += step.fee
        sums[2] += step.cultural
        sums[3] += step.net
        posted = now
    assert Deducted(*sums) == whole


@given(amounts, st.integers(0, 10**6), ppms, ppms)
def test_after_fee_nothing_ever_falls(
    gross: int, more: int, fee_ppm: int, cultural_ppm: int
) -> None:
    """Fee, cultural deduction and net are monotone in the cumulative gross."""
    step = deduct(gross + more, fee_ppm, cultural_ppm, "after_fee") - deduct(
        gross, fee_ppm, cultural_ppm, "after_fee"
    )
    assert min(step.fee, step.cultural, step.net) >= 0


@given(amounts, st.integers(0, 10**6), halves, halves)
def test_on_gross_a_net_falls_by_one_at_most(
    gross: int, more: int, fee_ppm: int, cultural_ppm: int
) -> None:
    """Two floors of one sum may step together; the docstring says so."""
    step = deduct(gross + more, fee_ppm, cultural_ppm, "gross") - deduct(
        gross, fee_ppm, cultural_ppm, "gross"
    )
    assert min(step.fee, step.cultural) >= 0
    assert step.net >= -1
    assert deduct(19, 50_000, 100_000, "gross").net == 18
    assert deduct(20, 50_000, 100_000, "gross").net == 17


def test_below_zero_the_floor_is_the_mathematical_one() -> None:
    """A line that corrections took below zero gives back what floors rounded away."""
    assert deduct(-1, 1, 1, "after_fee") == Deducted(-1, -1, 0, 0)
    assert deduct(-1, 1, 1, "gross") == Deducted(-1, -1, -1, 1)


@given(st.integers(0, 2**62), ppms)
def test_reserve_is_a_floor(total: int, ppm: int) -> None:
    """What is kept back never exceeds the rate."""
    kept = reserve(total, ppm)
    assert kept * 10**6 <= total * ppm < (kept + 1) * 10**6


@given(st.integers(0, 2**62), st.integers(0, 6), ppms)
def test_a_payout_sends_whole_minor_units(
    balance: int, exponent: int, tax_ppm: int
) -> None:
    """Gross and tax are floors to the minor unit, and less than one of it remains."""
    unit = 10 ** (6 - exponent)
    sent = payout(balance, exponent, tax_ppm)
    assert sent.gross == sent.tax + sent.sent
    assert sent.gross % unit == sent.tax % unit == 0
    assert 0 <= balance - sent.gross < unit
    assert 0 <= sent.gross * tax_ppm - sent.tax * 10**6 < (unit + 1) * 10**6
    assert sent.sent >= 0


@pytest.mark.parametrize("balance", [9_999, 0, -1, -10_000_000])
def test_nothing_is_sent_of_less_than_a_minor_unit(balance: int) -> None:
    """Nor of a debt: nobody is charged by a payout."""
    assert payout(balance, 2, 300_000) == Payout(0, 0, 0)


def test_rates_outside_the_whole_are_refused() -> None:
    """Everywhere, at both ends, and for two rates of one gross together."""
    for ppm in (-1, 1_000_001):
        for attempt in (
            lambda ppm=ppm: fee(1, ppm),
            lambda ppm=ppm: cultural(1, 0, ppm, "gross"),
            lambda ppm=ppm: cultural(1, 0, ppm, "after_fee"),
            lambda ppm=ppm: reserve(1, ppm),
            lambda ppm=ppm: payout(1, 2, ppm),
        ):
            with pytest.raises(InputError) as caught:
                attempt()
            assert caught.value.code == "bad-ppm"
    deduct(100, 600_000, 400_000, "gross")
    deduct(100, 600_000, 400_001, "after_fee")
    with pytest.raises(InputError, match="1000001"):
        deduct(100, 600_000, 400_001, "gross")


def test_an_unknown_base_is_refused() -> None:
    """There are two, and no default."""
    with pytest.raises(InputError) as caught:
        deduct(1, 1, 1, "net")  # type: ignore[arg-type]
    assert caught.value.code == "bad-base"
