"""A monitor believes what holds, remembers it, and raises an alarm at all else."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from ledger.audit.verifying import IN_PROCESS_MAX
from ledger.audit.verifying import verifying_workers
from ledger.errors import HomeError
from ledger.monitor import Kept
from ledger.monitor import kept as keeping
from ledger.storage.memory import MemoryStore
from ledger.tlog.cosignature import COSIGNATURE_TYPE
from ledger.tlog.cosignature import cosign
from ledger.tlog.cosignature import merge_signatures
from ledger.tlog.note import format_vkey
from ledger.tlog.note import make_vkey
from ledger.tlog.note import parse_note
from ledger.tlog.note import sign_note
from ledger.tlog.policy import parse_policy
from tests.following.served import VKEY
from tests.following.served import publish_anyhow
from tests.following.watch import Watch
from tests.replay import acts
from tests.replay import rotation
from tests.replay.making import ORIGIN
from tests.replay.making import copy_store
from tests.replay.making import signing_key
from tests.replay.world import World

HOUR_MS = 3_600_000


def test_every_entry_is_verified_once(watch: Watch) -> None:
    """The first look takes all in, the next only what is new, in a new process too."""
    first = watch.calm()
    assert (first.old_size, first.size) == (0, watch.log.size)
    watch.log.say(300)
    watch.log.publish()
    watch.server.asked.clear()
    second = watch.calm()
    assert (second.old_size, second.size) == (first.size, watch.log.size)
    assert watch.calm().old_size == second.size
    fetched = [path for path in watch.server.asked if "entries" in path]
    assert len(fetched) == len(set(fetched)) == 2


def test_the_state_is_that_of_a_replay(watch: Watch) -> None:
    """However often a monitor stopped, it knows what an auditor of it all knows."""
    for entries in (1, 2, 40):
        watch.calm()
        watch.log.say(entries)
        watch.log.publish()
    watch.calm()
    with Kept(watch.folder) as kept:
        assert kept.state.digest() == watch.log.world.replayed("public").digest()


def test_workers_verify_what_is_new(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is much to verify, other processes do, and find the same."""
    started = []

    @contextmanager
    def workers(size: int) -> Iterator[Executor | None]:
        with verifying_workers(IN_PROCESS_MAX + size, 2) as pool:
            started.append((size, pool))
            yield pool

    monkeypatch.setattr(keeping, "verifying_workers", workers)
    first = watch.calm().size
    watch.log.say(600)
    watch.log.publish()
    watch.calm()
    ((size, pool), (more, _)) = started
    assert (size, more) == (first, 600)
    assert pool is not None
    with Kept(watch.folder) as kept:
        assert kept.state.digest() == watch.log.world.replayed("public").digest()


@pytest.mark.parametrize("more", [1, 5, 9])
def test_a_fork_is_an_alarm_with_both_checkpoints(
    more: int, watch: Watch, tmp_path: Path
) -> None:
    """Another history of any length, rightly signed, is caught, each time anew."""
    world = watch.log.world.copy()
    watch.log.say(5)
    watch.log.publish()
    watch.calm()
    mine = watch.log.checkpoint
    watch.log.world = world
    watch.log.fork(tmp_path / "other", more + 5)
    for _ in range(2):
        alarm = watch.alarm()
        assert (alarm.alarm, alarm.origin) == ("fork", ORIGIN)
        assert watch.evidence(alarm) == (mine, watch.log.checkpoint)


def test_a_fork_of_the_same_size_is_one(watch: Watch, tmp_path: Path) -> None:
    """Two roots for one size need no proof."""
    world = watch.log.world.copy()
    watch.log.say(3)
    watch.log.publish()
    watch.calm()
    watch.log.world = world
    watch.log.fork(tmp_path / "other", 3)
    assert watch.alarm().alarm == "fork"


def test_a_log_that_went_back_is_an_alarm(watch: Watch, tmp_path: Path) -> None:
    """An old checkpoint after a newer one, until the newer one is back."""
    old = watch.log.checkpoint
    watch.log.say(3)
    watch.log.publish()
    watch.calm()
    new, watch.log.checkpoint = watch.log.checkpoint, old
    alarm = watch.alarm()
    assert alarm.alarm == "rolled-back"
    assert watch.evidence(alarm) == (new, old)
    watch.log.checkpoint = new
    watch.calm()


def test_nothing_new_for_too_long_is_an_alarm(watch: Watch) -> None:
    """The age is that of the newest entry; without a limit it is nobody's matter."""
    watch.calm()
    watch.log.world.now_ms += 3 * HOUR_MS
    watch.calm()
    watch.stale_ms = 4 * HOUR_MS
    watch.calm()
    watch.stale_ms = 2 * HOUR_MS
    assert watch.alarm().alarm == "stale-checkpoint"
    watch.log.say(1)
    watch.log.publish()
    watch.calm()


