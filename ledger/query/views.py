"""What questions are answered with: frozen, complete, without a store behind them."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.entry.envelope import Event
from ledger.events.types import Body
from ledger.replay.rows import NEVER
from ledger.replay.rows import ProblemRow
from ledger.statement.holdings import Holding


@dataclass(frozen=True)
class EntryView:
    """An entry, read out.

    Attributes:
        index: its place in the log.
        kind: of its event.
        time_ms: when the log took it in.
        author: the party that signed.
        event: as signed.
        event_bytes: the bytes that were signed, without the tag.
        body: typed; None if it is not a body of its kind.
        signature: of the event.
        leaf: leaf data, tag included.
        leaf_hash: its hash in the tree.
        problem: the rule that it broke, and who acknowledged that; mostly None.
        sentence: what it says, in plain words.
    """

    index: int
    kind: str
    time_ms: int
    author: bytes
    event: Event
    event_bytes: bytes
    body: Body | None
    signature: bytes
    leaf: bytes
    leaf_hash: bytes
    problem: ProblemRow | None
    sentence: str


@dataclass(frozen=True)
class Found:
    """Something that a search came upon.

    Attributes:
        what: party, recording or entry.
        key: party id in hex, external id, or index.
        label: its name, title or sentence.
        reason: what matched: name, title, isrc, run, hash, …
    """

    what: str
    key: str
    label: str
    reason: str


@dataclass(frozen=True)
class Money:
    """What a party has of one currency, in micro-units.

    Attributes:
        credited: what distributions gave, net, whether paid out or not.
        paid: what left for the bank, tax included.
        payable: what is owed to the party now.
        held: what a dispute holds back; nothing in level 1 does.
        owes: what the party has been billed and has not paid.
        prepaid: what the party paid beyond its bills.
    """

    currency: str
    exponent: int
    credited: int
    paid: int
    payable: int
    held: int
    owes: int
    prepaid: int


@dataclass(frozen=True)
class KeyView:
    """A key of a party; `revoked` is an index, or `NEVER`."""

    id: bytes
    public: bytes
    purpose: str
    added: int
    revoked: int

    @property
    def in_force(self) -> bool:
        """Tell whether the key counts now."""
        return self.revoked == NEVER


@dataclass(frozen=True)
class PostingView:
    """A leg of an entry that changed what a party is owed (+) or owes (−)."""

    index: int
    time_ms: int
    kind: str
    account: str
    recording: str
    side: str
    currency: str
    amount: int


@dataclass(frozen=True)
class PartyView:
    """A party.

    Attributes:
        roles: (role, entry that gave it).
        verified: entry by which the registrar stands for who this is, or `NEVER`.
        holdings: shares in force; the first ones where there are many.
        holdings_more: whether there are others.
        postings: the newest ones, newest first.
        entries: the newest ones that concern the party, newest first.
        next_before: ask for entries before this index; None at the end.
    """

    id: bytes
    name: str
    external: str
    type: str
    registered: int
    verified: int
    roles: tuple[tuple[str, int], ...]
    keys: tuple[KeyView, ...]
    money: tuple[Money, ...]
    holdings: tuple[Holding, ...]
    holdings_more: bool
    postings: tuple[PostingView, ...]
    entries: tuple[EntryView, ...]
    next_before: int | None


@dataclass(frozen=True)
class Holder:
    """One line of a share table."""

    party: bytes
    name: str
    ppm: int
    role: str


@dataclass(frozen=True)
class TableView:
    """A share table of a society; `in_force` on the log's newest day."""

    subject: str
    side: str
    kind: str
    effective: int
    society: str
    index: int
    in_force: bool
    holders: tuple[Holder, ...]


@dataclass(frozen=True)
class Cover:
    """How one side of a recording stood in a run.

    Attributes:
        side: composition, master or performer; "" if nobody registered any.
        finding: code of a finding, or "" if the side was licensed or has no weight.
        owed: who a finding names, with their ppm.
    """

    side: str
    finding: str
    owed: tuple[Holder, ...]


@dataclass(frozen=True)
class RunView:
    """A training run that used a recording.

    Attributes:
        licences: entries of the licences that the lab relied on.
        findings: what no licence covered.
    """

    index: int
    time_ms: int
    lab: bytes
    lab_name: str
    run: str
    model: str
    version: str
    use: str
    licences: tuple[int, ...]
    findings: tuple[Cover, ...]


@dataclass(frozen=True)
class Uncovered:
    """A recording of a run, with sides that no licence covered.

    Attributes:
        line: its number in the dataset, from 1.
    """

    line: int
    recording: str
    title: str
    covers: tuple[Cover, ...]


@dataclass(frozen=True)
class RunReport:
    """What a training run used, and what of it went without a licence.

    Attributes:
        index: entry at which the run was judged.
        recordings: how many it was trained on.
        covered: (licence, how many of them it covers).
        findings: in the order of the dataset; the first ones where there are many.
        next_after: ask for those after this line; None at the end.
    """

    index: int
    lab: bytes
    lab_name: str
    run: str
    recordings: int
    covered: tuple[tuple[int, int], ...]
    findings: tuple[Uncovered, ...]
    next_after: int | None


@dataclass(frozen=True)
class RecordingMoney:
    """What a side of a recording brought, in micro-units.

    Attributes:
        credited: net, to its holders.
        waiting: gross that waits until a holder is known.
    """

    side: str
    currency: str
    exponent: int
    credited: int
    waiting: int


@dataclass(frozen=True)
class Listing:
    """A recording as one catalogue has it; `ms` 0 and "" if not said."""

    catalogue: int
    isrc: str
    ms: int
    works: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class RecordingView:
    """A recording, with all that the log knows of it."""

    external: str
    title: str
    listings: tuple[Listing, ...]
    tables: tuple[TableView, ...]
    runs: tuple[RunView, ...]
    runs_more: bool
    money: tuple[RecordingMoney, ...]
