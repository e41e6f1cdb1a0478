"""Amounts and their text (money.md, preamble and §5)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.accounting import money
from ledger.errors import FormatError
from ledger.errors import InputError

amounts = st.integers(-money.AMOUNT_MAX, money.AMOUNT_MAX)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0", 0),
        ("0.000000", 0),
        ("1", 1_000_000),
        ("1000000.00", 1_000_000_000_000),
        ("0.000001", 1),
        ("-0.000001", -1),
        ("10.1", 10_100_000),
        ("9223372036854.775807", 2**63 - 1),
        ("-9223372036854.775807", 1 - 2**63),
    ],
)
def test_plain_decimal_text_is_read(text: str, amount: int) -> None:
    """Decimals missing at the end are zeros; the sign holds for all digits."""
    assert money.parse_amount(text) == amount


@pytest.mark.parametrize(
    "text",
    [
        *("", "-", ".", "1.", ".5", "-.5", "1.0000000", "0.0000001", "1.2.3"),
        *("+1", "--1", "01", "00", "-01", "1_000", "1,000.00", "1 000", " 1", "1 "),
        *("1\n", "1e3", "1E3", "0x10", "nan", "inf", "٣", "１", "1．5", "1,5", "²"),  # noqa: RUF001
        *("-0", "-0.0", "-0.000000", "−1", "1.00 SEK", "\x001"),
    ],
)
def test_any_other_text_is_refused(text: str) -> None:
    """What `int`, `float` or `Decimal` forgive is refused: one spelling, one amount."""
    with pytest.raises(FormatError) as caught:
        money.parse_amount(text)
    assert caught.value.code == "bad-amount"


@pytest.mark.parametrize(
    "text",
    ["9223372036854.775808", "-9223372036854.775808", "10000000000000", "9" * 5000],
)
def test_text_beyond_64_bits_is_refused(text: str) -> None:
    """The bound is exact, and no length of digits gets past it as a ValueError."""
    with pytest.raises(InputError) as caught:
        money.parse_amount(text)
    assert caught.value.code == "amount-too-large"
    assert len(caught.value.message) < 100


@given(amounts, st.integers(0, 6))
def test_formatted_amounts_read_back(amount: int, exponent: int) -> None:
    """No exponent loses a micro-unit, and no text is longer than it need be."""
    text = money.format_amount(amount, exponent)
    assert money.parse_amount(text.replace(",", "")) == amount
    decimals = text.partition(".")[2]
    assert len(decimals) >= exponent
    assert len(decimals) == exponent or not decimals.endswith("0")


@pytest.mark.parametrize(
    ("amount", "exponent", "text"),
    [
        (0, 0, "0"),
        (0, 2, "0.00"),
        (1, 2, "0.000001"),
        (-1, 0, "-0.000001"),
        (1_000_000_000_000, 2, "1,000,000.00"),
        (999_999_999, 2, "999.999999"),
        (1_000_500_000, 3, "1,000.500"),
        (2**63 - 1, 2, "9,223,372,036,854.775807"),
    ],
)
def test_amounts_are_written_exactly(amount: int, exponent: int, text: str) -> None:
    """At least the currency's decimals, more only if needed, commas by thousands."""
    assert money.format_amount(amount, exponent) == text


@given(amounts, st.integers(0, 6))
def test_floor_is_the_greatest_whole_minor_unit(amount: int, exponent: int) -> None:
    """Mathematical floor, below zero too."""
    unit = money.minor_unit_micro(exponent)
    floor = money.floor_to_minor(amount, exponent)
    assert floor % unit == 0
    assert floor <= amount < floor + unit


def test_minor_units_of_all_exponents() -> None:
    """Seven exponents exist, and no other."""
    units = [money.minor_unit_micro(exponent) for exponent in range(7)]
    assert units == [1_000_000, 100_000, 10_000, 1_000, 100, 10, 1]
    for exponent in (-1, 7):
        with pytest.raises(InputError, match="exponent"):
            money.format_amount(1, exponent)


def test_ranges_of_amounts_and_ratios() -> None:
    """Both ends are allowed, the next beyond is not."""
    money.check_amount(2**63 - 1)
    money.check_amount(1 - 2**63)
    money.check_ppm(0)
    money.check_ppm(1_000_000)
    for amount in (2**63, -(2**63)):
        with pytest.raises(InputError, match="64 bits"):
            money.check_amount(amount)
    for ppm in (-1, 1_000_001):
        with pytest.raises(InputError) as caught:
            money.check_ppm(ppm)
        assert caught.value.code == "bad-ppm"
