"""Chunks of a log, signatures and key proofs: everything tampered with is found."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from hashlib import sha256
from itertools import pairwise

import msgspec
import pytest

from ledger.entry import canonical
from ledger.entry.envelope import ENTRY_TAG
from ledger.entry.envelope import EVENT_TAG
from ledger.entry.envelope import ZERO32
from ledger.entry.envelope import Entry
from ledger.entry.envelope import encode_entry
from ledger.entry.envelope import encode_event
from ledger.entry.envelope import parse_entry
from ledger.entry.envelope import parse_event
from ledger.entry.verify import VerifiedChunk
from ledger.entry.verify import check_joint
from ledger.entry.verify import key_id
from ledger.entry.verify import key_proof_message
from ledger.entry.verify import prove_key
from ledger.entry.verify import verify_chunk
from ledger.entry.verify import verify_key_proof
from ledger.entry.verify import verify_signature
from ledger.errors import InputError
from ledger.errors import VerificationError
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.merkle import leaf_hash
from tests.entry import make
from tests.entry.make import KEYS
from tests.entry.make import PUBLIC_KEYS
from tests.entry.make import TIME
from tests.entry.make import make_log

SIZE = 12
LOG = make_log(SIZE)
OTHER_LOG = make_log(SIZE, times=[TIME + 7 * index for index in range(SIZE)])
Tamper = Callable[[list[bytes], int], list[bytes]]


def test_a_valid_log_verifies_in_chunks_of_any_size() -> None:
    """Chunks say what they hold, follow one another, and join to the whole."""
    whole = verify_chunk(0, LOG, PUBLIC_KEYS)
    assert whole.size == whole.signatures == SIZE
    assert whole.leaf_hashes == b"".join(map(leaf_hash, LOG))
    assert (whole.first_time, whole.last_time) == (TIME, TIME + SIZE - 1)
    assert (whole.first_previous, whole.unknown_keys) == (ZERO32, ())
    for width in range(1, SIZE):
        chunks = [
            verify_chunk(start, LOG[start : start + width], PUBLIC_KEYS)
            for start in range(0, SIZE, width)
        ]
        for earlier, later in pairwise(chunks):
            check_joint(earlier, later)
        assert b"".join(chunk.leaf_hashes for chunk in chunks) == whole.leaf_hashes
        assert chunks[-1].last_leaf_hash == leaf_hash(LOG[-1])


def _at(leaf: bytes, index: int) -> bytes:
    """The same entry, put elsewhere by somebody who has no key."""
    return encode_entry(msgspec.structs.replace(parse_entry(leaf), index=index))


def _relink(leaf: bytes, leaves: list[bytes], index: int) -> bytes:
    """The same entry, put after the one at index - 1 by who holds no author's key."""
    previous = leaf_hash(leaves[index - 1]) if index else ZERO32
    entry = parse_entry(_at(leaf, index))
    return encode_entry(msgspec.structs.replace(entry, previous=previous))


def delete(log: list[bytes], at: int) -> list[bytes]:
    return log[:at] + log[at + 1 :]


def insert(log: list[bytes], at: int) -> list[bytes]:
    return [*log[:at], OTHER_LOG[at], *log[at:]]


def duplicate(log: list[bytes], at: int) -> list[bytes]:
    return [*log[: at + 1], log[at], *log[at + 1 :]]


def swap(log: list[bytes], at: int) -> list[bytes]:
    other = (at + 1) % SIZE
    swapped = list(log)
    swapped[at], swapped[other] = log[other], log[at]
    return swapped


def swap_renumbered(log: list[bytes], at: int) -> list[bytes]:
    other = (at + 1) % SIZE
    swapped = list(log)
    swapped[at], swapped[other] = _at(log[other], at), _at(log[at], other)
    return swapped


def substitute(log: list[bytes], at: int) -> list[bytes]:
    changed = list(log)
    changed[at] = OTHER_LOG[at] if at else OTHER_LOG[1]
    return changed


def move_on_index(log: list[bytes], at: int) -> list[bytes]:
    changed = list(log)
    changed[at] = _at(log[at], at + 1)
    return changed


def backdate(log: list[bytes], at: int) -> list[bytes]:
    changed = list(log)
    entry = parse_entry(log[at])
    time = TIME - 1 if at else TIME + SIZE
    changed[at] = encode_entry(msgspec.structs.replace(entry, time=time))
    return changed


def change_body(log: list[bytes], at: int) -> list[bytes]:
    changed = list(log)
    entry = parse_entry(log[at])
    event = parse_event(entry.event)
    body = msgspec.Raw(canonical.encode({**make.BODY, "amount": 10**9}))
    other = encode_event(msgspec.structs.replace(event, body=body))
    changed[at] = encode_entry(msgspec.structs.replace(entry, event=other))
    return changed


def sign_with_another_key(log: list[bytes], at: int) -> list[bytes]:
    changed = list(log)
    entry = parse_entry(log[at])
    signature = KEYS[(at + 1) % 3].sign(EVENT_TAG + entry.event)
    changed[at] = encode_entry(msgspec.structs.replace(entry, signature=signature))
    return changed


