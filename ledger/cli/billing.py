"""A society bills, and notes what was paid (money.md §4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import NamedTuple

import click

from ledger.accounting.money import format_amount
from ledger.cli.common import Command
from ledger.cli.common import Settings
from ledger.cli.common import home_option
from ledger.cli.common import json_option
from ledger.cli.common import keys_option
from ledger.cli.common import open_home
from ledger.cli.common import pass_settings
from ledger.cli.documents import fields
from ledger.cli.documents import print_document
from ledger.cli.signing import Keys
from ledger.cli.signing import open_desk
from ledger.cli.society import PPM
from ledger.cli.society import key_option
from ledger.cli.society import newest_key
from ledger.cli.values import Amount
from ledger.cli.values import Day
from ledger.errors import InputError
from ledger.events.payments import Application
from ledger.events.payments import PaymentReceived
from ledger.society import bill as bill_run

if TYPE_CHECKING:
    from ledger.author import Author
    from ledger.log import Appended
    from ledger.replay import State
    from ledger.replay.rows import DueRow


class Told(NamedTuple):
    """What an entry came to: sums by name, in micro-units."""

    currency: str
    sums: dict[str, int]


@click.command(
    cls=Command,
    examples="""
    linernote bill --licence 9 --run run-1 --by 2026-12-31 --vat-ppm 250000
    """,
)
@click.option(
    "--licence",
    type=click.IntRange(min=0),
    required=True,
    metavar="ENTRY",
    help="Entry of the licence that the run was under.",
)
@click.option("--run", required=True, metavar="NAME", help="The lab's name of the run.")
@click.option(
    "--by", "day", type=Day(), required=True, help="Day by which it is to be paid."
)
@click.option(
    "--vat-ppm",
    type=click.IntRange(0, PPM),
    default=0,
    show_default=True,
    metavar="PPM",
    help="Value added tax on top, in parts per million: 250000 is 25 %.",
)
@key_option
@home_option
@keys_option
@json_option
@pass_settings
def bill(
    settings: Settings,
    licence: int,
    run: str,
    *,
    day: int,
    vat_ppm: int,
    name: str | None,
) -> None:
    """Bill a lab for a run.

    Appends a due: what the licence's tariff asks for the recordings of the run that
    the licence covers. It is money of nobody's until the lab has paid it.
    """

    def society(state: State) -> bytes:
        granted = state.licences.get(licence)
        if granted is None:
            raise InputError(
                "licence-unknown",
                f"entry {licence} grants no licence",
                hint=f"'linernote show {licence}' says what it is",
            )
        return granted.society

    def act(author: Author) -> Appended:
        return bill_run(author, licence, run, day=day, vat_ppm=vat_ppm)

    def tell(state: State, said: Appended) -> Told:
        due = state.dues.need(said.index)
        return Told(due.currency, {"net": due.net, "vat": due.vat})

    _say(settings, society, act, tell, name)


@click.command(
    cls=Command,
    examples="""
    linernote receive --due 13 --amount 1250000.00
    of which the bank kept 15.00
    linernote receive --due 13 --amount 1250000.00 --charges 15.00
    """,
)
@click.option(
    "--due",
    type=click.IntRange(min=0),
    required=True,
    metavar="ENTRY",
    help="Entry of the due that was paid.",
)
@click.option(
    "--amount",
    type=Amount(),
    required=True,
    help="What the lab sent, in the due's currency: 1250000.00.",
)
@click.option(
    "--charges",
    type=Amount(),
    default="0",
    show_default=True,
    help="What the bank kept of it; the society's own cost.",
)
@key_option
@home_option
@keys_option
@json_option
@pass_settings
def receive(
    settings: Settings, due: int, *, amount: int, charges: int, name: str | None
) -> None:
    """Note that a due was paid.

    Appends payment.received: up to what the due still lacks is applied to it, the rest
    is prepaid by the lab. Once its due is paid, a run can be distributed.
    """

    def find(state: State) -> DueRow:
        row = state.dues.get(due)
        if row is None:
            raise InputError(
                "due-unknown",
                f"entry {due} is no due",
                hint=f"'linernote show {due}' says what it is",
            )
        return row

    applied: list[int] = []

    def act(author: Author) -> Appended:
        row = find(author.log.state)
        applied[:] = [min(amount, row.net + row.vat - row.paid)]
        parts = [Application(amount=each, due=due) for each in applied if each > 0]
        body = PaymentReceived(
            applies=parts,
            charges=charges,
            currency=row.currency,
            gross=amount,
            payer=row.lab,
        )
        return author.say("payment.received", body)

    def tell(state: State, _: Appended) -> Told:
        row = find(state)
        still_due = row.net + row.vat - row.paid
        sums = {"received": amount, "still_due": still_due}
        if applied[0] < amount:
            sums["prepaid"] = amount - applied[0]
        return Told(row.currency, sums)

    _say(settings, lambda state: find(state).society, act, tell, name)


def _say(
    settings: Settings,
    society: Callable[[State], bytes],
    act: Callable[[Author], Appended],
    tell: Callable[[State, Appended], Told],
    name: str | None,
) -> None:
    """Have the society say something, and tell what it came to."""
    keys = Keys(settings)
    with open_home(settings) as reader, reader.reading() as sources:
        by = name or newest_key(keys, sources.state, society(sources.state))
    signer, log_keys = keys.signer(by), keys.log_keys()
    with open_desk(settings, log_keys) as desk:
        said = act(desk.author(signer))
        told = tell(desk.log.state, said)
        exponent = desk.log.state.currencies.need(told.currency)
    if settings.json:
        placed = {"index": said.index, "leaf_hash": said.leaf_hash.hex()}
        print_document({**told._asdict(), **placed})
        return
    pairs = [
        (name.replace("_", " "), f"{told.currency} {format_amount(amount, exponent)}")
        for name, amount in told.sums.items()
    ]
    click.echo("\n".join(fields(pairs, indent="")))
    click.echo(f"entry {said.index}  {said.leaf_hash.hex()}")
