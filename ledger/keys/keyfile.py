"""The key file: one Ed25519 private key as text, locked with a passphrase.

    linernote-key-file v1
    name studio
    party 00000000000000000000000000000000
    purpose sign
    public 3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29
    kdf argon2id 3 268435456 5b1f…            passes, memory in bytes, salt
    secret AAEC…                              nonce ‖ XChaCha20-Poly1305(seed)

The lines stand in this order, each ends with a line feed, and each value has one
spelling. All lines above the secret are authenticated together with it: a file whose
party or purpose was edited does not open. ``kdf none`` holds the seed itself, for tests
and for keys that something else protects.

Passphrases are put into NFC, since keyboards differ in how they send é, and stretched
with Argon2id (RFC 9106) at libsodium's MODERATE unless said otherwise. What a file may
ask for is bounded, since it is asked before anything in it is authenticated.

Nothing here reads randomness: salt, nonce and seed are the caller's, and fresh.

>>> labels = {"name": "studio", "party": bytes(16), "purpose": "sign"}
>>> key_file = lock(bytes(32), "tea", salt=bytes(16), nonce=bytes(24), cost=CHEAPEST,
...     **labels)
>>> parse_key_file(format_key_file(key_file)).unlock("tea").public.hex()[:16]
'3b6a27bcceb6a42d'
>>> key_file.unlock("coffee")
Traceback (most recent call last):
ledger.errors.InputError: the passphrase does not open key file 'studio'
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from dataclasses import field
from unicodedata import normalize

from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt
from nacl.bindings import crypto_pwhash_alg
from nacl.bindings import crypto_pwhash_ALG_ARGON2ID13
from nacl.exceptions import CryptoError

from ledger.errors import FormatError
from ledger.errors import InputError
from ledger.tlog.ed25519 import PUBLIC_KEY_LENGTH
from ledger.tlog.ed25519 import SEED_LENGTH
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.text import format_base64
from ledger.tlog.text import parse_base64
from ledger.tlog.text import parse_decimal
from ledger.tlog.text import parse_hex

PURPOSES = ("root", "sign", "log")
SALT_LENGTH = 16
NONCE_LENGTH = 24

_FIRST_LINE = "linernote-key-file v1"
_LABELS = ("name", "party", "purpose", "public", "kdf", "secret")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PARTY_LENGTH = 16
_TAG_LENGTH = 16
_KEY_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Cost:
    """What it costs to try one passphrase.

    Args:
        passes: over the memory, 1 to 16.
        memory_bytes: 8 KiB to 1 GiB.

    Raises:
        FormatError: ``bad-kdf-cost``.
    """

    passes: int
    memory_bytes: int

    def __post_init__(self) -> None:
        if not (1 <= self.passes <= 16 and 1 << 13 <= self.memory_bytes <= 1 << 30):  # noqa: PLR2004
            raise FormatError(
                "bad-kdf-cost",
                f"{self.passes} passes over {self.memory_bytes} bytes is out of bounds",
                hint="1 to 16 passes over 8 KiB to 1 GiB",
            )


MODERATE = Cost(passes=3, memory_bytes=1 << 28)
CHEAPEST = Cost(passes=1, memory_bytes=1 << 13)


@dataclass(frozen=True, slots=True)
class Kdf:
    """How a passphrase becomes the key that locks the file: Argon2id.

    Args:
        cost: of one try.
        salt: 16 bytes.
    """

    cost: Cost
    salt: bytes


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A key file, locked or not; its ``repr`` does not show the secret.

    Args:
        name: what its owner calls the key: a file name without surprises.
        party: id of the party that it signs for, 16 bytes.
        purpose: "root", "sign" or "log".
        public: the public key.
        kdf: ``None`` if the secret is the seed itself.
        secret: nonce ‖ locked seed, or the seed.

    Raises:
        FormatError: ``bad-key-file``.
    """

    name: str
    party: bytes
    purpose: str
    public: bytes
    kdf: Kdf | None
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        locked_length = NONCE_LENGTH + SEED_LENGTH + _TAG_LENGTH
        expected = {
            "name": _NAME.fullmatch(self.name) is not None,
            "party": len(self.party) == _PARTY_LENGTH,
            "purpose": self.purpose in PURPOSES,
            "public": len(self.public) == PUBLIC_KEY_LENGTH,
            "kdf": self.kdf is None or len(self.kdf.salt) == SALT_LENGTH,
            "secret": len(self.secret) == (locked_length if self.kdf else SEED_LENGTH),
        }
        for label, holds in expected.items():
            if not holds:
                raise _bad_file(f"its {label} has a wrong form or length")

    def unlock(self, passphrase: str | None = None) -> SigningKey:
        """Open the file.

        Args:
            passphrase: not looked at if the file is not locked.

        Raises:
            InputError: ``passphrase-needed``; ``wrong-passphrase``, also if the file
                was edited; ``key-file-mismatch`` if it holds another private key than
                its public key says; ``bad-passphrase``; ``kdf-failed``.
        """
        key = SigningKey(self.secret if self.kdf is None else self._open(passphrase))
        if key.public != self.public:
            raise InputError(
                "key-file-mismatch",
                f"key file {self.name!r} holds another key than its public line says",
                hint="restore it from a backup: it was edited or damaged",
            )
        return key

    def _open(self, passphrase: str | None) -> bytes:
        if self.kdf is None or passphrase is None:
            raise InputError(
                "passphrase-needed", f"key file {self.name!r} needs its passphrase"
            )
        nonce, locked = self.secret[:NONCE_LENGTH], self.secret[NONCE_LENGTH:]
        key = _stretch(passphrase, self.kdf)
        try:
            return crypto_aead_xchacha20poly1305_ietf_decrypt(
                locked, _head(self).encode(), nonce, key
            )
        except CryptoError:
            raise InputError(
                "wrong-passphrase",
                f"the passphrase does not open key file {self.name!r}",
                hint="if it is right, the file was edited: restore it from a backup",
            ) from None


