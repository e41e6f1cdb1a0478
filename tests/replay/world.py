"""A small log in memory, everybody who speaks on it, and ways to break its rules.

    world = World()
    index = world.society.say("tariff", Tariff(...))          appended, or refused
    problem = world.smuggle(world.event(world.lab, ...))      on the log all the same

Keys come from fixed seeds and the clock counts, so that everything is the same every
time. What people usually say is in `tests.replay.acts`.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from ledger.audit import Audit
from ledger.audit import Report
from ledger.audit.verifying import decoded_entries
from ledger.entry.envelope import ZERO32
from ledger.entry.envelope import Entry
from ledger.entry.envelope import decode_event
from ledger.entry.envelope import encode_entry
from ledger.entry.envelope import event_hash
from ledger.entry.sign import SignedEvent
from ledger.entry.sign import sign_event
from ledger.entry.verify import key_id
from ledger.entry.verify import prove_key
from ledger.errors import LedgerError
from ledger.events.identity import Accredit
from ledger.events.identity import Key
from ledger.events.identity import Party
from ledger.events.identity import Purpose
from ledger.events.identity import Role
from ledger.events.registry import encode_body
from ledger.events.types import Body
from ledger.events.types import ManifestRef
from ledger.log import Appended
from ledger.log import Log
from ledger.log import StoredLines
from ledger.rebuild import DerivingReplay
from ledger.replay import Problem
from ledger.replay import Replay
from ledger.replay import ReplayEntry
from ledger.replay import State
from ledger.replay.chain import chain_head
from ledger.replay.state import Book
from ledger.staging import Staged
from ledger.storage.base import NewEntry
from ledger.storage.base import Rows
from ledger.storage.base import Store
from ledger.storage.memory import MemoryStore
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.merkle import leaf_hash
from tests.replay.making import build
from tests.replay.making import copy_store
from tests.replay.making import genesis
from tests.replay.making import holder
from tests.replay.making import parse_width
from tests.replay.making import party_id
from tests.replay.making import signing_key

START_MS = 1_764_000_000_000
STEP_MS = 1_000
DAY_MS = 86_400_000
ROLES: dict[str, Role | None] = {
    "registrar": "registrar",
    "society": "society",
    "rival": "society",
    "lab": "lab",
    "other_lab": "lab",
    "provider": "provider",
    "auditor": "auditor",
    "guest": None,
}
"""Everybody but the operator, and the role each is accredited with."""

Refs = Mapping[str, ManifestRef]
Said = Body | bytes | Callable[[Refs], Body]
Lines = Mapping[str, Iterable[Any]]


ANNA, BERT, CLEO = (party_id(name) for name in ("anna", "bert", "cleo"))
"""Rightsholders of a manifest; Cleo is not verified."""


@dataclass(frozen=True)
class Actor:
    """A party of the world with its root key and its sign key."""

    world: World
    name: str

    @property
    def party(self) -> bytes:
        """Party id."""
        return party_id(self.name)

    @property
    def root(self) -> SigningKey:
        """Root key."""
        return signing_key(self.name + "root")

    @property
    def sign(self) -> SigningKey:
        """Sign key."""
        return signing_key(self.name + "sign")

    def say(self, kind: str, body: Said, **lines: Iterable[Any]) -> int:
        """Append an event by the sign key; give its index, or raise its refusal."""
        return self.world.say(self, self.sign, kind, body, lines)

    def rule(self, kind: str, body: Said, **lines: Iterable[Any]) -> int:
        """Append an event by the root key."""
        return self.world.say(self, self.root, kind, body, lines)


class World:
    """A log with an operator and everybody of `ROLES`.

    Attributes:
        now_ms: the clock; every look at it moves it on by `STEP_MS`.
        at: what happened by name, to the index of its entry.
    """

    def __init__(self, store: Store | None = None, *, empty: bool = False) -> None:
        self.now_ms = START_MS
        self.at: dict[str, int] = {}
        self._ids = count(1)
        self.store: Store = MemoryStore() if store is None else store
        self.log = Log(self.store, self.clock)
        self.operator = Actor(self, "operator")
        self.registrar, self.society, self.rival = map(
            self._actor, ("registrar", "society", "rival")
        )
        self.lab, self.other_lab, self.provider = map(
            self._actor, ("lab", "other_lab", "provider")
        )
        self.auditor, self.guest = map(self._actor, ("auditor", "guest"))
        if not empty:
            self._found()

    def _actor(self, name: str) -> Actor:
        return Actor(self, name)

    def copy(self) -> World:
        """Give a world that goes on from here by itself; needs a store in memory."""
        assert isinstance(self.store, MemoryStore)
        ids = next(self._ids)
        self._ids = count(ids)
        other = World(copy_store(self.store), empty=True)
        other.now_ms, other.at, other._ids = self.now_ms, dict(self.at), count(ids)
        return other

    def _found(self) -> None:
        self.at["genesis"] = self.operator.rule("genesis", genesis())
        self.add_key(self.operator, self.operator.sign, "sign")
        for name, role in ROLES.items():
            actor = self._actor(name)
            self.at[name] = self.register(actor)
            self.add_key(actor, actor.sign, "sign")
            if role is not None:
                self.accredit(actor, role)
        self.at["holders"] = self.operator.say(
            "party",
            lambda refs: Party(parties=refs["parties"]),
            parties=[holder(ANNA), holder(BERT), holder(CLEO, verified=False)],
        )

    # ── who is there ─────────────────────────────────────────────────────────

    @property
    def state(self) -> State:
        """The state of the log."""
        return self.log.state

    @property
    def log_id(self) -> bytes:
        """The log's id."""
        return self.state.need_log().log

    def register(self, actor: Actor) -> int:
        """Register a party with its root key."""
        return self.operator.say("party", self.party_body(actor))

    def party_body(self, actor: Actor) -> Party:
        """Make the body that registers a party."""
        proof = self.prove(actor.root, actor.party, "root")
        return Party(
            party=actor.party,
            proof=proof,
            public=actor.root.public,
            type="organisation",
        )

    def prove(self, key: SigningKey, party: bytes, purpose: Purpose) -> bytes:
        """Prove possession of a key."""
        return prove_key(key, log=self.log_id, party=party, purpose=purpose)

    def key_body(self, party: bytes, key: SigningKey, purpose: Purpose) -> Key:
        """Make the body that adds a key."""
        return Key(
            action="add",
            party=party,
            proof=self.prove(key, party, purpose),
            public=key.public,
            purpose=purpose,
        )

    def add_key(self, actor: Actor, key: SigningKey, purpose: Purpose) -> int:
        """Add a key to a party by its root key."""
        return actor.rule("key", self.key_body(actor.party, key, purpose))

    def revoke(self, actor: Actor, key: SigningKey) -> int:
        """Revoke a key of a party by its root key."""
        body = Key(action="revoke", key=key_id(key.public), party=actor.party)
        return actor.rule("key", body)

    def accredit(self, actor: Actor, role: Role) -> int:
        """Accredit a party."""
        body = Accredit(action="grant", party=actor.party, role=role)
        return self.operator.say("accredit", body)

    # ── events and entries ───────────────────────────────────────────────────

    def clock(self) -> int:
        """Give the next moment."""
        self.now_ms += STEP_MS
        return self.now_ms

    def new_id(self) -> bytes:
        """Make an event id that nobody has used."""
        return next(self._ids).to_bytes(16, "big")

    def say(
        self, actor: Actor, key: SigningKey, kind: str, body: Said, lines: Lines
    ) -> int:
        """Append an event, raising its refusal."""
        with Staged() as staged:
            return self.append(
                self.event(actor, kind, body, lines, staged, key), staged
            )

    def append(self, signed: SignedEvent, staged: Staged | None = None) -> int:
        """Append a signed event, raising its refusal."""
        return self.answer(signed, staged).index

    def answer(self, signed: SignedEvent, staged: Staged | None = None) -> Appended:
        """Append a signed event; give the log's answer or raise its refusal."""
        (answer,) = self.log.append([signed], staged)
        if isinstance(answer, LedgerError):
            raise answer
        return answer

    def event(  # noqa: PLR0917 (an event has as many parts)
        self,
        actor: Actor,
        kind: str,
        body: Said,
        lines: Lines | None = None,
        staged: Staged | None = None,
        key: SigningKey | None = None,
        **fields: Any,  # noqa: ANN401 (any field of an event)
    ) -> SignedEvent:
        """Sign an event for its right place, but for the fields given."""
        key = actor.sign if key is None else key
        first = self.log.size == 0
        head = self.state.keys.get(key_id(key.public))
        chain = (0, ZERO32) if head is None else chain_head(self.state.need_log(), head)
        place: dict[str, Any] = {
            "author": actor.party,
            "id": self.new_id(),
            "kind": kind,
            "log": ZERO32 if first else self.log_id,
            "prev": chain[1],
            "seen": (0, ZERO32) if first else self.log.head(),
            "seq": chain[0],
            "time": self.clock(),
            **fields,
        }
        refs = {
            field: build(staged, place, field, content)
            for field, content in (lines or {}).items()
            if staged is not None
        }
        said = body(refs) if callable(body) else body
        data = said if isinstance(said, bytes) else encode_body(said)
        return sign_event(key, body=data, **place)

    def smuggle(
        self,
        signed: SignedEvent,
        staged: Staged | None = None,
        *,
        repeated: bool = False,
        time_ms: int | None = None,
    ) -> Problem | None:
        """Write an entry that the log might have refused, and replay it."""
        now = max(self.clock(), self.state.last_time_ms)
        taken, new = self._entry(signed, now if time_ms is None else time_ms)
        with self.store.transaction():
            self.store.add_entries([new])
            for root in staged._spans if staged else ():
                for number, bundle in enumerate(staged.bundles(root) if staged else ()):
                    width = parse_width(bundle)
                    self.store.put_bundle(root, number, bundle, width)
            replay = DerivingReplay(self.store, self.state)
            problem = replay.apply(taken, repeated=repeated)
            self.state.flush()
        return problem

    def force(
        self,
        actor: Actor,
        kind: str,
        body: Said,
        key: SigningKey | None = None,
        **lines: Iterable[Any],
    ) -> Problem | None:
        """Put an event with its lines on the log, whatever its rule says."""
        with Staged() as staged:
            return self.smuggle(
                self.event(actor, kind, body, lines, staged, key), staged
            )

    def _entry(self, signed: SignedEvent, time_ms: int) -> tuple[ReplayEntry, NewEntry]:
        event, index = decode_event(signed.event), self.log.size
        entry = Entry(
            event=signed.event,
            index=index,
            previous=self.state.last_leaf,
            signature=signed.signature,
            time=time_ms,
        )
        leaf, hash_ = encode_entry(entry), event_hash(signed.event)
        taken = ReplayEntry(index, entry.time, event, hash_, leaf_hash(leaf))
        # A store keeps event ids and places in chains unique; a bad log does not.
        stray = b"stray".ljust(8) + index.to_bytes(8, "big")
        known = self.store.find_event(event.author, event.id) is not None
        head = self.store.key_head(event.key)
        used = head is not None and event.seq < head[0]
        new = NewEntry(
            index=index,
            leaf=leaf,
            leaf_hash=taken.leaf_hash,
            author=event.author,
            id=stray if known else event.id,
            key=stray * 2 if used else event.key,
            seq=event.seq,
            event_hash=hash_,
        )
        return taken, new

    def _leaf_hash_at(self, index: int) -> bytes:
        return self.store.leaf_hashes(index, index + 1)

    # ── what auditors see ────────────────────────────────────────────────────

    def replayed(self, book: Book = "full", rows: Rows | None = None) -> State:
        """Replay the log from nothing."""
        state = State(book, rows)
        for _ in self.replaying(state):
            pass
        return state

    def replaying(
        self, state: State, stop: int | None = None
    ) -> Iterator[Problem | None]:
        """Replay the log on `state`, entry by entry."""
        source = StoredLines(self.store) if state.book == "full" else None
        replay = Replay(state, self._leaf_hash_at, source)
        start, size = state.size, self.store.size() if stop is None else stop
        hashes = [self._leaf_hash_at(index) for index in range(start, size)]
        for entry in decoded_entries(self.store.leaves(start, size), hashes, start):
            yield replay.apply(entry)

    def audit(self) -> Report:
        """Audit the store, in this process."""
        return Audit(self.store, workers=0).run()
