"""Hostile events: what was said before, changed in a few places, signed by anybody.

Events made up from nothing are refused at the first rule. These are accepted ones
with some field, some line or the author exchanged, so that they get further.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import strategies as st

from ledger.entry.sign import SignedEvent
from ledger.errors import FormatError
from ledger.errors import UnverifiableError
from ledger.events.registry import LEVEL
from ledger.events.types import INTEGER_MAX
from ledger.log import Appended
from ledger.replay import Problem
from ledger.staging import Staged
from tests.events import strategies
from tests.events.strategies import Known
from tests.replay.everything import Said
from tests.replay.world import ANNA
from tests.replay.world import BERT
from tests.replay.world import CLEO
from tests.replay.world import ROLES
from tests.replay.world import Actor
from tests.replay.world import World

NAMES = ["operator", *ROLES]
Draw = Callable[[st.SearchStrategy[Any]], Any]


def known(world: World) -> Known:
    """Give what a log has, for made-up fields to refer to."""
    ids = [Actor(world, name).party for name in NAMES]
    keys = [key for key, _ in world.state.keys.items()]
    roots = [root for root, _ in world.state.manifests.items()]
    pools = [pool for pool, _ in world.state.pools.items()]
    externals = [*(name for name, _ in world.state.recordings.items()), "demo:strange"]
    return Known(
        ids=[*ids, ANNA, BERT, CLEO, bytes(16), b"new".ljust(16), *pools],
        hashes=[*keys, *roots, bytes(32)],
        tokens=["1", "2", "run-1", "run-2", "run-3", "oak", "featured", "missing-role"],
        externals=externals,
        currencies=["SEK", "JPY", "USD"],
        size=world.log.size,
    )


def utter(draw: Draw, world: World, templates: list[Said]) -> Problem | None:
    """Put one hostile event on the log; give the problem that replay makes of it."""
    ahead = templates[world.log.size : world.log.size + 4]
    said = draw(st.sampled_from(ahead * 3 + templates))
    facts = known(world)
    lines = {
        field: _lines(draw, f"{said.kind}/{field}", content, facts)
        for field, content in said.lines.items()
    }
    body = _changed(draw, said.body, facts)
    actor = _actor(draw, world, said)
    key = draw(st.sampled_from([actor.sign, actor.sign, actor.sign, actor.root]))

    exact = draw(st.integers(0, 9)) > 0

    def make(refs: Any) -> Any:  # noqa: ANN401
        return msgspec.structs.replace(body, **refs) if exact else body

    with Staged() as staged:
        try:
            signed = world.event(actor, said.kind, make, lines, staged, key)
        except FormatError:
            # Totals beyond 64 bits are what no signer can write.
            return None
        return send(world, signed, staged)


def send(world: World, signed: SignedEvent, staged: Staged) -> Problem | None:
    """Append an event; what the log refuses, put there and let auditors refuse."""
    if world.state.level > LEVEL:
        # The log refuses to run; auditors go on without judging.
        return world.smuggle(signed, staged)
    (answer,) = world.log.append([signed], staged)
    if isinstance(answer, Appended | UnverifiableError):
        # A root whose lines nobody has is the one thing that stops a replay.
        return None
    problem = world.smuggle(signed, staged)
    # Appender and auditor go by one rule; the log alone stops at another level.
    assert problem is not None or answer.code == "level-unknown"
    if problem is not None:
        assert problem.code == answer.code
    return problem


def _actor(draw: Draw, world: World, said: Said) -> Actor:
    by_party = {Actor(world, name).party: name for name in NAMES}
    own = by_party.get(said.author, "guest")
    return Actor(world, draw(st.sampled_from([own] * 12 + NAMES)))


def _changed(draw: Draw, made: Any, facts: Known) -> Any:  # noqa: ANN401
    """Exchange up to two fields of a struct, or fields within them."""
    for _ in range(draw(st.integers(0, 2))):
        name = draw(st.sampled_from(made.__struct_fields__))
        before = getattr(made, name)
        inner = before if isinstance(before, msgspec.Struct) else None
        if inner is not None and draw(st.booleans()):
            after = _changed(draw, inner, facts)
        elif isinstance(before, int) and draw(st.booleans()):
            after = _near(draw, before)
        else:
            after = draw(strategies.field(type(made), name, facts))
        made = msgspec.structs.replace(made, **{name: after})
    return made


def _near(draw: Draw, before: int) -> int:
    """Move an integer a little, within what a field may hold."""
    steps: list[int] = [-1, 1, before, 10_000]
    moved = before + steps[draw(st.integers(0, 3))]
    return max(0, min(moved, INTEGER_MAX))


def _lines(draw: Draw, kind: str, lines: list[Any], facts: Known) -> list[Any]:
    """Drop, change or add a line or two; the order is kept."""
    changed = list(lines)
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        if changed and draw(st.booleans()):
            changed.pop(draw(st.integers(0, len(changed) - 1)))
        if changed and draw(st.booleans()):
            place = draw(st.integers(0, len(changed) - 1))
            changed[place] = _changed(draw, changed[place], facts)
        if draw(st.booleans()):
            changed.append(draw(strategies.line(kind, facts)))
    return strategies.sorted_lines(kind, changed)
