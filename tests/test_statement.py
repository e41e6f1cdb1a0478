"""Statements add up, whatever happened, and say how every amount came about."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest

from ledger.accounting.money import parse_amount
from ledger.errors import HomeError
from ledger.events import lines
from ledger.events import rights
from ledger.events import terms
from ledger.events import training
from ledger.events.types import PPM
from ledger.events.types import Side
from ledger.names import Names
from ledger.query import Reader
from ledger.statement import Statement
from ledger.statement import Window
from ledger.statement import statement_csv
from ledger.statement import statement_json
from ledger.statement import statement_text
from ledger.statement.model import Account
from ledger.storage.memory import MemoryStore
from tests.story import Story
from tests.story import build_story
from tests.story import names
from tests.story import party_id
from tests.story import steps

SIDES: list[Side] = ["composition", "master", "performer"]


def open_reader(story: Story) -> Reader:
    return Reader(story.log.store, Names(**names(story)))


def scheme(**changes: object) -> terms.Scheme:
    """The story's scheme, with some fields of its own."""
    plain = {
        name: getattr(steps.scheme(), name) for name in terms.Scheme.__struct_fields__
    }
    return terms.Scheme(**{**plain, **changes})


def weigh(composition: int, master: int, performer: int) -> terms.SideWeights:
    return terms.SideWeights(
        composition=composition, master=master, performer=performer
    )


def add_works(story: Story) -> int:
    """Register a second catalogue whose recordings have works, and who holds them."""
    works = {
        story.recordings[0]: [("demo:work0", 600_000), ("demo:work1", 400_000)],
        story.recordings[1]: [("demo:work1", PPM)],
        story.recordings[2]: [("demo:work2", PPM)],
    }
    catalogue = [
        lines.CatalogueLine(external=each, ms=1_000 * n, works=held)
        for n, (each, held) in enumerate(works.items(), 1)
    ]
    said = story.society.say(
        "catalogue", lambda refs: rights.Catalogue(**refs), {"recordings": catalogue}
    )
    first, second, third = story.artists
    for subject, side, held in (
        ("demo:work0", "composition", [(first, 1), (second, PPM - 1)]),
        ("demo:work1", "composition", [(third, 333_333), (second, 666_667)]),
        (story.recordings[0], "performer", [(second, 500_000), (third, 500_000)]),
    ):
        rows = [rights.ShareRow(party=p, ppm=n, role="session") for p, n in held]
        table = rights.ShareTable(lines=rows, side=side, subject=subject)  # type: ignore[arg-type]
        shares = rights.Shares(effective=0, kind="transfer", table=table)
        story.society.say("shares", shares)
    return said.index


def three_sides(story: Story, **changes: object) -> None:
    catalogue = add_works(story)
    chosen = scheme(sides=weigh(3, 2, 1), **changes)
    licence = steps.license_lab(story, chosen, SIDES, catalogue)
    steps.earn(story, "run-2", licence)


def same_again(story: Story, **changes: object) -> None:
    licence = steps.license_lab(story, scheme(**changes), ["master"])
    steps.earn(story, "run-2", licence)


def failed_payout(story: Story) -> None:
    same_again(story)
    steps.pay_out(story, "failed")


def returned_payout(story: Story) -> None:
    same_again(story)
    steps.pay_out(story, "confirmed")
    steps.settle(story, "returned")


def undone_payout(story: Story) -> None:
    same_again(story)
    steps.pay_out(story, None)
    steps.undo(story, "payout")


def undone_distribution(story: Story) -> None:
    steps.undo(story, "distribution")


def undone_bill(story: Story) -> None:
    steps.open_run(story, "run-2")
    steps.bill(story, "run-2")
    steps.undo(story, "due")


SCENARIOS: dict[str, Callable[[Story], None]] = {
    "the story": lambda _: None,
    "per recording again": same_again,
    "duration": lambda story: same_again(story, basis="duration"),
    "per holder": lambda story: same_again(story, basis="per_holder"),
    "reserve": lambda story: same_again(story, reserve_ppm=50_001),
    "cultural of the gross": lambda story: same_again(story, cultural_base="gross"),
    "no deductions": lambda story: same_again(story, fee_ppm=0, cultural_ppm=0),
    "three sides": three_sides,
    "three sides, outside waits": lambda story: three_sides(story, outside="reduce"),
    "three sides, by length": lambda story: three_sides(story, basis="duration"),
    "three sides, per holder": lambda story: three_sides(story, basis="per_holder"),
    "failed payout": failed_payout,
    "returned payout": returned_payout,
    "undone payout": undone_payout,
    "undone distribution": undone_distribution,
    "undone bill": undone_bill,
}


