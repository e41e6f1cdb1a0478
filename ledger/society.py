"""What a society does at the end of a period: bill, share out, pay out.

Each act is computed on the state that it will be appended to, by the same
functions as replay recomputes it with, so that what is planned here is what every
audit expects (money.md §2, §4, §5). Nothing here is trusted.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

from ledger.accounting import deductions
from ledger.accounting.money import format_amount
from ledger.errors import ConflictError
from ledger.errors import InputError
from ledger.events.lines import PayoutLine
from ledger.events.payments import Distribution
from ledger.events.payments import Due
from ledger.events.payments import Payout
from ledger.events.terms import Tariff
from ledger.log import StoredLines
from ledger.replay.manifests import lines_again
from ledger.replay.outcome import body_of
from ledger.replay.rows import NEVER
from ledger.replay.rules_payments import pool_id
from ledger.replay.rules_payments import price
from ledger.replay.shareout import share_out

if TYPE_CHECKING:
    from ledger.author import Author
    from ledger.author import Refs
    from ledger.events.lines import DistributionLine
    from ledger.log import Appended
    from ledger.replay import State
    from ledger.replay.rows import PoolRow
    from ledger.storage.base import Store


class Planned(NamedTuple):
    """An event of a society, with its lines, ready to be signed.

    Attributes:
        society: whose books.
        kind: of the event.
        field: that brings the lines in.
        lines: of the manifest.
        body: gives the body, once the lines have a root.
        currency: of every amount.
        sums: what it comes to, by name, in micro-units.
    """

    society: bytes
    kind: str
    field: str
    lines: list[Any]
    body: Callable[[Refs], Any]
    currency: str
    sums: dict[str, int]


def pool_of(state: State, licence: int, run: str) -> PoolRow:
    """Find the pool of a licence and run.

    Raises:
        InputError: `pool-unknown`.
    """
    pool = state.pools.get(pool_id(licence, run))
    if pool is None:
        raise InputError(
            "pool-unknown",
            f"run {run!a} has no pool under the licence of entry {licence}",
            hint="a due opens the pool: 'linernote kinds due'",
        )
    return pool


def plan_distribution(state: State, store: Store, licence: int, run: str) -> Planned:
    """Compute the distribution of a pool on the state before its entry.

    Raises:
        InputError: `pool-unknown`, `due-unpaid`, or a code of `share_out`.
        ConflictError: `pool-closed`.
    """
    pool = pool_of(state, licence, run)
    _check_open(state, pool)
    shared = share_out(state, pool, _recordings(state, store, pool), state.size)

    def body(refs: Refs) -> Distribution:
        return Distribution(
            currency=pool.currency,
            licence=licence,
            lines=refs["lines"],
            mode="close",
            nodes=shared.nodes,
            pool=pool_id(licence, run),
            reserve=shared.reserve,
            run=run,
            total=shared.total,
            unallocated=shared.unallocated,
        )

    return Planned(
        pool.society,
        "distribution",
        "lines",
        shared.lines,
        body,
        pool.currency,
        {
            "pool": pool.funded,
            "reserve": shared.reserve,
            "unallocated": shared.unallocated,
            **_sums(shared.lines),
        },
    )


def _check_open(state: State, pool: PoolRow) -> None:
    if pool.closed != NEVER:
        raise ConflictError(
            "pool-closed", f"entry {pool.closed} shared this pool out already"
        )
    if pool.unpaid:
        lacking = format_amount(pool.unpaid, state.currencies.get(pool.currency) or 0)
        raise InputError(
            "due-unpaid",
            f"the dues of run {pool.run} still lack {pool.currency} {lacking}",
            hint="only what has been paid and applied can be distributed:"
            " 'linernote kinds payment.received'",
        )


def _recordings(state: State, store: Store, pool: PoolRow) -> Iterator[str]:
    run = state.runs.need((pool.lab, pool.run))
    kind = "run.close" if run.index == run.closed else "run.open"
    lines = lines_again(StoredLines(store), f"{kind}/dataset", run.dataset)
    return (line.external for line in lines)


def _sums(lines: list[DistributionLine]) -> dict[str, int]:
    payable = [line for line in lines if line.state == "payable"]
    return {
        "suspense": sum(line.gross for line in lines if line.state == "suspense"),
        "fee": sum(line.fee for line in payable),
        "cultural": sum(line.cultural for line in payable),
        "net": sum(line.net for line in payable),
    }


def plan_payout(
    state: State, society: bytes, currency: str, threshold: int, tax_ppm: int
) -> Planned:
    """Compute a payout of everything that a society owes.

    Raises:
        InputError: `currency-unknown`, `nothing-payable`.
    """
    exponent = state.currencies.get(currency)
    if exponent is None:
        raise InputError(
            "currency-unknown",
            f"this log does not count {currency!a}",
            hint="genesis lists the currencies: 'linernote show 0'",
        )
    lines = [
        PayoutLine(gross=paid.gross, party=party, sent=paid.sent, tax=paid.tax)
        for party, balance in sorted(_payable(state, society, currency))
        if balance >= threshold
        and (paid := deductions.payout(balance, exponent, tax_ppm)).gross
    ]
    if not lines:
        raise InputError(
            "nothing-payable",
            f"the society owes nobody {currency}"
            + (f" {format_amount(threshold, exponent)} or more" if threshold else ""),
            hint="'linernote balances' lists what is owed",
        )

    def body(refs: Refs) -> Payout:
        return Payout(
            batch=refs["batch"], currency=currency, tax_ppm=tax_ppm, threshold=threshold
        )

    sums = {
        "gross": sum(line.gross for line in lines),
        "tax": sum(line.tax for line in lines),
        "sent": sum(line.sent for line in lines),
    }
    return Planned(society, "payout", "batch", lines, body, currency, sums)


def _payable(
    state: State, society: bytes, currency: str
) -> Iterator[tuple[bytes, int]]:
    wanted = (society, "payable", currency)
    for (books, _, type_, subject, counted), amount in state.accounts.items():
        if (books, type_, counted) == wanted and isinstance(subject, bytes):
            yield subject, -amount


def bill(
    author: Author, licence: int, run: str, *, day: int, vat_ppm: int = 0
) -> Appended:
    """Bill a run at its licence's tariff.

    Args:
        author: the society.
        licence: entry of the grant.
        run: the lab's name of the run.
        day: by which it is to be paid.
        vat_ppm: value added tax on top, in parts per million of the net.

    Raises:
        LedgerError: a refusal of the rule of `due`.
    """
    state = author.log.state
    granted = state.licences.get(licence)
    if granted is None:
        raise InputError(
            "licence-unknown",
            f"entry {licence} grants no licence",
            hint="'linernote show INDEX' says what an entry is",
        )
    tariff: Tariff = body_of(state.tariffs.need(granted.tariff).body, Tariff)
    quantity = state.covered.get((granted.lab, run, licence)) or 0
    net = price(tariff, quantity)
    due = Due(
        currency=tariff.currency,
        day=day,
        licence=licence,
        net=net,
        quantity=quantity,
        run=run,
        vat=net * vat_ppm // 1_000_000,
    )
    return author.say("due", due)


def carry_out(author: Author, planned: Planned) -> Appended:
    """Have a society say what was planned.

    Raises:
        LedgerError: a refusal of the kind's rule; nothing was appended.
    """
    return author.say(planned.kind, planned.body, {planned.field: planned.lines})


def distribute(author: Author, licence: int, run: str) -> Appended:
    """Share a paid pool out and close it.

    Raises:
        LedgerError: as `plan_distribution`, or a refusal of the rule.
    """
    log = author.log
    return carry_out(author, plan_distribution(log.state, log.store, licence, run))


def pay_out(
    author: Author, currency: str, *, threshold: int = 0, tax_ppm: int = 0
) -> Appended:
    """Send everybody what is owed to them, in one batch.

    Raises:
        LedgerError: as `plan_payout`, or a refusal of the rule.
    """
    state = author.log.state
    return carry_out(
        author, plan_payout(state, author.party, currency, threshold, tax_ppm)
    )
