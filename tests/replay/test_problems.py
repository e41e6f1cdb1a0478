"""After a bad entry replay goes on: it moves its key's chain and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ledger.entry.verify import key_id
from ledger.errors import LedgerError
from ledger.errors import UnverifiableError
from ledger.errors import VerificationError
from ledger.events.identity import Acknowledge
from ledger.events.identity import Level
from ledger.events.identity import PartyVerify
from ledger.events.lines import DatasetLine
from ledger.events.payments import Payout
from ledger.events.training import RunOpen
from ledger.replay import Problem
from ledger.replay import State
from ledger.replay.chain import UNACKNOWLEDGEABLE
from ledger.staging import Staged
from tests.replay import acts
from tests.replay.checks import check_books
from tests.replay.making import genesis
from tests.replay.making import hand_in
from tests.replay.making import refusal
from tests.replay.making import signing_key
from tests.replay.provoke import identity
from tests.replay.provoke import log_keys
from tests.replay.provoke import money
from tests.replay.provoke import terms
from tests.replay.provoke.case import CASES
from tests.replay.provoke.case import Case
from tests.replay.world import Actor
from tests.replay.world import World

Stage = Callable[[str], World]
RULES = [
    case
    for case in CASES
    if case.act.__module__
    in {each.__name__ for each in (identity, log_keys, money, terms)}
]
"""Refusals by rules and authority; those of place and bytes have tests of their own."""


def rows(state: State) -> dict[str, dict[bytes, bytes]]:
    """Give every table of a state, as bytes."""
    state.flush()
    return {table.name: dict(table.scan()) for table in state.tables}


def smuggling(world: World) -> list[Problem]:
    """Have everything that is refused from here on put on the log nevertheless."""
    problems: list[Problem] = []
    say = world.say

    def force(actor: Actor, key: object, kind: str, body: object, lines: object) -> int:
        try:
            return say(actor, key, kind, body, lines)  # type: ignore[arg-type]
        except LedgerError:
            problem = world.force(actor, kind, body, key, **lines)  # type: ignore[arg-type]
            assert problem is not None
            problems.append(problem)
            raise

    world.say = force  # type: ignore[method-assign]
    return problems


@pytest.mark.parametrize("case", RULES, ids=lambda case: case.name)
def test_what_the_log_refuses_auditors_call_a_problem(case: Case, stage: Stage) -> None:
    """Appender and auditor give one code; the entry changes nothing but its chain."""
    world = stage(case.stage)
    problems = smuggling(world)
    error = refusal(lambda: case.act(world))
    (problem,) = problems[-1:]
    assert (problem.code, problem.index) == (error.code, world.log.size - 1)
    after = rows(world.state)
    before_state = State("full")
    list(world.replaying(before_state, problem.index))
    before = rows(before_state)
    changed = {name for name, table in after.items() if table != before[name]}
    assert changed == {"key", "problem"}
    assert len(after["problem"]) == len(before["problem"]) + 1
    differing = dict(after["key"].items() - before["key"].items())
    assert len(differing) == 1
    assert after["key"].keys() == before["key"].keys()


@pytest.mark.parametrize("case", RULES, ids=lambda case: case.name)
def test_each_book_has_its_problems(case: Case, stage: Stage) -> None:
    """What the general ledger can see is public; what only lines show, full."""
    world = stage(case.stage)
    problems = smuggling(world)
    refusal(lambda: case.act(world))
    index, book = world.log.size - 1, problems[-1].book
    public = list(world.replaying(State("public")))[index]
    assert (public is not None) == (book == "public")
    if public is not None:
        assert public == problems[-1]


def test_later_entries_go_on(world: World) -> None:
    """The key of a bad entry signs its next event on top of it."""
    size = world.log.size
    problem = world.force(world.lab, "level", Level(level=2))
    assert problem is not None
    assert (problem.index, problem.code, problem.book) == (
        size,
        "missing-role",
        "public",
    )
    acts.version(world)
    row = world.state.keys.need(key_id(world.lab.sign.public))
    assert row.next_seq == 2
    check_books(world.state)


def test_an_acknowledged_problem_stays(world: World) -> None:
    """The operator's acknowledgement is noted beside it, once."""
    index = world.log.size
    world.force(world.lab, "level", Level(level=2))
    body = Acknowledge(code="missing-role", index=index)
    at = world.operator.say("acknowledge", body)
    row = world.state.problems.need(index)
    assert (row.code, row.book, row.acknowledged) == ("missing-role", "public", at)


def test_the_public_book_takes_acknowledgements_of_what_it_cannot_see(
    shared_out: World,
) -> None:
    """A problem of lines is acknowledged in both books, though one knows of none."""
    index = shared_out.log.size
    problem = shared_out.force(
        shared_out.society,
        "payout",
        lambda refs: Payout(
            batch=refs["batch"], currency="SEK", tax_ppm=0, threshold=0
        ),
        batch=[money.line(shared_out.guest.party, 10_000, 0)],
    )
    assert problem is not None
    assert problem.book == "full"
    body = Acknowledge(code=problem.code, index=index)
    shared_out.operator.say("acknowledge", body)
    public = list(shared_out.replaying(State("public")))
    assert public == [None] * shared_out.log.size


