"""The log takes in what breaks no rule, once, whole, and durably before it answers."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from ledger.entry.envelope import decode_entry
from ledger.entry.envelope import decode_event
from ledger.entry.envelope import event_hash
from ledger.entry.sign import SignedEvent
from ledger.entry.verify import key_id
from ledger.errors import ConflictError
from ledger.errors import HomeError
from ledger.errors import InvariantError
from ledger.errors import LedgerError
from ledger.errors import VerificationError
from ledger.events.identity import Accredit
from ledger.events.identity import PartyVerify
from ledger.log import Appended
from ledger.log import Log
from ledger.replay import Replay
from ledger.replay import State
from ledger.storage.memory import MemoryStore
from ledger.storage.sqlite import SqliteStore
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.merkle import leaf_hash
from tests.replay import acts
from tests.replay import everything
from tests.replay.making import refusal
from tests.replay.posted import postings
from tests.replay.world import START_MS
from tests.replay.world import STEP_MS
from tests.replay.world import World


@pytest.fixture
def world() -> World:
    """Everybody is there; nothing has been said yet."""
    return World()


def verify(world: World, name: str = "guest") -> PartyVerify:
    """Make a body that the operator may say once for each party."""
    return PartyVerify(party=getattr(world, name).party)


def tell(world: World, *names: str) -> list[SignedEvent]:
    """Sign events ahead that follow each other, as a device without a network does."""
    key = key_id(world.operator.sign.public)
    seq, prev = world.log.key_head(key)
    seen = world.log.head()
    signed = []
    for number, name in enumerate(names):
        event = world.event(
            world.operator,
            "party.verify",
            verify(world, name),
            seq=seq + number,
            prev=prev,
            seen=seen,
        )
        prev = event_hash(event.event)
        signed.append(event)
    return signed


def snapshot(world: World) -> tuple[int, bytes, bytes]:
    """Give what must not change when nothing is appended."""
    return (
        world.log.size,
        world.state.digest(),
        State("full", world.store.rows).digest(),
    )


def test_an_answer_is_index_and_leaf_hash(world: World) -> None:
    """The answer names the entry as it stands in the store."""
    size = world.log.size
    (signed,) = tell(world, "guest")
    answer = world.answer(signed)
    leaf = world.store.leaf(size)
    assert answer == Appended(size, leaf_hash(leaf), repeated=False)
    assert decode_entry(leaf).event == signed.event
    assert world.log.head() == (size, answer.leaf_hash)


def test_entries_are_chained_and_timed(world: World) -> None:
    """Each entry follows the one before it, at the log's time, which never falls."""
    entries = [decode_entry(leaf) for leaf in world.store.leaves(0, world.log.size)]
    hashes = [leaf_hash(leaf) for leaf in world.store.leaves(0, world.log.size)]
    assert [entry.index for entry in entries] == list(range(len(entries)))
    assert [entry.previous for entry in entries] == [bytes(32), *hashes[:-1]]
    times = [entry.time for entry in entries]
    assert times == sorted(times)
    assert times[0] > START_MS


def test_the_time_of_an_entry_never_falls(world: World) -> None:
    """A clock that was set back a little gives the time of the entry before."""
    before = world.state.last_time_ms
    world.now_ms -= 100 * STEP_MS
    world.operator.say("party.verify", verify(world))
    assert world.state.last_time_ms == before


@pytest.mark.parametrize(
    ("behind_ms", "code"), [(300_000, ""), (300_001, "clock-behind")]
)
def test_a_clock_may_fall_behind_by_five_minutes(
    world: World, behind_ms: int, code: str
) -> None:
    """Beyond that, the log refuses to run until its clock is set."""
    said = world.event(world.operator, "party.verify", verify(world), time=START_MS)
    world.now_ms = world.state.last_time_ms - behind_ms - STEP_MS
    if code:
        assert refusal(lambda: world.append(said)).code == code
    else:
        assert world.append(said) == world.log.size - 1


@pytest.mark.parametrize(
    ("ahead_ms", "code"), [(300_000, ""), (300_001, "event-time-ahead")]
)
def test_an_event_may_be_ahead_by_five_minutes(
    world: World, ahead_ms: int, code: str
) -> None:
    """Beyond that, its author's clock is wrong."""
    time_ms = world.now_ms + 2 * STEP_MS + ahead_ms
    said = world.event(world.operator, "party.verify", verify(world), time=time_ms)
    if code:
        assert refusal(lambda: world.append(said)).code == code
    else:
        assert world.append(said) == world.log.size - 1


def test_an_old_event_is_taken(world: World) -> None:
    """Events may wait for years before they are sent."""
    said = world.event(world.operator, "party.verify", verify(world), time=0)
    assert world.append(said) == world.log.size - 1


