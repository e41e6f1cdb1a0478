"""Ed25519 by one strict rule, the same in every verifier (format.md §4).

A signature is valid iff it has 64 bytes R ‖ S, S is below the group order, A
(the public key) and R are canonical encodings of points other than the identity
in the prime-order subgroup, and [S]B = R + [k]A with k from RFC 8032 §5.1.7.

RFC 8032 leaves verifiers room to disagree about keys and R with a small-order
part, so the same signature can hold in one library and fail in another. The
rule leaves none, and needs two calls of libsodium:

- ``crypto_core_ed25519_is_valid_point`` checks A, once for each key;
- ``crypto_sign_open`` checks S, computes R' = [S]B - [k]A and compares the bytes
  of R' and R. Since A is in the prime-order subgroup, so is R', and its bytes are
  canonical: an R with a small-order part or in another encoding can't be equal.
  What remains is R = identity, which libsodium refuses as of small order.

>>> key = SigningKey(bytes(32))
>>> verify(key.public, b"message", key.sign(b"message"))
>>> verify(key.public, b"another", key.sign(b"message"))
Traceback (most recent call last):
ledger.errors.VerificationError: the signature does not hold under key 3b6a27bcceb6a42d…
"""

from __future__ import annotations

from functools import lru_cache

from nacl.bindings import crypto_core_ed25519_is_valid_point
from nacl.bindings import crypto_sign
from nacl.bindings import crypto_sign_open
from nacl.bindings import crypto_sign_seed_keypair
from nacl.exceptions import BadSignatureError

from ledger.errors import InputError
from ledger.errors import VerificationError

PUBLIC_KEY_LENGTH = 32
SEED_LENGTH = 32
SIGNATURE_LENGTH = 64


# Checking a key costs nearly as much as a signature, and keys come again and again.
@lru_cache(maxsize=65_536)
def check_public_key(public: bytes) -> None:
    """Check that a public key is one under which the strict rule can hold.

    Raises:
        VerificationError: ``bad-public-key``.
    """
    # libsodium reads 32 bytes whatever it is given: the length comes first.
    if len(public) != PUBLIC_KEY_LENGTH:
        raise VerificationError(
            "bad-public-key",
            f"a public key of {len(public)} bytes instead of {PUBLIC_KEY_LENGTH}",
        )
    if not crypto_core_ed25519_is_valid_point(public):
        raise VerificationError(
            "bad-public-key",
            f"public key {public.hex()} is not a point of the prime-order subgroup",
            hint="such keys are never made by honest software: refuse its owner",
        )


def verify(public: bytes, message: bytes, signature: bytes) -> None:
    """Verify a signature by the strict rule.

    Args:
        public: 32 bytes.
        message: the signed bytes.
        signature: 64 bytes.

    Raises:
        VerificationError: ``bad-public-key`` or ``bad-signature``.
    """
    check_public_key(public)
    # Both are one buffer for libsodium: a length unchecked would move the border.
    if len(signature) != SIGNATURE_LENGTH:
        raise VerificationError(
            "bad-signature",
            f"a signature of {len(signature)} bytes instead of {SIGNATURE_LENGTH}",
        )
    try:
        crypto_sign_open(signature + message, public)
    except BadSignatureError:
        raise VerificationError(
            "bad-signature",
            f"the signature does not hold under key {public.hex()[:16]}…",
            hint="the message or the signature was changed, or the key is another's",
        ) from None


class SigningKey:
    """An Ed25519 private key; neither its ``repr`` nor a pickle shows it.

    Args:
        seed: the 32 secret bytes of RFC 8032 §5.1.5.

    Raises:
        InputError: ``bad-seed``.
    """

    __slots__ = ("_secret", "public")

    public: bytes
    """The public key, 32 bytes."""

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_LENGTH:
            raise InputError(
                "bad-seed", f"a seed of {len(seed)} bytes instead of {SEED_LENGTH}"
            )
        self.public, self._secret = crypto_sign_seed_keypair(seed)

    def sign(self, message: bytes) -> bytes:
        """Sign a message: 64 bytes, the same for the same message."""
        return crypto_sign(message, self._secret)[:SIGNATURE_LENGTH]

    def __repr__(self) -> str:
        """Show the public key only."""
        return f"SigningKey(public={self.public.hex()})"

    def __reduce__(self) -> str:
        """Refuse to be pickled: a private key stays in its process."""
        message = "a SigningKey can't be pickled"
        raise TypeError(message)
