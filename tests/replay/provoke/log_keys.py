"""Refusals of keys that sign checkpoints, added and retired."""

from __future__ import annotations

from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import sign_checkpoint
from tests.replay import acts
from tests.replay import rotation
from tests.replay.making import ORIGIN
from tests.replay.making import signing_key
from tests.replay.provoke.case import case
from tests.replay.rotation import FIRST
from tests.replay.rotation import SECOND
from tests.replay.rotation import THIRD
from tests.replay.world import World

# ── adding ───────────────────────────────────────────────────────────────────


@case("wrong-purpose")
def a_log_key_by_a_sign_key(world: World) -> object:
    return world.operator.say("log.key", rotation.added(world))


@case("missing-role")
def a_log_key_by_the_root_key_of_another(world: World) -> object:
    return world.registrar.rule("log.key", rotation.added(world))


@case("key-exists")
def the_log_key_of_genesis_again(world: World) -> object:
    return rotation.add(world, FIRST)


@case("key-exists")
def a_key_of_a_party_for_the_log(world: World) -> object:
    return rotation.add(world, "labsign")


@case("key-exists")
def a_later_log_key_for_a_party(world: World) -> object:
    rotation.add(world)
    return world.add_key(world.guest, signing_key(SECOND), "sign")


@case("key-exists")
def a_retired_log_key_again(world: World) -> object:
    rotation.add(world)
    rotation.retire(world)
    return rotation.add(world, FIRST)


@case("bad-key-proof")
def a_log_key_with_the_proof_of_another_use(world: World) -> object:
    proof = world.prove(signing_key(SECOND), world.operator.party, "sign")
    body = acts.change(rotation.added(world), {"proof": proof})
    return world.operator.rule("log.key", body)


@case("bad-key-proof")
def a_log_key_that_is_no_point(world: World) -> object:
    body = acts.change(rotation.added(world), {"public": bytes(32)})
    return world.operator.rule("log.key", body)


@case("too-many-log-keys")
def a_fifth_log_key(world: World) -> object:
    for number in range(2, 5):
        rotation.add(world, f"log-{number}")
    return rotation.add(world, "log-5")


@case("bad-fields")
def adding_a_log_key_with_a_checkpoint(world: World) -> object:
    note = rotation.checkpoint(world).encode()
    body = acts.change(rotation.added(world), {"checkpoint": note})
    return world.operator.rule("log.key", body)


# ── retiring ─────────────────────────────────────────────────────────────────


@case("bad-fields")
def retiring_a_log_key_without_a_checkpoint(world: World) -> object:
    body = acts.change(rotation.added(world), {"action": "retire"})
    return world.operator.rule("log.key", body)


@case("log-key-not-in-force")
def retiring_a_log_key_that_was_never_added(world: World) -> object:
    rotation.add(world)
    return rotation.retire(world, THIRD)


@case("log-key-not-in-force")
def retiring_a_log_key_twice(world: World) -> object:
    rotation.add(world)
    rotation.retire(world)
    return rotation.retire(world)


@case("last-log-key")
def retiring_the_only_log_key(world: World) -> object:
    return rotation.retire(world)


@case("bad-handover")
def a_handover_that_the_new_key_did_not_sign(world: World) -> object:
    rotation.add(world)
    note = rotation.checkpoint(world, keys=[signing_key(FIRST)])
    return rotation.retire(world, FIRST, note)


@case("bad-handover")
def a_handover_that_the_old_key_did_not_sign(world: World) -> object:
    rotation.add(world)
    note = rotation.checkpoint(world, keys=[signing_key(SECOND)])
    return rotation.retire(world, FIRST, note)


@case("bad-handover")
def a_handover_before_the_new_key_was_added(world: World) -> object:
    keys = [signing_key(FIRST), signing_key(SECOND)]
    note = rotation.checkpoint(world, keys=keys)
    rotation.add(world)
    return rotation.retire(world, FIRST, note)


@case("bad-handover")
def a_handover_of_entries_to_come(world: World) -> object:
    rotation.add(world)
    later = Checkpoint(ORIGIN, world.log.size + 1, bytes(32))
    note = sign_checkpoint(later, ORIGIN, *rotation.keys_in_force(world))
    return rotation.retire(world, FIRST, note)


@case("bad-handover")
def a_handover_of_another_log(world: World) -> object:
    rotation.add(world)
    other = Checkpoint("other.example/log", world.log.size, bytes(32))
    note = sign_checkpoint(other, other.origin, *rotation.keys_in_force(world))
    return rotation.retire(world, FIRST, note)


@case("bad-handover")
def a_handover_that_is_no_text(world: World) -> object:
    rotation.add(world)
    body = acts.change(rotation.retired(world), {"checkpoint": b"\xff" * 100})
    return world.operator.rule("log.key", body)
