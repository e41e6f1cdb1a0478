"""Vectors of keys: signatures, key ids, proofs of possession, key files (format.md §4).

The signatures that libraries disagree about are made here by hand, out of the group's
own arithmetic: with points of small order, in encodings that are not canonical, and
with an S that is too large.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha512
from typing import Any

from nacl.bindings import crypto_core_ed25519_add
from nacl.bindings import crypto_scalarmult_ed25519_base_noclamp

from ledger.entry.envelope import EVENT_TAG
from ledger.entry.verify import key_id
from ledger.entry.verify import prove_key
from ledger.keys.keyfile import CHEAPEST
from ledger.keys.keyfile import format_key_file
from ledger.keys.keyfile import leave_unlocked
from ledger.keys.keyfile import lock
from ledger.tlog.ed25519 import SigningKey
from tools.vectors.case import Cases
from tools.vectors.case import Vector
from tools.vectors.case import bad
from tools.vectors.case import good
from tools.vectors.entries import KEY
from tools.vectors.entries import event_of

ORDER = 2**252 + 27742317777372353535851937790883648493
"""L, the order of the group that signatures live in (RFC 8032 §5.1)."""
IDENTITY = b"\x01" + bytes(31)
SMALL = bytes.fromhex(
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"
)
"""A point of order 8."""
UNREDUCED = bytes.fromhex("ee" + "ff" * 30 + "7f")
"""The identity's y = 1 written as 2^255 - 18, which is not below 2^255 - 19."""

EVENT = event_of()
MESSAGE = EVENT_TAG + EVENT
OTHER = SigningKey(b"another".ljust(32, b"k"))
LOG, PARTY = b"log".ljust(32, b"."), b"party".ljust(16, b".")
TEA, CAFE = "tea and toast", "cafe\u0301"
LABELS: dict[str, Any] = {"name": "studio", "party": PARTY, "purpose": "sign"}


def _number(data: bytes) -> int:
    return int.from_bytes(data, "little")


def _scalar(number: int) -> bytes:
    return (number % ORDER).to_bytes(32, "little")


def _sign_with(nonce: int, r: bytes, public: bytes, secret: int) -> bytes:
    """Sign by hand: S = nonce + k·secret for a given R and public key."""
    k = _number(sha512(r + public + MESSAGE).digest())
    return r + _scalar(nonce + k * secret)


def _signatures() -> Cases:
    # A seed's secret scalar, as in RFC 8032 §5.1.5.
    digest = bytearray(sha512(b"vectors".ljust(32, b"k")).digest()[:32])
    digest[0] &= 248
    digest[31] = digest[31] & 127 | 64
    secret, nonce = _number(bytes(digest)), 12345
    r = crypto_scalarmult_ed25519_base_noclamp(_scalar(nonce))
    right = KEY.sign(MESSAGE)
    moved = KEY.sign(b"!" + MESSAGE) + b"!"
    by_hand = _sign_with(nonce, r, KEY.public, secret)
    mixed_r = crypto_core_ed25519_add(r, SMALL)
    s_plus_l = (_number(right[32:]) + ORDER).to_bytes(32, "little")
    refused = "bad-signature"
    yield _signature("plain", "", "of an event, with its tag", KEY.public, right)
    yield _signature("by hand", "", "another R, as good", KEY.public, by_hand)
    for name, desc, public, signature in (
        ("of the event alone", "the tag is missing", KEY.public, KEY.sign(EVENT)),
        ("by another key", "a stranger's", KEY.public, OTHER.sign(MESSAGE)),
        ("of 63 bytes", "a byte is missing", KEY.public, right[:63]),
        ("of 65 bytes", "a byte too many", KEY.public, right + b"\0"),
        ("of 65 bytes moved", "one byte of another message", KEY.public, moved),
        ("bit of R", "one bit", KEY.public, bytes([right[0] ^ 1]) + right[1:]),
        (
            "bit of S",
            "one bit",
            KEY.public,
            right[:32] + bytes([right[32] ^ 1]) + right[33:],
        ),
        ("S plus L", "S is below L", KEY.public, right[:32] + s_plus_l),
        (
            "R identity",
            "[S]B = R + [k]A holds, with R the identity",
            KEY.public,
            _sign_with(0, IDENTITY, KEY.public, secret),
        ),
        (
            "R identity unreduced",
            "the same R in another encoding",
            KEY.public,
            _sign_with(0, UNREDUCED, KEY.public, secret),
        ),
        (
            "R of mixed order",
            "R has a part of order 8: holds only if multiplied by 8",
            KEY.public,
            _sign_with(nonce, mixed_r, KEY.public, secret),
        ),
        ("zeros", "nothing", KEY.public, bytes(64)),
    ):
        yield _signature(name, refused, desc, public, signature)
    for name, desc, public in _public_keys():
        signature = _sign_with(nonce, r, public, secret)
        yield _signature(name, "bad-public-key", desc, public, signature)


