"""Policies: which checkpoints and proofs are believed, and what the others lack."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import LedgerError
from ledger.errors import VerificationError
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import sign_checkpoint
from ledger.tlog.cosignature import merge_signatures
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.note import Signature
from ledger.tlog.note import make_vkey
from ledger.tlog.note import parse_note
from ledger.tlog.note import sign_note
from ledger.tlog.policy import check_policy
from ledger.tlog.policy import check_quorum
from ledger.tlog.policy import parse_policy
from ledger.tlog.policy import verify_proof_by_policy
from ledger.tlog.proof import Proof
from tests.tlog.witnesses import CHECKPOINT
from tests.tlog.witnesses import LEAF
from tests.tlog.witnesses import LOG
from tests.tlog.witnesses import LOG_KEY
from tests.tlog.witnesses import ORIGIN
from tests.tlog.witnesses import SIGNED
from tests.tlog.witnesses import TEXT
from tests.tlog.witnesses import TIME_S
from tests.tlog.witnesses import by
from tests.tlog.witnesses import cosigned
from tests.tlog.witnesses import policy_of
from tests.tlog.witnesses import vkey_of

OTHER_KEY = SigningKey(b"another log".ljust(32))
OTHER = make_vkey("other.example/log", OTHER_KEY.public)
SECOND_KEY = SigningKey(b"second key".ljust(32))
SECOND = make_vkey(ORIGIN, SECOND_KEY.public)
NESTED = policy_of(
    "group far 1 s w",
    "group both all n far",
    "quorum both",
    witnesses="nsw",
)


def refusal(policy: str, note: str) -> LedgerError:
    """The error with which a checkpoint is refused."""
    with pytest.raises(LedgerError) as caught:
        check_policy(parse_policy(policy), note)
    return caught.value


def met(policy: str, *names: str) -> bool:
    """Whether the cosignatures of these witnesses are enough."""
    try:
        found = check_policy(parse_policy(policy), cosigned(*names))
    except VerificationError as error:
        return error.code != "policy-not-met"
    return set(found.witnesses) <= set(names)


def test_what_is_found() -> None:
    """The checkpoint, the log's key, and the witnesses in the policy's order."""
    found = check_policy(parse_policy(NESTED), cosigned("w", "x", "n"))
    assert found.checkpoint == CHECKPOINT
    assert found.log == LOG
    assert found.witnesses == ("n", "w")


def test_without_a_quorum_the_log_is_enough() -> None:
    """Cosignatures by witnesses that the policy knows are told all the same."""
    policy = parse_policy(policy_of("quorum none", witnesses="a"))
    assert check_policy(policy, SIGNED).witnesses == ()
    assert check_policy(policy, cosigned("a")).witnesses == ("a",)


def test_a_quorum_may_be_a_single_witness() -> None:
    """That one, and no other."""
    policy = policy_of("quorum a", witnesses="ab")
    assert met(policy, "a")
    assert not met(policy, "b")
    assert not met(policy)


@pytest.mark.parametrize(
    ("word", "needed"), [("any", 1), ("all", 4), ("1", 1), ("2", 2), ("4", 4)]
)
def test_so_many_of_a_group(word: str, needed: int) -> None:
    """Every choice of witnesses is enough if and only if it is large enough."""
    policy = policy_of(f"group g {word} a b c d", "quorum g", witnesses="abcd")
    for count in range(5):
        for names in combinations("abcd", count):
            assert met(policy, *names) == (count >= needed), names


def test_groups_of_groups() -> None:
    """Two levels: north, and one of the two that are far."""
    for count in range(4):
        for names in combinations("nsw", count):
            assert met(NESTED, *names) == ("n" in names and len(names) > 1), names


@given(
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(1, 2),
    st.sets(st.sampled_from("abcdef")),
)
def test_nested_groups_count_as_defined(
    left: int, right: int, top: int, names: set[str]
) -> None:
    """Against the definition, for any thresholds and any witnesses."""
    policy = parse_policy(
        policy_of(
            f"group l {left} a b c",
            f"group r {right} d e f",
            f"group t {top} l r",
            "quorum t",
            witnesses="abcdef",
        )
    )
    sides = (len(names & set("abc")) >= left) + (len(names & set("def")) >= right)
    if sides >= top:
        check_quorum(policy, names)
    else:
        with pytest.raises(VerificationError):
            check_quorum(policy, names)


def test_a_long_chain_of_groups_is_no_danger() -> None:
    """A group in a group, thousands deep, is judged like any other."""
    chain = [f"group {i} any {i - 1}" for i in range(1, 5000)]
    text = policy_of("group 0 any a", *chain, "quorum 4999", witnesses="a")
    assert met(text, "a")
    assert refusal(text, SIGNED).code == "policy-not-met"


def test_the_same_witness_does_not_count_twice() -> None:
    """Neither by cosigning at two times, nor by a line that is there twice."""
    policy = policy_of("group g 2 a b", "quorum g", witnesses="ab")
    twice = merge_signatures(cosigned("a"), [by("a", time_s=TIME_S + 1)])
    assert refusal(policy, twice).code == "policy-not-met"
    line = twice.splitlines()[-1]
    assert refusal(policy, f"{twice}{line}\n").code == "policy-not-met"
    assert check_policy(parse_policy(policy), cosigned("a", "b")).witnesses == (
        "a",
        "b",
    )


def test_names_are_only_those_of_the_policys_witnesses() -> None:
    """A name that is a group's or nobody's proves nothing."""
    with pytest.raises(VerificationError):
        check_quorum(parse_policy(NESTED), ["both", "far", "n"])


def test_the_error_says_who_is_missing() -> None:
    """Each group that fails, from the top, with those that it lacks; no others."""
    error = refusal(NESTED, cosigned("s"))
    assert error.code == "policy-not-met"
    assert error.message.endswith("group 'both' has 1 of 2, without 'n'")
    error = refusal(NESTED, cosigned("n"))
    assert error.message.endswith("; group 'far' has 0 of 1, without 's', 'w'")
    assert "group 'both' has 1 of 2, without 'far';" in error.message
    error = refusal(policy_of("quorum a", witnesses="a"), SIGNED)
    assert error.message.endswith("witness 'a' did not cosign")
    aside = policy_of("group g all a b", "group h any c", "quorum g", witnesses="abc")
    error = refusal(aside, cosigned("b"))
    assert error.message.endswith("policy: group 'g' has 1 of 2, without 'a'")


def test_a_known_witness_that_fails_spoils_the_note() -> None:
    """Although enough others hold: altered times, and cosignatures of another text."""
    policy = policy_of("group g any a b", "quorum g", witnesses="ab")
    good = by("a")
    later = (TIME_S + 1).to_bytes(8) + good.signature[8:]
    altered = Signature(good.name, good.key_id, later)
    assert (
        refusal(policy, merge_signatures(cosigned("b"), [altered])).code
        == "bad-signature"
    )
    replayed = by("a", text=TEXT.replace("\n1\n", "\n2\n"))
    assert (
        refusal(policy, merge_signatures(cosigned("b"), [replayed])).code
        == "bad-signature"
    )


def test_a_cosignature_does_not_move_to_another_checkpoint() -> None:
    """A fork that the log signed takes no cosignatures along."""
    fork = sign_checkpoint(Checkpoint(ORIGIN, 1, bytes(32)), ORIGIN, LOG_KEY)
    policy = policy_of("quorum a", witnesses="a")
    assert refusal(policy, merge_signatures(fork, [by("a")])).code == "bad-signature"
    assert refusal(policy, fork).code == "policy-not-met"


def test_a_signature_of_type_01_is_no_cosignature() -> None:
    """The witness's key signed the bare text: it does not count for it."""
    vkey = make_vkey("a.example", SigningKey(b"a".ljust(32)).public)
    plain = Signature(
        vkey.name, vkey.key_id, SigningKey(b"a".ljust(32)).sign(TEXT.encode())
    )
    policy = policy_of("quorum a", witnesses="a")
    assert refusal(policy, merge_signatures(SIGNED, [plain])).code == "policy-not-met"
    renamed = Signature(vkey.name, vkey_of("a").key_id, plain.signature)
    assert refusal(policy, merge_signatures(SIGNED, [renamed])).code == "bad-signature"


