"""What there is and who holds it: catalogues and share tables (money.md §1)."""

from __future__ import annotations

from typing import Annotated
from typing import Literal

from msgspec import Meta

from ledger.events.types import UNSET
from ledger.events.types import Body
from ledger.events.types import Day
from ledger.events.types import External
from ledger.events.types import Id
from ledger.events.types import ManifestRef
from ledger.events.types import Ppm
from ledger.events.types import Side
from ledger.events.types import Token
from ledger.events.types import UnsetType


class Catalogue(Body, frozen=True, kw_only=True):
    """Brings recordings in, as a manifest of catalogue lines.

    Attributes:
        recordings: manifest of catalogue lines.
    """

    recordings: ManifestRef


class ShareRow(Body, frozen=True, kw_only=True):
    """One holder of a side: party (zeros: unknown), parts per million, role.

    Attributes:
        party: who holds it; zeros while unknown.
        ppm: how much of the side.
        role: as what; `featured` or `session` for a performer.
    """

    party: Id
    ppm: Ppm
    role: Token


class ShareTable(Body, frozen=True, kw_only=True):
    """The table of one side of one recording or work, in its signed order.

    Attributes:
        lines: the holders; their ppm add up to 1,000,000.
        side: composition, master or performer.
        subject: external id of the recording, or of the work on the
            composition side.
    """

    lines: Annotated[list[ShareRow], Meta(min_length=1, max_length=512)]
    side: Side
    subject: External


class Shares(Body, frozen=True, kw_only=True):
    """Share tables: one in the event itself, or many as a manifest.

    Attributes:
        effective: the day from which the tables count.
        kind: `transfer` from that day on, or `correction` of what always was.
        lines: manifest of share lines; excludes `table`.
        table: a single table; excludes `lines`.
    """

    effective: Day
    kind: Literal["correction", "transfer"]
    lines: ManifestRef | UnsetType = UNSET
    table: ShareTable | UnsetType = UNSET
