"""Reading of a table: columns parsed, bad rows set aside, the rest sorted.

    file → Source → Table → cells → items → Sorter

This is what all tables have in common. A plan says for each kind which columns there
are, how to parse them, and what to make of the values.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from typing import NamedTuple
from typing import Protocol

from ledger.errors import InputError
from ledger.imports.layout import Form
from ledger.imports.layout import find_column
from ledger.imports.report import Note
from ledger.imports.report import Notes
from ledger.imports.report import Rejected
from ledger.imports.report import check_free
from ledger.imports.report import refuse_rejected
from ledger.imports.report import write_rejected
from ledger.imports.sorting import MEMORY_MAX
from ledger.imports.sorting import Place
from ledger.imports.sorting import Sorter
from ledger.imports.source import Progress
from ledger.imports.source import Source
from ledger.imports.table import Table

Parse = Callable[[str], Any]


class Column(NamedTuple):
    """A column that is read.

    Attributes:
        place: which cell.
        name: as the header has it.
        parse: makes a value of the cell, or raises `InputError`.
    """

    place: int
    name: str
    parse: Parse


class Plan(NamedTuple):
    """What to do with the rows of a table.

    Attributes:
        columns: to read.
        pack: makes an item (`sorting.pack`) of their values; may raise `InputError`.
        ragged: whether rows may be wider than the header.
        spoil: makes an item of what could be read of a row that was set aside.
    """

    columns: Sequence[Column]
    pack: Callable[[list[Any], Place], bytes]
    ragged: bool = False
    spoil: Callable[[list[Any], Place], bytes | None] | None = None


@dataclass(frozen=True)
class Options:
    """How to go about a file.

    Attributes:
        reject_to: where rows go that were set aside; a file that is not there yet.
        skip_bad: go on without them, instead of refusing the import.
        progress: is told how many bytes were read, of how many.
        memory_max: bytes that a sorter holds before it uses a temporary file.
    """

    reject_to: Path | None = None
    skip_bad: bool = False
    progress: Progress | None = None
    memory_max: int = MEMORY_MAX


class Reading(NamedTuple):
    """What came of a table.

    Attributes:
        items: of the rows that are good by themselves.
        rejected: rows set aside.
        notes: what was mended, or is odd.
        rows: how many the table has, those set aside included.
    """

    items: Sorter
    rejected: Rejected
    notes: tuple[Note, ...]
    rows: int


class Reader(Protocol):
    """What one kind of table has of its own."""

    @property
    def form(self) -> Form:
        """How the table is written down, as far as that is known."""
        ...

    def plan(self, table: Table, notes: Notes) -> Plan:
        """Make a plan for the table at hand."""
        ...

    def settle(self, items: Sorter, rejected: Rejected) -> None:
        """Set rows aside that are bad only beside others."""
        ...


def read_table(path: Path, reader: Reader, options: Options) -> Reading:
    """Read a table once.

    Args:
        path: of the file.
        reader: what to make of it.
        options: how to go about it.

    Raises:
        InputError: ``rows-refused``, ``no-rows``; a code of ``Source`` or ``Table``;
            ``column-missing``, ``column-doubled``; ``rejects-file-exists``.
        HomeError: ``disk-full``.
    """
    check_free(options.reject_to)
    with Source(path, options.progress) as source:
        form = reader.form
        table = Table(source, form.delimiter, quoted=form.quoted)
        notes = Notes(source)
        rejected = Rejected()
        items = Sorter(options.memory_max)
        items.extend(_items(table, reader.plan(table, notes), rejected))
        reader.settle(items, rejected)
        write_rejected(table, rejected, options.reject_to)
    refuse_rejected(
        source.name,
        rejected,
        options.reject_to,
        rows=table.row_count,
        skip_bad=options.skip_bad,
    )
    return Reading(items, rejected, notes.all(), table.row_count)


def bind(
    names: Sequence[str], file: str, wanted: Iterable[tuple[str, Parse]]
) -> list[Column]:
    """Find the columns that are wanted; one without a name has no values.

    Raises:
        InputError: ``column-missing`` or ``column-doubled``.
    """
    return [
        Column(find_column(names, name, file), name, parse)
        if name
        else Column(0, name, _nothing)
        for name, parse in wanted
    ]


def reject_double(
    rejected: Rejected, code: str, what: str
) -> Callable[[Place, Place], None]:
    """Make what sets doubles aside, for ``sorting.distinct``."""

    def double(place: Place, first: Place) -> None:
        error = InputError(
            code,
            f"{what} stands in line {first.line} already",
            hint="keep one of the two rows",
        )
        rejected.add(place, error)

    return double


def _nothing(_: str) -> None:
    """Read a column that is not there."""


def _items(table: Table, plan: Plan, rejected: Rejected) -> Iterator[bytes]:
    source, columns, pack = table.source, plan.columns, plan.pack
    rows = table.rows(rejected.add, ragged=plan.ragged)
    for cells in rows:
        values: list[Any] = []
        try:
            for place, _, parse in columns:
                values.append(parse(cells[place]))
            yield pack(values, source.place)
        except InputError as error:
            column = columns[len(values)].name if len(values) < len(columns) else ""
            rejected.add(source.place, error, column)
            if plan.spoil and (item := plan.spoil(values, source.place)):
                yield item
