"""Key files: one spelling, one passphrase, and nothing edited unnoticed."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import pytest
from nacl.exceptions import CryptoError

from ledger.errors import FormatError
from ledger.errors import InputError
from ledger.keys import keyfile
from ledger.keys.keyfile import CHEAPEST
from ledger.keys.keyfile import MODERATE
from ledger.keys.keyfile import Cost
from ledger.keys.keyfile import Kdf
from ledger.keys.keyfile import KeyFile
from ledger.keys.keyfile import format_key_file
from ledger.keys.keyfile import leave_unlocked
from ledger.keys.keyfile import lock
from ledger.keys.keyfile import parse_key_file
from ledger.tlog.ed25519 import SigningKey

SEED = bytes(range(32))
PASSPHRASE = "correct horse"
FIELDS: dict[str, Any] = {"name": "studio", "party": bytes([7] * 16), "purpose": "sign"}
RANDOM: dict[str, Any] = {"salt": bytes([1] * 16), "nonce": bytes([2] * 24)}
LOCKED = lock(SEED, PASSPHRASE, cost=CHEAPEST, **FIELDS, **RANDOM)
OPEN = leave_unlocked(SEED, **FIELDS)

TEXT = """\
linernote-key-file v1
name studio
party 07070707070707070707070707070707
purpose sign
public 03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8
kdf none
secret AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=
"""


def test_an_unlocked_file_is_this_text() -> None:
    """Seven lines, written out by hand; the secret is the seed."""
    assert format_key_file(OPEN) == TEXT
    assert parse_key_file(TEXT) == OPEN
    assert OPEN.unlock().public == SigningKey(SEED).public
    assert OPEN.unlock("whatever").public == SigningKey(SEED).public


def test_a_locked_file_opens_with_its_passphrase_only() -> None:
    """The right passphrase gives the key, any other the one error."""
    parsed = parse_key_file(format_key_file(LOCKED))
    assert parsed == LOCKED
    message = b"message"
    assert parsed.unlock(PASSPHRASE).sign(message) == SigningKey(SEED).sign(message)
    for wrong in ("", "Correct horse", "correct horse ", "x" * 10_000):
        with pytest.raises(InputError) as caught:
            parsed.unlock(wrong)
        assert caught.value.code == "wrong-passphrase"
    with pytest.raises(InputError) as caught:
        parsed.unlock()
    assert caught.value.code == "passphrase-needed"


def test_a_locked_file_is_these_bytes() -> None:
    """Argon2id, XChaCha20-Poly1305 and what they cover never change unnoticed."""
    assert format_key_file(LOCKED) == TEXT.replace(
        "kdf none", "kdf argon2id 1 8192 01010101010101010101010101010101"
    ).replace(
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "AgICAgICAgICAgICAgICAgICAgICAgIC0q5nlh2/EUvnXqOqNA01"
        "NP5eSy+wWvKyx2PNQKzQbMkqBVK7YOhW+HNKoDhkTw2W",
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name studio", "name studi0"),
        ("party 07", "party 08"),
        ("purpose sign", "purpose root"),
        ("public 03", "public 04"),
        ("argon2id 1 ", "argon2id 2 "),
        (" 8192 ", " 16384 "),
        ("8192 01", "8192 02"),
        ("secret Ag", "secret Aw"),
    ],
)
def test_edited_files_do_not_open(old: str, new: str) -> None:
    """Every line above the secret is locked together with it."""
    text = format_key_file(LOCKED)
    assert text.count(old) == 1
    with pytest.raises(InputError) as caught:
        parse_key_file(text.replace(old, new)).unlock(PASSPHRASE)
    assert caught.value.code == "wrong-passphrase"


def test_every_flipped_bit_of_a_locked_secret_is_found() -> None:
    """Neither nonce nor locked seed can change unnoticed."""
    for bit in range(0, 8 * len(LOCKED.secret), 5):
        flipped = bytearray(LOCKED.secret)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(InputError) as caught:
            replace(LOCKED, secret=bytes(flipped)).unlock(PASSPHRASE)
        assert caught.value.code == "wrong-passphrase"


def test_an_unlocked_file_holds_the_key_that_it_says() -> None:
    """Where nothing is authenticated, the public key at least has to fit."""
    with pytest.raises(InputError) as caught:
        replace(OPEN, public=SigningKey(bytes(32)).public).unlock()
    assert caught.value.code == "key-file-mismatch"
    with pytest.raises(InputError) as caught:
        replace(OPEN, secret=bytes(32)).unlock()
    assert caught.value.code == "key-file-mismatch"


BAD_TEXTS: dict[str, tuple[str, str]] = {
    "nothing": ("", "bad-key-file"),
    "another version": (TEXT.replace("v1", "v2"), "bad-key-file"),
    "no last line feed": (TEXT[:-1], "bad-key-file"),
    "one line more": (TEXT + "note x\n", "bad-key-file"),
    "empty line more": (TEXT + "\n", "bad-key-file"),
    "one line less": (TEXT.replace("purpose sign\n", ""), "bad-key-file"),
    "a line twice": (
        TEXT.replace("kdf none\n", "kdf none\nkdf none\n"),
        "bad-key-file",
    ),
    "other order": (
        TEXT.replace("name studio\n", "").replace("kdf", "name studio\nkdf"),
        "bad-key-file",
    ),
    "CRLF": (TEXT.replace("\n", "\r\n"), "bad-key-file"),
    "two spaces": (TEXT.replace("name studio", "name  studio"), "bad-key-file"),
    "space behind": (TEXT.replace("sign\n", "sign \n"), "bad-key-file"),
    "no name": (TEXT.replace("studio", ""), "bad-key-file"),
    "name with a slash": (TEXT.replace("studio", "../etc"), "bad-key-file"),
    "name with a dot first": (TEXT.replace("studio", ".hidden"), "bad-key-file"),
    "long name": (TEXT.replace("studio", "a" * 65), "bad-key-file"),
    "name with é": (TEXT.replace("studio", "é"), "bad-key-file"),
    "upper-case hex": (TEXT.replace("03a107", "03A107"), "bad-hex"),
    "short party": (TEXT.replace("party 07", "party "), "bad-hex"),
    "long public key": (TEXT.replace("public ", "public 00"), "bad-hex"),
    "other purpose": (TEXT.replace("purpose sign", "purpose both"), "bad-key-file"),
    "other kdf": (TEXT.replace("kdf none", "kdf scrypt 1 8192 00"), "bad-key-file"),
    "argon2i": (
        TEXT.replace("kdf none", f"kdf argon2i 1 8192 {'00' * 16}"),
        "bad-key-file",
    ),
    "kdf without salt": (TEXT.replace("none", "argon2id 1 8192"), "bad-key-file"),
    "leading zero": (
        TEXT.replace("none", f"argon2id 01 8192 {'00' * 16}"),
        "bad-decimal",
    ),
    "plus sign": (TEXT.replace("none", f"argon2id +1 8192 {'00' * 16}"), "bad-decimal"),
    "short salt": (TEXT.replace("none", f"argon2id 1 8192 {'00' * 15}"), "bad-hex"),
    "unlocked secret under a kdf": (
        TEXT.replace("none", f"argon2id 1 8192 {'00' * 16}"),
        "bad-key-file",
    ),
    "no base64": (TEXT.replace("AAEC", "A-EC"), "bad-key-file"),
    "other bits in base64": (TEXT.replace("Hh8=", "Hh9="), "bad-key-file"),
    "short secret": (TEXT.replace("Hh8=", ""), "bad-key-file"),
    "no passes": (TEXT.replace("none", f"argon2id 0 8192 {'00' * 16}"), "bad-kdf-cost"),
    "17 passes": (
        TEXT.replace("none", f"argon2id 17 8192 {'00' * 16}"),
        "bad-kdf-cost",
    ),
    "too little memory": (
        TEXT.replace("none", f"argon2id 1 8191 {'00' * 16}"),
        "bad-kdf-cost",
    ),
    "100 GB": (
        TEXT.replace("none", f"argon2id 1 107374182400 {'00' * 16}"),
        "bad-kdf-cost",
    ),
}


@pytest.mark.parametrize(("text", "code"), BAD_TEXTS.values(), ids=BAD_TEXTS)
def test_key_files_have_one_spelling(text: str, code: str) -> None:
    """What the formatter would not write is refused, before anything is opened."""
    with pytest.raises(FormatError) as caught:
        parse_key_file(text)
    assert caught.value.code == code


def test_no_message_and_no_repr_shows_a_secret() -> None:
    """What ends in a log file or a bug report holds no part of the seed."""
    secret = format_key_file(OPEN).split()[-1]
    for text in (
        TEXT.replace("Hh8=", "Hh9="),
        TEXT.replace("secret AAE", "secret A!E"),
    ):
        with pytest.raises(FormatError) as caught:
            parse_key_file(text)
        assert secret[5:20] not in str(caught.value)
    assert repr(SEED) not in repr(OPEN)
    assert "secret" not in repr(OPEN)
    assert SEED not in pickle.dumps(LOCKED)


def test_only_the_same_secret_makes_two_files_equal() -> None:
    """Leaving the secret out of the repr does not leave it out of comparison."""
    assert replace(OPEN, secret=bytes(32)) != OPEN


@pytest.mark.parametrize("field", ["party", "salt", "nonce"])
def test_lengths_are_checked_before_locking(field: str) -> None:
    """Ids and randomness of another length never get into a file."""
    short = {**FIELDS, **RANDOM, field: b"\x01"}
    with pytest.raises(FormatError) as caught:
        lock(SEED, PASSPHRASE, cost=CHEAPEST, **short)
    assert caught.value.code == "bad-key-file"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"passphrase": ""}, "passphrase-needed"),
        ({"passphrase": "\ud800"}, "bad-passphrase"),
        ({"seed": bytes(31)}, "bad-seed"),
        ({"name": "a/b"}, "bad-key-file"),
        ({"purpose": ""}, "bad-key-file"),
    ],
)
def test_what_can_not_be_opened_is_not_locked(
    fields: dict[str, Any], code: str
) -> None:
    """A file that would be refused, or protects nothing, is not made."""
    given = {"seed": SEED, "passphrase": PASSPHRASE, **FIELDS, **RANDOM, **fields}
    with pytest.raises(InputError) as caught:
        lock(**given, cost=CHEAPEST)
    assert caught.value.code == code


def test_keyboards_that_compose_differently_open_the_same_file() -> None:
    """é in one code point or in two is one passphrase."""
    composed = lock(SEED, "caf\u00e9", cost=CHEAPEST, **FIELDS, **RANDOM)
    assert composed.unlock("cafe\u0301").public == SigningKey(SEED).public


def test_randomness_decides_the_bytes() -> None:
    """The same salt and nonce give the same file, others give another."""
    assert lock(SEED, PASSPHRASE, cost=CHEAPEST, **FIELDS, **RANDOM) == LOCKED
    for field in ("salt", "nonce"):
        other = {**RANDOM, field: bytes(len(RANDOM[field]))}
        made = lock(SEED, PASSPHRASE, cost=CHEAPEST, **FIELDS, **other)
        assert made.secret[24:] != LOCKED.secret[24:]


def test_the_default_cost_is_moderate() -> None:
    """Unless told otherwise, a try costs what libsodium calls moderate."""
    made = lock(SEED, PASSPHRASE, **FIELDS, **RANDOM)
    assert made.kdf == Kdf(MODERATE, RANDOM["salt"])
    assert (MODERATE.passes, MODERATE.memory_bytes) == (3, 256 * 1024 * 1024)
    assert made.unlock(PASSPHRASE).public == SigningKey(SEED).public


def test_too_little_memory_is_not_a_wrong_passphrase(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A machine that can't stretch a passphrase says so."""

    def fail(*_: object) -> bytes:
        raise CryptoError

    monkeypatch.setattr(keyfile, "crypto_pwhash_alg", fail)
    with pytest.raises(InputError) as caught:
        LOCKED.unlock(PASSPHRASE)
    assert caught.value.code == "kdf-failed"


def test_costs_have_bounds() -> None:
    """The bounds themselves are allowed, since nothing beyond them is."""
    for passes, memory in ((1, 8192), (16, 2**30)):
        Cost(passes, memory)
    for passes, memory in ((0, 8192), (17, 8192), (1, 8191), (1, 2**30 + 1)):
        with pytest.raises(FormatError) as caught:
            Cost(passes, memory)
        assert caught.value.code == "bad-kdf-cost"


def test_purposes_are_three() -> None:
    """Keys sign as root, sign events, or sign checkpoints."""
    for purpose in ("root", "sign", "log"):
        text = TEXT.replace("purpose sign", f"purpose {purpose}")
        assert parse_key_file(text).purpose == purpose
    assert isinstance(parse_key_file(TEXT), KeyFile)
