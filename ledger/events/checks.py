"""What concerns more than one field of a body, per kind.

Each check is a pure function of the body alone and raises `FormatError` with a
stable code; whatever needs earlier entries is a rule of replay instead.

>>> check_shares_total([600_000, 400_000], "demo:song", "master")
>>> check_shares_total([600_000, 300_000], "demo:song", "master")
Traceback (most recent call last):
...
ledger.errors.FormatError: master shares of demo:song add up to 900000 ppm, not 1000000
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING
from typing import Any

from ledger.errors import FormatError
from ledger.events.lines import MANIFESTS
from ledger.events.types import PPM
from ledger.events.types import SIDES
from ledger.events.types import UNKNOWN_PARTY
from ledger.events.types import UNSET
from ledger.events.types import ManifestRef
from ledger.tlog.checkpoint import check_origin

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Sequence

    from ledger.events.identity import Genesis
    from ledger.events.identity import Key
    from ledger.events.identity import LogKey
    from ledger.events.identity import Party
    from ledger.events.payments import Distribution
    from ledger.events.payments import PaymentReceived
    from ledger.events.rights import Shares
    from ledger.events.terms import LicenceGrant
    from ledger.events.terms import Scheme
    from ledger.events.terms import Tariff
    from ledger.events.training import Ancestor
    from ledger.events.training import ModelVersion
    from ledger.events.training import RunClose
    from ledger.events.training import RunOpen

PERFORMER_ROLES = ("featured", "session")


def _refuse(code: str, message: str, hint: str = "") -> None:
    raise FormatError(code, message, hint=hint)


def _check_fields(
    body: object, name: str, needed: Sequence[str], barred: Sequence[str]
) -> None:
    """Refuse a body that lacks `needed` fields or has `barred` ones."""
    missing = [field for field in needed if getattr(body, field) is UNSET]
    extra = [field for field in barred if getattr(body, field) is not UNSET]
    if missing or extra:
        _refuse(
            "bad-fields",
            f"{name}: missing {missing}, not allowed here {extra}",
            "ledger/docs/events.md says which fields go together",
        )


def _check_ascending(values: Sequence[Any], where: str) -> None:
    """Refuse a list that does not strictly ascend."""
    for before, after in pairwise(values):
        if before >= after:
            _refuse(
                "not-ascending",
                f"{where}: {after!r} stands after {before!r}",
                "sort the list and remove doubles",
            )


def check_manifest(ref: ManifestRef | object, kind: str) -> None:
    """Refuse a reference whose order or totals are not those of `kind`.

    Raises:
        FormatError: `bad-manifest`.
    """
    if not isinstance(ref, ManifestRef):
        return
    rule = MANIFESTS[kind]
    totals = tuple(sorted(ref.totals))
    if ref.order != rule.order or totals != rule.totals:
        _refuse(
            "bad-manifest",
            f"{kind}: order {ref.order!r} and totals {list(totals)}, where"
            f" {rule.order!r} and {list(rule.totals)} belong",
        )
    # Totals are sums of fields that are never negative.
    if any(total < 0 for total in ref.totals.values()):
        _refuse("bad-manifest", f"{kind}: a total is negative")


def check_shares_total(ppms: Sequence[int], subject: str, side: str) -> None:
    """Refuse a share table that is not exactly the whole (money.md §1).

    Raises:
        FormatError: `shares-not-whole`.
    """
    total = sum(ppms)
    if total != PPM:
        _refuse(
            "shares-not-whole",
            f"{side} shares of {subject} add up to {total} ppm, not {PPM}",
            "give what nobody is known to hold to the unknown party (zeros)",
        )


def check_role(side: str, role: str, subject: str) -> None:
    """Refuse a performer who is neither featured nor session (money.md §1)."""
    if side == "performer" and role not in PERFORMER_ROLES:
        _refuse(
            "bad-role",
            f"performer share of {subject} has role {role!r}",
            "a performer line is featured or session",
        )


def _genesis(body: Genesis) -> None:
    _check_ascending([rule.code for rule in body.currencies], "genesis currencies")
    check_origin(body.origin)
    if body.operator == UNKNOWN_PARTY:
        _refuse("bad-operator", "genesis: zeros are the party that nobody knows")
    if body.predecessor is UNSET:
        _check_fields(body, "genesis", (), ("endorsement",))
    else:
        _check_fields(body, "genesis of a successor", ("endorsement",), ())


def _party(body: Party) -> None:
    single = ("party", "proof", "public", "type")
    if body.parties is UNSET:
        _check_fields(body, "party", single, ())
    else:
        _check_fields(body, "party", (), (*single, "external"))
        check_manifest(body.parties, "party/parties")


def _key(body: Key) -> None:
    added = ("proof", "public", "purpose")
    if body.action == "add":
        _check_fields(body, "key add", added, ("key",))
    else:
        _check_fields(body, "key revoke", ("key",), (*added, "source"))


def _log_key(body: LogKey) -> None:
    if body.action == "add":
        _check_fields(body, "log.key add", ("proof",), ("checkpoint",))
    else:
        _check_fields(body, "log.key retire", ("checkpoint",), ("proof",))


def _shares(body: Shares) -> None:
    if body.table is UNSET:
        _check_fields(body, "shares", ("lines",), ())
        check_manifest(body.lines, "shares/lines")
        return
    _check_fields(body, "shares", ("table",), ("lines",))
    table: Any = body.table
    check_shares_total([row.ppm for row in table.lines], table.subject, table.side)
    for row in table.lines:
        check_role(table.side, row.role, table.subject)


def _tariff(body: Tariff) -> None:
    banded = ("banding", "bands")
    if body.bands is UNSET:
        _check_fields(body, "tariff", ("amount",), banded)
        return
    _check_fields(body, "tariff", banded, ("amount",))
    bands: Any = body.bands
    starts = [band.start for band in bands]
    _check_ascending(starts, "tariff bands")
    if starts[0] != 0:
        _refuse("bad-bands", f"tariff: the first band starts at {starts[0]}, not 0")


def _scheme(body: Scheme) -> None:
    sides = body.sides
    if sides.composition + sides.master + sides.performer == 0:
        _refuse("no-sides", "scheme: every side has weight 0")
    if body.cultural_base == "gross" and body.fee_ppm + body.cultural_ppm > PPM:
        _refuse(
            "rates-above-whole",
            f"scheme: fee {body.fee_ppm} ppm and cultural {body.cultural_ppm} ppm of"
            " the gross are more than all of it",
        )


def _licence_grant(body: LicenceGrant) -> None:
    covers = body.covers
    _check_ascending(body.catalogues, "licence.grant catalogues")
    _check_ascending(body.territories, "licence.grant territories")
    places = [SIDES.index(side) for side in covers.sides]
    _check_ascending(places, "licence.grant covers.sides")
    names = [(name.model, name.version) for name in covers.versions]
    _check_ascending(names, "licence.grant covers.versions")
    if covers.any_version and names:
        _refuse("bad-fields", "licence.grant: any_version and versions exclude another")


def _model_version(body: ModelVersion) -> None:
    if body.parents:
        _check_ancestors(body.parents, "parents")
    if body.synthetic:
        _check_ancestors(body.synthetic, "synthetic")


def _check_ancestors(ancestors: Sequence[Ancestor], field: str) -> None:
    names = [(each.lab, each.model, each.version) for each in ancestors]
    _check_ascending(names, field)


def _run_open(body: RunOpen) -> None:
    _check_ascending(body.licences, "run.open licences")
    check_manifest(body.dataset, "run.open/dataset")


def _run_close(body: RunClose) -> None:
    facts = ("dataset", "licences", "model", "use", "version")
    if any(getattr(body, field) is not UNSET for field in facts):
        _check_fields(body, "run.close without run.open", facts, ())
        _check_ascending(list(body.licences or ()), "run.close licences")
    if body.ended < body.started:
        _refuse("bad-times", "run.close: it ended before it started")
    check_manifest(body.dataset, "run.close/dataset")
    check_manifest(body.exposure, "run.close/exposure")


def _payment_received(body: PaymentReceived) -> None:
    applied = 0
    if body.applies:
        _check_ascending([a.due for a in body.applies], "payment.received applies")
        applied = sum([a.amount for a in body.applies])
    if applied > body.gross or body.charges > body.gross:
        _refuse(
            "payment-exceeded",
            f"payment.received: applies {applied} and charges {body.charges}"
            f" of a gross of {body.gross}",
        )


def _distribution(body: Distribution) -> None:
    check_manifest(body.lines, "distribution/lines")
    totals = body.lines.totals
    if totals["gross"] != body.total - body.unallocated:
        _refuse(
            "totals-not-whole",
            f"distribution: lines {totals['gross']} and unallocated"
            f" {body.unallocated} are not the total {body.total}",
        )
    if totals["fee"] + totals["cultural"] + totals["net"] > totals["gross"]:
        _refuse("totals-not-whole", "distribution: fee, cultural and net exceed gross")


def _check_payout_totals(ref: ManifestRef | object, kind: str) -> None:
    check_manifest(ref, kind)
    if isinstance(ref, ManifestRef):
        totals = ref.totals
        if totals["sent"] + totals["tax"] != totals["gross"]:
            _refuse("totals-not-whole", f"{kind}: sent and tax are not the gross")


CHECKS: dict[str, Callable[[Any], None]] = {
    "catalogue": lambda body: check_manifest(body.recordings, "catalogue/recordings"),
    "distribution": _distribution,
    "genesis": _genesis,
    "key": _key,
    "licence.grant": _licence_grant,
    "log.key": _log_key,
    "model.version": _model_version,
    "party": _party,
    "payment.received": _payment_received,
    "payout": lambda body: _check_payout_totals(body.batch, "payout/batch"),
    "payout.result": lambda b: _check_payout_totals(b.lines, "payout.result/lines"),
    "run.close": _run_close,
    "run.open": _run_open,
    "scheme": _scheme,
    "shares": _shares,
    "tariff": _tariff,
}
