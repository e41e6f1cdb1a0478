"""The strict Ed25519 rule of format.md §4, and what would get round it.

The attacks are made here with plain scalar arithmetic: a forger knows the private
scalar and chooses R, S and A freely.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from hashlib import sha512
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.bindings import crypto_core_ed25519_add
from nacl.bindings import crypto_scalarmult_ed25519_base_noclamp
from nacl.bindings import crypto_sign_open

from ledger.errors import InputError
from ledger.errors import VerificationError
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.ed25519 import check_public_key
from ledger.tlog.ed25519 import verify

Shared = Callable[[str], Path]

ORDER = 2**252 + 27742317777372353535851937790883648493
SEED = bytes(range(32))
KEY = SigningKey(SEED)
MESSAGE = b"a message"

IDENTITY = bytes.fromhex("01" + "00" * 31)
ORDER_2 = bytes.fromhex("ec" + "ff" * 30 + "7f")
ORDER_4 = bytes(32)
ORDER_8 = bytes.fromhex(
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
)


def torsion_points() -> list[bytes]:
    """All seven points of small order but the identity, as multiples of one."""
    points = [ORDER_8]
    while len(points) < 7:
        points.append(crypto_core_ed25519_add(points[-1], ORDER_8))
    return points


def scalar(seed: bytes) -> int:
    """The private scalar of a seed, RFC 8032 §5.1.5."""
    clamped = bytearray(sha512(seed).digest()[:32])
    clamped[0] &= 248
    clamped[31] = clamped[31] & 127 | 64
    return int.from_bytes(clamped, "little") % ORDER


def challenge(point: bytes, public: bytes, message: bytes) -> int:
    """The number k of RFC 8032 §5.1.7."""
    return int.from_bytes(sha512(point + public + message).digest(), "little") % ORDER


def forge(
    nonce: int,
    torsion: bytes | None,
    public: bytes = KEY.public,
    message: bytes = MESSAGE,
) -> bytes:
    """Sign with R = [nonce]B + torsion, as only the holder of the key can."""
    point = base(nonce)
    if torsion is not None:
        point = crypto_core_ed25519_add(point, torsion)
    s = (nonce + challenge(point, public, message) * scalar(SEED)) % ORDER
    return point + s.to_bytes(32, "little")


def base(multiple: int) -> bytes:
    """[multiple]B, which libsodium refuses to compute for 0."""
    if multiple == 0:
        return IDENTITY
    return crypto_scalarmult_ed25519_base_noclamp(multiple.to_bytes(32, "little"))


def holds_in_libsodium(public: bytes, message: bytes, signature: bytes) -> bool:
    """What libsodium says by itself, without the check of the key."""
    try:
        crypto_sign_open(signature + message, public)
    except Exception:  # noqa: BLE001 -- any refusal
        return False
    return True


def refusal(public: bytes, message: bytes, signature: bytes) -> str | None:
    """The code with which a signature is refused, None if it holds."""
    try:
        verify(public, message, signature)
    except VerificationError as error:
        return error.code
    return None


def test_the_first_vectors_of_rfc_8032() -> None:
    """Keys and signatures are those of RFC 8032 §7.1, tests 1 and 2."""
    first = SigningKey(
        bytes.fromhex(
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
        )
    )
    assert first.public.hex() == (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    )
    assert first.sign(b"").hex() == (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )
    second = SigningKey(
        bytes.fromhex(
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"
        )
    )
    assert second.sign(b"\x72").hex() == (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=300))
def test_what_is_signed_verifies(seed: bytes, message: bytes) -> None:
    """Any key signs any message, always with the same 64 bytes."""
    key = SigningKey(seed)
    signature = key.sign(message)
    assert len(signature) == 64
    assert key.sign(message) == signature
    assert refusal(key.public, message, signature) is None


def test_every_flipped_bit_of_a_signature_is_refused() -> None:
    """There is no second signature next to the first."""
    signature = KEY.sign(MESSAGE)
    for bit in range(8 * 64):
        flipped = bytearray(signature)
        flipped[bit // 8] ^= 1 << bit % 8
        assert refusal(KEY.public, MESSAGE, bytes(flipped)) == "bad-signature"


def test_other_messages_and_keys_are_refused() -> None:
    """A signature holds for one message and one key."""
    signature = KEY.sign(MESSAGE)
    other = SigningKey(bytes(32)).public
    assert refusal(KEY.public, MESSAGE + b"!", signature) == "bad-signature"
    assert refusal(other, MESSAGE, signature) == "bad-signature"


def test_the_border_of_signature_and_message_can_not_move() -> None:
    """Libsodium sees both as one buffer: a shifted pair is refused for its length."""
    signature = KEY.sign(MESSAGE)
    assert refusal(KEY.public, signature[63:] + MESSAGE, signature[:63]) is not None
    assert refusal(KEY.public, MESSAGE[1:], signature + MESSAGE[:1]) is not None
    assert refusal(KEY.public, signature + MESSAGE, b"") is not None


def test_a_scalar_beyond_the_order_is_refused() -> None:
    """S + L would be a second signature for the same message."""
    signature = KEY.sign(MESSAGE)
    s = int.from_bytes(signature[32:], "little")
    while (s := s + ORDER) < 2**256:
        second = signature[:32] + s.to_bytes(32, "little")
        assert refusal(KEY.public, MESSAGE, second) == "bad-signature"


def test_forging_as_the_attacks_do_makes_honest_signatures_too() -> None:
    """The attacks below fail for their torsion and not for a slip of the tests."""
    for nonce in range(1, 20):
        assert refusal(KEY.public, MESSAGE, forge(nonce, None)) is None


def test_a_point_r_with_a_small_order_part_is_refused() -> None:
    """Cofactored verifiers accept these: R must be in the prime-order subgroup.

    This is libsodium's own doing, since it compares the bytes of R with those of
    [S]B - [k]A, which lies in the subgroup whenever A does.
    """
    for nonce in range(1, 9):
        for torsion in torsion_points():
            signature = forge(nonce, torsion)
            assert refusal(KEY.public, MESSAGE, signature) == "bad-signature"


def test_a_point_r_of_small_order_is_refused() -> None:
    """R may not be the identity either, for which the equation does hold."""
    identity = forge(0, None)
    s = int.from_bytes(identity[32:], "little")
    k = challenge(IDENTITY, KEY.public, MESSAGE)
    assert s == k * scalar(SEED) % ORDER
    assert identity[:32] == IDENTITY
    assert refusal(KEY.public, MESSAGE, identity) == "bad-signature"
    for torsion in torsion_points():
        s = challenge(torsion, KEY.public, MESSAGE) * scalar(SEED) % ORDER
        signature = torsion + s.to_bytes(32, "little")
        assert refusal(KEY.public, MESSAGE, signature) == "bad-signature"


def test_a_key_with_a_small_order_part_is_refused() -> None:
    """Libsodium accepts such keys, now and then: the check of the key is needed.

    With A = [a]B + T the equation holds whenever 8 divides k.
    """
    for torsion in torsion_points():
        public = crypto_core_ed25519_add(KEY.public, torsion)
        nonce = next(
            nonce
            for nonce in range(1, 1000)
            if challenge(base(nonce), public, MESSAGE) % 8 == 0
        )
        signature = forge(nonce, None, public)
        assert holds_in_libsodium(public, MESSAGE, signature)
        assert refusal(public, MESSAGE, signature) == "bad-public-key"


@pytest.mark.parametrize(
    "public",
    [
        IDENTITY,
        ORDER_2,
        ORDER_4,
        ORDER_8,
        bytes.fromhex("ed" + "ff" * 30 + "7f"),  # y = p, a second form of y = 0
        bytes.fromhex("ee" + "ff" * 30 + "7f"),  # y = p + 1, of the identity
        bytes.fromhex("01" + "00" * 30 + "80"),  # the identity with the sign of x set
        bytes.fromhex("02" + "00" * 31),  # no point of the curve
        b"",
        KEY.public[:31],
        KEY.public + b"\0",
    ],
)
def test_bad_public_keys_are_refused(public: bytes) -> None:
    """Points of small order, other encodings, other lengths: none is a key."""
    with pytest.raises(VerificationError) as caught:
        check_public_key(public)
    assert caught.value.code == "bad-public-key"


def test_a_key_is_checked_once() -> None:
    """The check is remembered, since it costs nearly as much as a signature."""
    check_public_key(KEY.public)
    hits = check_public_key.cache_info().hits
    verify(KEY.public, MESSAGE, KEY.sign(MESSAGE))
    assert check_public_key.cache_info().hits == hits + 1


def test_a_signing_key_keeps_its_secret() -> None:
    """Neither its repr nor a pickle nor an attribute shows the seed."""
    assert repr(KEY) == f"SigningKey(public={KEY.public.hex()})"
    assert not hasattr(KEY, "__dict__")
    with pytest.raises(TypeError):
        pickle.dumps(KEY)


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_seed_has_32_bytes(length: int) -> None:
    """No other length makes a key."""
    with pytest.raises(InputError) as caught:
        SigningKey(bytes(length))
    assert caught.value.code == "bad-seed"


def test_wycheproof(shared: Shared) -> None:
    """All 151 vectors of Wycheproof come out as they say."""
    path = shared("ed25519/wycheproof-ed25519_test.json")
    verdicts = []
    for group in json.loads(path.read_text())["testGroups"]:
        public = bytes.fromhex(group["publicKey"]["pk"])
        for case in group["tests"]:
            message, signature = bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"])
            code = refusal(public, message, signature)
            verdicts.append((code is None) == (case["result"] == "valid"))
    assert verdicts == [True] * 151


def test_cctv(shared: Shared) -> None:
    """All 914 edge cases of CCTV come out as the strict rule says.

    Each flag names one thing that the rule forbids: a small-order point or part,
    an encoding that is not canonical, an equation that holds only up to small
    order, or k computed over re-encoded points. Without a flag, a vector is valid.
    """
    forbidden_in_key = {"low_order_A", "low_order_component_A", "non_canonical_A"}
    forbidden = forbidden_in_key | {
        "low_order_R",
        "low_order_component_R",
        "non_canonical_R",
        "low_order_residue",
        "reencoded_k",
    }
    cases = json.loads(shared("ed25519/cctv-ed25519vectors.json").read_text())
    mismatches = []
    for case in cases:
        flags = set(case["flags"] or ())
        assert flags <= forbidden
        code = refusal(
            bytes.fromhex(case["key"]), case["msg"].encode(), bytes.fromhex(case["sig"])
        )
        expected = "bad-signature" if flags else None
        if flags & forbidden_in_key:
            expected = "bad-public-key"
        if code != expected:
            mismatches.append((case["number"], flags, code))
    assert len(cases) == 914
    assert mismatches == []


def test_libsodium_alone_is_not_strict(shared: Shared) -> None:
    """Of CCTV's vectors libsodium takes 43, and the strict rule one of them."""
    cases = json.loads(shared("ed25519/cctv-ed25519vectors.json").read_text())
    vectors = [
        (bytes.fromhex(case["key"]), case["msg"].encode(), bytes.fromhex(case["sig"]))
        for case in cases
    ]
    loose = [vector for vector in vectors if holds_in_libsodium(*vector)]
    assert len(loose) == 43
    assert sum(refusal(*vector) is None for vector in loose) == 1
