"""What a society does every day, without writing events by hand (money.md §2, §5).

The lines come from the same functions by which replay checks them, computed on the
state of the log that they are appended to.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Any

import click

from ledger.accounting.money import format_amount
from ledger.cli.common import Command
from ledger.cli.common import Settings
from ledger.cli.common import hint
from ledger.cli.common import home_option
from ledger.cli.common import json_option
from ledger.cli.common import keys_option
from ledger.cli.common import open_home
from ledger.cli.common import pass_settings
from ledger.cli.documents import fields
from ledger.cli.documents import print_document
from ledger.cli.signing import Keys
from ledger.cli.signing import in_force
from ledger.cli.signing import open_desk
from ledger.cli.values import Amount
from ledger.errors import InputError
from ledger.events.json import body_to_json
from ledger.society import Planned
from ledger.society import plan_distribution
from ledger.society import plan_payout
from ledger.society import pool_of

if TYPE_CHECKING:
    from ledger.log import Appended
    from ledger.replay import State
    from ledger.storage.base import Store

PPM = 1_000_000


key_option = click.option(
    "--key",
    "name",
    metavar="NAME",
    help="The society's sign key.  [default: the one that is here and in force]",
)
_dry_option = click.option(
    "--dry-run", is_flag=True, help="Compute and show it; append nothing."
)


@click.command(
    cls=Command,
    examples="""
    what would be shared, line by line
    linernote distribute --licence 9 --run run-1 --dry-run --json
    linernote distribute --licence 9 --run run-1
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
@key_option
@_dry_option
@home_option
@keys_option
@json_option
@pass_settings
def distribute(
    settings: Settings, licence: int, run: str, *, name: str | None, dry_run: bool
) -> None:
    """Share the fee of a run out.

    Takes the pool of the licence and run, all of which must have been paid, and closes
    it: reserve, then the scheme's allocation down to each recording, side and holder,
    then fee and cultural deduction line by line. What no verified holder is known for
    waits in suspense. The same rule recomputes every line when the log is audited.
    """

    def plan(state: State, store: Store) -> Planned:
        return plan_distribution(state, store, licence, run)

    def society(state: State) -> bytes:
        return pool_of(state, licence, run).society

    _carry_out(settings, plan, society, name, dry_run=dry_run)


@click.command(
    cls=Command,
    examples="""
    linernote payout --currency SEK --threshold 100.00 --tax-ppm 300000 --dry-run
    linernote payout --currency SEK --threshold 100.00 --tax-ppm 300000
    """,
)
@click.option("--currency", required=True, metavar="CODE", help="Which balances.")
@click.option(
    "--threshold",
    type=Amount(),
    default="0",
    show_default=True,
    help="Least balance that is paid out, before tax: 100.00.",
)
@click.option(
    "--tax-ppm",
    type=click.IntRange(0, PPM),
    default=0,
    show_default=True,
    metavar="PPM",
    help="Withholding tax in parts per million: 300000 is 30 %.",
)
@key_option
@_dry_option
@home_option
@keys_option
@json_option
@pass_settings
def payout(
    settings: Settings,
    currency: str,
    *,
    threshold: int,
    tax_ppm: int,
    name: str | None,
    dry_run: bool,
) -> None:
    """Pay balances out.

    Makes a batch of every balance that the society owes in a currency and that reaches
    the threshold: floored to the minor unit, less tax. What remains stays payable. The
    batch is in transit until a payout.result says what became of it at the bank:
    'linernote kinds payout.result'.
    """
    keys = Keys(settings)

    def society(state: State) -> bytes:
        return _society(keys, state, name)

    def plan(state: State, _: Store) -> Planned:
        return plan_payout(state, society(state), currency, threshold, tax_ppm)

    _carry_out(settings, plan, society, name, dry_run=dry_run)


def _society(keys: Keys, state: State, name: str | None) -> bytes:
    """Find the society whose balances are meant: the one that a key here signs for."""
    if name is not None:
        return keys.ring.load(name).party
    societies = {party for (party, role), _ in state.roles.items() if role == "society"}
    here = {file.party for file, _ in in_force(keys, state) if file.party in societies}
    if len(here) == 1:
        return here.pop()
    raise InputError(
        "key-needed",
        f"{len(here) or 'no'} societies have a sign key here",
        hint="say whose balances with --key NAME: see 'linernote key list'",
    )


def _carry_out(
    settings: Settings,
    plan: Callable[[State, Store], Planned],
    society: Callable[[State], bytes],
    name: str | None,
    *,
    dry_run: bool,
) -> None:
    """Plan on the newest state, and append unless it is a rehearsal."""
    keys = Keys(settings)
    with open_home(settings) as reader, reader.reading() as sources:
        state = sources.state
        currencies = dict(state.currencies.items())
        if dry_run:
            planned = plan(state, sources.store)
        elif name is None:
            name = newest_key(keys, state, society(state))
    said = None
    if name is not None and not dry_run:
        signer, log_keys = keys.signer(name), keys.log_keys()
        with open_desk(settings, log_keys) as desk:
            author = desk.author(signer)
            planned = plan(desk.log.state, desk.log.store)
            lines = {planned.field: planned.lines}
            said = author.say(planned.kind, planned.body, lines)
    _report(settings, planned, currencies[planned.currency], said)


def newest_key(keys: Keys, state: State, society: bytes) -> str:
    """Choose the sign key of a society that was added last, of those here."""
    found = [
        (row.added, file.name)
        for file, row in in_force(keys, state)
        if file.party == society
    ]
    if not found:
        raise InputError(
            "key-needed",
            f"no sign key of society {society.hex()} is in {keys.ring.folder}",
            hint="name the folder of its keys with --keys",
        )
    return max(found)[1]


def _report(
    settings: Settings, planned: Planned, exponent: int, said: Appended | None
) -> None:
    if settings.json:
        print_document(_document(planned, said))
        return
    count = len(planned.lines)
    pairs = [
        (what, f"{planned.currency} {format_amount(amount, exponent)}")
        for what, amount in planned.sums.items()
    ]
    click.echo(f"{planned.kind} of {count:,} {'line' if count == 1 else 'lines'}")
    click.echo("\n".join(fields(pairs)))
    if said is None:
        hint("a rehearsal: nothing was appended; --json shows every line")
    else:
        click.echo(f"entry {said.index}  {said.leaf_hash.hex()}")


def _document(planned: Planned, said: Appended | None) -> dict[str, Any]:
    document: dict[str, Any] = {
        "kind": planned.kind,
        "society": planned.society.hex(),
        "currency": planned.currency,
        "sums": planned.sums,
        "lines": [body_to_json(line) for line in planned.lines],
        "index": None,
        "leaf_hash": None,
    }
    if said is not None:
        document["index"] = said.index
        document["leaf_hash"] = said.leaf_hash.hex()
    return document
