"""Hostile events: what was said before, changed in a few places, signed by anybody.

Events made up from nothing are refused at the first rule. These are accepted ones
with some field, some line or the author exchanged, so that they get further.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
from hypothesis import strategies as st

from ledger.errors import FormatError
from ledger.errors import UnverifiableError
from ledger.events.types import INTEGER_MAX
from ledger.replay import Problem
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

    def make(refs: Any) -> Any:  # noqa: ANN401
        exact = draw(st.integers(0, 9)) > 0
        kept = {name: ref for name, ref in refs.items() if exact or not body}
        return msgspec.structs.replace(body, **kept)

    # A root whose lines nobody has is the one thing that stops a replay; and totals
    # beyond 64 bits are what no signer can write.
    with suppress(UnverifiableError, FormatError):
        return world.force(actor, said.kind, make, key, **lines)
    return None


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
