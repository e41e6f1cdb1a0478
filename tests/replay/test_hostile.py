"""Hostile but well-signed: no sequence of allowed events makes money or stops a log."""

from __future__ import annotations

from typing import Any

from ledger.events import terms
from ledger.events.types import PPM
from tests.replay import acts
from tests.replay import stages
from tests.replay.acts import A
from tests.replay.acts import B
from tests.replay.making import refusal
from tests.replay.world import ANNA
from tests.replay.world import BERT
from tests.replay.world import World

BIG = 2**62


def priced(world: World, amount: int, **scheme: Any) -> World:  # noqa: ANN401
    """License again, at another price and without deductions."""
    rates: dict[str, Any] = {"cultural_ppm": 0, "fee_ppm": 0, "reserve_ppm": 0}
    acts.tariff(world, amount=amount)
    acts.scheme(world, **{**rates, **scheme})
    acts.grant(world)
    acts.accept(world)
    return world


def all_to(world: World, party: bytes) -> None:
    """Register a party as the only holder of both recordings."""
    for recording in (A, B):
        acts.table(world, recording, [(party, PPM)])


def earn(world: World, run: str, net: int) -> int:
    """Train, bill, take the money in and share it out."""
    acts.open_run(world, run=run)
    acts.bill(world, run=run, net=net, vat=0)
    acts.pay(world)
    return acts.distribute(world, run=run)


def test_a_due_of_nothing_is_not_reversed_under_its_distribution(
    licensed: World,
) -> None:
    """The pool of a distribution stays, so that the distribution can be reversed."""
    world = priced(licensed, 0)
    acts.open_run(world)
    due = acts.bill(world, net=0, vat=0)
    shared = acts.distribute(world)
    assert refusal(lambda: acts.reverse(world, due)).code == "pool-closed"
    acts.reverse(world, shared)
    acts.reverse(world, due)
    assert acts.bill(world, net=0, vat=0) == world.log.size - 1


def test_reversed_instalments_fund_exactly_the_net(licensed: World) -> None:
    """However payments are split and reversed, no VAT leaks into a pool."""
    world = priced(licensed, 2)
    acts.open_run(world)
    due = acts.bill(world, net=2, vat=1)
    pool = world.state.dues.need(due).pool
    first = acts.pay(world, amount=1)
    acts.pay(world, amount=1)
    acts.reverse(world, first)
    acts.pay(world, amount=1)
    acts.pay(world, amount=1)
    assert world.state.pools.need(pool).funded == 2
    key = (world.society.party, "liability", "due", pool, "SEK")
    assert world.state.accounts.get(key) is None


def test_sums_over_time_stay_within_64_bits(licensed: World) -> None:
    """The same money, earned again and again, is refused before a sum overflows."""
    world = priced(licensed, BIG)
    all_to(world, ANNA)
    earn(world, "1", BIG)
    acts.pay_out(world)
    acts.settle(world)
    assert refusal(lambda: earn(world, "2", BIG)).code == "amount-too-large"
    assert world.state.credits.need((ANNA, "SEK")).credited == BIG


def test_balances_that_offset_each_other_stay_within_64_bits(licensed: World) -> None:
    """One party in debt and another in credit can't hide an overflow in their sum."""
    part = (2 * BIG - 1) // 3
    world = priced(licensed, part)
    all_to(world, ANNA)
    shared = {}
    for run in ("1", "2", "3"):
        shared[run] = earn(world, run, part)
        acts.pay_out(world)
        acts.settle(world)
    all_to(world, BERT)
    for run, entry in shared.items():
        acts.reverse(world, entry)
        acts.distribute(world, run=run)
    gross = part // 10_000 * 10_000
    # What was below the minor unit stayed, and was paid with the next batch.
    owed = {
        key[3]: -sum_
        for key, sum_ in world.state.accounts.items()
        if key[2] == "payable"
    }
    assert owed[BERT] == 3 * part
    assert -3 * part <= owed[ANNA] <= -3 * gross
    assert refusal(lambda: earn(world, "4", part)).code == "amount-too-large"


def test_a_due_beyond_64_bits_is_refused(licensed: World) -> None:
    """Net and VAT together must fit, too."""
    world = priced(licensed, 2 * BIG - 1)
    acts.open_run(world)
    error = refusal(lambda: acts.bill(world, net=2 * BIG - 1, vat=1))
    assert error.code == "amount-too-large"


def test_a_due_of_exactly_64_bits_is_taken(licensed: World) -> None:
    """The greatest amount there is can be billed, paid, shared out and paid out."""
    most = 2 * BIG - 1
    world = priced(licensed, most)
    all_to(world, ANNA)
    earn(world, "1", most)
    acts.pay_out(world)
    acts.settle(world)
    trust = world.state.general.need((world.society.party, "asset", "trust", "SEK"))
    gross = most // 10_000 * 10_000
    assert trust == most - gross + gross * 3 // 100_000 * 10_000


def test_tariffs_charge_by_slab_or_by_part(licensed: World) -> None:
    """Two recordings from a band at 2: all at its price, or none of them yet."""
    bands = [
        terms.TariffBand(each=100, fixed=7, start=0),
        terms.TariffBand(each=30, fixed=1, start=2),
    ]
    for banding, price in (("slab", 61), ("graduated", 207)):
        body = terms.Tariff(banding=banding, bands=bands, currency="SEK", per="run")  # type: ignore[arg-type]
        licensed.at["tariff"] = licensed.society.say("tariff", body)
        acts.grant(licensed)
        acts.accept(licensed)
        acts.open_run(licensed, run=banding)
        acts.bill(licensed, run=banding, net=price)


def test_a_key_of_a_node_may_be_as_long_as_an_id(world: World) -> None:
    """An id as long as the format allows can stand in a published node."""
    name = "n" * 900 + ":x"
    stages.registered(world)
    acts.table(world, name, [(ANNA, PPM)])
    acts.catalogue(world, [A, name])
    priced(world, 3)
    acts.version(world)
    acts.open_run(world, [A, name])
    acts.bill(world, net=3, vat=0)
    acts.pay(world)
    acts.distribute(world)
    assert world.log.state.distributions.get(world.at["distribution"]) is not None