def test_a_log_that_went_silent_becomes_stale(watch: Watch) -> None:
    """Also a log that cannot be reached at all grows old."""
    watch.calm()
    watch.stale_ms = 2 * HOUR_MS
    watch.server.alter = lambda _path, _data: None
    look = watch.look()
    assert look.missing is not None
    assert (look.alarms, look.missing.code) == ([], "not-found")
    watch.log.world.now_ms += 3 * HOUR_MS
    assert [alarm.alarm for alarm in watch.look().alarms] == ["stale-checkpoint"]


def test_a_short_age_is_told_in_seconds(watch: Watch) -> None:
    """Nothing that alarms is 0 minutes old."""
    watch.calm()
    watch.stale_ms = 1_000
    watch.log.world.now_ms += 30_000
    assert "0 minutes" not in watch.alarm().message


def test_a_witness_keeps_a_quiet_log_fresh(watch: Watch) -> None:
    """A cosignature shows that the checkpoint was the newest one at its time."""
    key = signing_key("witness")
    witness = make_vkey("w.example", key.public, COSIGNATURE_TYPE)
    watch.trust = parse_policy(
        f"log {format_vkey(VKEY)}\nwitness w {format_vkey(witness)}\nquorum w\n"
    )
    late = watch.look()  # which is no alarm: nothing false was shown
    assert late.missing is not None
    assert (late.alarms, late.missing.code) == ([], "policy-not-met")
    assert "--stale-after" in late.missing.hint
    text = parse_note(watch.log.checkpoint).text
    bare = watch.log.checkpoint

    def cosigned() -> None:
        time_s = watch.log.world.now_ms // 1000
        signature = cosign(text, "w.example", key, time_s)
        watch.log.checkpoint = merge_signatures(bare, [signature])

    cosigned()
    watch.calm()
    watch.stale_ms = 2 * HOUR_MS
    watch.log.world.now_ms += 3 * HOUR_MS
    assert watch.alarm().alarm == "stale-checkpoint"
    cosigned()
    watch.calm()


@pytest.mark.parametrize("kind", ["tile/entries/", "tile/0/"])
def test_altered_files_are_an_alarm(kind: str, watch: Watch) -> None:
    """What the tree does not hold is not looked into, and nothing is taken in."""
    before = watch.calm().size
    watch.log.say(3)
    watch.log.publish()
    watch.server.alter = lambda path, data: (
        data[:-1] + bytes([data[-1] ^ 1]) if path.startswith(kind) else data
    )
    assert watch.alarm().alarm == "unverified"
    watch.server.alter = lambda _, data: data
    assert watch.calm().old_size == before


def test_an_entry_that_breaks_a_rule_is_an_alarm_once(watch: Watch) -> None:
    """It is named by index and code; the log goes on, and so does the monitor."""
    watch.calm()
    world = watch.log.world
    problem = world.force(world.guest, "scheme", acts.scheme_body())
    assert problem is not None
    watch.log.say(2)
    watch.log.publish()
    alarm = watch.alarm()
    assert (alarm.alarm, alarm.code) == ("invalid-entry", problem.code)
    assert (alarm.index, alarm.message) == (problem.index, problem.message)
    assert watch.evidence(alarm) == (watch.log.checkpoint,)
    assert watch.calm().old_size == watch.log.size


def test_an_event_taken_in_twice_is_an_alarm(watch: Watch) -> None:
    """Event ids are remembered from one look to the next."""
    world = watch.log.world
    body = acts.scheme_body()
    said = world.event(world.society, "scheme", body, id=b"i" * 16)
    world.append(said)
    watch.log.publish()
    watch.calm()
    again = world.event(world.society, "scheme", body, id=b"i" * 16)
    problem = world.smuggle(again, repeated=True)
    assert problem is not None
    watch.log.publish()
    assert watch.alarm().code == problem.code


def smuggle_unsigned(world: World) -> int:
    """Put an event on the log whose signature does not hold; give its index."""
    said = world.event(world.society, "scheme", acts.scheme_body())
    world.smuggle(msgspec.structs.replace(said, signature=bytes(64)))
    return world.log.size - 1


def test_a_signature_that_does_not_hold_is_an_alarm(watch: Watch) -> None:
    """The monitor never gets past it: nothing after such an entry counts."""
    before = watch.calm().size
    index = smuggle_unsigned(watch.log.world)
    watch.log.publish()
    for _ in range(2):
        alarm = watch.alarm()
        assert (alarm.alarm, alarm.index) == ("invalid-entry", index)
    with Kept(watch.folder) as kept:
        assert kept.state.size == before


