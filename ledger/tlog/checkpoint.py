"""Checkpoints: a log's size and root, signed (C2SP tlog-checkpoint).

    example.com/log                                   origin
    1                                                 size, canonical decimal
    2cLWa1IsJSJyj1Of+fZ7hdQN7/8JX8ilKMmU9PNbs94=      root, 32 bytes in base64

    — example.com/log Hd5FMSL0LgmnDKeajWmZf…          signature, as in any note

The origin names the log, and is the name of the key that signs for it. Here it is
narrower than in C2SP: a valid key name of at most 255 bytes, not starting with
``linernote/`` or ``cosignature/``, which begin every other message that a key may
be asked to sign (format.md §7). Extension lines are kept, but never written. What
others call their logs, and which names their keys have, is theirs to say: a witness
reads such checkpoints by ``parse_any_checkpoint``.

>>> from ledger.tlog.note import make_vkey
>>> key = SigningKey(bytes(32))
>>> signed = sign_checkpoint(Checkpoint("a.example", 1, bytes(32)), "a.example", key)
>>> open_checkpoint(signed, make_vkey("a.example", key.public)).size
1
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.errors import FormatError
from ledger.errors import VerificationError
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.merkle import HASH_LENGTH
from ledger.tlog.note import ED25519_TYPE
from ledger.tlog.note import Vkey
from ledger.tlog.note import check_key_name
from ledger.tlog.note import open_note
from ledger.tlog.note import sign_note
from ledger.tlog.text import excerpt
from ledger.tlog.text import format_base64
from ledger.tlog.text import parse_base64
from ledger.tlog.text import parse_decimal

ORIGIN_BYTES_MAX = 255
RESERVED_PREFIXES = ("linernote/", "cosignature/")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a log: what its key vouches for.

    Args:
        origin: the log's name.
        size: number of entries.
        root: of the tree over them, 32 bytes.
        extensions: further lines, without meaning here.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()


def check_origin(origin: str) -> None:
    """Check that a log may be called so.

    Raises:
        FormatError: ``bad-origin`` or ``bad-key-name``.
    """
    check_key_name(origin)
    if len(origin.encode()) > ORIGIN_BYTES_MAX:
        raise FormatError(
            "bad-origin", f"an origin is at most {ORIGIN_BYTES_MAX} bytes long"
        )
    if origin.startswith(RESERVED_PREFIXES):
        raise FormatError(
            "bad-origin",
            f"origin {excerpt(origin)} begins as other signed messages do",
            hint="use a URL without scheme such as example.com/log",
        )


def format_checkpoint(checkpoint: Checkpoint) -> str:
    """Format the text of a checkpoint, to be signed.

    Raises:
        FormatError: ``bad-checkpoint``, ``bad-origin`` or ``bad-key-name``.
    """
    lines = [
        checkpoint.origin,
        str(checkpoint.size),
        format_base64(checkpoint.root),
        *checkpoint.extensions,
    ]
    text = "".join(f"{line}\n" for line in lines)
    # A value that would read as another one is caught by reading it.
    if parse_checkpoint(text) != checkpoint:
        raise _bad_checkpoint("does not read back as it was written")
    return text


def parse_checkpoint(text: str) -> Checkpoint:
    """Parse the text of a checkpoint, without its signatures.

    Raises:
        FormatError: ``bad-checkpoint``, ``bad-origin``, ``bad-key-name``,
            ``bad-decimal`` or ``bad-base64``.
    """
    checkpoint = parse_any_checkpoint(text)
    check_origin(checkpoint.origin)
    return checkpoint


def parse_any_checkpoint(text: str) -> Checkpoint:
    """Parse the text of a checkpoint of any log, whatever its origin (C2SP).

    Raises:
        FormatError: ``bad-checkpoint``, ``bad-decimal`` or ``bad-base64``.
    """
    *lines, rest = text.split("\n")
    if rest or len(lines) < 3 or "" in lines:  # noqa: PLR2004 -- origin, size, root
        raise _bad_checkpoint("is not three or more lines, each with its newline")
    origin, size, root, *extensions = lines
    return Checkpoint(
        origin=origin,
        size=parse_decimal(size),
        root=parse_base64(root, length=HASH_LENGTH),
        extensions=tuple(extensions),
    )


def sign_checkpoint(checkpoint: Checkpoint, name: str, *keys: SigningKey) -> str:
    """Sign a checkpoint with the log's key, or with all of them during a rotation.

    Args:
        checkpoint: to be signed.
        name: of the keys, which is the origin.
        keys: at least one.

    Raises:
        FormatError: as ``format_checkpoint``.
        VerificationError: ``wrong-origin`` if the keys are another log's.
    """
    _check_same_origin(checkpoint, name)
    return sign_note(format_checkpoint(checkpoint), name, *keys)


def open_checkpoint(note: str, *vkeys: Vkey) -> Checkpoint:
    """Verify a signed checkpoint.

    Args:
        note: the checkpoint with its signatures; others' are ignored.
        vkeys: the log's; every one of them has to have signed.

    Raises:
        FormatError: as ``parse_note`` and ``parse_checkpoint``, or ``bad-vkey`` if
            a key is a witness's.
        VerificationError: ``bad-signature``, ``not-signed`` or ``wrong-origin``.
    """
    checkpoint = open_any_checkpoint(note, *vkeys)
    check_origin(checkpoint.origin)
    for vkey in vkeys:
        _check_same_origin(checkpoint, vkey.name)
    return checkpoint


def open_any_checkpoint(note: str, *vkeys: Vkey) -> Checkpoint:
    """Verify a signed checkpoint, whatever its origin: that is for the caller to know.

    Args:
        note: the checkpoint with its signatures; others' are ignored.
        vkeys: the log's, under any names; every one of them has to have signed.

    Raises:
        FormatError: as ``parse_note`` and ``parse_any_checkpoint``, or ``bad-vkey``.
        VerificationError: ``bad-signature`` or ``not-signed``.
    """
    for vkey in vkeys:
        check_log_key(vkey)
    opened = open_note(note, vkeys)
    missing = [vkey for vkey in vkeys if vkey not in opened.verified]
    if missing:
        raise VerificationError(
            "not-signed",
            f"the checkpoint lacks a signature by key {missing[0].key_id.hex()} "
            f"of {excerpt(missing[0].name)}",
            hint="while a log key is being rotated, all keys in force sign",
        )
    return parse_any_checkpoint(opened.text)


def check_log_key(vkey: Vkey) -> None:
    """Check that a verifier key is one with which a log signs, not a witness's.

    Raises:
        FormatError: ``bad-vkey``.
    """
    if vkey.type != ED25519_TYPE:
        raise FormatError(
            "bad-vkey",
            f"the key {excerpt(vkey.name)} is of type {vkey.type:02x}: it cosigns",
            hint="give the log's own key, of type 01; witnesses belong in a policy",
        )


def _check_same_origin(checkpoint: Checkpoint, name: str) -> None:
    if checkpoint.origin != name:
        raise VerificationError(
            "wrong-origin",
            f"key {excerpt(name)} does not sign for {excerpt(checkpoint.origin)}",
            hint="a log key signs checkpoints of its own origin and nothing else",
        )


def _bad_checkpoint(message: str) -> FormatError:
    return FormatError("bad-checkpoint", f"the checkpoint {message}")
