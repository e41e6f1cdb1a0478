"""Replay is one pure fold: however it is cut, stored or started, the state is one."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from ledger.audit.verifying import decoded_entries
from ledger.entry.canonical import encode_trusted
from ledger.errors import InvariantError
from ledger.log import StoredLines
from ledger.replay import Replay
from ledger.replay import State
from ledger.replay import replay as replaying
from ledger.replay import table
from ledger.replay.state import STATE_TAG
from ledger.storage.base import Rows
from ledger.storage.memory_rows import MemoryRows
from ledger.storage.spill import SpillRows
from tests.replay import acts
from tests.replay import everything
from tests.replay.checks import check_books
from tests.replay.checks import check_credits
from tests.replay.checks import check_general
from tests.replay.world import World


@pytest.fixture(scope="module")
def told() -> World:
    """Everything has been said; not to be changed."""
    return everything.tell(World())


@pytest.fixture(scope="module")
def digests(told: World) -> tuple[bytes, bytes]:
    """The digests of the public and the full state, by plain replay in memory."""
    return told.replayed("public").digest(), told.replayed("full").digest()


@pytest.fixture(params=["none", "memory", "spilled"])
def rows(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rows | None]:
    """Where rows rest that are not in memory."""
    if request.param == "spilled":
        with SpillRows(tmp_path) as spilled:
            yield spilled
    else:
        yield MemoryRows() if request.param == "memory" else None


@pytest.fixture(params=[16_384, 4, 1])
def hot(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many rows of a table stay in memory."""
    monkeypatch.setattr(table, "HOT_ROWS_MAX", request.param)
    monkeypatch.setattr(replaying, "RELIEF_ENTRIES", 1)
    most: int = request.param
    return most


@pytest.mark.usefixtures("hot")
def test_states_are_one_wherever_their_rows_rest(
    told: World, digests: tuple[bytes, bytes], rows: Rows | None
) -> None:
    """In memory, spilled a row at a time, or kept in a store: one digest."""
    assert told.replayed("full", rows).digest() == digests[1]


@pytest.mark.usefixtures("hot")
def test_public_states_are_one_wherever_their_rows_rest(
    told: World, digests: tuple[bytes, bytes], rows: Rows | None
) -> None:
    """The general ledger needs no lines, and has one digest, too."""
    assert told.replayed("public", rows).digest() == digests[0]


def test_the_full_state_contains_the_public_one(
    told: World, digests: tuple[bytes, bytes]
) -> None:
    """Without its own tables, the full state of a clean log is the public one."""
    assert told.state.digests()["public"] == digests[0]


def test_the_appender_holds_what_replay_gives(
    told: World, digests: tuple[bytes, bytes]
) -> None:
    """In memory and in its store, the state of a log is that of its entries."""
    assert told.state.digest() == digests[1]
    assert State("full", told.store.rows).digest() == digests[1]


@pytest.mark.usefixtures("hot")
@pytest.mark.parametrize("cut", [1, 26, 33, 50, 70])
def test_a_replay_may_stop_and_go_on(
    told: World, digests: tuple[bytes, bytes], cut: int
) -> None:
    """What was written at any size is where another program goes on."""
    rows = MemoryRows()
    first = State("full", rows)
    assert len(list(told.replaying(first, cut))) == cut
    first.flush()
    second = State("full", rows)
    assert second.size == cut
    assert len(list(told.replaying(second))) == told.log.size - cut
    assert second.digest() == digests[1]


def test_money_is_conserved_after_every_entry(told: World) -> None:
    """Books balance at each size, and both books agree on every control account."""
    full, public = State("full"), State("public")
    pairs = zip(told.replaying(full), told.replaying(public), strict=True)
    for size, problems in enumerate(pairs, 1):
        assert problems[0] == problems[1]
        assert full.size == public.size == size
        check_books(full)
        check_credits(full)
        check_general(public)
        assert dict(full.general.items()) == dict(public.general.items())


def test_every_size_has_a_digest_of_its_own(told: World) -> None:
    """No two states of a log are taken for each other."""
    state = State("full")
    seen = {state.digest()}
    for _ in told.replaying(state):
        seen.add(state.digest())
    assert len(seen) == told.log.size + 1


def test_the_digest_is_over_rows_in_order(told: World) -> None:
    """H(tag ‖ rows), rows [table, key, value] by table and key, after a head row."""
    state = told.replayed("full")
    head = ["", "", [told.log_id, told.log.size, 1, "full"]]
    encoded = encode_trusted(head)
    for each in sorted(state.tables, key=lambda table: table.name.encode()):
        for key, value in sorted(each.scan()):
            encoded += b"\x93" + encode_trusted(each.name) + key + value
    assert state.digest() == sha256(STATE_TAG + encoded).digest()


def test_the_digest_of_an_empty_state_is_known() -> None:
    """Before genesis there is no log id, and no row but the head."""
    head = encode_trusted(["", "", [b"", 0, 1, "public"]])
    assert State("public").digest() == sha256(STATE_TAG + head).digest()


def test_a_discarded_state_is_what_was_written(told: World) -> None:
    """After a rollback, the state is what its rows hold."""
    rows = MemoryRows()
    state = State("full", rows)
    steps = told.replaying(state)
    for _ in range(30):
        next(steps)
    state.flush()
    written = state.digest()
    for _ in range(10):
        next(steps)
    state.discard()
    assert state.size == 30
    assert state.digest() == written


def test_judging_changes_nothing(told: World) -> None:
    """An entry can be judged as often as one likes before it is taken in."""
    world = told.copy()
    before = world.state.digest()
    signed = world.event(world.society, "scheme", acts.scheme_body())
    taken, _ = world._entry(signed, world.now_ms)
    replay = Replay(world.state, world._leaf_hash_at, StoredLines(world.store))
    first = replay.judge(taken)
    assert replay.judge(taken) == first
    assert world.state.digest() == before


def test_entries_are_replayed_in_order(told: World) -> None:
    """Skipping or repeating an entry is a bug of the caller's, not a problem."""
    state = State("full")
    list(told.replaying(state, 10))
    replay = Replay(state, told._leaf_hash_at, StoredLines(told.store))
    leaves, hashes = told.store.leaves(11, 12), [told._leaf_hash_at(11)]
    (skipping,) = decoded_entries(leaves, hashes, 11)
    with pytest.raises(InvariantError) as caught:
        replay.apply(skipping)
    assert caught.value.code == "replay-order"


def test_rows_in_memory_are_read_without_the_rows_below(told: World) -> None:
    """As long as a table is in memory as a whole, nothing needs to be written."""
    rows = MemoryRows()
    state = State("full", rows)
    list(told.replaying(state, 10))
    assert len(list(state.keys.items())) > 1
    assert not list(rows.scan("key"))


def test_a_table_is_not_read_as_a_whole_before_it_is_written(told: World) -> None:
    """Rows that only wait in memory would be missing: that is a bug, and is said."""
    rows = MemoryRows()
    before = State("full", rows)
    list(told.replaying(before, 10))
    before.flush()
    state = State("full", rows)
    head = state.keys.items()
    state.keys.put(*next(head))
    with pytest.raises(InvariantError) as caught:
        list(state.keys.items())
    assert caught.value.code == "unflushed"
