"""What a scheme says of sides, cover, weights and heads (money.md §1, §2)."""

from __future__ import annotations

from typing import Any

from ledger.events import terms
from ledger.events.lines import CatalogueLine
from ledger.events.types import PPM
from ledger.events.types import UNKNOWN_PARTY
from tests.replay import acts
from tests.replay.acts import STRANGE
from tests.replay.acts import A
from tests.replay.acts import B
from tests.replay.outcomes import findings
from tests.replay.outcomes import gross
from tests.replay.world import ANNA
from tests.replay.world import BERT
from tests.replay.world import CLEO
from tests.replay.world import World

LINES = ((ANNA, PPM, "owner"),)


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
