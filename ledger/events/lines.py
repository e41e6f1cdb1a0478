"""The line types of manifests (format.md §5).

A manifest's kind is the event's kind, a slash, and the body field that brings
it in. `MANIFESTS` says for each which lines it holds, by which fields they
ascend, and which integer fields the event states the totals of.

>>> MANIFESTS["payout/batch"].order
'party'
"""

from __future__ import annotations

from typing import Annotated
from typing import Literal
from typing import NamedTuple

from msgspec import Meta

from ledger.entry import grammar
from ledger.events.identity import PartyType
from ledger.events.types import INTEGER_MAX
from ledger.events.types import UNSET
from ledger.events.types import Body
from ledger.events.types import External
from ledger.events.types import Id
from ledger.events.types import Micro
from ledger.events.types import Ppm
from ledger.events.types import Side
from ledger.events.types import Token
from ledger.events.types import UnsetType

Positive = Annotated[int, Meta(ge=1, le=INTEGER_MAX)]


class PartyLine(Body, frozen=True, kw_only=True):
    """A party without keys; `verified` counts like a party.verify entry.

    Attributes:
        external: its id in a source of its own.
        party: the party's id.
        type: person, group or organisation.
        verified: whether the registrar vouches for who it is.
    """

    external: External | UnsetType = UNSET
    party: Id
    type: PartyType
    verified: bool


class CatalogueLine(Body, frozen=True, kw_only=True):
    """A recording: external id, ISRC, duration, works with their ppm.

    Attributes:
        external: the source's own id; it names the recording everywhere.
        isrc: ISRC.
        ms: duration in milliseconds.
        recording: another id, if the registrar keeps one.
        works: external ids of the works in it, each with its ppm of the
            recording.
    """

    external: External
    isrc: Annotated[str, Meta(pattern=grammar.ISRC)] | UnsetType = UNSET
    ms: Positive | UnsetType = UNSET
    recording: Id | UnsetType = UNSET
    works: (
        Annotated[list[tuple[External, Ppm]], Meta(min_length=1, max_length=64)]
        | UnsetType
    ) = UNSET


class ShareLine(Body, frozen=True, kw_only=True):
    """One line of a share table.

    Attributes:
        party: who holds it; zeros while unknown.
        place: counts from 0 within the table; breaks ties.
        ppm: how much of the side; a table adds up to 1,000,000.
        role: as what; `featured` or `session` for a performer.
        side: composition, master or performer.
        subject: external id of the recording or work.
    """

    party: Id
    place: Annotated[int, Meta(ge=0, le=65_535)]
    ppm: Ppm
    role: Token
    side: Side
    subject: External


class DatasetLine(Body, frozen=True, kw_only=True):
    """A recording that is trained on.

    Attributes:
        external: external id of the recording.
    """

    external: External


class ExposureLine(Body, frozen=True, kw_only=True):
    """How often a recording was shown to the model.

    Attributes:
        exposure: how many times.
        external: external id of the recording.
    """

    exposure: Positive
    external: External


class DistributionLine(Body, frozen=True, kw_only=True):
    """What one party, or nobody yet, gets of one side of one recording.

    Attributes:
        cultural: cultural deduction.
        fee: administration fee.
        gross: before deductions; all amounts are micro-units.
        net: what is credited; 0 while the gross waits in suspense.
        party: zeros while unknown.
        recording: external id.
        side: composition, master or performer.
        state: payable, or suspense.
        work: external id of the work, composition side only.
    """

    cultural: Micro
    fee: Micro
    gross: Positive
    net: Micro
    party: Id
    recording: External
    side: Side
    state: Literal["payable", "suspense"]
    work: External | UnsetType = UNSET


class PayoutLine(Body, frozen=True, kw_only=True):
    """What one party is sent: gross from its balance, less tax.

    Attributes:
        gross: micro-units taken from the balance.
        party: who is paid.
        sent: micro-units that go to the bank.
        tax: micro-units withheld.
    """

    gross: Positive
    party: Id
    sent: Micro
    tax: Micro


class ManifestKind(NamedTuple):
    """What a manifest of one kind holds."""

    line: type[Body]
    order: str
    totals: tuple[str, ...]


_DISTRIBUTION_TOTALS = ("cultural", "fee", "gross", "net")
_PAYOUT_TOTALS = ("gross", "sent", "tax")

MANIFESTS = {
    "catalogue/recordings": ManifestKind(CatalogueLine, "external", ()),
    "distribution/lines": ManifestKind(
        DistributionLine, "recording/side/work/party", _DISTRIBUTION_TOTALS
    ),
    "party/parties": ManifestKind(PartyLine, "party", ()),
    "payout.result/lines": ManifestKind(PayoutLine, "party", _PAYOUT_TOTALS),
    "payout/batch": ManifestKind(PayoutLine, "party", _PAYOUT_TOTALS),
    "run.close/dataset": ManifestKind(DatasetLine, "external", ()),
    "run.close/exposure": ManifestKind(ExposureLine, "external", ("exposure",)),
    "run.open/dataset": ManifestKind(DatasetLine, "external", ()),
    "shares/lines": ManifestKind(ShareLine, "subject/side/place", ()),
}
