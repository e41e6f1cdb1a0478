"""Commands about money: every party's balance, one party's statement."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from typing import Any

import click

from ledger.accounting.money import format_amount
from ledger.cli.common import Command
from ledger.cli.common import Settings
from ledger.cli.common import home_option
from ledger.cli.common import json_option
from ledger.cli.common import open_home
from ledger.cli.common import pass_settings
from ledger.cli.documents import print_document
from ledger.cli.documents import table
from ledger.statement import statement_csv
from ledger.statement import statement_json
from ledger.statement import statement_text

if TYPE_CHECKING:
    from ledger.names import Names

Document = dict[str, Any]


@click.command(
    cls=Command,
    examples="""
    linernote balances
    as they stood after the first 500 entries
    linernote balances --at 500 --json
    """,
)
@click.option(
    "--at",
    type=click.IntRange(min=1),
    metavar="SIZE",
    help="Go back to that size of the log, by replaying its first entries.",
)
@home_option
@json_option
@pass_settings
def balances(settings: Settings, at: int | None) -> None:
    """List what every party is owed.

    Credited is what distributions gave, net, whether paid out or not; payable is what
    is owed now. Suspense is money that waits until a holder is known and confirmed.
    """
    with open_home(settings) as reader:
        document = reader.balances(at)
        with reader.reading() as sources:
            names = sources.words.names
    if settings.json:
        print_document(document)
    else:
        click.echo("\n".join(_lines(document, names)))


def _lines(document: Document, names: Names) -> Iterator[str]:
    exponents: dict[str, int] = document["currency"]

    def money(row: Document, column: str) -> str:
        return format_amount(row[column], exponents[row["currency"]])

    yield f"after {document['size']:,} entries"
    yield ""
    columns = ("credited", "paid", "payable", "held")
    rows = [["PARTY", "", "", *(column.upper() for column in columns)]]
    for row in document["balances"]:
        party = bytes.fromhex(row["party"])
        name = names.party(party, row["external"] or "")
        shown = [money(row, column) for column in columns]
        rows.append([row["party"], name, row["currency"], *shown])
    if len(rows) == 1:
        yield "nobody has been credited anything yet"
    else:
        yield from table(rows, right=range(3, 7))
    waiting = document["suspense"]
    if waiting:
        yield ""
        yield "waiting until a holder is known and confirmed:"
        cells = [
            [_waits_for(row, names), row["currency"], money(row, "amount")]
            for row in waiting
        ]
        yield from (f"  {line}" for line in table(cells, right={2}))


def _waits_for(row: Document, names: Names) -> str:
    if "pool" in row:
        return f"pool {row['pool']}"
    title = names.recording(row["recording"])
    known_as = "" if title == row["recording"] else f" ({row['recording']})"
    return f"{row['side']} of {title}{known_as}"


@click.command(
    cls=Command,
    examples="""
    linernote statement "Ottoline Brackwater"
    every amount back to the training run it comes from
    linernote statement 9a0f --explain
    linernote statement jamendo:artist_000087 --csv > statement.csv
    """,
)
@click.argument("party")
@click.option("--explain", is_flag=True, help="Say of each amount how it came about.")
@click.option("--csv", "as_csv", is_flag=True, help="Write CSV, for a spreadsheet.")
@home_option
@json_option
@pass_settings
def statement(settings: Settings, party: str, *, explain: bool, as_csv: bool) -> None:
    """Explain what a party was paid, and why.

    PARTY is an id, the beginning of one, an external id or a name. Every account runs
    from its opening to its closing balance, line by line; each line names its entry.
    """
    if as_csv and settings.json:
        raise click.UsageError("give --csv or --json, not both")
    with open_home(settings) as reader:
        built = reader.statement(party)
    if settings.json:
        print_document(statement_json(built))
    elif as_csv:
        click.echo(statement_csv(built).encode(), nl=False)
    else:
        click.echo(statement_text(built, explain=explain), nl=False)
