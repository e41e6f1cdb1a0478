"""Keys of type 06, ML-DSA-44: read in policies, and what they sign counts for nothing.

A policy that lists such a witness (C2SP tlog-cosignature asks new ones to be of that
type) can be used: it counts as one that has not cosigned.
"""

from __future__ import annotations

from hashlib import sha256

import pytest

from ledger.errors import LedgerError
from ledger.tlog.cosignature import merge_signatures
from ledger.tlog.note import Signature
from ledger.tlog.note import open_note
from ledger.tlog.note import parse_ml_dsa_vkey
from ledger.tlog.note import parse_note
from ledger.tlog.note import parse_vkey
from ledger.tlog.policy import check_policy
from ledger.tlog.policy import parse_policy
from ledger.tlog.text import format_base64
from tests.tlog.witnesses import LOG
from tests.tlog.witnesses import SIGNED
from tests.tlog.witnesses import cosigned
from tests.tlog.witnesses import policy_of
from tests.tlog.witnesses import vkey_of
from tools import verify_policy
from tools.verify import Refusal

SIGNATURE_BYTES = 8 + 2420


def text_of(name: str, seed: int = 1, length: int = 1312) -> str:
    """Write a key down, as any bytes make one."""
    material = b"\x06" + bytes([seed]) * length
    identifier = sha256(f"{name}\n".encode() + material).digest()[:4]
    return f"{name}+{identifier.hex()}+{format_base64(material)}"


KEY = text_of("m.example")
MIXED = policy_of(
    f"witness m {KEY}", "group g 2 m a b", "quorum g", witnesses="ab", logs=(LOG,)
)


def refusal(policy: str, note: str = "") -> str:
    """The code of a refusal, which the stand-alone verifier has to share."""
    with pytest.raises(LedgerError) as caught:
        check_policy(parse_policy(policy), note)
    with pytest.raises(Refusal) as refused:
        verify_policy.Policy(policy).check(note)
    assert refused.value.args[0] == caught.value.code
    return caught.value.code


def with_signature(note: str, name: str = "m.example") -> str:
    """Add a line by that key, which nobody here can verify."""
    vkey = parse_ml_dsa_vkey(KEY)
    line = Signature(name, vkey.key_id, bytes(7) + b"\x01" + bytes(2420))
    return merge_signatures(note, [line])


def test_a_policy_with_such_a_witness_is_used() -> None:
    """The others have to make the quorum; it keeps its name and its place."""
    policy = parse_policy(MIXED)
    assert [each.name for each in policy.witnesses] == ["a", "b"]
    assert policy.unverified == ("m",)
    for note in (cosigned("a", "b"), with_signature(cosigned("a", "b"))):
        assert check_policy(policy, note).witnesses == ("a", "b")
        assert verify_policy.Policy(MIXED).check(note)[1] == ["a", "b"]


def test_what_it_signs_counts_for_nothing() -> None:
    """Even where it would make the quorum, and the message says why it does not."""
    for note in (cosigned("a"), with_signature(cosigned("a"))):
        assert refusal(MIXED, note) == "policy-not-met"
        with pytest.raises(LedgerError, match="'m' has a key of type 06") as caught:
            check_policy(parse_policy(MIXED), note)
        assert "does not verify" in caught.value.message
    alone = policy_of(f"witness m {KEY}", "quorum m")
    assert refusal(alone, with_signature(SIGNED)) == "policy-not-met"


def test_its_signatures_are_a_strangers() -> None:
    """A note may bear them, of their full length, also under a name that is known."""
    note = with_signature(with_signature(cosigned("a")), "a.example")
    opened = open_note(note, [LOG, vkey_of("a"), parse_ml_dsa_vkey(KEY)])
    assert opened.verified == (LOG, vkey_of("a"))
    assert [len(each.signature) for each in opened.unknown] == [SIGNATURE_BYTES] * 2
    assert parse_note(note).text == opened.text


def test_a_log_of_that_type_is_not_believed() -> None:
    """Another log of the policy may be; alone it is as if there were none."""
    lines = f"log {text_of(LOG.name)}\n"
    both = lines + policy_of("quorum none")
    assert check_policy(parse_policy(both), SIGNED).log == LOG
    assert len(verify_policy.Policy(both).logs) == 1
    assert refusal(lines + "quorum none\n", SIGNED) == "no-log-in-policy"


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ((f"witness m {KEY}", f"witness n {KEY}"), "bad-policy"),
        ((f"witness m {KEY}", f"witness n {text_of('n.example')}"), "bad-policy"),
        ((f"witness m {KEY}", f"witness m {text_of('n', 2)}"), "bad-policy"),
        ((f"log {KEY}", f"log {text_of('n.example')}"), "bad-policy"),
        (("witness none " + KEY,), "bad-policy"),
        ((f"witness m {KEY.replace('m.example', 'n.example')}",), "bad-vkey"),
        ((f"witness m {KEY.replace('m.example', '')}",), "bad-key-name"),
        ((f"witness m {text_of('m.example', length=1311)}",), "bad-base64"),
        ((f"witness m {text_of('m.example', length=32)}",), "bad-base64"),
    ],
)
def test_such_a_key_is_one(lines: tuple[str, ...], code: str) -> None:
    """It has its length, its id and a name, and is there once in each role."""
    assert refusal(policy_of(*lines, "quorum none")) == code


def test_both_roles_may_have_it() -> None:
    """The types tell apart what a log and a witness sign, and here nothing counts."""
    policy = parse_policy(policy_of(f"log {KEY}", f"witness m {KEY}", "quorum none"))
    assert policy.logs[0].vkey == LOG


def test_nobody_pins_such_a_key_alone() -> None:
    """As the key of a log it is refused: nothing could ever be believed by it."""
    with pytest.raises(LedgerError) as caught:
        parse_vkey(KEY)
    assert caught.value.code == "bad-vkey"
