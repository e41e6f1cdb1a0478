"""Vectors of verifier keys, notes, checkpoints and proofs (format.md §7, C2SP)."""

from __future__ import annotations

from ledger.entry.envelope import EVENT_TAG
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import sign_checkpoint
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.merkle import EMPTY_ROOT
from ledger.tlog.merkle import leaf_hash
from ledger.tlog.merkle import prove_inclusion
from ledger.tlog.merkle import subtree_root
from ledger.tlog.note import Note
from ledger.tlog.note import Signature
from ledger.tlog.note import format_note
from ledger.tlog.note import format_vkey
from ledger.tlog.note import key_id
from ledger.tlog.note import make_vkey
from ledger.tlog.note import sign_note
from ledger.tlog.proof import Proof
from ledger.tlog.proof import format_proof
from ledger.tlog.text import format_base64
from tools.vectors.case import Cases
from tools.vectors.case import bad
from tools.vectors.case import good
from tools.vectors.entries import entry_of
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
        ),
    )
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
    wrong = Signature(NAME, VKEY.key_id, KEY.sign(b"another text\n"))
    short = Signature(NAME, VKEY.key_id, KEY.sign(TEXT.encode())[:63])
    stranger = format_note(Note(TEXT, (_stranger(TEXT),)))
    more = plain.replace(line, line * 101)
    empty = f"— {NAME} {format_base64(VKEY.key_id)}\n"
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
        ("strangers only", "not-signed", "nobody known has signed", stranger),
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


def _checkpoints() -> Cases:
    root = leaf_hash(b"leaf")
    for case, desc, checkpoint in (
        ("size 1", "a log is born with genesis", Checkpoint(NAME, 1, root)),
        ("size 0", "the empty tree", Checkpoint(NAME, 0, EMPTY_ROOT)),
        ("size greatest", "2^63 - 1", Checkpoint(NAME, 2**63 - 1, root)),
        ("extension", "kept, without meaning", Checkpoint(NAME, 1, root, ("more",))),
    ):
        yield (
            f"checkpoint/{case}",
            good(
                desc,
                note=sign_checkpoint(checkpoint, NAME, KEY),
                vkey=format_vkey(VKEY),
                size=str(checkpoint.size),
                root=checkpoint.root.hex(),
            ),
        )
    encoded = format_base64(root)
    for case, code, desc, text in (
        ("size 01", "bad-decimal", "no leading zeros", f"{NAME}\n01\n{encoded}\n"),
        ("size plus", "bad-decimal", "no sign", f"{NAME}\n+1\n{encoded}\n"),
        (
            "size underscore",
            "bad-decimal",
            "digits only",
            f"{NAME}\n1_000\n{encoded}\n",
        ),
        ("size arabic", "bad-decimal", "ASCII digits", f"{NAME}\n\u0663\n{encoded}\n"),
        ("size empty", "bad-checkpoint", "no size", f"{NAME}\n\n{encoded}\n"),
        ("size 2^63", "bad-decimal", "one too many", f"{NAME}\n{2**63}\n{encoded}\n"),
        ("size space", "bad-decimal", "no spaces", f"{NAME}\n1 \n{encoded}\n"),
        (
            "root of 31",
            "bad-base64",
            "32 bytes",
            f"{NAME}\n1\n{format_base64(root[:31])}\n",
        ),
        ("root bits", "bad-base64", "stray bits", f"{NAME}\n1\n{_stray(encoded)}\n"),
        ("root missing", "bad-checkpoint", "two lines", f"{NAME}\n1\n"),
        (
            "empty line",
            "bad-checkpoint",
            "no empty lines",
            f"{NAME}\n1\n{encoded}\n\nmore\n",
        ),
        (
            "another origin",
            "wrong-origin",
            "a key signs for its own",
            f"other.example\n1\n{encoded}\n",
        ),
        (
            "origin space",
            "bad-key-name",
            "an origin is a key name",
            f"a b\n1\n{encoded}\n",
        ),
        (
            "origin reserved",
            "bad-origin",
            "other messages begin so",
            f"linernote/x\n1\n{encoded}\n",
        ),
        (
            "origin cosignature",
            "bad-origin",
            "other messages begin so",
            f"cosignature/v1\n1\n{encoded}\n",
        ),
        (
            "origin of 256",
            "bad-origin",
            "255 bytes at most",
            f"{'o' * 256}\n1\n{encoded}\n",
        ),
    ):
        note = sign_note(text, NAME, KEY)
        yield f"checkpoint/{case}", bad(code, desc, note=note, vkey=format_vkey(VKEY))
    event = sign_note(EVENT_TAG.decode() + "1\n", NAME, KEY)
    yield (
        "checkpoint/not one",
        bad(
            "bad-checkpoint",
            "a note of other lines",
            note=event,
            vkey=format_vkey(VKEY),
        ),
    )


