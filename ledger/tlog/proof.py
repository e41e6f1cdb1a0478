"""Offline proofs that an entry is in a log (C2SP tlog-proof).

    c2sp.org/tlog-proof@v1
    extra ZW50cnk=                                    optional, of itself worth nothing
    index 1
    2cLWa1IsJSJyj1Of+fZ7hdQN7/8JX8ilKMmU9PNbs94=      inclusion proof, leaf to root
                                                      an empty line
    example.com/log                                   the signed checkpoint, verbatim
    …

A proof stands alone: with the leaf data and the vkeys that the log had at its size it
verifies anywhere, at any time. The size of the tree comes from the signed checkpoint.
In linernote the extra data is the leaf data and nothing else (format.md §7).

>>> from ledger.tlog.checkpoint import sign_checkpoint
>>> from ledger.tlog.note import make_vkey
>>> from ledger.tlog.ed25519 import SigningKey
>>> key, data = SigningKey(bytes(32)), b"entry"
>>> checkpoint = Checkpoint("a.example", 1, leaf_hash(data))
>>> signed = sign_checkpoint(checkpoint, "a.example", key)
>>> text = format_proof(Proof(index=0, hashes=(), checkpoint=signed, extra=data))
>>> proof = parse_proof(text)
>>> verify_proof(proof, proof.extra, make_vkey("a.example", key.public)).size
1
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.errors import FormatError
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import open_checkpoint
from ledger.tlog.checkpoint import parse_checkpoint
from ledger.tlog.merkle import HASH_LENGTH
from ledger.tlog.merkle import check_inclusion
from ledger.tlog.merkle import leaf_hash
from ledger.tlog.note import Vkey
from ledger.tlog.note import parse_note
from ledger.tlog.text import format_base64
from ledger.tlog.text import parse_base64
from ledger.tlog.text import parse_decimal

HEADER = "c2sp.org/tlog-proof@v1"
HASHES_MAX = 63
"""The longest inclusion proof of a tree of less than 2**63 leaves."""


@dataclass(frozen=True, slots=True)
class Proof:
    """An inclusion proof with the checkpoint that it leads to.

    Args:
        index: of the entry.
        hashes: the inclusion proof, leaf to root, 32 bytes each.
        checkpoint: the signed checkpoint, verbatim.
        extra: opaque data, which nothing here authenticates.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None


def format_proof(proof: Proof) -> str:
    """Format the text of a ``.tlog-proof`` file.

    Raises:
        FormatError: as ``parse_proof``, if it could not be read back.
    """
    lines = [HEADER]
    if proof.extra is not None:
        lines.append(f"extra {format_base64(proof.extra)}")
    lines.append(f"index {proof.index}")
    lines.extend(format_base64(value) for value in proof.hashes)
    text = "\n".join([*lines, "", proof.checkpoint])
    parse_proof(text)
    return text


def parse_proof(text: str) -> Proof:
    """Parse the text of a ``.tlog-proof`` file without verifying it.

    Raises:
        FormatError: ``bad-proof``, ``bad-decimal``, ``bad-base64``, or what is
            wrong with the checkpoint; its signatures are not verified.
    """
    head, separator, checkpoint = text.partition("\n\n")
    header, *lines = head.split("\n")
    if header != HEADER or not separator:
        raise _bad_proof(f"does not begin with {HEADER} or has no checkpoint")
    # Read now, so that no empty line can wander over the border of the two parts.
    parse_checkpoint(parse_note(checkpoint).text)
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = parse_base64(lines.pop(0).removeprefix("extra "))
    if not lines or not lines[0].startswith("index "):
        raise _bad_proof("has no index line where it belongs")
    index, *hashes = lines
    if len(hashes) > HASHES_MAX:
        raise _bad_proof(f"has {len(hashes)} hashes, more than {HASHES_MAX}")
    return Proof(
        index=parse_decimal(index.removeprefix("index ")),
        hashes=tuple(parse_base64(line, length=HASH_LENGTH) for line in hashes),
        checkpoint=checkpoint,
        extra=extra,
    )


def verify_proof(proof: Proof, leaf_data: bytes, *vkeys: Vkey) -> Checkpoint:
    """Verify that an entry is in a log.

    Args:
        proof: as parsed.
        leaf_data: of the entry, tag included; if it is taken from ``proof.extra``,
            it is authenticated by this call.
        vkeys: the log's; every one of them has to have signed.

    Returns:
        The checkpoint that the log vouches for.

    Raises:
        FormatError: as ``open_checkpoint``.
        VerificationError: as ``open_checkpoint``, or ``bad-inclusion-proof``.
    """
    checkpoint = open_checkpoint(proof.checkpoint, *vkeys)
    check_included(proof, leaf_data, checkpoint)
    return checkpoint


def check_included(proof: Proof, leaf_data: bytes, checkpoint: Checkpoint) -> None:
    """Check that an entry is in the tree of a checkpoint that was verified.

    Raises:
        VerificationError: ``bad-inclusion-proof``.
    """
    check_inclusion(
        proof.index,
        checkpoint.size,
        leaf_hash(leaf_data),
        proof.hashes,
        checkpoint.root,
    )


def _bad_proof(message: str) -> FormatError:
    return FormatError("bad-proof", f"the proof {message}")
