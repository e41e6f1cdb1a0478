"""Which licence covers what, and by which share table its money falls (money.md §1)."""

from __future__ import annotations

from ledger.events import terms
from ledger.events.types import PPM
from ledger.events.types import UNKNOWN_PARTY
from ledger.replay.coverage import Cell
from ledger.replay.coverage import owed
from ledger.replay.coverage import select_table
from ledger.replay.rows import ShareRow
from tests.replay import acts
from tests.replay.acts import STRANGE
from tests.replay.acts import A
from tests.replay.acts import B
from tests.replay.outcomes import covered
from tests.replay.outcomes import findings
from tests.replay.outcomes import gross
from tests.replay.outcomes import today
from tests.replay.world import ANNA
from tests.replay.world import BERT
from tests.replay.world import CLEO
from tests.replay.world import DAY_MS
from tests.replay.world import World

LINES = ((ANNA, PPM, "owner"),)


def row(effective: int, index: int) -> ShareRow:
    """Make a version of a table."""
    return ShareRow(effective, index, "transfer", LINES, bytes(16))


# ── tables and days ──────────────────────────────────────────────────────────


def test_the_newest_table_in_force_is_used() -> None:
    """The greatest (effective, index) with effective ≤ day and index < limit."""
    versions = [row(0, 5), row(10, 6), row(10, 9), row(20, 7)]
    assert select_table(versions, 9, 100) == row(0, 5)
    assert select_table(versions, 10, 100) == row(10, 9)
    assert select_table(versions, 10, 9) == row(10, 6)
    assert select_table(versions, 99, 100) == row(20, 7)
    assert select_table(versions, -1, 100) is None
    assert select_table(versions, 99, 5) is None
    assert select_table(None, 0, 0) is None


def test_a_table_from_tomorrow_does_not_count_today(licensed: World) -> None:
    """A run is shared by the tables of its own day."""
    acts.table(licensed, A, [(CLEO, PPM)], effective=today(licensed) + 1)
    acts.open_run(licensed, [A])
    assert gross(licensed) == {(A, ANNA): 57_000_001, (A, BERT): 38_000_000}


def test_a_table_from_today_counts_today(licensed: World) -> None:
    """From its own day on, a transfer counts."""
    acts.table(licensed, A, [(CLEO, PPM)], effective=today(licensed))
    acts.open_run(licensed, [A])
    assert gross(licensed) == {(A, CLEO): 95_000_001}


def test_a_transfer_after_the_run_changes_nothing(licensed: World) -> None:
    """Effective on a later day, it is not for this run, however late it is shared."""
    acts.open_run(licensed, [A])
    licensed.now_ms += 3 * DAY_MS
    acts.table(licensed, A, [(CLEO, PPM)], effective=today(licensed))
    assert set(gross(licensed)) == {(A, ANNA), (A, BERT)}


def test_a_correction_after_the_run_counts(licensed: World) -> None:
    """What always was so splits the money, though nobody knew at the run."""
    acts.open_run(licensed, [A])
    acts.table(licensed, A, [(CLEO, PPM)], kind="correction", effective=0)
    assert gross(licensed) == {(A, CLEO): 95_000_001}


def test_a_correction_after_the_distribution_changes_nothing(shared_out: World) -> None:
    """What was posted stays posted; the distribution replays to the same lines."""
    acts.table(shared_out, A, [(CLEO, PPM)], kind="correction", effective=0)
    assert shared_out.replayed().digest() == shared_out.state.digest()


def test_a_table_registered_after_the_run_does_not_cover_it(licensed: World) -> None:
    """Cover is judged at the run, whatever is registered for that day later."""
    acts.catalogue(licensed, [A, B, STRANGE])
    acts.grant(licensed)
    acts.accept(licensed)
    acts.open_run(licensed, [A, STRANGE])
    assert covered(licensed) == 1
    acts.table(licensed, STRANGE, [(CLEO, PPM)])
    assert set(gross(licensed)) == {(A, ANNA), (A, BERT)}


def test_the_day_is_the_logs_own(licensed: World) -> None:
    """An hour ahead of UTC, the log's day begins at 23:00 UTC."""
    day = today(licensed)
    midnight = (day + 1) * DAY_MS - 3_600_000
    assert licensed.state.day(midnight - 1) == day
    assert licensed.state.day(midnight) == day + 1


# ── licences ─────────────────────────────────────────────────────────────────


def test_a_licence_covers_once_it_is_accepted(licensed: World) -> None:
    """Granted but not accepted by the run, it covers nothing."""
    acts.grant(licensed)
    acts.open_run(licensed)
    acts.accept(licensed)
    assert covered(licensed) == 0
    assert set(findings(licensed)) == set()
    index = licensed.at["run"]
    found = [key for key, _ in licensed.state.findings.items() if key[0] == index]
    assert [(recording, side) for _, recording, side in found] == [
        (A, "master"),
        (B, "master"),
    ]


