"""The steps of the story, each a few entries; tests can tell more of them."""

from __future__ import annotations

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
from ledger.replay.shareout import share_out
from tests.story.stage import FEE_MICRO
from tests.story.stage import ORIGIN
from tests.story.stage import OUTSIDE
from tests.story.stage import START_MS
from tests.story.stage import Story
from tests.story.stage import party_id
from tests.story.stage import signing_key


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


def take_money(story: Story) -> None:
    """Bill the run; the lab pays, one micro-unit too much."""
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
