"""How to provoke each refusal: a case for every place that can raise one.

    @case("already-verified")
    def twice(world): ...          raises the refusal

A case starts in a world of its own, at a stage of the story named in `acts`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.replay.world import World

Act = Callable[[World], object]


class Case(NamedTuple):
    """How to provoke a refusal.

    Attributes:
        code: of the refusal.
        stage: of the story that the world is at.
        act: what is then refused.
    """

    code: str
    stage: str
    act: Act

    @property
    def name(self) -> str:
        """A name for the test."""
        return f"{self.code}:{self.act.__name__}"


CASES: list[Case] = []


def case(code: str, stage: str = "world") -> Callable[[Act], Act]:
    """Add a case."""

    def add(act: Act) -> Act:
        CASES.append(Case(code, stage, act))
        return act

    return add