@pytest.fixture(scope="module", params=SCENARIOS)
def story(request: pytest.FixtureRequest) -> Story:
    told = build_story(MemoryStore())
    SCENARIOS[request.param](told)
    return told


@pytest.fixture(scope="module")
def plain() -> Story:
    return build_story(MemoryStore())


def statements(story: Story) -> list[Statement]:
    reader = open_reader(story)
    everyone = [party_id("society"), party_id("lab"), *story.artists]
    return [reader.statement(party.hex()) for party in everyone]


def payable(statement: Statement) -> Account:
    (account,) = [a for a in statement.accounts if a.type == "payable"]
    return account


def test_every_statement_adds_up_to_the_books(story: Story) -> None:
    """Opening and lines make the closing, which is the balance in the ledger."""
    books = {
        (subject, type_): -amount if class_ == "liability" else amount
        for (_, class_, type_, subject, _), amount in story.log.state.accounts.items()
    }
    for statement in statements(story):
        for account in statement.accounts:
            amounts = [line.amount for line in account.lines]
            assert account.opening == 0
            assert account.opening + sum(amounts) == account.closing
            assert account.closing == books.get((statement.party, account.type), 0)


def test_every_line_is_the_sum_of_its_parts(story: Story) -> None:
    """Gross is fee, cultural and net; what left a balance is what was sent and tax."""
    for statement in statements(story):
        for account in statement.accounts:
            for line in account.lines:
                if line.earned is not None:
                    earned = line.earned
                    parts = earned.fee + earned.cultural + earned.net
                    assert earned.gross == parts
                    assert earned.net == line.amount
                if line.sent is not None:
                    assert line.sent.gross == -line.amount


def test_every_explanation_leads_to_its_amount(story: Story) -> None:
    """The last step of a credited line is the credit, its sum the steps before it."""
    seen = 0
    for statement in statements(story):
        for account in statement.accounts:
            for line in account.lines:
                if line.kind != "distribution" or line.earned is None:
                    continue
                *_, last = line.steps
                taken = [s.amount for s in line.steps if s.amount and s.amount < 0]
                assert last.amount == line.amount
                assert line.earned.gross + sum(taken[-2:]) >= line.amount
                assert line.earned.gross in [step.amount for step in line.steps]
                seen += 1
    assert seen


def test_every_sum_in_figures_holds(story: Story) -> None:
    """Whoever types a step's arithmetic into a calculator gets its amount."""
    for statement in statements(story):
        for account in statement.accounts:
            for line in account.lines:
                if line.kind != "distribution":
                    continue
                for step in line.steps:
                    if step.sum:
                        assert step.amount is not None
                        assert abs(calculate(step.sum) - abs(step.amount)) <= 1


def calculate(text: str) -> int:
    """Work a sum out in micro-units, rounded down."""
    exact = text.removesuffix(", rounded down").replace(",", "")
    exact = re.sub(r"([\d.]+)%", r"Fraction('\1') / 100", exact)
    exact = re.sub(r"(?<![\d.'])(\d+(?:\.\d+)?)(?![\d.'])", r"Fraction('\1')", exact)
    for sign, operator in (("×", "*"), ("÷", "/"), ("−", "-")):
        exact = exact.replace(sign, operator)
    return int(eval(exact, {"Fraction": Fraction}) * 1_000_000)


def test_a_window_carries_the_balance_forward(story: Story) -> None:
    """Pages of a statement join without a gap: closing of one, opening of the next."""
    reader = open_reader(story)
    for statement in statements(story):
        for account in statement.accounts:
            pages = []
            before: int | None = None
            while True:
                page = reader.statement(statement.party.hex(), Window(2, before))
                (same,) = [
                    a
                    for a in page.accounts
                    if (a.type, a.currency) == (account.type, account.currency)
                ]
                pages.append(same)
                if not same.earlier:
                    break
                before = same.lines[0].number
            pages.reverse()
            joined = [line for each in pages for line in each.lines]
            assert joined == list(account.lines)
            assert pages[-1].closing == account.closing
            for one, following in pairwise(pages):
                assert one.closing == following.opening
                assert one.later == len(account.lines) - one.earlier - len(one.lines)


def test_the_three_forms_agree(story: Story) -> None:
    """Text, JSON and CSV give the same amounts."""
    for statement in statements(story):
        document = statement_json(statement)
        assert json.loads(json.dumps(document)) == document
        rows = list(csv.DictReader(io.StringIO(statement_csv(statement))))
        text = statement_text(statement, explain=True)
        wanted = [line for a in document["accounts"] for line in a["lines"]]
        given = [row for row in rows if row["number"]]
        assert [line["amount"] for line in wanted] == [
            parse_amount(row["amount"]) for row in given
        ]
        for line in wanted:
            assert line["words"] in text
            assert all(step["words"] in text for step in line["steps"])


