"""Rules of distributions, payouts and their results (money.md §2–5)."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING
from typing import Any

from ledger.accounting import deductions
from ledger.accounting import postings
from ledger.errors import ConflictError
from ledger.errors import InputError
from ledger.errors import InvariantError
from ledger.replay.credits import add_credit
from ledger.replay.outcome import Context
from ledger.replay.outcome import Outcome
from ledger.replay.outcome import Put
from ledger.replay.rows import NEVER
from ledger.replay.rows import DistributionRow
from ledger.replay.rows import PoolRow
from ledger.replay.rules_payments import own_licence
from ledger.replay.rules_payments import pool_id
from ledger.replay.shareout import scheme_of
from ledger.replay.shareout import share_out

if TYPE_CHECKING:
    from ledger.events.lines import DistributionLine
    from ledger.events.payments import Distribution
    from ledger.replay.shareout import ShareOut
    from ledger.replay.state import State


def distribution(context: Context, body: Distribution) -> Outcome:
    """Share a pool out and close it: everything that is in it."""
    state = context.state
    pool = _open_pool(context, body)
    reserve = deductions.reserve(pool.funded, scheme_of(state, pool).reserve_ppm)
    if (body.reserve, body.total) != (reserve, pool.funded - reserve):
        raise InputError(
            "distribution-total",
            f"the pool holds {pool.funded} µ, of which {reserve} µ are kept back;"
            f" the distribution says {body.total} µ and {body.reserve} µ",
        )
    totals = body.lines.totals
    row = DistributionRow(
        context.author,
        body.pool,
        body.currency,
        body.reserve,
        body.total,
        totals["fee"],
        totals["cultural"],
        totals["net"],
        body.unallocated,
        body.lines.root,
        NEVER,
    )
    legs = postings.distribution_totals(
        context.author,
        body.pool,
        body.currency,
        reserve=body.reserve,
        total=body.total,
        fee=totals["fee"],
        cultural=totals["cultural"],
        net=totals["net"],
    )
    puts = (
        (state.distributions, context.index, row),
        (state.pools, body.pool, _moved(pool, 0, context.index)),
    )
    return Outcome(puts, legs)


def _moved(pool: PoolRow, funded: int, closed: int) -> PoolRow:
    return PoolRow(
        pool.society,
        pool.lab,
        pool.licence,
        pool.run,
        pool.currency,
        pool.unpaid,
        funded,
        closed,
    )


def _open_pool(context: Context, body: Distribution) -> PoolRow:
    state = context.state
    licence = own_licence(context, body.licence)
    pool = state.pools.get(body.pool)
    if body.pool != pool_id(body.licence, body.run):
        raise InputError(
            "pool-unknown", "the pool id is not that of the licence and run"
        )
    if pool is None:
        raise InputError(
            "pool-unknown",
            f"run {body.run!r} has no pool under the licence of entry {body.licence}",
            hint="a due opens the pool",
        )
    if pool.closed != NEVER:
        raise ConflictError("pool-closed", f"entry {pool.closed} closed this pool")
    if body.currency != pool.currency:
        raise InputError("currency-mismatch", f"the pool is in {pool.currency}")
    if pool.unpaid:
        raise InputError(
            "due-unpaid",
            f"the dues of run {body.run!r} still lack {pool.unpaid} µ of lab"
            f" {licence.lab.hex()}",
            hint="only what has been paid and applied can be distributed",
        )
    return pool


def distribution_full(
    context: Context, body: Distribution, outcome: Outcome
) -> Outcome:
    """Recompute every line, and credit each party what is payable."""
    state = context.state
    pool = state.pools.need(body.pool)
    run = state.runs.need((pool.lab, pool.run))
    kind = "run.close" if run.index == run.closed else "run.open"
    recordings = (
        line.external for line in context.reread_lines(f"{kind}/dataset", run.dataset)
    )
    expected = share_out(state, pool, recordings, context.index)
    payable, suspense, net = _compare(context, body, expected)
    puts: list[Put] = list(outcome.puts)
    puts += [
        add_credit(state, party, body.currency, credited=amount)
        for party, amount in net.items()
    ]
    legs = postings.distribution_lines(
        context.author,
        body.pool,
        body.currency,
        unallocated=body.unallocated,
        payable=payable,
        suspense=suspense,
    )
    rest = [p for p in outcome.postings if p.type not in {"payable", "suspense"}]
    return Outcome(tuple(puts), (*rest, *legs))


_Compared = tuple[
    list[tuple[int, bytes, int]],
    list[tuple[int, tuple[str, str], int]],
    dict[bytes, int],
]


def _compare(context: Context, body: Distribution, expected: ShareOut) -> _Compared:
    if (body.unallocated, body.nodes) != (expected.unallocated, expected.nodes):
        raise InputError(
            "distribution-nodes",
            "the nodes or the unallocated part are not those of the published rule",
            hint="recompute the distribution on the state before this entry",
        )
    payable: list[tuple[int, bytes, int]] = []
    suspense: list[tuple[int, tuple[str, str], int]] = []
    net: dict[bytes, int] = {}
    given = context.read_lines("lines", body.lines)
    # Read on to the end of the manifest, so that it is verified as a whole.
    for number, (line, right) in enumerate(zip_longest(given, expected.lines), 1):
        if line != right:
            raise InputError(
                "distribution-lines",
                f"line {number} is {_words(line)}, the published rule gives"
                f" {_words(right)}",
                hint="recompute the distribution on the state before this entry",
            )
        if line.state == "payable":
            payable.append((number, line.party, line.net))
            net[line.party] = net.get(line.party, 0) + line.net
        else:
            suspense.append((number, (line.recording, line.side), line.gross))
    return payable, suspense, net


def _words(line: DistributionLine | None) -> str:
    if line is None:
        return "missing"
    return (
        f"{line.gross} µ gross, {line.net} µ net, {line.state}, of the {line.side}"
        f" of {line.recording} to {line.party.hex()}"
    )


def undistribute(state: State, index: int, row: DistributionRow) -> list[Put]:
    """Reopen the pool of a distribution that is reversed."""
    pool = state.pools.need(row.pool)
    if pool.closed != index:
        raise InvariantError("pool-moved", f"entry {pool.closed} closed the pool")
    return [(state.pools, row.pool, _moved(pool, row.total + row.reserve, NEVER))]


def undistribute_full(context: Context, row: DistributionRow) -> tuple[Any, list[Put]]:
    """Give the subsidiary postings of a distribution, and the credits less it."""
    state = context.state
    payable: list[tuple[int, bytes, int]] = []
    suspense: list[tuple[int, tuple[str, str], int]] = []
    net: dict[bytes, int] = {}
    lines = context.reread_lines("distribution/lines", row.root)
    for number, line in enumerate(lines, 1):
        if line.state == "payable":
            payable.append((number, line.party, line.net))
            net[line.party] = net.get(line.party, 0) + line.net
        else:
            suspense.append((number, (line.recording, line.side), line.gross))
    puts = [
        add_credit(state, party, row.currency, credited=-amount)
        for party, amount in net.items()
    ]
    legs = postings.distribution_lines(
        row.society,
        row.pool,
        row.currency,
        unallocated=row.unallocated,
        payable=payable,
        suspense=suspense,
    )
    return legs, puts
