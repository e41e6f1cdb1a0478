"""Cosignatures: made, verified, merged, and refused where they do not hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import LedgerError
from ledger.tlog import ed25519
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import open_checkpoint
from ledger.tlog.checkpoint import sign_checkpoint
from ledger.tlog.cosignature import COSIGNATURE_TYPE
from ledger.tlog.cosignature import cosign
from ledger.tlog.cosignature import cosignature_time
from ledger.tlog.cosignature import merge_signatures
from ledger.tlog.note import Signature
from ledger.tlog.note import Vkey
from ledger.tlog.note import format_vkey
from ledger.tlog.note import key_id
from ledger.tlog.note import make_vkey
from ledger.tlog.note import open_note
from ledger.tlog.note import parse_note
from ledger.tlog.note import parse_signature
from ledger.tlog.note import parse_vkey
from tests.tlog.witnesses import LOG
from tests.tlog.witnesses import LOG_KEY
from tests.tlog.witnesses import ORIGIN
from tests.tlog.witnesses import SIGNED
from tests.tlog.witnesses import TEXT
from tests.tlog.witnesses import TIME_S
from tests.tlog.witnesses import by
from tests.tlog.witnesses import cosigned
from tests.tlog.witnesses import key_of
from tests.tlog.witnesses import vkey_of

WITNESS = vkey_of("w")

# The key of a public witness; a cosignature in the tests of transparency-dev/formats.
PUBLIC_VKEY = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
PUBLIC_SIGNATURE = "ZGhGuQAAAABm/qTPeyKXD+R2rzyQsxPiP8mXum7qq/iF0u4vanlqJyoc\
WODBt97w9uL+8qT7S5gxEHWWOworDcFiEBYJXORmnFBOBA=="


def code_of(note: str, *vkeys: Vkey) -> str | None:
    """The code with which a note is refused, None if it opens."""
    try:
        open_note(note, vkeys)
    except LedgerError as error:
        return error.code
    return None


def with_signature(data: bytes) -> str:
    """The checkpoint with these bytes as the witness's signature."""
    return merge_signatures(SIGNED, [Signature(WITNESS.name, WITNESS.key_id, data)])


def test_the_bytes_are_those_of_the_specification() -> None:
    """Key id over 04; eight bytes of time, then Ed25519 over two lines and the text."""
    signature = by("w")
    public = key_of("w").public
    assert signature.key_id == key_id("w.example", 0x04, public)
    assert signature.signature[:8].hex() == f"{TIME_S:016x}"
    message = f"cosignature/v1\ntime 1679315147\n{TEXT}".encode()
    ed25519.verify(public, message, signature.signature[8:])
    assert len(signature.signature) == 72


def test_what_others_have_published() -> None:
    """A key and a time, as other software wrote them."""
    vkey = parse_vkey(PUBLIC_VKEY)
    assert (vkey.name, vkey.type) == ("remora.n621.de", COSIGNATURE_TYPE)
    assert format_vkey(vkey) == PUBLIC_VKEY
    signature = parse_signature(f"— w.example {PUBLIC_SIGNATURE}")
    assert cosignature_time(signature) == 1_727_964_367


def test_a_cosignature_opens_with_the_logs_signature() -> None:
    """Both keys are verified on one note, and the log's alone reads it too."""
    opened = open_note(cosigned("w"), [LOG, WITNESS])
    assert opened.verified == (LOG, WITNESS)
    assert open_checkpoint(cosigned("w"), LOG).size == 1
    assert open_note(cosigned("w"), [LOG]).unknown == (by("w"),)


@given(st.integers(1, 2**63 - 1))
def test_any_time_is_signed(time_s: int) -> None:
    """From 1 to 2**63 - 1, and read back as it was."""
    signature = by("w", time_s=time_s)
    assert cosignature_time(signature) == time_s
    assert code_of(merge_signatures(SIGNED, [signature]), WITNESS) is None


@pytest.mark.parametrize("time_s", [0, -1, 2**63])
def test_no_time_is_not_signed(time_s: int) -> None:
    """Zero means no time in other forms of cosignature; a witness always has one."""
    with pytest.raises(LedgerError) as caught:
        by("w", time_s=time_s)
    assert caught.value.code == "bad-time"


def test_every_changed_bit_is_refused() -> None:
    """Of the time as of the signature."""
    data = by("w").signature
    for place in range(len(data)):
        for bit in (1, 128):
            changed = bytearray(data)
            changed[place] ^= bit
            assert code_of(with_signature(bytes(changed)), LOG, WITNESS) == (
                "bad-signature"
            ), place


