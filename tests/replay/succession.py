"""How a world's log is succeeded: the genesis of another, after its entries.

succeed(world)          the world goes on as `NEXT`, with the log key `KEY`
"""

from __future__ import annotations

from typing import Any

from ledger.entry.envelope import ZERO32
from ledger.entry.sign import SignedEvent
from ledger.entry.verify import succession_message
from ledger.events.identity import Genesis
from ledger.succession import successor
from ledger.tlog.ed25519 import SigningKey
from tests.replay import acts
from tests.replay.making import signing_key
from tests.replay.world import World

NEXT = "next.example/log"
KEY = signing_key("next log")
ZEROS: dict[str, Any] = {
    "log": ZERO32,
    "prev": ZERO32,
    "seen": (0, ZERO32),
    "seq": 0,
}


def body(
    world: World, origin: str = NEXT, key: SigningKey = KEY, **named: object
) -> Genesis:
    """Make the body, but for the fields given of the predecessor, endorsed."""
    made = successor(world.log, origin, key.public, world.operator.root)
    predecessor = acts.change(made.predecessor, dict(named))
    fields = {
        name: getattr(predecessor, name) for name in predecessor.__struct_fields__
    }
    message = succession_message(made.operator, origin, fields)
    endorsement = world.operator.root.sign(message)
    changed: Genesis = acts.change(
        made, {"endorsement": endorsement, "predecessor": predecessor}
    )
    return changed


def event(
    world: World, said: Genesis, key: SigningKey | None = None, **fields: object
) -> SignedEvent:
    """Sign a genesis, by default with the operator's root key."""
    by = world.operator.root if key is None else key
    return world.event(
        world.operator, "genesis", said, None, None, by, **{**ZEROS, **fields}
    )


def succeed(world: World, origin: str = NEXT, key: SigningKey = KEY) -> int:
    """Let the world's log be succeeded; give the index of the genesis."""
    return world.append(event(world, body(world, origin, key)))
