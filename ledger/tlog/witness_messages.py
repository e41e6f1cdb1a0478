r"""What a log and a witness say to each other (C2SP tlog-witness).

    POST <submission prefix>/add-checkpoint
        old 1                                         size that the witness saw last
        jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=  consistency proof, 63 at most
                                                      an empty line
        example.com/log                               the signed checkpoint, verbatim
        …
    200  — witness.example/w jWbPPwAAAABkGFDL…        its cosignatures
    409  1                                            the size that it saw last instead
    404, 403, 400, 422                                origin, signature, sizes, proof

    GET <monitoring prefix>/<hex of SHA-256 of the origin>/checkpoint

Messages are bytes, as they go over the wire. Reading a request verifies nothing but
its form; reading an answer verifies the cosignatures.

>>> from ledger.tlog.ed25519 import SigningKey
>>> from ledger.tlog.note import make_vkey, sign_note
>>> text = f"a.example\n1\n{'A' * 43}=\n"
>>> signed = sign_note(text, "a.example", SigningKey(bytes(32)))
>>> body = format_request(AddCheckpoint(old_size=0, proof=(), checkpoint=signed))
>>> request = parse_request(body)
>>> request.old_size, request.checkpoint == signed
(0, True)
>>> from ledger.tlog.cosignature import cosign
>>> key = SigningKey(b"w" * 32)
>>> answer = format_answer([cosign(text, "w.example", key, 1679315147)])
>>> vkey = make_vkey("w.example", key.public, COSIGNATURE_TYPE)
>>> len(open_answer(answer, signed, [vkey]))
1
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from ledger.errors import FormatError
from ledger.errors import VerificationError
from ledger.tlog.checkpoint import parse_any_checkpoint
from ledger.tlog.merkle import HASH_LENGTH
from ledger.tlog.note import COSIGNATURE_TYPE
from ledger.tlog.note import SIGNATURES_MAX
from ledger.tlog.note import Signature
from ledger.tlog.note import Vkey
from ledger.tlog.note import format_signature
from ledger.tlog.note import parse_note
from ledger.tlog.note import parse_signature
from ledger.tlog.note import split_cosignature
from ledger.tlog.note import verify_signature
from ledger.tlog.text import excerpt
from ledger.tlog.text import format_base64
from ledger.tlog.text import parse_base64
from ledger.tlog.text import parse_decimal

ADD_CHECKPOINT_PATH = "add-checkpoint"
SIZE_TYPE = "text/x.tlog.size"
"""Content type of the answer 409."""
HASHES_MAX = 63
REQUEST_BYTES_MAX = 1 << 19
"""A proof, and a checkpoint with 100 signatures of post-quantum length."""
ANSWER_BYTES_MAX = 1 << 16
SIZE_BYTES_MAX = 20
"""The digits of 2**63 - 1 and a newline."""


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A log's request to have a checkpoint cosigned.

    Args:
        old_size: of the checkpoint that the witness cosigned last, 0 if none.
        proof: hashes by which the new checkpoint continues that one, 63 at most.
        checkpoint: signed, verbatim.
    """

    old_size: int
    proof: tuple[bytes, ...]
    checkpoint: str


def format_request(request: AddCheckpoint) -> bytes:
    """Format the body of a request.

    Raises:
        FormatError: as ``parse_request``, if it could not be read back.
    """
    lines = [f"old {request.old_size}", *map(format_base64, request.proof), ""]
    body = "\n".join([*lines, request.checkpoint]).encode()
    parse_request(body)
    return body


def parse_request(body: bytes) -> AddCheckpoint:
    """Parse the body of a request; nothing in it is verified.

    Raises:
        FormatError: ``bad-witness-message``, ``bad-decimal``, ``bad-base64``, or what
            is wrong with the checkpoint; a witness answers 400.
    """
    head, separator, note = _decode(body, REQUEST_BYTES_MAX).partition("\n\n")
    old, *hashes = head.split("\n")
    if not separator or not old.startswith("old "):
        raise _bad_message("begins with no old size, or has no checkpoint")
    if len(hashes) > HASHES_MAX:
        raise _bad_message(f"has {len(hashes)} hashes, more than {HASHES_MAX}")
    old_size = parse_decimal(old.removeprefix("old "))
    proof = tuple(parse_base64(line, length=HASH_LENGTH) for line in hashes)
    # Read now, so that no empty line can wander over the border of the two parts.
    checkpoint = parse_any_checkpoint(parse_note(note).text)
    if old_size > checkpoint.size:
        raise _bad_message(f"goes back from size {old_size} to {checkpoint.size}")
    return AddCheckpoint(old_size, proof, note)


