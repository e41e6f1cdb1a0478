"""Which log keys sign a checkpoint of which size."""

from __future__ import annotations

from ledger.replay.log_keys import vkeys_at
from ledger.tlog.note import make_vkey
from tests.replay import rotation
from tests.replay.making import ORIGIN
from tests.replay.making import signing_key
from tests.replay.world import World


def test_a_key_is_in_force_from_the_size_after_its_entry_to_that_of_its_end() -> None:
    """Added by entry a and retired by entry r: from a + 1 to r, both included."""
    world = World()
    added = rotation.add(world)
    world.accredit(world.guest, "auditor")
    retired = rotation.retire(world)
    old = make_vkey(ORIGIN, signing_key(rotation.FIRST).public)
    new = make_vkey(ORIGIN, signing_key(rotation.SECOND).public)
    for size in range(1, retired + 2):
        expected = [old] if size <= added else [old, new]
        assert vkeys_at(world.state, size) == ([new] if size > retired else expected), (
            size
        )
