"""Rules of payouts and what became of them (money.md §5, §8)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

from ledger.accounting import deductions
from ledger.accounting import postings
from ledger.errors import InputError
from ledger.events.types import UNSET
from ledger.replay.credits import add_credit
from ledger.replay.outcome import Context
from ledger.replay.outcome import Outcome
from ledger.replay.outcome import Put
from ledger.replay.rows import NEVER
from ledger.replay.rows import PayoutLineRow
from ledger.replay.rows import PayoutRow
from ledger.replay.rules_terms import check_currency

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ledger.events.payments import Payout
    from ledger.events.payments import PayoutResult
    from ledger.replay.state import State


def payout(context: Context, body: Payout) -> Outcome:
    """Send a batch to the bank: Payable against InTransit and Tax."""
    check_currency(context.state, body.currency)
    totals = body.batch.totals
    row = PayoutRow(
        context.author,
        body.currency,
        body.batch.root,
        totals["gross"],
        totals["sent"],
        totals["tax"],
        0,
        0,
        0,
        NEVER,
    )
    legs = postings.payout_totals(
        context.author,
        body.currency,
        gross=totals["gross"],
        sent=totals["sent"],
        tax=totals["tax"],
    )
    return Outcome(((context.state.payouts, context.index, row),), legs)


def payable(state: State, society: bytes, party: bytes, currency: str) -> int:
    """What a society owes a party, in µ."""
    return -(
        state.accounts.get((society, "liability", "payable", party, currency)) or 0
    )


def payout_full(context: Context, body: Payout, outcome: Outcome) -> Outcome:
    """Each line is what the rule makes of the party's balance, to the minor unit."""
    state = context.state
    exponent = check_currency(state, body.currency)
    puts: list[Put] = list(outcome.puts)
    legs = []
    for number, line in enumerate(context.read_lines("batch", body.batch), 1):
        balance = payable(state, context.author, line.party, body.currency)
        if line.gross > balance:
            raise InputError(
                "payout-above-balance",
                f"line {number} pays {line.gross} µ to party {line.party.hex()},"
                f" whose balance is {balance} µ",
                hint="make the batch from the balances before this entry",
            )
        if balance < body.threshold:
            raise InputError(
                "below-threshold",
                f"line {number}: the balance of {line.party.hex()} is {balance} µ,"
                f" the threshold {body.threshold} µ",
            )
        right = deductions.payout(balance, exponent, body.tax_ppm)
        if (line.gross, line.tax, line.sent) != (right.gross, right.tax, right.sent):
            raise InputError(
                "payout-amount",
                f"line {number} pays {line.gross} µ less {line.tax} µ tax to"
                f" {line.party.hex()}; the rule gives {right.gross} µ less"
                f" {right.tax} µ of a balance of {balance} µ",
            )
        row = PayoutLineRow(line.gross, line.sent, line.tax, "transit")
        puts.append((state.payout_lines, (context.index, line.party), row))
        puts.append(add_credit(state, line.party, body.currency, paid=line.gross))
        legs.append((number, line.party, line.gross))
    rest = [p for p in outcome.postings if p.type != "payable"]
    own = postings.payout_lines(context.author, body.currency, legs)
    return Outcome(tuple(puts), (*rest, *own))


def payout_result(context: Context, body: PayoutResult) -> Outcome:
    """Settle lines of a payout, by their totals."""
    row = context.state.payouts.get(body.payout)
    if row is None or row.society != context.author or row.reversed != NEVER:
        raise InputError(
            "payout-unknown", f"entry {body.payout} is no payout of the author"
        )
    gross, sent, tax = _totals(row, body)
    left = (row.transit_gross, row.transit_sent, row.transit_tax)
    if body.outcome == "returned":
        left = (row.confirmed_gross, row.confirmed_sent, gross - sent)
    if gross > left[0] or sent > left[1] or tax > left[2] or gross == 0:
        raise InputError(
            "result-exceeded",
            f"the result settles {gross} µ gross and {sent} µ sent, of {left[0]} µ"
            f" and {left[1]} µ that are left of payout {body.payout}",
        )
    legs = postings.payout_result(
        context.author,
        row.currency,
        body.outcome,
        gross=gross,
        sent=sent,
        tax=tax,
        charges=body.charges,
    )
    new = _settled(row, body.outcome, gross, sent, tax)
    return Outcome(((context.state.payouts, body.payout, new),), legs)


