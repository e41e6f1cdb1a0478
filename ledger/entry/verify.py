r"""Verification of signatures, keys, and chunks of a log (format.md §2, §4).

    signature   Ed25519(key, "linernote/event/v1\n" ‖ event)
    key id      H(01 ‖ public key)
    key proof   Ed25519(new key, "linernote/key/v1\n" ‖
                        cm {log, party, public, purpose})
    of a log key  Ed25519(new key, "linernote/log-key/v1\n" ‖ cm {log, public})

A chunk is any run of neighbouring entries. ``verify_chunk`` is pure, and what it
returns is small, so that worker processes can verify chunks at once while their
parent checks with ``check_joint`` that each chunk follows the one before.

Nothing here asks whether a key was in force at an index, or whose it is: that takes
the state of the log, and is for replay.

>>> key = SigningKey(bytes(32))
>>> key_id(key.public).hex()[:16]
'4654a09c3796d409'
>>> proof = prove_key(key, log=bytes(32), party=bytes(16), purpose="sign")
>>> verify_key_proof(key.public, proof, bytes(32), bytes(16), "sign")
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from hashlib import sha256

import msgspec

from ledger.entry import canonical
from ledger.entry.envelope import EVENT_TAG
from ledger.entry.envelope import ZERO32
from ledger.entry.envelope import Entry
from ledger.entry.envelope import parse_entry
from ledger.entry.envelope import parse_event
from ledger.errors import FormatError
from ledger.errors import InputError
from ledger.errors import LedgerError
from ledger.errors import VerificationError
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.ed25519 import verify
from ledger.tlog.merkle import HASH_LENGTH
from ledger.tlog.merkle import leaf_hash

KEY_TAG = b"linernote/key/v1\n"
LOG_KEY_TAG = b"linernote/log-key/v1\n"
SUCCESSION_TAG = b"linernote/succession/v1\n"
KEY_PURPOSES = ("root", "sign")

_KEY_ID_TYPE = b"\x01"


class VerifiedChunk(msgspec.Struct, frozen=True):
    """What is left of a chunk when its bytes, chain and signatures hold.

    Attributes:
        first_index: index of its first entry.
        first_previous: what its first entry claims to follow, a leaf hash.
        first_time: when the log took in its first entry, ms.
        last_time: when the log took in its last entry, ms.
        leaf_hashes: joined, 32 bytes for each entry.
        unknown_keys: indices of the entries whose signatures were NOT verified,
            because their key ids are not in the mapping that was given.
    """

    first_index: int
    first_previous: bytes
    first_time: int
    last_time: int
    leaf_hashes: bytes
    unknown_keys: tuple[int, ...]

    @property
    def size(self) -> int:
        """Number of entries."""
        return len(self.leaf_hashes) // HASH_LENGTH

    @property
    def signatures(self) -> int:
        """Number of signatures that hold."""
        return self.size - len(self.unknown_keys)

    @property
    def last_leaf_hash(self) -> bytes:
        """What the entry after this chunk has to follow."""
        return self.leaf_hashes[-HASH_LENGTH:]


def key_id(public: bytes) -> bytes:
    """Compute the 32-byte id of a public key; the type byte 01 means Ed25519."""
    return sha256(_KEY_ID_TYPE + public).digest()


def verify_signature(event: bytes, signature: bytes, public: bytes) -> None:
    """Verify the signature of an event's bytes.

    Raises:
        VerificationError: ``bad-signature`` or ``bad-public-key``.
    """
    verify(public, EVENT_TAG + event, signature)


def key_proof_message(log: bytes, party: bytes, public: bytes, purpose: str) -> bytes:
    """Give the bytes by whose signature a new key proves that its owner holds it.

    Raises:
        InputError: ``bad-purpose``.
    """
    if purpose not in KEY_PURPOSES:
        raise InputError(
            "bad-purpose", f"a key is for {' or '.join(KEY_PURPOSES)}, not {purpose!a}"
        )
    return KEY_TAG + canonical.encode(
        {"log": log, "party": party, "public": public, "purpose": purpose}
    )


def prove_key(key: SigningKey, *, log: bytes, party: bytes, purpose: str) -> bytes:
    """Prove possession of a key to a log: 64 bytes."""
    return key.sign(key_proof_message(log, party, key.public, purpose))


def verify_key_proof(
    public: bytes, proof: bytes, log: bytes, party: bytes, purpose: str
) -> None:
    """Verify that who registers a key holds it, for this log, party and purpose.

    Raises:
        InputError: ``bad-purpose``.
        VerificationError: ``bad-key-proof`` or ``bad-public-key``.
    """
    _verify_proof(public, key_proof_message(log, party, public, purpose), proof)


def log_key_proof_message(log: bytes, public: bytes) -> bytes:
    """Give the bytes by whose signature a new log key proves that it is held."""
    return LOG_KEY_TAG + canonical.encode({"log": log, "public": public})


def prove_log_key(key: SigningKey, log: bytes) -> bytes:
    """Prove possession of a key that is to sign a log's checkpoints: 64 bytes."""
    return key.sign(log_key_proof_message(log, key.public))


def verify_log_key_proof(public: bytes, proof: bytes, log: bytes) -> None:
    """Verify that who adds a log key holds it, for this log.

    Raises:
        VerificationError: ``bad-key-proof`` or ``bad-public-key``.
    """
    _verify_proof(public, log_key_proof_message(log, public), proof)


