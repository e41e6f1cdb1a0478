"""Commands that bring tables on the log."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from typing import get_args

import click

from ledger.cli.common import Command
from ledger.cli.common import Progress
from ledger.cli.common import Settings
from ledger.cli.common import hint
from ledger.cli.common import home_option
from ledger.cli.common import json_option
from ledger.cli.common import keys_option
from ledger.cli.common import open_home
from ledger.cli.common import pass_settings
from ledger.cli.documents import fields
from ledger.cli.documents import print_document
from ledger.cli.importing import Brought
from ledger.cli.importing import Entries
from ledger.cli.importing import append_catalogue
from ledger.cli.importing import known_parties
from ledger.cli.signing import Keys
from ledger.cli.signing import new_id
from ledger.cli.values import Day
from ledger.errors import InputError
from ledger.events.identity import PartyType
from ledger.events.types import PPM
from ledger.events.types import SIDES
from ledger.imports.catalogue import Catalogue
from ledger.imports.catalogue import SharesFile
from ledger.imports.catalogue import read_catalogue
from ledger.imports.holders import PartyBook
from ledger.imports.layout import Form
from ledger.imports.layout import HolderColumn
from ledger.imports.layout import Layout
from ledger.imports.layout import Unit
from ledger.setup import OPERATOR_KEY


@click.group(name="import")
def import_() -> None:
    """Bring a catalogue in from a table."""


class Holder(click.ParamType[HolderColumn]):
    """A column of holders: COLUMN, COLUMN:SIDE, COLUMN:SIDE:ROLE …:PPM."""

    name = "COLUMN[:SIDE[:ROLE[:PPM]]]"

    def convert(
        self,
        value: Any,  # noqa: ANN401 (as click has it)
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> HolderColumn:
        """Parse one."""
        column, *rest = str(value).split(":")
        side, role, ppm = (*rest, *("master", "owner", str(PPM))[len(rest) :])[:3]
        if len(rest) > 3 or side not in SIDES or not ppm.isdecimal():  # noqa: PLR2004
            self.fail(
                f"{value!r} is not COLUMN:SIDE:ROLE:PPM, such as Artist:master",
                param,
                ctx,
            )
        return HolderColumn(column, side, role, int(ppm))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Wanted:
    """The options of ``import catalogue``."""

    file: Path
    namespace: str
    id: str
    isrc: str
    duration: str
    unit: Unit
    works: str
    holders: tuple[HolderColumn, ...]
    holders_namespace: str
    delimiter: str
    shares: Path | None
    type_: PartyType
    verified: bool
    effective: int
    name: str | None
    registrar: str
    rejects: Path | None
    skip_bad: bool
    dry_run: bool

    @property
    def layout(self) -> Layout | None:
        """The columns as given; None where the header is to tell."""
        if not (self.id or self.isrc):
            given = self.duration or self.works or self.holders or self.namespace
            if given:
                raise click.UsageError(
                    "say with --id (or --isrc) which column has the recording's id"
                )
            return None
        namespace = self.namespace
        return Layout(
            id=self.id,
            namespace=namespace,
            isrc=self.isrc,
            duration=self.duration,
            unit=self.unit,
            works=self.works,
            works_namespace=namespace,
            holders=self.holders,
            holders_namespace=self.holders_namespace or namespace,
            form=Form(self.delimiter),
        )

    @property
    def rejects_file(self) -> Path:
        """Where rows go that were set aside."""
        named = f"{self.file.stem}.rejected{self.file.suffix}"
        return self.rejects or Path(named)


@import_.command(
    cls=Command,
    examples="""
    the MTG-Jamendo layout is recognised by its header
    linernote import catalogue catalogue.tsv --key society --dry-run
    linernote import catalogue catalogue.tsv --key society

    another layout, by its columns
    linernote import catalogue songs.csv --key society --namespace birch \\
        --id "Track No" --isrc ISRC --duration Length --unit clock \\
        --holder "Label:master:owner" --holder "Artist:performer:featured"
    """,
)
@click.argument("file", type=click.Path(readable=False, path_type=Path))
@click.option("--namespace", default="", help="Goes before ids that have none.")
@click.option("--id", default="", metavar="COLUMN", help="The recording's id.")
@click.option("--isrc", default="", metavar="COLUMN", help="The recording's ISRC.")
@click.option("--duration", default="", metavar="COLUMN", help="How long it plays.")
@click.option(
    "--unit",
    type=click.Choice(get_args(Unit)),
    default="s",
    show_default=True,
    help="Of durations: seconds, milliseconds, or 3:32.7.",
)
@click.option("--works", default="", metavar="COLUMN", help="id, or id=ppm id=ppm.")
@click.option(
    "--holder",
    "holders",
    type=Holder(),
    multiple=True,
    help="A column of holders, which side they hold, as what, and how much of it."
    "  [default: master, owner, all of it]",
)
@click.option(
    "--holders-namespace",
    default="",
    metavar="NAME",
    help="Goes before ids of holders.  [default: as --namespace]",
)
@click.option("--delimiter", default="", help="Between cells.  [default: found out]")
@click.option(
    "--shares",
    type=click.Path(readable=False, path_type=Path),
    metavar="FILE",
    help="A table of shares (subject, side, external or party, ppm or percent, role),"
    " which takes precedence over columns of holders.",
)
@click.option(
    "--type",
    "type_",
    type=click.Choice(get_args(PartyType)),
    default="person",
    show_default=True,
    help="What new holders are.",
)
@click.option(
    "--verified", is_flag=True, help="The registrar vouches for who the holders are."
)
@click.option(
    "--effective",
    type=Day(),
    default="1970-01-01",
    show_default=True,
    help="Day from which the shares count.",
)
@click.option("--key", "name", metavar="NAME", help="The society's sign key.")
@click.option(
    "--registrar",
    metavar="KEY",
    default=OPERATOR_KEY,
    show_default=True,
    help="The key that registers new holders.",
)
@click.option(
    "--rejects",
    type=click.Path(readable=False, path_type=Path),
    metavar="FILE",
    help="Where bad rows go, with reasons.  [default: NAME.rejected.tsv, here]",
)
@click.option("--skip-bad", is_flag=True, help="Go on without bad rows.")
@click.option("--dry-run", is_flag=True, help="Read and report; append nothing.")
@home_option
@keys_option
@json_option
@pass_settings
def catalogue(settings: Settings, /, **options: Any) -> None:  # noqa: ANN401 (Wanted)
    """Bring a catalogue in from a TSV or CSV table.

    Appends up to three entries, all or none: the holders that are not on the log yet
    (as parties without keys, by the registrar), the recordings, and who holds them.
    Titles and names are left out: nothing that names a person goes on the log.

    Bad rows come back in a file of their own, with line, code and reason before the
    columns; correct them there and import that file as it is. Without --skip-bad one
    bad row refuses the import.
    """
    wanted = Wanted(**options)
    if wanted.name is None and not wanted.dry_run:
        raise InputError(
            "key-needed",
            "a society's key signs the catalogue",
            hint="name it with --key, or rehearse with --dry-run",
        )
    keys = Keys(settings)
    with open_home(settings) as reader, reader.reading() as sources:
        book = PartyBook(known_parties(sources.state).get, new_id)
    read = _read(wanted, book)
    entries = None
    if wanted.name is not None and not wanted.dry_run:
        society, registrar = keys.signer(wanted.name), keys.signer(wanted.registrar)
        brought = Brought(read, book, wanted.effective, society, registrar)
        entries = append_catalogue(settings, keys, brought)
    _report(settings, wanted, read, entries)


def _read(wanted: Wanted, book: PartyBook) -> Catalogue:
    shares = None
    if wanted.shares is not None:
        shares_rejects = Path(f"{wanted.shares.stem}.rejected{wanted.shares.suffix}")
        shares = SharesFile(wanted.shares, reject_to=shares_rejects)
    with Progress("reading") as progress:
        return read_catalogue(
            wanted.file,
            wanted.layout,
            party_of=book,
            party_type=wanted.type_,
            verified=wanted.verified,
            shares=shares,
            reject_to=wanted.rejects_file,
            skip_bad=wanted.skip_bad,
            progress=progress,
        )


def _report(
    settings: Settings, wanted: Wanted, read: Catalogue, entries: Entries | None
) -> None:
    rejected = len(read.rejected) + len(read.shares_rejected)
    notes = [*read.notes, *read.shares_notes]
    if settings.json:
        print_document(
            {
                **read.counts._asdict(),
                "rejected": rejected,
                "rejects_file": str(wanted.rejects_file) if rejected else None,
                "notes": [
                    {
                        "code": n.code,
                        "line": n.line,
                        "reason": n.reason,
                        "count": n.count,
                    }
                    for n in notes
                ],
                "entries": None if entries is None else entries._asdict(),
            }
        )
        return
    counts = [(what, f"{number:,}") for what, number in read.counts._asdict().items()]
    click.echo("\n".join(fields(counts, indent="")))
    for note in notes:
        hint(
            f"note: line {note.line}: {note.reason} ({note.code}, {note.count:,} times)"
        )
    if rejected:
        hint(f"{rejected:,} bad rows are in {wanted.rejects_file}, with reasons")
    if entries is None:
        hint("a rehearsal: nothing was appended")
        return
    for what, index in entries._asdict().items():
        if index is not None:
            click.echo(f"entry {index}  {what}")
