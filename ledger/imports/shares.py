r"""Tables of shares: who holds how much of which side (money.md §1).

A row is one holder of one side of one recording or work. The rows of a side of a
subject are its table, in the order of the file; they add up to 1,000,000 ppm, or all
of them are set aside, since nobody but their author knows which one is wrong. What
nobody is known to hold says `unknown`.

    subject,side,external,percent,role
    demo:song,composition,demo:ada,60,writer
    demo:song,composition,unknown,40,writer
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from functools import partial
from itertools import chain
from itertools import groupby
from itertools import islice
from operator import itemgetter
from pathlib import Path
from struct import Struct
from typing import Any

from ledger.errors import InputError
from ledger.events.checks import check_role
from ledger.events.checks import check_shares_total
from ledger.events.identity import PartyType
from ledger.events.types import PPM
from ledger.imports import cells
from ledger.imports.holders import PLACES_MAX
from ledger.imports.holders import Holdings
from ledger.imports.holders import PartyOf
from ledger.imports.holders import claim
from ledger.imports.holders import pack_holding
from ledger.imports.holders import settle
from ledger.imports.layout import Form
from ledger.imports.layout import SharesLayout
from ledger.imports.layout import recognise_shares
from ledger.imports.reading import Options
from ledger.imports.reading import Plan
from ledger.imports.reading import Reading
from ledger.imports.reading import bind
from ledger.imports.reading import read_table
from ledger.imports.report import Notes
from ledger.imports.report import Rejected
from ledger.imports.sorting import MEMORY_MAX
from ledger.imports.sorting import Place
from ledger.imports.sorting import Sorter
from ledger.imports.sorting import pack
from ledger.imports.sorting import unpack
from ledger.imports.source import Progress
from ledger.imports.table import Table

ShareTable = tuple[bytes, list[bytes]]
"""Subject and side, each ended by a zero byte, and the claims in their order."""

_SHARE = Struct(">IB")
_BAD = PPM + 1
"""Stands for the share of a row that was set aside."""

_Row = tuple[bytes, Place, bytes]


def read_share_rows(
    path: Path, layout: SharesLayout | None, options: Options
) -> Reading:
    """Read a table of shares; `share_tables` gives what is in it.

    Raises:
        InputError: as ``read_table``; ``bad-layout``, ``layout-unknown``.
    """
    return read_table(path, _SharesReader(layout), options)


def read_shares(
    path: Path,
    layout: SharesLayout | None = None,
    *,
    party_of: PartyOf,
    party_type: PartyType = "person",
    verified: bool = False,
    reject_to: Path | None = None,
    skip_bad: bool = False,
    progress: Progress | None = None,
    memory_max: int = MEMORY_MAX,
) -> tuple[Holdings, Reading]:
    """Read a table of shares by itself.

    Args:
        path: of the file.
        layout: None to tell it by the header.
        party_of: gives a party's id; asked once for each external id, ascending.
        party_type: what the holders are.
        verified: whether a registrar vouches for who they are.
        reject_to: where rows go that were set aside; a file that is not there yet.
        skip_bad: go on without them, instead of refusing the import.
        progress: is told how many bytes were read, of how many.
        memory_max: bytes that a sorter holds before it uses a temporary file.

    Raises:
        InputError: as ``read_share_rows``.
        HomeError: ``disk-full``.
    """
    options = Options(reject_to, skip_bad, progress, memory_max)
    reading = read_share_rows(path, layout, options)
    claims = chain.from_iterable(claims for _, claims in share_tables(reading.items))
    holdings = settle(
        claims,
        party_of,
        party_type=party_type,
        verified=verified,
        memory_max=memory_max,
    )
    return holdings, reading


def share_tables(rows: Sorter) -> Iterator[ShareTable]:
    """Give the share tables, ascending; no claims for one that was set aside."""
    return _tables(rows, None)


class _SharesReader:
    """Makes items of rows, and sees to it that tables are whole."""

    def __init__(self, layout: SharesLayout | None) -> None:
        self._layout = layout
        self.form = layout.form if layout else Form()

    def plan(self, table: Table, notes: Notes) -> Plan:
        return _plan(table, self._layout, notes)

    def settle(self, items: Sorter, rejected: Rejected) -> None:
        for _ in _tables(items, rejected):
            pass


def _plan(table: Table, layout: SharesLayout | None, notes: Notes) -> Plan:
    names = table.name_columns()
    layout = layout or recognise_shares(names)
    share = (layout.ppm, cells.parse_ppm)
    if not layout.ppm:
        share = (layout.percent, cells.parse_percent)
    if not share[0] or not (layout.party or layout.external):
        raise InputError(
            "bad-layout",
            f"{table.source.name}: no column says who holds, or how much",
            hint="name a column of parties or external ids, and one of ppm or percent",
        )
    external = cells.external_parser(layout.holders_namespace, notes.add)
    wanted = (
        (layout.subject, cells.external_parser(layout.namespace, notes.add)),
        (layout.side, cells.parse_side),
        share,
        (layout.role, cells.parse_role),
        (layout.party, cells.holder_parser(cells.parse_party, required=False)),
        (layout.external, cells.holder_parser(external, required=False)),
    )
    return Plan(
        bind(names, table.source.name, wanted),
        partial(_pack, default_role=layout.default_role),
        ragged=layout.form.ragged,
        spoil=_spoil,
    )


def _pack(values: list[Any], place: Place, *, default_role: str) -> bytes:
    subject, side, ppm, role, party, external = values
    role = role or default_role
    check_role(side, role, subject)
    holder = party or external
    if not holder:
        raise cells.holder_missing()
    payload = _SHARE.pack(ppm, len(role)) + role.encode() + holder.encode()
    return pack(_key(values), place, payload)


def _spoil(values: list[Any], place: Place) -> bytes | None:
    """Leave word that a row of this table is missing."""
    if len(values) < len(("subject", "side")):
        return None
    return pack(_key(values), place, _SHARE.pack(_BAD, 0))


def _key(values: list[Any]) -> bytes:
    return f"{values[0]}\0{values[1]}\0".encode()


def _tables(rows: Sorter, rejected: Rejected | None) -> Iterator[ShareTable]:
    for key, same in groupby(map(unpack, rows), key=itemgetter(0)):
        group = iter(same)
        table = list(islice(group, PLACES_MAX + 1))
        try:
            _check_table(key, table)
            yield key, _claims(key, table)
        except InputError as error:
            if rejected is not None:
                _reject_all(chain(table, group), rejected, error)
            yield key, []


def _check_table(key: bytes, table: list[_Row]) -> None:
    subject, side = key.decode().split("\0")[:2]
    if len(table) > PLACES_MAX:
        raise InputError(
            "too-many-shares",
            f"the {side} side of {subject} has more than {PLACES_MAX} rows",
        )
    ppms = [_SHARE.unpack_from(payload)[0] for _, _, payload in table]
    if _BAD in ppms:
        line = table[ppms.index(_BAD)][1].line
        raise InputError(
            "table-incomplete",
            f"the {side} side of {subject} lacks line {line}, which was set aside",
            hint="correct that one; the others stay with it",
        )
    check_shares_total(ppms, subject, side)


def _claims(key: bytes, table: list[_Row]) -> list[bytes]:
    claims = []
    for place, (_, _, payload) in enumerate(table):
        ppm, length = _SHARE.unpack_from(payload)
        text = payload[_SHARE.size :].decode()
        holding = pack_holding(place, ppm, text[:length])
        claims.append(claim(text[length:], key, holding))
    return claims


def _reject_all(rows: Iterable[_Row], rejected: Rejected, error: InputError) -> None:
    for _, place, payload in rows:
        if _SHARE.unpack_from(payload)[0] != _BAD:
            rejected.add(place, error)
