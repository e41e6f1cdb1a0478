"""A log of any length for the benchmarks: 64 keys, events of about 350 bytes.

32 labs name model versions and 32 societies take payments in turn, so that half
of the entries post money and every entry leaves a row of state behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from itertools import cycle
from itertools import islice
from typing import TYPE_CHECKING
from typing import cast

from ledger.author import Author
from ledger.entry.envelope import event_hash
from ledger.entry.sign import SignedEvent
from ledger.entry.sign import sign_event
from ledger.entry.verify import key_id
from ledger.entry.verify import prove_key
from ledger.errors import LedgerError
from ledger.events.identity import Accredit
from ledger.events.identity import CurrencyRule
from ledger.events.identity import Genesis
from ledger.events.identity import Key
from ledger.events.identity import Party
from ledger.events.identity import Role
from ledger.events.payments import PaymentReceived
from ledger.events.registry import encode_body
from ledger.events.training import ModelVersion
from ledger.log import Log
from ledger.tlog.ed25519 import SigningKey

if TYPE_CHECKING:
    from ledger.events.types import Body
    from ledger.storage.base import Store

KEYS = 64
START_MS = 1_764_000_000_000
ORIGIN = "bench.example/log"
BATCH = 2_000


class Builder:
    """Builds the log in a store."""

    def __init__(self, store: Store) -> None:
        self._ticks = count()
        self._ids = count(1)
        self.log = Log(store, self._clock)
        self._authors = self._found()

    def _clock(self) -> int:
        return START_MS + next(self._ticks)

    def _new_id(self) -> bytes:
        return next(self._ids).to_bytes(16, "big")

    def _author(self, party: bytes, key: SigningKey) -> Author:
        return Author(self.log, party, key, new_id=self._new_id, clock=self._clock)

    def _found(self) -> list[tuple[str, bytes, SigningKey]]:
        """Set the log up with a sign key for each author."""
        operator, root_key = b"o" * 16, _key(0)
        root = self._author(operator, root_key)
        root.say(
            "genesis",
            Genesis(
                currencies=[CurrencyRule(code="SEK", exponent=2)],
                level=1,
                log_key=LOG_KEY.public,
                operator=operator,
                origin=ORIGIN,
                root_key=root_key.public,
                utc_offset=0,
            ),
        )
        self._add_sign_key(root, _key(2))
        sign = self._author(operator, _key(2))
        authors = []
        for number in range(KEYS):
            role = "society" if number % 2 else "lab"
            authors.append(self._admit(sign, number, role))
        return authors

    def _add_sign_key(self, root: Author, key: SigningKey) -> None:
        log = self.log.state.logs.need("genesis").log
        proof = prove_key(key, log=log, party=root.party, purpose="sign")
        body = Key(
            action="add",
            party=root.party,
            proof=proof,
            public=key.public,
            purpose="sign",
        )
        root.say("key", body)

    def _admit(
        self, operator: Author, number: int, role: str
    ) -> tuple[str, bytes, SigningKey]:
        party = (1_000 + number).to_bytes(16, "big")
        root, sign = _key(10 + 2 * number), _key(11 + 2 * number)
        log = self.log.state.logs.need("genesis").log
        proof = prove_key(root, log=log, party=party, purpose="root")
        body = Party(party=party, proof=proof, public=root.public, type="organisation")
        operator.say("party", body)
        self._add_sign_key(self._author(party, root), sign)
        grant = Accredit(action="grant", party=party, role=cast("Role", role))
        operator.say("accredit", grant)
        return role, party, sign

    def fill(self, size: int) -> None:
        """Append events until the log has `size` entries."""
        events = self.events()
        while (lacking := size - self.log.size) > 0:
            for answer in self.log.append(list(islice(events, min(lacking, BATCH)))):
                if isinstance(answer, LedgerError):
                    raise answer

    def events(self) -> Iterator[SignedEvent]:
        """Sign events in turn by all authors, without end."""
        log_id = self.log.state.logs.need("genesis").log
        seen = self.log.head()
        heads = [self.log.key_head(key_id(key.public)) for _, _, key in self._authors]
        for number in cycle(range(KEYS)):
            role, party, key = self._authors[number]
            seq, prev = heads[number]
            kind, body = _body(role, party, seq)
            signed = sign_event(
                key,
                author=party,
                body=encode_body(body),
                id=self._new_id(),
                kind=kind,
                log=log_id,
                prev=prev,
                seen=seen,
                seq=seq,
                time=self._clock(),
            )
            heads[number] = (seq + 1, event_hash(signed.event))
            yield signed


def _key(number: int) -> SigningKey:
    return SigningKey(number.to_bytes(32, "big"))


LOG_KEY = _key(1)


def _body(role: str, party: bytes, seq: int) -> tuple[str, Body]:
    if role == "lab":
        body: Body = ModelVersion(
            model="bench/a-model-of-this-lab-that-makes-music-of-much-music",
            parents=[],
            synthetic=[],
            version=f"2026.11-checkpoint-{seq}",
        )
        return "model.version", body
    paid = PaymentReceived(
        applies=[],
        charges=1_000_000,
        currency="SEK",
        gross=1_000_000_000 + seq,
        payer=party,
    )
    return "payment.received", paid
