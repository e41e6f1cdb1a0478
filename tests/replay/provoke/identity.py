"""Refusals of parties, keys, roles and acknowledgements."""

from __future__ import annotations

from ledger.events.identity import Accredit
from ledger.events.identity import Acknowledge
from ledger.events.identity import Key
from ledger.events.identity import Level
from ledger.events.identity import Party
from ledger.events.identity import PartyVerify
from tests.replay import acts
from tests.replay.making import holder
from tests.replay.making import signing_key
from tests.replay.provoke.case import case
from tests.replay.world import ANNA
from tests.replay.world import BERT
from tests.replay.world import CLEO
from tests.replay.world import Actor
from tests.replay.world import World

NEW, OTHER = signing_key("new"), signing_key("other")


def sourced(world: World, party: bytes, line: int, entry: int | None = None) -> Key:
    """Make the body by which a registrar adds a first key."""
    body = world.key_body(party, NEW, "root")
    place = (world.at["holders"] if entry is None else entry, line)
    key: Key = acts.change(body, {"source": place})
    return key


@case("party-exists")
def a_party_twice(world: World) -> object:
    return world.register(Actor(world, "lab"))


@case("party-exists")
def a_party_that_stands_in_a_manifest(world: World) -> object:
    return world.register(Actor(world, "anna"))


@case("party-exists")
def a_manifest_with_a_party_of_an_earlier_one(world: World) -> object:
    return world.operator.say(
        "party",
        lambda refs: Party(parties=refs["parties"]),
        parties=[holder(BERT)],
    )


@case("party-unknown")
def verifying_a_party_without_an_entry(world: World) -> object:
    return world.operator.say("party.verify", PartyVerify(party=ANNA))


@case("already-verified")
def verifying_twice(world: World) -> object:
    body = PartyVerify(party=world.guest.party)
    world.operator.say("party.verify", body)
    return world.operator.say("party.verify", body)


@case("already-verified")
def verifying_a_line_twice(world: World) -> object:
    source = (world.at["holders"], 1)
    return world.operator.say("party.verify", PartyVerify(party=ANNA, source=source))


@case("bad-source")
def verifying_by_a_line_that_holds_another(world: World) -> object:
    source = (world.at["holders"], 2)
    return world.operator.say("party.verify", PartyVerify(party=ANNA, source=source))


@case("party-unknown")
def a_role_for_nobody(world: World) -> object:
    body = Accredit(action="grant", party=ANNA, role="lab")
    return world.operator.say("accredit", body)


@case("key-exists")
def a_key_a_second_time(world: World) -> object:
    return world.add_key(world.guest, world.guest.sign, "root")


@case("key-exists")
def the_log_key_for_a_party(world: World) -> object:
    return world.add_key(world.guest, signing_key("log"), "sign")


@case("key-exists")
def a_revoked_key_again(world: World) -> object:
    world.revoke(world.guest, world.guest.sign)
    return world.add_key(world.guest, world.guest.sign, "sign")


@case("bad-key-proof")
def a_proof_for_another_purpose(world: World) -> object:
    proof = world.prove(NEW, world.guest.party, "root")
    body = world.key_body(world.guest.party, NEW, "sign")
    return world.guest.rule("key", acts.change(body, {"proof": proof}))


@case("bad-key-proof")
def a_key_that_is_no_point(world: World) -> object:
    body = world.key_body(world.guest.party, NEW, "sign")
    return world.guest.rule("key", acts.change(body, {"public": bytes(32)}))


@case("key-not-in-force")
def revoking_twice(world: World) -> object:
    world.revoke(world.guest, world.guest.sign)
    return world.revoke(world.guest, world.guest.sign)


@case("key-not-in-force")
def revoking_the_key_of_another(world: World) -> object:
    return world.revoke(world.guest, world.lab.sign)


