"""A whole story on a log, the same every time: parties, rights, terms, run, money.

    Lab Alder trains on Society Birch's catalogue and pays for it; Birch shares the
    fee among three artists, and what it pays out arrives.

`build_story` tells it into a store or a new log home, with keys from fixed seeds and
a clock that counts, so that every root, amount and index is known. Seven recordings
belong to the artists in turn; the first is split 60 to 40, the last is half nobody's
known, and the lab also trains on one that no catalogue has.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from itertools import count
from pathlib import Path

from ledger.accounting import deductions
from ledger.author import Author
from ledger.entry.verify import prove_key
from ledger.events import identity
from ledger.events import lines
from ledger.events import payments
from ledger.events import rights
from ledger.events import terms
from ledger.events import training
from ledger.events.types import PPM
from ledger.events.types import UNKNOWN_PARTY
from ledger.home import Home
from ledger.log import Log
from ledger.publish import publish
from ledger.replay.rules_payments import pool_id
from ledger.replay.shareout import share_out
from ledger.storage.base import Store
from ledger.storage.sqlite import SqliteStore
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.note import Vkey
from ledger.tlog.note import make_vkey

ORIGIN = "demo.example/log"
START_MS = 1_764_000_000_000  # 2025-11-24, 16:00 UTC
STEP_MS = 60_000
FEE_MICRO = 1_000_000_000_000
OUTSIDE = "demo:zz"
"""A recording that the lab trains on, and no catalogue has."""
NAMES = {
    "operator": "Registry of Elms",
    "society": "Society Birch",
    "lab": "Lab Alder",
    "artist0": "Ottoline Brackwater",
    "artist1": "Dobb Quillfeather",
    "artist2": "Ðagný Testdóttir",
}
TITLES = ["Wren in the Stairwell", "Nine Lamps", "Salt Road", "Paper Lanterns"]


def party_id(name: str) -> bytes:
    """Make the id of a party that can be read in a hex dump."""
    return name.encode().ljust(16, b".")


def signing_key(name: str) -> SigningKey:
    """Make the key of a name, from its own seed."""
    return SigningKey(name.encode().ljust(32, b"k"))


def recording_id(number: int) -> str:
    """Make a recording's external id."""
    return f"demo:r{number:06d}"


@dataclass
class Story:
    """A log with everybody who speaks on it.

    Attributes:
        log: open for writing, until `close`.
        home: of the log, or None if it only is in a store.
        recordings: external ids in the catalogue, ascending.
        at: name of what happened to the index of its entry.
    """

    log: Log
    home: Home | None
    recordings: list[str]
    ticks: Iterator[int] = field(default_factory=lambda: count(1))
    at: dict[str, int] = field(default_factory=dict)
    artists: tuple[bytes, ...] = tuple(party_id(f"artist{n}") for n in range(3))
    run: str = "run-1"

    def clock(self) -> int:
        """Give the next moment, ms since 1970."""
        return START_MS + STEP_MS * next(self.ticks)

    def author(self, name: str, purpose: str = "sign") -> Author:
        """Give a party with its root or its sign key."""
        return Author(
            self.log,
            party_id(name),
            signing_key(name + purpose),
            new_id=lambda: next(self.ticks).to_bytes(16, "big"),
            clock=self.clock,
        )

    @property
    def operator(self) -> Author:
        """The registry that runs the log."""
        return self.author("operator")

    @property
    def society(self) -> Author:
        """The collecting society."""
        return self.author("society")

    @property
    def lab(self) -> Author:
        """The lab that trains."""
        return self.author("lab")

    @property
    def log_id(self) -> bytes:
        """The log's id."""
        return self.log.state.logs.need("genesis").log

    @property
    def vkey(self) -> Vkey:
        """What checkpoints are verified by."""
        return make_vkey(ORIGIN, signing_key("log").public)

    @property
    def pool(self) -> bytes:
        """Pool id of the story's run under its licence."""
        return pool_id(self.at["licence"], self.run)

    def publish(self) -> Checkpoint:
        """Write the public folder and sign its checkpoint; needs a home."""
        assert self.home is not None
        key = signing_key("log")
        return publish(self.log.store, self.home.public, ORIGIN, key)

    def close(self) -> None:
        """Let go of the store, so that another may write."""
        self.log.store.close()


