"""Who knows an old key of a log is led to those in force, by what that key signed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ledger.errors import VerificationError
from ledger.reader import Reader
from ledger.reader.handover import Known
from ledger.replay.log_keys import vkeys_at
from ledger.tlog.checkpoint import sign_checkpoint
from ledger.tlog.cosignature import COSIGNATURE_TYPE
from ledger.tlog.cosignature import cosign
from ledger.tlog.cosignature import merge_signatures
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.note import format_vkey
from ledger.tlog.note import make_vkey
from ledger.tlog.note import parse_note
from ledger.tlog.policy import parse_policy
from tests.reader.rotated import LAST
from tests.reader.rotated import NEW
from tests.reader.rotated import OLD
from tests.reader.rotated import THIEF
from tests.reader.rotated import Rotated
from tests.reader.rotated import claim
from tests.reader.rotated import followed
from tests.reader.rotated import leaves_in
from tests.reader.rotated import refusal
from tests.reader.rotated import rotated
from tests.reader.rotated import serve
from tests.reader.shelf import Shelf
from tests.reader.shelf import checkpoint_of
from tests.replay import acts
from tests.replay import rotation
from tests.replay import succession
from tests.replay.making import signing_key
from tests.replay.rotation import FIRST
from tests.replay.rotation import SECOND
from tests.replay.rotation import THIRD


@pytest.fixture
def moments() -> Rotated:
    return rotated()


def test_the_old_key_leads_to_the_new_one(moments: Rotated) -> None:
    """Before, during and after a rotation, whoever knows the first key reads on."""
    assert followed(serve(moments.before), [OLD]) == [OLD]
    assert followed(serve(moments.both), [OLD]) == [OLD]
    assert followed(serve(moments.after), [OLD]) == [NEW]
    assert followed(serve(moments.after), [NEW]) == [NEW]


def test_several_rotations_are_followed(moments: Rotated) -> None:
    """From any key that there was, to all that sign now, also in the middle of one."""
    world = moments.after.copy()
    rotation.add(world, THIRD)
    assert followed(serve(world), [OLD]) == [NEW, LAST]
    rotation.retire(world, SECOND)
    for known in (OLD, NEW, LAST):
        assert followed(serve(world), [known]) == [LAST]
    assert followed(serve(world), [OLD, NEW]) == [LAST]


def test_the_keys_are_those_of_a_replay(moments: Rotated) -> None:
    """Judging the root keys' entries alone gives what judging all entries gives."""
    world = moments.after.copy()
    rotation.add(world, THIRD)
    root = signing_key("another root")
    world.add_key(world.operator, root, "root")
    world.revoke(world.operator, world.operator.root)
    body = rotation.retired(world, SECOND)
    world.say(world.operator, root, "log.key", body, {})
    with Reader(serve(world), [OLD]) as reader:
        reader.checkpoint()
        keys = reader._belief.keys
        assert keys is not None
        replayed = world.replayed("public")
        for size in range(1, world.log.size + 1):
            here = vkeys_at(replayed, size)
            assert keys.vkeys(size) == here


def test_a_successor_rotates_too(moments: Rotated) -> None:
    """Only keys of the log's own name lead on: those before signed for another."""
    world = moments.after.copy()
    succession.succeed(world)
    shelf, name = Shelf(leaves_in(world)), succession.NEXT
    text = sign_checkpoint(
        checkpoint_of(leaves_in(world), name), name, succession.KEY
    ).encode()
    shelf.files["checkpoint"] = text
    assert followed(shelf, [make_vkey(name, succession.KEY.public)])
    for before in (OLD, NEW):
        assert refusal(shelf, [before]).code == "not-signed"
        renamed = make_vkey(name, before.public)
        assert refusal(shelf, [renamed]).code == "not-signed"


# ── policies ─────────────────────────────────────────────────────────────────


def test_a_policy_is_followed_and_its_quorum_kept(moments: Rotated) -> None:
    """The log may change its key; the witnesses have to have cosigned all the same."""
    witness = SigningKey(b"w" * 32)
    vkey = make_vkey("w.example", witness.public, COSIGNATURE_TYPE)
    lines = f"log {format_vkey(OLD)}\nwitness w {format_vkey(vkey)}\nquorum w\n"
    policy, shelf = parse_policy(lines), serve(moments.after)
    assert refusal(shelf, policy).code == "policy-not-met"
    note = shelf.files["checkpoint"].decode()
    line = cosign(parse_note(note).text, "w.example", witness, 1_764_000_000)
    shelf.files["checkpoint"] = merge_signatures(note, [line]).encode()
    trust = followed(shelf, policy)
    assert [log.vkey for log in trust.logs] == [NEW]  # type: ignore[union-attr]
    cosigned = claim(leaves_in(moments.after), THIEF).files["checkpoint"].decode()
    shelf.files["checkpoint"] = merge_signatures(cosigned, [line]).encode()
    assert refusal(shelf, policy).code == "not-signed"


