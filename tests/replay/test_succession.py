"""A log that succeeds another goes on from all that was there."""

from __future__ import annotations

from ledger.entry.envelope import ZERO32
from ledger.entry.verify import key_id
from ledger.errors import LedgerError
from ledger.events.identity import CurrencyRule
from ledger.events.identity import PartyVerify
from ledger.replay.chain import chain_head
from ledger.replay.log_keys import vkeys_at
from ledger.tlog.note import make_vkey
from tests.replay import acts
from tests.replay import stages
from tests.replay.checks import check_books
from tests.replay.making import refusal
from tests.replay.making import signing_key
from tests.replay.succession import KEY
from tests.replay.succession import NEXT
from tests.replay.succession import body
from tests.replay.succession import event
from tests.replay.succession import succeed
from tests.replay.world import World


def test_parties_keys_ids_and_balances_carry_over() -> None:
    """Only the log itself and its keys change; what was agreed goes on."""
    world = World()
    stages.paid(world)
    before = {table.name: dict(table.scan()) for table in world.state.tables}
    index = succeed(world)
    after = {table.name: dict(table.scan()) for table in world.state.tables}
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"key", "log", "log.key", "predecessor"}
    log = world.state.need_log()
    assert (log.origin, log.index, log.log_key) == (NEXT, index, KEY.public)
    # The money that was paid before is shared out after.
    acts.distribute(world)
    acts.pay_out(world)
    check_books(world.state)
    assert world.audit().problems == []


def test_key_chains_start_anew() -> None:
    """Each key is at 0 again, whatever it signed before, and goes on from there."""
    world = World()
    state = world.state
    assert chain_head(state.need_log(), state.keys.need(_key(world)))[0] > 0
    succeed(world)
    assert chain_head(state.need_log(), state.keys.need(_key(world))) == (0, ZERO32)
    for seq in (1, 2):
        world.accredit(world.guest, "auditor" if seq == 1 else "provider")
        assert chain_head(state.need_log(), state.keys.need(_key(world)))[0] == seq
    assert world.audit().problems == []


def _key(world: World) -> bytes:
    return key_id(world.operator.sign.public)


def test_what_was_lost_is_signed_again_once() -> None:
    """The same event id and content under the new log's id; again, it is repeated."""
    world = World()
    lost = World()
    said = PartyVerify(party=world.guest.party)
    identity = b"lost".ljust(16)
    lost.append(lost.event(lost.operator, "party.verify", said, id=identity))
    succeed(world)
    again = world.event(world.operator, "party.verify", said, id=identity)
    index = world.append(again)
    assert world.answer(again).index == index
    twice = world.event(world.operator, "party.verify", said, id=identity)
    assert world.answer(twice).repeated


def test_an_id_of_the_predecessor_is_taken() -> None:
    """Whatever got through before is not counted a second time."""
    world = World()
    said, identity = PartyVerify(party=world.guest.party), b"kept".ljust(16)
    first = world.append(world.event(world.operator, "party.verify", said, id=identity))
    succeed(world)
    again = world.event(world.operator, "party.verify", said, id=identity)
    answer = world.answer(again)
    assert (answer.index, answer.repeated) == (first, True)


def test_checkpoints_of_each_log_are_of_its_own_key() -> None:
    """The old log's keys end with it, and count for no size of the new one."""
    world = World()
    index = succeed(world)
    assert vkeys_at(world.state, index + 1) == [make_vkey(NEXT, KEY.public)]


def test_a_predecessor_with_another_root_is_found() -> None:
    """Replay cannot see a root; an audit compares it with the entries."""
    world = World()
    index = world.append(event(world, body(world, root=bytes(32))))
    (found,) = world.audit().problems
    assert (found.index, found.code) == (index, "root-mismatch")


def test_a_succession_can_be_succeeded() -> None:
    """Each time under a name and a key of its own."""
    world = World()
    succeed(world)
    succeed(world, "third.example/log", signing_key("third"))
    world.accredit(world.guest, "auditor")
    assert [row.origin for _, row in world.state.predecessors.items()] == [
        "world.example/log",
        NEXT,
    ]
    assert world.audit().problems == []


def test_two_states_of_one_succession_agree() -> None:
    """Replayed from nothing, in both books, the digests are the appender's."""
    world = World()
    stages.trained(world)
    succeed(world)
    acts.bill(world)
    assert world.replayed("full").digest() == world.state.digest()
    error = refusal(lambda: succeed(world, NEXT))
    assert isinstance(error, LedgerError)


def test_a_successor_may_bring_currencies() -> None:
    """Those that there were stay; the new ones count from its genesis on."""
    world = World()
    before = dict(world.state.currencies.items())
    rules = [
        CurrencyRule(code=code, exponent=exponent)
        for code, exponent in sorted({**before, "ISK": 0}.items())
    ]
    world.append(event(world, acts.change(body(world), {"currencies": rules})))
    assert dict(world.state.currencies.items()) == {**before, "ISK": 0}
