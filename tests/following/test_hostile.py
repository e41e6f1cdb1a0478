"""A log that wants to blind who monitors it, or a thief of one of its keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.monitor import Kept
from ledger.monitor import monitor as monitoring
from ledger.replay.chain import CLOCK_SKEW_MS
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import sign_checkpoint
from ledger.tlog.cosignature import COSIGNATURE_TYPE
from ledger.tlog.cosignature import cosign
from ledger.tlog.cosignature import merge_signatures
from ledger.tlog.merkle import tree_root
from ledger.tlog.note import format_vkey
from ledger.tlog.note import make_vkey
from ledger.tlog.note import parse_note
from ledger.tlog.policy import Policy
from ledger.tlog.policy import parse_policy
from ledger.tlog.text import DECIMAL_MAX
from tests.following.served import VKEY
from tests.following.served import Served
from tests.following.served import publish_anyhow
from tests.following.watch import Watch
from tests.replay import acts
from tests.replay import rotation
from tests.replay import succession
from tests.replay.making import ORIGIN
from tests.replay.making import signing_key

HOUR_MS = 3_600_000
YEAR_MS = 8_766 * HOUR_MS
OLD_KEY, NEW_KEY = signing_key(rotation.FIRST), signing_key(rotation.SECOND)


def kinds(watch: Watch) -> list[str]:
    return [alarm.alarm for alarm in watch.look().alarms]


def smuggle(log: Served, time_ms: int) -> None:
    """Publish an entry of some time."""
    world = log.world
    said = world.event(world.society, "scheme", acts.scheme_body(), time=world.now_ms)
    world.smuggle(said, time_ms=time_ms)
    log.publish()


def test_an_entry_of_the_future_does_not_keep_a_log_young(watch: Watch) -> None:
    """It is an alarm at every look, asked for an age or not, however long it takes."""
    watch.calm()
    smuggle(watch.log, DECIMAL_MAX)
    for watch.stale_ms in (None, 24 * HOUR_MS):
        for _ in range(2):
            assert watch.alarm().alarm == "time-ahead"
            watch.log.world.now_ms += 50 * YEAR_MS


def test_clocks_may_differ_a_little(watch: Watch) -> None:
    """An entry is ahead once it is so by more than two clocks may be apart."""
    watch.calm()
    # Each look at the clock of this world moves it on by a second, or some.
    smuggle(watch.log, watch.log.world.now_ms + CLOCK_SKEW_MS)
    watch.calm()


WITNESSES = {name: signing_key(f"witness {name}") for name in "abc"}


def policy(quorum: str) -> Policy:
    """Give a policy of three witnesses."""
    lines = [f"log {format_vkey(VKEY)}\n"]
    for name, key in WITNESSES.items():
        vkey = make_vkey(f"{name}.example", key.public, COSIGNATURE_TYPE)
        lines.append(f"witness {name} {format_vkey(vkey)}\n")
    return parse_policy("".join([*lines, quorum]))


TWO_OF_THREE = policy("group g 2 a b c\nquorum g\n")


def cosigned(log: Served, **times_s: int) -> None:
    """Publish the checkpoint with cosignatures of these times."""
    log.publish()
    text = parse_note(log.checkpoint).text
    signatures = [
        cosign(text, f"{name}.example", WITNESSES[name], time_s)
        for name, time_s in times_s.items()
    ]
    log.checkpoint = merge_signatures(log.checkpoint, signatures)


def test_one_witness_does_not_keep_a_log_young(watch: Watch) -> None:
    """As old as the quorum says: a friend of the log that dates ahead is told of."""
    watch.trust, watch.stale_ms = TWO_OF_THREE, 24 * HOUR_MS
    now_s = watch.log.world.now_ms // 1000
    cosigned(watch.log, a=now_s, b=DECIMAL_MAX, c=now_s)
    assert watch.alarm().alarm == "time-ahead"
    watch.log.world.now_ms += 50 * YEAR_MS
    assert kinds(watch) == ["time-ahead", "stale-checkpoint"]


def test_a_witness_that_cosigns_again_and_again_is_one(watch: Watch) -> None:
    """Fresh cosignatures of one do not make those of another younger."""
    watch.trust, watch.stale_ms = TWO_OF_THREE, 2 * HOUR_MS
    world = watch.log.world
    now_s = world.now_ms // 1000
    cosigned(watch.log, a=now_s, b=now_s)
    watch.calm()
    world.now_ms += 3 * HOUR_MS
    cosigned(watch.log, a=world.now_ms // 1000, b=now_s)
    assert watch.alarm().alarm == "stale-checkpoint"
    cosigned(watch.log, a=now_s, b=world.now_ms // 1000, c=world.now_ms // 1000)
    watch.calm()


def test_if_the_quorum_dates_ahead_nothing_is_young(watch: Watch) -> None:
    """Times to come count for nothing, even where they are enough."""
    watch.trust, watch.stale_ms = policy("quorum a\n"), 24 * HOUR_MS
    cosigned(watch.log, a=DECIMAL_MAX)
    assert kinds(watch) == ["time-ahead", "stale-checkpoint"]


def test_with_witnesses_the_word_of_the_log_is_not_asked(watch: Watch) -> None:
    """New entries say when they are from; that they are new is for the quorum."""
    watch.trust, watch.stale_ms = TWO_OF_THREE, 2 * HOUR_MS
    world = watch.log.world
    long_ago_s = world.now_ms // 1000
    world.now_ms += 3 * HOUR_MS
    watch.log.say(1)
    cosigned(watch.log, a=long_ago_s, b=long_ago_s)
    assert watch.alarm().alarm == "stale-checkpoint"
    watch.trust = policy("quorum none\n")
    watch.calm()


def test_what_a_policy_did_not_verify_counts_for_nothing(watch: Watch) -> None:
    """Kept by the log's key alone, it may bear anything in a witness's name."""
    text, now_s = parse_note(watch.log.checkpoint).text, watch.log.world.now_ms // 1000
    forged = cosign(text, "a.example", WITNESSES["a"], now_s - 1)
    broken = type(forged)(
        forged.name, forged.key_id, now_s.to_bytes(8) + forged.signature[8:]
    )
    watch.log.checkpoint = merge_signatures(watch.log.checkpoint, [broken])
    watch.calm()
    watch.trust, watch.stale_ms = policy("quorum a\n"), 24 * HOUR_MS
    watch.server.alter = lambda _path, _data: None
    assert kinds(watch) == ["stale-checkpoint"]


@pytest.mark.parametrize("looked", ["before", "since"])
def test_one_stolen_key_of_two_leads_nowhere(
    looked: str, watch: Watch, tmp_path: Path
) -> None:
    """What it signed alone is told, and not kept: the honest log goes on as before."""
    if looked == "before":
        watch.calm()
    rotation.add(watch.log.world)
    watch.log.publish()
    if looked == "since":
        watch.calm()
    kept, honest = watch.note, tmp_path / "honest"
    world = watch.log.world.copy()
    evil = Served(tmp_path / "evil", world)
    world.rival.say("scheme", acts.scheme_body())
    publish_anyhow(world.store, tmp_path / "evil", [OLD_KEY])
    watch.log.public.rename(honest)
    evil.public.rename(watch.log.public)
    for _ in range(2):
        alarm = watch.alarm()
        assert (alarm.alarm, alarm.code) == ("unexpected-key", "unexpected-key")
        assert watch.evidence(alarm)[-1] == watch.log.checkpoint
        assert watch.note == kept
    watch.log.public.rename(tmp_path / "gone")
    honest.rename(watch.log.public)
    watch.calm()
    watch.log.say(3)
    watch.log.publish()
    watch.calm()


def test_the_first_look_believes_no_single_key_either(watch: Watch) -> None:
    """Nothing of what the thief shows is taken in; the log is, when it shows itself."""
    rotation.add(watch.log.world)
    watch.log.publish()
    both = watch.log.checkpoint
    watch.log.checkpoint = rotation.checkpoint(watch.log.world, keys=[OLD_KEY])
    assert watch.alarm().code == "unexpected-key"
    assert watch.note is None
    watch.log.checkpoint = both
    watch.calm()


def test_nothing_by_a_handover_of_another_history_is_kept(watch: Watch) -> None:
    """The log itself proves that its keys signed two histories: a fork, each time."""
    watch.calm()
    before, world = watch.note, watch.log.world
    rotation.add(world)
    other = Checkpoint(ORIGIN, world.log.size, bytes(32))
    note = sign_checkpoint(other, ORIGIN, *rotation.keys_in_force(world))
    rotation.retire(world, note=note)
    watch.log.publish()
    watch.trust = [make_vkey(ORIGIN, NEW_KEY.public)]
    for _ in range(2):
        alarm = watch.alarm()
        assert (alarm.alarm, alarm.code) == ("fork", "root-mismatch")
        assert watch.note == before


def test_a_predecessor_that_is_another_history_is_an_alarm(watch: Watch) -> None:
    """A log that succeeds another has to begin with its entries."""
    world = watch.log.world
    told = succession.body(world, root=bytes(32))
    world.append(succession.event(world, told))
    publish_anyhow(world.store, watch.log.public.parent, [OLD_KEY])
    root = tree_root(world.log.size, world.store.nodes)
    new = Checkpoint(succession.NEXT, world.log.size, root)
    watch.log.checkpoint = sign_checkpoint(new, succession.NEXT, succession.KEY)
    watch.trust = [make_vkey(succession.NEXT, succession.KEY.public)]
    alarm = watch.alarm()
    assert (alarm.alarm, alarm.code) == ("fork", "root-mismatch")
    assert watch.note is None


def test_a_root_key_s_entry_that_does_not_hold_is_named(watch: Watch) -> None:
    """Nothing after it is judged, so no checkpoint over it is believed."""
    before = watch.calm().size
    kept, world = watch.note, watch.log.world
    said = world.event(
        world.operator, "log.key", rotation.added(world), key=world.operator.root
    )
    forged = type(said)(said.event, bytes(64))
    world.smuggle(forged)
    watch.log.publish()
    alarm = watch.alarm()
    assert (alarm.alarm, alarm.index) == ("invalid-entry", world.log.size - 1)
    assert (watch.note, watch.look().size) == (kept, before)


def test_evidence_is_kept_once(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a checkpoint, however much breaks rules: the disk is spared."""
    monkeypatch.setattr(monitoring, "ALARMS_MAX", 5)
    watch.calm()
    world = watch.log.world
    for _ in range(20):
        world.force(world.guest, "scheme", acts.scheme_body())
    first = watch.log.size - 20
    watch.log.publish()
    root = tree_root(world.log.size, world.store.nodes)
    long = Checkpoint(ORIGIN, world.log.size, root, ("x" * 900_000,))
    watch.log.checkpoint = sign_checkpoint(long, ORIGIN, OLD_KEY)
    look = watch.look()
    assert [alarm.index for alarm in look.alarms] == list(range(first, first + 6))
    assert [alarm.code for alarm in look.alarms][-2:] == [
        "missing-role",
        "more-problems",
    ]
    assert look.more == 14
    assert look.size == watch.log.size
    assert (watch.folder / "alarms.ndjson").stat().st_size < 10_000
    (kept,) = (watch.folder / "checkpoints").iterdir()
    assert kept.read_text("utf-8") == watch.log.checkpoint


def test_what_was_read_is_not_kept(watch: Watch) -> None:
    """Neither after a look, nor for good where one was stopped."""
    watch.calm()
    left = watch.folder / "reading" / "tile"
    left.mkdir(parents=True)
    with Kept(watch.folder) as kept, kept.reading() as folder:
        assert not left.exists()
        folder.mkdir()
    assert not folder.exists()