def test_a_refusal_leaves_nothing_behind(world: World) -> None:
    """Whatever is refused, store, state and derived tables stay as they were."""
    before = snapshot(world)
    error = refusal(lambda: world.guest.say("party.verify", verify(world)))
    assert error.code == "missing-role"
    assert snapshot(world) == before


def test_refused_lines_leave_nothing_behind(world: World) -> None:
    """The lines of a refused event are not kept."""
    assert isinstance(world.store, MemoryStore)
    before = dict(world.store._bundles)
    assert refusal(lambda: acts.catalogue(world, by=world.guest)).code == "missing-role"
    assert world.store._bundles == before


# ── the same event again ─────────────────────────────────────────────────────


def test_the_same_event_again_gets_its_first_index(world: World) -> None:
    """Whoever got no answer sends again, and learns where the event stands."""
    (signed,) = tell(world, "guest")
    first = world.answer(signed)
    world.accredit(world.guest, "auditor")
    again = world.answer(signed)
    assert again == msgspec.structs.replace(first, repeated=True)


def test_the_newest_event_again_gets_its_index(world: World) -> None:
    """The same holds for the newest entry, and within one batch."""
    (signed,) = tell(world, "guest")
    first, again = world.log.append([signed, signed])
    assert isinstance(first, Appended)
    assert again == msgspec.structs.replace(first, repeated=True)


def test_the_same_words_under_another_number_are_the_same_event(world: World) -> None:
    """An event signed again for its new place is not counted twice."""
    (signed,) = tell(world, "guest")
    first = world.append(signed)
    world.accredit(world.guest, "auditor")
    event_id = decode_event(signed.event).id
    again = world.event(world.operator, "party.verify", verify(world), id=event_id)
    assert again.event != signed.event
    assert world.append(again) == first


def test_the_same_words_under_another_key_are_the_same_event(world: World) -> None:
    """A key rotation between two attempts doubles nothing."""
    event_id = b"i" * 16
    body = verify(world)
    first = world.append(world.event(world.operator, "party.verify", body, id=event_id))
    fresh = SigningKey(b"fresh".ljust(32))
    world.add_key(world.operator, fresh, "sign")
    world.revoke(world.operator, world.operator.sign)
    again = world.event(world.operator, "party.verify", body, id=event_id, key=fresh)
    assert world.append(again) == first


def test_other_words_under_the_same_id_are_a_conflict(world: World) -> None:
    """Another body or another kind with an id that was used is refused."""
    (signed,) = tell(world, "guest")
    world.append(signed)
    event_id = decode_event(signed.event).id
    for kind, body in [
        ("party.verify", verify(world, "lab")),
        ("accredit", Accredit(action="grant", party=world.guest.party, role="lab")),
        ("acknowledge", verify(world, "guest")),
    ]:
        other = world.event(world.operator, kind, body, id=event_id)
        error = refusal(lambda other=other: world.append(other))  # type: ignore[misc]
        assert isinstance(error, ConflictError)
        assert error.code == "id-conflict"


def test_ids_are_each_authors_own(world: World) -> None:
    """Two authors may use one id."""
    first = world.event(world.operator, "party.verify", verify(world), id=b"i" * 16)
    world.append(first)
    body = acts.scheme_body()
    second = world.event(world.society, "scheme", body, id=b"i" * 16)
    assert world.append(second) == world.log.size - 1


# ── batches ──────────────────────────────────────────────────────────────────


def test_a_batch_signed_ahead_is_taken_in_order(world: World) -> None:
    """Events of one chain, signed before the first was sent, are appended at once."""
    size = world.log.size
    answers = world.log.append(tell(world, "guest", "lab", "society"), atomic=True)
    indexes = [answer.index for answer in answers if isinstance(answer, Appended)]
    assert indexes == [size, size + 1, size + 2]


def test_an_atomic_batch_is_all_or_nothing(world: World) -> None:
    """If one of them is refused, none is appended, and the queue can be mended."""
    before = snapshot(world)
    good, bad = tell(world, "guest", "guest")
    with pytest.raises(ConflictError) as caught:
        world.log.append([good, bad], atomic=True)
    assert (caught.value.code, caught.value.position) == ("already-verified", 1)
    assert snapshot(world) == before
    assert world.append(good) == world.log.size - 1


def test_one_event_alone_has_no_place_in_a_batch(world: World) -> None:
    """Nor has what a home refuses whichever event it is; a bad signature has."""
    good, other = tell(world, "guest", "lab")
    bad = SignedEvent(other.event, bytes(64))
    for events, position in (([bad], None), ([good, bad], 1), ([bad, good], 0)):
        with pytest.raises(VerificationError) as refused:
            world.log.append(events, atomic=True)
        assert refused.value.position == position
    world.now_ms = world.state.last_time_ms - 400_000
    with pytest.raises(HomeError) as home:
        world.log.append([good, other], atomic=True)
    assert (home.value.code, home.value.position) == ("clock-behind", None)