def lock(
    seed: bytes,
    passphrase: str,
    *,
    name: str,
    party: bytes,
    purpose: str,
    salt: bytes,
    nonce: bytes,
    cost: Cost = MODERATE,
) -> KeyFile:
    """Lock a private key with a passphrase.

    Args:
        seed: the 32 secret bytes of the key.
        passphrase: at least one character.
        name: as in ``KeyFile``.
        party: as in ``KeyFile``.
        purpose: as in ``KeyFile``.
        salt: 16 fresh random bytes.
        nonce: 24 fresh random bytes.
        cost: of one try to open it.

    Raises:
        InputError: ``passphrase-needed`` for an empty one; ``bad-passphrase``;
            ``kdf-failed``; ``bad-seed``.
        FormatError: ``bad-key-file``.
    """
    if not passphrase:
        raise InputError(
            "passphrase-needed",
            "an empty passphrase locks nothing",
            hint="choose one, or make an unlocked key file on purpose",
        )
    public = SigningKey(seed).public
    kdf = Kdf(cost, salt)
    # The lines above the secret have to be right before they are locked with it.
    blank = bytes(len(seed) + _TAG_LENGTH)
    key_file = KeyFile(name, party, purpose, public, kdf, nonce + blank)
    locked = crypto_aead_xchacha20poly1305_ietf_encrypt(
        seed, _head(key_file).encode(), nonce, _stretch(passphrase, kdf)
    )
    return KeyFile(name, party, purpose, public, kdf, nonce + locked)


def leave_unlocked(seed: bytes, *, name: str, party: bytes, purpose: str) -> KeyFile:
    """Put a private key into a file that anyone can open who can read it.

    Raises:
        InputError: ``bad-seed``.
        FormatError: ``bad-key-file``.
    """
    return KeyFile(name, party, purpose, SigningKey(seed).public, None, seed)


def format_key_file(key_file: KeyFile) -> str:
    """Format a key file; keep the text from others even if it is locked."""
    return f"{_head(key_file)}secret {format_base64(key_file.secret)}\n"


def parse_key_file(text: str) -> KeyFile:
    """Parse a key file; nothing is opened.

    Raises:
        FormatError: ``bad-key-file``, ``bad-kdf-cost``, ``bad-hex`` or
            ``bad-decimal`` if ``format_key_file`` would not write it.
    """
    *lines, rest = text.split("\n")
    pairs = [line.partition(" ") for line in lines[1:]]
    labels = tuple(label for label, _, _ in pairs)
    if lines[:1] != [_FIRST_LINE] or labels != _LABELS or rest:
        raise _bad_file("it has other lines", hint=f"it starts with {_FIRST_LINE!r}")
    name, party, purpose, public, kdf, secret = (value for _, _, value in pairs)
    key_file = KeyFile(
        name=name,
        party=parse_hex(party, _PARTY_LENGTH),
        purpose=purpose,
        public=parse_hex(public, PUBLIC_KEY_LENGTH),
        kdf=_parse_kdf(kdf),
        secret=_parse_secret(secret),
    )
    if format_key_file(key_file) != text:
        raise _bad_file("it is not spelled as it is written")
    return key_file


def _head(key_file: KeyFile) -> str:
    """Give the lines above the secret, which it is locked together with."""
    return (
        f"{_FIRST_LINE}\n"
        f"name {key_file.name}\n"
        f"party {key_file.party.hex()}\n"
        f"purpose {key_file.purpose}\n"
        f"public {key_file.public.hex()}\n"
        f"kdf {_format_kdf(key_file.kdf)}\n"
    )


def _format_kdf(kdf: Kdf | None) -> str:
    if kdf is None:
        return "none"
    return f"argon2id {kdf.cost.passes} {kdf.cost.memory_bytes} {kdf.salt.hex()}"


def _parse_kdf(text: str) -> Kdf | None:
    if text == "none":
        return None
    parts = text.split(" ")
    if len(parts) != 4 or parts[0] != "argon2id":  # noqa: PLR2004
        raise _bad_file("its kdf is neither none nor argon2id with three values")
    cost = Cost(parse_decimal(parts[1]), parse_decimal(parts[2]))
    return Kdf(cost, parse_hex(parts[3], SALT_LENGTH))


def _stretch(passphrase: str, kdf: Kdf) -> bytes:
    try:
        password = normalize("NFC", passphrase).encode()
        return crypto_pwhash_alg(
            _KEY_LENGTH,
            password,
            kdf.salt,
            kdf.cost.passes,
            kdf.cost.memory_bytes,
            crypto_pwhash_ALG_ARGON2ID13,
        )
    except UnicodeEncodeError:
        raise InputError("bad-passphrase", "the passphrase is not text") from None
    except CryptoError:
        raise InputError(
            "kdf-failed",
            f"no {kdf.cost.memory_bytes} bytes of memory to stretch a passphrase",
            hint="free some memory, or use a machine that has more",
        ) from None


def _parse_secret(text: str) -> bytes:
    try:
        return parse_base64(text)
    except FormatError:
        # The parser's own error quotes what it read.
        raise _bad_file("its secret is not canonical base64") from None


def _bad_file(reason: str, *, hint: str = "") -> FormatError:
    return FormatError("bad-key-file", f"not a key file: {reason}", hint=hint)
