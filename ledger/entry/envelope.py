r"""Events and entries as bytes (format.md §2).

    event      cm of exactly {author, body, id, key, kind, log, prev, seen, seq, time}
    leaf data  "linernote/entry/v1\n" ‖ cm of exactly
               {event, index, previous, signature, time}

An *event* is what an author signs; an *entry* is an event as the log took it in, one
leaf of its tree. The parsers accept what the encoders write and nothing else: the
header through typed structs, the body through the walk of ``canonical``. Whether a
body says something is for the layers above; whether a signature holds, for ``verify``.

Zeros of a genesis (``log``, ``prev``, ``seen``) mean something to replay, nothing here.

>>> event = Event(
...     author=bytes(16), body=msgspec.Raw(b"\x80"), id=bytes(16), key=ZERO32,
...     kind="genesis", log=ZERO32, prev=ZERO32, seen=(0, ZERO32), seq=0, time=0,
... )
>>> parse_event(encode_event(event)) == event
True
>>> len(event_hash(encode_event(event)))
32
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from typing import Annotated
from typing import TypeVar

import msgspec

from ledger.entry import canonical
from ledger.entry.grammar import check_token
from ledger.errors import FormatError

EVENT_TAG = b"linernote/event/v1\n"
ENTRY_TAG = b"linernote/entry/v1\n"
EVENT_BYTES_MAX = 65_000
LEAF_BYTES_MAX = 65_535
BODY_DEPTH = 2
ZERO32 = bytes(32)

Bytes16 = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
Bytes32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Bytes64 = Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)]
Natural = Annotated[int, msgspec.Meta(ge=0, le=canonical.INTEGER_MAX)]

# A map's first byte: fixmap, map 16, map 32 (MessagePack specification).
_MAP_BYTES = frozenset([*range(0x80, 0x90), 0xDE, 0xDF])


# Fields in ascending order: a struct is written as it is declared, and so is canonical.
class Event(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """What an author signs.

    Attributes:
        author: id of the party in whose name it is signed.
        body: the canonical map that the kind defines, still encoded.
        id: random, unique for each author.
        key: key id of the signing key.
        kind: what happened, a token.
        log: id of the log that it is meant for; zeros in a genesis.
        prev: event hash of this key's event ``seq - 1``; zeros at 0.
        seen: index and leaf hash of the newest entry that the author had verified.
        seq: place in the chain of this key, from 0.
        time: of signing by the author's clock, ms since 1970.
    """

    author: Bytes16
    body: msgspec.Raw
    id: Bytes16
    key: Bytes32
    kind: str
    log: Bytes32
    prev: Bytes32
    seen: tuple[Natural, Bytes32]
    seq: Natural
    time: Natural


class Entry(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """An event as the log took it in.

    Attributes:
        event: the bytes that were signed.
        index: place in the log, from 0.
        previous: leaf hash of entry ``index - 1``; zeros at 0.
        signature: of the event.
        time: when the log took it in, ms since 1970; never goes back.
    """

    event: bytes
    index: Natural
    previous: Bytes32
    signature: Bytes64
    time: Natural


_T = TypeVar("_T")
_encode = msgspec.msgpack.Encoder().encode
_event_decoder = msgspec.msgpack.Decoder(Event)
_hasher = sha256(EVENT_TAG)
_entry_decoder = msgspec.msgpack.Decoder(Entry)
# There are few kinds, and a pattern in the struct would cost as much as the rest of it.
_check_kind = lru_cache(maxsize=1024)(check_token)


def encode_event(event: Event) -> bytes:
    """Encode an event; what ``parse_event`` would refuse is not written.

    Raises:
        FormatError: as ``parse_event``.
    """
    data = _encode(event)
    parse_event(data)
    return data


def parse_event(data: bytes) -> Event:
    """Parse an event, all of it: header, limits, and the body as canonical bytes.

    Raises:
        FormatError: ``too-large``, ``bad-event``, ``bad-token`` for its kind, or a
            code of ``canonical.check``.
    """
    _check_size(data, EVENT_BYTES_MAX, "an event")
    event = _decode(_event_decoder, data, "bad-event")
    _check_kind(event.kind)
    body = bytes(event.body)
    if body[0] not in _MAP_BYTES:
        raise FormatError("bad-event", "the body of an event is not a map")
    canonical.check(body, depth=BODY_DEPTH)
    if _encode(event) != data:
        raise _not_canonical("an event")
    return event


def encode_entry(entry: Entry) -> bytes:
    """Encode an entry as leaf data, tag included.

    Raises:
        FormatError: as ``parse_entry``.
    """
    leaf = ENTRY_TAG + _encode(entry)
    parse_entry(leaf)
    return leaf


def parse_entry(leaf: bytes) -> Entry:
    """Parse leaf data; the event inside stays bytes, for ``parse_event``.

    Raises:
        FormatError: ``too-large``, ``bad-tag`` for a leaf of another tree,
            ``bad-entry``, or a code of ``canonical.check``.
    """
    _check_size(leaf, LEAF_BYTES_MAX, "an entry")
    if not leaf.startswith(ENTRY_TAG):
        raise FormatError(
            "bad-tag",
            f"a leaf starts with {leaf[: len(ENTRY_TAG)]!r} instead of {ENTRY_TAG!r}",
            hint="this is the leaf of another tree, or of another version",
        )
    data = leaf[len(ENTRY_TAG) :]
    entry = _decode(_entry_decoder, data, "bad-entry")
    if _encode(entry) != data:
        raise _not_canonical("an entry")
    return entry


def decode_event(data: bytes) -> Event:
    """Decode an event that ``parse_event`` has accepted before: no check is repeated.

    For the second pass over bytes whose hashes were verified, where it costs a
    tenth of ``parse_event``.
    """
    return _event_decoder.decode(data)


def decode_entry(leaf: bytes) -> Entry:
    """Decode leaf data that ``parse_entry`` has accepted before, as above."""
    return _entry_decoder.decode(leaf[len(ENTRY_TAG) :])


def event_hash(data: bytes) -> bytes:
    """Hash the bytes of an event; of a genesis, this is the log id."""
    hasher = _hasher.copy()
    hasher.update(data)
    return hasher.digest()


def _decode(decoder: msgspec.msgpack.Decoder[_T], data: bytes, code: str) -> _T:
    try:
        return decoder.decode(data)
    except canonical.DECODE_ERRORS as error:
        reason = str(error)
    # The walk knows better what is wrong with bytes; the struct, with fields.
    canonical.check(data)
    raise FormatError(code, reason)


def _check_size(data: bytes, limit: int, name: str) -> None:
    if len(data) > limit:
        raise FormatError(
            "too-large",
            f"{name} of {len(data)} bytes, at most {limit}",
            hint="put what is long into the lines of a manifest",
        )


def _not_canonical(name: str) -> FormatError:
    return FormatError("not-canonical", f"{name} is not in its canonical form")
