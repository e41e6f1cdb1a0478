r"""Cosignatures: what a witness says of a log's checkpoint (C2SP tlog-cosignature).

    cosignature/v1                                    tells it from all other messages
    time 1679315147                                   seconds since 1970
    example.com/log                                   the text of the checkpoint
    1
    2cLWa1IsJSJyj1Of+fZ7hdQN7/8JX8ilKMmU9PNbs94=

    — witness.example/w base64(key id ‖ time, 8 bytes ‖ signature, 64 bytes)

The key is of type 04. It says that at this time the checkpoint was the largest one
that the witness had seen of the log, and that it continues all those before. The
message does not name the witness, so every witness has a key of its own.

>>> from ledger.tlog.note import make_vkey, open_note, sign_note
>>> text = f"a.example\n1\n{'A' * 43}=\n"
>>> signed = sign_note(text, "a.example", SigningKey(bytes(32)))
>>> key = SigningKey(b"w" * 32)
>>> cosignature = cosign(text, "w.example", key, 1679315147)
>>> cosignature_time(cosignature)
1679315147
>>> merged = merge_signatures(signed, [cosignature])
>>> vkey = make_vkey("w.example", key.public, COSIGNATURE_TYPE)
>>> [known.name for known in open_note(merged, [vkey]).verified]
['w.example']
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.errors import InputError
from ledger.tlog.checkpoint import parse_any_checkpoint
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.note import COSIGNATURE_TYPE
from ledger.tlog.note import TIME_LENGTH
from ledger.tlog.note import Note
from ledger.tlog.note import Signature
from ledger.tlog.note import cosigned_message
from ledger.tlog.note import format_note
from ledger.tlog.note import make_vkey
from ledger.tlog.note import parse_note
from ledger.tlog.note import split_cosignature
from ledger.tlog.text import DECIMAL_MAX

__all__ = ["COSIGNATURE_TYPE", "cosign", "cosignature_time", "merge_signatures"]


def cosign(text: str, name: str, key: SigningKey, time_s: int) -> Signature:
    """Cosign a checkpoint; that it continues the last one is for the caller to know.

    Args:
        text: of the checkpoint, without signatures.
        name: of the witness's key.
        key: of the witness, used for nothing else.
        time_s: when, in seconds since 1970; never 0, which would mean no time.

    Raises:
        FormatError: ``bad-key-name``, or as ``parse_any_checkpoint``.
        InputError: ``bad-time``.
    """
    parse_any_checkpoint(text)
    if not 1 <= time_s <= DECIMAL_MAX:
        raise InputError("bad-time", f"{time_s} is no time of a cosignature")
    vkey = make_vkey(name, key.public, COSIGNATURE_TYPE)
    signature = key.sign(cosigned_message(text, time_s))
    return Signature(name, vkey.key_id, time_s.to_bytes(TIME_LENGTH) + signature)


def cosignature_time(signature: Signature) -> int:
    """Read the time of a cosignature, in seconds since 1970; it verifies nothing.

    Raises:
        VerificationError: ``bad-signature`` if it is not 72 bytes long.
    """
    return split_cosignature(signature.signature)[0]


def merge_signatures(note_text: str, signatures: Sequence[Signature]) -> str:
    """Add signatures to a note, after those that are there; exact doubles go.

    Args:
        note_text: the note with its signatures.
        signatures: verified by the caller, or worth as little as any other.

    Raises:
        FormatError: as ``parse_note``, or ``bad-note`` if they become too many.
    """
    note = parse_note(note_text)
    merged = dict.fromkeys([*note.signatures, *signatures])
    return format_note(Note(note.text, tuple(merged)))
