"""Witnesses and a checkpoint for tests of cosignatures and policies."""

from __future__ import annotations

from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import sign_checkpoint
from ledger.tlog.cosignature import COSIGNATURE_TYPE
from ledger.tlog.cosignature import cosign
from ledger.tlog.cosignature import merge_signatures
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.merkle import leaf_hash
from ledger.tlog.note import Signature
from ledger.tlog.note import Vkey
from ledger.tlog.note import format_vkey
from ledger.tlog.note import make_vkey
from ledger.tlog.note import parse_note

ORIGIN = "example.com/log"
LOG_KEY = SigningKey(b"log".ljust(32))
LOG = make_vkey(ORIGIN, LOG_KEY.public)
LEAF = b"entry"
CHECKPOINT = Checkpoint(ORIGIN, 1, leaf_hash(LEAF))
SIGNED = sign_checkpoint(CHECKPOINT, ORIGIN, LOG_KEY)
TEXT = parse_note(SIGNED).text
TIME_S = 1_679_315_147


def key_of(name: str) -> SigningKey:
    """The key of a witness, which is its name's."""
    return SigningKey(name.encode().ljust(32))


def vkey_of(name: str) -> Vkey:
    """The verifier key of a witness."""
    return make_vkey(f"{name}.example", key_of(name).public, COSIGNATURE_TYPE)


def by(name: str, text: str = TEXT, time_s: int = TIME_S) -> Signature:
    """The cosignature of a witness."""
    return cosign(text, f"{name}.example", key_of(name), time_s)


def cosigned(*names: str, signed: str = SIGNED) -> str:
    """The checkpoint, cosigned by these witnesses."""
    return merge_signatures(
        signed, [by(name, parse_note(signed).text) for name in names]
    )


def policy_of(*lines: str, witnesses: str = "", logs: tuple[Vkey, ...] = (LOG,)) -> str:
    """A policy of logs, of witnesses with one letter each, and further lines."""
    named = [f"witness {name} {format_vkey(vkey_of(name))}" for name in witnesses]
    return "\n".join([*(f"log {format_vkey(log)}" for log in logs), *named, *lines, ""])
