"""What the harness does to a log: a home to begin with, and events to append.

Keys, ids and times come from counters, so that every run does the same. A scenario
is a template of a home and the sessions that follow: each opens the log, appends
its batches, publishes after each, and closes.

    create   the home itself is made
    grow     a few entries, some together, one with a manifest of two bundles
    tile     from 254 entries on, over the end of the first full tile
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Literal
from typing import NamedTuple

from ledger.author import Author
from ledger.entry.envelope import event_hash
from ledger.entry.sign import SignedEvent
from ledger.entry.sign import sign_event
from ledger.entry.verify import key_id
from ledger.entry.verify import prove_key
from ledger.events.identity import Accredit
from ledger.events.identity import Key
from ledger.events.identity import Party
from ledger.events.identity import Role
from ledger.events.lines import PartyLine
from ledger.events.payments import PaymentReceived
from ledger.events.registry import encode_body
from ledger.events.training import ModelVersion
from ledger.events.types import Body
from ledger.home import Home
from ledger.keys.ring import KeyRing
from ledger.setup import Founded
from ledger.setup import create_home
from ledger.setup import currency_rules
from ledger.staging import Staged
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.note import Vkey
from ledger.writer import Writer
from ledger.writer import vkey_of
from tools.faults.disk import Image

ORIGIN = "faults.example/log"
START_MS = 1_764_000_000_000
LATER_MS = START_MS + 1_000_000
"""When the sessions begin, whatever the template took."""

SOCIETIES = 8
LINES = 260
NEARLY_FULL = 254


class Batch(NamedTuple):
    """Events appended together, and the lines that they bring in."""

    events: list[SignedEvent]
    staged: Staged | None = None


class Scenario(NamedTuple):
    """A home to begin with, and what is done to it.

    Attributes:
        name: of the scenario.
        image: what is on the disk at first; nothing where the home is to be made.
        sessions: batches appended between an opening and a closing.
        size: entries of the log at first.
    """

    name: str
    image: Image
    sessions: list[list[Batch]]
    size: int

    @property
    def events(self) -> list[SignedEvent]:
        """All events in order."""
        return [e for session in self.sessions for batch in session for e in batch[0]]


class Place(NamedTuple):
    """Where one run happens.

    Attributes:
        base: a folder of its own.
    """

    base: Path

    @property
    def below(self) -> Path:
        """The disk that fails: everything the log writes lies below it."""
        return self.base / "disk"

    @property
    def home(self) -> Home:
        """The log home."""
        return Home(self.below / "home")

    @property
    def record(self) -> Path:
        """What the shim records."""
        return self.base / "record"

    def lay(self, image: Image) -> None:
        """Put an image in place of whatever is there."""
        shutil.rmtree(self.below, ignore_errors=True)
        self.below.mkdir(parents=True)
        for path, data in sorted(image.items()):
            if data is None:
                (self.below / path).mkdir(exist_ok=True)
            else:
                (self.below / path).write_bytes(data)

    def read(self) -> Image:
        """Read everything that is there."""
        return dict(read_image(self.below))


def read_image(folder: Path) -> Iterator[tuple[str, bytes | None]]:
    """Read a folder and all below it."""
    for path in sorted(folder.rglob("*")):
        data = None if path.is_dir() else path.read_bytes()
        yield path.relative_to(folder).as_posix(), data


def ticking(start_ms: int) -> Callable[[], int]:
    """Make a clock that goes on by a millisecond each time it is read."""
    ticks = count(start_ms)
    return lambda: next(ticks)


def chance(seed: str) -> Callable[[int], bytes]:
    """Make a source of bytes that are the same for the same seed."""
    numbers = count()

    def give(length: int) -> bytes:
        block = sha256(f"{seed} {next(numbers)}".encode()).digest()
        return block[:length]

    return give


def found(home: Home) -> Founded:
    """Make the home."""
    return create_home(
        home.path,
        origin=ORIGIN,
        currencies=currency_rules(["SEK"]),
        passphrase=None,
        random=chance("home"),
        clock=ticking(START_MS),
    )


class Signer:
    """Signs events of one key ahead, each after the one before."""

    def __init__(self, writer: Writer, party: bytes, key: SigningKey, ids: str) -> None:
        self.party = party
        self._key = key
        self._log = writer.identity.log
        self._seen = writer.log.head()
        self._seq, self._prev = writer.log.key_head(key_id(key.public))
        self._new_id = chance(ids)

    def sign(self, kind: str, body: Body, id: bytes | None = None) -> SignedEvent:
        """Sign the next event."""
        signed = sign_event(
            self._key,
            author=self.party,
            body=encode_body(body),
            id=id or self._new_id(16),
            kind=kind,
            log=self._log,
            prev=self._prev,
            seen=self._seen,
            seq=self._seq,
            time=START_MS,
        )
        self._seq, self._prev = self._seq + 1, event_hash(signed.event)
        return signed

    def payment(self) -> SignedEvent:
        """Sign that money came in."""
        paid = PaymentReceived(
            applies=[],
            charges=0,
            currency="SEK",
            gross=1_000_000 + self._seq,
            payer=self.party,
        )
        return self.sign("payment.received", paid)

    def version(self) -> SignedEvent:
        """Sign that there is a version of a model."""
        name = f"v{self._seq}"
        model = ModelVersion(model="faults/a", parents=[], synthetic=[], version=name)
        return self.sign("model.version", model)


def party_of(number: int) -> bytes:
    """Give the id of the lab (0) or of a society (from 1)."""
    return (1_000 + number).to_bytes(16, "big")


def key_of(number: int, purpose: Literal["root", "sign"]) -> SigningKey:
    """Give the key of the lab (0) or of a society (from 1)."""
    return SigningKey(sha256(f"{number} {purpose}".encode()).digest())


class World:
    """Everything that the runs need; the same each time it is made.

    Args:
        place: where templates are made; nothing of them stays there.
    """

    def __init__(self, place: Place) -> None:
        self._ids = chance("ids")
        self.verified: set[bytes] = set()
        place.lay({})
        home = place.home
        self.founded = found(home)
        self.log_key = KeyRing(home.keys).unlock("log")
        with closing(Writer(home, ticking(START_MS + 1_000))) as writer:
            self.vkey: Vkey = vkey_of(writer.identity)
            operator = self._author(
                writer, self.founded.operator, KeyRing(home.keys).unlock("operator")
            )
            for number in range(SOCIETIES + 1):
                self._admit(writer, operator, number)
            writer.publish(self.log_key)
            sessions = self._few(writer)
            self.small = writer.log.size
        self.image = place.read()
        grow = Scenario("grow", self.image, sessions, self.small)
        self.scenarios = {
            "create": Scenario("create", {}, [], 2),
            "grow": grow,
            "tile": self._nearly_full(place),
        }

    def _author(self, writer: Writer, party: bytes, key: SigningKey) -> Author:
        clock = ticking(START_MS + 1_000)
        return Author(writer.log, party, key, new_id=lambda: self._ids(16), clock=clock)

    def _admit(self, writer: Writer, operator: Author, number: int) -> None:
        party = party_of(number)
        root, sign = key_of(number, "root"), key_of(number, "sign")
        log = writer.identity.log
        proof = prove_key(root, log=log, party=party, purpose="root")
        body = Party(party=party, proof=proof, public=root.public, type="organisation")
        operator.say("party", body)
        proof = prove_key(sign, log=log, party=party, purpose="sign")
        added = Key(
            action="add", party=party, proof=proof, public=sign.public, purpose="sign"
        )
        self._author(writer, party, root).say("key", added)
        role: Role = "society" if number else "lab"
        operator.say("accredit", Accredit(action="grant", party=party, role=role))

    def signer(self, writer: Writer, number: int, ids: str) -> Signer:
        """Let the lab (0) or a society (from 1) sign."""
        return Signer(writer, party_of(number), key_of(number, "sign"), ids)

    def _few(self, writer: Writer) -> list[list[Batch]]:
        lab, society = self.signer(writer, 0, "few"), self.signer(writer, 1, "more")
        lines = Batch(*self._many_parties(writer))
        first = [
            Batch([lab.version()]),
            Batch([society.payment(), lab.version(), society.payment()]),
        ]
        return [first, [lines], [Batch([lab.version(), society.payment()])]]

    def _many_parties(self, writer: Writer) -> tuple[list[SignedEvent], Staged]:
        key = KeyRing(writer.home.keys).unlock("operator")
        operator = self._author(writer, self.founded.operator, key)
        lines = [
            PartyLine(
                party=(5_000 + n).to_bytes(16, "big"), type="person", verified=True
            )
            for n in range(LINES)
        ]
        staged = Staged()
        signed = operator.sign(
            "party",
            lambda refs: Party(parties=refs["parties"]),
            {"parties": lines},
            staged,
        )
        return [signed], staged

    def _nearly_full(self, place: Place) -> Scenario:
        place.lay(self.image)
        with closing(Writer(place.home, ticking(START_MS + 2_000))) as writer:
            lab = self.signer(writer, 0, "many")
            lacking = NEARLY_FULL - writer.log.size
            writer.log.append([lab.version() for _ in range(lacking)], atomic=True)
            writer.publish(self.log_key)
            lab = self.signer(writer, 0, "last")
            batches = [
                Batch([lab.version()]),
                Batch([lab.version(), lab.version(), lab.version()]),
            ]
        return Scenario("tile", place.read(), [batches], NEARLY_FULL)