def _public_keys() -> Iterator[tuple[str, str, bytes]]:
    """Give keys about whose signatures libraries disagree."""
    mixed = crypto_core_ed25519_add(KEY.public, SMALL)
    yield "A identity", "every message has a signature under it", IDENTITY
    yield "A of order 8", "small order", SMALL
    yield "A of mixed order", "a good key plus a point of order 8", mixed
    yield "A unreduced", "not the canonical encoding", UNREDUCED
    yield "A off the curve", "no point has this y", b"\x02" + bytes(31)
    yield "A of 31 bytes", "a byte is missing", KEY.public[:31]


def _signature(
    name: str, code: str, desc: str, public: bytes, signature: bytes
) -> tuple[str, Vector]:
    fields = {
        "event": EVENT.hex(),
        "public": public.hex(),
        "signature": signature.hex(),
    }
    vector = bad(code, desc, **fields) if code else good(desc, **fields)
    return f"signature/{name}", vector


def _key_proofs() -> Cases:
    right = prove_key(KEY, log=LOG, party=PARTY, purpose="sign")
    plain = {
        "log": LOG.hex(),
        "party": PARTY.hex(),
        "proof": right.hex(),
        "public": KEY.public.hex(),
        "purpose": "sign",
    }
    root = prove_key(KEY, log=LOG, party=PARTY, purpose="root").hex()
    yield "key-proof/sign", good("of a sign key", **plain)
    yield (
        "key-proof/root",
        good("of a root key", **plain | {"proof": root, "purpose": "root"}),
    )
    for name, desc, change in (
        ("another log", "for one log", {"log": bytes(32).hex()}),
        ("another party", "for one party", {"party": bytes(16).hex()}),
        ("another purpose", "for one purpose", {"purpose": "root"}),
        ("another key", "by the new key itself", {"public": OTHER.public.hex()}),
        ("of 63 bytes", "a byte is missing", {"proof": right[:63].hex()}),
        ("of the event", "an event's signature", {"proof": KEY.sign(MESSAGE).hex()}),
    ):
        yield f"key-proof/{name}", bad("bad-key-proof", desc, **plain | change)


def _locked(seed: bytes, passphrase: str) -> str:
    # The cheapest of costs, so that reading it takes no time; never lock so.
    salt, nonce = b"salt".ljust(16), b"nonce".ljust(24)
    return format_key_file(
        lock(seed, passphrase, salt=salt, nonce=nonce, cost=CHEAPEST, **LABELS)
    )


def _key_files() -> Cases:
    seed = b"key file".ljust(32, b"k")
    public = SigningKey(seed).public.hex()
    free = format_key_file(leave_unlocked(seed, **LABELS))
    locked, normal = _locked(seed, TEA), _locked(seed, "caf\u00e9")
    nfc = "a passphrase is put into NFC first: e and an accent are é"
    for name, desc, text, passphrase in (
        ("none", "the seed itself", free, None),
        ("locked", "by a passphrase", locked, TEA),
        ("normalised", nfc, normal, CAFE),
    ):
        fields = {"text": text, "passphrase": passphrase, "public": public}
        yield f"key-file/{name}", good(desc, **_present(fields))
    for name, code, desc, text in _edited(free, public):
        yield f"key-file/{name}", bad(code, desc, text=text)
    stranger = locked.replace(PARTY.hex(), bytes(16).hex())
    costly = locked.replace("argon2id 1 8192", "argon2id 1 2147483648")
    spelled = locked.replace("argon2id 1 ", "argon2id 01 ")
    for name, code, desc, text, passphrase in (
        ("wrong passphrase", "wrong-passphrase", "another one", locked, "coffee"),
        ("passphrase missing", "passphrase-needed", "none given", locked, None),
        ("party edited", "wrong-passphrase", "the head is locked too", stranger, TEA),
        ("cost too high", "bad-kdf-cost", "memory is bounded", costly, TEA),
        ("cost 01", "bad-decimal", "one spelling", spelled, TEA),
    ):
        fields = {"text": text, "passphrase": passphrase}
        yield f"key-file/{name}", bad(code, desc, **_present(fields))


def _present(fields: Vector) -> Vector:
    return {name: item for name, item in fields.items() if item is not None}


def _edited(free: str, public: str) -> Iterator[tuple[str, str, str, str]]:
    lines = free.splitlines(keepends=True)
    backwards = "".join([lines[0], *lines[:0:-1]])
    other = free.replace(public, OTHER.public.hex())
    upper = free.replace(public, public.upper())
    yield "public edited", "key-file-mismatch", "the seed is of another key", other
    yield "first line", "bad-key-file", "v2", free.replace(" v1", " v2")
    yield "line feed", "bad-key-file", "the last is missing", free[:-1]
    yield "crlf", "bad-key-file", "line feeds alone", free.replace("\n", "\r\n")
    yield "disorder", "bad-key-file", "one order", backwards
    yield "hex upper", "bad-hex", "hex is lower case", upper


def cases() -> Cases:
    """Give every case."""
    yield from _signatures()
    for name, public in (("first", KEY.public), ("second", OTHER.public)):
        fields = {"public": public.hex(), "key_id": key_id(public).hex()}
        yield f"key-id/{name}", good("H(01 ‖ public key)", **fields)
    yield from _key_proofs()
    yield from _key_files()
