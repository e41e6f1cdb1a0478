"""Which column of a table holds what.

Every society has a layout of its own: `Layout`, `SharesLayout` and
`DatasetLayout` name the columns. Two layouts are recognised by their header:

    MTG-Jamendo  TRACK_ID ARTIST_ID ALBUM_ID PATH DURATION TAGS, namespace jamendo
                 (https://github.com/MTG/mtg-jamendo-dataset); the artist has the
                 whole master side
    our own      the names of the fields: external, isrc, ms, works; or subject, side,
                 party, external, ppm, percent, role (any that are there)

Titles and names stay in the file: nothing that names a person goes on the log.

>>> layout = recognise_catalogue(["external", "TITLE", "ms"])
>>> layout.id, layout.isrc, layout.duration, layout.unit
('external', '', 'ms', 'ms')
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from ledger.entry.grammar import check_token
from ledger.errors import InputError
from ledger.events.checks import check_role
from ledger.events.types import PPM
from ledger.events.types import Side
from ledger.tlog.text import excerpt

Unit = Literal["clock", "ms", "s"]

_JAMENDO_HEADER = ("TRACK_ID", "ARTIST_ID", "ALBUM_ID", "PATH", "DURATION", "TAGS")
_SHOWN_COLUMNS = 12
_NAME_COLUMNS = (
    "name the columns external (ids such as birch:17), isrc and ms;"
    " 'linernote import catalogue --help' says how to use others"
)


@dataclass(frozen=True)
class Form:
    """How a table is written down.

    Attributes:
        delimiter: between cells; "" finds it out.
        quoted: whether quotes hold a cell together; None finds it out.
        ragged: whether rows may be wider than the header.
    """

    delimiter: str = ""
    quoted: bool | None = None
    ragged: bool = False


@dataclass(frozen=True)
class HolderColumn:
    """A column of holders of one side of the recording.

    Attributes:
        column: its name.
        side: of the recording.
        role: of the holders; featured or session for performers.
        ppm: what each holds; the columns of a side add up to 10**6.
    """

    column: str
    side: Side = "master"
    role: str = "owner"
    ppm: int = PPM


@dataclass(frozen=True)
class Layout:
    """The columns of a catalogue; "" for what it does not have.

    Attributes:
        id: the recording's id; without one, its ISRC is its id.
        namespace: goes before ids that do not have it.
        isrc: ISRC.
        duration: how long it plays.
        unit: of durations.
        works: the works that it records, as `id` or `id=ppm id=ppm`.
        works_namespace: goes before ids of works that do not have it.
        holders: columns of holders.
        holders_namespace: goes before ids of holders that do not have it.
        form: how the table is written down.
    """

    id: str = ""
    namespace: str = ""
    isrc: str = ""
    duration: str = ""
    unit: Unit = "s"
    works: str = ""
    works_namespace: str = ""
    holders: tuple[HolderColumn, ...] = ()
    holders_namespace: str = ""
    form: Form = Form()


@dataclass(frozen=True)
class SharesLayout:
    """The columns of a table of shares; "" for what it does not have.

    Attributes:
        subject: external id of the recording or work.
        namespace: goes before subjects that do not have it.
        side: composition, master or performer.
        party: the holder's id on the log, in hex, or "unknown".
        external: the holder's id in a source of its own; if `party` is empty.
        holders_namespace: goes before external ids that do not have it.
        ppm: the share in parts per million; or
        percent: the share in percent.
        role: the holder's role.
        default_role: where there is no such column.
        form: how the table is written down.
    """

    subject: str
    side: str
    namespace: str = ""
    party: str = ""
    external: str = ""
    holders_namespace: str = ""
    ppm: str = ""
    percent: str = ""
    role: str = ""
    default_role: str = "owner"
    form: Form = Form()


@dataclass(frozen=True)
class DatasetLayout:
    """The column of a list of recordings.

    Attributes:
        id: the column; "1" is the first where there is no header.
        namespace: goes before ids that do not have it.
        header: whether the first row names the columns.
        form: how the table is written down.
    """

    id: str
    namespace: str = ""
    header: bool = True
    form: Form = Form()


JAMENDO = Layout(
    id="TRACK_ID",
    namespace="jamendo",
    duration="DURATION",
    holders=(HolderColumn("ARTIST_ID", role="artist"),),
    holders_namespace="jamendo",
    form=Form("\t", quoted=False, ragged=True),
)
"""The MTG-Jamendo layout; its tags fill columns without names."""

JAMENDO_DATASET = DatasetLayout("TRACK_ID", "jamendo", form=JAMENDO.form)


def recognise_catalogue(header: Sequence[str]) -> Layout:
    """Tell the layout of a catalogue by its header.

    Raises:
        InputError: ``layout-unknown``.
    """
    if tuple(header) == _JAMENDO_HEADER:
        return JAMENDO
    if "external" not in header:
        raise _unknown(header, _NAME_COLUMNS)
    return Layout(
        id="external",
        isrc=_if_there(header, "isrc"),
        duration=_if_there(header, "ms"),
        unit="ms",
        works=_if_there(header, "works"),
    )


def recognise_shares(header: Sequence[str]) -> SharesLayout:
    """Tell the layout of a table of shares by its header.

    Raises:
        InputError: ``layout-unknown``.
    """
    if not {"subject", "side"} <= set(header):
        raise _unknown(header, "name the columns subject, side, external and ppm")
    return SharesLayout(
        subject="subject",
        side="side",
        party=_if_there(header, "party"),
        external=_if_there(header, "external"),
        ppm=_if_there(header, "ppm"),
        percent=_if_there(header, "percent"),
        role=_if_there(header, "role"),
    )


def recognise_dataset(first: Sequence[str]) -> DatasetLayout:
    """Tell the layout of a dataset by its header, or by its first id.

    Raises:
        InputError: ``layout-unknown``.
    """
    if tuple(first) == _JAMENDO_HEADER:
        return JAMENDO_DATASET
    if "external" in first:
        return DatasetLayout("external")
    # Numbers name the columns of rejected rows whose file had no header.
    if ":" in first[0] or first[0] == "1":
        return DatasetLayout("1", header=False)
    raise _unknown(
        first, "name the column of ids external, or give an id a line, such as birch:17"
    )


def find_column(names: Sequence[str], wanted: str, file: str) -> int:
    """Find the place of a column.

    Args:
        names: of all columns.
        wanted: the one to find.
        file: for messages.

    Raises:
        InputError: ``column-missing`` or ``column-doubled``.
    """
    if names.count(wanted) == 1:
        return names.index(wanted)
    if wanted in names:
        raise InputError(
            "column-doubled",
            f"{file} has {names.count(wanted)} columns called {excerpt(wanted)}",
            hint="rename all but one",
        )
    close = get_close_matches(wanted.lower(), [name.lower() for name in names], 1)
    likely = next((name for name in names if [name.lower()] == close), "")
    raise InputError(
        "column-missing",
        f"{file} has no column {excerpt(wanted)}; it has {_shown(names)}",
        hint=f"did you mean {excerpt(likely)}?" if likely else "name one of those",
    )


def check_layout(layout: Layout) -> None:
    """Refuse a layout without ids, or with holders that are not the whole of a side.

    Raises:
        InputError: ``bad-layout``.
        FormatError: ``bad-token`` or ``bad-role``.
    """
    if not layout.id and not layout.isrc:
        raise InputError(
            "bad-layout",
            "no column says what a recording's id is, nor its ISRC",
            hint="name the column of ids; without one, that of ISRCs",
        )
    totals: dict[str, int] = {}
    for holder in layout.holders:
        check_token(holder.role)
        check_role(holder.side, holder.role, holder.column)
        totals[holder.side] = totals.get(holder.side, 0) + holder.ppm
    for side, total in totals.items():
        if total != PPM:
            raise InputError(
                "bad-layout",
                f"the columns of {side} holders add up to {total} ppm, not {PPM}",
                hint="say what each of them holds",
            )


def _if_there(header: Sequence[str], name: str) -> str:
    return name if name in header else ""


def _unknown(names: Sequence[str], hint: str) -> InputError:
    return InputError(
        "layout-unknown",
        f"these columns are no known layout: {_shown(names)}",
        hint=hint,
    )


def _shown(names: Sequence[str]) -> str:
    shown = ", ".join(map(excerpt, names[:_SHOWN_COLUMNS]))
    return shown + (" …" if len(names) > _SHOWN_COLUMNS else "")
