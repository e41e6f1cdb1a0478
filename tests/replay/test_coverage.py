"""Which licence covers what, and by which share table its money falls (money.md §1)."""

from __future__ import annotations

from typing import Any

from ledger.events import terms
from ledger.events.lines import CatalogueLine
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


# ── schemes ──────────────────────────────────────────────────────────────────


def rights(world: World, **scheme: Any) -> World:  # noqa: ANN401
    """Two recordings on two sides; only the masters of both are covered."""
    acts.catalogue(world, [A, B])
    acts.table(world, A, [(ANNA, PPM)])
    acts.table(world, B, [(BERT, PPM)])
    acts.table(world, A, [(CLEO, PPM)], side="composition")
    acts.tariff(world)
    rates: dict[str, Any] = {"cultural_ppm": 0, "fee_ppm": 0, "reserve_ppm": 0}
    sides = terms.SideWeights(composition=1, master=1, performer=0)
    acts.scheme(world, **{**rates, "sides": sides, **scheme})
    acts.grant(world, covers=acts.covers(sides=["composition", "master"]))
    acts.accept(world)
    acts.version(world)
    acts.open_run(world)
    return world


def test_clear_each_admits_sides_singly(world: World) -> None:
    """B has no composition table: its master is paid, its composition left out."""
    assert gross(rights(world)) == {
        (A, ANNA): 25_000_000,
        (A, CLEO): 50_000_001,
        (B, BERT): 25_000_000,
    }


def test_clear_all_admits_a_recording_as_a_whole(world: World) -> None:
    """B lacks one weighted side, so that none of it is admitted."""
    assert gross(rights(world, clear="all")) == {
        (A, ANNA): 50_000_000,
        (A, CLEO): 50_000_001,
    }


def test_outside_reduce_lets_the_part_of_the_uncovered_wait(world: World) -> None:
    """B's composition keeps its weight, and waits on the recording."""
    assert gross(rights(world, outside="reduce")) == {
        (A, ANNA): 25_000_000,
        (A, CLEO): 25_000_001,
        (B, BERT): 25_000_000,
        (B, UNKNOWN_PARTY): 25_000_000,
    }


def test_clear_all_and_reduce_let_all_of_it_wait(world: World) -> None:
    """All weighted sides of B wait on the recording."""
    world = rights(world, clear="all", outside="reduce")
    acts.bill(world)
    acts.pay(world)
    _, shared = acts.plan_distribution(world)
    found = {(x.recording, x.side, x.state): x.gross for x in shared.lines}
    assert found == {
        (A, "composition", "payable"): 25_000_001,
        (A, "master", "payable"): 25_000_000,
        (B, "composition", "suspense"): 25_000_000,
        (B, "master", "suspense"): 25_000_000,
    }


def test_a_side_without_any_recording_waits_with_the_pool(world: World) -> None:
    """The performers' half has nobody to go to: it is unallocated."""
    sides = terms.SideWeights(composition=0, master=1, performer=1)
    world = rights(world, sides=sides)
    acts.bill(world)
    acts.pay(world)
    _, shared = acts.plan_distribution(world)
    assert shared.unallocated == 50_000_000
    acts.distribute(world)
    pool = world.state.dues.need(world.at["due"]).pool
    key = (world.society.party, "liability", "suspense", pool, "SEK")
    assert world.state.accounts.need(key) == -50_000_000


def test_duration_weighs_by_milliseconds(world: World) -> None:
    """Twice as long, twice the money."""
    lines = [
        CatalogueLine(external=A, ms=60_000),
        CatalogueLine(external=B, ms=120_000),
    ]
    acts.catalogue(world, lines)
    acts.table(world, A, [(ANNA, PPM)])
    acts.table(world, B, [(BERT, PPM)])
    acts.tariff(world, amount=9)
    acts.scheme(world, basis="duration", reserve_ppm=0)
    acts.grant(world)
    acts.accept(world)
    acts.version(world)
    acts.open_run(world)
    acts.bill(world, net=9, vat=0)
    acts.pay(world)
    _, shared = acts.plan_distribution(world)
    assert {line.party: line.gross for line in shared.lines} == {ANNA: 3, BERT: 6}


