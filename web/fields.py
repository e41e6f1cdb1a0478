"""The fields of an event in words: labels, amounts, dates, links.

One walk for every kind. A field is shown by its name and type; what the tables below
do not mention is shown as it stands, so that a new field is never hidden.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from ledger.events.payments import AllocationNode
from ledger.events.types import UNSET
from ledger.events.types import Body
from ledger.events.types import ManifestRef
from ledger.names import neutral
from ledger.sentences import BASES
from ledger.sentences import PARTY_TYPES
from ledger.sentences import SIDES
from ledger.sentences import USES
from ledger.words import Words
from ledger.words import counted
from ledger.words import day_words
from ledger.words import moment
from ledger.words import percent
from web.addresses import entry_address
from web.addresses import party_address
from web.addresses import recording_address

AMOUNTS = {
    *("amount", "charges", "cultural", "each", "fee", "fixed", "gross", "net"),
    *("reserve", "sent", "tax", "threshold", "total", "unallocated", "vat"),
}
DAYS = {"day", "effective", "until"}
ENTRIES = {
    *("catalogues", "due", "entry", "grant", "index", "licence", "licences"),
    *("payout", "scheme", "tariff"),
}
PARTIES = {"lab", "operator", "party", "payer"}
RECORDINGS = {"subject"}
TIMES = {"ended", "started"}
VALUES: dict[str, Mapping[str, str]] = {
    "basis": BASES,
    "clear": {"all": "all of them, or none counts", "each": "each counts by itself"},
    "cultural_base": {"after_fee": "what the fee leaves", "gross": "the gross"},
    "outside": {"reduce": "its part waits", "renormalise": "it has no part"},
    "per": {"run": "each run", "version": "each model version"},
    "purpose": {"root": "guards the party's other keys", "sign": "signs entries"},
    "side": SIDES,
    "sides": SIDES,
    "type": PARTY_TYPES,
    "use": USES,
}
FOLDED = {"nodes": "Each division, so that one line can be checked alone"}
LABELS = {
    "any_version": "Any model version",
    "applies": "Pays",
    "banding": "Reading of the steps",
    "bands": "Steps",
    "basis": "Shared",
    "batch": "Payments",
    "body": "What it says",
    "charges": "Bank charges",
    "clear": "Sides that must be licensed",
    "covers": "Reaches",
    "cultural_base": "Cultural deduction is taken of",
    "cultural_ppm": "Cultural deduction",
    "day": "To be paid by",
    "derivatives": "Includes derived material",
    "effective": "From",
    "exponent": "Decimals",
    "external": "Known elsewhere as",
    "extra": "Parts that got one micro-unit more",
    "fee_ppm": "Fee",
    "key": "Last part that got one more",
    "log_key": "Key of the log",
    "net": "Net",
    "nodes": "Arithmetic",
    "outside": "What no licence reaches",
    "ppm": "Share",
    "proof": "Proof of the key",
    "public": "Public key",
    "quantity": "Licensed recordings",
    "reserve_ppm": "Reserve",
    "root_key": "Root key of the operator",
    "tax_ppm": "Withholding tax",
    "utc_offset": "Minutes ahead of UTC",
    "vat": "VAT",
}


@dataclass(frozen=True)
class Field:
    """A field as shown: a text, perhaps with a link, or parts of its own.

    Attributes:
        code: whether the text is for machines, and set in their type.
        parts: groups of fields, for a list of several things or one thing.
        folded: what to call the parts where they unfold on demand.
    """

    label: str
    text: str = ""
    href: str = ""
    code: bool = False
    parts: tuple[tuple[Field, ...], ...] = ()
    folded: str = ""


def body_fields(words: Words, body: Body) -> tuple[Field, ...]:
    """Show the fields of a body."""
    currency = getattr(body, "currency", "")
    return tuple(_Walk(words, currency).fields(body))


@dataclass(frozen=True)
class _Walk:
    words: Words
    currency: str

    def fields(self, body: Body) -> Iterator[Field]:
        for name in body.__struct_fields__:
            value = getattr(body, name)
            if value is not UNSET:
                yield self.field(name, value, body)

    def field(self, name: str, value: Any, body: Body) -> Field:  # noqa: ANN401
        label = LABELS.get(name, name.replace("_", " ").capitalize())
        if isinstance(value, ManifestRef):
            return Field(
                label,
                counted(value.lines, "line"),
                parts=(self.ref(value),),
                folded="Totals and root",
            )
        if isinstance(value, msgspec.Struct):
            return Field(label, parts=(tuple(self.fields(_body(value))),))
        if isinstance(value, (list, tuple)):
            return self.several(label, name, value, body)
        return self.one(label, name, value, body)

    def several(
        self, label: str, name: str, values: Sequence[Any], body: Body
    ) -> Field:
        if not values:
            return Field(label, "none")
        if isinstance(values[0], msgspec.Struct):
            parts = tuple(tuple(self.fields(_body(value))) for value in values)
            folded = FOLDED.get(name, "")
            return Field(label, parts=parts, folded=folded)
        shown = [self.one("", name, value, body) for value in values]
        if name in ENTRIES:
            return Field(label, parts=tuple((each,) for each in shown))
        return Field(label, ", ".join(each.text for each in shown))

    def one(self, label: str, name: str, value: Any, body: Body) -> Field:  # noqa: ANN401
        if isinstance(value, bool):
            return Field(label, "yes" if value else "no")
        if isinstance(value, bytes):
            return self.bytes(label, name, value)
        if isinstance(value, int):
            return self.number(label, name, value, body)
        if name in RECORDINGS:
            text = self.words.recording(value)
            return Field(label, text, recording_address(value))
        text = neutral(str(value))
        return Field(label, VALUES.get(name, {}).get(text, text))

    def bytes(self, label: str, name: str, value: bytes) -> Field:
        if name in PARTIES:
            known = any(value)
            return Field(
                label, self.words.party(value), party_address(value) if known else ""
            )
        return Field(label, value.hex(), code=True)

    def number(self, label: str, name: str, value: int, body: Body) -> Field:
        if name in ENTRIES:
            return Field(label, f"entry {value}", entry_address(value))
        if name == "ppm" or name.endswith("_ppm"):
            return Field(label, percent(value))
        if name in DAYS:
            return Field(label, day_words(value))
        if name in TIMES:
            return Field(label, moment(value))
        counts = isinstance(body, AllocationNode) and name == "threshold"
        if name in AMOUNTS and self.currency and not counts:
            return Field(label, self.words.amount(value, self.currency))
        return Field(label, f"{value:,}")

    def ref(self, ref: ManifestRef) -> tuple[Field, ...]:
        totals = tuple(
            Field(f"Total {name}", self.words.amount(value, self.currency))
            if self.currency
            else Field(f"Total {name}", f"{value:,}")
            for name, value in ref.totals.items()
        )
        sealed = "for the parties concerned" if ref.sealed else "for everybody"
        return (
            *totals,
            Field("Readable", sealed),
            Field("Root", ref.root.hex(), code=True),
        )


def _body(value: msgspec.Struct) -> Any:  # noqa: ANN401
    return value