def _totals(row: PayoutRow, body: PayoutResult) -> tuple[int, int, int]:
    if body.lines is UNSET:
        if body.outcome == "returned":
            return row.confirmed_gross, row.confirmed_sent, 0
        return row.transit_gross, row.transit_sent, row.transit_tax
    ref: Any = body.lines
    return ref.totals["gross"], ref.totals["sent"], ref.totals["tax"]


def _settled(
    row: PayoutRow, outcome: str, gross: int, sent: int, tax: int
) -> PayoutRow:
    transit = (row.transit_gross, row.transit_sent, row.transit_tax)
    confirmed = (row.confirmed_gross, row.confirmed_sent)
    if outcome == "returned":
        confirmed = (confirmed[0] - gross, confirmed[1] - sent)
    else:
        transit = (transit[0] - gross, transit[1] - sent, transit[2] - tax)
        if outcome == "confirmed":
            confirmed = (confirmed[0] + gross, confirmed[1] + sent)
    return PayoutRow(
        row.society,
        row.currency,
        row.root,
        *transit,
        *confirmed,
        row.results + 1,
        row.reversed,
    )


def payout_result_full(
    context: Context, body: PayoutResult, outcome: Outcome
) -> Outcome:
    """Settle the lines one by one, and credit back what did not arrive."""
    state = context.state
    currency = state.payouts.need(body.payout).currency
    wanted = "confirmed" if body.outcome == "returned" else "transit"
    puts: list[Put] = list(outcome.puts)
    back: list[tuple[int, bytes, int]] = []
    for number, line in enumerate(_lines(context, body, wanted), 1):
        key = (body.payout, line.party)
        row = state.payout_lines.get(key)
        if (
            row is None
            or row.state != wanted
            or (row.gross, row.sent, row.tax) != (line.gross, line.sent, line.tax)
        ):
            raise InputError(
                "result-line",
                f"line {number}: payout {body.payout} has no line in state {wanted}"
                f" of {line.gross} µ for {line.party.hex()}",
            )
        settled = PayoutLineRow(row.gross, row.sent, row.tax, body.outcome)
        puts.append((state.payout_lines, key, settled))
        if body.outcome != "confirmed":
            amount = row.gross if body.outcome == "failed" else row.sent
            puts.append(add_credit(state, line.party, currency, paid=-amount))
            back.append((number, line.party, -amount))
    rest = [p for p in outcome.postings if p.type != "payable"]
    own = postings.payout_lines(context.author, currency, back)
    return Outcome(tuple(puts), (*rest, *own))


def _lines(context: Context, body: PayoutResult, wanted: str) -> Iterable[Any]:
    """The lines concerned: the manifest's, or all that are in the state wanted."""
    if body.lines is not UNSET:
        ref: Any = body.lines
        return context.read_lines("lines", ref)
    state = context.state
    root = state.payouts.need(body.payout).root
    rows = state.payout_lines
    return (
        line
        for line in context.reread_lines("payout/batch", root)
        if rows.need((body.payout, line.party)).state == wanted
    )


def unpay_out_full(
    context: Context, index: int, society: bytes, currency: str, root: bytes
) -> tuple[Any, list[Put]]:
    """Give the subsidiary postings of a payout, and the rows less it."""
    state = context.state
    puts: list[Put] = []
    legs = []
    for number, line in enumerate(context.reread_lines("payout/batch", root), 1):
        row = state.payout_lines.need((index, line.party))
        undone = PayoutLineRow(row.gross, row.sent, row.tax, "reversed")
        puts.append((state.payout_lines, (index, line.party), undone))
        puts.append(add_credit(state, line.party, currency, paid=-line.gross))
        legs.append((number, line.party, line.gross))
    return postings.payout_lines(society, currency, legs), puts
