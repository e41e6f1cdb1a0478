"""Rules of tariffs, schemes and licences (money.md §1, §4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.errors import AuthorityError
from ledger.errors import ConflictError
from ledger.errors import InputError
from ledger.events.registry import encode_body
from ledger.events.types import UNSET
from ledger.replay.authority import has_role
from ledger.replay.outcome import Context
from ledger.replay.outcome import Outcome
from ledger.replay.rows import NEVER
from ledger.replay.rows import LicenceRow
from ledger.replay.rows import TermsRow

if TYPE_CHECKING:
    from ledger.events.terms import LicenceAccept
    from ledger.events.terms import LicenceGrant
    from ledger.events.terms import Scheme
    from ledger.events.terms import Tariff
    from ledger.replay.state import State


def check_currency(state: State, currency: str) -> int:
    """Give a currency's exponent.

    Raises:
        InputError: `currency-unknown`.
    """
    exponent = state.currencies.get(currency)
    if exponent is None:
        raise InputError(
            "currency-unknown",
            f"this log does not count {currency}",
            hint="genesis lists the currencies of a log",
        )
    return exponent


def tariff(context: Context, body: Tariff) -> Outcome:
    """Publish a tariff."""
    check_currency(context.state, body.currency)
    row = TermsRow(context.author, encode_body(body))
    return Outcome(((context.state.tariffs, context.index, row),))


def scheme(context: Context, body: Scheme) -> Outcome:
    """Publish a scheme."""
    row = TermsRow(context.author, encode_body(body))
    return Outcome(((context.state.schemes, context.index, row),))


def licence_grant(context: Context, body: LicenceGrant) -> Outcome:
    """Grant a licence on the licensor's own terms and catalogues."""
    state = context.state
    for name, table, index in (
        ("tariff", state.tariffs, body.tariff),
        ("scheme", state.schemes, body.scheme),
    ):
        terms: TermsRow | None = table.get(index)
        if terms is None or terms.society != context.author:
            raise InputError(
                f"{name}-unknown", f"entry {index} is no {name} of the licensor"
            )
    for index in body.catalogues:
        if state.catalogues.get(index) != context.author:
            raise InputError(
                "catalogue-unknown", f"entry {index} is no catalogue of the licensor"
            )
    if not has_role(state, body.lab, "lab"):
        raise InputError(
            "lab-unknown",
            f"party {body.lab.hex()} is not accredited as a lab",
            hint="the operator accredits labs",
        )
    covers = body.covers
    row = LicenceRow(
        context.author,
        body.lab,
        body.tariff,
        body.scheme,
        tuple(body.catalogues),
        tuple(covers.sides),
        covers.any_version,
        tuple((name.model, name.version) for name in covers.versions),
        () if covers.until is UNSET else (covers.until,),
        NEVER,
    )
    return Outcome(((state.licences, context.index, row),))


def licence_accept(context: Context, body: LicenceAccept) -> Outcome:
    """Accept a licence; from the next entry on it covers."""
    licences = context.state.licences
    row = licences.get(body.grant)
    if row is None:
        raise InputError("licence-unknown", f"entry {body.grant} grants no licence")
    if row.lab != context.author:
        raise AuthorityError(
            "not-licensee", f"the licence of entry {body.grant} is for another lab"
        )
    if row.accepted != NEVER:
        raise ConflictError(
            "already-accepted", f"entry {row.accepted} accepted it already"
        )
    new = LicenceRow(
        row.society,
        row.lab,
        row.tariff,
        row.scheme,
        row.catalogues,
        row.sides,
        row.any_version,
        row.versions,
        row.until,
        context.index,
    )
    return Outcome(((licences, body.grant, new),))
