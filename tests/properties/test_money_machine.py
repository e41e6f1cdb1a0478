"""Money in any order: the ledger's books are those of a small model, entry by entry."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache

from hypothesis import HealthCheck
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle
from hypothesis.stateful import RuleBasedStateMachine
from hypothesis.stateful import initialize
from hypothesis.stateful import invariant
from hypothesis.stateful import multiple
from hypothesis.stateful import rule

from ledger.events.lines import PayoutLine
from ledger.events.types import PPM
from ledger.events.types import UNKNOWN_PARTY
from tests.properties.money_model import NOBODY
from tests.properties.money_model import Act
from tests.properties.money_model import Model
from tests.replay import acts
from tests.replay import stages
from tests.replay.acts import A
from tests.replay.acts import B
from tests.replay.checks import check_books
from tests.replay.checks import check_credits
from tests.replay.making import party_id
from tests.replay.making import refusal
from tests.replay.world import World

EXAMPLES = int(os.environ.get("LINERNOTE_EXAMPLES", "1"))
PRICES = (0, 1, 7, 19_999, 100_000_001)
PARTIES = {"anna": party_id("anna"), "bert": party_id("bert"), NOBODY: UNKNOWN_PARTY}
TABLES = (
    (("anna", PPM),),
    (("anna", 600_000), ("bert", 400_000)),
    (("bert", 333_333), (NOBODY, 333_333), ("bert", 333_334)),
)
amounts = st.sampled_from([0, 1, 2, 3, 10_000, 50_000_000, 125_000_001])


@cache
def licensed() -> tuple[World, tuple[int, ...]]:
    """A world with a licence for each price."""
    world = stages.licensed(World())
    licences = []
    for price in PRICES:
        acts.tariff(world, amount=price)
        licences.append(acts.grant(world))
        acts.accept(world)
    return world, tuple(licences)


class MoneyMachine(RuleBasedStateMachine):
    """Says something about money, and asks the model whether it should be taken."""

    dues = Bundle("dues")
    entries = Bundle("entries")
    payouts = Bundle("payouts")

    @initialize()
    def found(self) -> None:
        """Start in a world of its own."""
        world, self.licences = licensed()
        self.world, self.model = world.copy(), Model()
        self.index: dict[int, Act] = {}
        self.due_entries: list[tuple[int, str, int]] = []
        for recording in (A, B):
            self.register(recording, TABLES[1])

    def register(self, recording: str, table: tuple[tuple[str, int], ...]) -> None:
        shares = [(PARTIES[party], ppm) for party, ppm in table]
        acts.table(self.world, recording, shares)
        self.model.tables[recording] = list(table)

    def agree(self, expected: str, act: Callable[[], int]) -> int | None:
        """Have the ledger do what the model did or refused, and compare."""
        if expected:
            assert refusal(act).code == expected
            return None
        return act()

    @rule(
        target=dues,
        price=st.sampled_from(range(len(PRICES))),
        vat=st.sampled_from([0, 1, 3, 25_000_000]),
        recordings=st.sampled_from([(A,), (A, B), (B,)]),
    )
    def bill(self, price: int, vat: int, recordings: tuple[str, ...]) -> int:
        number = len(self.model.dues)
        run, licence = f"run-{number}", self.licences[price]
        self.world.at["licence"] = licence
        acts.open_run(self.world, recordings, run=run)
        expected = self.model.bill(PRICES[price], vat, recordings)
        index = self.agree(
            expected,
            lambda: acts.bill(self.world, run=run, net=PRICES[price], vat=vat),
        )
        assert index is not None
        self.due_entries.append((index, run, licence))
        self.index[index] = self.model.acts[-1]
        return number

    @rule(
        target=entries,
        number=dues,
        amount=amounts,
        extra=st.sampled_from([0, 0, 1, 10_000]),
        charges=st.sampled_from([0, 0, 1, 500]),
    )
    def pay(self, number: int, amount: int, extra: int, charges: int) -> object:
        return self._pay(number, amount, extra, charges)

    @rule(target=entries, number=dues)
    def pay_the_rest(self, number: int) -> object:
        due = self.model.dues[number]
        return self._pay(number, due.net + due.vat - due.paid, 1, 0)

    @rule(
        number=dues,
        parts=st.lists(st.integers(1, 4), min_size=2, max_size=4),
        undone=st.integers(0, 1),
    )
    def pay_in_parts(self, number: int, parts: list[int], undone: int) -> None:
        """Small sums leave the most to rounding, and reversals the most to undo."""
        made = []
        for amount in parts:
            payment = self._pay(number, amount, 0, 0)
            if isinstance(payment, int):
                made.append(payment)
        if made[undone:]:
            self._reverse(made[undone])

    def _pay(self, number: int, amount: int, extra: int, charges: int) -> object:
        due, _, _ = self.due_entries[number]
        expected = self.model.pay(number, amount, extra, charges)
        index = self.agree(
            expected,
            lambda: acts.pay(
                self.world,
                due=due,
                amount=amount,
                charges=charges,
                gross=amount + extra,
            ),
        )
        return self._noted(index)

    @rule(target=entries, number=dues)
    def distribute(self, number: int) -> object:
        _, run, licence = self.due_entries[number]
        self.world.at["licence"] = licence
        expected = self.model.distribute(number)
        if expected == "pool-unknown":
            return multiple()
        index = self.agree(expected, lambda: acts.distribute(self.world, run=run))
        return self._noted(index)

    @rule(target=entries, recordings=st.sampled_from([(A,), (A, B), (B,)]))
    def earn(self, recordings: tuple[str, ...]) -> object:
        """Most of what there is to do with money starts with some being there."""
        number = self.bill(len(PRICES) - 1, 25_000_000, recordings)
        self.pay_the_rest(number)
        return self.distribute(number)

    @rule(target=payouts)
    def pay_out(self) -> object:
        expected = self.model.pay_out()
        index = self.agree(expected, lambda: acts.pay_out(self.world))
        self._noted(index)
        return multiple() if index is None else index

    @rule(
        recordings=st.sampled_from([(A,), (A, B)]),
        outcomes=st.lists(st.sampled_from(["confirmed", "returned", "failed"])),
    )
    def whole_life(
        self, recordings: tuple[str, ...], outcomes: list[acts.Outcome]
    ) -> None:
        """What takes many steps to come to is gone through at once."""
        self.earn(recordings)
        payout = self.pay_out()
        assert isinstance(payout, int)
        for outcome in outcomes:
            self.settle(payout, outcome, (), 0)

    @rule(
        payout=payouts,
        outcome=st.sampled_from(["confirmed", "confirmed", "failed", "returned"]),
        some=st.sampled_from([(), (), ("anna",), ("bert",), ("anna", "bert")]),
        charges=st.sampled_from([0, 0, 7]),
    )
    def settle(
        self, payout: int, outcome: acts.Outcome, some: tuple[str, ...], charges: int
    ) -> None:
        act = self.index[payout]
        parties = [party for party in some if party in act.lines]
        lines = None
        if parties:
            lines = [
                PayoutLine(
                    gross=act.lines[p][0],
                    party=PARTIES[p],
                    sent=act.lines[p][0] - act.lines[p][1],
                    tax=act.lines[p][1],
                )
                for p in parties
            ]
        expected = self.model.settle(act, outcome, parties, charges)
        self.agree(
            expected,
            lambda: acts.settle(
                self.world, outcome, lines, payout=payout, charges=charges
            ),
        )

    @rule(number=dues)
    def reverse_a_due(self, number: int) -> None:
        self._reverse(self.due_entries[number][0])

    @rule(entry=entries | payouts)
    def reverse(self, entry: int) -> None:
        self._reverse(entry)

    def _reverse(self, entry: int) -> None:
        expected = self.model.reverse(self.index[entry])
        index = self.agree(expected, lambda: acts.reverse(self.world, entry))
        if index is not None:
            again = self.model.reverse(self.model.acts[-1])
            assert self.agree(again, lambda: acts.reverse(self.world, index)) is None

    @rule(
        recording=st.sampled_from([A, B]),
        table=st.sampled_from(TABLES),
    )
    def change_hands(self, recording: str, table: tuple[tuple[str, int], ...]) -> None:
        self.register(recording, table)

    def _noted(self, index: int | None) -> object:
        if index is None:
            return multiple()
        self.index[index] = self.model.acts[-1]
        return index

    @invariant()
    def books_agree(self) -> None:
        if not hasattr(self, "model"):
            return
        names = {party: name for name, party in PARTIES.items()}
        state = self.world.state
        pools = {
            state.dues.need(due).pool: str(number)
            for number, (due, _, _) in enumerate(self.due_entries)
        }
        found = {}
        for (_, _, type_, subject, _), amount in state.accounts.items():
            if isinstance(subject, tuple):
                name = subject[0]
            else:
                named = {**names, **pools, self.world.lab.party: "lab", b"": ""}
                name = named[subject]
            found[type_, name] = amount
        assert found == {key: sum_ for key, sum_ in self.model.accounts.items() if sum_}
        check_books(state)
        check_credits(state)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            assert self.world.replayed().digest() == self.world.state.digest()


MoneyMachine.TestCase.settings = settings(
    max_examples=200 * EXAMPLES,
    stateful_step_count=10,
    suppress_health_check=list(HealthCheck),
)


TestMoney = MoneyMachine.TestCase
"""Whatever is said in whatever order, ledger and model agree."""
