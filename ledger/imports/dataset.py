r"""Datasets: a list of recordings that a model is trained on (format.md §5).

One column has their ids; whether a catalogue knows them is for replay to say, which
makes findings of those that none does. A plain list without a header will do if its
ids are whole: `namespace:id`.

>>> import pathlib, tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     path = pathlib.Path(folder, "train.txt")
...     _ = path.write_text("demo:b\ndemo:a\n")
...     dataset = read_dataset(path)
>>> [line.external for line in dataset.lines()], dataset.count
(['demo:a', 'demo:b'], 2)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any

from ledger.events.lines import DatasetLine
from ledger.imports import cells
from ledger.imports.layout import DatasetLayout
from ledger.imports.layout import Form
from ledger.imports.layout import recognise_dataset
from ledger.imports.reading import Options
from ledger.imports.reading import Plan
from ledger.imports.reading import bind
from ledger.imports.reading import read_table
from ledger.imports.reading import reject_double
from ledger.imports.report import Note
from ledger.imports.report import Notes
from ledger.imports.report import Rejected
from ledger.imports.sorting import MEMORY_MAX
from ledger.imports.sorting import Place
from ledger.imports.sorting import Sorter
from ledger.imports.sorting import distinct
from ledger.imports.sorting import pack
from ledger.imports.source import Progress
from ledger.imports.table import Table


@dataclass(frozen=True)
class Dataset:
    """What came of a list of recordings.

    Attributes:
        count: how many recordings.
        rows: how many rows, those set aside included.
        rejected: rows set aside.
        notes: what was mended, or is odd.
    """

    count: int
    rows: int
    rejected: Rejected
    notes: tuple[Note, ...]
    _items: Sorter = field(repr=False)

    def lines(self) -> Iterator[DatasetLine]:
        """Give the lines, ascending by external id; readable again and again."""
        for payload in distinct(self._items):
            yield DatasetLine(external=payload.decode())


def read_dataset(
    path: Path,
    layout: DatasetLayout | None = None,
    *,
    reject_to: Path | None = None,
    skip_bad: bool = False,
    progress: Progress | None = None,
    memory_max: int = MEMORY_MAX,
) -> Dataset:
    """Read a list of recordings.

    Args:
        path: of the file.
        layout: None to tell it by the header, or by the first id.
        reject_to: where rows go that were set aside; a file that is not there yet.
        skip_bad: go on without them, instead of refusing the import.
        progress: is told how many bytes were read, of how many.
        memory_max: bytes that a sorter holds before it uses a temporary file.

    Raises:
        InputError: ``rows-refused`` unless bad rows may be skipped, doubles among
            them; ``layout-unknown``; as ``read_table``.
        HomeError: ``disk-full``.
    """
    options = Options(reject_to, skip_bad, progress, memory_max)
    reading = read_table(path, _DatasetReader(layout), options)
    return Dataset(
        reading.rows - len(reading.rejected),
        reading.rows,
        reading.rejected,
        reading.notes,
        reading.items,
    )


class _DatasetReader:
    """Makes an item of every id."""

    def __init__(self, layout: DatasetLayout | None) -> None:
        self._layout = layout
        self.form = layout.form if layout else Form()

    def plan(self, table: Table, notes: Notes) -> Plan:
        layout = self._layout or recognise_dataset(table.first)
        names = table.name_columns(header=layout.header)
        parse = cells.external_parser(layout.namespace, notes.add)
        return Plan(
            bind(names, table.source.name, [(layout.id, parse)]),
            _pack,
            ragged=layout.form.ragged,
        )

    def settle(self, items: Sorter, rejected: Rejected) -> None:
        double = reject_double(rejected, "id-doubled", "this recording")
        for _ in distinct(items, double):
            pass


def _pack(values: list[Any], place: Place) -> bytes:
    external = values[0].encode()
    return pack(b"%s\0" % external, place, external)
