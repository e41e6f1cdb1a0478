"""Strict text forms of numbers and bytes: one spelling for each value.

Every parser here refuses what its formatter would not write, because a second
spelling is a second file with the same meaning, and somebody's hash of it
differs. Python's own parsers are kinder: ``int`` takes ``+5``, ``1_000``, ``٣``
and ``007``, and ``b64decode`` takes ``AB==`` for ``AA==``.

    decimal   no sign, no leading zero, below 2**63       C2SP tlog-checkpoint
    base64    standard alphabet, padded                   RFC 4648 §4
    hex       lower case                                  C2SP signed-note

>>> parse_decimal("20852163")
20852163
>>> format_base64(parse_base64("AA=="))
'AA=='
>>> parse_base64("AB==")
Traceback (most recent call last):
ledger.errors.FormatError: 'AB==' is not canonical base64
"""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64
from binascii import b2a_base64

from ledger.errors import FormatError

DECIMAL_MAX = 2**63 - 1

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
_HEX = re.compile(r"(?:[0-9a-f]{2})*")
_EXCERPT_LENGTH = 64


def parse_decimal(text: str) -> int:
    """Parse a canonical decimal number from 0 to 2**63 - 1.

    Raises:
        FormatError: ``bad-decimal``.
    """
    if _DECIMAL.fullmatch(text) is None or int(text) > DECIMAL_MAX:
        raise FormatError(
            "bad-decimal",
            f"{excerpt(text)} is not a canonical decimal number below 2**63",
            hint="use digits only, without a sign or leading zeros",
        )
    return int(text)


def format_base64(data: bytes) -> str:
    """Format bytes as padded standard base64 on one line."""
    return b2a_base64(data, newline=False).decode("ascii")


def parse_base64(text: str, *, length: int | None = None) -> bytes:
    """Parse padded standard base64, and check the number of bytes if given.

    Raises:
        FormatError: ``bad-base64``.
    """
    try:
        data = a2b_base64(text)
    except (Base64Error, ValueError):
        data = None
    # The decoder skips strangers and stray bits: re-encoding shows them.
    if data is None or format_base64(data) != text:
        raise FormatError(
            "bad-base64",
            f"{excerpt(text)} is not canonical base64",
            hint="use the standard alphabet with padding and no line breaks",
        )
    if length is not None and len(data) != length:
        raise FormatError(
            "bad-base64",
            f"{excerpt(text)} holds {len(data)} bytes instead of {length}",
        )
    return data


def parse_hex(text: str, length: int) -> bytes:
    """Parse exactly ``length`` bytes of lower-case hex.

    Raises:
        FormatError: ``bad-hex``.
    """
    if len(text) != 2 * length or _HEX.fullmatch(text) is None:
        raise FormatError(
            "bad-hex",
            f"{excerpt(text)} is not {length} bytes of lower-case hex",
            hint=f"use {2 * length} characters from 0-9 and a-f",
        )
    return bytes.fromhex(text)


def excerpt(text: str) -> str:
    r"""Quote hostile text for a message: escaped, ASCII, of bounded length.

    >>> excerpt("a\nb")
    "'a\\nb'"
    """
    if len(text) > _EXCERPT_LENGTH:
        return ascii(text[:_EXCERPT_LENGTH]) + "…"
    return ascii(text)
