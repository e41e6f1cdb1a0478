r"""Signed notes: a text and the signatures under it (C2SP signed-note).

    The needle drops.
                                          the last empty line ends the text
    — example.com/log Hd5FMYgSlJi2Lc8…    em dash, key name, base64(key id ‖ signature)

    key id = SHA-256(key name ‖ 0A ‖ type ‖ public key)[:4]
    vkey   = key name + hex(key id) + base64(type ‖ public key)

Type 01 is Ed25519 over the text with its final newline. Type 04 is a cosignature (C2SP
tlog-cosignature): the seconds since 1970 in 8 bytes, then Ed25519 over two lines that
say so, followed by the text. A reader configures vkeys and believes no others:
signatures by strangers are kept but mean nothing, while one by a known key has to
hold, or the whole note is refused.

>>> key = SigningKey(bytes(32))
>>> vkey = make_vkey("example.com/log", key.public)
>>> note = sign_note("hello\n", "example.com/log", key)
>>> open_note(note, [vkey]).text
'hello\n'
>>> format_vkey(vkey)
'example.com/log+1dde4531+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop'
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from ledger.errors import FormatError
from ledger.errors import InputError
from ledger.errors import VerificationError
from ledger.tlog import ed25519
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.text import DECIMAL_MAX
from ledger.tlog.text import excerpt
from ledger.tlog.text import format_base64
from ledger.tlog.text import parse_base64
from ledger.tlog.text import parse_hex

ED25519_TYPE = 0x01
COSIGNATURE_TYPE = 0x04
KNOWN_TYPES = (ED25519_TYPE, COSIGNATURE_TYPE)
ML_DSA_TYPE = 0x06
ML_DSA_LENGTH = 1312
"""Of public keys of that type, whose signatures are not verified here."""
KEY_ID_LENGTH = 4
TIME_LENGTH = 8
SIGNATURES_MAX = 100
"""Above the 16 that every reader has to accept; a bound on the work of one note."""

# Unicode's White_Space spelled out, so that no update of Python moves the rule.
_SPACES = r"\x09-\x0d\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_KEY_NAME = re.compile(rf"[^\x00-\x1f\ud800-\udfff+{_SPACES}]+")
_TEXT = re.compile(r"(?:[^\x00-\x1f\ud800-\udfff]*\n)+")
_SIGNATURE_LINE = re.compile(r"— ([^ ]+) ([A-Za-z0-9+/=]+)")


@dataclass(frozen=True, slots=True)
class Vkey:
    """A verifier key: who signs, and how to verify it.

    Args:
        name: of the key.
        key_id: 4 bytes.
        public: the Ed25519 public key, 32 bytes.
        type: of its signatures, 01 or 04; 06 with 1,312 bytes if it is not used.
    """

    name: str
    key_id: bytes
    public: bytes
    type: int = ED25519_TYPE


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line, of any type.

    Args:
        name: of the key.
        key_id: 4 bytes, to be trusted as little as the name.
        signature: 64 bytes for Ed25519, 72 for a cosignature, at least one for others.
    """

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A note of which nothing has been verified.

    Args:
        text: with its final newline, without the separating empty line.
        signatures: at least one.
    """

    text: str
    signatures: tuple[Signature, ...]


@dataclass(frozen=True, slots=True)
class OpenedNote:
    """A note signed by a known key.

    Args:
        text: with its final newline.
        verified: the known keys whose signatures hold, each once.
        unknown: the signatures by other keys, in order, unverified.
    """

    text: str
    verified: tuple[Vkey, ...]
    unknown: tuple[Signature, ...]


def check_key_name(name: str) -> None:
    """Check that a key name is non-empty, without spaces, plus or control characters.

    Raises:
        FormatError: ``bad-key-name``.
    """
    if _KEY_NAME.fullmatch(name) is None:
        raise FormatError(
            "bad-key-name",
            f"{excerpt(name)} is not a key name",
            hint="use a URL without scheme such as example.com/log",
        )


def key_id(name: str, signature_type: int, public: bytes) -> bytes:
    """Compute the 4 bytes that tell the keys of one name apart."""
    message = name.encode() + b"\n" + bytes([signature_type]) + public
    return sha256(message).digest()[:KEY_ID_LENGTH]


def make_vkey(
    name: str,
    public: bytes,
    type: int = ED25519_TYPE,
) -> Vkey:
    """Make the verifier key of an Ed25519 public key.

    Args:
        name: of the key.
        public: 32 bytes.
        type: 01 for a key that signs texts, 04 for one that cosigns them.

    Raises:
        FormatError: ``bad-key-name`` or ``bad-vkey``.
        VerificationError: ``bad-public-key``.
    """
    check_key_name(name)
    if type not in KNOWN_TYPES:
        raise _bad_vkey(name, f"has a key of type {type:02x}, not 01 or 04")
    ed25519.check_public_key(public)
    return Vkey(name, key_id(name, type, public), public, type)


def format_vkey(vkey: Vkey) -> str:
    """Format a verifier key as name+id+key."""
    key = format_base64(bytes([vkey.type]) + vkey.public)
    return f"{vkey.name}+{vkey.key_id.hex()}+{key}"


def parse_vkey(text: str) -> Vkey:
    """Parse a verifier key of type 01 or 04.

    Raises:
        FormatError: ``bad-vkey``, ``bad-key-name``, ``bad-hex`` or ``bad-base64``.
        VerificationError: ``bad-public-key``.
    """
    name, identifier, key = _split_vkey(text)
    material = parse_base64(key)
    if not material or material[0] not in KNOWN_TYPES:
        raise _bad_vkey(text, "is not of type 01, Ed25519, or 04, cosignature")
    vkey = make_vkey(name, material[1:], material[0])
    if vkey.key_id != parse_hex(identifier, KEY_ID_LENGTH):
        raise _bad_vkey(text, f"has another id than {vkey.key_id.hex()}")
    return vkey


def _split_vkey(text: str) -> list[str]:
    parts = text.split("+", 2)
    if len(parts) != 3:  # noqa: PLR2004 -- name, id, key
        raise _bad_vkey(text, "is not a name, an id and a key joined by +")
    return parts


def is_ml_dsa_vkey(text: str) -> bool:
    """Tell whether a text is meant as a verifier key of type 06."""
    try:
        return parse_base64(text.split("+", 2)[-1])[:1] == bytes([ML_DSA_TYPE])
    except FormatError:
        return False


def parse_ml_dsa_vkey(text: str) -> Vkey:
    """Parse a verifier key of type 06, ML-DSA-44 (C2SP tlog-cosignature).

    Nothing here verifies its signatures: to `open_note` they are by a stranger.

    Raises:
        FormatError: as ``parse_vkey``.
    """
    name, identifier, key = _split_vkey(text)
    check_key_name(name)
    material = parse_base64(key, length=1 + ML_DSA_LENGTH)
    vkey = Vkey(
        name, key_id(name, ML_DSA_TYPE, material[1:]), material[1:], ML_DSA_TYPE
    )
    if vkey.key_id != parse_hex(identifier, KEY_ID_LENGTH):
        raise _bad_vkey(text, f"has another id than {vkey.key_id.hex()}")
    return vkey


def sign_note(text: str, name: str, *keys: SigningKey) -> str:
    """Sign a text with one key or more of one name.

    Args:
        text: ends in a newline.
        name: of the keys.
        keys: at least one.

    Raises:
        FormatError: ``bad-note`` or ``bad-key-name``.
    """
    _check_text(text)
    message = text.encode()
    signatures = [
        Signature(name, make_vkey(name, key.public).key_id, key.sign(message))
        for key in keys
    ]
    return format_note(Note(text, tuple(signatures)))


def format_note(note: Note) -> str:
    """Format a note: text, empty line, signature lines.

    Raises:
        FormatError: ``bad-note`` or ``bad-key-name``.
    """
    _check_text(note.text)
    _check_count(note.signatures)
    lines = [format_signature(signature) for signature in note.signatures]
    return "\n".join([note.text, *lines, ""])


def parse_note(note: str) -> Note:
    """Parse a note without verifying anything.

    Raises:
        FormatError: ``bad-note``, ``bad-key-name`` or ``bad-base64``.
    """
    text, separator, tail = note.rpartition("\n\n")
    if not separator or not tail.endswith("\n"):
        raise _bad_note("has no signature lines after an empty line")
    _check_text(text + "\n")
    lines = tail[:-1].split("\n")
    _check_count(lines)
    return Note(text + "\n", tuple(parse_signature(line) for line in lines))


def open_note(note: str, vkeys: Sequence[Vkey]) -> OpenedNote:
    """Parse a note and verify every signature by a known key.

    Raises:
        FormatError: as ``parse_note``.
        InputError: ``ambiguous-keys`` if two vkeys share name and id.
        VerificationError: ``bad-signature`` if one by a known key does not hold;
            ``not-signed`` if there is none by a known key.
    """
    usable = {vkey for vkey in vkeys if vkey.type in KNOWN_TYPES}
    known = {(vkey.name, vkey.key_id): vkey for vkey in usable}
    if len(known) != len(usable):
        raise InputError("ambiguous-keys", "two vkeys have the same name and id")
    parsed = parse_note(note)
    verified: dict[Vkey, None] = {}
    unknown = []
    for signature in parsed.signatures:
        vkey = known.get((signature.name, signature.key_id))
        if vkey is None:
            unknown.append(signature)
        else:
            verify_signature(vkey, parsed.text, signature)
            verified[vkey] = None
    if not verified:
        names = ", ".join(excerpt(vkey.name) for vkey in vkeys)
        raise VerificationError(
            "not-signed",
            f"the note bears no signature by a known key ({names})",
            hint="compare the vkey with the one that the log publishes",
        )
    return OpenedNote(parsed.text, tuple(verified), tuple(unknown))


def verify_signature(vkey: Vkey, text: str, signature: Signature) -> None:
    """Verify one signature of a text, by the type of the key.

    Raises:
        VerificationError: ``bad-signature``.
    """
    if vkey.type == COSIGNATURE_TYPE:
        time_s, cosignature = split_cosignature(signature.signature)
        ed25519.verify(vkey.public, cosigned_message(text, time_s), cosignature)
    else:
        ed25519.verify(vkey.public, text.encode(), signature.signature)


def cosigned_message(text: str, time_s: int) -> bytes:
    r"""Give the bytes that a cosigner signs (C2SP tlog-cosignature).

    >>> cosigned_message("a.example\n1\n…\n", 1679315147)[:32]
    b'cosignature/v1\ntime 1679315147\na'
    """
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


def split_cosignature(data: bytes) -> tuple[int, bytes]:
    """Split a cosignature into the seconds since 1970 and the Ed25519 signature.

    Raises:
        VerificationError: ``bad-signature``.
    """
    time_s, signature = int.from_bytes(data[:TIME_LENGTH]), data[TIME_LENGTH:]
    if len(signature) != ed25519.SIGNATURE_LENGTH or time_s > DECIMAL_MAX:
        raise VerificationError(
            "bad-signature",
            f"a cosignature of {len(data)} bytes is not a time and a signature",
        )
    return time_s, signature


def format_signature(signature: Signature) -> str:
    """Format a signature line, without its newline.

    Raises:
        FormatError: ``bad-key-name``.
    """
    check_key_name(signature.name)
    return f"— {signature.name} {format_base64(signature.key_id + signature.signature)}"


def parse_signature(line: str) -> Signature:
    """Parse a signature line, without its newline.

    Raises:
        FormatError: ``bad-note``, ``bad-key-name`` or ``bad-base64``.
    """
    match = _SIGNATURE_LINE.fullmatch(line)
    if match is None:
        raise _bad_note(f"has the line {excerpt(line)} among its signatures")
    name, encoded = match.groups()
    check_key_name(name)
    data = parse_base64(encoded)
    if len(data) <= KEY_ID_LENGTH:
        raise _bad_note(f"has a signature of {len(data)} bytes by {excerpt(name)}")
    return Signature(name, data[:KEY_ID_LENGTH], data[KEY_ID_LENGTH:])


def _check_text(text: str) -> None:
    if _TEXT.fullmatch(text) is None:
        raise _bad_note("has a text with control characters or no final newline")


def _check_count(signatures: Sequence[object]) -> None:
    if not 1 <= len(signatures) <= SIGNATURES_MAX:
        raise _bad_note(f"has {len(signatures)} signatures, not 1 to {SIGNATURES_MAX}")


def _bad_note(message: str) -> FormatError:
    return FormatError("bad-note", f"the note {message}")


def _bad_vkey(text: str, message: str) -> FormatError:
    return FormatError("bad-vkey", f"{excerpt(text)} {message}")
