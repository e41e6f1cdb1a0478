"""Durations are exact milliseconds, or refused."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.imports import durations
from tests.imports.files import refused


@given(st.integers(1, durations.DURATION_MS_MAX), st.integers(0, 3))
def test_seconds_agree_with_decimal_arithmetic(ms: int, places: int) -> None:
    """Every duration in seconds is the number that its digits say."""
    ms = max(1, ms // 10 ** (3 - places)) * 10 ** (3 - places)
    text = f"{Decimal(ms) / 1000:.{places}f}"
    if ms <= durations.DURATION_MS_MAX:
        assert durations.parse_seconds(text) == ms


@pytest.mark.parametrize(
    ("cell", "ms"),
    [
        ("212.7", 212_700),
        ("1.1", 1_100),
        ("248", 248_000),
        ("0.001", 1),
        ("86400", 86_400_000),
        (" 7.25 ", 7_250),
        ("007", 7_000),
        ("", None),
        ("  ", None),
    ],
)
def test_seconds(cell: str, ms: int | None) -> None:
    """Tenths are exact; an empty cell is no duration."""
    assert durations.parse_seconds(cell) == ms


@pytest.mark.parametrize(
    ("cell", "ms"),
    [("212700", 212_700), ("212700.0", 212_700), ("1", 1), ("", None)],
)
def test_milliseconds(cell: str, ms: int | None) -> None:
    """Whole numbers, also as programs write columns with gaps."""
    assert durations.parse_milliseconds(cell) == ms


@pytest.mark.parametrize(
    ("cell", "ms"),
    [
        ("3:32.7", 212_700),
        ("3:32", 212_000),
        ("0:05", 5_000),
        ("75:00", 4_500_000),
        ("1:02:03.5", 3_723_500),
        ("24:00:00", 86_400_000),
        ("", None),
    ],
)
def test_clock(cell: str, ms: int | None) -> None:
    """Minutes may go past an hour if there are no hours before them."""
    assert durations.parse_clock(cell) == ms


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("-212.7", "duration-not-positive"),
        ("−5", "duration-not-positive"),
        ("0", "duration-not-positive"),
        ("0.0", "duration-not-positive"),
        ("0.0004", "duration-not-positive"),
        ("86400.001", "duration-too-long"),
        ("212700", "duration-too-long"),
        ("1" * 16, "bad-duration"),
        ("3:32", "bad-duration"),
        ("212,7", "bad-duration"),
        ("2e2", "bad-duration"),
        ("٢", "bad-duration"),
        ("nan", "bad-duration"),
        ("1_000", "bad-duration"),
    ],
)
def test_what_is_no_duration_in_seconds(cell: str, code: str) -> None:
    """Negative, none, huge, or in another form: a code each, and a hint."""
    assert refused(code, lambda: durations.parse_seconds(cell)).hint


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("1:60:00", "bad-duration"),
        ("1:2:60", "bad-duration"),
        ("32", "bad-duration"),
        ("0:00", "duration-not-positive"),
        ("24:00:01", "duration-too-long"),
    ],
)
def test_what_is_no_duration_on_a_clock(cell: str, code: str) -> None:
    """Seconds end at 59, and so do minutes after hours."""
    refused(code, lambda: durations.parse_clock(cell))


@pytest.mark.parametrize(
    ("cell", "code"),
    [("212.7", "bad-duration"), ("0", "duration-not-positive")],
)
def test_what_is_no_duration_in_milliseconds(cell: str, code: str) -> None:
    """A fraction of a millisecond is a sign of another unit."""
    refused(code, lambda: durations.parse_milliseconds(cell))


def test_what_is_cut_is_noted() -> None:
    """Finer than a millisecond is cut, not rounded; zeros are nothing to note."""
    noted: list[str] = []
    parse = durations.parse_seconds
    assert parse("1.9999", lambda code, _: noted.append(code)) == 1_999
    assert parse("1.999000", lambda code, _: noted.append(code)) == 1_999
    assert noted == ["duration-cut"]
