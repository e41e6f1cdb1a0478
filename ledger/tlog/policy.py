r"""Believing checkpoints by a policy: a log's key and a quorum (C2SP tlog-policy).

    log example.com/log+1dde4531+ATtq… https://example.com/log
    witness north n.example/w+5a0bb3f2+BLmr…  https://n.example
    witness south s.example/w+07c3e911+BKx3…
    witness west  w.example/w+e1f2a3b4+BP2c…
    group far 1 south west          at least so many; any is 1, all is all of them
    group both all north far        members are witnesses and groups, named above
    quorum both                     exactly one such line; "none" asks for no witness

A checkpoint meets the policy if one of the logs signed it, under its own name, and the
quorum cosigned it. What a policy may look like is in ``ledger.tlog.policy_text``.

>>> from ledger.tlog.checkpoint import sign_checkpoint
>>> from ledger.tlog.ed25519 import SigningKey
>>> from ledger.tlog.note import format_vkey, make_vkey
>>> key = SigningKey(bytes(32))
>>> log = format_vkey(make_vkey("a.example", key.public))
>>> policy = parse_policy(f"log {log}\nquorum none\n")
>>> signed = sign_checkpoint(Checkpoint("a.example", 1, bytes(32)), "a.example", key)
>>> check_policy(policy, signed).checkpoint.size
1
"""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass

from ledger.errors import InputError
from ledger.errors import VerificationError
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import parse_checkpoint
from ledger.tlog.note import Vkey
from ledger.tlog.note import open_note
from ledger.tlog.policy_text import Group
from ledger.tlog.policy_text import LogKey
from ledger.tlog.policy_text import Policy
from ledger.tlog.policy_text import Witness
from ledger.tlog.policy_text import parse_policy
from ledger.tlog.proof import Proof
from ledger.tlog.proof import check_included
from ledger.tlog.text import excerpt

__all__ = [
    "Cosigned",
    "Group",
    "LogKey",
    "Policy",
    "Witness",
    "check_logs",
    "check_policy",
    "check_quorum",
    "parse_policy",
    "verify_proof_by_policy",
]


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A checkpoint that meets a policy.

    Args:
        checkpoint: that the log vouches for.
        log: the key by which it does; the first in the policy, if there are more.
        witnesses: names of all whose cosignatures hold, in the policy's order.
    """

    checkpoint: Checkpoint
    log: Vkey
    witnesses: tuple[str, ...]


def check_policy(policy: Policy, note: str) -> Cosigned:
    """Verify a signed checkpoint by a policy.

    Args:
        policy: with at least one log.
        note: the checkpoint with its signatures; those by others are ignored.

    Raises:
        FormatError: as ``parse_note`` and ``parse_checkpoint``.
        InputError: ``no-log-in-policy``, or ``ambiguous-keys``.
        VerificationError: ``bad-signature`` if one by a known key does not hold;
            ``not-signed`` if no log did sign; ``wrong-origin`` if another log did;
            ``policy-not-met`` if the quorum did not cosign.
    """
    check_logs(policy)
    vkeys = [log.vkey for log in policy.logs]
    opened = open_note(note, [*vkeys, *(each.vkey for each in policy.witnesses)])
    checkpoint = parse_checkpoint(opened.text)
    log = _signer(
        checkpoint.origin, [vkey for vkey in vkeys if vkey in opened.verified]
    )
    names = [each.name for each in policy.witnesses if each.vkey in opened.verified]
    check_quorum(policy, names)
    return Cosigned(checkpoint, log, tuple(names))


def verify_proof_by_policy(proof: Proof, leaf_data: bytes, policy: Policy) -> Cosigned:
    """Verify that an entry is in a log of a policy, whose quorum witnessed it.

    Args:
        proof: as parsed.
        leaf_data: of the entry; taken from ``proof.extra``, this authenticates it.
        policy: with at least one log.

    Raises:
        FormatError: as ``check_policy``.
        InputError: as ``check_policy``.
        VerificationError: as ``check_policy``, or ``bad-inclusion-proof``.
    """
    cosigned = check_policy(policy, proof.checkpoint)
    check_included(proof, leaf_data, cosigned.checkpoint)
    return cosigned


def check_logs(policy: Policy) -> None:
    """Check that a policy names a log: without one it believes no checkpoint.

    Raises:
        InputError: ``no-log-in-policy``.
    """
    if not policy.logs:
        raise InputError(
            "no-log-in-policy",
            "the policy does not name a log",
            hint="add a line to it: log VKEY",
        )


def check_quorum(policy: Policy, names: Collection[str]) -> None:
    """Check that these witnesses are enough, whoever found their cosignatures to hold.

    Raises:
        VerificationError: ``policy-not-met``, which says who is missing.
    """
    if policy.quorum is None:
        return
    witnessed = {each.name for each in policy.witnesses if each.name in names}
    for group in policy.groups:
        if sum(name in witnessed for name in group.members) >= group.threshold:
            witnessed.add(group.name)
    if policy.quorum not in witnessed:
        lacks = list(_lacking(policy, policy.quorum, witnessed))
        raise VerificationError(
            "policy-not-met",
            f"the checkpoint does not meet the policy: {'; '.join(lacks)}",
            hint="it may be cosigned by now: try again, or take a proof from a newer"
            " checkpoint",
        )


def _lacking(policy: Policy, quorum: str, witnessed: set[str]) -> Iterator[str]:
    """Say of each group that the quorum fails by, from the top, whom it lacks."""
    wanted = {quorum}
    for group in reversed(policy.groups):
        if group.name in wanted and group.name not in witnessed:
            missing = [name for name in group.members if name not in witnessed]
            wanted.remove(group.name)
            wanted.update(missing)
            yield (
                f"group {excerpt(group.name)} has"
                f" {len(group.members) - len(missing)} of {group.threshold},"
                f" without {', '.join(map(excerpt, missing))}"
            )
    for name in sorted(wanted.intersection(policy.unverified)):
        yield (
            f"witness {excerpt(name)} has a key of type 06, ML-DSA-44, whose signatures"
            " this version does not verify"
        )
    if quorum in wanted and quorum not in policy.unverified:
        yield f"witness {excerpt(quorum)} did not cosign"


def _signer(origin: str, verified: Sequence[Vkey]) -> Vkey:
    for vkey in verified:
        if vkey.name == origin:
            return vkey
    if not verified:
        raise VerificationError(
            "not-signed",
            f"the checkpoint of {excerpt(origin)} bears no signature by a log of the"
            " policy",
            hint="compare the log's vkey in the policy with the one that it publishes",
        )
    raise VerificationError(
        "wrong-origin",
        f"key {excerpt(verified[0].name)} does not sign for {excerpt(origin)}",
        hint="a log key signs checkpoints of its own origin and nothing else",
    )
