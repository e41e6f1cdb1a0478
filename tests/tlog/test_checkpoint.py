"""Checkpoints: text, signatures, and whose they are."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import FormatError
from ledger.errors import LedgerError
from ledger.errors import VerificationError
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import check_origin
from ledger.tlog.checkpoint import format_checkpoint
from ledger.tlog.checkpoint import open_checkpoint
from ledger.tlog.checkpoint import parse_checkpoint
from ledger.tlog.checkpoint import sign_checkpoint
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.note import make_vkey
from ledger.tlog.note import sign_note

ORIGIN = "example.com/log"
KEY = SigningKey(bytes(32))
NEW_KEY = SigningKey(bytes([1] * 32))
VKEY = make_vkey(ORIGIN, KEY.public)
NEW_VKEY = make_vkey(ORIGIN, NEW_KEY.public)
CHECKPOINT = Checkpoint(ORIGIN, 20_852_163, bytes(range(32)))
TEXT = "example.com/log\n20852163\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"

extension_lines = st.text(
    st.characters(exclude_categories=["Cs"], min_codepoint=0x20),
    min_size=1,
    max_size=20,
)
checkpoints = st.builds(
    Checkpoint,
    origin=st.from_regex(r"[a-k][a-z0-9./ä-]{0,40}", fullmatch=True).filter(
        lambda origin: not origin.startswith("cosignature/")
    ),
    size=st.integers(0, 2**63 - 1),
    root=st.binary(min_size=32, max_size=32),
    extensions=st.lists(extension_lines, max_size=3).map(tuple),
)


def test_the_text_is_as_specified() -> None:
    """Three lines: origin, size, root."""
    assert format_checkpoint(CHECKPOINT) == TEXT
    assert parse_checkpoint(TEXT) == CHECKPOINT


@given(checkpoints)
def test_checkpoints_round_trip(checkpoint: Checkpoint) -> None:
    """Text and signed form lead back to the same checkpoint."""
    assert parse_checkpoint(format_checkpoint(checkpoint)) == checkpoint
    vkey = make_vkey(checkpoint.origin, KEY.public)
    signed = sign_checkpoint(checkpoint, checkpoint.origin, KEY)
    assert open_checkpoint(signed, vkey) == checkpoint


@given(st.text(alphabet="a0129+\n =A", max_size=60))
def test_a_checkpoint_has_one_spelling(text: str) -> None:
    """Whatever is accepted is formatted back to the very same text."""
    for candidate in (text, f"a\n{text}", TEXT + text, text + TEXT):
        try:
            checkpoint = parse_checkpoint(candidate)
        except FormatError:
            continue
        assert format_checkpoint(checkpoint) == candidate


def test_extension_lines_are_kept() -> None:
    """They are opaque, but signed, and so they stay."""
    extended = replace(CHECKPOINT, extensions=("one", "\u2028 two"))
    text = TEXT + "one\n\u2028 two\n"
    assert format_checkpoint(extended) == text
    assert parse_checkpoint(text) == extended
    assert open_checkpoint(sign_note(text, ORIGIN, KEY), VKEY) == extended


@pytest.mark.parametrize(
    "size", ["+5", "-1", "007", "1_000", "\u0663", "", " 5", "5 ", "0x5"]
)
def test_sizes_have_one_spelling(size: str) -> None:
    """What `int` would accept as well is refused."""
    with pytest.raises(FormatError):
        parse_checkpoint(TEXT.replace("20852163", size))


@pytest.mark.parametrize(
    "root",
    [
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=",  # stray bits
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==",  # 31 bytes
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g",  # 33 bytes
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    ],
)
def test_roots_have_one_spelling(root: str) -> None:
    """32 bytes in canonical base64."""
    lines = TEXT.split("\n")
    lines[2] = root
    with pytest.raises(FormatError) as caught:
        parse_checkpoint("\n".join(lines))
    assert caught.value.code == "bad-base64"


@pytest.mark.parametrize(
    "text",
    [
        *("", "\n", "\n\n\n", "example.com/log\n5\n"),
        *(TEXT[:-1], TEXT + "\n", "\n" + TEXT, TEXT.replace("\n", "\n\n", 1)),
        *(TEXT + "\nextension\n", TEXT + "extension"),
    ],
)
def test_malformed_texts_are_refused(text: str) -> None:
    """At least three lines, none of them empty, each with its newline."""
    with pytest.raises(FormatError) as caught:
        parse_checkpoint(text)
    assert caught.value.code == "bad-checkpoint"


@pytest.mark.parametrize(
    ("origin", "code"),
    [
        ("", "bad-key-name"),
        ("two words", "bad-key-name"),
        ("a+b", "bad-key-name"),
        ("a" * 256, "bad-origin"),
        ("ä" * 128, "bad-origin"),
        ("linernote/log", "bad-origin"),
        ("linernote/", "bad-origin"),
        ("cosignature/v1", "bad-origin"),
    ],
)
def test_bad_origins_are_refused(origin: str, code: str) -> None:
    """An origin is a key name of 255 bytes that begins no other signed message."""
    with pytest.raises(FormatError) as caught:
        check_origin(origin)
    assert caught.value.code == code
    with pytest.raises(FormatError):
        sign_checkpoint(replace(CHECKPOINT, origin=origin), origin, KEY)
    if origin:
        with pytest.raises(FormatError):
            parse_checkpoint(TEXT.replace(ORIGIN, origin))


@pytest.mark.parametrize(
    "origin", ["a", "a" * 255, "linernote", "x/linernote/", "ä.example"]
)
def test_good_origins_are_accepted(origin: str) -> None:
    """The bounds themselves, and reserved words elsewhere."""
    check_origin(origin)


def test_no_other_signed_message_is_a_checkpoint() -> None:
    """What begins with a reserved prefix is refused though the log key signed it."""
    for start in ("cosignature/v1\ntime 1", "linernote/event/v1"):
        signed = sign_note(f"{start}\n{TEXT}", ORIGIN, KEY)
        with pytest.raises(FormatError):
            open_checkpoint(signed, VKEY)


def test_a_key_signs_for_its_own_origin_only() -> None:
    """Neither is it signed, nor believed when it was."""
    foreign = replace(CHECKPOINT, origin="other.example")
    with pytest.raises(VerificationError) as caught:
        sign_checkpoint(foreign, ORIGIN, KEY)
    assert caught.value.code == "wrong-origin"
    signed = sign_note(format_checkpoint(foreign), ORIGIN, KEY)
    with pytest.raises(VerificationError) as caught:
        open_checkpoint(signed, VKEY)
    assert caught.value.code == "wrong-origin"


def test_during_a_rotation_every_key_has_to_have_signed() -> None:
    """One signature is not enough where two keys are in force."""
    both = sign_checkpoint(CHECKPOINT, ORIGIN, KEY, NEW_KEY)
    assert open_checkpoint(both, VKEY, NEW_VKEY) == CHECKPOINT
    assert open_checkpoint(both, NEW_VKEY) == CHECKPOINT
    one = sign_checkpoint(CHECKPOINT, ORIGIN, KEY)
    with pytest.raises(VerificationError, match=NEW_VKEY.key_id.hex()) as caught:
        open_checkpoint(one, VKEY, NEW_VKEY)
    assert caught.value.code == "not-signed"
    with pytest.raises(VerificationError):
        open_checkpoint(one)


def test_every_change_of_a_signed_checkpoint_is_refused() -> None:
    """No character of text or signature line can be another one."""
    signed = sign_checkpoint(CHECKPOINT, ORIGIN, KEY)
    for at, character in enumerate(signed):
        other = "B" if character != "B" else "C"
        with pytest.raises(LedgerError):
            open_checkpoint(signed[:at] + other + signed[at + 1 :], VKEY)


@pytest.mark.parametrize(
    "checkpoint",
    [
        replace(CHECKPOINT, size=-1),
        replace(CHECKPOINT, size=2**63),
        replace(CHECKPOINT, root=bytes(31)),
        replace(CHECKPOINT, extensions=("",)),
        replace(CHECKPOINT, extensions=("a\nb",)),
        replace(CHECKPOINT, extensions=("a\tb",)),
    ],
)
def test_what_would_not_read_back_is_not_signed(checkpoint: Checkpoint) -> None:
    """A formatter never writes what its parser would refuse or misread."""
    with pytest.raises(FormatError):
        sign_checkpoint(checkpoint, ORIGIN, KEY)
