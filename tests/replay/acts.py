"""What people usually say, with amounts that a hand can follow.

Two recordings: `demo:a` is Anna's to 60 % and Bert's to 40 %, `demo:b` Anna's to one
half and nobody's known to the other. The lab trains on both, and pays 100.000001 SEK
and 25.000000 SEK of VAT. The society keeps 5 % back and takes fees of 9.6 %, and 10 %
of the rest for culture. Every act takes other fields by name.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any
from typing import Literal

import msgspec

from ledger.accounting import deductions
from ledger.events import lines
from ledger.events import payments
from ledger.events import rights
from ledger.events import terms
from ledger.events import training
from ledger.log import StoredLines
from ledger.replay.manifests import lines_again
from ledger.replay.rows import PoolRow
from ledger.replay.rules_payments import pool_id
from ledger.replay.shareout import ShareOut
from ledger.replay.shareout import share_out
from tests.replay.world import Actor
from tests.replay.world import World

A, B, STRANGE = "demo:a", "demo:b", "demo:strange"
"""Two recordings of the catalogue, and one that is in none."""
RUN = "run-1"
NET, VAT = 100_000_001, 25_000_000
TAX_PPM = 300_000

Shares = Sequence[tuple[bytes, int]]
Fields = Any
Outcome = Literal["confirmed", "failed", "returned"]


def change(body: Any, fields: dict[str, Fields]) -> Any:  # noqa: ANN401 (any body)
    """Give a body with other fields."""
    return msgspec.structs.replace(body, **fields)


def catalogue(
    world: World,
    recordings: Iterable[str | lines.CatalogueLine | dict[str, Any]] = (A, B),
    by: Actor | None = None,
) -> int:
    """List recordings; a bare id lasts 3 minutes."""
    content = [
        lines.CatalogueLine(external=each, ms=180_000)
        if isinstance(each, str)
        else each
        for each in recordings
    ]
    world.at["catalogue"] = (by or world.society).say(
        "catalogue",
        lambda refs: rights.Catalogue(recordings=refs["recordings"]),
        recordings=content,
    )
    return world.at["catalogue"]


def table(
    world: World,
    subject: str,
    shares: Shares,
    by: Actor | None = None,
    role: str = "owner",
    **fields: Fields,
) -> int:
    """Register one share table; `side`, `effective` and `kind` by name."""
    rows = [rights.ShareRow(party=party, ppm=ppm, role=role) for party, ppm in shares]
    side = fields.pop("side", "master")
    body = rights.Shares(
        effective=0,
        kind="transfer",
        table=rights.ShareTable(lines=rows, side=side, subject=subject),
    )
    return (by or world.society).say("shares", change(body, fields))


def tariff(world: World, by: Actor | None = None, **fields: Fields) -> int:
    """Ask the price of the world for each run."""
    body = terms.Tariff(amount=NET, currency="SEK", per="run")
    world.at["tariff"] = (by or world.society).say("tariff", change(body, fields))
    return world.at["tariff"]


def scheme_body(**fields: Fields) -> terms.Scheme:
    """Make a scheme: the master side alone, each recording weighing the same."""
    body = terms.Scheme(
        basis="per_recording",
        clear="each",
        cultural_base="after_fee",
        cultural_ppm=100_000,
        fee_ppm=96_000,
        outside="renormalise",
        pool="fixed",
        reserve_ppm=50_000,
        rule="alloc/1",
        sides=terms.SideWeights(composition=0, master=1, performer=0),
    )
    scheme: terms.Scheme = change(body, fields)
    return scheme


def scheme(world: World, by: Actor | None = None, **fields: Fields) -> int:
    """Publish a scheme."""
    body = scheme_body(**fields)
    world.at["scheme"] = (by or world.society).say("scheme", body)
    return world.at["scheme"]


def covers(**fields: Fields) -> terms.Covers:
    """Cover every version, on the master side."""
    body = terms.Covers(
        any_version=True, derivatives=False, sides=["master"], versions=[]
    )
    reach: terms.Covers = change(body, fields)
    return reach


def grant(world: World, by: Actor | None = None, **fields: Fields) -> int:
    """License the lab on the terms published last."""
    at = world.at
    body = terms.LicenceGrant(
        catalogues=[at["catalogue"]],
        covers=covers(),
        lab=world.lab.party,
        scheme=at["scheme"],
        tariff=at["tariff"],
        territories=["001"],
    )
    at["licence"] = (by or world.society).say("licence.grant", change(body, fields))
    return at["licence"]


def accept(world: World, licence: int | None = None, by: Actor | None = None) -> int:
    """Accept a licence, by default the one granted last."""
    body = terms.LicenceAccept(
        grant=world.at["licence"] if licence is None else licence
    )
    return (by or world.lab).say("licence.accept", body)


def version(world: World, by: Actor | None = None, **fields: Fields) -> int:
    """Name a version of the lab's model."""
    body = training.ModelVersion(model="oak", parents=[], synthetic=[], version="1")
    return (by or world.lab).say("model.version", change(body, fields))


