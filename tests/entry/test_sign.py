"""Signing of events, and signed events as text."""

from __future__ import annotations

import pytest

from ledger.entry import canonical
from ledger.entry.canonical import Value
from ledger.entry.envelope import ZERO32
from ledger.entry.envelope import encode_event
from ledger.entry.envelope import parse_event
from ledger.entry.sign import SignedEvent
from ledger.entry.sign import format_signed
from ledger.entry.sign import format_signed_lines
from ledger.entry.sign import parse_signed
from ledger.entry.sign import parse_signed_lines
from ledger.entry.sign import sign_event
from ledger.entry.verify import key_id
from ledger.entry.verify import verify_signature
from ledger.errors import FormatError
from ledger.tlog.text import format_base64
from tests.entry import make
from tests.entry.make import KEYS
from tests.entry.make import TIME


def sign(body: bytes = b"\x80", kind: str = "due", seq: int = 0) -> SignedEvent:
    return sign_event(
        KEYS[0],
        author=bytes([1] * 16),
        body=body,
        id=bytes([2] * 16),
        kind=kind,
        log=bytes([3] * 32),
        prev=bytes([4] * 32),
        seen=(5, bytes([6] * 32)),
        seq=seq,
        time=TIME,
    )


SIGNED = sign()


def test_a_signed_event_is_what_was_asked_for() -> None:
    """Every field arrives, the key id is the key's, and the signature holds."""
    event = parse_event(SIGNED.event)
    assert event.key == key_id(KEYS[0].public)
    assert (event.author, event.id) == (bytes([1] * 16), bytes([2] * 16))
    assert (event.log, event.prev) == (bytes([3] * 32), bytes([4] * 32))
    assert (event.seen, event.seq, event.time) == ((5, bytes([6] * 32)), 0, TIME)
    assert (event.kind, bytes(event.body)) == ("due", b"\x80")
    verify_signature(SIGNED.event, SIGNED.signature, KEYS[0].public)
    assert sign() == SIGNED


@pytest.mark.parametrize(
    ("signing", "code"),
    [
        (lambda: sign(body=b"\x90"), "bad-event"),
        (lambda: sign(body=b""), "not-canonical"),
        (lambda: sign(body=b"\x80\x80"), "not-canonical"),
        (lambda: sign(body=b"\x81\xa1a\xc0"), "bad-type"),
        (lambda: sign(body=b"\x82\xa1b\x01\xa1a\x01"), "not-canonical"),
        (lambda: sign(body=canonical.encode({"a": bytes(65_000)})), "too-large"),
        (lambda: sign(kind="Due"), "bad-token"),
        (lambda: sign(seq=-1), "bad-event"),
    ],
    ids=[
        *("array body", "no body", "two bodies", "nil in body"),
        *("disorder in body", "too large", "kind in upper case", "seq below 0"),
    ],
)
def test_what_would_be_refused_is_not_signed(signing: object, code: str) -> None:
    """No key ever signs an event that a log could not take."""
    assert callable(signing)
    with pytest.raises(FormatError) as caught:
        signing()
    assert caught.value.code == code


def test_the_file_form_is_one_line_of_base64() -> None:
    """The text form is the canonical map of both fields, in base64."""
    line = format_signed(SIGNED)
    fields: dict[str, Value] = {
        "event": SIGNED.event,
        "signature": SIGNED.signature,
    }
    assert line == format_base64(canonical.encode(fields))
    assert parse_signed(line) == SIGNED


def _line(**fields: object) -> str:
    return format_base64(canonical.encode_trusted(fields))


BAD_LINES = {
    "nothing": ("", "bad-signed-event"),
    "no base64": ("a b", "bad-base64"),
    "line feed": (format_signed(SIGNED) + "\n", "bad-base64"),
    "space before": (" " + format_signed(SIGNED), "bad-base64"),
    "no event": (_line(signature=SIGNED.signature), "bad-signed-event"),
    "no signature": (_line(event=SIGNED.event), "bad-signed-event"),
    "short signature": (
        _line(event=SIGNED.event, signature=bytes(63)),
        "bad-signed-event",
    ),
    "text signature": (
        _line(event=SIGNED.event, signature="a" * 64),
        "bad-signed-event",
    ),
    "another field": (
        _line(event=SIGNED.event, signature=SIGNED.signature, time=1),
        "bad-signed-event",
    ),
    "an array": (
        format_base64(canonical.encode([SIGNED.event, SIGNED.signature])),
        "bad-signed-event",
    ),
    "trailing byte": (
        format_base64(
            canonical.encode({"event": SIGNED.event, "signature": SIGNED.signature})
            + b"\x00"
        ),
        "bad-signed-event",
    ),
    "disorder": (
        format_base64(
            b"\x82\xa9signature\xc4\x40"
            + SIGNED.signature
            + b"\xa5event"
            + canonical.encode(SIGNED.event)
        ),
        "bad-signed-event",
    ),
    "a name that is no text": (
        format_base64(b"\x81\xa1\xff\x01"),
        "bad-signed-event",
    ),
    "a bomb": (format_base64(b"\x91" * 60_000), "bad-signed-event"),
    "a bad event": (
        _line(event=SIGNED.event + b"\x00", signature=bytes(64)),
        "not-canonical",
    ),
}


@pytest.mark.parametrize(("line", "code"), BAD_LINES.values(), ids=BAD_LINES)
def test_lines_have_one_spelling(line: str, code: str) -> None:
    """What the formatter would not write is refused, event included."""
    with pytest.raises(FormatError) as caught:
        parse_signed(line)
    assert caught.value.code == code


def test_parsing_does_not_verify() -> None:
    """A wrong signature is for the log, which knows the key."""
    forged = SignedEvent(SIGNED.event, bytes(64))
    assert parse_signed(format_signed(forged)) == forged


def test_files_keep_events_in_their_order() -> None:
    """A file is its lines, each with a line feed; no events are an empty file."""
    events = [sign(seq=number) for number in range(4)]
    text = format_signed_lines(events)
    assert text.count("\n") == 4
    assert parse_signed_lines(text) == events
    assert parse_signed_lines("") == []


def test_files_name_the_line_that_is_wrong() -> None:
    """Errors count lines from 1; a file that was cut off is noticed."""
    good = format_signed(SIGNED)
    with pytest.raises(FormatError, match="line 2: ") as caught:
        parse_signed_lines(f"{good}\n\n{good}\n")
    assert caught.value.code == "bad-signed-event"
    with pytest.raises(FormatError, match="line 2: ") as caught:
        parse_signed_lines(f"{good}\nx\n")
    assert caught.value.code == "bad-base64"
    with pytest.raises(FormatError, match="line 2 has no line feed"):
        parse_signed_lines(f"{good}\n{good}")


def test_the_largest_event_has_a_file_form() -> None:
    """65,000 bytes of event are no obstacle to a line."""
    least = len(encode_event(make.event(log=ZERO32)))
    signed = sign(body=canonical.encode({"a": bytes(65_000 - least)}))
    assert len(signed.event) > 64_900
    assert parse_signed(format_signed(signed)) == signed