def test_per_holder_pays_verified_heads_alike(world: World) -> None:
    """Anna on two recordings and Bert on one get the same; Cleo's part waits."""
    c = "demo:c"
    acts.catalogue(world, [A, B, c])
    acts.table(world, A, [(ANNA, PPM)])
    acts.table(world, B, [(ANNA, 500_000), (BERT, 500_000)])
    acts.table(world, c, [(CLEO, PPM)])
    acts.tariff(world, amount=90)
    acts.scheme(world, basis="per_holder", reserve_ppm=0)
    acts.grant(world)
    acts.accept(world)
    acts.version(world)
    acts.open_run(world, [A, B, c])
    acts.bill(world, net=90, vat=0)
    acts.pay(world)
    _, shared = acts.plan_distribution(world)
    assert {(x.recording, x.party): x.gross for x in shared.lines} == {
        (A, ANNA): 20,
        (B, ANNA): 10,
        (B, BERT): 30,
        (c, UNKNOWN_PARTY): 30,
    }


def test_a_licence_that_cannot_clear_a_recording_makes_way(world: World) -> None:
    """Of two licences, the one that takes sides singly covers what the other can't."""
    acts.catalogue(world, [A])
    acts.table(world, A, [(ANNA, PPM)])
    acts.tariff(world)
    both = terms.SideWeights(composition=1, master=1, performer=0)
    acts.scheme(world, clear="all", sides=both)
    whole = acts.grant(world, covers=acts.covers(sides=["composition", "master"]))
    acts.accept(world)
    acts.scheme(world)
    single = acts.grant(world)
    acts.accept(world)
    acts.version(world)
    acts.open_run(world, [A], licences=[whole, single])
    counts = [
        world.state.covered.get((world.lab.party, acts.RUN, licence))
        for licence in (whole, single)
    ]
    assert counts == [0, 1]
    assert findings(world) == {}


def by_duration(world: World, recordings: list[CatalogueLine], **scheme: Any) -> None:  # noqa: ANN401
    """License recordings by their duration, and train on them and a strange one."""
    acts.catalogue(world, recordings)
    for line in recordings:
        acts.table(world, line.external, [(ANNA, PPM)])
    acts.tariff(world, amount=12)
    acts.scheme(world, basis="duration", outside="reduce", reserve_ppm=0, **scheme)
    acts.grant(world)
    acts.accept(world)
    acts.version(world)


def shared(world: World) -> dict[tuple[str, str], int]:
    """Bill and pay the run; give what each recording gets, paid or waiting."""
    acts.bill(world, net=12, vat=0)
    acts.pay(world)
    _, found = acts.plan_distribution(world)
    acts.distribute(world)
    return {(line.recording, line.state): line.gross for line in found.lines}


def test_what_is_outside_weighs_by_the_licensors_own_duration(world: World) -> None:
    """An uncovered recording that the licensor knows keeps its part of the weights."""
    acts.catalogue(world, [CatalogueLine(external=B, ms=5_000)])
    acts.catalogue(world, [CatalogueLine(external=STRANGE, ms=9_000)], by=world.rival)
    by_duration(world, [CatalogueLine(external=A, ms=1_000)])
    acts.open_run(world, [A, B, STRANGE])
    # The rival's duration of the strange recording says nothing here.
    assert shared(world) == {(A, "payable"): 2, (B, "suspense"): 10}


def test_a_duration_that_came_late_is_used(world: World) -> None:
    """A licensor that forgot a duration brings it in by another catalogue."""
    by_duration(
        world,
        [CatalogueLine(external=A, ms=1), CatalogueLine(external=B)],
    )
    acts.open_run(world)
    late = CatalogueLine(external=B, ms=2)
    acts.catalogue(world, [CatalogueLine(external=B, ms=7)], by=world.rival)
    acts.catalogue(world, [late])
    assert shared(world) == {(A, "payable"): 4, (B, "payable"): 8}


def test_the_licences_own_catalogue_has_the_duration(world: World) -> None:
    """Of two durations of the licensor's, the one that was licensed counts."""
    acts.catalogue(world, [CatalogueLine(external=A, ms=9)])
    by_duration(
        world,
        [CatalogueLine(external=A, ms=1), CatalogueLine(external=B, ms=2)],
    )
    acts.open_run(world)
    assert shared(world) == {(A, "payable"): 4, (B, "payable"): 8}