def _stray(encoded: str) -> str:
    """Set a bit that base64 does not use."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return encoded[:-2] + alphabet[alphabet.index(encoded[-2]) + 1] + "="


def _proof(size: int, index: int) -> tuple[str, bytes]:
    leaves = [entry_of(index=place) for place in range(size)]
    hashes = [leaf_hash(leaf) for leaf in leaves]

    def read(nodes: object) -> list[bytes]:
        return [
            subtree_root(hashes[place << level : (place + 1) << level])
            for level, place in nodes  # type: ignore[attr-defined]
        ]

    checkpoint = Checkpoint(NAME, size, subtree_root(hashes))
    proof = Proof(
        index=index,
        hashes=tuple(prove_inclusion(index, size, read)),
        checkpoint=sign_checkpoint(checkpoint, NAME, KEY),
        extra=leaves[index],
    )
    return format_proof(proof), leaves[index]


def _proofs() -> Cases:
    vkey = format_vkey(VKEY)
    for size, index in ((1, 0), (2, 1), (5, 4), (7, 3), (8, 0), (11, 10)):
        text, leaf = _proof(size, index)
        yield (
            f"proof/entry {index} of {size}",
            good(
                "as extra the leaf data",
                proof=text,
                vkey=vkey,
                leaf=leaf.hex(),
                index=index,
                size=size,
            ),
        )
    text, leaf = _proof(7, 3)
    header, extra, index_line, first, *rest = text.split("\n")
    other, _ = _proof(7, 2)
    lines = [header, extra, index_line, first, *rest]

    def without(line: str) -> str:
        return "\n".join(each for each in lines if each != line)

    for case, code, desc, changed in (
        (
            "index of another",
            "bad-inclusion-proof",
            "another place",
            text.replace("index 3", "index 2"),
        ),
        (
            "index beyond",
            "bad-inclusion-proof",
            "not in the tree",
            text.replace("index 3", "index 7"),
        ),
        ("hash missing", "bad-inclusion-proof", "one too few", without(first)),
        (
            "hash doubled",
            "bad-inclusion-proof",
            "one too many",
            text.replace(first, f"{first}\n{first}", 1),
        ),
        (
            "entry of another",
            "bad-inclusion-proof",
            "another leaf",
            text.replace(extra, other.split("\n")[1]),
        ),
        (
            "index 03",
            "bad-decimal",
            "no leading zeros",
            text.replace("index 3", "index 03"),
        ),
        ("index missing", "bad-proof", "no index line", without(index_line)),
        ("version", "bad-proof", "another version", text.replace("@v1", "@v2")),
        (
            "hash of 31",
            "bad-base64",
            "32 bytes",
            text.replace(first, format_base64(bytes(31))),
        ),
        (
            "extra bits",
            "bad-base64",
            "not base64",
            text.replace(extra, extra.rstrip("=") + "?"),
        ),
        (
            "64 hashes",
            "bad-proof",
            "no tree is so high",
            text.replace(first, "\n".join([first] * 64), 1),
        ),
        (
            "size changed",
            "bad-signature",
            "the checkpoint was edited",
            text.replace("\n7\n", "\n8\n"),
        ),
    ):
        yield (
            f"proof/{case}",
            bad(code, desc, proof=changed, vkey=vkey, leaf=leaf.hex()),
        )


def cases() -> Cases:
    """Give every case."""
    yield from _vkeys()
    yield from _notes()
    yield from _checkpoints()
    yield from _proofs()