def build_story(where: Store | Path, recordings: int = 7) -> Story:
    """Tell the story.

    Args:
        where: an empty store, or a folder that becomes a home, published.
        recordings: how many the catalogue has; at least 2.
    """
    home = Home(where) if isinstance(where, Path) else None
    if isinstance(where, Path):
        store: Store = _new_home(Home(where))
    else:
        store = where
    ticks = count(1)
    log = Log(store, clock=lambda: START_MS + STEP_MS * next(ticks))
    story = Story(log, home, [recording_id(n) for n in range(recordings)], ticks)
    _identities(story)
    _rights(story)
    _terms(story)
    _training(story)
    _money_in(story)
    distribute(story)
    pay_out(story)
    if home is not None:
        home.names.write_text(json.dumps(names(story)), encoding="utf-8")
        story.publish()
    return story


def names(story: Story) -> dict[str, dict[str, str]]:
    """Give the content of the side store of names."""
    titles = dict(zip(story.recordings, TITLES, strict=False))
    parties = {party_id(name).hex(): shown for name, shown in NAMES.items()}
    return {"parties": parties, "recordings": titles}


def _new_home(home: Home) -> SqliteStore:
    home.build(lambda partial: SqliteStore.create(partial.path).close())
    return SqliteStore.open(home.path)


def _identities(story: Story) -> None:
    operator, root = party_id("operator"), story.author("operator", "root")
    root.say(
        "genesis",
        identity.Genesis(
            currencies=[identity.CurrencyRule(code="SEK", exponent=2)],
            level=1,
            log_key=signing_key("log").public,
            operator=operator,
            origin=ORIGIN,
            root_key=root.key.public,
            utc_offset=60,
        ),
    )
    add_key(story, "operator", "sign")
    for name in ("society", "lab"):
        register(story, name)
        role: identity.Role = "society" if name == "society" else "lab"
        accredit = identity.Accredit(action="grant", party=party_id(name), role=role)
        story.operator.say("accredit", accredit)
    parties = [
        lines.PartyLine(
            external=f"demo:artist{n}", party=artist, type="person", verified=True
        )
        for n, artist in enumerate(story.artists)
    ]
    said = story.operator.say(
        "party",
        lambda refs: identity.Party(parties=refs["parties"]),
        {"parties": parties},
    )
    story.at["artists"] = said.index


def register(story: Story, name: str) -> None:
    """Register a party with its root key, and let it add its sign key."""
    key, party = signing_key(name + "root"), party_id(name)
    proof = prove_key(key, log=story.log_id, party=party, purpose="root")
    registered = identity.Party(
        party=party, proof=proof, public=key.public, type="organisation"
    )
    story.at[name] = story.operator.say("party", registered).index
    add_key(story, name, "sign")


def add_key(story: Story, name: str, purpose: identity.Purpose) -> None:
    """Add a key to a party by its root key."""
    key, party = signing_key(name + purpose), party_id(name)
    proof = prove_key(key, log=story.log_id, party=party, purpose=purpose)
    added = identity.Key(
        action="add", party=party, proof=proof, public=key.public, purpose=purpose
    )
    story.author(name, "root").say("key", added)


def _rights(story: Story) -> None:
    catalogue = [
        lines.CatalogueLine(external=each, isrc=f"CPDEM26{n:05d}", ms=180_000 + n)
        for n, each in enumerate(story.recordings)
    ]
    said = story.society.say(
        "catalogue", lambda refs: rights.Catalogue(**refs), {"recordings": catalogue}
    )
    story.at["catalogue"] = said.index
    shares = [line for n in range(len(catalogue)) for line in _shares(story, n)]
    said = story.society.say(
        "shares",
        lambda refs: rights.Shares(effective=0, kind="transfer", lines=refs["lines"]),
        {"lines": shares},
    )
    story.at["shares"] = said.index


def _shares(story: Story, number: int) -> list[lines.ShareLine]:
    owner = story.artists[number % 3]
    table = [(owner, PPM)]
    if number == 0:
        table = [(owner, 600_000), (story.artists[1], 400_000)]
    elif number == len(story.recordings) - 1:
        table = [(owner, 500_000), (UNKNOWN_PARTY, 500_000)]
    subject = story.recordings[number]
    return [
        lines.ShareLine(
            party=party,
            place=place,
            ppm=ppm,
            role="owner",
            side="master",
            subject=subject,
        )
        for place, (party, ppm) in enumerate(table)
    ]


