r"""Signing of events, and the file form of signed events.

    line    base64(cm {event, signature}) and a line feed, one signed event each

Signed events travel as files from an air-gapped machine to whoever appends them: text,
so that mail and version control leave them alone, in the order of their chains. The
file form says that the bytes are an event; whether the signature holds is for
``verify_signature``, which needs the registered public key.

>>> key = SigningKey(bytes(32))
>>> signed = sign_event(
...     key, author=bytes(16), body=b"\x80", id=bytes(16), kind="level", log=bytes(32),
...     prev=bytes(32), seen=(0, bytes(32)), seq=0, time=1_764_000_000_000,
... )
>>> parse_signed(format_signed(signed)) == signed
True
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from ledger.entry.canonical import DECODE_ERRORS
from ledger.entry.canonical import check
from ledger.entry.envelope import BODY_DEPTH
from ledger.entry.envelope import EVENT_TAG
from ledger.entry.envelope import Bytes64
from ledger.entry.envelope import Event
from ledger.entry.envelope import encode_event
from ledger.entry.envelope import parse_event
from ledger.entry.verify import key_id
from ledger.errors import FormatError
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.text import format_base64
from ledger.tlog.text import parse_base64


class SignedEvent(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """The bytes of an event and the signature over them (and their tag)."""

    event: bytes
    signature: Bytes64


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(SignedEvent).decode


def sign_event(
    key: SigningKey,
    *,
    author: bytes,
    body: bytes,
    id: bytes,
    kind: str,
    log: bytes,
    prev: bytes,
    seen: tuple[int, bytes],
    seq: int,
    time: int,
) -> SignedEvent:
    """Encode an event and sign it.

    The fields are those of ``Event``, but for the body, which comes as canonical
    bytes, and the key id, which is that of the signing key.

    Raises:
        FormatError: as ``parse_event``, and as ``canonical.check`` for the body.
    """
    # By itself first: inside an event, what is wrong with it is harder to say.
    check(body, depth=BODY_DEPTH)
    event = encode_event(
        Event(
            author=author,
            body=msgspec.Raw(body),
            id=id,
            key=key_id(key.public),
            kind=kind,
            log=log,
            prev=prev,
            seen=seen,
            seq=seq,
            time=time,
        )
    )
    return SignedEvent(event, key.sign(EVENT_TAG + event))


def format_signed(signed: SignedEvent) -> str:
    """Format a signed event as one line of text, without its line feed."""
    return format_base64(_encode(signed))


def parse_signed(line: str) -> SignedEvent:
    """Parse one line, without its line feed.

    Raises:
        FormatError: ``bad-signed-event``, ``bad-base64``, or a code of
            ``parse_event``. The signature is not verified.
    """
    data = parse_base64(line)
    try:
        signed = _decode(data)
    except DECODE_ERRORS as error:
        raise _bad_signed(f"a signed event is malformed: {error}") from None
    if _encode(signed) != data:
        raise _bad_signed("a signed event is not in its canonical form")
    parse_event(signed.event)
    return signed


def format_signed_lines(events: Iterable[SignedEvent]) -> str:
    """Format a file of signed events, in the order given."""
    return "".join(f"{format_signed(signed)}\n" for signed in events)


def parse_signed_lines(text: str) -> list[SignedEvent]:
    """Parse a file of signed events.

    Raises:
        FormatError: as ``parse_signed``, the number of the line first in the
            message; ``bad-signed-event`` if the last line has no line feed.
    """
    *lines, rest = text.split("\n")
    if rest:
        raise _bad_signed(f"line {len(lines) + 1} has no line feed: was it cut off?")
    return [_parse_numbered(number, line) for number, line in enumerate(lines, 1)]


def _parse_numbered(number: int, line: str) -> SignedEvent:
    try:
        return parse_signed(line)
    except FormatError as error:
        message = f"line {number}: {error.message}"
        raise FormatError(error.code, message, hint=error.hint) from None


def _bad_signed(reason: str) -> FormatError:
    return FormatError("bad-signed-event", reason)
