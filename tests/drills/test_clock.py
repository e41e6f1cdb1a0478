"""A clock that is wrong stops the log, or changes nothing that counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.errors import HomeError
from ledger.home import Home
from ledger.log import QUIET_MAX_MS
from ledger.writer import Writer
from tests.drills.places import Clock
from tests.drills.places import audit
from tests.drills.places import grow
from tests.drills.places import new_home
from tests.drills.places import say
from tests.drills.places import size_of

YEAR_MS = 366 * 86_400_000
START_MS = 1_795_000_000_000


@pytest.fixture
def timed(tmp_path: Path) -> Home:
    """A log whose entries are of 2026."""
    return new_home(tmp_path / "timed", Clock(START_MS))


@pytest.mark.parametrize(
    ("years", "code"),
    [(10, "clock-ahead"), (-10, "clock-behind"), (100, "clock-ahead")],
)
def test_a_clock_years_away_is_refused(timed: Home, years: int, code: str) -> None:
    """Nothing is appended, and with the right time the log goes on."""
    clock = Clock(START_MS + years * YEAR_MS)
    with Writer(timed, clock) as writer:
        for _ in range(2):
            with pytest.raises(HomeError) as error:
                say(writer, "wrong")
            assert (error.value.code, error.value.exit_code) == (code, 8)
        clock.now = START_MS + 1
        say(writer, "right")
    assert size_of(timed) == 3
    assert grow(timed, clock=Clock(START_MS + 2)) == 4
    assert audit(timed).exit_code == 0


def test_a_log_may_be_quiet_for_years(timed: Home) -> None:
    """A law that lies still for a while is not refused for that."""
    assert grow(timed, clock=Clock(START_MS + QUIET_MAX_MS)) == 3
    with pytest.raises(HomeError) as error:
        grow(timed, clock=Clock(START_MS + 2 * QUIET_MAX_MS + 1))
    assert error.value.code == "clock-ahead"


def test_a_clock_that_stands_still_changes_nothing(timed: Home) -> None:
    """Entries are of one moment then, and in their order all the same."""
    assert grow(timed, 5, Clock(START_MS)) == 7
    assert audit(timed).exit_code == 0


def test_a_clock_that_runs_backwards_gives_no_earlier_entry(timed: Home) -> None:
    """Within the skew allowed the last time counts; beyond it, nothing does."""
    clock = Clock(START_MS)
    with Writer(timed, clock) as writer:
        for number in range(5):
            clock.now -= 60_000
            say(writer, f"n{number}")
        clock.now -= 1
        with pytest.raises(HomeError) as error:
            say(writer, "too far")
        assert error.value.code == "clock-behind"
    report = audit(timed)
    assert (report.size, report.exit_code) == (7, 0)
