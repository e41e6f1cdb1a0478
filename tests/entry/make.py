"""Events and entries for tests: fixed keys, plain values, and a short valid log."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec

from ledger.entry import canonical
from ledger.entry.canonical import Value
from ledger.entry.envelope import ZERO32
from ledger.entry.envelope import Entry
from ledger.entry.envelope import Event
from ledger.entry.envelope import encode_entry
from ledger.entry.envelope import encode_event
from ledger.entry.envelope import event_hash
from ledger.entry.sign import sign_event
from ledger.entry.verify import key_id
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.merkle import leaf_hash

TIME = 1_764_000_000_000
KEYS = [SigningKey(sha256(b"key %d" % number).digest()) for number in range(3)]
PUBLIC_KEYS = {key_id(key.public): key.public for key in KEYS}
BODY: dict[str, Value] = {"amount": 12_564_076, "currency": "SEK", "party": bytes(16)}

_EVENT: dict[str, Any] = {
    "author": bytes(range(16)),
    "body": msgspec.Raw(canonical.encode(BODY)),
    "id": bytes(16),
    "key": ZERO32,
    "kind": "due",
    "log": ZERO32,
    "prev": ZERO32,
    "seen": (0, ZERO32),
    "seq": 0,
    "time": TIME,
}
_ENTRY: dict[str, Any] = {
    "event": b"",
    "index": 0,
    "previous": ZERO32,
    "signature": bytes(64),
    "time": TIME,
}


def event(**fields: Any) -> Event:  # noqa: ANN401
    """Make an event that is valid but for the fields given."""
    return Event(**{**_EVENT, **fields})


def entry(**fields: Any) -> Entry:  # noqa: ANN401
    """Make an entry that is valid but for the fields given."""
    return Entry(**{**_ENTRY, "event": encode_event(event()), **fields})


def event_fields(**fields: Any) -> dict[str, Any]:  # noqa: ANN401
    """Give the fields of a valid event as they stand in MessagePack."""
    plain = {**_EVENT, "body": BODY, "seen": [0, ZERO32], **fields}
    return {name: value for name, value in plain.items() if value is not None}


def entry_fields(**fields: Any) -> dict[str, Any]:  # noqa: ANN401
    """Give the fields of a valid entry as they stand in MessagePack."""
    plain = {**_ENTRY, "event": encode_event(event()), **fields}
    return {name: value for name, value in plain.items() if value is not None}


def make_log(size: int, *, times: list[int] | None = None) -> list[bytes]:
    """Make the leaf data of a valid log, signed by three keys in turn."""
    leaves: list[bytes] = []
    previous, chains = ZERO32, [ZERO32] * len(KEYS)
    for index in range(size):
        number, time = index % len(KEYS), times[index] if times else TIME + index
        signed = sign_event(
            KEYS[number],
            author=bytes([number] * 16),
            body=canonical.encode({**BODY, "amount": index}),
            id=index.to_bytes(16, "big"),
            kind="due",
            log=ZERO32,
            prev=chains[number],
            seen=(max(0, index - 1), previous),
            seq=index // len(KEYS),
            time=time,
        )
        chains[number] = event_hash(signed.event)
        made = Entry(signed.event, index, previous, signed.signature, time)
        leaves.append(encode_entry(made))
        previous = leaf_hash(leaves[-1])
    return leaves
