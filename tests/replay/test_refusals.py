"""Every rule refuses what it is there to refuse, and every refusal can be provoked."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from ledger.errors import LedgerError
from tests.replay.codes import RULES
from tests.replay.codes import codes
from tests.replay.codes import sites
from tests.replay.making import refusal
from tests.replay.provoke import identity
from tests.replay.provoke import log_keys
from tests.replay.provoke import manifests
from tests.replay.provoke import money
from tests.replay.provoke import place
from tests.replay.provoke import succession
from tests.replay.provoke import terms
from tests.replay.provoke.case import CASES
from tests.replay.provoke.case import Case
from tests.replay.world import World

AREAS = (identity, log_keys, manifests, money, place, succession, terms)
Stage = Callable[[str], World]
SECOND_LOCKS = ["replay.py amount-too-large"]
"""Refusals behind others: what parties are credited is bounded before a balance is."""


def raised_at(error: LedgerError) -> tuple[str, int]:
    """Give the file and line of the rule that raised an error."""
    frames = [
        (Path(frame.filename).name, frame.lineno or 0)
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename) in RULES and frame.name != "_refuse"
    ]
    return frames[-1] if frames else ("", 0)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_rule_refuses(case: Case, stage: Stage) -> None:
    """Each case is refused with its code and a hint or message, changing nothing."""
    world = stage(case.stage)
    error = refusal(lambda: case.act(world))
    assert error.code == case.code
    assert error.message
    assert world.replayed().digest() == world.state.digest()


@cache
def _provoked(stage: Stage) -> dict[tuple[str, int], str]:
    found = {}
    for case in CASES:
        world = stage(case.stage)
        error = refusal(lambda case=case, world=world: case.act(world))  # type: ignore[misc]
        found[raised_at(error)] = error.code
    return found


def test_every_refusal_is_provoked(stage: Stage) -> None:
    """There is a case for each place in the rules that can refuse anything."""
    provoked = _provoked(stage)
    missing = [
        f"{site.file} {site.code}"
        for site in sites()
        if not any(
            file == site.file and site.line <= line <= site.end
            for file, line in provoked
        )
    ]
    assert missing == SECOND_LOCKS


def test_every_code_is_provoked() -> None:
    """No code of the rules is without a case."""
    assert set(codes()) <= {case.code for case in CASES}
    assert {case.act.__module__ for case in CASES} == {each.__name__ for each in AREAS}
