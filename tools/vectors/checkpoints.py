"""Vectors of checkpoints and proofs (format.md §7; C2SP tlog-checkpoint and -proof)."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.entry.envelope import EVENT_TAG
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import sign_checkpoint
from ledger.tlog.merkle import EMPTY_ROOT
from ledger.tlog.merkle import leaf_hash
from ledger.tlog.merkle import prove_inclusion
from ledger.tlog.merkle import subtree_root
from ledger.tlog.note import format_vkey
from ledger.tlog.note import sign_note
from ledger.tlog.proof import Proof
from ledger.tlog.proof import format_proof
from ledger.tlog.text import format_base64
from tools.vectors.case import Cases
from tools.vectors.case import bad
from tools.vectors.case import good
from tools.vectors.entries import entry_of
from tools.vectors.notes import KEY
from tools.vectors.notes import NAME
from tools.vectors.notes import VKEY

HASH = leaf_hash(b"leaf")
ROOT = format_base64(HASH)
LONG = "o" * 256

BAD_LINES = (
    ("size 01", "bad-decimal", "no leading zeros", NAME, "01", ROOT),
    ("size plus", "bad-decimal", "no sign", NAME, "+1", ROOT),
    ("size underscore", "bad-decimal", "digits only", NAME, "1_000", ROOT),
    ("size arabic", "bad-decimal", "ASCII digits", NAME, "\u0663", ROOT),
    ("size space", "bad-decimal", "no spaces", NAME, "1 ", ROOT),
    ("size 2^63", "bad-decimal", "one too many", NAME, str(2**63), ROOT),
    ("size empty", "bad-checkpoint", "no size", NAME, "", ROOT),
    ("root of 31", "bad-base64", "32 bytes", NAME, "1", format_base64(HASH[:31])),
    ("root unpadded", "bad-base64", "base64 is padded", NAME, "1", ROOT[:-1]),
    ("empty line", "bad-checkpoint", "none", NAME, "1", f"{ROOT}\n\nmore"),
    ("another origin", "wrong-origin", "of its own", "other.example", "1", ROOT),
    ("origin space", "bad-key-name", "a key name", "a b", "1", ROOT),
    ("origin reserved", "bad-origin", "others begin so", "linernote/x", "1", ROOT),
    ("origin cosignature", "bad-origin", "others too", "cosignature/v1", "1", ROOT),
    ("origin of 256", "bad-origin", "255 bytes at most", LONG, "1", ROOT),
)
"""Name, code, description; origin, size, root."""


def _checkpoints() -> Cases:
    vkey = format_vkey(VKEY)
    for case, desc, checkpoint in (
        ("size 1", "a log is born with genesis", Checkpoint(NAME, 1, HASH)),
        ("size 0", "the empty tree", Checkpoint(NAME, 0, EMPTY_ROOT)),
        ("size greatest", "2^63 - 1", Checkpoint(NAME, 2**63 - 1, HASH)),
        ("extension", "kept, without meaning", Checkpoint(NAME, 1, HASH, ("more",))),
    ):
        note = sign_checkpoint(checkpoint, NAME, KEY)
        fields = {"size": str(checkpoint.size), "root": checkpoint.root.hex()}
        yield f"checkpoint/{case}", good(desc, note=note, vkey=vkey, **fields)
    for case, code, desc, *lines in BAD_LINES:
        note = sign_note("".join(f"{line}\n" for line in lines), NAME, KEY)
        yield f"checkpoint/{case}", bad(code, desc, note=note, vkey=vkey)
    for case, desc, text in (
        ("root bits", "stray bits", f"{NAME}\n1\n{_stray(ROOT)}\n"),
        ("root missing", "two lines", f"{NAME}\n1\n"),
        ("not one", "a note of other lines", EVENT_TAG.decode() + "1\n"),
    ):
        code = "bad-base64" if case == "root bits" else "bad-checkpoint"
        note = sign_note(text, NAME, KEY)
        yield f"checkpoint/{case}", bad(code, desc, note=note, vkey=vkey)


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
    for case, code, desc, changed in (*_misleading(text), *_malformed(text)):
        vector = bad(code, desc, proof=changed, vkey=vkey, leaf=leaf.hex())
        yield f"proof/{case}", vector


def _misleading(text: str) -> Iterator[tuple[str, str, str, str]]:
    """Give proofs of another place, entry or tree."""
    refused = "bad-inclusion-proof"
    _, extra, index, first, *_ = text.split("\n")
    other = _proof(7, 2)[0].split("\n")[1]
    doubled = text.replace(first, f"{first}\n{first}", 1)
    yield "index of another", refused, "another place", text.replace(index, "index 2")
    yield "index beyond", refused, "not in the tree", text.replace(index, "index 7")
    yield "hash missing", refused, "one too few", text.replace(f"{first}\n", "", 1)
    yield "hash doubled", refused, "one too many", doubled
    yield "entry of another", refused, "another leaf", text.replace(extra, other)
    edited = text.replace("\n7\n", "\n8\n")
    yield "size changed", "bad-signature", "the checkpoint was edited", edited


def _malformed(text: str) -> Iterator[tuple[str, str, str, str]]:
    """Give proofs that are none."""
    _, extra, index, first, *_ = text.split("\n")
    many = "\n".join([first] * 64)
    short = format_base64(bytes(31))
    bent = extra.rstrip("=") + "?"
    yield "index 03", "bad-decimal", "leading zeros", text.replace(index, "index 03")
    yield "index missing", "bad-proof", "no index", text.replace(f"{index}\n", "")
    yield "version", "bad-proof", "another version", text.replace("@v1", "@v2")
    yield "64 hashes", "bad-proof", "no tree is so high", text.replace(first, many, 1)
    yield "hash of 31", "bad-base64", "32 bytes", text.replace(first, short)
    yield "extra bits", "bad-base64", "not base64", text.replace(extra, bent)


def cases() -> Cases:
    """Give every case."""
    yield from _checkpoints()
    yield from _proofs()