def test_a_broken_chain_is_an_alarm(watch: Watch, tmp_path: Path) -> None:
    """An entry that follows another one than it says is found where looks meet."""
    store = watch.log.world.store
    assert isinstance(store, MemoryStore)
    world = watch.log.world.copy()
    watch.log.say(1)
    watch.log.publish()
    watch.calm()
    # The next entry of another history, put behind the last one of this.
    world.rival.say("scheme", acts.scheme_body())
    world.rival.say("scheme", acts.scheme_body())
    assert isinstance(world.store, MemoryStore)
    stranger = world.store._entries[world.log.size - 1]
    both = copy_store(store)
    with both.transaction():
        both.add_entries([stranger])
    (tmp_path / "mixed" / "public").mkdir(parents=True)
    publish_anyhow(both, tmp_path / "mixed", [signing_key("log")])
    watch.log.show(tmp_path / "mixed" / "public")
    alarm = watch.alarm()
    assert (alarm.alarm, alarm.code) == ("invalid-entry", "broken-chain")
    assert alarm.index == stranger.index


def test_a_checkpoint_by_another_key_is_an_alarm(watch: Watch) -> None:
    """Whoever signs in the log's name without its key is noticed."""
    watch.calm()
    text = parse_note(watch.log.checkpoint).text
    watch.log.checkpoint = sign_note(text, ORIGIN, signing_key("thief"))
    alarm = watch.alarm()
    assert (alarm.alarm, alarm.code) == ("unexpected-key", "not-signed")


def test_one_key_too_many_is_an_alarm(watch: Watch) -> None:
    """A second signature in the log's name, by a key that no entry names."""
    watch.calm()
    text = parse_note(watch.log.checkpoint).text
    keys = [signing_key("log"), signing_key("thief")]
    watch.log.checkpoint = sign_note(text, ORIGIN, *keys)
    alarm = watch.alarm()
    assert (alarm.alarm, alarm.code) == ("unexpected-key", "unexpected-key")


def test_a_rotation_that_the_log_announces_is_none(watch: Watch) -> None:
    """While two keys are in force both sign; one of them alone is an alarm."""
    watch.calm()
    rotation.add(watch.log.world)
    watch.log.publish()
    assert watch.log.checkpoint.count(f"— {ORIGIN}") == 2
    watch.calm()
    both, text = watch.log.checkpoint, parse_note(watch.log.checkpoint).text
    watch.log.checkpoint = sign_note(text, ORIGIN, signing_key("log"))
    assert watch.alarm().code == "unexpected-key"
    watch.log.checkpoint = both
    watch.calm()


class Killed(BaseException):
    """Stands for a process that is killed."""


@pytest.mark.parametrize("step", ["swap", "take", "note_alarm", "_take"])
def test_after_a_crash_nothing_is_forgotten(
    step: str, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it stopped: what it has believed it holds the log to, alarms come."""
    watch.calm()
    world = watch.log.world
    world.force(world.guest, "scheme", acts.scheme_body())
    watch.log.say(3)
    watch.log.publish()
    real = getattr(Kept, step)

    def killed(*arguments: object) -> None:
        real(*arguments)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Kept, step, killed)
        with pytest.raises(Killed):
            watch.look()
    told = (watch.folder / "alarms.ndjson").exists()
    alarms = watch.look().alarms
    assert told or [alarm.alarm for alarm in alarms] == ["invalid-entry"]
    assert watch.calm().size == watch.log.size


def test_a_failure_leaves_what_was_kept(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a new start too: what was not stored is verified once more."""
    world = watch.log.world
    watch.calm()
    world.force(world.guest, "scheme", acts.scheme_body())
    watch.log.publish()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with Kept(watch.folder) as kept:
        follower = watch.follower(kept)
        with monkeypatch.context() as patch:
            patch.setattr(Kept, "note_alarm", full)
            with pytest.raises(OSError, match="No space"):
                follower.look()
        look = follower.look()
        assert [alarm.index for alarm in look.alarms] == [watch.log.size - 1]
        assert look.size == watch.log.size
        assert kept.state.digest() == world.replayed("public").digest()


def test_two_monitors_do_not_share_a_folder(watch: Watch) -> None:
    """The second is refused, with the process that holds it."""
    with Kept(watch.folder), pytest.raises(HomeError) as caught:
        Kept(watch.folder)
    assert caught.value.code == "home-in-use"


def test_a_kept_checkpoint_is_compared_before_it_is_replaced(watch: Watch) -> None:
    """Whoever writes between reading and writing is noticed."""
    watch.calm()
    with Kept(watch.folder) as kept:
        with pytest.raises(HomeError) as caught:
            kept.swap("another", "new")
        assert caught.value.code == "checkpoint-moved"
        assert kept.note == watch.log.checkpoint
