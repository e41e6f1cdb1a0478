"""Who is on the log: genesis, parties, keys, roles (format.md §2–4, design §4).

Keys come in two purposes. A *root* key adds and revokes the party's keys and
does nothing else; a *sign* key signs everything else.
"""

from __future__ import annotations

from typing import Annotated
from typing import Literal

from msgspec import Meta

from ledger.events.types import INTEGER_MAX
from ledger.events.types import UNSET
from ledger.events.types import Body
from ledger.events.types import Currency
from ledger.events.types import External
from ledger.events.types import Hash
from ledger.events.types import Id
from ledger.events.types import Index
from ledger.events.types import ManifestRef
from ledger.events.types import Note
from ledger.events.types import Proof
from ledger.events.types import Token
from ledger.events.types import UnsetType

PartyType = Literal["group", "organisation", "person"]
Purpose = Literal["root", "sign"]
Role = Literal["auditor", "lab", "provider", "registrar", "society"]


class CurrencyRule(Body, frozen=True, kw_only=True):
    """A currency of the log: its code and the decimals of its minor unit.

    Attributes:
        code: ISO 4217 code.
        exponent: decimals of the minor unit: 2 for öre and cents.
    """

    code: Currency
    exponent: Annotated[int, Meta(ge=0, le=6)]


class Predecessor(Body, frozen=True, kw_only=True):
    """The log that a log succeeds, whose entries it begins with (format.md §7).

    Attributes:
        log: its id.
        origin: its name in checkpoints.
        root: Merkle tree hash over the entries that are carried over.
        size: how many they are: all before the entry that says this.
    """

    log: Hash
    origin: Annotated[str, Meta(min_length=1, max_length=255)]
    root: Hash
    size: Annotated[int, Meta(ge=1, le=INTEGER_MAX)]


class Genesis(Body, frozen=True, kw_only=True):
    """The first entry: what this log is, who runs it, which money it counts.

    A log that succeeds another begins with the entries of that; its own genesis
    follows them.

    Attributes:
        currencies: in ascending order of code, at least one.
        endorsement: of a succession, signed by the root key.
        level: the level that the log starts at; 1.
        log_key: public key that signs checkpoints, the first.
        operator: party that becomes operator and registrar.
        origin: the log's name in checkpoints.
        predecessor: the log that this one succeeds.
        root_key: public root key of the operator; it signs this event.
        utc_offset: minutes that the log's day is ahead of UTC.
    """

    currencies: Annotated[list[CurrencyRule], Meta(min_length=1, max_length=64)]
    endorsement: Proof | UnsetType = UNSET
    level: Annotated[int, Meta(ge=1, le=1_000)]
    log_key: Hash
    operator: Id
    origin: Annotated[str, Meta(min_length=1, max_length=255)]
    predecessor: Predecessor | UnsetType = UNSET
    root_key: Hash
    utc_offset: Annotated[int, Meta(ge=-1_440, le=1_440)]


class Party(Body, frozen=True, kw_only=True):
    """Registers one party with its root key, or a manifest of many without keys.

    Either `parties` alone, or `party`, `type`, `public` and `proof` together.

    Attributes:
        external: the party's id in a source of its own, as `namespace:local`.
        parties: manifest of parties.
        party: the new party's id.
        proof: proof of possession of the root key (format.md §4).
        public: the party's public root key.
        type: person, group or organisation.
    """

    external: External | UnsetType = UNSET
    parties: ManifestRef | UnsetType = UNSET
    party: Id | UnsetType = UNSET
    proof: Proof | UnsetType = UNSET
    public: Hash | UnsetType = UNSET
    type: PartyType | UnsetType = UNSET


class PartyVerify(Body, frozen=True, kw_only=True):
    """The registrar has established who stands behind a party.

    Attributes:
        party: whose identity has been established.
        source: entry and line (from 1) that hold the party, where it came in
            by a manifest.
    """

    party: Id
    source: tuple[Index, Index] | UnsetType = UNSET


class Key(Body, frozen=True, kw_only=True):
    """Adds or revokes a key of a party; effective from its own index on.

    Attributes:
        action: add (with `proof`, `public`, `purpose`) or revoke (with `key`).
        key: key id to revoke.
        party: whose key it is.
        proof: proof of possession of the new key.
        public: the new public key.
        purpose: root or sign.
        source: entry and line (from 1) that hold the party, where it came in
            by a manifest and has had no key yet.
    """

    action: Literal["add", "revoke"]
    key: Hash | UnsetType = UNSET
    party: Id
    proof: Proof | UnsetType = UNSET
    public: Hash | UnsetType = UNSET
    purpose: Purpose | UnsetType = UNSET
    source: tuple[Index, Index] | UnsetType = UNSET


class LogKey(Body, frozen=True, kw_only=True):
    """Adds a key that signs the log's checkpoints, or retires one (format.md §7).

    Attributes:
        action: add (with `proof`) or retire (with `checkpoint`).
        checkpoint: the published one that hands over, as it was signed: it bears
            the signatures of this key and of all that stay.
        proof: proof of possession of the new key.
        public: the public key.
    """

    action: Literal["add", "retire"]
    checkpoint: Note | UnsetType = UNSET
    proof: Proof | UnsetType = UNSET
    public: Hash


class Accredit(Body, frozen=True, kw_only=True):
    """Gives a party a role, or takes it away, from the next entry on.

    Attributes:
        action: grant or withdraw.
        party: who gets or loses the role.
        role: what the party may act as.
    """

    action: Literal["grant", "withdraw"]
    party: Id
    role: Role


class Level(Body, frozen=True, kw_only=True):
    """Raises the level by one, from the next entry on.

    Attributes:
        level: the new level, one above the level in force.
    """

    level: Annotated[int, Meta(ge=2, le=1_000)]


class Acknowledge(Body, frozen=True, kw_only=True):
    """The operator has seen a problem of an earlier entry, and says so.

    Attributes:
        code: of the problem.
        index: entry that has the problem.
    """

    code: Token
    index: Index
