"""How a log key is rotated in a world: one added, a handover, the other retired.

    add(world, "log-2")      handover(world, "log", "log-2")      retire(world, "log")

Log keys are those of their names; `log` is the one that genesis names.
"""

from __future__ import annotations

from collections.abc import Iterable

from ledger.entry.verify import prove_log_key
from ledger.events.identity import LogKey
from ledger.replay.log_keys import all_log_keys
from ledger.replay.log_keys import in_force
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import sign_checkpoint
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.merkle import tree_root
from tests.replay.making import ORIGIN
from tests.replay.making import signing_key
from tests.replay.world import World

FIRST, SECOND, THIRD = "log", "log-2", "log-3"
KEYS = {
    signing_key(name).public: signing_key(name)
    for name in (FIRST, SECOND, THIRD, "log-4", "log-5")
}
"""By public key."""


def added(world: World, name: str = SECOND) -> LogKey:
    """Make the body that adds the key of a name."""
    key = signing_key(name)
    proof = prove_log_key(key, world.log_id)
    return LogKey(action="add", proof=proof, public=key.public)


def add(world: World, name: str = SECOND) -> int:
    """Add the key of a name."""
    return world.operator.rule("log.key", added(world, name))


def keys_in_force(world: World, size: int | None = None) -> list[SigningKey]:
    """Give the keys that sign a checkpoint of a size, by default the whole log."""
    rows = in_force(all_log_keys(world.state), world.log.size if size is None else size)
    return [KEYS[row.public] for row in rows]


def checkpoint(
    world: World, size: int | None = None, keys: Iterable[SigningKey] | None = None
) -> str:
    """Sign a checkpoint of the world's log, by default as it has to be."""
    whole = world.log.size if size is None else size
    by = keys_in_force(world, whole) if keys is None else keys
    root = tree_root(whole, world.store.nodes)
    return sign_checkpoint(Checkpoint(ORIGIN, whole, root), ORIGIN, *by)


def retired(world: World, name: str = FIRST, note: str | None = None) -> LogKey:
    """Make the body that retires the key of a name, by the newest checkpoint."""
    text = checkpoint(world) if note is None else note
    public = signing_key(name).public
    return LogKey(action="retire", checkpoint=text.encode(), public=public)


def retire(world: World, name: str = FIRST, note: str | None = None) -> int:
    """Retire the key of a name."""
    return world.operator.rule("log.key", retired(world, name, note))