def test_the_log_has_to_sign() -> None:
    """Cosignatures alone are not enough, nor with another log's signature."""
    policy = policy_of("quorum a", witnesses="a", logs=(LOG, OTHER))
    stranger = sign_checkpoint(CHECKPOINT, ORIGIN, SECOND_KEY)
    assert refusal(policy, cosigned("a", signed=stranger)).code == "not-signed"
    assert refusal(policy, stranger).code == "not-signed"
    wrong = sign_note(TEXT, OTHER.name, OTHER_KEY)
    error = refusal(policy, cosigned("a", signed=wrong))
    assert error.code == "wrong-origin"
    assert "'other.example/log' does not sign for 'example.com/log'" in error.message


def test_any_log_of_the_policy_will_do() -> None:
    """Each under its own name; of two keys of one log, either."""
    policy = parse_policy(policy_of("quorum none", logs=(OTHER, LOG, SECOND)))
    other = sign_checkpoint(Checkpoint(OTHER.name, 1, bytes(32)), OTHER.name, OTHER_KEY)
    assert check_policy(policy, other).log == OTHER
    assert check_policy(policy, SIGNED).log == LOG
    second = sign_checkpoint(CHECKPOINT, ORIGIN, SECOND_KEY)
    assert check_policy(policy, second).log == SECOND
    both = sign_checkpoint(CHECKPOINT, ORIGIN, SECOND_KEY, LOG_KEY)
    assert check_policy(policy, both).log == LOG
    mixed = merge_signatures(
        SIGNED, parse_note(sign_note(TEXT, OTHER.name, OTHER_KEY)).signatures
    )
    assert check_policy(policy, mixed).log == LOG


