r"""Catalogues: one table becomes recordings, parties and shares (format.md §5).

    table ──► recordings       catalogue lines, by external id
      └─► claims ──► parties   one for each holder, by party
            ▲    └─► shares    by subject, side and place
    table of shares, if any

A column of holders gives each recording a share table, unless the table of shares has
one for the same side of it: that one was told on purpose. Files of any size are read
once, as streams; what is too much for memory waits in temporary files.

>>> import pathlib, tempfile
>>> header = "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS"
>>> row = "track_0000948\tartist_000087\talbum_000149\t48/948.mp3\t212.7\tcalm"
>>> with tempfile.TemporaryDirectory() as folder:
...     path = pathlib.Path(folder, "catalogue.tsv")
...     _ = path.write_text(f"{header}\r\n{row}\r\n")
...     catalogue = read_catalogue(path, party_of=lambda external: bytes(15) + b"\1")
>>> [(line.external, line.ms) for line in catalogue.recordings()]
[('jamendo:track_0000948', 212700)]
>>> [(line.external, line.type) for line in catalogue.parties()]
[('jamendo:artist_000087', 'person')]
>>> [(line.side, line.ppm, line.role) for line in catalogue.shares()]
[('master', 1000000, 'artist')]
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any
from typing import NamedTuple

import msgspec
from msgspec import UNSET

from ledger.events.identity import PartyType
from ledger.events.lines import CatalogueLine
from ledger.events.lines import PartyLine
from ledger.events.lines import ShareLine
from ledger.imports import cells
from ledger.imports import durations
from ledger.imports.holders import Holdings
from ledger.imports.holders import PartyOf
from ledger.imports.holders import claim
from ledger.imports.holders import pack_holding
from ledger.imports.holders import settle
from ledger.imports.layout import Form
from ledger.imports.layout import HolderColumn
from ledger.imports.layout import Layout
from ledger.imports.layout import SharesLayout
from ledger.imports.layout import check_layout
from ledger.imports.layout import recognise_catalogue
from ledger.imports.reading import Options
from ledger.imports.reading import Parse
from ledger.imports.reading import Plan
from ledger.imports.reading import Reading
from ledger.imports.reading import bind
from ledger.imports.reading import read_table
from ledger.imports.reading import reject_double
from ledger.imports.report import Note
from ledger.imports.report import Notes
from ledger.imports.report import Rejected
from ledger.imports.shares import ShareTable
from ledger.imports.shares import read_share_rows
from ledger.imports.shares import share_tables
from ledger.imports.sorting import MEMORY_MAX
from ledger.imports.sorting import Place
from ledger.imports.sorting import Sorter
from ledger.imports.sorting import distinct
from ledger.imports.sorting import pack
from ledger.imports.source import Progress
from ledger.imports.table import Table

_DURATIONS = {
    "clock": durations.parse_clock,
    "ms": durations.parse_milliseconds,
    "s": durations.parse_seconds,
}

_HOLDERS = 4  # values of a row before its holders: id, ISRC, duration, works

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Any]).decode


@dataclass(frozen=True)
class SharesFile:
    """A table of shares beside the catalogue.

    Attributes:
        path: of the file.
        layout: None to tell it by the header.
        reject_to: where its rows go that were set aside.
    """

    path: Path
    layout: SharesLayout | None = None
    reject_to: Path | None = None


class Counts(NamedTuple):
    """How many of what.

    Attributes:
        rows: in the catalogue's file, those set aside included.
        recordings: lines of the catalogue.
        parties: holders with an external id.
        shares: lines of share tables.
    """

    rows: int
    recordings: int
    parties: int
    shares: int


@dataclass(frozen=True)
class Catalogue:
    """What came of a catalogue: lines for three manifests, readable again and again.

    Attributes:
        holdings: parties and shares.
        counts: how many of each.
        rejected: rows set aside.
        shares_rejected: rows of the table of shares set aside.
        notes: what was mended, or is odd.
        shares_notes: the same for the table of shares.
    """

    holdings: Holdings
    counts: Counts
    rejected: Rejected
    shares_rejected: Rejected
    notes: tuple[Note, ...]
    shares_notes: tuple[Note, ...]
    _recordings: Sorter = field(repr=False)

    def recordings(self) -> Iterator[CatalogueLine]:
        """Give the recordings, ascending by external id."""
        for payload in distinct(self._recordings):
            external, isrc, ms, works, *_ = _decode(payload)
            yield CatalogueLine(
                external=external,
                isrc=isrc or UNSET,
                ms=ms or UNSET,
                works=[(work, ppm) for work, ppm in works] if works else UNSET,
            )

    def parties(self) -> Iterator[PartyLine]:
        """Give the holders that have an external id, ascending by party."""
        return self.holdings.parties()

    def shares(self) -> Iterator[ShareLine]:
        """Give the share lines, ascending by subject, side and place."""
        return self.holdings.shares()


def read_catalogue(
    path: Path,
    layout: Layout | None = None,
    *,
    party_of: PartyOf,
    party_type: PartyType = "person",
    verified: bool = False,
    shares: SharesFile | None = None,
    reject_to: Path | None = None,
    skip_bad: bool = False,
    progress: Progress | None = None,
    memory_max: int = MEMORY_MAX,
) -> Catalogue:
    """Read a catalogue, and the table of shares that goes with it.

    Args:
        path: of the catalogue.
        layout: None to tell it by the header.
        party_of: gives a party's id; asked once for each external id, ascending, and
            only once nothing more can refuse the import.
        party_type: what the holders are.
        verified: whether a registrar vouches for who they are.
        shares: a table of shares, whose tables take precedence.
        reject_to: where rows go that were set aside; a file that is not there yet.
        skip_bad: go on without them, instead of refusing the import.
        progress: is told how many bytes were read, of how many.
        memory_max: bytes that a sorter holds before it uses a temporary file.

    Raises:
        InputError: ``rows-refused`` unless bad rows may be skipped; ``bad-layout``,
            ``layout-unknown``; as ``read_table``.
        HomeError: ``disk-full``.
    """
    options = Options(reject_to, skip_bad, progress, memory_max)
    of_file = _read_shares(shares, options)
    tables = share_tables(of_file.items) if of_file else ()
    reader = _CatalogueReader(layout, tables, Sorter(memory_max))
    reading = read_table(path, reader, options)
    holdings = settle(
        reader.claims,
        party_of,
        party_type=party_type,
        verified=verified,
        memory_max=memory_max,
    )
    return Catalogue(
        holdings,
        Counts(
            reading.rows,
            reading.rows - len(reading.rejected),
            holdings.party_count,
            holdings.share_count,
        ),
        reading.rejected,
        of_file.rejected if of_file else Rejected(),
        reading.notes,
        of_file.notes if of_file else (),
        reading.items,
    )


class _CatalogueReader:
    """Makes items of recordings, and claims of their holders.

    An item holds the values of a row: id, ISRC, duration, works, then the holders in
    the order of their columns.
    """

    def __init__(
        self,
        layout: Layout | None,
        tables: Iterable[ShareTable],
        claims: Sorter,
    ) -> None:
        self._layout = layout
        self._tables = tables
        self.claims = claims
        self.form = layout.form if layout else Form()

    def plan(self, table: Table, notes: Notes) -> Plan:
        names = table.name_columns()
        layout = self._layout = self._layout or recognise_catalogue(names)
        check_layout(layout)
        return Plan(
            bind(names, table.source.name, _columns(layout, notes)),
            _pack,
            ragged=layout.form.ragged,
        )

    def settle(self, items: Sorter, rejected: Rejected) -> None:
        double = reject_double(rejected, "id-doubled", "this recording")
        holders = self._layout.holders if self._layout else ()
        of_columns = _tables_of_columns(distinct(items, double), holders)
        # Merging is stable: a table of the file comes before that of the columns.
        tables = heapq.merge(self._tables, of_columns, key=itemgetter(0))
        for _, same in groupby(tables, key=itemgetter(0)):
            self.claims.extend(next(same)[1])


def _read_shares(shares: SharesFile | None, options: Options) -> Reading | None:
    if shares is None:
        return None
    options = replace(options, reject_to=shares.reject_to)
    return read_share_rows(shares.path, shares.layout, options)


def _columns(layout: Layout, notes: Notes) -> list[tuple[str, Parse]]:
    """Say which columns to read, and how; their values become an item."""
    note = notes.add
    isrc = cells.isrc_parser(note)
    work = cells.external_parser(layout.works_namespace, note)
    holder = cells.external_parser(layout.holders_namespace, note)
    holder = cells.holder_parser(holder, required=True)
    if layout.id:
        external = (layout.id, cells.external_parser(layout.namespace, note))
    else:
        external = (layout.isrc, cells.isrc_id_parser(isrc))
    return [
        external,
        (layout.isrc, isrc),
        (layout.duration, partial(_DURATIONS[layout.unit], note=note)),
        (layout.works, partial(cells.parse_works, external=work)),
        *((each.column, holder) for each in layout.holders),
    ]


def _pack(values: list[Any], place: Place) -> bytes:
    return pack(b"%s\0" % values[0].encode(), place, _encode(values))


def _tables_of_columns(
    payloads: Iterable[bytes], holders: Sequence[HolderColumn]
) -> Iterator[ShareTable]:
    """Give the tables that columns of holders make, ascending."""
    # Sorted by side; the columns of a side stay in their order.
    columns = sorted(enumerate(holders, _HOLDERS), key=lambda column: column[1].side)
    sides = [
        (
            f"\0{side}\0".encode(),
            [
                (index, pack_holding(place, column.ppm, column.role))
                for place, (index, column) in enumerate(group)
            ],
        )
        for side, group in groupby(columns, key=lambda column: column[1].side)
    ]
    for payload in payloads:
        values = _decode(payload)
        subject = values[0].encode()
        for side, holdings in sides:
            table = subject + side
            yield table, [claim(values[index], table, what) for index, what in holdings]