def sign_without_the_tag(log: list[bytes], at: int) -> list[bytes]:
    changed = list(log)
    entry = parse_entry(log[at])
    signature = KEYS[at % 3].sign(entry.event)
    changed[at] = encode_entry(msgspec.structs.replace(entry, signature=signature))
    return changed


def break_the_bytes(log: list[bytes], at: int) -> list[bytes]:
    changed = list(log)
    changed[at] = log[at] + b"\x00"
    return changed


def rewrite_from_here(log: list[bytes], at: int) -> list[bytes]:
    """An operator's rewriting: all links mended, one event of an author altered."""
    changed = change_body(log, at)
    for index in range(at + 1, SIZE):
        changed[index] = _relink(changed[index], changed, index)
    return changed


TAMPERS: dict[Tamper, set[str]] = {
    delete: {"wrong-index", "broken-chain"},
    insert: {"wrong-index", "broken-chain"},
    duplicate: {"wrong-index"},
    swap: {"wrong-index"},
    swap_renumbered: {"broken-chain"},
    substitute: {"broken-chain", "wrong-index"},
    move_on_index: {"wrong-index"},
    backdate: {"time-backwards", "broken-chain"},
    change_body: {"bad-signature"},
    sign_with_another_key: {"bad-signature"},
    sign_without_the_tag: {"bad-signature"},
    break_the_bytes: {"not-canonical"},
    rewrite_from_here: {"bad-signature"},
}


@pytest.mark.parametrize("tamper", TAMPERS, ids=lambda tamper: tamper.__name__)
def test_tampering_is_found_at_every_position(tamper: Tamper) -> None:
    """Each way to tamper, everywhere: refused, by its code, naming the entry."""
    for at in range(SIZE):
        tampered = tamper(list(LOG), at)
        if tampered == LOG[: len(tampered)]:
            continue  # the last entry deleted: for the checkpoint to find
        with pytest.raises(VerificationError) as caught:
            verify_chunk(0, tampered, PUBLIC_KEYS)
        assert caught.value.code in TAMPERS[tamper], at
        named = int(str(caught.value).split(":")[0].removeprefix("entry "))
        assert at - 1 <= named <= at + 1 or tamper in {swap, swap_renumbered}


def test_the_index_is_the_callers() -> None:
    """A chunk that claims another place than the caller gave is refused."""
    for start in (0, 3, 5):
        with pytest.raises(VerificationError, match=f"entry {start}: index 4"):
            verify_chunk(start, LOG[4:], PUBLIC_KEYS)


def test_the_first_entry_follows_nothing() -> None:
    """Index 0 has 32 zero bytes before it; a later chunk says what it follows."""
    first = _relink(LOG[0], [b"something"], 1)
    with pytest.raises(VerificationError) as caught:
        verify_chunk(0, [_at(first, 0)], PUBLIC_KEYS)
    assert caught.value.code == "broken-chain"
    assert verify_chunk(4, LOG[4:], PUBLIC_KEYS).first_previous == leaf_hash(LOG[3])


def test_equal_times_are_no_step_back() -> None:
    """Two entries of one millisecond are in order, by index."""
    log = make_log(3, times=[TIME, TIME, TIME])
    assert verify_chunk(0, log, PUBLIC_KEYS).last_time == TIME


def test_unknown_keys_are_handed_back() -> None:
    """Entries under keys that the caller did not give come back unverified, named."""
    known = {key_id(KEYS[0].public): KEYS[0].public}
    chunk = verify_chunk(0, LOG, known)
    assert chunk.unknown_keys == tuple(at for at in range(SIZE) if at % 3)
    assert chunk.signatures == SIZE // 3
    shifted = verify_chunk(6, LOG[6:], {})
    assert shifted.unknown_keys == tuple(range(6, SIZE))
    assert shifted.signatures == 0


def test_an_unknown_key_hides_no_other_failure() -> None:
    """Bytes and chain of an entry are checked whether or not its key is known."""
    for tamper in (delete, swap_renumbered, break_the_bytes):
        with pytest.raises(VerificationError):
            verify_chunk(0, tamper(list(LOG), 4), {})


def test_a_bad_public_key_is_found_where_it_is_used() -> None:
    """A registered key outside the prime-order subgroup verifies nothing."""
    keys = {**PUBLIC_KEYS, key_id(KEYS[1].public): b"\x01" + bytes(31)}
    with pytest.raises(VerificationError, match="entry 1: ") as caught:
        verify_chunk(0, LOG, keys)
    assert caught.value.code == "bad-public-key"


def test_a_chunk_of_no_leaves_is_no_chunk() -> None:
    """There is nothing to say about no entries."""
    with pytest.raises(InputError) as caught:
        verify_chunk(0, [], PUBLIC_KEYS)
    assert caught.value.code == "empty-chunk"


