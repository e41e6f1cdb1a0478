"""Believing a log's server: by the log's key, its tree, and what was seen before."""

from __future__ import annotations

import time
from itertools import groupby
from typing import TYPE_CHECKING
from typing import NamedTuple

from ledger.author import ZERO32
from ledger.entry.envelope import event_hash
from ledger.entry.envelope import parse_entry
from ledger.entry.envelope import parse_event
from ledger.entry.verify import key_id
from ledger.entry.verify import verify_signature
from ledger.errors import FormatError
from ledger.errors import InputError
from ledger.errors import UnverifiableError
from ledger.errors import VerificationError
from ledger.events.identity import Genesis
from ledger.events.registry import parse_body
from ledger.events.types import UNSET
from ledger.reader import Reader
from ledger.reader import open_source
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.merkle import leaf_hash
from ledger.tlog.note import Vkey
from ledger.tlog.policy import Policy
from ledger.tlog.policy import verify_proof_by_policy
from ledger.tlog.proof import parse_proof
from ledger.tlog.proof import verify_proof
from ledger.tlog.tiles import TILE_WIDTH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.log import Appended
    from ledger.remote.memory import Remembered

Trust = Vkey | Policy
"""By what checkpoints are believed: a log's key, or a policy."""

Said = tuple[bytes, "Appended"]
"""An event, and what the log answered."""

START = 0, ZERO32
"""Where a chain begins."""

CHAIN_SECONDS = 5.0
PUBLISHED_SECONDS = 30.0
"""An honest log publishes what it took in within seconds."""
PUBLISHED_PAUSE_SECONDS = 0.5


class Seen(NamedTuple):
    """Where a log stands, by its own checkpoint.

    Attributes:
        log: its id.
        checkpoint: the newest.
        newest: index and leaf hash of the newest entry, for `seen`.
        trust: by what it is believed: other keys, if the log has changed its own.
        followed: whether it has.
    """

    log: bytes
    checkpoint: Checkpoint
    newest: tuple[int, bytes]
    trust: Trust
    followed: bool


def verified_seen(
    url: str, trust: Trust, log: bytes, genesis: int, before: Remembered | None
) -> Seen:
    """Find the newest entry that the log's own checkpoint vouches for.

    Args:
        url: prefix at which the log is served.
        trust: by what checkpoints are believed.
        log: id that the log has to have.
        genesis: index of its genesis, as it says.
        before: what was verified before, which it has to continue; or to succeed.

    Raises:
        InputError: `log-empty`.
        UnverifiableError: `not-found`, `no-network`.
        VerificationError: as `Reader`; `log-changed`.
    """
    with _reader(url, trust) as reader:
        checkpoint = reader.checkpoint()
        if checkpoint.size == 0:
            raise InputError("log-empty", "this log has published no entry yet")
        begin = _genesis(reader, genesis)
        if begin is None or event_hash(reader.entry(genesis).event) != log:
            raise VerificationError(
                "log-changed", f"what is published at {url} is not log {log.hex()}"
            )
        if before is not None and before.log != log:
            _check_succeeds(begin, log, before)
        _check_continues(reader, before)
        newest = checkpoint.size - 1
        seen = newest, leaf_hash(reader.leaf(newest))
        found = reader.trust
        # Of keys that all sign, the newest is the last to be retired.
        by = found if isinstance(found, Policy) else found[-1]
        return Seen(log, checkpoint, seen, by, reader.followed)


def _genesis(reader: Reader, index: int) -> Genesis | None:
    """Read the genesis by which the published log begins; None if there is none.

    A successor has its predecessor's as well, under another origin (format.md §7).
    """
    if index >= reader.latest.size:
        return None
    try:
        event = parse_event(reader.entry(index).event)
        body = parse_body(event.kind, event.body)
    except FormatError:
        return None
    if not isinstance(body, Genesis) or body.origin != reader.latest.origin:
        return None
    return body


def _check_succeeds(begin: Genesis, log: bytes, before: Remembered) -> None:
    """Let a key go on that signed for the log which this one succeeds."""
    old = begin.predecessor
    if old is UNSET or old.log != before.log:
        raise VerificationError(
            "log-changed",
            f"this is log {log.hex()}, and the key signed for {before.log.hex()}",
            hint="sign for another log with a key of its own",
        )
    if before.size > old.size:
        raise VerificationError(
            "log-changed",
            f"this log succeeds {before.log.hex()} with {old.size} of its entries, of"
            f" which {before.size} were seen here",
            hint="find out what was lost, and keep what shows it; then move the key's"
            " .chain file away, and sign what was lost again",
        )


