"""Kind to class and back: from the body of an event to a typed one.

`parse_body` is the only way from bytes to a body. It decodes by the kind's
class (unknown and missing fields, wrong types, numbers out of range are
refused) and then checks what concerns more than one field (`ledger.events.checks`).

>>> from ledger.events.terms import LicenceAccept
>>> encode_body(LicenceAccept(grant=7)).hex()
'81a56772616e7407'
>>> parse_body("licence.accept", bytes.fromhex("81a56772616e7407"))
LicenceAccept(grant=7)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ledger.entry.canonical import DECODE_ERRORS
from ledger.errors import FormatError
from ledger.events import identity
from ledger.events import payments
from ledger.events import rights
from ledger.events import terms
from ledger.events import training
from ledger.events.checks import CHECKS
from ledger.events.lines import MANIFESTS
from ledger.events.types import ManifestRef

if TYPE_CHECKING:
    from ledger.events.types import Body

LEVEL = 1
"""The level that this code implements (format.md §3)."""

KINDS: dict[str, type[Body]] = {
    "accredit": identity.Accredit,
    "acknowledge": identity.Acknowledge,
    "catalogue": rights.Catalogue,
    "distribution": payments.Distribution,
    "due": payments.Due,
    "genesis": identity.Genesis,
    "key": identity.Key,
    "level": identity.Level,
    "licence.accept": terms.LicenceAccept,
    "licence.grant": terms.LicenceGrant,
    "log.key": identity.LogKey,
    "model.version": training.ModelVersion,
    "party": identity.Party,
    "party.verify": identity.PartyVerify,
    "payment.received": payments.PaymentReceived,
    "payout": payments.Payout,
    "payout.result": payments.PayoutResult,
    "reverse": payments.Reverse,
    "run.close": training.RunClose,
    "run.open": training.RunOpen,
    "scheme": terms.Scheme,
    "shares": rights.Shares,
    "tariff": terms.Tariff,
}

_DECODERS = {kind: msgspec.msgpack.Decoder(body) for kind, body in KINDS.items()}
_LINE_DECODERS = {
    kind: msgspec.msgpack.Decoder(manifest.line) for kind, manifest in MANIFESTS.items()
}
# Struct fields are declared in ascending order; only `totals` is a plain map.
_ENCODER = msgspec.msgpack.Encoder(order="deterministic")

MANIFEST_FIELDS: dict[str, tuple[str, ...]] = {
    kind: tuple(
        key.partition("/")[2] for key in MANIFESTS if key.partition("/")[0] == kind
    )
    for kind in KINDS
}


def encode_body(body: Body) -> bytes:
    """Format a body or a line as canonical MessagePack."""
    return _ENCODER.encode(body)


def parse_body(kind: str, data: bytes | msgspec.Raw) -> Body:
    """Parse and check the body of an event.

    Raises:
        FormatError: `unknown-kind`, `bad-body`, or a code of `checks`.
    """
    decoder = _DECODERS.get(kind)
    if decoder is None:
        raise FormatError(
            "unknown-kind",
            f"level {LEVEL} has no event kind {kind!r}",
            hint="ledger/docs/events.md lists the kinds",
        )
    try:
        body = decoder.decode(data)
    except DECODE_ERRORS as error:
        raise FormatError(
            "bad-body",
            f"{kind}: {error}",
            hint=f"ledger/docs/events.md lists the fields of {kind}",
        ) from error
    check = CHECKS.get(kind)
    if check is not None:
        check(body)
    return body


def parse_line(kind: str, data: bytes | memoryview) -> Body:
    """Parse one line of a manifest of `kind` (``event kind/field``).

    Raises:
        FormatError: `bad-line`.
    """
    try:
        return _LINE_DECODERS[kind].decode(data)
    except DECODE_ERRORS as error:
        raise FormatError("bad-line", f"{kind}: {error}") from error


def manifest_refs(kind: str, body: Body) -> list[tuple[str, ManifestRef]]:
    """List the manifests that a body brings in, as (field, reference)."""
    found = []
    for field in MANIFEST_FIELDS.get(kind, ()):
        value = getattr(body, field)
        if isinstance(value, ManifestRef):
            found.append((field, value))
    return found