def test_chunks_that_do_not_follow_are_refused() -> None:
    """Index, leaf hash and time have to go on where the chunk before ended."""
    first = verify_chunk(0, LOG[:6], PUBLIC_KEYS)
    second = verify_chunk(6, LOG[6:], PUBLIC_KEYS)
    check_joint(first, second)
    cases = {
        "wrong-index": msgspec.structs.replace(second, first_index=7),
        "broken-chain": msgspec.structs.replace(second, first_previous=ZERO32),
        "time-backwards": msgspec.structs.replace(second, first_time=TIME + 4),
    }
    for code, later in cases.items():
        with pytest.raises(VerificationError) as caught:
            check_joint(first, later)
        assert caught.value.code == code
        assert str(caught.value).startswith(f"entry {later.first_index}: ")
    check_joint(first, msgspec.structs.replace(second, first_time=first.last_time))


def test_what_workers_send_back_is_small() -> None:
    """A result pickles to little more than its hashes, and so do its errors."""
    chunk = verify_chunk(0, LOG, PUBLIC_KEYS)
    packed = pickle.dumps(chunk)
    assert len(packed) < 32 * SIZE + 300
    unpacked = pickle.loads(packed)
    assert isinstance(unpacked, VerifiedChunk)
    assert unpacked == chunk
    with pytest.raises(VerificationError) as caught:
        verify_chunk(0, change_body(list(LOG), 5), PUBLIC_KEYS)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.code, str(again)) == ("bad-signature", str(caught.value))


def test_every_flipped_bit_of_an_entry_is_found() -> None:
    """No bit of an entry can change unnoticed, if the entry after it is known."""
    pair = LOG[4:6]
    for bit in range(8 * len(pair[0])):
        flipped = bytearray(pair[0])
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(VerificationError):
            verify_chunk(4, [bytes(flipped), pair[1]], PUBLIC_KEYS)


def test_a_signature_is_over_the_tag_and_the_event() -> None:
    """What is signed starts with the tag of events: nothing else passes for one."""
    event = encode_event(make.event())
    verify_signature(event, KEYS[0].sign(EVENT_TAG + event), KEYS[0].public)
    for message in (event, ENTRY_TAG + event, EVENT_TAG + event + b"\x00"):
        with pytest.raises(VerificationError) as caught:
            verify_signature(event, KEYS[0].sign(message), KEYS[0].public)
        assert caught.value.code == "bad-signature"


def test_a_key_id_is_a_typed_hash() -> None:
    """The type byte 01 stands before the public key (format.md §4)."""
    public = KEYS[0].public
    assert key_id(public) == sha256(b"\x01" + public).digest()
    assert key_id(public) != key_id(KEYS[1].public)


PROOF = {"log": bytes([1] * 32), "party": bytes([2] * 16)}


def test_a_key_proof_is_these_bytes() -> None:
    """The signed message is a tag and the canonical map of four fields."""
    message = key_proof_message(PROOF["log"], PROOF["party"], bytes([3] * 32), "root")
    log, party, public = "01" * 32, "02" * 16, "03" * 32
    assert message == b"linernote/key/v1\n" + bytes.fromhex(
        f"84 a36c6f67 c420{log} a57061727479 c410{party}"
        f"a67075626c6963 c420{public} a7707572706f7365 a4726f6f74"
    )


def test_a_key_proof_holds_for_its_log_party_key_and_purpose_only() -> None:
    """Whatever is changed about it, a proof of possession is worth nothing."""
    key, other = KEYS[0], KEYS[1]
    proof = prove_key(key, **PROOF, purpose="sign")
    verify_key_proof(key.public, proof, **PROOF, purpose="sign")
    changed = [
        (key.public, proof, {**PROOF, "log": ZERO32}, "sign"),
        (key.public, proof, {**PROOF, "party": bytes(16)}, "sign"),
        (key.public, proof, PROOF, "root"),
        (other.public, proof, PROOF, "sign"),
        (key.public, prove_key(other, **PROOF, purpose="sign"), PROOF, "sign"),
        (key.public, proof[:-1], PROOF, "sign"),
        (key.public, bytes(64), PROOF, "sign"),
    ]
    for public, claimed, fields, purpose in changed:
        with pytest.raises(VerificationError) as caught:
            verify_key_proof(public, claimed, **fields, purpose=purpose)
        assert caught.value.code == "bad-key-proof"


def test_a_proof_under_a_bad_key_says_so() -> None:
    """A key that no honest software makes has a code of its own."""
    with pytest.raises(VerificationError) as caught:
        verify_key_proof(bytes(32), bytes(64), **PROOF, purpose="sign")
    assert caught.value.code == "bad-public-key"


def test_there_are_two_purposes() -> None:
    """Keys that sign events are root keys or sign keys, and nothing else."""
    for purpose in ("log", "", "Root"):
        with pytest.raises(InputError) as caught:
            prove_key(SigningKey(bytes(32)), **PROOF, purpose=purpose)
        assert caught.value.code == "bad-purpose"


def test_entries_of_a_log_are_what_they_look_like() -> None:
    """The log that these tests tamper with is itself made of plain entries."""
    assert [parse_entry(leaf).index for leaf in LOG] == list(range(SIZE))
    assert all(isinstance(parse_entry(leaf), Entry) for leaf in LOG)
    assert len(set(LOG) | set(OTHER_LOG)) == 2 * SIZE - 1
