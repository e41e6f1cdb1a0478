"""What nobody can make a reader believe that knows an old key of a log."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from ledger.entry.envelope import decode_entry
from ledger.entry.envelope import encode_entry
from ledger.errors import UnverifiableError
from ledger.errors import VerificationError
from ledger.events.identity import Level
from ledger.reader import Reader
from ledger.reader import handover
from ledger.tlog.note import make_vkey
from tests.reader.rotated import NEW
from tests.reader.rotated import OLD
from tests.reader.rotated import THIEF
from tests.reader.rotated import Rotated
from tests.reader.rotated import claim
from tests.reader.rotated import followed
from tests.reader.rotated import grow
from tests.reader.rotated import leaves_in
from tests.reader.rotated import refusal
from tests.reader.rotated import rotated
from tests.reader.rotated import serve
from tests.replay import acts
from tests.replay import rotation
from tests.replay.making import ORIGIN
from tests.replay.making import signing_key
from tests.replay.rotation import FIRST
from tests.replay.rotation import SECOND
from tests.replay.world import World


@pytest.fixture
def moments() -> Rotated:
    return rotated()


# ── what others could claim ──────────────────────────────────────────────────


def test_a_key_that_nobody_names_leads_nowhere(moments: Rotated) -> None:
    """A wrong verifier key is refused as ever, whatever the log holds."""
    stranger = make_vkey(ORIGIN, signing_key("stranger").public)
    for world in moments:
        assert refusal(serve(world), [stranger]).code == "not-signed"
        assert refusal(serve(world), [OLD, stranger]).code == "not-signed"


def test_a_checkpoint_by_none_of_the_keys_in_force_is_refused(
    moments: Rotated,
) -> None:
    """A claim over the true entries is nothing, by a thief's or by too few keys."""
    after, both = leaves_in(moments.after), leaves_in(moments.both)
    assert refusal(claim(after, THIEF), [OLD]).code == "not-signed"
    assert refusal(claim(both, SECOND), [OLD]).code == "not-signed"
    assert refusal(claim(both, THIEF), [OLD]).code == "not-signed"


def test_a_made_up_log_cannot_use_a_true_handover(moments: Rotated) -> None:
    """Other entries under a handover that the known key signed: its root differs."""
    true = rotation.checkpoint(moments.both)
    made_up = World(empty=True)
    made_up._found()
    made_up.society.say("scheme", acts.scheme_body())
    rotation.add(made_up)
    made_up.society.say("scheme", acts.scheme_body())
    assert made_up.log.size > moments.both.log.size
    rotation.retire(made_up, FIRST, true)
    error = refusal(serve(made_up), [OLD])
    assert error.code == "not-signed"
    assert "does not begin with" in error.message


def test_a_handover_by_other_keys_is_none(moments: Rotated) -> None:
    """Retiring takes a checkpoint by all keys in force, the known one among them."""
    for names in ((SECOND,), (SECOND, THIEF)):
        world = moments.both.copy()
        note = rotation.checkpoint(world, keys=[signing_key(name) for name in names])
        world.force(
            world.operator,
            "log.key",
            rotation.retired(world, FIRST, note),
            world.operator.root,
        )
        assert refusal(claim(leaves_in(world), SECOND), [OLD]).code == "not-signed"


@pytest.mark.parametrize("who", ["operator", "rival"])
def test_only_the_operators_root_key_retires(who: str, moments: Rotated) -> None:
    """The thief of the new key alone, while both are in force, gets no further."""
    world = moments.both.copy()
    actor = getattr(world, who)
    key = world.operator.sign if who == "operator" else world.rival.root
    problem = world.force(actor, "log.key", rotation.retired(world), key)
    assert problem is not None
    assert refusal(claim(leaves_in(world), SECOND), [OLD]).code == "not-signed"


