"""Refusals of dues, payments, distributions, payouts, results and reversals."""

from __future__ import annotations

from typing import Any

from ledger.events import payments
from ledger.events.lines import CatalogueLine
from ledger.events.lines import PayoutLine
from ledger.events.types import INTEGER_MAX
from ledger.events.types import ManifestRef
from ledger.replay.rules_payments import pool_id
from tests.replay import acts
from tests.replay.acts import NET
from tests.replay.acts import VAT
from tests.replay.provoke.case import case
from tests.replay.world import ANNA
from tests.replay.world import BERT
from tests.replay.world import World

# ── dues ─────────────────────────────────────────────────────────────────────


@case("licence-unknown", "trained")
def billing_for_another_society(world: World) -> object:
    return acts.bill(world, by=world.rival)


@case("licence-not-accepted", "trained")
def billing_before_acceptance(world: World) -> object:
    return acts.bill(world, licence=acts.grant(world))


@case("run-unknown", "trained")
def billing_a_run_that_is_not_there(world: World) -> object:
    return acts.bill(world, run="other")


@case("run-not-under-licence", "trained")
def billing_a_run_under_another_licence(world: World) -> object:
    acts.grant(world)
    acts.accept(world)
    return acts.bill(world)


@case("due-amount", "trained")
def billing_more_than_the_tariff(world: World) -> object:
    return acts.bill(world, net=NET + 1)


@case("due-amount", "trained")
def billing_in_other_money(world: World) -> object:
    return acts.bill(world, currency="JPY")


@case("due-quantity", "trained")
def billing_for_more_recordings(world: World) -> object:
    return acts.bill(world, quantity=3)


@case("already-billed", "billed")
def billing_twice(world: World) -> object:
    return acts.bill(world)


@case("already-billed", "licensed")
def billing_a_version_twice(world: World) -> object:
    acts.tariff(world, per="version")
    acts.grant(world)
    acts.accept(world)
    acts.open_run(world)
    acts.open_run(world, run="other")
    acts.bill(world)
    return acts.bill(world, run="other")


@case("amount-too-large", "trained")
def billing_more_vat_than_fits(world: World) -> object:
    return acts.bill(world, vat=INTEGER_MAX)


# ── payments ─────────────────────────────────────────────────────────────────


@case("party-unknown", "billed")
def a_payment_by_nobody(world: World) -> object:
    return acts.pay(world, payer=b"nobody".ljust(16))


@case("over-applied", "billed")
def a_payment_of_more_than_the_due(world: World) -> object:
    return acts.pay(world, amount=NET + VAT + 1)


@case("due-unknown", "billed")
def a_payment_of_what_is_no_due(world: World) -> object:
    return acts.pay(world, due=world.at["run"])


@case("due-unknown", "billed")
def a_payment_of_the_due_of_another(world: World) -> object:
    return acts.pay(world, by=world.rival)


@case("due-unknown", "billed")
def a_payment_of_a_reversed_due(world: World) -> object:
    acts.reverse(world, world.at["due"])
    return acts.pay(world)


@case("currency-mismatch", "billed")
def a_payment_in_other_money(world: World) -> object:
    return acts.pay(world, currency="JPY")


@case("pool-closed", "shared_out")
def a_payment_after_the_distribution(world: World) -> object:
    return acts.pay(world, amount=1)


@case("payment-exceeded", "billed")
def a_payment_that_applies_more_than_it_is(world: World) -> object:
    return acts.pay(world, gross=NET + VAT - 1)


@case("payment-exceeded", "billed")
def charges_above_the_payment(world: World) -> object:
    return acts.pay(world, charges=NET + VAT + 1)


@case("not-ascending", "billed")
def one_due_twice_in_a_payment(world: World) -> object:
    twice = [payments.Application(amount=1, due=world.at["due"])] * 2
    return acts.pay(world, applies=twice)


@case("currency-unknown", "billed")
def a_payment_in_money_that_is_not_counted(world: World) -> object:
    return acts.pay(world, amount=0, currency="USD")


# ── distributions ────────────────────────────────────────────────────────────


