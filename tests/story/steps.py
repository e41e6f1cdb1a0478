"""The steps of the story, each a few entries; tests can tell more of them."""

from __future__ import annotations

from typing import Literal

from ledger.accounting import deductions
from ledger.entry.verify import prove_key
from ledger.events import identity
from ledger.events import lines
from ledger.events import payments
from ledger.events import rights
from ledger.events import terms
from ledger.events import training
from ledger.events.types import PPM
from ledger.events.types import UNKNOWN_PARTY
from ledger.events.types import Side
from ledger.replay.rules_payments import pool_id
from ledger.replay.shareout import share_out
from tests.story.stage import FEE_MICRO
from tests.story.stage import ORIGIN
from tests.story.stage import OUTSIDE
from tests.story.stage import START_MS
from tests.story.stage import Story
from tests.story.stage import party_id
from tests.story.stage import signing_key

Outcome = Literal["confirmed", "failed", "returned"]


def introduce(story: Story) -> None:
    """Bring in the operator, the society, the lab and the artists."""
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


def register_rights(story: Story) -> None:
    """List the recordings and register who holds them."""
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


def agree_terms(story: Story) -> None:
    """Set price and scheme; grant and accept the licence."""
    tariff = terms.Tariff(amount=FEE_MICRO, currency="SEK", per="run")
    story.at["tariff"] = story.society.say("tariff", tariff).index
    story.at["licence"] = license_lab(story, scheme(), ["master"])


def license_lab(
    story: Story,
    scheme: terms.Scheme,
    sides: list[Side],
    catalogue: int | None = None,
) -> int:
    """Set a scheme, grant the lab a licence by it, and let the lab accept."""
    at = story.at
    at["scheme"] = story.society.say("scheme", scheme).index
    grant = terms.LicenceGrant(
        catalogues=[at["catalogue"] if catalogue is None else catalogue],
        covers=terms.Covers(
            any_version=True, derivatives=False, sides=sides, versions=[]
        ),
        lab=party_id("lab"),
        scheme=at["scheme"],
        tariff=at["tariff"],
        territories=["001"],
    )
    licence = story.society.say("licence.grant", grant).index
    accept = terms.LicenceAccept(grant=licence)
    at["accept"] = story.lab.say("licence.accept", accept).index
    return licence


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


def train(story: Story) -> None:
    """Name a model version and train it."""
    version = training.ModelVersion(
        model="alder", parents=[], synthetic=[], version="1"
    )
    story.at["version"] = story.lab.say("model.version", version).index
    open_run(story, story.run)
    ended = START_MS + 3_600_000
    close = training.RunClose(ended=ended, run=story.run, started=START_MS)
    story.at["close"] = story.lab.say("run.close", close).index


def open_run(story: Story, run: str, licence: int | None = None) -> None:
    """Open a run on the whole catalogue and one recording outside of it."""
    said = story.lab.say(
        "run.open",
        lambda refs: training.RunOpen(
            licences=[story.at["licence"] if licence is None else licence],
            model="alder",
            run=run,
            use="gen_train",
            version="1",
            **refs,
        ),
        {"dataset": [lines.DatasetLine(external=e) for e in dataset(story)]},
    )
    story.at[run] = said.index


def dataset(story: Story) -> list[str]:
    """Give the external ids that the lab trains on, ascending."""
    return sorted([*story.recordings, OUTSIDE])


def take_money(story: Story) -> None:
    """Bill the run; the lab pays, one micro-unit too much."""
    bill(story, story.run)
    pay(story, extra=1)


def bill(story: Story, run: str, licence: int | None = None) -> None:
    """Bill the lab for a run."""
    of = story.at["licence"] if licence is None else licence
    quantity = story.log.state.covered.need((party_id("lab"), run, of))
    due = payments.Due(
        currency="SEK",
        day=20_440,
        licence=of,
        net=FEE_MICRO,
        quantity=quantity,
        run=run,
        vat=FEE_MICRO // 4,
    )
    story.at["due"] = story.society.say("due", due).index


def pay(story: Story, extra: int = 0) -> None:
    """Take in what the newest bill asks, and `extra` in advance."""
    asked = FEE_MICRO * 5 // 4
    payment = payments.PaymentReceived(
        applies=[payments.Application(amount=asked, due=story.at["due"])],
        charges=0,
        currency="SEK",
        gross=asked + extra,
        payer=party_id("lab"),
    )
    story.at["payment"] = story.society.say("payment.received", payment).index


def distribute(
    story: Story, run: str | None = None, licence: int | None = None
) -> None:
    """Share a run's pool out; the story's own by default."""
    of, name = story.at["licence"] if licence is None else licence, run or story.run
    state, pool = story.log.state, pool_id(of, name)
    shared = share_out(state, state.pools.need(pool), dataset(story), state.size)
    said = story.society.say(
        "distribution",
        lambda refs: payments.Distribution(
            currency="SEK",
            licence=of,
            mode="close",
            nodes=shared.nodes,
            pool=pool,
            reserve=shared.reserve,
            run=name,
            total=shared.total,
            unallocated=shared.unallocated,
            **refs,
        ),
        {"lines": shared.lines},
    )
    story.at["distribution"] = said.index


def earn(story: Story, run: str, licence: int | None = None) -> None:
    """Train once more and share the fee out."""
    open_run(story, run, licence)
    bill(story, run, licence)
    pay(story)
    distribute(story, run, licence)


def balance(story: Story, party: bytes) -> int:
    """Give what the society owes a party, in micro-units."""
    key = (party_id("society"), "liability", "payable", party, "SEK")
    return -(story.log.state.accounts.get(key) or 0)


def pay_out(story: Story, outcome: Outcome | None = "confirmed") -> None:
    """Pay every artist their balance, less 30 % tax; then say what became of it."""
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
    if outcome is not None:
        settle(story, outcome)


def settle(story: Story, outcome: Outcome) -> None:
    """Say what became of the newest payout, as a whole."""
    result = payments.PayoutResult(
        charges=0, outcome=outcome, payout=story.at["payout"]
    )
    story.at["result"] = story.society.say("payout.result", result).index


def undo(story: Story, name: str) -> None:
    """Reverse an entry of the society."""
    reverse = payments.Reverse(cause="wrong-amount", entry=story.at[name])
    story.at["reverse"] = story.society.say("reverse", reverse).index