@pytest.mark.parametrize("code", sorted(UNACKNOWLEDGEABLE))
def test_broken_chains_are_never_acknowledged(world: World, code: str) -> None:
    """Not even on the log, in either book."""
    problem = world.force(
        world.operator, "acknowledge", Acknowledge(code=code, index=3)
    )
    assert problem is not None
    assert (problem.code, problem.book) == ("not-acknowledgeable", "public")


def chain_problem(
    world: World,
    kind: str = "party.verify",
    **fields: Any,  # noqa: ANN401 (any field of an event)
) -> Problem:
    """Put an event out of its place on the log."""
    body = PartyVerify(party=world.guest.party)
    signed = world.event(world.operator, kind, body, **fields)
    problem = world.smuggle(signed)
    assert problem is not None
    return problem


def test_an_event_out_of_sequence_moves_the_chain_to_where_it_claims(
    world: World,
) -> None:
    """The key goes on after what is on the log; the gap stays a problem for good."""
    head = world.state.keys.need(key_id(world.operator.sign.public))
    assert chain_problem(world, seq=head.next_seq + 3).code == "out-of-sequence"
    moved = world.state.keys.need(key_id(world.operator.sign.public))
    assert moved.next_seq == head.next_seq + 4
    assert world.accredit(world.guest, "auditor") == world.log.size - 1


@pytest.mark.parametrize(
    ("code", "fields"),
    [
        ("broken-key-chain", {"prev": bytes(32)}),
        ("wrong-log", {"log": bytes(32)}),
        ("seen-unknown", {"seen": (2**62, bytes(32))}),
        ("seen-unknown", {"seen": (1, bytes(32))}),
        ("author-mismatch", {"author": bytes(16)}),
        ("event-time-ahead", {"time": 2**62}),
        ("unknown-kind", {"kind": "tomorrow/kind"}),
    ],
)
def test_events_out_of_place_are_problems(
    world: World, code: str, fields: dict[str, Any]
) -> None:
    """Whatever is wrong with the place of an event, the log goes on after it."""
    problem = chain_problem(world, **fields)
    assert (problem.code, problem.book) == (code, "public")
    assert world.state.parties.need(world.guest.party).verified == -1
    assert world.accredit(world.guest, "auditor") == world.log.size - 1


def test_an_event_by_a_key_that_nobody_registered_is_a_problem(world: World) -> None:
    """It has no chain to move, and changes nothing at all."""
    before = rows(world.state)
    body = PartyVerify(party=world.guest.party)
    stranger = signing_key("stranger")
    problem = world.smuggle(
        world.event(world.guest, "party.verify", body, key=stranger)
    )
    assert problem is not None
    assert problem.code == "key-unknown"
    after = rows(world.state)
    del before["problem"], after["problem"]
    assert after == before


def test_an_id_used_twice_is_a_problem(world: World) -> None:
    """Told which event ids recur, replay makes nothing of the second."""
    body = PartyVerify(party=world.guest.party)
    problem = world.smuggle(
        world.event(world.operator, "party.verify", body), repeated=True
    )
    assert problem is not None
    assert problem.code == "id-reused"
    assert world.state.parties.need(world.guest.party).verified == -1


def test_a_log_without_a_genesis_is_no_log() -> None:
    """Entry 0 has to be a genesis that holds; there is nothing to go on from."""
    for kind, body in [
        ("party.verify", PartyVerify(party=bytes(16))),
        ("genesis", genesis(level=2)),
    ]:
        world = World(empty=True)
        signed = world.event(world.operator, kind, body, key=world.operator.root)
        with pytest.raises(LedgerError):
            world.smuggle(signed)


def test_a_higher_level_ends_what_is_understood(world: World) -> None:
    """From the next entry on nothing is judged but its place."""
    assert world.force(world.operator, "level", Level(level=2)) is None
    assert world.state.level == 2
    nobody = world.event(world.guest, "anything/new", b"\x80")
    assert world.smuggle(nobody) is None
    assert chain_problem(world, prev=bytes(32)).code == "broken-key-chain"


def test_lines_that_are_missing_end_a_replay(trained: World) -> None:
    """The full book cannot go on without them; the state before is untouched."""
    before = rows(trained.state)
    with Staged() as elsewhere:
        signed = trained.event(
            trained.lab,
            "run.open",
            lambda refs: RunOpen(
                dataset=refs["dataset"],
                licences=[],
                model="oak",
                run="other",
                use="gen_train",
                version="1",
            ),
            {"dataset": [DatasetLine(external="demo:a")]},
            elsewhere,
        )
    with pytest.raises(UnverifiableError) as caught:
        trained.smuggle(signed)
    assert caught.value.code == "manifest-lines-missing"
    assert rows(trained.state) == before


def test_lines_that_were_not_signed_end_a_replay(trained: World) -> None:
    """Whatever rule they break: that the event's author said so is not shown."""
    with Staged() as staged, Staged() as other:
        signed = trained.event(
            trained.lab,
            "run.open",
            lambda refs: RunOpen(
                dataset=refs["dataset"],
                licences=[],
                model="oak",
                run="other",
                use="gen_train",
                version="1",
            ),
            {"dataset": [DatasetLine(external="demo:a")]},
            staged,
        )
        (root,) = staged._spans
        (bundle,) = staged.bundles(root)
        hand_in(other, root, [bundle.replace(b"demo:a", b"Demo a")])
        with pytest.raises(VerificationError) as caught:
            trained.smuggle(signed, other)
    assert caught.value.code == "manifest-root-mismatch"