def _terms(story: Story) -> None:
    at = story.at
    tariff = terms.Tariff(amount=FEE_MICRO, currency="SEK", per="run")
    at["tariff"] = story.society.say("tariff", tariff).index
    at["scheme"] = story.society.say("scheme", scheme()).index
    grant = terms.LicenceGrant(
        catalogues=[at["catalogue"]],
        covers=terms.Covers(
            any_version=True, derivatives=False, sides=["master"], versions=[]
        ),
        lab=party_id("lab"),
        scheme=at["scheme"],
        tariff=at["tariff"],
        territories=["001"],
    )
    at["licence"] = story.society.say("licence.grant", grant).index
    accept = terms.LicenceAccept(grant=at["licence"])
    at["accept"] = story.lab.say("licence.accept", accept).index


def scheme() -> terms.Scheme:
    """Give the story's scheme: per recording, fee 9.6 %, cultural 10 % after it."""
    return terms.Scheme(
        basis="per_recording",
        clear="each",
        cultural_base="after_fee",
        cultural_ppm=100_000,
        fee_ppm=96_000,
        outside="renormalise",
        pool="fixed",
        reserve_ppm=0,
        rule="alloc/1",
        sides=terms.SideWeights(composition=0, master=1, performer=0),
    )


def _training(story: Story) -> None:
    version = training.ModelVersion(
        model="alder", parents=[], synthetic=[], version="1"
    )
    story.at["version"] = story.lab.say("model.version", version).index
    open_run(story, story.run)
    ended = START_MS + 3_600_000
    close = training.RunClose(ended=ended, run=story.run, started=START_MS)
    story.at["close"] = story.lab.say("run.close", close).index


def open_run(story: Story, run: str) -> None:
    """Open a run on the whole catalogue and one recording outside of it."""
    dataset = [lines.DatasetLine(external=e) for e in [*story.recordings, OUTSIDE]]
    said = story.lab.say(
        "run.open",
        lambda refs: training.RunOpen(
            licences=[story.at["licence"]],
            model="alder",
            run=run,
            use="gen_train",
            version="1",
            **refs,
        ),
        {"dataset": dataset},
    )
    story.at[run] = said.index


def _money_in(story: Story) -> None:
    bill(story, story.run)
    payment = payments.PaymentReceived(
        applies=[payments.Application(amount=FEE_MICRO * 5 // 4, due=story.at["due"])],
        charges=0,
        currency="SEK",
        gross=FEE_MICRO * 5 // 4 + 1,
        payer=party_id("lab"),
    )
    story.at["payment"] = story.society.say("payment.received", payment).index


def bill(story: Story, run: str) -> None:
    """Bill the lab for a run."""
    due = payments.Due(
        currency="SEK",
        day=20_440,
        licence=story.at["licence"],
        net=FEE_MICRO,
        quantity=len(story.recordings),
        run=run,
        vat=FEE_MICRO // 4,
    )
    story.at["due"] = story.society.say("due", due).index


def distribute(story: Story) -> None:
    """Share the run's pool out."""
    state = story.log.state
    dataset = [*story.recordings, OUTSIDE]
    shared = share_out(state, state.pools.need(story.pool), dataset, state.size)
    said = story.society.say(
        "distribution",
        lambda refs: payments.Distribution(
            currency="SEK",
            licence=story.at["licence"],
            mode="close",
            nodes=shared.nodes,
            pool=story.pool,
            reserve=shared.reserve,
            run=story.run,
            total=shared.total,
            unallocated=shared.unallocated,
            **refs,
        ),
        {"lines": shared.lines},
    )
    story.at["distribution"] = said.index


def balance(story: Story, party: bytes) -> int:
    """Give what the society owes a party, in micro-units."""
    key = (party_id("society"), "liability", "payable", party, "SEK")
    return -(story.log.state.accounts.get(key) or 0)


def pay_out(story: Story) -> None:
    """Pay every artist their balance, less 30 % tax; the bank confirms it."""
    batch = []
    for artist in sorted(story.artists):
        paid = deductions.payout(balance(story, artist), 2, 300_000)
        if paid.gross:
            line = lines.PayoutLine(
                gross=paid.gross, party=artist, sent=paid.sent, tax=paid.tax
            )
            batch.append(line)
    said = story.society.say(
        "payout",
        lambda refs: payments.Payout(
            currency="SEK", tax_ppm=300_000, threshold=0, **refs
        ),
        {"batch": batch},
    )
    story.at["payout"] = said.index
    result = payments.PayoutResult(charges=0, outcome="confirmed", payout=said.index)
    story.at["result"] = story.society.say("payout.result", result).index