@case("due-unpaid", "billed")
def sharing_out_before_it_is_paid(world: World) -> object:
    acts.pay(world, amount=NET + VAT - 1)
    return acts.distribute(world)


def claim(world: World, **fields: Any) -> object:  # noqa: ANN401
    """Share out by no rule: all that is in the pool waits for nobody knows what."""
    licence = world.at["licence"]
    said = payments.Distribution(
        currency="SEK",
        licence=licence,
        lines=ManifestRef(lines=0, order="", root=bytes(32), sealed=False, totals={}),
        mode="close",
        nodes=[],
        pool=pool_id(licence, acts.RUN),
        reserve=0,
        run=acts.RUN,
        total=NET,
        unallocated=NET,
    )
    return world.society.say(
        "distribution",
        lambda refs: acts.change(said, {**fields, "lines": refs["lines"]}),
        lines=[],
    )


@case("pool-unknown", "trained")
def sharing_out_what_nobody_billed(world: World) -> object:
    return claim(world)


@case("pool-unknown", "paid")
def sharing_out_another_pool(world: World) -> object:
    return acts.distribute(world, pool=bytes(16))


@case("pool-closed", "shared_out")
def sharing_out_twice(world: World) -> object:
    return acts.distribute(world)


@case("currency-mismatch", "paid")
def sharing_out_in_other_money(world: World) -> object:
    return acts.distribute(world, currency="JPY")


@case("distribution-total", "paid")
def sharing_out_without_the_reserve(world: World) -> object:
    return acts.distribute(world, reserve=0)


@case("distribution-nodes", "paid")
def other_nodes(world: World) -> object:
    return acts.distribute(world, nodes=[])


@case("distribution-lines", "paid")
def a_line_too_few(world: World) -> object:
    _, shared = acts.plan_distribution(world)
    first, second, *rest = shared.lines
    joined = acts.change(first, {"gross": first.gross + second.gross})
    return acts.distribute(world, lines=[joined, *rest])


@case("totals-not-whole", "paid")
def lines_that_are_not_the_total(world: World) -> object:
    return acts.distribute(world, unallocated=1)


@case("totals-not-whole", "paid")
def deductions_above_the_gross(world: World) -> object:
    _, shared = acts.plan_distribution(world)
    first, *rest = shared.lines
    greedy = acts.change(first, {"fee": 10 * NET})
    return acts.distribute(world, lines=[greedy, *rest])


@case("duration-missing", "licensed")
def sharing_by_a_duration_that_nobody_knows(world: World) -> object:
    unmeasured = "demo:unmeasured"
    acts.catalogue(world, [CatalogueLine(external=unmeasured)])
    acts.table(world, unmeasured, [(ANNA, 1_000_000)])
    acts.scheme(world, basis="duration")
    acts.grant(world)
    acts.accept(world)
    acts.open_run(world, [unmeasured])
    acts.bill(world)
    acts.pay(world)
    return claim(world, reserve=5_000_000, total=95_000_001, unallocated=95_000_001)


# ── payouts and results ──────────────────────────────────────────────────────


def line(party: bytes, gross: int, tax: int) -> PayoutLine:
    """Make a line whose sums add up."""
    return PayoutLine(gross=gross, party=party, sent=gross - tax, tax=tax)


@case("payout-above-balance", "shared_out")
def paying_out_more_than_is_owed(world: World) -> object:
    return acts.pay_out(world, [line(ANNA, 42_520_000, 0)])


@case("payout-above-balance", "paid_out")
def paying_out_twice(world: World) -> object:
    return acts.pay_out(world, acts.plan_payout_of(world, world.at["payout"]))


@case("payout-above-balance", "shared_out")
def paying_out_for_another_society(world: World) -> object:
    return acts.pay_out(world, by=world.rival)


@case("below-threshold", "shared_out")
def paying_out_below_the_threshold(world: World) -> object:
    return acts.pay_out(world, threshold=15_458_401)


@case("payout-amount", "shared_out")
def paying_out_less_than_is_owed(world: World) -> object:
    return acts.pay_out(world, [line(ANNA, 42_500_000, 12_750_000)])


@case("payout-amount", "shared_out")
def withholding_too_little(world: World) -> object:
    return acts.pay_out(world, [line(ANNA, 42_510_000, 12_740_000)])


