"""What came of a run: who is covered, found, owed and paid."""

from __future__ import annotations

from tests.replay import acts
from tests.replay.world import World


def today(world: World) -> int:
    """Give the log day of the next entry."""
    return world.state.day(world.now_ms)


def covered(world: World, run: str = acts.RUN) -> int:
    """Count what the licence granted last covers of a run."""
    key = (world.lab.party, run, world.at["licence"])
    return world.state.covered.get(key) or 0


def findings(world: World) -> dict[tuple[str, str], tuple[tuple[bytes, int], ...]]:
    """Give who is owed for what was uncovered in the newest run."""
    index = world.log.size - 1
    return {
        (recording, side): found.owed
        for (at, recording, side), found in world.state.findings.items()
        if at == index
    }


def gross(world: World, run: str = acts.RUN) -> dict[tuple[str, bytes], int]:
    """Share a run out, and give the gross of each recording and party."""
    acts.bill(world, run=run)
    acts.pay(world)
    _, shared = acts.plan_distribution(world, run)
    acts.distribute(world, run=run)
    return {(line.recording, line.party): line.gross for line in shared.lines}
