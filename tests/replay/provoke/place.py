"""Refusals of events for their place: log, chain of the key, time, bytes, signature."""

from __future__ import annotations

from typing import Any

from ledger.entry.canonical import encode
from ledger.entry.envelope import decode_event
from ledger.entry.sign import SignedEvent
from ledger.entry.verify import key_id
from ledger.events.identity import Level
from ledger.events.identity import PartyVerify
from ledger.log import Log
from ledger.log import StoredLines
from ledger.replay import Replay
from ledger.storage.memory import MemoryStore
from ledger.tlog.ed25519 import SigningKey
from tests.replay import acts
from tests.replay.making import genesis
from tests.replay.provoke.case import case
from tests.replay.world import DAY_MS
from tests.replay.world import World

STRANGER = SigningKey(b"stranger".ljust(32))


def verify_guest(world: World) -> PartyVerify:
    """Make a body that the operator may say once."""
    return PartyVerify(party=world.guest.party)


def judge(world: World, signed: SignedEvent, *, repeated: bool = False) -> object:
    """Judge an event as an auditor does, for whom the appender asked nothing."""
    taken, _ = world._entry(signed, world.now_ms)
    replay = Replay(world.state, world._leaf_hash_at, StoredLines(world.store))
    return replay.judge(taken, repeated=repeated)


@case("key-unknown")
def a_key_that_nobody_registered(world: World) -> object:
    return world.append(
        world.event(world.guest, "party.verify", verify_guest(world), key=STRANGER)
    )


@case("key-unknown")
def a_key_that_nobody_registered_on_the_log(world: World) -> object:
    said = world.event(world.guest, "party.verify", verify_guest(world), key=STRANGER)
    return judge(world, said)


@case("key-unknown")
def the_head_of_a_key_that_nobody_registered(world: World) -> object:
    return world.log.key_head(key_id(STRANGER.public))


@case("bad-signature")
def a_signature_of_another_event(world: World) -> object:
    body = verify_guest(world)
    one, other = (world.event(world.operator, "party.verify", body) for _ in "12")
    return world.append(SignedEvent(one.event, other.signature))


@case("wrong-log")
def an_event_for_another_log(world: World) -> object:
    said = world.event(
        world.operator, "party.verify", verify_guest(world), log=b"another".ljust(32)
    )
    return world.append(said)


@case("genesis-misplaced")
def a_second_genesis(world: World) -> object:
    return world.operator.rule("genesis", genesis())


@case("genesis-misplaced")
def a_genesis_that_continues_a_chain(world: World) -> object:
    return _first(world, seq=1)


def _first(world: World, **fields: Any) -> object:  # noqa: ANN401
    empty = World(empty=True)
    said = empty.event(
        empty.operator, "genesis", genesis(), key=world.operator.root, **fields
    )
    return empty.append(said)


@case("genesis-misplaced")
def a_genesis_of_a_log_that_is_there(world: World) -> object:
    return _first(world, log=b"log".ljust(32))


@case("genesis-misplaced")
def a_genesis_that_follows_an_event(world: World) -> object:
    return _first(world, prev=b"event".ljust(32))


@case("genesis-misplaced")
def a_genesis_that_saw_an_entry(world: World) -> object:
    return _first(world, seen=(0, b"leaf".ljust(32)))


@case("genesis-key")
def a_genesis_signed_by_a_key_of_another_name(world: World) -> object:
    empty = World(empty=True)
    said = empty.event(world.operator, "genesis", genesis(), key=STRANGER)
    return judge(empty, said)


@case("genesis-key")
def a_genesis_by_another_than_its_operator(world: World) -> object:
    return _first(world, author=world.guest.party)


@case("out-of-sequence")
def an_event_that_skips_a_number(world: World) -> object:
    seq = world.state.keys.need(key_id(world.operator.sign.public)).next_seq
    said = world.event(world.operator, "party.verify", verify_guest(world), seq=seq + 1)
    return world.append(said)


@case("broken-key-chain")
def an_event_that_follows_another_chain(world: World) -> object:
    said = world.event(
        world.operator, "party.verify", verify_guest(world), prev=b"other".ljust(32)
    )
    return world.append(said)


