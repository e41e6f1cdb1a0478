"""What an audit finds out only once it knows which event ids were used again."""

from __future__ import annotations

from ledger.entry.verify import key_id
from ledger.events.identity import Accredit
from ledger.events.identity import Acknowledge
from ledger.events.identity import Key
from ledger.events.identity import Level
from ledger.events.identity import Party
from ledger.storage.memory import MemoryStore
from tests.replay.making import holder
from tests.replay.making import party_id
from tests.replay.making import signing_key
from tests.replay.world import World

ID = b"i" * 16
SECOND = signing_key("operator two")


def withdrawn_revocation() -> World:
    """A log whose key was revoked by an event that repeats an id: it never was."""
    world = World()
    operator = world.operator
    world.add_key(operator, SECOND, "sign")
    body = Accredit(action="grant", party=world.guest.party, role="auditor")
    world.append(world.event(operator, "accredit", body, id=ID))
    revoke = Key(action="revoke", key=key_id(SECOND.public), party=operator.party)
    index = world.log.size
    event = world.event(operator, "key", revoke, key=operator.root, id=ID)
    assert world.smuggle(event, repeated=True) is not None
    operator.say("acknowledge", Acknowledge(code="id-reused", index=index))
    return world


def test_a_level_behind_a_repeated_id_is_no_pass() -> None:
    """A key that seemed revoked raises the level: what follows is not verified."""
    world = withdrawn_revocation()
    event = world.event(world.operator, "level", Level(level=2), key=SECOND)
    assert world.smuggle(event) is None
    report = world.audit()
    assert any("level 2 begins" in what for what in report.missing)
    assert report.full_digest is None


def test_missing_lines_behind_a_repeated_id_are_said() -> None:
    """A key that seemed revoked brings lines in that are nowhere."""
    world = withdrawn_revocation()
    world.force(
        world.operator,
        "party",
        lambda refs: Party(parties=refs["parties"]),
        SECOND,
        parties=[holder(party_id("dora"))],
    )
    assert isinstance(world.store, MemoryStore)
    root = max(world.state.manifests.items(), key=lambda item: item[1])[0]
    del world.store._bundles[root, 0]
    report = world.audit()
    assert any("the full book stops there" in what for what in report.missing)
    assert (report.full_digest, report.state_digest is None) == (None, False)