def test_a_loose_batch_answers_for_each(world: World) -> None:
    """Otherwise each event stands for itself, and gets its own answer."""
    good, bad, lost = tell(world, "guest", "guest", "lab")
    stray = world.event(world.guest, "party.verify", verify(world, "lab"))
    answers = world.log.append([good, bad, stray, lost])
    codes = [a.code if isinstance(a, LedgerError) else "" for a in answers]
    assert codes == ["", "already-verified", "missing-role", "out-of-sequence"]
    assert world.log.size == World().log.size + 1


# ── failures ─────────────────────────────────────────────────────────────────


def failing(store: MemoryStore, name: str, error: Exception) -> None:
    """Make a method of a store fail."""

    def fail(*_: object) -> None:
        raise error

    setattr(store, name, fail)


@pytest.mark.parametrize(
    "name", ["add_entries", "add_postings", "add_mentions", "commit"]
)
@pytest.mark.parametrize(
    "error",
    [
        ConflictError("already-stored", "twice"),
        HomeError("disk-full", "no room"),
        InvariantError("hash-length", "a bug"),
        OSError("gone"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_failing_store_ends_the_batch(
    world: World, name: str, error: Exception
) -> None:
    """A failure is never taken for a refusal, and the log goes on as if nothing was."""
    before = snapshot(world)
    (signed,) = tell(world, "guest")
    store = world.store
    assert isinstance(store, MemoryStore)
    failing(store, name, error)
    with pytest.raises(type(error)):
        world.log.append([signed])
    delattr(store, name)
    assert snapshot(world) == before
    assert world.append(signed) == before[0]


def test_a_failing_store_keeps_no_lines(world: World) -> None:
    """Lines stored before the failure go with it."""
    assert isinstance(world.store, MemoryStore)
    before = dict(world.store._bundles)
    failing(world.store, "add_manifest", HomeError("disk-full", "no room"))
    with pytest.raises(HomeError):
        acts.catalogue(world)
    assert world.store._bundles == before


def test_a_bug_of_ours_is_no_refusal(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broken invariant stops the log rather than be answered to an author."""

    def broken(*_: object) -> None:
        raise InvariantError("books-disagree", "a bug")

    monkeypatch.setattr(Replay, "judge", broken)
    (signed,) = tell(world, "guest")
    with pytest.raises(InvariantError):
        world.log.append([signed])


# ── what a log is opened on ──────────────────────────────────────────────────


def test_a_log_opened_again_goes_on(world: World) -> None:
    """State comes from the derived tables, without a replay."""
    other = Log(world.store, world.clock)
    assert other.size == world.log.size
    assert other.head() == world.log.head()
    (signed,) = tell(world, "guest")
    (answer,) = other.append([signed])
    assert isinstance(answer, Appended)


def test_a_log_on_disk_is_the_same_log(tmp_path: Path) -> None:
    """SQLite and memory hold the same entries, hashes, states and derived rows."""
    (tmp_path / "home").mkdir()
    store = SqliteStore.create(tmp_path / "home")
    on_disk, in_memory = World(store), World()
    for world in (on_disk, in_memory):
        everything.tell(world)
    size = in_memory.log.size
    assert list(store.leaves(0, size)) == list(in_memory.store.leaves(0, size))
    assert on_disk.state.digest() == in_memory.state.digest()
    assert list(store.postings()) == list(in_memory.store.postings())
    store.close()
    again = SqliteStore.open(tmp_path / "home")
    assert Log(again, in_memory.clock).state.digest() == in_memory.state.digest()
    again.close()


def test_derived_postings_explain_every_balance() -> None:
    """The legs of a party, and of a recording in suspense, add up to its balance."""
    world = everything.tell(World())
    sums: dict[tuple[bytes, str, object, str], int] = {}
    for row in world.store.postings():
        key = row.society, row.account_type, row.subject, row.currency
        sums[key] = sums.get(key, 0) + row.amount
    types = {type_ for _, type_, _, _ in sums}
    assert types == {"payable", "prepaid", "receivable", "suspense"}
    assert {key: amount for key, amount in sums.items() if amount} == {
        (society, type_, msgspec.msgpack.encode(subject), currency): amount
        for (society, _, type_, subject, currency), amount in (
            world.state.accounts.items()
        )
        if type_ in types
    }


def test_derived_postings_are_those_of_replay() -> None:
    """A leg stands where the entry posts it, with its account and its amount."""
    world = everything.tell(World())
    rows, posted = list(world.store.postings()), postings(world.store)
    assert len(rows) > 20
    for row in rows:
        leg = posted[row.entry_index][row.leg]
        of = (row.society, row.account_type, row.subject, row.currency)
        subject = msgspec.msgpack.encode(leg.subject)
        assert (leg.society, leg.type, subject, leg.currency) == of
        assert (leg.amount, leg.line) == (row.amount, row.line)