@case("author-mismatch")
def an_event_in_the_name_of_another(world: World) -> object:
    said = world.event(
        world.guest,
        "party.verify",
        verify_guest(world),
        author=world.operator.party,
    )
    return world.append(said)


@case("seen-unknown")
def an_author_who_saw_another_history(world: World) -> object:
    said = world.event(
        world.operator, "party.verify", verify_guest(world), seen=(3, bytes(32))
    )
    return world.append(said)


@case("seen-unknown")
def an_author_who_saw_what_is_not_there_yet(world: World) -> object:
    said = world.event(
        world.operator,
        "party.verify",
        verify_guest(world),
        seen=(world.log.size, bytes(32)),
    )
    return world.append(said)


@case("event-time-ahead")
def an_author_whose_clock_is_ahead(world: World) -> object:
    said = world.event(
        world.operator,
        "party.verify",
        verify_guest(world),
        time=world.now_ms + DAY_MS,
    )
    return world.append(said)


@case("event-time-ahead")
def an_author_whose_clock_is_ahead_of_its_entry(world: World) -> object:
    said = world.event(
        world.operator, "party.verify", verify_guest(world), time=world.now_ms + DAY_MS
    )
    return judge(world, said)


@case("clock-behind")
def a_log_whose_clock_fell_behind(world: World) -> object:
    world.now_ms -= DAY_MS
    return world.operator.say("party.verify", verify_guest(world))


@case("clock-ahead")
def a_log_whose_clock_is_years_ahead(world: World) -> object:
    world.now_ms += 10 * 365 * DAY_MS
    return world.operator.say("party.verify", verify_guest(world))


@case("id-conflict")
def an_id_for_two_things(world: World) -> object:
    said = world.event(world.operator, "party.verify", verify_guest(world))
    world.append(said)
    other = world.event(
        world.operator,
        "party.verify",
        PartyVerify(party=world.lab.party),
        id=decode_event(said.event).id,
    )
    return world.append(other)


@case("id-reused")
def an_id_for_two_things_on_the_log(world: World) -> object:
    said = world.event(world.operator, "party.verify", verify_guest(world))
    return judge(world, said, repeated=True)


@case("unknown-kind")
def a_kind_of_another_level(world: World) -> object:
    return world.operator.say("party.forget", verify_guest(world))


@case("bad-body")
def a_body_with_another_field(world: World) -> object:
    body = encode({"party": world.guest.party, "reason": "known"})
    return world.operator.say("party.verify", body)


@case("level-unknown")
def a_level_of_tomorrow(world: World) -> object:
    return world.operator.say("level", Level(level=2))


@case("bad-level")
def a_level_too_far(world: World) -> object:
    return world.operator.say("level", Level(level=3))


@case("level-unknown")
def a_log_that_is_at_another_level(world: World) -> object:
    world.force(world.operator, "level", Level(level=2))
    return world.operator.say("party.verify", verify_guest(world))


@case("level-unknown")
def a_log_that_starts_at_another_level(world: World) -> object:
    empty = World(empty=True)
    return empty.operator.rule("genesis", genesis(level=2))


@case("keys-not-distinct")
def a_log_key_that_speaks_for_a_party(world: World) -> object:
    empty = World(empty=True)
    body = genesis(log_key=empty.operator.root.public)
    return empty.operator.rule("genesis", body)


@case("bad-operator")
def an_operator_whom_nobody_knows(world: World) -> object:
    empty = World(empty=True)
    return empty.operator.rule("genesis", genesis(operator=bytes(16)))


@case("bad-origin")
def an_origin_that_others_sign_under(world: World) -> object:
    empty = World(empty=True)
    return empty.operator.rule("genesis", genesis(origin="linernote/log"))


@case("state-behind")
def a_store_that_lost_its_derived_tables(world: World) -> object:
    store = MemoryStore()
    _, new = world._entry(_any_event(world), world.now_ms)
    with store.transaction():
        store.add_entries([acts.change(new, {"index": 0})])
    return Log(store, world.clock)


def _any_event(world: World) -> SignedEvent:
    return world.event(world.operator, "party.verify", verify_guest(world))