def test_a_revoked_root_key_retires_nothing(moments: Rotated) -> None:
    """A root key that was stolen, and revoked since, ends no log key."""
    world = moments.both.copy()
    world.add_key(world.operator, signing_key("another root"), "root")
    world.revoke(world.operator, world.operator.root)
    root = world.operator.root
    assert world.force(world.operator, "log.key", rotation.retired(world), root)
    assert refusal(claim(leaves_in(world), SECOND), [OLD]).code == "not-signed"


def test_a_forged_entry_of_the_root_key_is_refused(moments: Rotated) -> None:
    """An entry that names the root key is one by it only if its signature holds."""
    leaves = leaves_in(moments.both)
    (genuine,) = leaves_in(moments.after)[len(leaves) : len(leaves) + 1]
    entry = decode_entry(genuine)
    forged = msgspec.structs.replace(entry, signature=bytes(64))
    shelf = claim([*leaves, encode_entry(forged)], SECOND)
    error = refusal(shelf, [OLD])
    assert error.code == "not-signed"
    assert "signature" in error.message


def test_a_thief_of_a_retired_key_moves_nobody_who_followed(
    moments: Rotated, tmp_path: Path
) -> None:
    """What it signs counts for those alone who know nothing newer."""
    true = serve(moments.after)
    assert followed(true, [OLD], tmp_path) == [NEW]
    longer = grow(leaves_in(moments.after), leaves_in(moments.after)[-1])
    for leaves in (leaves_in(moments.after), longer):
        error = refusal(claim(leaves, FIRST), [OLD], tmp_path)
        assert error.code == "not-signed"
    fork = moments.before.copy()
    for _ in range(9):
        fork.society.say("scheme", acts.scheme_body())
    error = refusal(claim(leaves_in(fork), FIRST), [OLD], tmp_path)
    assert error.code == "fork"
    assert followed(true, [OLD], tmp_path) == [NEW]


def test_a_reader_that_followed_goes_on_by_the_new_keys(moments: Rotated) -> None:
    """In the same run too: a retired key is not taken back."""
    shelf = serve(moments.after)
    with Reader(shelf, [OLD]) as reader:
        reader.checkpoint()
        longer = grow(leaves_in(moments.after), leaves_in(moments.after)[-1])
        shelf.files.update(claim(longer, FIRST).files)
        with pytest.raises(VerificationError) as caught:
            reader.checkpoint()
        assert caught.value.code == "not-signed"
        assert reader.latest.size == moments.after.log.size
        shelf.files.update(claim(longer, SECOND).files)
        assert reader.checkpoint().size == len(longer)


def test_entries_that_are_withheld_are_no_excuse(moments: Rotated) -> None:
    """A checkpoint by a stranger fails, though the files that explain it are missing;
    where the network fails it can't be told."""
    shelf = serve(moments.after)
    path = next(path for path in shelf.files if "entries" in path)
    del shelf.files[path]
    assert refusal(shelf, [OLD]).code == "not-signed"

    def down(asked: str) -> bytes | None:
        if asked == path:
            raise UnverifiableError("no-network", asked)
        return shelf.files.get(asked)

    shelf.answer = down
    assert refusal(shelf, [OLD]).code == "no-network"


def test_a_claim_without_end_is_not_read(
    moments: Rotated, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever signs nothing that is known cannot make a reader read for ever."""
    monkeypatch.setattr(handover, "ENTRIES_MAX", 10)
    shelf = serve(moments.after)
    assert refusal(shelf, [OLD]).code == "not-signed"
    assert not [path for path in shelf.asked if "entries" in path]


def test_beyond_a_level_nothing_is_judged(moments: Rotated) -> None:
    """Other rules may say otherwise which keys sign."""
    world = moments.both.copy()
    assert world.force(world.operator, "level", Level(level=2)) is None
    leaves = leaves_in(world)
    for leaf in leaves_in(moments.after)[len(leaves_in(moments.both)) :]:
        leaves = grow(leaves, leaf)
    assert refusal(claim(leaves, SECOND), [OLD]).code == "level-unknown"