def dataset(recordings: Iterable[str]) -> list[lines.DatasetLine]:
    """Make the lines of a dataset."""
    return [lines.DatasetLine(external=each) for each in sorted(recordings)]


def open_run(
    world: World,
    recordings: Iterable[str] = (A, B),
    by: Actor | None = None,
    **fields: Fields,
) -> int:
    """Open a run under the licence granted last."""

    def body(refs: Any) -> training.RunOpen:  # noqa: ANN401
        opened: training.RunOpen = change(
            training.RunOpen(
                dataset=refs["dataset"],
                licences=[world.at["licence"]],
                model="oak",
                run=RUN,
                use="gen_train",
                version="1",
            ),
            fields,
        )
        return opened

    world.at["run"] = (by or world.lab).say(
        "run.open", body, dataset=dataset(recordings)
    )
    return world.at["run"]


def close_run(world: World, by: Actor | None = None, **fields: Fields) -> int:
    """Close the run."""
    body = training.RunClose(ended=2, run=RUN, started=1)
    return (by or world.lab).say("run.close", change(body, fields))


def due_body(world: World, **fields: Fields) -> payments.Due:
    """Make the due of the run."""
    licence = fields.get("licence", world.at["licence"])
    run = fields.get("run", RUN)
    covered = world.state.covered.get((world.lab.party, run, licence)) or 0
    body = payments.Due(
        currency="SEK",
        day=20_500,
        licence=licence,
        net=NET,
        quantity=covered,
        run=run,
        vat=VAT,
    )
    due: payments.Due = change(body, fields)
    return due


def bill(world: World, by: Actor | None = None, **fields: Fields) -> int:
    """Bill the run."""
    world.at["due"] = (by or world.society).say("due", due_body(world, **fields))
    return world.at["due"]


def payment_body(world: World, **fields: Fields) -> payments.PaymentReceived:
    """Make a payment of what the due lacks."""
    due = fields.pop("due", world.at.get("due", 0))
    row = world.state.dues.get(due)
    lacks = NET + VAT if row is None else row.net + row.vat - row.paid
    amount = fields.pop("amount", lacks)
    body = payments.PaymentReceived(
        applies=[payments.Application(amount=amount, due=due)] if amount else [],
        charges=0,
        currency="SEK",
        gross=max(amount, 1),
        payer=world.lab.party,
    )
    paid: payments.PaymentReceived = change(body, fields)
    return paid


def pay(world: World, by: Actor | None = None, **fields: Fields) -> int:
    """Take in what the due lacks, or another `amount` on it."""
    body = payment_body(world, **fields)
    world.at["payment"] = (by or world.society).say("payment.received", body)
    return world.at["payment"]


