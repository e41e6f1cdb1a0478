"""Refusals of a log that succeeds another."""

from __future__ import annotations

import msgspec

from ledger.entry.sign import SignedEvent
from ledger.entry.verify import succession_message
from ledger.events.identity import CurrencyRule
from ledger.events.identity import Genesis
from ledger.events.identity import Predecessor
from ledger.events.types import UNSET
from tests.replay import acts
from tests.replay import rotation
from tests.replay.making import genesis
from tests.replay.making import signing_key
from tests.replay.provoke.case import case
from tests.replay.succession import KEY
from tests.replay.succession import body
from tests.replay.succession import event
from tests.replay.succession import succeed
from tests.replay.world import World


@case("genesis-misplaced")
def a_second_genesis_without_a_predecessor(world: World) -> object:
    bare = acts.change(body(world), {"predecessor": UNSET, "endorsement": UNSET})
    return world.append(event(world, bare))


@case("genesis-misplaced")
def a_succession_in_the_chain_of_a_key(world: World) -> object:
    return world.operator.rule("genesis", body(world))


@case("wrong-purpose")
def a_succession_by_a_sign_key(world: World) -> object:
    return world.append(event(world, body(world), world.operator.sign))


@case("genesis-key")
def a_succession_by_another_party(world: World) -> object:
    said = acts.change(
        body(world),
        {"operator": world.guest.party, "root_key": world.guest.root.public},
    )
    by_guest = event(world, said, world.guest.root, author=world.guest.party)
    return world.append(by_guest)


@case("genesis-key")
def a_succession_in_the_operator_s_name_by_another_party(world: World) -> object:
    return world.append(_by_guest(world, author=world.guest.party))


@case("genesis-key")
def a_succession_that_names_another_root_key(world: World) -> object:
    return world.append(event(world, _endorsed_by_guest(world)))


def _by_guest(world: World, author: bytes) -> SignedEvent:
    said = _endorsed_by_guest(world)
    return event(world, said, world.guest.root, author=author)


def _endorsed_by_guest(world: World) -> Genesis:
    said, root = body(world), world.guest.root
    assert isinstance(said.predecessor, Predecessor)
    named = msgspec.structs.asdict(said.predecessor)
    message = succession_message(said.operator, said.origin, named)
    changed: Genesis = acts.change(
        said, {"endorsement": root.sign(message), "root_key": root.public}
    )
    return changed


@case("bad-fields")
def a_succession_without_endorsement(world: World) -> object:
    return world.append(event(world, acts.change(body(world), {"endorsement": UNSET})))


@case("bad-endorsement")
def a_succession_endorsed_for_another_name(world: World) -> object:
    other = body(world, "other.example/log").endorsement
    return world.append(event(world, acts.change(body(world), {"endorsement": other})))


@case("bad-predecessor")
def a_predecessor_of_another_size(world: World) -> object:
    return world.append(event(world, body(world, size=world.log.size - 1)))


@case("bad-predecessor")
def a_predecessor_of_another_id(world: World) -> object:
    return world.append(event(world, body(world, log=bytes(32))))


@case("bad-predecessor")
def a_successor_of_the_same_name(world: World) -> object:
    return world.append(event(world, body(world, "world.example/log")))


@case("bad-predecessor")
def a_successor_with_the_name_of_one_before(world: World) -> object:
    succeed(world)
    again = body(world, "world.example/log", signing_key("third log"))
    return world.append(event(world, again))


@case("bad-predecessor")
def a_successor_at_another_level(world: World) -> object:
    return world.append(event(world, acts.change(body(world), {"level": 2})))


@case("bad-predecessor")
def a_successor_with_other_decimals(world: World) -> object:
    other = [CurrencyRule(code="SEK", exponent=3)]
    return world.append(event(world, acts.change(body(world), {"currencies": other})))


@case("bad-predecessor")
def a_successor_on_other_days(world: World) -> object:
    return world.append(event(world, acts.change(body(world), {"utc_offset": 0})))


@case("bad-predecessor")
def a_first_genesis_that_names_a_predecessor(world: World) -> object:
    said = body(world)
    empty = World(empty=True)
    named = {"endorsement": said.endorsement, "predecessor": said.predecessor}
    return empty.operator.rule("genesis", genesis(**named))


@case("key-exists")
def a_successor_with_the_log_key_of_its_predecessor(world: World) -> object:
    return world.append(event(world, body(world, key=signing_key("log"))))


@case("key-exists")
def a_successor_whose_log_key_speaks_for_a_party(world: World) -> object:
    return world.append(event(world, body(world, key=world.lab.sign)))


@case("wrong-log")
def an_event_of_the_predecessor_once_it_is_succeeded(world: World) -> object:
    late = world.event(world.lab, "level", b"\x81\xa5level\x02")
    succeed(world)
    return world.append(late)


@case("last-log-key")
def a_log_key_of_the_predecessor_hands_over_nothing(world: World) -> object:
    rotation.add(world)
    succeed(world)
    note = rotation.checkpoint(world, 3, [KEY])
    return rotation.retire(world, "next log", note)