def format_answer(cosignatures: Sequence[Signature]) -> bytes:
    """Format the answer 200: one signature line or more.

    Raises:
        FormatError: ``bad-key-name``, or ``bad-witness-message`` if there are none.
    """
    _check_count(len(cosignatures))
    return "".join(f"{format_signature(each)}\n" for each in cosignatures).encode()


def open_answer(
    body: bytes, checkpoint: str, vkeys: Sequence[Vkey]
) -> tuple[Signature, ...]:
    """Parse the answer 200, and verify the cosignatures by known keys.

    Args:
        body: of the answer.
        checkpoint: the signed checkpoint that was sent.
        vkeys: of the witness; lines by other keys are ignored.

    Returns:
        The cosignatures that hold, each with its time; at least one.

    Raises:
        FormatError: ``bad-witness-message``, ``bad-note``, ``bad-key-name`` or
            ``bad-base64``.
        VerificationError: ``bad-signature`` if one by a known key does not hold, or
            bears no time; ``not-signed`` if there is none by a known key.
    """
    *lines, rest = _decode(body, ANSWER_BYTES_MAX).split("\n")
    if rest:
        raise _bad_message("does not end with a newline")
    _check_count(len(lines))
    text = parse_note(checkpoint).text
    known = {(vkey.name, vkey.key_id): vkey for vkey in vkeys}
    verified = []
    for signature in map(parse_signature, lines):
        vkey = known.get((signature.name, signature.key_id))
        if vkey is not None:
            _verify_cosignature(vkey, text, signature)
            verified.append(signature)
    if not verified:
        names = ", ".join(excerpt(vkey.name) for vkey in vkeys)
        raise VerificationError(
            "not-signed",
            f"the answer bears no cosignature by a known key ({names})",
            hint="compare the witness's vkey in the policy with the one it publishes",
        )
    return tuple(dict.fromkeys(verified))


def format_size(size: int) -> bytes:
    """Format the answer 409: the size of the checkpoint that was cosigned last.

    Raises:
        FormatError: ``bad-decimal``.
    """
    return f"{parse_decimal(str(size))}\n".encode()


def parse_size(body: bytes) -> int:
    """Parse the answer 409.

    Raises:
        FormatError: ``bad-witness-message`` or ``bad-decimal``.
    """
    text = _decode(body, SIZE_BYTES_MAX)
    if not text.endswith("\n"):
        raise _bad_message("does not end with a newline")
    return parse_decimal(text.removesuffix("\n"))


def checkpoint_path(origin: str) -> str:
    """Give the path below the monitoring prefix of a log's newest cosigned checkpoint.

    >>> checkpoint_path("a.example")
    'b8e7453371a024daae06f3164492c0afcde134c7747c155b3d83c20de341e855/checkpoint'
    """
    return f"{sha256(origin.encode()).hexdigest()}/checkpoint"


def _verify_cosignature(vkey: Vkey, text: str, signature: Signature) -> None:
    if vkey.type != COSIGNATURE_TYPE:
        raise FormatError("bad-vkey", f"the key {excerpt(vkey.name)} does not cosign")
    verify_signature(vkey, text, signature)
    if split_cosignature(signature.signature)[0] == 0:
        raise VerificationError(
            "bad-signature", f"the cosignature of {excerpt(vkey.name)} bears no time"
        )


def _decode(body: bytes, bytes_max: int) -> str:
    if len(body) > bytes_max:
        raise _bad_message(f"is larger than {bytes_max:,} bytes")
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise _bad_message("is not UTF-8") from None


def _check_count(count: int) -> None:
    if not 1 <= count <= SIGNATURES_MAX:
        raise _bad_message(f"has {count} cosignatures, not 1 to {SIGNATURES_MAX}")


def _bad_message(message: str) -> FormatError:
    return FormatError("bad-witness-message", f"the message {message}")
