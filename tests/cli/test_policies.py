"""`linernote verify --policy`: offline, by a file that says whom to believe."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import sign_checkpoint
from ledger.tlog.merkle import leaf_hash
from ledger.tlog.note import format_vkey
from ledger.tlog.proof import Proof
from ledger.tlog.proof import format_proof
from tests.cli.conftest import Run
from tests.tlog.witnesses import LOG
from tests.tlog.witnesses import LOG_KEY
from tests.tlog.witnesses import ORIGIN
from tests.tlog.witnesses import cosigned
from tests.tlog.witnesses import policy_of
from tools.vectors.entries import entry_of

LEAF = entry_of(index=0)
POLICY = policy_of("group g 2 a b c", "quorum g", witnesses="abc")


@pytest.fixture
def proofs(run: Run) -> Run:
    """Proofs of one entry, cosigned by nobody, by one witness and by two."""
    checkpoint = Checkpoint(ORIGIN, 1, leaf_hash(LEAF))
    signed = sign_checkpoint(checkpoint, ORIGIN, LOG_KEY)
    for names in ("", "a", "ac"):
        note = cosigned(*names, signed=signed)
        text = format_proof(Proof(0, (), note, extra=LEAF))
        Path(f"by-{names}").write_text(text, encoding="utf-8")
    Path("policy").write_text(POLICY, encoding="utf-8")
    return run


def test_a_cosigned_proof_meets_a_policy(proofs: Run) -> None:
    """The answer names the witnesses whose cosignatures hold."""
    done = proofs("verify", "by-ac", "--policy", "policy", "--json")
    (proof,) = done.json["proofs"]
    assert (done.code, proof["ok"], proof["witnesses"]) == (0, True, ["a", "c"])
    text = proofs("verify", "by-ac", "--policy", "policy").out
    assert "among its first 1 entries; cosigned by a, c" in text
    alone = proofs("verify", "by-ac", "--vkey", format_vkey(LOG), "--json")
    assert (alone.code, "witnesses" in alone.json["proofs"][0]) == (0, False)


def test_too_few_witnesses_fail(proofs: Run) -> None:
    """Exit code 4, and the message says which are missing; each proof by itself."""
    done = proofs("verify", "by-a", "--policy", "policy")
    assert (done.code, done.error) == (4, "policy-not-met")
    assert "group 'g' has 1 of 2, without 'b', 'c'" in done.err
    done = proofs("verify", "by-", "by-a", "by-ac", "--policy", "policy", "--json")
    assert done.code == 4
    assert [proof["ok"] for proof in done.json["proofs"]] == [False, False, True]


def test_without_a_quorum_nobody_has_to_cosign(proofs: Run) -> None:
    """And it is said when nobody did."""
    Path("policy").write_text(policy_of("quorum none"), encoding="utf-8")
    done = proofs("verify", "by-", "--policy", "policy")
    assert (done.code, "cosigned by nobody" in done.out) == (0, True)


def test_a_policy_of_another_log_believes_nothing(proofs: Run) -> None:
    """As with another log's verifier key."""
    other = POLICY.replace("log ", "# log ", 1)
    Path("policy").write_text(other, encoding="utf-8")
    done = proofs("verify", "by-ac", "--policy", "policy")
    assert (done.code, done.error) == (3, "no-log-in-policy")


def test_a_bad_policy_is_refused_before_any_proof(proofs: Run) -> None:
    """With the line in which it is; a missing file is exit code 5."""
    Path("policy").write_text(POLICY + "quorum h\n", encoding="utf-8")
    done = proofs("verify", "by-ac", "--policy", "policy")
    assert (done.code, done.error) == (3, "bad-policy")
    assert "line 7 of the policy" in done.err
    Path("policy").write_bytes(b"# d\xe9j\xe0 vu\n" + POLICY.encode())
    assert proofs("verify", "by-ac", "--policy", "policy").code == 0
    Path("policy").write_bytes(b"#" * ((1 << 20) + 1))
    assert proofs("verify", "by-ac", "--policy", "policy").error == "bad-policy"
    done = proofs("verify", "by-ac", "--policy", "nowhere")
    assert (done.code, done.error) == (5, "file-missing")


def test_names_that_are_not_utf_8_are_shown_escaped(proofs: Run) -> None:
    """A policy may name a witness by any octets."""
    named = POLICY.replace("witness a", "witness é").replace("a b c", "é b c")
    Path("policy").write_text(named, encoding="latin-1")
    for options in ((), ("--json",)):
        done = proofs("verify", "by-ac", "--policy", "policy", *options)
        assert (done.code, "udce9" in done.out) == (0, True)


def test_one_says_whom_to_believe_exactly_once(proofs: Run) -> None:
    """A key or a policy: with both, or neither, nothing is verified (exit 2)."""
    both = ("--policy", "policy", "--vkey", format_vkey(LOG))
    for options in ((), both):
        done = proofs("verify", "by-ac", *options)
        assert (done.code, done.error) == (2, "usage")
