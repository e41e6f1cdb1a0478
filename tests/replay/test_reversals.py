"""Whatever was done can be undone, in the order that undoes it, and done again."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import pytest

from ledger.errors import LedgerError
from tests.replay import acts
from tests.replay.checks import check_books
from tests.replay.checks import check_credits
from tests.replay.making import refusal
from tests.replay.world import World

Stage = Callable[[str], World]
STEPS = ("due", "payment", "distribution", "payout")
BEFORE = {"due": ("due-paid", "payment"), "payment": ("pool-closed", "distribution")}
"""What refuses a reversal, and what has to be undone first."""


def accounts(world: World) -> dict[tuple[str, object], int]:
    """Give every balance by account type and subject."""
    return {(key[2], key[3]): amount for key, amount in world.state.accounts.items()}


@pytest.mark.parametrize("order", list(permutations(STEPS)), ids="-".join)
def test_all_is_undone_in_any_order_that_undoes(
    order: tuple[str, ...], stage: Stage
) -> None:
    """A due after its payment, that after its distribution; then nothing is left."""
    world = stage("paid_out")
    undone: set[str] = set()
    while len(undone) < len(STEPS):
        for step in order:
            code, first = BEFORE.get(step, ("", ""))
            entry = world.at[step]
            if step in undone:
                error = refusal(lambda entry=entry: acts.reverse(world, entry))  # type: ignore[misc]
                assert error.code == "already-reversed"
            elif code and first not in undone:
                error = refusal(lambda entry=entry: acts.reverse(world, entry))  # type: ignore[misc]
                assert error.code == code
            else:
                acts.reverse(world, entry)
                undone.add(step)
            check_books(world.state)
            check_credits(world.state)
    assert accounts(world) == {}
    assert dict(world.state.general.items()) == {}
    assert world.replayed().digest() == world.state.digest()


def test_what_was_undone_can_be_done_again(stage: Stage) -> None:
    """The same life a second time comes to the same balances."""
    world = stage("paid_out")
    before = accounts(world)
    for step in reversed(STEPS):
        acts.reverse(world, world.at[step])
    acts.bill(world)
    acts.pay(world)
    acts.distribute(world)
    acts.pay_out(world)
    assert accounts(world) == before


def test_a_distribution_that_was_paid_out_leaves_a_debt(stage: Stage) -> None:
    """Parties owe back what they were sent; what they earn next is set against it."""
    world = stage("paid_out")
    acts.settle(world)
    acts.reverse(world, world.at["distribution"])
    payable = {
        key[1]: sum_ for key, sum_ in accounts(world).items() if key[0] == "payable"
    }
    assert sorted(payable.values()) == [15_450_000, 42_510_000]
    assert acts.plan_payout(world) == []
    acts.distribute(world)
    payable = {
        key[1]: sum_ for key, sum_ in accounts(world).items() if key[0] == "payable"
    }
    assert sorted(payable.values()) == [-8_400, -601]


@pytest.mark.parametrize("outcome", ["confirmed", "failed"])
def test_a_payout_with_a_result_is_not_reversed(
    outcome: acts.Outcome, stage: Stage
) -> None:
    """Even one line whose fate is known keeps the batch from being undone."""
    world = stage("paid_out")
    _, bert = acts.plan_payout_of(world, world.at["payout"])
    acts.settle(world, outcome, [bert])
    error = refusal(lambda: acts.reverse(world, world.at["payout"]))
    assert error.code == "payout-settled"


OUTCOMES: tuple[acts.Outcome, ...] = ("confirmed", "failed", "returned")


@pytest.mark.parametrize("first", OUTCOMES)
@pytest.mark.parametrize("second", OUTCOMES)
@pytest.mark.parametrize("third", OUTCOMES)
def test_results_follow_each_other_only_as_banks_do(
    first: acts.Outcome, second: acts.Outcome, third: acts.Outcome, stage: Stage
) -> None:
    """A line in transit is confirmed or failed, a confirmed one returned; no more."""
    world = stage("paid_out")
    start = accounts(stage("shared_out"))
    anna, _ = acts.plan_payout_of(world, world.at["payout"])
    state = "transit"
    for outcome in (first, second, third):
        wanted = "confirmed" if outcome == "returned" else "transit"
        if state == wanted:
            acts.settle(world, outcome, [anna])
            state = outcome
        else:
            with pytest.raises(LedgerError):
                acts.settle(world, outcome, [anna])
        row = world.state.payout_lines.need((world.at["payout"], anna.party))
        assert row.state == state
        check_books(world.state)
        check_credits(world.state)
    owed = (
        accounts(world).get(("payable", anna.party), 0) - start["payable", anna.party]
    )
    expected = {"failed": 0, "returned": anna.tax}.get(state, anna.gross)
    assert owed == expected


def test_lines_that_fail_one_by_one_undo_all_of_the_tax(stage: Stage) -> None:
    """Some by their lines, the rest at once: nothing stays withheld or in transit."""
    world = stage("paid_out")
    _, bert = acts.plan_payout_of(world, world.at["payout"])
    acts.settle(world, "failed", [bert])
    acts.settle(world, "failed")
    assert accounts(world) == accounts(stage("shared_out"))
    row = world.state.payouts.need(world.at["payout"])
    left = (row.transit_gross, row.transit_sent, row.transit_tax)
    assert (*left, row.confirmed_gross, row.confirmed_sent) == (0, 0, 0, 0, 0)


def test_a_payout_starts_with_all_of_it_in_transit(stage: Stage) -> None:
    """Nothing is confirmed and no result is known."""
    world = stage("paid_out")
    row = world.state.payouts.need(world.at["payout"])
    left = (row.transit_gross, row.transit_sent, row.transit_tax)
    assert left == (57_960_000, 40_580_000, 17_380_000)
    assert (row.confirmed_gross, row.confirmed_sent, row.results) == (0, 0, 0)


def test_lines_that_come_back_one_by_one_leave_nothing_confirmed(stage: Stage) -> None:
    """What was confirmed can come back once, whole or in parts."""
    world = stage("paid_out")
    _, bert = acts.plan_payout_of(world, world.at["payout"])
    acts.settle(world)
    acts.settle(world, "returned", [bert])
    acts.settle(world, "returned")
    row = world.state.payouts.need(world.at["payout"])
    assert (row.confirmed_gross, row.confirmed_sent, row.results) == (0, 0, 3)
    error = refusal(lambda: acts.settle(world, "returned"))
    assert error.code == "result-exceeded"
    assert accounts(world)["trust", b""] == acts.NET + acts.VAT


def test_a_payout_of_nothing_has_no_result(stage: Stage) -> None:
    """An empty batch is a fact, and nothing can become of it; it can be reversed."""
    world = stage("shared_out")
    payout = acts.pay_out(world, [])
    for outcome in OUTCOMES:
        error = refusal(lambda outcome=outcome: acts.settle(world, outcome))  # type: ignore[misc]
        assert error.code == "result-exceeded"
    acts.reverse(world, payout)
