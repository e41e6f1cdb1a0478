"""Grammars of the strings inside events and lines (format.md §1).

    token      [a-z0-9._/-]{1,64}               kinds, codes, rule names
    external   [a-z0-9-]+:[!-~]{1,96}           an id as its source gives it
    isrc       ISO 3901, 12 characters          CPDEM2600001
    iswc       ISO 15707, T and 10 digits       T0345246801
    currency   ISO 4217 alphabetic              SEK

Everything else is text: strict UTF-8 of 1 to 1,024 bytes without control codes.
What a grammar accepts can never change, so none asks a list that does: whether the
country of an ISRC exists is a warning before signing, not a rule of the format.
The constants are whole-string patterns for ``msgspec.Meta(pattern=…)`` as well.

>>> check_external("jamendo:track_0000948")
>>> check_isrc("cpdem2600001")
Traceback (most recent call last):
ledger.errors.FormatError: 'cpdem2600001' is not an ISRC
"""

from __future__ import annotations

import re

from ledger.entry.canonical import STRING_BYTES_MAX
from ledger.entry.canonical import check_value
from ledger.errors import FormatError
from ledger.tlog.text import excerpt

# \Z, since $ also matches before a line feed at the end.
TOKEN = r"^[a-z0-9._/-]{1,64}\Z"
EXTERNAL = r"^[a-z0-9-]+:[!-~]{1,96}\Z"
ISRC = r"^[A-Z]{2}[A-Z0-9]{3}[0-9]{7}\Z"
ISWC = r"^T[0-9]{10}\Z"
CURRENCY = r"^[A-Z]{3}\Z"
TEXT = "^[^\x00-\x1f\x7f-\x9f]+\\Z"
"""Text but for its 1,024 bytes, which canonical MessagePack checks already."""

_token = re.compile(TOKEN).match
_external = re.compile(EXTERNAL).match
_isrc = re.compile(ISRC).match
_iswc = re.compile(ISWC).match
_currency = re.compile(CURRENCY).match


def check_token(text: str) -> None:
    """Check a token.

    Raises:
        FormatError: ``bad-token``.
    """
    if _token(text) is None:
        raise FormatError(
            "bad-token",
            f"{excerpt(text)} is not a token",
            hint="use 1 to 64 of a-z, 0-9 and ._/-",
        )


def check_text(text: str) -> None:
    """Check text: 1 to 1,024 bytes of UTF-8 without control codes.

    Raises:
        FormatError: ``bad-string``.
    """
    check_value(text)


def check_external(text: str) -> None:
    """Check an external id: a namespace, a colon, and the source's own id.

    Raises:
        FormatError: ``bad-external``.
    """
    # The namespace has no length of its own: text has 1,024 bytes.
    if _external(text) is None or len(text) > STRING_BYTES_MAX:
        raise FormatError(
            "bad-external",
            f"{excerpt(text)} is not an external id",
            hint="write namespace:id, the id in 1 to 96 printable ASCII characters",
        )


def check_isrc(text: str) -> None:
    """Check the form of an ISRC, without hyphens (ISO 3901).

    Raises:
        FormatError: ``bad-isrc``.
    """
    if _isrc(text) is None:
        raise FormatError(
            "bad-isrc",
            f"{excerpt(text)} is not an ISRC",
            hint="12 characters without hyphens, upper case: CPDEM2600001",
        )


def check_iswc(text: str) -> None:
    """Check an ISWC, without separators, and its check digit (ISO 15707).

    The digit makes 1 + Σ position × digit a multiple of ten.

    Raises:
        FormatError: ``bad-iswc``.
    """
    if _iswc(text) is None or not _iswc_adds_up(text):
        raise FormatError(
            "bad-iswc",
            f"{excerpt(text)} is not an ISWC",
            hint="T, nine digits and their check digit: T0345246801",
        )


def check_currency(text: str) -> None:
    """Check the form of a currency code (ISO 4217).

    Raises:
        FormatError: ``bad-currency``.
    """
    if _currency(text) is None:
        raise FormatError(
            "bad-currency",
            f"{excerpt(text)} is not a currency code",
            hint="three upper-case letters, as in SEK",
        )


def _iswc_adds_up(text: str) -> bool:
    weighted = sum(place * int(digit) for place, digit in enumerate(text[1:10], 1))
    return (1 + weighted + int(text[10])) % 10 == 0
