"""What the rows of the state hold (format.md §6).

Rows are array-like: their canonical bytes are a MessagePack array of the
fields in this order. There is no nil, so `NEVER` stands for an index that is
not there yet and an empty string or binary for an id that is absent.
"""

from __future__ import annotations

import msgspec

NEVER = -1


class Row(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Base of the rows."""


class LogRow(Row, frozen=True):
    """The log itself, from its genesis, which is entry `index`."""

    log: bytes
    origin: str
    operator: bytes
    log_key: bytes
    utc_offset_minutes: int
    index: int


class PredecessorRow(Row, frozen=True):
    """A log that was succeeded, by the genesis at `size`."""

    log: bytes
    origin: str
    size: int
    root: bytes


class LogKeyRow(Row, frozen=True):
    """A key that signs checkpoints, from the size after `added` on.

    `retired` is the entry that retired it, `size` and `root` are those of the
    checkpoint that it signed together with its successors.
    """

    public: bytes
    added: int
    retired: int
    size: int
    root: bytes


class KeyRow(Row, frozen=True):
    """A key and the head of its chain, on the log whose genesis is entry `since`."""

    party: bytes
    public: bytes
    purpose: str
    added: int
    revoked: int
    next_seq: int
    prev: bytes
    since: int = 0


class PartyRow(Row, frozen=True):
    """A party that an entry registered, or that got a key."""

    type: str
    external: str
    index: int
    verified: int
    keys: int


class HolderRow(Row, frozen=True):
    """A party of a manifest."""

    type: str
    external: str
    verified: bool
    index: int
    line: int


class RecordingRow(Row, frozen=True):
    """A recording as one catalogue has it; `ms` 0 and no works if not said."""

    catalogue: int
    isrc: str
    ms: int
    works: tuple[tuple[str, int], ...]


class ShareRow(Row, frozen=True):
    """One version of a society's share table of a (subject, side)."""

    effective: int
    index: int
    kind: str
    lines: tuple[tuple[bytes, int, str], ...]
    society: bytes


class TermsRow(Row, frozen=True):
    """A tariff or scheme: whose, and the body's canonical bytes."""

    society: bytes
    body: bytes


class LicenceRow(Row, frozen=True):
    """A granted licence; `accepted` is the entry of its acceptance."""

    society: bytes
    lab: bytes
    tariff: int
    scheme: int
    catalogues: tuple[int, ...]
    sides: tuple[str, ...]
    any_version: bool
    versions: tuple[tuple[str, str], ...]
    until: tuple[int, ...]
    accepted: int


class RunRow(Row, frozen=True):
    """A training run: judged at `index`, on the log day `day`."""

    index: int
    closed: int
    day: int
    licences: tuple[int, ...]
    model: str
    version: str
    use: str
    dataset: bytes


class PoolRow(Row, frozen=True):
    """The money of one licence and run, and which entry closed it.

    `unpaid` is what its dues still lack, VAT included; `funded` what is in it.
    """

    society: bytes
    lab: bytes
    licence: int
    run: str
    currency: str
    unpaid: int
    funded: int
    closed: int


class DueRow(Row, frozen=True):
    """A due and what has been paid on it, VAT included."""

    society: bytes
    lab: bytes
    pool: bytes
    currency: str
    net: int
    vat: int
    paid: int
    billed: tuple[str, int, str, str]
    reversed: int


class PaymentRow(Row, frozen=True):
    """A payment; `applied` holds (due, amount, funded)."""

    society: bytes
    payer: bytes
    currency: str
    gross: int
    charges: int
    applied: tuple[tuple[int, int, int], ...]
    reversed: int


class DistributionRow(Row, frozen=True):
    """A distribution's totals, as needed to reverse it."""

    society: bytes
    pool: bytes
    currency: str
    reserve: int
    total: int
    fee: int
    cultural: int
    net: int
    unallocated: int
    root: bytes
    reversed: int


class PayoutRow(Row, frozen=True):
    """A payout and what of it is still in transit or has been confirmed."""

    society: bytes
    currency: str
    root: bytes
    transit_gross: int
    transit_sent: int
    transit_tax: int
    confirmed_gross: int
    confirmed_sent: int
    results: int
    reversed: int


class PayoutLineRow(Row, frozen=True):
    """One line of a payout: transit, confirmed, failed, returned, reversed."""

    gross: int
    sent: int
    tax: int
    state: str


class CreditRow(Row, frozen=True):
    """What a party was credited net by distributions, and what was paid out."""

    credited: int
    paid: int


class ProblemRow(Row, frozen=True):
    """A problem of an entry and the entry that acknowledged it."""

    code: str
    book: str
    acknowledged: int


class FindingRow(Row, frozen=True):
    """Who is owed for an uncovered recording and side: (party, ppm)."""

    code: str
    owed: tuple[tuple[bytes, int], ...]