@case("bad-source")
def a_source_where_none_is_needed(world: World) -> object:
    body = world.key_body(world.guest.party, NEW, "sign")
    source = (world.at["holders"], 1)
    return world.guest.rule("key", acts.change(body, {"source": source}))


@case("bad-source")
def a_source_that_is_no_manifest(world: World) -> object:
    return world.registrar.say("key", sourced(world, ANNA, 1, world.at["lab"]))


@case("bad-source")
def a_source_beyond_the_manifest(world: World) -> object:
    return world.registrar.say("key", sourced(world, CLEO, 4))


@case("bad-source")
def a_source_that_holds_another_party(world: World) -> object:
    return world.registrar.say("key", sourced(world, ANNA, 2))


@case("bad-fields")
def a_party_with_a_key_and_a_manifest(world: World) -> object:
    body = world.party_body(Actor(world, "new"))
    return world.operator.say(
        "party",
        lambda refs: acts.change(body, {"parties": refs["parties"]}),
        parties=[],
    )


@case("bad-fields")
def a_party_without_a_key(world: World) -> object:
    return world.operator.say("party", Party(party=b"new".ljust(16)))


@case("bad-fields")
def revoking_with_a_proof(world: World) -> object:
    body = world.key_body(world.guest.party, NEW, "sign")
    return world.guest.rule("key", acts.change(body, {"action": "revoke"}))


@case("role-unchanged")
def a_role_that_is_there(world: World) -> object:
    return world.accredit(world.society, "society")


@case("role-unchanged")
def a_role_that_is_not_there(world: World) -> object:
    body = Accredit(action="withdraw", party=world.guest.party, role="lab")
    return world.operator.say("accredit", body)


# ── authority ────────────────────────────────────────────────────────────────


@case("key-revoked")
def an_event_by_a_revoked_key(world: World) -> object:
    world.revoke(world.operator, world.operator.sign)
    return world.operator.say("party.verify", PartyVerify(party=world.guest.party))


@case("wrong-purpose")
def a_root_key_that_runs_the_business(world: World) -> object:
    return world.operator.rule("party.verify", PartyVerify(party=world.guest.party))


@case("missing-role")
def a_guest_who_verifies(world: World) -> object:
    return world.guest.say("party.verify", PartyVerify(party=world.guest.party))


@case("not-your-key")
def a_sign_key_that_adds_a_key(world: World) -> object:
    body = world.key_body(world.guest.party, NEW, "sign")
    return world.guest.say("key", body)


@case("not-your-key")
def a_registrar_who_adds_a_second_key(world: World) -> object:
    world.registrar.say("key", sourced(world, ANNA, 1))
    again = world.key_body(ANNA, OTHER, "sign")
    place = {"source": (world.at["holders"], 1)}
    return world.registrar.say("key", acts.change(again, place))


# ── acknowledgements ─────────────────────────────────────────────────────────


@case("nothing-to-acknowledge")
def acknowledging_what_is_no_problem(world: World) -> object:
    return world.operator.say("acknowledge", Acknowledge(code="missing-role", index=3))


@case("nothing-to-acknowledge")
def acknowledging_twice(world: World) -> object:
    index = world.log.size
    world.force(world.lab, "level", Level(level=2))
    body = Acknowledge(code="missing-role", index=index)
    world.operator.say("acknowledge", body)
    return world.operator.say("acknowledge", body)


@case("nothing-to-acknowledge")
def acknowledging_another_code(world: World) -> object:
    index = world.log.size
    world.force(world.lab, "level", Level(level=2))
    return world.operator.say("acknowledge", Acknowledge(code="bad-level", index=index))


@case("not-acknowledgeable")
def acknowledging_a_broken_chain(world: World) -> object:
    index = world.log.size
    said = world.event(world.lab, "level", Level(level=2), prev=b"other".ljust(32))
    problem = world.smuggle(said)
    assert problem is not None
    assert problem.code == "broken-key-chain"
    body = Acknowledge(code="broken-key-chain", index=index)
    return world.operator.say("acknowledge", body)