def plan_distribution(world: World, run: str = RUN) -> tuple[PoolRow, ShareOut]:
    """Compute what the published rule makes of a run's pool."""
    state = world.state
    pool = state.pools.need(pool_id(world.at["licence"], run))
    row = state.runs.need((pool.lab, run))
    kind = "run.close/dataset" if row.index == row.closed else "run.open/dataset"
    content = lines_again(StoredLines(world.store), kind, row.dataset)
    recordings = [line.external for line in content]
    return pool, share_out(state, pool, recordings, world.log.size)


def distribute(
    world: World, by: Actor | None = None, run: str = RUN, **fields: Fields
) -> int:
    """Share the run's pool out by the published rule, but for the fields given."""
    pool, shared = plan_distribution(world, run)
    content = fields.pop("lines", shared.lines)

    def body(refs: Any) -> payments.Distribution:  # noqa: ANN401
        said: payments.Distribution = change(
            payments.Distribution(
                currency=pool.currency,
                licence=world.at["licence"],
                lines=refs["lines"],
                mode="close",
                nodes=shared.nodes,
                pool=pool_id(world.at["licence"], run),
                reserve=shared.reserve,
                run=run,
                total=shared.total,
                unallocated=shared.unallocated,
            ),
            fields,
        )
        return said

    actor = by or world.society
    world.at["distribution"] = actor.say("distribution", body, lines=content)
    return world.at["distribution"]


def plan_payout(world: World, tax_ppm: int = TAX_PPM) -> list[lines.PayoutLine]:
    """Give the lines of a payout to everybody to whom the society owes anything."""
    found = []
    for (owner, _, type_, party, currency), amount in world.state.accounts.items():
        if (owner, type_, currency) != (world.society.party, "payable", "SEK"):
            continue
        paid = deductions.payout(-amount, 2, tax_ppm)
        if paid.gross and isinstance(party, bytes):
            line = lines.PayoutLine(
                gross=paid.gross, party=party, sent=paid.sent, tax=paid.tax
            )
            found.append(line)
    return sorted(found, key=lambda line: line.party)


def plan_payout_of(world: World, payout: int) -> list[lines.PayoutLine]:
    """Give the lines of a payout that was made."""
    root = world.state.payouts.need(payout).root
    return list(lines_again(StoredLines(world.store), "payout/batch", root))


def pay_out(
    world: World,
    batch: Iterable[lines.PayoutLine] | None = None,
    by: Actor | None = None,
    **fields: Fields,
) -> int:
    """Send everybody their balance, or a batch of other lines."""
    content = plan_payout(world) if batch is None else batch
    totals = fields.pop("batch_totals", None)

    def body(refs: Any) -> payments.Payout:  # noqa: ANN401
        ref = refs["batch"]
        said: payments.Payout = change(
            payments.Payout(
                batch=ref if totals is None else change(ref, {"totals": totals}),
                currency="SEK",
                tax_ppm=TAX_PPM,
                threshold=0,
            ),
            fields,
        )
        return said

    world.at["payout"] = (by or world.society).say("payout", body, batch=content)
    return world.at["payout"]


def settle(
    world: World,
    outcome: Outcome = "confirmed",
    settled: Iterable[lines.PayoutLine] | None = None,
    by: Actor | None = None,
    **fields: Fields,
) -> int:
    """Say what became of the payout, of all its lines or of some."""
    content = {} if settled is None else {"lines": settled}

    def body(refs: Any) -> payments.PayoutResult:  # noqa: ANN401
        said: payments.PayoutResult = change(
            payments.PayoutResult(
                charges=0,
                outcome=outcome,
                payout=world.at.get("payout", 0),
                **refs,
            ),
            fields,
        )
        return said

    return (by or world.society).say("payout.result", body, **content)


def reverse(world: World, entry: int, by: Actor | None = None) -> int:
    """Undo an entry."""
    body = payments.Reverse(cause="error", entry=entry)
    return (by or world.society).say("reverse", body)
