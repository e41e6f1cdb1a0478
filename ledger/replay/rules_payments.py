"""Rules of dues and payments: billed is not paid (money.md §3, §4).

A due books Receivable against Due; only what a payment applies to it moves on
into the pool, and only the pool is distributed.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

from ledger.accounting import postings
from ledger.accounting import tariff as pricing
from ledger.errors import ConflictError
from ledger.errors import InputError
from ledger.events.terms import Tariff
from ledger.events.types import UNSET
from ledger.replay.outcome import Context
from ledger.replay.outcome import Outcome
from ledger.replay.outcome import Put
from ledger.replay.outcome import body_of
from ledger.replay.rows import NEVER
from ledger.replay.rows import DueRow
from ledger.replay.rows import LicenceRow
from ledger.replay.rows import PaymentRow
from ledger.replay.rows import PoolRow
from ledger.replay.rows import RunRow
from ledger.replay.rules_terms import check_currency

if TYPE_CHECKING:
    from ledger.events.payments import Due
    from ledger.events.payments import PaymentReceived
    from ledger.replay.state import State

POOL_TAG = b"linernote/pool/v1\n"


def pool_id(licence: int, run: str) -> bytes:
    """Name the pool of a licence and run (format.md §6).

    >>> pool_id(9, "run-1").hex()
    '31beed3c588a0ea512501a15b1093619'
    """
    return sha256(POOL_TAG + msgspec.msgpack.encode((licence, run))).digest()[:16]


def own_licence(context: Context, index: int) -> LicenceRow:
    """Find a licence that the author granted and the lab accepted.

    Raises:
        InputError: `licence-unknown`, `licence-not-accepted`.
    """
    licence = context.state.licences.get(index)
    if licence is None or licence.society != context.author:
        raise InputError(
            "licence-unknown", f"entry {index} is no licence that the author granted"
        )
    if licence.accepted == NEVER:
        raise InputError(
            "licence-not-accepted",
            f"the licence of entry {index} has been accepted by nobody",
            hint="the lab appends licence.accept first",
        )
    return licence


def run_under(state: State, licence: LicenceRow, index: int, run: str) -> RunRow:
    """Find a run of the licensee that relies on the licence.

    Raises:
        InputError: `run-unknown`, `run-not-under-licence`.
    """
    row = state.runs.get((licence.lab, run))
    if row is None:
        raise InputError("run-unknown", f"the licensee has no run {run!r} on the log")
    if index not in row.licences:
        raise InputError(
            "run-not-under-licence",
            f"run {run!r} does not rely on the licence of entry {index}",
        )
    return row


def price(tariff: Tariff, quantity: int) -> int:
    """Give what a tariff asks for a number of covered recordings, in µ."""
    if tariff.bands is UNSET:
        return pricing.flat(tariff.amount if isinstance(tariff.amount, int) else 0)
    bands = [pricing.Band(b.each, b.fixed, b.start) for b in tariff.bands or ()]
    rule = pricing.slab if tariff.banding == "slab" else pricing.graduated
    return rule(bands, quantity)


def due(context: Context, body: Due) -> Outcome:
    """Bill a run once, at the tariff's price (money.md §4)."""
    state, author = context.state, context.author
    licence = own_licence(context, body.licence)
    run = run_under(state, licence, body.licence, body.run)
    tariff: Tariff = body_of(state.tariffs.need(licence.tariff).body, Tariff)
    check_currency(state, body.currency)
    _check_price(tariff, licence.tariff, body)
    billed = ("run", body.licence, body.run, "")
    if tariff.per == "version":
        billed = ("version", body.licence, run.model, run.version)
    _check_unbilled(state, billed)
    # Whatever opened a pool of this run billed its version, too: there is none.
    pool = pool_id(body.licence, body.run)
    lab, currency, net, vat = licence.lab, body.currency, body.net, body.vat
    row = DueRow(author, lab, pool, currency, net, vat, 0, billed, NEVER)
    opened = PoolRow(author, lab, body.licence, body.run, currency, net + vat, 0, NEVER)
    puts = (
        (state.dues, context.index, row),
        (state.billed, billed, context.index),
        (state.pools, pool, opened),
    )
    return Outcome(puts, postings.due(author, lab, pool, currency, net=net, vat=vat))


