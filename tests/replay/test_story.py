"""Every kind of event is accepted, and does exactly what it is there for.

The figures are worked by hand from money.md; the comments show the steps.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ledger.entry.verify import key_id
from ledger.events.registry import KINDS
from ledger.replay.rows import NEVER
from ledger.replay.rows import CreditRow
from ledger.replay.rows import PayoutLineRow
from tests.replay import acts
from tests.replay import everything
from tests.replay.acts import STRANGE
from tests.replay.acts import A
from tests.replay.acts import B
from tests.replay.everything import TUNE
from tests.replay.everything import C
from tests.replay.making import party_id
from tests.replay.making import signing_key
from tests.replay.posted import postings
from tests.replay.world import ANNA
from tests.replay.world import BERT
from tests.replay.world import CLEO
from tests.replay.world import World

Leg = tuple[str, str, int]
SOCIETY = party_id("society")


@pytest.fixture(scope="module")
def world() -> World:
    """Everything has been said."""
    return everything.tell(World())


def name_of(subject: object) -> str:
    """Name what a posting is for: a party, a side of a recording, a pool, nothing."""
    if isinstance(subject, tuple):
        return "/".join(subject)
    assert isinstance(subject, bytes)
    text = subject.rstrip(b".")
    return text.decode() if text.isalnum() or not text else "pool"


def posted(world: World, at: str | int) -> list[Leg]:
    """Give the postings of an entry: account type, subject, µ."""
    index = world.at[at] if isinstance(at, str) else at
    legs = postings(world.store)[index]
    assert {leg.society for leg in legs} <= {SOCIETY}
    return [(leg.type, name_of(leg.subject), leg.amount) for leg in legs]


def negated(legs: list[Leg]) -> list[Leg]:
    """Turn postings round."""
    return [(type_, subject, -amount) for type_, subject, amount in legs]


def test_everything_was_said_and_taken(world: World) -> None:
    """There is an entry of every kind, and the only problem is the one put there."""
    assert {said.kind for said in everything.said(world)} == set(KINDS)
    ((index, problem),) = world.state.problems.items()
    assert index == world.at["problem"]
    assert problem.acknowledged == world.at["acknowledge"]


# ── who is there ─────────────────────────────────────────────────────────────


def test_parties_and_keys(world: World) -> None:
    """Registered, verified, added, revoked: each by the entry that did it."""
    state, at = world.state, world.at
    assert state.parties.need(party_id("operator")).keys == 2
    guest = state.parties.need(party_id("guest"))
    assert (guest.index, guest.verified, guest.keys) == (at["guest"], at["verify"], 3)
    second = state.keys.need(key_id(signing_key("guest second").public))
    assert (second.added, second.revoked, second.next_seq) == (
        at["key"],
        at["revoke"],
        1,
    )
    cleo = state.keys.need(key_id(signing_key("cleo root").public))
    assert (cleo.party, cleo.purpose, cleo.added) == (CLEO, "root", at["first key"])
    assert state.parties.need(CLEO).index == at["holders"]
    holder = state.holders.need(CLEO)
    assert (holder.index, holder.line, holder.verified) == (at["holders"], 3, False)


def test_roles(world: World) -> None:
    """A role is there from the entry that granted it until one withdrew it."""
    roles = world.state.roles
    assert roles.need((SOCIETY, "society")) == world.at["society"] + 2
    assert roles.get((party_id("guest"), "auditor")) is None


def test_runs_and_findings(world: World) -> None:
    """A run is judged where it was opened, or closed if it never was."""
    state, at, lab = world.state, world.at, party_id("lab")
    first = state.runs.need((lab, "run-1"))
    assert first.index < first.closed
    second = state.runs.need((lab, "run-2"))
    assert second.index == second.closed == at["unopened"]
    assert state.covered.need((lab, "run-2", at["licence"])) == 1
    owed = {key: row.owed for key, row in state.findings.items()}
    assert owed == {
        (at["unopened"], A, "master"): ((ANNA, 600_000), (BERT, 400_000)),
        (at["unopened"], B, "master"): ((ANNA, 500_000), (bytes(16), 500_000)),
        (at["unopened"], STRANGE, ""): (),
    }


# ── money in ─────────────────────────────────────────────────────────────────

DUE: list[Leg] = [
    ("receivable", "lab", 125_000_001),
    ("due", "pool", -100_000_001),
    ("vat", "", -25_000_000),
]


def test_a_due_and_its_reversal(world: World) -> None:
    """Receivable against Due and VAT, and back."""
    unpaid = world.at["unpaid due"]
    assert posted(world, unpaid) == posted(world, unpaid + 2) == DUE
    assert posted(world, unpaid + 1) == negated(DUE)


def test_a_payment_and_its_reversal(world: World) -> None:
    """Of 0.001000 paid, ⌊1,000 · 100,000,001 / 125,000,001⌋ = 800 µ fund the pool."""
    wrong: list[Leg] = [
        ("trust", "", 1_000),
        ("receivable", "lab", -1_000),
        ("due", "pool", 800),
        ("pool", "pool", -800),
    ]
    assert posted(world, "wrong payment") == wrong
    assert posted(world, world.at["wrong payment"] + 1) == negated(wrong)


def test_an_instalment(world: World) -> None:
    """Of 25.000000, ⌊25,000,000 · 100,000,001 / 125,000,001⌋ = 20,000,000 µ."""
    assert posted(world, world.at["wrong payment"] + 2) == [
        ("trust", "", 25_000_000),
        ("receivable", "lab", -25_000_000),
        ("due", "pool", 20_000_000),
        ("pool", "pool", -20_000_000),
    ]


def test_a_payment_with_charges_and_too_much(world: World) -> None:
    """The pool gets the rest of the net, the bank its charge; 100.000000 is prepaid."""
    index = world.at["wrong distribution"] - 1
    assert posted(world, index) == [
        ("trust", "", 199_998_501),
        ("charges", "", 1_500),
        ("receivable", "lab", -100_000_001),
        ("due", "pool", 80_000_001),
        ("pool", "pool", -80_000_001),
        ("prepaid", "lab", -100_000_000),
    ]


# ── shared out ───────────────────────────────────────────────────────────────


def test_a_distribution_and_its_reversal(world: World) -> None:
    """Reserve, deductions, three payable lines and one that waits."""
    # 5 % of 100,000,001 = 5,000,000 back; 95,000,001 by two: demo:a gets the odd µ.
    # demo:a 47,500,001: Anna 28,500,001 (rest .6 before .4), Bert 19,000,000.
    # Fees 9.6 %: 2,736,000 · 1,824,000 · 2,280,000; of the rest 10 %:
    # 2,576,400 · 1,717,600 · 2,147,000.
    legs: list[Leg] = [
        ("pool", "pool", 100_000_001),
        ("reserve", "pool", -5_000_000),
        ("fee", "", -6_840_000),
        ("cultural", "", -6_441_000),
        ("payable", "anna", -23_187_601),
        ("payable", "bert", -15_458_400),
        ("payable", "anna", -19_323_000),
        ("suspense", "demo:b/master", -23_750_000),
    ]
    wrong = world.at["wrong distribution"]
    assert posted(world, wrong) == posted(world, wrong + 2) == legs
    assert sorted(posted(world, wrong + 1)) == sorted(negated(legs))
    lines = [leg.line for leg in postings(world.store)[wrong]]
    assert lines == [0, 0, 0, 0, 1, 2, 4, 3]


def test_a_distribution_to_holders_with_gaps(world: World) -> None:
    """Two works, unknown and unverified holders, sides and recordings uncovered."""

    # 500,000 + 10 for the one recording covered, less 25,000: 475,010 by 2:1:1 is
    # 237,505 · 118,753 · 118,752. Compositions: mass 0.58 of 4 is verified (Anna 30 %
    # of 60 %, Bert all of 40 %): 34,438, each 17,219. Performers: 0.5 of 4: 14,844.
    # 17,219 less 1,653 and 1,556; 14,844 less 1,425 and 1,341.
    def suspense(recording: str, side: str, amount: int) -> Leg:
        return "suspense", f"{recording}/{side}", -amount

    assert sorted(posted(world, "distribution")) == sorted(
        [
            ("pool", "pool", 500_010),
            ("reserve", "pool", -25_000),
            ("fee", "", -4_731),
            ("cultural", "", -4_453),
            ("payable", "anna", -14_010),
            ("payable", "bert", -14_010),
            ("payable", "anna", -12_078),
            suspense(A, "composition", 59_377),
            suspense(B, "composition", 59_376),
            suspense(C, "composition", 24_938),
            suspense(STRANGE, "composition", 59_376),
            suspense(A, "master", 29_689),
            suspense(B, "master", 29_688),
            suspense(C, "master", 29_688),
            suspense(STRANGE, "master", 29_688),
            suspense(A, "performer", 29_688),
            suspense(B, "performer", 29_688),
            suspense(C, "performer", 14_844),
            suspense(STRANGE, "performer", 29_688),
        ]
    )


def test_the_lines_of_a_medley_name_their_work(world: World) -> None:
    """What Bert gets of the medley is for the second work in it."""
    said = [each for each in everything.said(world) if each.kind == "distribution"][-1]
    (bert,) = [line for line in said.lines["lines"] if line.party == BERT]
    assert (bert.recording, bert.side, bert.work) == (C, "composition", TUNE)
    assert (bert.gross, bert.fee, bert.cultural) == (17_219, 1_653, 1_556)


# ── paid out ─────────────────────────────────────────────────────────────────


def test_a_payout_and_its_reversal(world: World) -> None:
    """To the minor unit, less 30 % tax to the minor unit; the rest stays payable."""
    # Anna 42,510,601: 42.51, tax 12.753 → 12.75. Bert 15,458,400: 15.45, tax 4.63.
    legs: list[Leg] = [
        ("in_transit", "", -40_580_000),
        ("tax", "", -17_380_000),
        ("payable", "anna", 42_510_000),
        ("payable", "bert", 15_450_000),
    ]
    assert posted(world, "wrong payout") == posted(world, "payout") == legs
    assert posted(world, world.at["wrong payout"] + 1) == negated(legs)


def test_results_of_a_payout(world: World) -> None:
    """Failed undoes payment and tax; confirmed leaves; returned comes back."""
    assert posted(world, "failed") == [
        ("in_transit", "", 10_820_000),
        ("tax", "", 4_630_000),
        ("payable", "bert", -15_450_000),
    ]
    assert posted(world, "confirmed") == [
        ("in_transit", "", 29_760_000),
        ("trust", "", -29_760_000),
        ("charges", "", 250),
        ("trust", "", -250),
    ]
    assert posted(world, "returned") == [
        ("trust", "", 29_760_000),
        ("charges", "", 100),
        ("trust", "", -100),
        ("payable", "anna", -29_760_000),
    ]


def test_lines_of_a_payout_know_what_became_of_them(world: World) -> None:
    """Each line is in one state, and credits follow."""
    state, payout = world.state, world.at["payout"]
    anna = PayoutLineRow(42_510_000, 29_760_000, 12_750_000, "returned")
    bert = PayoutLineRow(15_450_000, 10_820_000, 4_630_000, "failed")
    assert state.payout_lines.need((payout, ANNA)) == anna
    assert state.payout_lines.need((payout, BERT)) == bert
    row = state.payouts.need(payout)
    assert (row.transit_gross, row.confirmed_gross, row.results) == (0, 0, 3)
    assert row.reversed == NEVER
    # Credited 42,510,601 net; 42.51 paid, of which 29.76 came back.
    assert state.credits.need((ANNA, "SEK")) == CreditRow(42_510_601, 12_750_000)
    assert state.credits.need((BERT, "SEK")) == CreditRow(15_458_400, 0)


def test_a_run_may_end_as_it_starts(stage: Callable[[str], World]) -> None:
    """Claimed times may be the same."""
    world = stage("trained")
    acts.close_run(world, started=7, ended=7)
    assert (
        world.state.runs.need((party_id("lab"), "run-1")).closed == world.log.size - 1
    )


def test_only_money_is_posted(world: World) -> None:
    """Every other kind leaves the books as they are."""
    money = {"due", "payment.received", "distribution", "payout", "payout.result"}
    for index, said in enumerate(everything.said(world)):
        legs = posted(world, index)
        assert bool(legs) == (said.kind in {*money, "reverse"})
        assert sum(amount for _, _, amount in legs) == 0
    assert acts.NET + acts.VAT == 125_000_001
