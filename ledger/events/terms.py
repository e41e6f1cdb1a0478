"""On which terms: tariffs, schemes, licences (money.md §1, §2, §4)."""

from __future__ import annotations

from typing import Annotated
from typing import Literal

from msgspec import Meta

from ledger.events.types import INTEGER_MAX
from ledger.events.types import UNSET
from ledger.events.types import Basis
from ledger.events.types import Body
from ledger.events.types import Currency
from ledger.events.types import Day
from ledger.events.types import Hash
from ledger.events.types import Id
from ledger.events.types import Index
from ledger.events.types import Micro
from ledger.events.types import Ppm
from ledger.events.types import Side
from ledger.events.types import Token
from ledger.events.types import UnsetType

SideWeight = Annotated[int, Meta(ge=0, le=1_000_000_000)]


class TariffBand(Body, frozen=True, kw_only=True):
    """Price of the recordings from `start` to the next band's start.

    Attributes:
        each: micro-units for each recording.
        fixed: micro-units for reaching the band.
        start: number of recordings at which the band begins.
    """

    each: Micro
    fixed: Micro
    start: Annotated[int, Meta(ge=0, le=INTEGER_MAX)]


class Tariff(Body, frozen=True, kw_only=True):
    """What a licence costs: a flat amount, or bands over covered recordings.

    Attributes:
        amount: flat fee in micro-units; excludes `banding` and `bands`.
        banding: `slab` prices the whole by the band reached, `graduated` each
            part by its own band (money.md §4).
        bands: strictly ascending by start, the first at 0.
        currency: of every amount here.
        per: what one fee pays for: a model version, or a single run.
    """

    amount: Micro | UnsetType = UNSET
    banding: Literal["graduated", "slab"] | UnsetType = UNSET
    bands: (
        Annotated[list[TariffBand], Meta(min_length=1, max_length=256)] | UnsetType
    ) = UNSET
    currency: Currency
    per: Literal["run", "version"]


class SideWeights(Body, frozen=True, kw_only=True):
    """Integer weights by which a pool falls to the three sides.

    Attributes:
        composition: weight of the composition side.
        master: weight of the master side.
        performer: weight of the performer side.
    """

    composition: SideWeight
    master: SideWeight
    performer: SideWeight


class Scheme(Body, frozen=True, kw_only=True):
    """How a pool is shared: a rule with all its parameters (money.md §1–3, §5).

    Attributes:
        basis: what makes a unit's weight.
        clear: `all` admits a recording only if every weighted side is
            covered, `each` admits sides singly.
        cultural_base: whether the cultural deduction is taken from the gross
            or from what the fee leaves.
        cultural_ppm: cultural deduction.
        fee_ppm: administration fee.
        outside: what happens to the weight of uncovered cells: `renormalise`
            leaves it out, `reduce` lets its part wait in suspense.
        pool: `fixed`, weights known before the money.
        reserve_ppm: kept back from the pool before anything is shared.
        rule: the allocation rule, `alloc/1`.
        sides: weights of composition, master and performer.
    """

    basis: Basis
    clear: Literal["all", "each"]
    cultural_base: Literal["after_fee", "gross"]
    cultural_ppm: Ppm
    fee_ppm: Ppm
    outside: Literal["reduce", "renormalise"]
    pool: Literal["fixed"]
    reserve_ppm: Ppm
    rule: Literal["alloc/1"]
    sides: SideWeights


class ModelName(Body, frozen=True, kw_only=True):
    """A version of a model, by the lab's own names.

    Attributes:
        model: name of the model.
        version: name of its version.
    """

    model: Token
    version: Token


class Covers(Body, frozen=True, kw_only=True):
    """What a licence reaches.

    Attributes:
        any_version: every version of the lab's models; excludes `versions`.
        derivatives: whether material derived from earlier models is included.
        sides: in the order composition, master, performer.
        until: last day on which a run may open, unless there is none.
        versions: the model versions named, ascending; may be empty.
    """

    any_version: bool
    derivatives: bool
    sides: Annotated[list[Side], Meta(min_length=1, max_length=3)]
    until: Day | UnsetType = UNSET
    versions: Annotated[list[ModelName], Meta(max_length=256)]


class LicenceGrant(Body, frozen=True, kw_only=True):
    """A society licenses a lab; it counts once the lab has accepted it.

    Attributes:
        catalogues: entries of the licensor's catalogues, ascending.
        covers: what of the catalogues it reaches, and how far.
        lab: the licensee.
        scheme: entry of the scheme by which its money is shared.
        tariff: entry of the tariff by which it is charged.
        terms: commitment to the written contract (format.md §7).
        territories: ISO 3166 codes, or `001` for the world.
    """

    catalogues: Annotated[list[Index], Meta(min_length=1, max_length=1_024)]
    covers: Covers
    lab: Id
    scheme: Index
    tariff: Index
    terms: Hash | UnsetType = UNSET
    territories: Annotated[
        list[Annotated[str, Meta(pattern=r"^([A-Z]{2}|001)\Z")]],
        Meta(min_length=1, max_length=256),
    ]


class LicenceAccept(Body, frozen=True, kw_only=True):
    """The lab takes the licence that an entry grants.

    Attributes:
        grant: entry of the grant.
    """

    grant: Index
