"""Offline proofs: text form and verification."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import FormatError
from ledger.errors import LedgerError
from ledger.errors import VerificationError
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import sign_checkpoint
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.note import make_vkey
from ledger.tlog.proof import Proof
from ledger.tlog.proof import format_proof
from ledger.tlog.proof import parse_proof
from ledger.tlog.proof import verify_proof
from tests.tlog import naive

ORIGIN = "example.com/log"
KEY = SigningKey(bytes(32))
VKEY = make_vkey(ORIGIN, KEY.public)
DATA = [b"entry %d" % index for index in range(13)]


def sign(size: int) -> str:
    """A checkpoint of the log at some size."""
    checkpoint = Checkpoint(ORIGIN, size, naive.root(DATA[:size]))
    return sign_checkpoint(checkpoint, ORIGIN, KEY)


def prove(index: int, size: int, extra: bytes | None = None) -> Proof:
    """The proof of an entry at some size."""
    return Proof(index, tuple(naive.path(index, DATA[:size])), sign(size), extra)


SIGNED = sign(13)
PROOF = prove(5, 13, DATA[5])
TEXT = format_proof(PROOF)

proofs = st.builds(
    Proof,
    index=st.integers(0, 2**63 - 1),
    hashes=st.lists(st.binary(min_size=32, max_size=32), max_size=63).map(tuple),
    checkpoint=st.just(SIGNED),
    extra=st.none() | st.binary(max_size=100),
)


@given(proofs)
def test_proofs_round_trip(proof: Proof) -> None:
    """Any index, hashes and extra data; no extra is not the same as empty extra."""
    assert parse_proof(format_proof(proof)) == proof


@given(
    st.integers(0, len(TEXT)), st.sampled_from(["", "\n", " ", "0", "=", "index 1\n"])
)
def test_a_proof_has_one_spelling(at: int, inserted: str) -> None:
    """Whatever is accepted is formatted back to the very same text."""
    spoiled = TEXT[:at] + inserted + TEXT[at:]
    try:
        proof = parse_proof(spoiled)
    except FormatError:
        return
    assert format_proof(proof) == spoiled


def test_the_text_is_as_specified() -> None:
    """Header, extra, index, hashes, an empty line, the checkpoint verbatim."""
    small = Proof(1, (bytes(32),), SIGNED, b"entry")
    assert format_proof(small) == (
        "c2sp.org/tlog-proof@v1\nextra ZW50cnk=\nindex 1\n"
        f"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n{SIGNED}"
    )
    assert "extra" not in format_proof(replace(small, extra=None))


@pytest.mark.parametrize("size", range(1, 14))
def test_every_entry_is_proven(size: int) -> None:
    """The file and the vkey suffice, and give the checkpoint vouched for."""
    for index in range(size):
        proof = parse_proof(format_proof(prove(index, size)))
        checkpoint = verify_proof(proof, DATA[index], VKEY)
        assert checkpoint == Checkpoint(ORIGIN, size, naive.root(DATA[:size]))


def test_a_proof_is_for_one_entry_of_one_log() -> None:
    """Other data, another index, size or key: refused, each with its code."""
    other = make_vkey(ORIGIN, SigningKey(bytes([1] * 32)).public)
    for proof, data, vkey, code in (
        (PROOF, DATA[4], VKEY, "bad-inclusion-proof"),
        (PROOF, b"", VKEY, "bad-inclusion-proof"),
        (replace(PROOF, index=4), DATA[5], VKEY, "bad-inclusion-proof"),
        (replace(PROOF, index=13), DATA[5], VKEY, "bad-inclusion-proof"),
        (replace(PROOF, checkpoint=sign(12)), DATA[5], VKEY, "bad-inclusion-proof"),
        (
            replace(PROOF, hashes=PROOF.hashes[:-1]),
            DATA[5],
            VKEY,
            "bad-inclusion-proof",
        ),
        (PROOF, DATA[5], other, "not-signed"),
    ):
        with pytest.raises(VerificationError) as caught:
            verify_proof(proof, data, vkey)
        assert caught.value.code == code


def test_extra_data_is_not_believed() -> None:
    """It is neither signed nor checked: only what is passed as leaf data is."""
    lying = replace(PROOF, extra=b"another entry")
    assert verify_proof(lying, DATA[5], VKEY).size == 13
    with pytest.raises(VerificationError):
        verify_proof(lying, b"another entry", VKEY)


def test_every_change_of_a_proof_is_refused() -> None:
    """No character of the file can be another one, the extra data aside."""
    start = TEXT.index("index")
    for at in range(start, len(TEXT)):
        other = "B" if TEXT[at] != "B" else "C"
        with pytest.raises(LedgerError):
            verify_proof(parse_proof(TEXT[:at] + other + TEXT[at + 1 :]), DATA[5], VKEY)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("@v1", "@v2"),
        ("c2sp.org", " c2sp.org"),
        ("\nextra", "\nextra x\nextra"),
        ("\nextra ", "\nextra"),
        ("\nextra ", "\nExtra "),
        ("index 5", "index +5"),
        ("index 5", "index 05"),
        ("index 5", "index \u0665"),
        ("index 5", "index  5"),
        ("index 5", "index"),
        ("index 5\n", ""),
        ("index 5\n", "5\n"),
        (TEXT[TEXT.index("extra") : TEXT.index(SIGNED) - 1], ""),
        ("index 5\n", "index 5\nindex 5\n"),
        ("index 5\n", "index 5\nAAAA\n"),
        ("index 5\n", "index 5\n\n"),
        ("\n\n", "\n"),
        ("\n\n", "\n\n\n"),
        ("\n", "\r\n"),
        (SIGNED, ""),
        (SIGNED, SIGNED.split("\n\n")[0] + "\n"),
    ],
)
def test_malformed_proofs_are_refused(old: str, new: str) -> None:
    """Lines missing, doubled, misspelt or in another order."""
    assert old in TEXT
    with pytest.raises(FormatError):
        parse_proof(TEXT.replace(old, new, 1))


def test_extra_comes_before_the_index() -> None:
    """The order of the lines is fixed."""
    lines = TEXT.split("\n")
    lines[1], lines[2] = lines[2], lines[1]
    with pytest.raises(FormatError):
        parse_proof("\n".join(lines))


def test_a_proof_has_at_most_63_hashes() -> None:
    """No tree of the format needs more, so no verifier reads more."""
    for count, code in ((63, None), (64, "bad-proof")):
        head = "".join(
            ["c2sp.org/tlog-proof@v1\nindex 0\n", *(["A" * 43 + "=\n"] * count)]
        )
        try:
            parse_proof(f"{head}\n{SIGNED}")
        except FormatError as error:
            found: str | None = error.code
        else:
            found = None
        assert found == code


@pytest.mark.parametrize(
    "proof",
    [
        replace(PROOF, index=-1),
        replace(PROOF, index=2**63),
        replace(PROOF, hashes=(bytes(31),)),
        replace(PROOF, hashes=(bytes(32),) * 64),
        replace(PROOF, checkpoint="none"),
        replace(PROOF, checkpoint="\n" + SIGNED),
    ],
)
def test_what_would_not_read_back_is_not_written(proof: Proof) -> None:
    """A formatter never writes what its parser would refuse or misread."""
    with pytest.raises(FormatError):
        format_proof(proof)
