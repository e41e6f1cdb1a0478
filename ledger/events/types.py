r"""The field types that event bodies are made of (format.md §1, money.md).

An event body is a MessagePack map. Each kind has one frozen class whose fields
stand in ascending order, so that encoding an instance gives the canonical
bytes, and decoding refuses unknown fields, missing fields and wrong types.

Absent values are absent keys (``UNSET``); there is no nil in the format.

>>> import msgspec
>>> msgspec.convert("run/2026-11.a", Token)
'run/2026-11.a'
>>> msgspec.convert("Run 1", Token)
Traceback (most recent call last):
...
msgspec.ValidationError: Expected `str` matching regex '^[a-z0-9._/-]{1,64}\\Z'
"""

from __future__ import annotations

from typing import Annotated
from typing import Literal

import msgspec
from msgspec import UNSET
from msgspec import Meta
from msgspec import UnsetType

from ledger.entry import grammar

__all__ = [
    "PPM",
    "SIDES",
    "UNKNOWN_PARTY",
    "UNSET",
    "Basis",
    "Body",
    "Currency",
    "Day",
    "External",
    "Hash",
    "Id",
    "Index",
    "ManifestRef",
    "Micro",
    "Note",
    "Ppm",
    "Proof",
    "Side",
    "TimeMs",
    "Token",
    "UnsetType",
]

INTEGER_MAX = 2**63 - 1
PPM = 1_000_000

SIDES = ("composition", "master", "performer")
"""The three sides of a recording, in the order that breaks ties (money.md §2)."""

UNKNOWN_PARTY = bytes(16)
"""The party of a share whose holder nobody knows yet (format.md §5)."""

Id = Annotated[bytes, Meta(min_length=16, max_length=16)]
Hash = Annotated[bytes, Meta(min_length=32, max_length=32)]
Proof = Annotated[bytes, Meta(min_length=64, max_length=64)]
Note = Annotated[bytes, Meta(min_length=100, max_length=16_384)]
"""A signed note, which has a root and a signature: as bytes, since it has lines."""
Index = Annotated[int, Meta(ge=0, le=INTEGER_MAX)]
Micro = Annotated[int, Meta(ge=0, le=INTEGER_MAX)]
Ppm = Annotated[int, Meta(ge=0, le=PPM)]
TimeMs = Annotated[int, Meta(ge=0, le=INTEGER_MAX)]
Day = Annotated[int, Meta(ge=-1_000_000, le=10_000_000)]
"""A calendar day of the log's own offset, counted from 1970-01-01."""
Token = Annotated[str, Meta(pattern=grammar.TOKEN)]
External = Annotated[str, Meta(pattern=grammar.EXTERNAL)]
Currency = Annotated[str, Meta(pattern=grammar.CURRENCY)]
Side = Literal["composition", "master", "performer"]
Basis = Literal["duration", "per_holder", "per_recording"]


class Body(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """Base of everything that is encoded as a map in an event body."""


class ManifestRef(Body, frozen=True, kw_only=True):
    """How an event brings a manifest in (format.md §5).

    Attributes:
        lines: number of lines, without the header leaf.
        order: field names joined by ``/`` by which lines strictly ascend.
        root: Merkle tree hash over header and lines.
        sealed: whether each line is salted.
        totals: sum of each named integer field over all lines.
    """

    lines: Annotated[int, Meta(ge=0, le=INTEGER_MAX)]
    order: Annotated[str, Meta(max_length=256)]
    root: Hash
    sealed: bool
    totals: dict[str, int]
