"""Bodies and lines of any bytes: parsed, or refused by a code of ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import FormatError
from ledger.events.lines import MANIFESTS
from ledger.events.registry import KINDS
from ledger.events.registry import parse_body
from ledger.events.registry import parse_line

DEEP = b"\x81\xa1a" + b"\x91" * 100_000
BAD_UTF8 = b"\x81\xa1\xff\x01"

Parse = Callable[[str, bytes], Any]


@pytest.mark.parametrize(
    ("parse", "kind"),
    [(parse_body, kind) for kind in KINDS] + [(parse_line, kind) for kind in MANIFESTS],
)
@pytest.mark.parametrize("data", [b"", b"\xc1", BAD_UTF8, DEEP])
def test_what_cannot_be_decoded_is_refused(
    parse: Parse, kind: str, data: bytes
) -> None:
    """Truncated, nested without end or not UTF-8: a format error, never another."""
    with pytest.raises(FormatError):
        parse(kind, data)


@given(kind=st.sampled_from(sorted(MANIFESTS)), data=st.binary(max_size=40))
def test_any_bytes_are_a_line_or_refused(kind: str, data: bytes) -> None:
    """Random bytes raise nothing but a format error."""
    try:
        parse_line(kind, data)
    except FormatError as error:
        assert error.code == "bad-line"  # noqa: PT017 (most bytes are no line)