def test_the_story_comes_to_known_figures(plain: Story) -> None:
    """One statement, worked out by hand."""
    account = payable(open_reader(plain).statement("demo:artist0"))
    first, second, third, paid = account.lines
    assert first.earned is not None
    assert first.earned.gross == 85_714_285_715  # 1,000,000 ÷ 7, then 60%
    assert first.earned.fee == 8_228_571_428
    assert first.earned.cultural == 7_748_571_428
    assert first.amount == 69_737_142_859
    assert [second.amount, third.amount] == [116_228_571_429, 58_114_285_715]
    assert paid.sent is not None
    assert (paid.sent.gross, paid.sent.tax) == (244_080_000_000, 73_224_000_000)
    assert account.closing == 3


def test_an_explanation_reads_like_this(plain: Story) -> None:
    """The steps name lab, run, licence, share and rates, with entry numbers."""
    titles = Names(**names(plain))
    titles.recordings[plain.recordings[0]] = "Salt Road"
    reader = Reader(plain.log.store, titles)
    line = payable(reader.statement("demo:artist0")).lines[0]
    assert [(step.words, step.entry) for step in line.steps] == [
        ("Lab Alder trained alder 1 on it in run run-1.", 16),
        ("The licence that Society Birch gave Lab Alder covers this use.", 13),
        ("Lab Alder paid for the run; this came into the pool of the run.", None),
        ("It is shared equally between 7 recordings: Salt Road gets this.", 20),
        ("Ottoline Brackwater is registered with 60% of it: the gross amount.", 10),
        ("Society Birch keeps a fee of 9.6%.", 12),
        ("10% of what the fee leaves goes to cultural purposes.", 12),
        ("This is credited.", 20),
    ]
    assert line.steps[4].sum == "142,857.142858 × 60%"


def test_what_waits_is_noted(plain: Story) -> None:
    """Money that waits for another holder of one's recording is mentioned."""
    (note,) = open_reader(plain).statement("demo:artist0").notes
    assert note.code == "waiting"
    assert note.recording == plain.recordings[-1]
    assert note.amount == 71_428_571_428
    assert "50%" in note.words
    assert open_reader(plain).statement("demo:artist1").notes == ()


def test_unlicensed_use_is_noted() -> None:
    """A run without a licence on one's recording is mentioned with one's share."""
    story = build_story(MemoryStore())
    dataset = [lines.DatasetLine(external=story.recordings[0])]
    story.lab.say(
        "run.open",
        lambda refs: training.RunOpen(
            licences=[],
            model="alder",
            run="run-2",
            use="gen_train",
            version="1",
            **refs,
        ),
        {"dataset": dataset},
    )
    found = open_reader(story).statement("demo:artist1").notes
    (note,) = [each for each in found if each.code == "uncovered"]
    assert (note.ppm, note.entry) == (400_000, story.log.size - 1)
    assert "Lab Alder trained on the master recording of Wren" in note.words


def test_a_statement_that_does_not_add_up_is_not_given(plain: Story) -> None:
    """One micro-unit too much anywhere stops the statement."""
    statement = open_reader(plain).statement("demo:artist0")
    (account,) = statement.accounts
    first, *rest = account.lines
    assert first.earned is not None
    wrong = [
        replace(account, closing=account.closing + 1),
        replace(account, opening=1),
        replace(account, lines=(replace(first, amount=first.amount + 1), *rest)),
        replace(account, lines=(replace(first, balance=0), *rest)),
        replace(
            account,
            lines=(replace(first, earned=replace(first.earned, fee=0)), *rest),
        ),
    ]
    for each in wrong:
        with pytest.raises(HomeError) as error:
            replace(statement, accounts=(each,)).check()
        assert error.value.code == "derived-damaged"
        assert "'linernote rebuild'" in error.value.hint


def test_a_party_without_money_has_an_empty_statement(plain: Story) -> None:
    """Nothing moved: no account, and the text says so."""
    statement = open_reader(plain).statement("Registry of Elms")
    assert statement.accounts == ()
    assert "No money has moved yet." in statement_text(statement)


def test_names_cannot_become_formulas(plain: Story) -> None:
    """A spreadsheet opens a hostile title as text."""
    sly = Names(recordings={plain.recordings[0]: '=HYPERLINK("http://x","y")'})
    statement = Reader(plain.log.store, sly).statement("demo:artist0")
    rows = list(csv.DictReader(io.StringIO(statement_csv(statement))))
    assert rows[1]["title"].startswith("'=HYPERLINK")
    assert not any(cell.startswith("=") for row in rows for cell in row.values())