def test_a_log_key_that_fails_spoils_the_note() -> None:
    """Although the log's other key, which the policy knows too, did sign."""
    policy = policy_of("quorum none", logs=(LOG, SECOND))
    forged = Signature(ORIGIN, SECOND.key_id, bytes(64))
    assert refusal(policy, merge_signatures(SIGNED, [forged])).code == "bad-signature"


def test_a_policy_without_a_log_believes_nothing() -> None:
    """Where the log is known otherwise, the caller adds it."""
    policy = policy_of("quorum none", logs=())
    assert refusal(policy, SIGNED).code == "no-log-in-policy"


def test_only_checkpoints_meet_a_policy() -> None:
    """Whatever else the log's key has signed."""
    note = sign_note("hello\n", ORIGIN, LOG_KEY)
    assert refusal(policy_of("quorum none"), note).code == "bad-checkpoint"


def test_thirty_two_of_everything() -> None:
    """As many logs, witnesses and groups as every implementation should take."""
    letters = [chr(0x100 + number) for number in range(32)]
    logs = tuple(
        make_vkey(f"{i}.example", SigningKey(bytes([i] * 32)).public) for i in range(31)
    )
    groups = [f"group g{each} any {each}" for each in letters[:-1]]
    top = f"group g 31 {' '.join(f'g{each}' for each in letters[:-1])}"
    text = policy_of(
        *groups, top, "quorum g", witnesses="".join(letters), logs=(*logs, LOG)
    )
    policy = parse_policy(text)
    assert (len(policy.logs), len(policy.witnesses), len(policy.groups)) == (32, 32, 32)
    assert met(text, *letters)
    assert met(text, *letters[:-1])
    assert not met(text, *letters[1:])


def test_a_proof_by_a_policy() -> None:
    """It needs the quorum, the entry, and the place in the tree."""
    policy = parse_policy(policy_of("quorum a", witnesses="a"))
    proof = Proof(index=0, hashes=(), checkpoint=cosigned("a"), extra=LEAF)
    assert verify_proof_by_policy(proof, LEAF, policy).witnesses == ("a",)
    for wrong, leaf, code in (
        (proof, b"another", "bad-inclusion-proof"),
        (Proof(1, (), cosigned("a")), LEAF, "bad-inclusion-proof"),
        (Proof(0, (bytes(32),), cosigned("a")), LEAF, "bad-inclusion-proof"),
        (Proof(0, (), SIGNED), LEAF, "policy-not-met"),
    ):
        with pytest.raises(VerificationError) as caught:
            verify_proof_by_policy(wrong, leaf, policy)
        assert caught.value.code == code
