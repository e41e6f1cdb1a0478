"""Vectors of events, entries and the file form of signed events (format.md §2)."""

from __future__ import annotations

from typing import Any

from ledger.entry.canonical import encode_trusted
from ledger.entry.envelope import ENTRY_TAG
from ledger.entry.envelope import EVENT_BYTES_MAX
from ledger.entry.envelope import EVENT_TAG
from ledger.entry.envelope import LEAF_BYTES_MAX
from ledger.entry.envelope import event_hash
from ledger.entry.manifest.leaves import LINE_TAG
from ledger.entry.sign import SignedEvent
from ledger.entry.sign import format_signed
from ledger.entry.verify import key_id
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.merkle import leaf_hash
from ledger.tlog.text import format_base64
from tools.vectors.case import Cases
from tools.vectors.case import bad
from tools.vectors.case import good
from tools.vectors.case import value

KEY = SigningKey(b"vectors".ljust(32, b"k"))
START_MS = 1_764_000_000_000

EVENT: dict[str, Any] = {
    "author": b"author".ljust(16, b"."),
    "body": {"grant": 7},
    "id": bytes(15) + b"\x01",
    "key": key_id(KEY.public),
    "kind": "licence.accept",
    "log": b"log".ljust(32, b"."),
    "prev": b"prev".ljust(32, b"."),
    "seen": [6, b"seen".ljust(32, b".")],
    "seq": 3,
    "time": START_MS,
}


def nested(depth: int) -> Any:  # noqa: ANN401 (any value)
    """Put arrays into arrays, so many deep."""
    return [nested(depth - 1)] if depth > 1 else []


def event_of(**fields: Any) -> bytes:  # noqa: ANN401 (any field, also a wrong one)
    """Encode the event with other fields; a field of None is left out."""
    changed = {**EVENT, **fields}
    return encode_trusted({n: v for n, v in changed.items() if v is not None})


def of_size(size: int) -> bytes:
    """Make an event of exactly so many bytes."""
    short = len(event_of(body={"text": [], "zeros": bytes(60_000)}))
    return event_of(body={"text": [], "zeros": bytes(60_000 + size - short)})


EVENTS: dict[str, tuple[str, bytes]] = {
    "plain": ("an acceptance of a licence", event_of()),
    "genesis zeros": (
        "what a genesis has before its log exists",
        event_of(
            kind="genesis", log=bytes(32), prev=bytes(32), seen=[0, bytes(32)], seq=0
        ),
    ),
    "body empty": ("a map without fields", event_of(body={})),
    "body depth 16": (
        "as deep as the limit: the event is 1, its body 2",
        event_of(body={"deep": nested(14)}),
    ),
    "kind of 64": ("the longest token", event_of(kind="k" * 64)),
    "numbers greatest": (
        "2^63 - 1 everywhere",
        event_of(seen=[2**63 - 1, bytes(32)], seq=2**63 - 1, time=2**63 - 1),
    ),
    "bytes 65000": ("as long as the limit", of_size(EVENT_BYTES_MAX)),
}

BAD_EVENTS: dict[str, tuple[str, str, bytes]] = {
    "bytes 65001": ("too-large", "one byte too many", of_size(EVENT_BYTES_MAX + 1)),
    "author of 15": ("bad-event", "an id has 16 bytes", event_of(author=bytes(15))),
    "author of 17": ("bad-event", "an id has 16 bytes", event_of(author=bytes(17))),
    "author text": ("bad-event", "bytes, not text", event_of(author="a" * 16)),
    "key of 31": ("bad-event", "a key id has 32 bytes", event_of(key=bytes(31))),
    "seq negative": ("bad-event", "chains start at 0", event_of(seq=-1)),
    "seq true": ("bad-event", "a bool is no number", event_of(seq=True)),
    "time negative": ("bad-event", "time starts in 1970", event_of(time=-1)),
    "seen of one": ("bad-event", "index and leaf hash", event_of(seen=[6])),
    "seen of three": (
        "bad-event",
        "index and leaf hash alone",
        event_of(seen=[6, bytes(32), 0]),
    ),
    "seen negative": ("bad-event", "an index", event_of(seen=[-1, bytes(32)])),
    "field missing": ("bad-event", "every field is there", event_of(prev=None)),
    "field unknown": ("bad-event", "no field besides", event_of(note="n")),
    "body array": ("bad-event", "a body is a map", event_of(body=[])),
    "kind upper case": ("bad-token", "a token is lower case", event_of(kind="Due")),
    "kind of 65": ("bad-token", "one character too many", event_of(kind="k" * 65)),
    "kind space": ("bad-token", "no spaces", event_of(kind="licence accept")),
    "array": ("bad-event", "an event is a map", encode_trusted([])),
    "body depth 17": (
        "too-deep",
        "one deeper than the limit",
        event_of(body={"deep": nested(15)}),
    ),
    "body float": ("bad-type", "no floats", event_of(body={"share": 0.5})),
    "body not canonical": (
        "not-canonical",
        "7 in two bytes",
        event_of().replace(b"\xa5grant\x07", b"\xa5grant\xcc\x07"),
    ),
    "head not canonical": (
        "not-canonical",
        "3 in two bytes",
        event_of().replace(b"\xa3seq\x03", b"\xa3seq\xcc\x03"),
    ),
    "trailing": ("not-canonical", "one byte too many", event_of() + b"\0"),
}


