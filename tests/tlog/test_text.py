"""Strict text forms: decimal, base64, hex."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import FormatError
from ledger.tlog.text import DECIMAL_MAX
from ledger.tlog.text import excerpt
from ledger.tlog.text import format_base64
from ledger.tlog.text import parse_base64
from ledger.tlog.text import parse_decimal
from ledger.tlog.text import parse_hex


@given(st.integers(0, DECIMAL_MAX))
def test_decimal_reads_what_str_writes(number: int) -> None:
    """Every number of the range survives the trip."""
    assert parse_decimal(str(number)) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+5",
        "-5",
        "-0",
        "007",
        "00",
        "1_000",
        " 5",
        "5 ",
        "5\n",
        "5.0",
        "1e3",
        "0x5",
    ],
)
def test_decimal_refuses_second_spellings(text: str) -> None:
    """What `int` would take too kindly is refused."""
    with pytest.raises(FormatError) as caught:
        parse_decimal(text)
    assert caught.value.code == "bad-decimal"


@pytest.mark.parametrize("text", ["\u0663", "\uff15", "\u00b2", "1\u0663"])
def test_decimal_refuses_foreign_digits(text: str) -> None:
    """Arabic, full-width and superscript digits are no decimal of the format."""
    with pytest.raises(FormatError):
        parse_decimal(text)


@pytest.mark.parametrize("text", [str(2**63), "9" * 19, "1" + "0" * 5000])
def test_decimal_refuses_what_is_too_large(text: str) -> None:
    """From 2**63 on, and before `int` gives up at 4,300 digits."""
    with pytest.raises(FormatError):
        parse_decimal(text)


def test_decimal_reaches_its_bounds() -> None:
    """Both ends of the range are inside."""
    assert (parse_decimal("0"), parse_decimal(str(2**63 - 1))) == (0, 2**63 - 1)


@given(st.binary(max_size=100))
def test_base64_reads_what_it_writes(data: bytes) -> None:
    """Any bytes survive the trip, and their number can be demanded."""
    assert parse_base64(format_base64(data), length=len(data)) == data


@given(st.text(alphabet="ABZaz019+/=\n -_", max_size=12))
def test_base64_has_one_spelling(text: str) -> None:
    """Whatever is accepted is formatted back to the very same text."""
    try:
        data = parse_base64(text)
    except FormatError:
        return
    assert format_base64(data) == text


@pytest.mark.parametrize(
    "text",
    [
        *("AB==", "AA", "AA=", "A", "AAAA=", "=AA=", "====", "AA==AA=="),
        *("AA==\n", "\nAA==", "AA ==", "AA==!", "-_=="),
        *("A\u0410==", "\ud800A=="),
    ],
)
def test_base64_refuses_second_spellings(text: str) -> None:
    """Stray bits, white space, missing padding and other alphabets are refused."""
    with pytest.raises(FormatError) as caught:
        parse_base64(text)
    assert caught.value.code == "bad-base64"


def test_base64_of_another_length_is_refused() -> None:
    """A hash that is too short or too long is no hash."""
    for length in (31, 33):
        with pytest.raises(FormatError, match=f"{length} bytes instead of 32"):
            parse_base64(format_base64(bytes(length)), length=32)


@given(st.binary(max_size=40))
def test_hex_reads_what_hex_writes(data: bytes) -> None:
    """Any bytes survive the trip through lower-case hex."""
    assert parse_hex(data.hex(), len(data)) == data


@pytest.mark.parametrize(
    "text", ["", "0", "AB", "a b", " ab", "abc", "abcd", "g0", "٣٣"]
)
def test_hex_refuses_second_spellings(text: str) -> None:
    """Upper case, spaces, other digits and other lengths are refused."""
    with pytest.raises(FormatError) as caught:
        parse_hex(text, 1)
    assert caught.value.code == "bad-hex"


@given(st.text(max_size=300))
def test_an_excerpt_is_harmless(text: str) -> None:
    """Whatever an enemy wrote, a message quotes it in bounded printable ASCII."""
    quoted = excerpt(text).removesuffix("…")
    assert quoted.isascii()
    assert quoted.isprintable()
    assert len(quoted) <= 10 * 64 + 2