def test_the_licence_accepted_first_covers(licensed: World) -> None:
    """Of two that reach a recording, the lower index of acceptance counts."""
    first = acts.grant(licensed)
    second = acts.grant(licensed)
    acts.accept(licensed, second)
    acts.accept(licensed, first)
    acts.open_run(licensed, licences=[first, second])
    counts = {
        licence: licensed.state.covered.get((licensed.lab.party, acts.RUN, licence))
        for licence in (first, second)
    }
    assert counts == {first: 0, second: 2}


def test_a_licence_ends_with_its_last_day(licensed: World) -> None:
    """On its last day a run may still open; the day after, nothing is covered."""
    acts.grant(licensed, covers=acts.covers(until=today(licensed)))
    acts.accept(licensed)
    acts.open_run(licensed)
    assert covered(licensed) == 2
    licensed.now_ms += DAY_MS
    acts.open_run(licensed, run="late")
    assert covered(licensed, "late") == 0
    assert set(findings(licensed)) == {(A, "master"), (B, "master")}


def test_a_licence_covers_the_versions_that_it_names(licensed: World) -> None:
    """A new version of a model is outside unless the licence says otherwise."""
    named = [terms.ModelName(model="oak", version="1")]
    acts.grant(licensed, covers=acts.covers(any_version=False, versions=named))
    acts.accept(licensed)
    acts.version(licensed, version="2")
    acts.open_run(licensed)
    assert covered(licensed) == 2
    acts.open_run(licensed, run="next", version="2")
    assert covered(licensed, "next") == 0


def test_a_licence_covers_the_sides_that_it_names(licensed: World) -> None:
    """Another side of the same recording stays uncovered, and its holders are named."""
    acts.table(licensed, A, [(CLEO, PPM)], side="composition")
    acts.open_run(licensed, [A])
    assert covered(licensed) == 1
    assert findings(licensed) == {(A, "composition"): ((CLEO, PPM),)}


def test_a_licence_covers_its_own_catalogues(licensed: World) -> None:
    """A recording of the society's other catalogue is not in this licence."""
    licence = licensed.at["licence"]
    acts.catalogue(licensed, [STRANGE])
    acts.table(licensed, STRANGE, [(CLEO, PPM)])
    acts.open_run(licensed, [STRANGE], licences=[licence])
    assert findings(licensed) == {(STRANGE, "master"): ((CLEO, PPM),)}


def test_a_recording_in_no_catalogue_names_nobody(licensed: World) -> None:
    """Nobody can be owed for an id that nobody registered."""
    acts.open_run(licensed, [STRANGE])
    assert findings(licensed) == {(STRANGE, ""): ()}


def test_a_recording_without_a_table_is_not_covered(licensed: World) -> None:
    """In a licensed catalogue, but of nobody's: a finding that names nobody."""
    acts.catalogue(licensed, [A, STRANGE])
    acts.grant(licensed)
    acts.accept(licensed)
    acts.open_run(licensed, [A, STRANGE])
    assert covered(licensed) == 1
    assert findings(licensed) == {(STRANGE, ""): ()}


def test_a_run_without_a_licence_is_a_fact_all_the_same(licensed: World) -> None:
    """It is logged, and names whoever it owes."""
    acts.open_run(licensed, licences=[])
    assert findings(licensed) == {
        (A, "master"): ((ANNA, 600_000), (BERT, 400_000)),
        (B, "master"): ((ANNA, 500_000), (UNKNOWN_PARTY, 500_000)),
    }


# ── who is owed ──────────────────────────────────────────────────────────────


def test_a_medley_owes_by_the_weights_of_its_works() -> None:
    """Shares of works add up to the whole; what rounding leaves goes to the first."""
    halves = ShareRow(
        0, 0, "transfer", ((ANNA, 333_333, ""), (BERT, 666_667, "")), bytes(16)
    )
    cell = Cell("composition", -1, (("w:1", halves), ("w:2", None)))
    found = owed(cell, (("w:1", 333_333), ("w:2", 666_667)))
    assert found == ((ANNA, 111_111), (BERT, 222_222), (UNKNOWN_PARTY, 666_667))
    assert sum(ppm for _, ppm in found) == PPM


def test_a_party_with_two_places_is_owed_once() -> None:
    """Places of one party add up."""
    twice = ShareRow(
        0, 0, "transfer", ((ANNA, 600_000, ""), (ANNA, 400_000, "")), bytes(16)
    )
    assert owed(Cell("master", -1, (("", twice),)), ()) == ((ANNA, PPM),)


def test_a_side_without_any_table_owes_nobody_known() -> None:
    """Then all of it is unknown."""
    cell = Cell("master", -1, (("", None),))
    assert owed(cell, ()) == ((UNKNOWN_PARTY, PPM),)
    assert not cell.known