def entry_of(tag: bytes = ENTRY_TAG, **fields: Any) -> bytes:  # noqa: ANN401
    """Make the leaf of an entry with other fields; None leaves one out."""
    event = event_of()
    plain = {
        "event": event,
        "index": 7,
        "previous": b"previous".ljust(32, b"."),
        "signature": KEY.sign(EVENT_TAG + event),
        "time": START_MS + 1,
    }
    changed = {**plain, **fields}
    return tag + encode_trusted({n: v for n, v in changed.items() if v is not None})


def entry_of_size(size: int) -> bytes:
    """Make a leaf of exactly so many bytes; what its event is is not looked at."""
    short = len(entry_of(event=bytes(60_000)))
    return entry_of(event=bytes(60_000 + size - short))


ENTRIES: dict[str, tuple[str, bytes]] = {
    "plain": ("an entry of the plain event", entry_of()),
    "first": ("what entry 0 follows is zeros", entry_of(index=0, previous=bytes(32))),
    "longest event": (
        "the longest event fits: the two limits go together",
        entry_of(event=of_size(EVENT_BYTES_MAX)),
    ),
}

BAD_ENTRIES: dict[str, tuple[str, str, bytes]] = {
    "bytes 65536": ("too-large", "one too many", entry_of_size(LEAF_BYTES_MAX + 1)),
    "tag missing": ("bad-tag", "every leaf has its tag", entry_of(tag=b"")),
    "tag of a line": ("bad-tag", "a leaf of another tree", entry_of(tag=LINE_TAG)),
    "tag v2": ("bad-tag", "another version", entry_of(tag=b"linernote/entry/v2\n")),
    "signature of 63": ("bad-entry", "64 bytes", entry_of(signature=bytes(63))),
    "previous of 33": ("bad-entry", "32 bytes", entry_of(previous=bytes(33))),
    "index negative": ("bad-entry", "indices start at 0", entry_of(index=-1)),
    "event text": ("bad-entry", "bytes, not text", entry_of(event="event")),
    "event map": ("bad-entry", "bytes, not what they encode", entry_of(event={})),
    "field missing": ("bad-entry", "every field is there", entry_of(time=None)),
    "field unknown": ("bad-entry", "no field besides", entry_of(note="n")),
    "index not canonical": (
        "not-canonical",
        "7 in two bytes",
        entry_of().replace(b"\xa5index\x07", b"\xa5index\xcc\x07"),
    ),
    "trailing": ("not-canonical", "one byte too many", entry_of() + b"\0"),
}


def _signed() -> Cases:
    event = event_of()
    signed = SignedEvent(event, KEY.sign(EVENT_TAG + event))
    line = format_signed(signed)
    yield (
        "signed/plain",
        good(
            "base64 of cm {event, signature}",
            line=line,
            event=event.hex(),
            signature=signed.signature.hex(),
        ),
    )
    short = {"event": event, "signature": signed.signature[:63]}
    other = {"event": event, "note": 1, "signature": signed.signature}
    bent = encode_trusted({"event": event, "signature": signed.signature})
    for name, code, desc, text in (
        ("padding missing", "bad-base64", "base64 is padded", line.rstrip("=")),
        ("url alphabet", "bad-base64", "the standard alphabet", line.replace("/", "_")),
        ("line feed", "bad-base64", "one line", line[:40] + "\n" + line[40:]),
        (
            "signature of 63",
            "bad-signed-event",
            "a signature has 64 bytes",
            format_base64(encode_trusted(short)),
        ),
        (
            "field unknown",
            "bad-signed-event",
            "no field besides",
            format_base64(encode_trusted(other)),
        ),
        (
            "trailing",
            "bad-signed-event",
            "nothing after it",
            format_base64(bent + b"\0"),
        ),
    ):
        yield f"signed/{name}", bad(code, desc, line=text)


def cases() -> Cases:
    """Give every case."""
    for name, (desc, event) in EVENTS.items():
        hashed = event_hash(event).hex()
        yield f"event/{name}", good(desc, event=event.hex(), event_hash=hashed)
    yield (
        "event/fields",
        good("the plain event by field", event=event_of().hex(), fields=value(EVENT)),
    )
    for name, (code, desc, event) in BAD_EVENTS.items():
        yield f"event/{name}", bad(code, desc, event=event.hex())
    for name, (desc, leaf) in ENTRIES.items():
        hashed = leaf_hash(leaf).hex()
        yield f"entry/{name}", good(desc, leaf=leaf.hex(), leaf_hash=hashed)
    for name, (code, desc, leaf) in BAD_ENTRIES.items():
        yield f"entry/{name}", bad(code, desc, leaf=leaf.hex())
    yield from _signed()
