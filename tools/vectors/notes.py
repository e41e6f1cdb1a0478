"""Vectors of verifier keys and notes (format.md §7, C2SP signed-note)."""

from __future__ import annotations

from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.note import COSIGNATURE_TYPE
from ledger.tlog.note import ED25519_TYPE
from ledger.tlog.note import Note
from ledger.tlog.note import Signature
from ledger.tlog.note import format_note
from ledger.tlog.note import format_vkey
from ledger.tlog.note import key_id
from ledger.tlog.note import make_vkey
from ledger.tlog.note import sign_note
from ledger.tlog.text import format_base64
from tools.vectors.case import Cases
from tools.vectors.case import bad
from tools.vectors.case import good
from tools.vectors.keys import OTHER
from tools.vectors.keys import SMALL

KEY = SigningKey(b"log key".ljust(32, b"k"))
NAME = "vectors.example/log"
VKEY = make_vkey(NAME, KEY.public)
TEXT = "first\n\nthird, é\n"


def _vkeys() -> Cases:
    right = format_vkey(VKEY)
    name, identifier, key = right.split("+", 2)
    yield (
        "vkey/plain",
        good(
            "name, id and key",
            vkey=right,
            name=name,
            key_id=identifier,
            public=KEY.public.hex(),
            type=ED25519_TYPE,
        ),
    )
    cosigner = make_vkey("witness.example/w", KEY.public, COSIGNATURE_TYPE)
    yield (
        "vkey/type 04",
        good(
            "a witness's: the type is in the id",
            vkey=format_vkey(cosigner),
            name=cosigner.name,
            key_id=cosigner.key_id.hex(),
            public=KEY.public.hex(),
            type=COSIGNATURE_TYPE,
        ),
    )
    yield from _bad_vkeys(name, identifier, key)


def _bad_vkeys(name: str, identifier: str, key: str) -> Cases:
    typed = format_base64(b"\x02" + KEY.public)
    small = format_base64(b"\x01" + SMALL)
    short = format_base64(b"\x01" + KEY.public[:31])
    for case, code, desc, text in (
        (
            "id of another",
            "bad-vkey",
            "the id is of name and key",
            f"{name}+{identifier[::-1]}+{key}",
        ),
        (
            "renamed",
            "bad-vkey",
            "the id is of this name too",
            f"other.example+{identifier}+{key}",
        ),
        ("type 02", "bad-vkey", "ECDSA", f"{name}+{identifier}+{typed}"),
        ("two parts", "bad-vkey", "name and key alone", f"{name}+{identifier}"),
        (
            "padding missing",
            "bad-base64",
            "base64 is padded",
            f"{name}+{identifier}+{key[:-1]}",
        ),
        (
            "name empty",
            "bad-key-name",
            "a name has a character",
            f"+{identifier}+{key}",
        ),
        (
            "name space",
            "bad-key-name",
            "a name has no spaces",
            f"a b+{identifier}+{key}",
        ),
        (
            "small order",
            "bad-public-key",
            "a key of order 8",
            f"{name}+{identifier}+{small}",
        ),
        (
            "31 bytes",
            "bad-public-key",
            "a byte is missing",
            f"{name}+{identifier}+{short}",
        ),
    ):
        yield f"vkey/{case}", bad(code, desc, vkey=text)


def _stranger(text: str, name: str = "stranger.example") -> Signature:
    identifier = key_id(name, 1, OTHER.public)
    return Signature(name, identifier, OTHER.sign(text.encode()))


def _own(text: str) -> Signature:
    return Signature(NAME, VKEY.key_id, KEY.sign(text.encode()))


def _notes() -> Cases:
    plain = sign_note(TEXT, NAME, KEY)
    line = plain.rpartition("\n\n")[2]
    among = format_note(Note(TEXT, (_stranger(TEXT), _own(TEXT), _stranger(TEXT, "é"))))
    twice = format_note(Note(TEXT, (_own(TEXT), _own(TEXT))))
    hundred = format_note(Note(TEXT, (*[_stranger(TEXT)] * 99, _own(TEXT))))
    other_type = Signature(NAME, b"\0\0\0\1", b"whatever it is")
    for case, desc, note in (
        ("plain", "the last empty line ends the text", plain),
        ("among strangers", "signatures by others mean nothing", among),
        ("twice", "the same signature again", twice),
        (
            "of another type",
            "a key id that is not known",
            format_note(Note(TEXT, (other_type, _own(TEXT)))),
        ),
        ("100 signatures", "as many as the limit", hundred),
    ):
        yield f"note/{case}", good(desc, note=note, vkey=format_vkey(VKEY), text=TEXT)
    yield from _bad_signatures(plain)
    yield from _bad_notes(plain, line)


def _bad_signatures(plain: str) -> Cases:
    wrong = Signature(NAME, VKEY.key_id, KEY.sign(b"another text\n"))
    short = Signature(NAME, VKEY.key_id, KEY.sign(TEXT.encode())[:63])
    moved = Signature(NAME, VKEY.key_id, KEY.sign(b"!" + TEXT.encode()) + b"!")
    stranger = format_note(Note(TEXT, (_stranger(TEXT),)))
    for case, code, desc, note in (
        (
            "changed",
            "bad-signature",
            "a letter of the text",
            plain.replace("third", "Third"),
        ),
        (
            "another text",
            "bad-signature",
            "by a known key, and does not hold",
            format_note(Note(TEXT, (_own(TEXT), wrong))),
        ),
        (
            "of 63 bytes",
            "bad-signature",
            "a byte is missing",
            format_note(Note(TEXT, (short,))),
        ),
        (
            "of 65 bytes",
            "bad-signature",
            "a byte of another text",
            format_note(Note(TEXT, (moved,))),
        ),
        ("strangers only", "not-signed", "nobody known has signed", stranger),
    ):
        yield f"note/{case}", bad(code, desc, note=note, vkey=format_vkey(VKEY))


def _bad_notes(plain: str, line: str) -> Cases:
    more = plain.replace(line, line * 101)
    empty = f"— {NAME} {format_base64(VKEY.key_id)}\n"
    for case, code, desc, note in (
        ("no signatures", "bad-note", "a text alone", TEXT),
        (
            "no empty line",
            "bad-note",
            "text and signatures run together",
            f"text\n{line}",
        ),
        ("no line feed", "bad-note", "the last is missing", plain[:-1]),
        ("more after it", "bad-note", "not a signature line", plain + "more\n"),
        (
            "carriage returns",
            "bad-note",
            "line feeds alone",
            plain.replace("\n", "\r\n"),
        ),
        ("tab", "bad-note", "no control characters", plain.replace("first", "fir\tst")),
        ("hyphen", "bad-note", "an em dash", plain.replace("— ", "- ")),
        ("two spaces", "bad-note", "one space each", plain.replace("— ", "—  ")),
        ("signature empty", "bad-note", "a key id alone", plain.replace(line, empty)),
        (
            "padding missing",
            "bad-base64",
            "base64 is padded",
            plain.rstrip("=\n") + "\n",
        ),
        ("101 signatures", "bad-note", "one too many", more),
    ):
        yield f"note/{case}", bad(code, desc, note=note, vkey=format_vkey(VKEY))


def cases() -> Cases:
    """Give every case."""
    yield from _vkeys()
    yield from _notes()