class Chain(NamedTuple):
    """Where the chain of a key stands, as the log says.

    Attributes:
        public: the key.
        seq: of its next event.
        prev: event hash of its newest.
        genesis: index from which on its events on this log stand.
        newest: index of the entry of its newest; None if the log does not say.
    """

    public: bytes
    seq: int
    prev: bytes
    genesis: int
    newest: int | None


def is_proven(url: str, trust: Trust, before: Remembered, chain: Chain) -> bool:
    """Verify where the chain of a key stands, by its newest event on the log.

    Args:
        url: prefix at which the log is served.
        trust: by what checkpoints are believed.
        before: what was verified before, which it has to continue.
        chain: as the log says.

    Returns:
        Whether it stands there; not so while no checkpoint covers that event.

    Raises:
        UnverifiableError: as `Reader`.
        VerificationError: `chain-contradicted`, `bad-signature`; as `Reader`.
    """
    if (chain.seq, chain.prev) == START:
        return True
    index = chain.newest
    if index is None:
        return False
    with _reader(url, trust) as reader:
        if not _waited_for(reader, index, CHAIN_SECONDS):
            return False
        _check_continues(reader, before)
        entry = reader.entry(index)
        event = parse_event(entry.event)
        says = event.key, event.seq + 1, event_hash(entry.event)
        told = key_id(chain.public), chain.seq, chain.prev
        if index < chain.genesis or says != told:
            raise VerificationError(
                "chain-contradicted",
                f"the log says that the key's newest event is number {chain.seq - 1},"
                f" as entry {index}, which says otherwise",
                hint="nothing was signed: find out who answers at that address",
            )
        verify_signature(entry.event, entry.signature, chain.public)
    return True


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
    if proof.index != answer.index or not _is_of(leaf, event, answer):
        raise VerificationError(
            "wrong-receipt",
            f"the receipt is not of the event that became entry {answer.index}",
            hint="keep it: with the log's signature it shows what the log said",
        )


def check_standing(
    url: str, trust: Trust, before: Remembered | None, said: Sequence[Said]
) -> None:
    """Verify that events stand where the log says that they stood already.

    What was stored now moves the key's chain, which the log is held to; of what it only
    says that it had nothing would ever tell. So the entries are read.

    Args:
        url: prefix at which the log is served.
        trust: by what checkpoints are believed.
        before: what was verified before, which it has to continue.
        said: the events, and what the log answered.

    Raises:
        UnverifiableError: `not-published`: no checkpoint covers them, even after a
            while; as `Reader`.
        VerificationError: `wrong-entry`; as `Reader`.
    """
    newest = max(answer.index for _, answer in said)
    with _reader(url, trust) as reader:
        if not _waited_for(reader, newest, PUBLISHED_SECONDS):
            raise UnverifiableError(
                "not-published",
                "the log says that an event stands there already, as entry"
                f" {newest}, and shows {reader.latest.size} entries",
                hint="append the same again later: nothing is proven yet",
            )
        _check_continues(reader, before)
        said = sorted(said, key=lambda each: each[1].index)
        for _, group in groupby(said, key=lambda each: each[1].index // TILE_WIDTH):
            bundle = list(group)
            first, last = bundle[0][1].index, bundle[-1][1].index
            leaves = list(reader.leaves(first, last + 1))
            for event, answer in bundle:
                if not _is_of(leaves[answer.index - first], event, answer):
                    raise VerificationError(
                        "wrong-entry",
                        f"the log says that an event stands there already, as entry"
                        f" {answer.index}, which says something else",
                        hint="it was not appended: find out who answers at that"
                        " address",
                    )


def _waited_for(reader: Reader, index: int, seconds: float) -> bool:
    """Wait until a checkpoint covers an entry; tell whether one does."""
    deadline = time.monotonic() + seconds
    while reader.checkpoint().size <= index:
        if time.monotonic() > deadline:
            return False
        time.sleep(PUBLISHED_PAUSE_SECONDS)
    return True


def _is_of(leaf: bytes, event: bytes, answer: Appended) -> bool:
    """Tell whether an entry is what an event became, or what it repeats.

    Signed anew an event has another place in its key's chain, and says the same
    (format.md §2).
    """
    entry = parse_entry(leaf)
    placed = (entry.index, leaf_hash(leaf)) == (answer.index, answer.leaf_hash)
    again = answer.repeated and _says(entry.event) == _says(event)
    return placed and (entry.event == event or again)


def _says(event: bytes) -> tuple[bytes, bytes, str, bytes]:
    parsed = parse_event(event)
    return parsed.author, parsed.id, parsed.kind, parsed.body


def _reader(url: str, trust: Trust) -> Reader:
    return Reader(open_source(url), trust if isinstance(trust, Policy) else [trust])


def _check_continues(reader: Reader, before: Remembered | None) -> None:
    if before is not None and before.size:
        origin = reader.latest.origin
        reader.consistency(Checkpoint(origin, before.size, before.root))