def _check_price(tariff: Tariff, index: int, body: Due) -> None:
    asked = price(tariff, body.quantity)
    if body.currency != tariff.currency or body.net != asked:
        raise InputError(
            "due-amount",
            f"the tariff of entry {index} asks {asked} µ {tariff.currency} for"
            f" {body.quantity} recordings, the due says {body.net} µ {body.currency}",
        )


def _check_unbilled(state: State, billed: tuple[str, int, str, str]) -> None:
    before = state.billed.get(billed)
    if before is not None:
        raise ConflictError(
            "already-billed",
            f"entry {before} bills this {billed[0]} already",
            hint="a tariff charges once for each run or model version",
        )


def due_full(context: Context, body: Due, outcome: Outcome) -> Outcome:
    """The quantity is the number of recordings that the licence covers."""
    lab: bytes = outcome.puts[0][2].lab
    covered = context.state.covered.get((lab, body.run, body.licence)) or 0
    if covered != body.quantity:
        raise InputError(
            "due-quantity",
            f"the licence covers {covered} recordings of run {body.run!r}, the due"
            f" says {body.quantity}",
        )
    return outcome


def payment_received(context: Context, body: PaymentReceived) -> Outcome:
    """Take money in and apply it to dues; the rest is prepaid (money.md §4)."""
    state, author = context.state, context.author
    check_currency(state, body.currency)
    if state.parties.get(body.payer) is None:
        raise InputError("party-unknown", f"no party {body.payer.hex()} is registered")
    puts: list[Put] = []
    applications = []
    applied = []
    for application in body.applies:
        row = _open_due(context, application.due, body.currency)
        outstanding = row.net + row.vat - row.paid
        if application.amount > outstanding:
            raise InputError(
                "over-applied",
                f"due {application.due} lacks {outstanding} µ, the payment applies"
                f" {application.amount} µ",
                hint="what exceeds a due stays unapplied and is prepaid",
            )
        # What the payments so far fund, less what is in the pool: the rounding of
        # payments that were reversed must not add up.
        funded = postings.funding(
            0, row.paid + application.amount, net=row.net, vat=row.vat
        )
        funded -= state.pools.need(row.pool).funded
        puts += _pay(state, application.due, application.amount, funded)
        applications.append((row.lab, row.pool, application.amount, funded))
        applied.append((application.due, application.amount, funded))
    row_ = PaymentRow(
        author,
        body.payer,
        body.currency,
        body.gross,
        body.charges,
        tuple(applied),
        NEVER,
    )
    puts.append((state.payments, context.index, row_))
    legs = postings.payment(
        author,
        body.payer,
        body.currency,
        gross=body.gross,
        charges=body.charges,
        applications=applications,
    )
    return Outcome(tuple(puts), legs)


def _open_due(context: Context, index: int, currency: str) -> DueRow:
    state = context.state
    row = state.dues.get(index)
    if row is None or row.society != context.author or row.reversed != NEVER:
        raise InputError("due-unknown", f"entry {index} is no due of the author")
    if row.currency != currency:
        raise InputError("currency-mismatch", f"due {index} is in {row.currency}")
    if state.pools.need(row.pool).closed != NEVER:
        raise ConflictError("pool-closed", f"the pool of due {index} is closed")
    return row


def _pay(state: State, due_index: int, amount: int, funded: int) -> list[Put]:
    """Move `amount` (negative to take it back) onto a due and into its pool.

    A pool has one due, so no two applications of a payment meet in one row.
    """
    row = state.dues.need(due_index)
    pool = state.pools.need(row.pool)
    paid = DueRow(
        row.society,
        row.lab,
        row.pool,
        row.currency,
        row.net,
        row.vat,
        row.paid + amount,
        row.billed,
        row.reversed,
    )
    moved = PoolRow(
        pool.society,
        pool.lab,
        pool.licence,
        pool.run,
        pool.currency,
        pool.unpaid - amount,
        pool.funded + funded,
        pool.closed,
    )
    return [(state.dues, due_index, paid), (state.pools, row.pool, moved)]


def unpay(state: State, payment: PaymentRow) -> list[Put]:
    """Take a payment off its dues and pools, as its reversal does.

    Raises:
        ConflictError: `pool-closed`.
    """
    puts: list[Put] = []
    for due_index, amount, funded in payment.applied:
        if state.pools.need(state.dues.need(due_index).pool).closed != NEVER:
            raise ConflictError(
                "pool-closed",
                f"the money of due {due_index} has been distributed",
                hint="reverse the distribution first",
            )
        puts += _pay(state, due_index, -amount, -funded)
    return puts