def succession_message(
    operator: bytes, origin: str, predecessor: Mapping[str, canonical.Value]
) -> bytes:
    """Give the bytes by whose signature an operator lets a log be succeeded.

    Args:
        operator: party id.
        origin: of the log that succeeds.
        predecessor: log, origin, root and size of the one that is succeeded.
    """
    return SUCCESSION_TAG + canonical.encode(
        {"operator": operator, "origin": origin, "predecessor": dict(predecessor)}
    )


def _verify_proof(public: bytes, message: bytes, proof: bytes) -> None:
    try:
        verify(public, message, proof)
    except VerificationError as error:
        if error.code != "bad-signature":
            raise
        raise VerificationError(
            "bad-key-proof",
            f"the proof of key {public.hex()[:16]}… does not hold",
            hint="it is made with the new key, for one log and one use",
        ) from None


def verify_chunk(
    first_index: int, leaves: Sequence[bytes], public_keys: Mapping[bytes, bytes]
) -> VerifiedChunk:
    """Verify neighbouring entries: bytes, places, chain, times and signatures.

    Keys may be registered inside the very chunk that uses them. The caller can find
    those by a look at the kinds beforehand, or verify what comes back in
    ``unknown_keys`` with ``verify_signature`` afterwards; it must do one of both.

    Args:
        first_index: of the first leaf; the caller's, never taken from the bytes.
        leaves: leaf data, at least one.
        public_keys: key id to public key, for every key registered up to the end of
            the chunk. Whether it was in force is for replay.

    Raises:
        InputError: ``empty-chunk``.
        VerificationError: for the first entry that fails, its index first in the
            message: ``wrong-index``, ``broken-chain``, ``time-backwards``,
            ``bad-signature``, ``bad-public-key``, or a code of ``parse_entry`` or
            ``parse_event``.
    """
    if not leaves:
        raise InputError("empty-chunk", f"no leaves from index {first_index} on")
    first = _first_entry(first_index, leaves[0])
    signed: list[tuple[Entry, bytes]] = []
    hashes: list[bytes] = []
    failure = None
    previous, time = first.previous, first.time
    # Parsing and curve arithmetic push each other's code out of the processor's
    # cache: one after the other, they take less time than in turns.
    for index, leaf in enumerate(leaves, first_index):
        try:
            entry = parse_entry(leaf)
            _check_place(entry, index, previous, time)
            signed.append((entry, parse_event(entry.event).key))
        except (FormatError, VerificationError) as error:
            failure = _at(index, error)
            break
        previous, time = leaf_hash(leaf), entry.time
        hashes.append(previous)
    unknown_keys = _verify_signatures(first_index, signed, public_keys)
    if failure is not None:
        raise failure
    return VerifiedChunk(
        first_index=first_index,
        first_previous=first.previous,
        first_time=first.time,
        last_time=time,
        leaf_hashes=b"".join(hashes),
        unknown_keys=unknown_keys,
    )


def check_joint(earlier: VerifiedChunk, later: VerifiedChunk) -> None:
    """Check that one chunk follows another directly.

    Raises:
        VerificationError: ``wrong-index``, ``broken-chain``, ``time-backwards``.
    """
    index = later.first_index
    try:
        _check_index(index, earlier.first_index + earlier.size)
        _check_previous(later.first_previous, earlier.last_leaf_hash)
        _check_time(later.first_time, earlier.last_time)
    except VerificationError as error:
        raise _at(index, error) from None


def _first_entry(index: int, leaf: bytes) -> Entry:
    """Parse the first entry of a chunk; only at index 0 it is known what it follows."""
    try:
        entry = parse_entry(leaf)
        _check_index(entry.index, index)
        if index == 0:
            _check_previous(entry.previous, ZERO32)
    except (FormatError, VerificationError) as error:
        raise _at(index, error) from None
    return entry


def _verify_signatures(
    first_index: int,
    signed: Sequence[tuple[Entry, bytes]],
    public_keys: Mapping[bytes, bytes],
) -> tuple[int, ...]:
    """Verify events, each with its key id; give the indices of unknown keys."""
    unknown_keys = []
    for index, (entry, key) in enumerate(signed, first_index):
        public = public_keys.get(key)
        if public is None:
            unknown_keys.append(index)
            continue
        try:
            verify_signature(entry.event, entry.signature, public)
        except VerificationError as error:
            raise _at(index, error) from None
    return tuple(unknown_keys)


def _check_place(entry: Entry, index: int, previous: bytes, time: int) -> None:
    _check_index(entry.index, index)
    _check_previous(entry.previous, previous)
    _check_time(entry.time, time)


def _check_index(index: int, expected: int) -> None:
    if index != expected:
        raise VerificationError(
            "wrong-index",
            f"index {index} where {expected} should be",
            hint="entries are missing, doubled or in disorder",
        )


def _check_previous(previous: bytes, expected: bytes) -> None:
    if previous != expected:
        raise VerificationError(
            "broken-chain",
            f"follows {previous.hex()[:16]}… instead of {expected.hex()[:16]}…",
            hint="the entry before it was changed, or it belongs to another log",
        )


def _check_time(time: int, earliest: int) -> None:
    if time < earliest:
        raise VerificationError(
            "time-backwards", f"time {time} ms, after {earliest} ms before it"
        )


def _at(index: int, error: LedgerError) -> VerificationError:
    """Name the entry; in a log, bytes out of form are a failed verification too."""
    return VerificationError(
        error.code, f"entry {index}: {error.message}", hint=error.hint
    )
