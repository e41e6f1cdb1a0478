"""Refusals of catalogues, shares, tariffs, schemes, licences, versions and runs."""

from __future__ import annotations

from typing import Any

from ledger.events import rights
from ledger.events import terms
from ledger.events import training
from ledger.events.lines import CatalogueLine
from ledger.events.lines import ShareLine
from ledger.events.types import PPM
from tests.replay import acts
from tests.replay.acts import A
from tests.replay.acts import B
from tests.replay.provoke.case import case
from tests.replay.world import ANNA
from tests.replay.world import BERT
from tests.replay.world import World

NOBODY = b"nobody".ljust(16)


def share(place: int, ppm: int, **fields: Any) -> ShareLine:  # noqa: ANN401
    """Make a line of Anna's, but for the fields given."""
    line = ShareLine(
        party=ANNA, place=place, ppm=ppm, role="owner", side="master", subject=A
    )
    changed: ShareLine = acts.change(line, fields)
    return changed


def tables(world: World, *lines: ShareLine) -> object:
    """Register tables by a manifest."""
    return world.society.say(
        "shares",
        lambda refs: rights.Shares(effective=0, kind="transfer", lines=refs["lines"]),
        lines=lines,
    )


@case("works-not-whole")
def works_that_are_half_the_recording(world: World) -> object:
    return acts.catalogue(world, [CatalogueLine(external=A, works=[("w:1", 500_000)])])


@case("works-not-whole")
def a_work_twice(world: World) -> object:
    works = [("w:1", 500_000), ("w:1", 500_000)]
    return acts.catalogue(world, [CatalogueLine(external=A, works=works)])


@case("party-unknown")
def a_share_for_nobody(world: World) -> object:
    return acts.table(world, A, [(NOBODY, PPM)])


@case("party-unknown")
def a_line_for_nobody(world: World) -> object:
    return tables(world, share(0, PPM, party=NOBODY))


@case("shares-not-whole")
def a_table_above_the_whole(world: World) -> object:
    return acts.table(world, A, [(ANNA, PPM), (BERT, 1)])


@case("shares-not-whole")
def lines_below_the_whole(world: World) -> object:
    return tables(world, share(0, 999_999))


@case("bad-places")
def lines_that_skip_a_place(world: World) -> object:
    return tables(world, share(0, 500_000), share(2, 500_000))


@case("bad-role")
def a_performer_who_owns(world: World) -> object:
    return acts.table(world, A, [(ANNA, PPM)], side="performer")


@case("bad-role")
def a_performer_line_without_a_role(world: World) -> object:
    return tables(world, share(0, PPM, side="performer"))


@case("bad-fields")
def shares_of_both_forms(world: World) -> object:
    row = rights.ShareRow(party=ANNA, ppm=PPM, role="owner")
    table = rights.ShareTable(lines=[row], side="master", subject=A)
    return world.society.say(
        "shares",
        lambda refs: rights.Shares(
            effective=0, kind="transfer", lines=refs["lines"], table=table
        ),
        lines=[],
    )


@case("currency-unknown")
def a_tariff_in_other_money(world: World) -> object:
    return acts.tariff(world, currency="USD")


@case("bad-fields")
def a_tariff_without_a_price(world: World) -> object:
    return world.society.say("tariff", terms.Tariff(currency="SEK", per="run"))


@case("bad-bands")
def bands_that_start_late(world: World) -> object:
    bands = [terms.TariffBand(each=1, fixed=0, start=1)]
    body = terms.Tariff(banding="slab", bands=bands, currency="SEK", per="run")
    return world.society.say("tariff", body)


@case("no-sides")
def a_scheme_for_no_side(world: World) -> object:
    nothing = terms.SideWeights(composition=0, master=0, performer=0)
    return acts.scheme(world, sides=nothing)


@case("rates-above-whole")
def rates_that_take_more_than_there_is(world: World) -> object:
    return acts.scheme(
        world, cultural_base="gross", cultural_ppm=500_001, fee_ppm=500_000
    )


@case("tariff-unknown", "licensed")
def a_licence_on_the_tariff_of_another(world: World) -> object:
    return acts.grant(world, tariff=acts.tariff(world, by=world.rival))


@case("scheme-unknown", "licensed")
def a_licence_on_a_scheme_that_is_none(world: World) -> object:
    return acts.grant(world, scheme=world.at["tariff"])


@case("catalogue-unknown", "licensed")
def a_licence_of_the_catalogue_of_another(world: World) -> object:
    return acts.grant(world, catalogues=[acts.catalogue(world, [B], by=world.rival)])


@case("lab-unknown", "licensed")
def a_licence_for_no_lab(world: World) -> object:
    return acts.grant(world, lab=world.guest.party)


@case("not-ascending", "licensed")
def catalogues_in_disorder(world: World) -> object:
    return acts.grant(world, catalogues=[world.at["catalogue"]] * 2)


@case("bad-fields", "licensed")
def every_version_and_one(world: World) -> object:
    named = [terms.ModelName(model="oak", version="1")]
    return acts.grant(world, covers=acts.covers(versions=named))


@case("licence-unknown")
def accepting_what_nobody_granted(world: World) -> object:
    return acts.accept(world, 3)


@case("not-licensee", "licensed")
def accepting_for_another_lab(world: World) -> object:
    return acts.accept(world, acts.grant(world), by=world.other_lab)


@case("already-accepted", "licensed")
def accepting_twice(world: World) -> object:
    return acts.accept(world)


@case("version-exists", "licensed")
def a_version_twice(world: World) -> object:
    return acts.version(world)


@case("version-unknown")
def a_version_that_descends_from_itself(world: World) -> object:
    itself = training.Ancestor(lab=world.lab.party, model="oak", version="1")
    return acts.version(world, parents=[itself])


@case("version-unknown", "licensed")
def a_run_of_the_version_of_another_lab(world: World) -> object:
    return acts.open_run(world, by=world.other_lab, licences=[])


@case("run-exists", "trained")
def a_run_twice(world: World) -> object:
    # The same name with another dataset: the same would be a root used twice.
    return acts.open_run(world, [A])


@case("licence-unknown", "licensed")
def a_run_under_the_licence_of_another_lab(world: World) -> object:
    acts.version(world, by=world.other_lab)
    return acts.open_run(world, by=world.other_lab)


@case("run-unknown")
def closing_what_nobody_opened(world: World) -> object:
    return acts.close_run(world)


@case("run-closed", "trained")
def closing_twice(world: World) -> object:
    acts.close_run(world)
    return acts.close_run(world)


@case("bad-times", "trained")
def a_run_that_ended_before_it_started(world: World) -> object:
    return acts.close_run(world, ended=0)


@case("bad-fields", "trained")
def a_close_with_half_of_an_opening(world: World) -> object:
    return acts.close_run(world, model="oak")
