"""How benchmarks measure: ratios to a limit that is taken in the same run.

A figure of its own says little on a busy machine, so what is measured and its
limit take turns, and CPU time of all processes counts. Nothing here fails for
being slow: a benchmark prints what it saw and the ratio that it aims at.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

FULL = os.environ.get("LINERNOTE_BENCH") == "full"


def sized(full: int, tiny: int) -> int:
    """Choose the size: full when asked for, else one that only shows it works."""
    return full if FULL else tiny


def cpu_seconds() -> float:
    """CPU time of this process and of the children that have ended."""
    used = [resource.getrusage(who) for who in (_SELF, _CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


_SELF, _CHILDREN = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN


class Stopwatch:
    """Adds up CPU seconds by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def on(self, name: str) -> Iterator[None]:
        """Count the time of a block."""
        start = cpu_seconds()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + cpu_seconds() - start


@contextmanager
def timed(into: list[float]) -> Iterator[None]:
    """Note how many seconds a block takes by the wall clock: what a person waits."""
    start = perf_counter()
    yield
    into.append(perf_counter() - start)


def tell(what: str, figure: float, goal: float, unit: str = "") -> None:
    """Print a figure beside what it aims at."""
    _tell(what, figure, unit, f"at least {goal:,.2f}", met=figure >= goal)


def tell_at_most(what: str, figure: float, goal: float, unit: str = "") -> None:
    """Print a figure beside what it must not exceed."""
    _tell(what, figure, unit, f"at most {goal:,.2f}", met=figure <= goal)


def _tell(what: str, figure: float, unit: str, goal: str, *, met: bool) -> None:
    # A tiny run shows that the benchmark works; its figures would mislead.
    if FULL:
        verdict = "met" if met else "NOT MET"
        print(f"\n{what}: {figure:,.2f}{unit} ({goal}{unit}: {verdict})", end="")
