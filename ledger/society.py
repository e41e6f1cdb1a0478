"""What a society does at the end of a period: bill, share out, pay out.

Each act computes what the published rules give on the state before it, and has
its author say so. Every auditor computes the same again (`ledger.replay`), so
nothing here is trusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.accounting import deductions
from ledger.errors import InputError
from ledger.events.lines import PayoutLine
from ledger.events.payments import Distribution
from ledger.events.payments import Due
from ledger.events.payments import Payout
from ledger.events.terms import Tariff
from ledger.log import StoredLines
from ledger.replay.manifests import lines_again
from ledger.replay.outcome import body_of
from ledger.replay.rules_payments import pool_id
from ledger.replay.rules_payments import price
from ledger.replay.shareout import share_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.author import Author
    from ledger.log import Appended
    from ledger.log import Log
    from ledger.replay.rows import LicenceRow
    from ledger.replay.rows import PoolRow
    from ledger.replay.shareout import ShareOut
    from ledger.replay.state import State


def _licence(state: State, index: int) -> LicenceRow:
    licence = state.licences.get(index)
    if licence is None:
        raise InputError(
            "licence-unknown",
            f"entry {index} grants no licence",
            hint="'linernote search licence.grant' lists them",
        )
    return licence


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
    granted = _licence(state, licence)
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


def plan_distribution(log: Log, licence: int, run: str) -> tuple[PoolRow, ShareOut]:
    """Compute the distribution of a run's pool on the state as it is.

    Raises:
        InputError: `licence-unknown`, `pool-unknown`, `duration-missing`.
    """
    state = log.state
    _licence(state, licence)
    pool = state.pools.get(pool_id(licence, run))
    if pool is None:
        raise InputError(
            "pool-unknown",
            f"run {run!r} has no pool under the licence of entry {licence}",
            hint="a due opens the pool: bill the run first",
        )
    return pool, share_out(state, pool, _recordings(log, pool), log.size)


def _recordings(log: Log, pool: PoolRow) -> Iterator[str]:
    run = log.state.runs.need((pool.lab, pool.run))
    kind = "run.close/dataset" if run.index == run.closed else "run.open/dataset"
    for line in lines_again(StoredLines(log.store), kind, run.dataset):
        yield line.external


def distribute(author: Author, licence: int, run: str) -> Appended:
    """Share a paid pool out and close it.

    Raises:
        LedgerError: a refusal of the rule of `distribution`, `due-unpaid` for one.
    """
    pool, shared = plan_distribution(author.log, licence, run)
    return author.say(
        "distribution",
        lambda refs: Distribution(
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
        ),
        {"lines": shared.lines},
    )


def plan_payout(
    state: State, society: bytes, currency: str, *, threshold: int = 0, tax_ppm: int = 0
) -> list[PayoutLine]:
    """Compute a payout to everybody whose balance reaches the threshold.

    Raises:
        InputError: `currency-unknown`.
    """
    exponent = state.currencies.get(currency)
    if exponent is None:
        raise InputError("currency-unknown", f"this log does not count {currency}")
    found = []
    for key, balance in state.accounts.items():
        owner, _, type_, subject, money = key
        if (owner, type_, money) != (society, "payable", currency):
            continue
        # Payable is a liability: what is owed stands there as a credit.
        if -balance < max(threshold, 1) or not isinstance(subject, bytes):
            continue
        sum_ = deductions.payout(-balance, exponent, tax_ppm)
        if sum_.gross:
            found.append(
                PayoutLine(
                    gross=sum_.gross, party=subject, sent=sum_.sent, tax=sum_.tax
                )
            )
    return sorted(found, key=lambda line: line.party)


def pay_out(
    author: Author, currency: str, *, threshold: int = 0, tax_ppm: int = 0
) -> Appended:
    """Send everybody what is owed to them, in one batch.

    Raises:
        InputError: `nothing-to-pay`, or a refusal of the rule of `payout`.
    """
    lines = plan_payout(
        author.log.state, author.party, currency, threshold=threshold, tax_ppm=tax_ppm
    )
    if not lines:
        raise InputError(
            "nothing-to-pay", f"no balance in {currency} reaches the threshold"
        )
    return author.say(
        "payout",
        lambda refs: Payout(
            batch=refs["batch"],
            currency=currency,
            tax_ppm=tax_ppm,
            threshold=threshold,
        ),
        {"batch": lines},
    )