@case("totals-not-whole", "shared_out")
def sums_sent_that_are_not_the_gross(world: World) -> object:
    return acts.pay_out(world, [PayoutLine(gross=3, party=ANNA, sent=1, tax=1)])


@case("currency-unknown", "shared_out")
def paying_out_money_that_is_not_counted(world: World) -> object:
    return acts.pay_out(world, currency="USD")


@case("payout-unknown", "shared_out")
def a_result_of_no_payout(world: World) -> object:
    return acts.settle(world, payout=world.at["due"])


@case("payout-unknown", "paid_out")
def a_result_of_the_payout_of_another(world: World) -> object:
    return acts.settle(world, by=world.rival)


@case("payout-unknown", "paid_out")
def a_result_of_a_reversed_payout(world: World) -> object:
    acts.reverse(world, world.at["payout"])
    return acts.settle(world)


@case("result-exceeded", "paid_out")
def confirming_twice(world: World) -> object:
    acts.settle(world)
    return acts.settle(world)


@case("result-exceeded", "paid_out")
def returning_what_was_never_confirmed(world: World) -> object:
    return acts.settle(world, "returned")


@case("result-line", "paid_out")
def confirming_another_sum(world: World) -> object:
    return acts.settle(world, settled=[line(ANNA, 42_500_000, 12_750_000)])


@case("result-line", "paid_out")
def confirming_a_line_twice(world: World) -> object:
    anna, bert = acts.plan_payout_of(world, world.at["payout"])
    acts.settle(world, settled=[bert])
    del anna
    return acts.settle(world, settled=[bert])


@case("result-line", "paid_out")
def confirming_for_somebody_else(world: World) -> object:
    anna, _ = acts.plan_payout_of(world, world.at["payout"])
    return acts.settle(world, settled=[acts.change(anna, {"party": BERT})])


@case("trust-overdrawn", "paid_out")
def charges_out_of_money_that_is_not_there(world: World) -> object:
    return acts.settle(world, charges=NET + VAT)


@case("trust-overdrawn", "paid_out")
def too_high_charges_on_what_went_to_somebody_else(world: World) -> object:
    anna, _ = acts.plan_payout_of(world, world.at["payout"])
    wrong = acts.change(anna, {"party": BERT})
    return acts.settle(world, settled=[wrong], charges=NET + VAT)


# ── reversals ────────────────────────────────────────────────────────────────


@case("not-reversible", "billed")
def reversing_a_run(world: World) -> object:
    return acts.reverse(world, world.at["run"])


@case("not-reversible", "billed")
def reversing_for_another(world: World) -> object:
    return acts.reverse(world, world.at["due"], by=world.rival)


@case("not-reversible", "billed")
def reversing_a_reversal(world: World) -> object:
    return acts.reverse(world, acts.reverse(world, world.at["due"]))


@case("already-reversed", "billed")
def reversing_twice(world: World) -> object:
    acts.reverse(world, world.at["due"])
    return acts.reverse(world, world.at["due"])


@case("due-paid", "paid")
def reversing_a_due_that_is_paid(world: World) -> object:
    return acts.reverse(world, world.at["due"])


@case("pool-closed", "shared_out")
def reversing_a_payment_that_was_shared_out(world: World) -> object:
    return acts.reverse(world, world.at["payment"])


@case("pool-closed", "licensed")
def reversing_a_due_of_nothing_that_was_shared_out(world: World) -> object:
    acts.tariff(world, amount=0)
    acts.grant(world)
    acts.accept(world)
    acts.open_run(world)
    due = acts.bill(world, net=0, vat=0)
    acts.distribute(world)
    return acts.reverse(world, due)


@case("payout-settled", "paid_out")
def reversing_a_payout_that_arrived(world: World) -> object:
    acts.settle(world)
    return acts.reverse(world, world.at["payout"])


@case("trust-overdrawn", "paid_out")
def reversing_a_payment_that_was_paid_out(world: World) -> object:
    acts.settle(world)
    acts.reverse(world, world.at["distribution"])
    return acts.reverse(world, world.at["payment"])
