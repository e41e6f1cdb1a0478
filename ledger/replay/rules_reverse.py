"""The rule of reversal: every posting negated, once (money.md §8).

Dues, payments, distributions and payouts can be reversed by their author, in
the order that undoes them: a due while nothing is paid on it, a payment while
its pool is open, a payout while no result is known. A distribution can be
reversed even after it was paid out; that is one of the few ways in which a
party's balance becomes negative (money.md §6).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

import msgspec

from ledger.accounting import postings
from ledger.accounting.chart import negate
from ledger.errors import ConflictError
from ledger.errors import InputError
from ledger.replay.outcome import Context
from ledger.replay.outcome import Outcome
from ledger.replay.outcome import Put
from ledger.replay.rows import NEVER
from ledger.replay.rules_distribution import undistribute
from ledger.replay.rules_distribution import undistribute_full
from ledger.replay.rules_payments import unpay
from ledger.replay.rules_payouts import unpay_out_full

if TYPE_CHECKING:
    from ledger.events.payments import Reverse


def _target(context: Context, index: int) -> tuple[Any, Any]:
    """Find what is reversed: its table and row, the author's own."""
    state = context.state
    for table in (state.dues, state.payments, state.distributions, state.payouts):
        row: Any = table.get(index)
        if row is None:
            continue
        if row.society != context.author:
            break
        if row.reversed != NEVER:
            raise ConflictError(
                "already-reversed", f"entry {row.reversed} reversed it already"
            )
        return table, row
    raise InputError(
        "not-reversible",
        f"entry {index} is no due, payment, distribution or payout of the author",
    )


def reverse(context: Context, body: Reverse) -> Outcome:
    """Undo an entry in the general ledger."""
    state = context.state
    table, row = _target(context, body.entry)
    puts: list[Put] = [
        (table, body.entry, msgspec.structs.replace(row, reversed=context.index))
    ]
    if table is state.dues:
        if row.paid:
            raise ConflictError(
                "due-paid",
                f"{row.paid} µ are paid on due {body.entry}",
                hint="reverse the payments first",
            )
        # A due of nothing is paid from the start, and its pool may be closed.
        if state.pools.need(row.pool).closed != NEVER:
            raise ConflictError(
                "pool-closed",
                f"the pool of due {body.entry} has been distributed",
                hint="reverse the distribution first",
            )
        legs = postings.due(
            row.society, row.lab, row.pool, row.currency, net=row.net, vat=row.vat
        )
        puts += [(state.billed, row.billed, None), (state.pools, row.pool, None)]
    elif table is state.payments:
        puts += unpay(state, row)
        legs = _payment_postings(context, row)
    elif table is state.distributions:
        puts += undistribute(state, body.entry, row)
        legs = postings.distribution_totals(
            row.society,
            row.pool,
            row.currency,
            reserve=row.reserve,
            total=row.total,
            fee=row.fee,
            cultural=row.cultural,
            net=row.net,
        )
    else:
        if row.results:
            raise ConflictError(
                "payout-settled", f"results of payout {body.entry} are known"
            )
        legs = postings.payout_totals(
            row.society,
            row.currency,
            gross=row.transit_gross,
            sent=row.transit_sent,
            tax=row.transit_tax,
        )
    return Outcome(tuple(puts), negate(legs))


def _payment_postings(context: Context, row: Any) -> postings.Postings:  # noqa: ANN401
    dues = context.state.dues
    applications = []
    for due_index, amount, funded in row.applied:
        due = dues.need(due_index)
        applications.append((due.lab, due.pool, amount, funded))
    return postings.payment(
        row.society,
        row.payer,
        row.currency,
        gross=row.gross,
        charges=row.charges,
        applications=applications,
    )


def reverse_full(context: Context, body: Reverse, outcome: Outcome) -> Outcome:
    """Undo it line by line where it had lines."""
    state = context.state
    table, row = _target(context, body.entry)
    if table is state.distributions:
        legs, puts = undistribute_full(context, row)
    elif table is state.payouts:
        legs, puts = unpay_out_full(
            context, body.entry, row.society, row.currency, row.root
        )
    else:
        return outcome
    rest = [p for p in outcome.postings if p.type not in {"payable", "suspense"}]
    return Outcome((*outcome.puts, *puts), (*rest, *negate(legs)))
