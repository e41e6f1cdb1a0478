"""Problems stand against a log until the operator acknowledged them; some always."""

from __future__ import annotations

from ledger.audit import Audit
from ledger.audit import Report
from ledger.entry.verify import key_id
from ledger.events.identity import Acknowledge
from ledger.events.identity import Level
from ledger.events.identity import PartyVerify
from ledger.events.lines import PayoutLine
from ledger.events.payments import Payout
from tests.audit.logs import codes
from tests.replay import stages
from tests.replay.world import World


def audit(world: World) -> Report:
    """Audit a world's store."""
    return Audit(world.store, workers=0).run()


def acknowledge(world: World, index: int, code: str) -> int:
    """Let the operator acknowledge a problem."""
    return world.operator.say("acknowledge", Acknowledge(code=code, index=index))


def test_an_acknowledged_problem_is_printed_and_passes() -> None:
    """It stays in the report, with the entry that acknowledged it."""
    world = World()
    index = world.log.size
    world.force(world.lab, "party.verify", PartyVerify(party=world.lab.party))
    (found,) = audit(world).problems
    assert (found.index, found.code, found.book) == (index, "missing-role", "public")
    assert (found.open, audit(world).exit_code) == (True, 4)
    at = acknowledge(world, index, "missing-role")
    report = audit(world)
    assert [p.acknowledged for p in report.problems] == [at]
    assert report.ok
    assert report.to_json()["problems"][0]["acknowledged"] == at


def test_a_problem_that_only_lines_show_is_of_the_full_book() -> None:
    """The general ledger took it in; each book has a state of its own then."""
    world = stages.shared_out(World())
    index = world.log.size
    line = PayoutLine(gross=10_000, party=world.guest.party, sent=10_000, tax=0)
    problem = world.force(
        world.society,
        "payout",
        lambda refs: Payout(
            batch=refs["batch"], currency="SEK", tax_ppm=0, threshold=0
        ),
        batch=[line],
    )
    assert problem is not None
    report = audit(world)
    (found,) = report.problems
    assert (found.index, found.code) == (index, "payout-above-balance")
    assert found.book == "full"
    assert report.full_digest == world.state.digest()
    assert report.state_digest == world.replayed("public").digest()
    assert report.state_digest != world.state.digests()["public"]
    acknowledge(world, index, "payout-above-balance")
    assert audit(world).ok
    assert audit(world).state_digest == world.replayed("public").digest()


def test_a_broken_chain_is_never_acknowledged() -> None:
    """What shows two histories of a key stays a problem for good."""
    world = World()
    index = world.log.size
    body = PartyVerify(party=world.lab.party)
    seq = world.state.keys.need(key_id(world.operator.sign.public)).next_seq
    world.smuggle(world.event(world.operator, "party.verify", body, seq=seq + 5))
    problem = world.force(
        world.operator, "acknowledge", Acknowledge(code="out-of-sequence", index=index)
    )
    assert problem is not None
    assert problem.code == "not-acknowledgeable"
    assert codes(audit(world)) == ["out-of-sequence", "not-acknowledgeable"]
    assert audit(world).exit_code == 4


def test_an_event_id_used_twice_is_found() -> None:
    """The second event of one author with one id is a problem, and changes nothing."""
    world = World()
    first = world.event(
        world.operator, "party.verify", PartyVerify(party=world.lab.party), id=b"i" * 16
    )
    world.append(first)
    second = world.event(
        world.operator,
        "party.verify",
        PartyVerify(party=world.guest.party),
        id=b"i" * 16,
    )
    index = world.log.size
    world.smuggle(second, repeated=True)
    report = audit(world)
    assert [(p.index, p.code) for p in report.problems] == [(index, "id-reused")]
    assert report.full_digest == world.state.digest()
    assert acknowledge(world, index, "id-reused")
    assert audit(world).ok


def test_a_level_that_nobody_here_knows_is_no_pass() -> None:
    """From there on rules are unknown: bytes and chains are verified, and exit is 5."""
    world = World()
    index = world.log.size
    assert world.force(world.operator, "level", Level(level=2)) is None
    world.smuggle(world.event(world.operator, "anything", b"\x80"))
    report = audit(world)
    assert (report.ok, report.exit_code) == (True, 5)
    assert report.size == world.log.size == index + 2
    assert any(f"{index + 1} entries" in said for said in report.missing)
    assert (report.full_digest, report.state_digest) == (None, None)
