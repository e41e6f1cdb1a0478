"""Believing a log's server: by the log's key, its tree, and what was seen before."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple

from ledger.entry.envelope import event_hash
from ledger.entry.envelope import parse_entry
from ledger.errors import InputError
from ledger.errors import VerificationError
from ledger.reader import Reader
from ledger.reader import open_source
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.merkle import leaf_hash
from ledger.tlog.note import Vkey
from ledger.tlog.policy import Policy
from ledger.tlog.policy import verify_proof_by_policy
from ledger.tlog.proof import parse_proof
from ledger.tlog.proof import verify_proof

if TYPE_CHECKING:
    from ledger.log import Appended
    from ledger.remote.memory import Remembered

Trust = Vkey | Policy
"""By what checkpoints are believed: a log's key, or a policy."""


class Seen(NamedTuple):
    """Where a log stands, by its own checkpoint.

    Attributes:
        checkpoint: the newest.
        newest: index and leaf hash of the newest entry, for `seen`.
        trust: by what it is believed: other keys, if the log has changed its own.
        followed: whether it has.
    """

    checkpoint: Checkpoint
    newest: tuple[int, bytes]
    trust: Trust
    followed: bool


def verified_seen(
    url: str, trust: Trust, log: bytes, before: Remembered | None
) -> Seen:
    """Find the newest entry that the log's own checkpoint vouches for.

    Args:
        url: prefix at which the log is served.
        trust: by what checkpoints are believed.
        log: id that the log has to have.
        before: what was verified before, which it has to continue.

    Raises:
        InputError: `log-empty`.
        UnverifiableError: `not-found`, `no-network`.
        VerificationError: as `Reader`; `log-changed`.
    """
    trusted = trust if isinstance(trust, Policy) else [trust]
    with Reader(open_source(url), trusted) as reader:
        checkpoint = reader.checkpoint()
        if checkpoint.size == 0:
            raise InputError("log-empty", "this log has published no entry yet")
        if event_hash(reader.entry(0).event) != log:
            raise VerificationError(
                "log-changed", f"what is published at {url} is not log {log.hex()}"
            )
        if before is not None and before.size:
            reader.consistency(Checkpoint(checkpoint.origin, before.size, before.root))
        newest = checkpoint.size - 1
        seen = newest, leaf_hash(reader.leaf(newest))
        found = reader.trust
        # Of keys that all sign, the newest is the last to be retired.
        by = found if isinstance(found, Policy) else found[-1]
        return Seen(checkpoint, seen, by, reader.followed)


def check_receipt(text: str, trust: Trust, event: bytes, answer: Appended) -> None:
    """Verify that a receipt is of this event, at the place that the log answered.

    Raises:
        FormatError: as `parse_proof`.
        VerificationError: `wrong-receipt`; as `verify_proof`.
    """
    proof = parse_proof(text)
    leaf = proof.extra or b""
    if isinstance(trust, Policy):
        verify_proof_by_policy(proof, leaf, trust)
    else:
        verify_proof(proof, leaf, trust)
    placed = (proof.index, leaf_hash(leaf)) == (answer.index, answer.leaf_hash)
    if not placed or (parse_entry(leaf).event != event and not answer.repeated):
        raise VerificationError(
            "wrong-receipt",
            f"the receipt is not of the event that became entry {answer.index}",
            hint="keep it: with the log's signature it shows what the log said",
        )
