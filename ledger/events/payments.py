"""The life of money: due, paid, distributed, paid out, reversed (money.md §4–8)."""

from __future__ import annotations

from typing import Annotated
from typing import Literal

from msgspec import Meta

from ledger.events.types import INTEGER_MAX
from ledger.events.types import UNSET
from ledger.events.types import Body
from ledger.events.types import Currency
from ledger.events.types import Day
from ledger.events.types import Id
from ledger.events.types import Index
from ledger.events.types import ManifestRef
from ledger.events.types import Micro
from ledger.events.types import Ppm
from ledger.events.types import Side
from ledger.events.types import Token
from ledger.events.types import UnsetType


class Due(Body, frozen=True, kw_only=True):
    """A society bills a lab for a run under a licence.

    Attributes:
        currency: the tariff's currency.
        day: the day by which it is to be paid.
        licence: entry of the grant.
        net: micro-units, as the licence's tariff gives them for `quantity`.
        quantity: distinct recordings of the run that the licence covers.
        run: the lab's name of the run.
        vat: micro-units on top.
    """

    currency: Currency
    day: Day
    licence: Index
    net: Micro
    quantity: Annotated[int, Meta(ge=0, le=INTEGER_MAX)]
    run: Token
    vat: Micro


class Application(Body, frozen=True, kw_only=True):
    """The part of a payment that pays a due, VAT included.

    Attributes:
        amount: micro-units that pay the due, VAT included.
        due: entry of the due.
    """

    amount: Annotated[int, Meta(ge=1, le=INTEGER_MAX)]
    due: Index


class PaymentReceived(Body, frozen=True, kw_only=True):
    """Money has cleared; what is not applied to dues is prepaid.

    Attributes:
        applies: strictly ascending by due.
        charges: what the bank kept of `gross`; the society's own cost.
        currency: of every amount here.
        gross: micro-units that the payer sent.
        payer: the lab.
    """

    applies: Annotated[list[Application], Meta(max_length=256)]
    charges: Micro
    currency: Currency
    gross: Annotated[int, Meta(ge=1, le=INTEGER_MAX)]
    payer: Id


class AllocationNode(Body, frozen=True, kw_only=True):
    """One largest-remainder node, so that a line is checked alone (money.md §2).

    Attributes:
        extra: K, how many children got one micro-unit more.
        key: key*, the last of those that tie at the threshold; absent if K is 0.
        side: the side below which the node stands; absent at the side node.
        stage: which list of children it shared out.
        threshold: t.
        total: T, micro-units.
        weight: W.
    """

    extra: Micro
    key: Annotated[str, Meta(min_length=1, max_length=1_024)] | UnsetType = UNSET
    side: Side | UnsetType = UNSET
    stage: Literal["head", "other", "side", "unit", "verified"]
    threshold: Micro
    total: Micro
    weight: Micro


class Distribution(Body, frozen=True, kw_only=True):
    """A pool is shared out and closed.

    Attributes:
        currency: the pool's currency.
        licence: with `run`, what makes the pool.
        lines: manifest of distribution lines.
        mode: `close`: everything that is in the pool.
        nodes: the nodes with many children, in the order of the tree.
        pool: pool id (format.md §6).
        reserve: micro-units kept back.
        run: the lab's name of the run.
        total: micro-units shared out; with `reserve` all that is in the
            pool.
        unallocated: micro-units of `total` for which a weighted side has no
            recording; they wait in suspense for the pool.
    """

    currency: Currency
    licence: Index
    lines: ManifestRef
    mode: Literal["close"]
    nodes: Annotated[list[AllocationNode], Meta(max_length=64)]
    pool: Id
    reserve: Micro
    run: Token
    total: Micro
    unallocated: Micro


class Payout(Body, frozen=True, kw_only=True):
    """A batch of payments to parties leaves for the bank.

    Attributes:
        batch: manifest of payout lines.
        currency: of the balances paid out.
        tax_ppm: withholding tax of every line.
        threshold: least balance in micro-units that is paid out, before
            tax.
    """

    batch: ManifestRef
    currency: Currency
    tax_ppm: Ppm
    threshold: Micro


class PayoutResult(Body, frozen=True, kw_only=True):
    """What became of the lines of a payout.

    Attributes:
        charges: the bank's charge in micro-units; the society's own cost.
        lines: manifest of the lines concerned; absent: all still in transit.
        outcome: confirmed, failed (never left), or returned (came back).
        payout: entry of the payout.
    """

    charges: Micro
    lines: ManifestRef | UnsetType = UNSET
    outcome: Literal["confirmed", "failed", "returned"]
    payout: Index


class Reverse(Body, frozen=True, kw_only=True):
    """Undoes an earlier entry of the same author: every posting negated.

    Attributes:
        cause: why, as a token.
        entry: the entry undone.
        replacement: event id of the author's event that takes its place.
    """

    cause: Token
    entry: Index
    replacement: Id | UnsetType = UNSET