def test_a_policy_takes_all_keys_that_are_in_force(moments: Rotated) -> None:
    """Any of its logs is enough, but a log's keys speak together."""
    world = moments.after.copy()
    rotation.add(world, THIRD)
    policy = parse_policy(f"log {format_vkey(OLD)}\nquorum none\n")
    followed(serve(world), policy)
    for alone in (SECOND, THIRD):
        error = refusal(claim(leaves_in(world), alone), policy)
        assert error.code == "not-signed"


# ── what is remembered ───────────────────────────────────────────────────────


def hint_in(cache: Path) -> Path:
    (path,) = cache.glob("*/log-keys")
    return path


def test_what_was_found_is_not_looked_for_again(
    moments: Rotated, tmp_path: Path
) -> None:
    """The next run reads the few entries that led there, and those since not at all."""
    world = moments.after.copy()
    for _ in range(600):
        world.society.say("scheme", acts.scheme_body())
    shelf = serve(world)
    assert followed(shelf, [OLD], tmp_path) == [NEW]
    for _ in range(600):
        world.society.say("scheme", acts.scheme_body())
    shelf.files.update(serve(world).files)
    shelf.asked.clear()
    with Reader(shelf, [OLD], tmp_path) as reader:
        assert reader.checkpoint().size == world.log.size
    bundles = [path for path in shelf.asked if "entries" in path]
    assert len(bundles) <= 1, "the entries that led there lie in one bundle"


@pytest.mark.parametrize(
    "hint", [b"", b"{}", b"[9,[0,1]]", b"[20,[0]]", b"[999999,[0]]", b"[20,[1,0]]"]
)
def test_a_wrong_memory_costs_time_only(
    hint: bytes, moments: Rotated, tmp_path: Path
) -> None:
    """Where it leads nowhere, everything is looked at again, and it is mended."""
    shelf = serve(moments.after)
    followed(shelf, [OLD], tmp_path)
    good = hint_in(tmp_path).read_bytes()
    hint_in(tmp_path).write_bytes(hint)
    assert followed(shelf, [OLD], tmp_path) == [NEW]
    rotation_later = moments.after.copy()
    rotation.add(rotation_later, THIRD)
    rotation.retire(rotation_later, SECOND)
    assert followed(serve(rotation_later), [OLD], tmp_path) == [LAST]
    assert Known.recall(hint_in(tmp_path)) is not None
    assert hint_in(tmp_path).read_bytes() != good


def test_nothing_of_a_claim_is_kept(moments: Rotated, tmp_path: Path) -> None:
    """A cache holds files of logs that were believed."""
    refusal(claim(leaves_in(moments.after), THIEF), [OLD], tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_cache_serves_whoever_knows_another_key(
    moments: Rotated, tmp_path: Path
) -> None:
    """It remembers entries and not whom to believe: that is said anew each time."""
    shelf = serve(moments.after)
    followed(shelf, [OLD], tmp_path)
    with Reader(shelf, [NEW], tmp_path) as reader:
        reader.checkpoint()
        assert (reader.trust, reader.followed) == ([NEW], False)
    with Reader(shelf, [OLD], tmp_path) as reader:
        reader.checkpoint()
        assert (reader.trust, reader.followed) == ([NEW], True)
    stranger = make_vkey(OLD.name, signing_key("stranger").public)
    assert refusal(shelf, [stranger], tmp_path).code == "not-signed"


def test_a_fork_is_still_a_fork(moments: Rotated, tmp_path: Path) -> None:
    """After a handover as before it, a log only grows."""
    shelf = serve(moments.after)
    followed(shelf, [OLD], tmp_path)
    fork = moments.both.copy()
    rotation.retire(fork)
    fork.rival.say("scheme", acts.scheme_body())
    fork.rival.say("scheme", acts.scheme_body())
    assert refusal(serve(fork), [OLD], tmp_path).code == "fork"
    assert refusal(serve(moments.both), [OLD], tmp_path).code == "rolled-back"


# ── proofs ───────────────────────────────────────────────────────────────────


def test_proofs_of_every_size_are_verified_with_the_log(moments: Rotated) -> None:
    """Each by the keys in force at its size, and as part of what the log shows now."""
    proofs = []
    for world in moments:
        with Reader(serve(world), [OLD]) as reader:
            proofs.append(reader.prove(3))
    with Reader(serve(moments.after), [OLD]) as reader:
        reader.checkpoint()
        for proof in proofs:
            assert proof.extra is not None
            assert reader.verify(proof, proof.extra).log in {OLD, NEW}
        proof = proofs[1]
        alone = claim(leaves_in(moments.both), FIRST).files["checkpoint"].decode()
        with pytest.raises(VerificationError) as caught:
            reader.verify(replace(proof, checkpoint=alone), proof.extra or b"")
        assert caught.value.code == "not-signed"