@pytest.mark.parametrize("length", [1, 7, 8, 64, 71])
def test_a_cosignature_of_another_length_is_refused(length: int) -> None:
    """Whatever is cut off or missing."""
    data = by("w").signature[:length]
    assert code_of(with_signature(data), WITNESS) == "bad-signature"
    assert code_of(with_signature(by("w").signature + b"!"), WITNESS) == "bad-signature"
    with pytest.raises(LedgerError) as caught:
        cosignature_time(Signature("w.example", bytes(4), data))
    assert caught.value.code == "bad-signature"


def test_a_time_beyond_63_bits_is_refused() -> None:
    """Although the key signed it: 2**63 - 1 is the last time there is."""
    message = f"cosignature/v1\ntime {2**63}\n{TEXT}".encode()
    data = (2**63).to_bytes(8) + key_of("w").sign(message)
    assert code_of(with_signature(data), WITNESS) == "bad-signature"


def test_a_cosignature_does_not_hold_on_another_checkpoint() -> None:
    """Replayed on a later checkpoint of the same log, or one of another log."""
    for origin, size in ((ORIGIN, 2), ("other.example/log", 1)):
        other = sign_checkpoint(Checkpoint(origin, size, bytes(32)), origin, LOG_KEY)
        assert code_of(merge_signatures(other, [by("w")]), WITNESS) == "bad-signature"


def test_the_two_types_are_never_taken_for_each_other() -> None:
    """A key of one type verifies no signature of the other, with the very same key."""
    key = key_of("w")
    plain = make_vkey(WITNESS.name, key.public)
    assert plain.key_id != WITNESS.key_id
    signed = Signature(WITNESS.name, WITNESS.key_id, key.sign(TEXT.encode()))
    assert code_of(merge_signatures(SIGNED, [signed]), WITNESS) == "bad-signature"
    renamed = Signature(plain.name, plain.key_id, by("w").signature)
    assert code_of(merge_signatures(SIGNED, [renamed]), plain) == "bad-signature"
    stripped = Signature(plain.name, plain.key_id, by("w").signature[8:])
    assert code_of(merge_signatures(SIGNED, [stripped]), plain) == "bad-signature"


def test_a_witness_does_not_sign_for_a_log() -> None:
    """Nor if it has the log's name: a log's key is of type 01."""
    impostor = make_vkey(ORIGIN, LOG_KEY.public, COSIGNATURE_TYPE)
    note = merge_signatures(SIGNED, [cosign(TEXT, ORIGIN, LOG_KEY, TIME_S)])
    assert code_of(note, impostor) is None
    with pytest.raises(LedgerError, match="cosigns") as caught:
        open_checkpoint(note, impostor)
    assert caught.value.code == "bad-vkey"


def test_only_checkpoints_are_cosigned() -> None:
    """A witness's key signs nothing else."""
    for text in ("", "hello\n", f"{ORIGIN}\n1\n", TEXT[:-1], f"{TEXT}\n", SIGNED):
        with pytest.raises(LedgerError):
            cosign(text, "w.example", key_of("w"), TIME_S)
    with pytest.raises(LedgerError):
        cosign(TEXT, "w w", key_of("w"), TIME_S)


def test_keys_of_both_types_are_written_and_read() -> None:
    """The type is part of the key's text, and its id depends on it."""
    for vkey in (LOG, WITNESS):
        assert parse_vkey(format_vkey(vkey)) == vkey
    assert (LOG.type, WITNESS.type) == (0x01, 0x04)
    with pytest.raises(LedgerError) as caught:
        make_vkey("w.example", key_of("w").public, 0x06)
    assert caught.value.code == "bad-vkey"


def test_merging_adds_after_what_is_there_and_drops_doubles() -> None:
    """The text stays, and whatever is the same to the byte is there once."""
    one, later, other = by("a"), by("a", time_s=TIME_S + 1), by("b")
    merged = merge_signatures(SIGNED, [one, other, one])
    assert merge_signatures(merged, [other, later]) == merge_signatures(
        SIGNED, [one, other, later]
    )
    assert parse_note(merged).text == TEXT
    assert parse_note(merged).signatures[1:] == (one, other)
    assert merged.startswith(SIGNED)
    assert merge_signatures(merged, []) == merged


def test_merging_has_the_bound_of_every_note() -> None:
    """At most 100 signatures, so that every reader still takes the note."""
    many = [by("a", time_s=time_s) for time_s in range(1, 101)]
    assert merge_signatures(SIGNED, many[:99]).count("\n— ") == 100
    with pytest.raises(LedgerError) as caught:
        merge_signatures(SIGNED, many)
    assert caught.value.code == "bad-note"
