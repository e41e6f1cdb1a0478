"""Bodies as JSON: nothing is lost on the way, and nothing else comes in."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from ledger.errors import FormatError
from ledger.events.json import body_from_json
from ledger.events.json import body_to_json
from ledger.events.json import parse_json
from ledger.events.registry import KINDS
from ledger.events.registry import encode_body
from ledger.events.registry import parse_body
from tests.events import strategies

KNOWN = strategies.Known()


def outcome(kind: str, data: bytes) -> bytes | str:
    """Give the bytes that are accepted, or the code of the refusal."""
    try:
        return encode_body(parse_body(kind, data))
    except FormatError as error:
        return error.code


@settings(max_examples=400)
@given(kind=st.sampled_from(list(KINDS)), data=st.data())
def test_json_says_exactly_what_the_bytes_say(kind: str, data: st.DataObject) -> None:
    """A body by way of JSON is taken or refused as its bytes are, and is the same."""
    body = data.draw(strategies.body(kind, KNOWN))
    text = json.dumps(body_to_json(body))
    try:
        by_json: bytes | str = encode_body(body_from_json(kind, parse_json(text)))
    except FormatError as error:
        by_json = error.code
    assert by_json == outcome(kind, encode_body(body))


@settings(max_examples=400)
@given(
    kind=st.sampled_from(list(KINDS)),
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text(max_size=12), inner, max_size=4)
        ),
        max_leaves=6,
    ),
)
def test_whatever_else_json_holds_is_refused(kind: str, value: object) -> None:
    """Anything that is no body of the kind is a FormatError, never another failure."""
    with pytest.raises(FormatError):
        body_from_json(kind, value)


@pytest.mark.parametrize(
    ("body", "message", "hint"),
    [
        ({"amount": "1"}, "body.amount: expected int, got str", "whole number"),
        ({"amount": 1.0}, "body.amount: expected int, got float", "whole number"),
        ({"currency": "sek"}, "body.currency: expected str matching", "such as SEK"),
        ({"per": "day"}, "body.per: invalid enum value 'day'", "run, version"),
        ({"bands": [{"each": 1}]}, "body.bands[0]: object missing", "each, fixed"),
        ({"colour": 1}, "body: object contains unknown field colour", "currency"),
    ],
)
def test_errors_name_the_field_and_what_belongs_there(
    body: dict[str, object], message: str, hint: str
) -> None:
    """A mistake is told with its path and with what the field takes."""
    whole = {"currency": "SEK", "per": "run", **body}
    with pytest.raises(FormatError) as error:
        body_from_json("tariff", whole)
    assert message in str(error.value)
    assert hint in error.value.hint


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("AB" * 16, "bad-hex"),
        ("abc", "bad-hex"),
        ("0x" + "00" * 15, "bad-hex"),
        ("00" * 15, "bad-body"),
        ("00" * 17, "bad-body"),
        ("", "bad-body"),
        (" " + "00" * 16, "bad-hex"),
    ],
)
def test_bytes_have_one_spelling(text: str, code: str) -> None:
    """Bytes are lower-case hex of the right length, and nothing that is like it."""
    with pytest.raises(FormatError) as error:
        body_from_json("party.verify", {"party": text})
    assert error.value.code == code
    assert "party.verify: body.party" in error.value.message


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 2}',
        '{"a": {"b": 1, "b": 1}}',
        "[NaN]",
        "-Infinity",
        "{'a': 1}",
        "[1,]",
        "",
        "1 2",
        "[" * 100_000,
        "9" * 5_000,
    ],
)
def test_json_is_read_strictly(text: str) -> None:
    """Doubled keys, numbers that are none and endless nesting are refused."""
    with pytest.raises(FormatError) as error:
        parse_json(text)
    assert error.value.code == "bad-json"
