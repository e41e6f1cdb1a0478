"""One writer behind a queue: durable before answered, whatever comes at once."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ledger.entry.sign import SignedEvent
from ledger.errors import ConflictError
from ledger.errors import HomeError
from ledger.errors import InvariantError
from ledger.errors import LedgerError
from ledger.errors import VerificationError
from ledger.home import Home
from ledger.intake import Intake
from ledger.log import Appended
from ledger.publish import published_checkpoint
from ledger.staging import Staged
from ledger.storage.sqlite_errors import explain_commit
from ledger.writer import Writer
from tests.cli.conftest import Town
from tests.intake.places import Speaker
from tests.intake.places import found
from tests.intake.places import log_key


def indexes(answers: list[Appended | LedgerError]) -> list[int]:
    assert all(isinstance(each, Appended) for each in answers), answers
    return [each.index for each in answers if isinstance(each, Appended)]


def test_requests_at_once_share_transactions(tmp_path: Path) -> None:
    """Four labs that send at once get places of their own, in fewer commits."""
    labs = [f"lab{number}" for number in range(4)]
    town = found(tmp_path, *labs)
    speakers = [Speaker(town, name) for name in labs]
    events = [speaker.versions(30) for speaker in speakers]
    with Writer(Home(town.home)) as writer:
        commits = count_commits(writer)
        before = writer.log.size
        with Intake(writer, [log_key(town)]) as intake:
            start = threading.Barrier(4)

            def send(chain: list[SignedEvent]) -> list[int]:
                start.wait()
                return [indexes(intake.append([each]))[0] for each in chain]

            with ThreadPoolExecutor(4) as pool:
                places = list(pool.map(send, events))
        for chain in places:
            assert chain == sorted(chain)
        every = sorted(index for chain in places for index in chain)
        assert every == list(range(before, before + 120))
        assert commits[0] < 120
    assert town.run("audit").code == 0


def count_commits(writer: Writer) -> list[int]:
    counted = [0]
    commit = writer.store.commit

    def counting() -> None:
        counted[0] += 1
        commit()

    writer.store.commit = counting  # type: ignore[method-assign]
    return counted


def test_each_stands_for_itself(intake: Intake, town: Town) -> None:
    """A refusal in a batch is an answer in its place; the others stand."""
    first, second = Speaker(town, "lab").versions(2)
    broken = SignedEvent(Speaker(town, "other").version().event, bytes(64))
    answers = intake.append([first, broken, second])
    assert isinstance(answers[1], VerificationError)
    size = town.size
    assert indexes([answers[0], answers[2]]) == [size - 2, size - 1]


def test_all_or_none_leaves_nothing(intake: Intake, town: Town) -> None:
    """An atomic batch with one refusal changes nothing, and says which rule it was."""
    speaker, size = Speaker(town, "lab"), town.size
    events = speaker.versions(3)
    gap = [events[0], events[2]]
    with pytest.raises(LedgerError) as refused:
        intake.append(gap, atomic=True)
    assert not isinstance(refused.value, HomeError)
    assert town.size == size
    assert indexes(intake.append(events, atomic=True)) == [size, size + 1, size + 2]


def test_the_refusal_of_a_single_event_is_raised_if_atomic(
    intake: Intake, town: Town
) -> None:
    """All or none of one event is that event, refused as a whole."""
    event = Speaker(town, "lab").version()
    with pytest.raises(VerificationError):
        intake.append([SignedEvent(event.event, bytes(64))], atomic=True)


def test_the_same_bytes_again_are_harmless(intake: Intake, town: Town) -> None:
    """Sent again, an event is answered with its first index, and nothing is added."""
    event = Speaker(town, "lab").version()
    (first,) = intake.append([event])
    (again,) = intake.append([event])
    assert isinstance(first, Appended)
    assert isinstance(again, Appended)
    assert again == Appended(first.index, first.leaf_hash, repeated=True)
    assert town.size == first.index + 1


def test_an_id_with_another_content_is_a_conflict(intake: Intake, town: Town) -> None:
    """An id that says something else is refused, in a batch as alone."""
    speaker = Speaker(town, "lab")
    first, other = speaker.version(b"i" * 16), speaker.version(b"i" * 16)
    answers = intake.append([first, other])
    assert isinstance(answers[1], ConflictError)


def test_lines_are_dropped_with_their_event(intake: Intake, town: Town) -> None:
    """A manifest waits for its event, and goes once that stands."""
    speaker = Speaker(town, "operator")
    with Staged() as staged:
        event = speaker.parties(staged, 600)
        (missing,) = intake.append([event])
        assert isinstance(missing, LedgerError)
        assert missing.code == "manifest-lines-missing"
        put(intake, staged, event)
    assert len(intake.uploads) == 1
    indexes(intake.append([event]))
    assert len(intake.uploads) == 0


def put(intake: Intake, staged: Staged, event: SignedEvent) -> None:
    from io import BytesIO

    from ledger.intake import _roots

    for root in _roots(event):
        data = b"".join(staged.bundles(root))
        intake.uploads.take(root, BytesIO(data), len(data))


def test_it_publishes_now_and_then_and_at_the_end(town: Town, writer: Writer) -> None:
    """A checkpoint at once, then at most one a second, and the last at the end."""
    sizes: list[int] = []
    speaker = Speaker(town, "lab")
    size = town.size
    with Intake(writer, [log_key(town)], on_published=sizes.append) as intake:
        begun = time.monotonic()
        for event in speaker.versions(40):
            intake.append([event])
        passed = time.monotonic() - begun
        assert intake.wait_published(size + 39, 10)
        assert not intake.wait_published(size + 40, 0.01)
    assert sizes[-1] == size + 40
    assert sizes == sorted(sizes)
    assert len(sizes) <= passed + 3
    checkpoint = (town.home / "public" / "checkpoint").read_text()
    assert checkpoint.splitlines()[1] == str(size + 40)


def fail_once(writer: Writer, error: LedgerError) -> None:
    """Let the next transaction fail before anything is stored."""
    begin = writer.store.begin

    def failing() -> None:
        writer.store.begin = begin  # type: ignore[method-assign]
        raise error

    writer.store.begin = failing  # type: ignore[method-assign]


def test_what_passes_does_not_end_it(
    intake: Intake, writer: Writer, town: Town
) -> None:
    """A busy store refuses the request, and the same events go in after it."""
    event = Speaker(town, "lab").version()
    fail_once(writer, HomeError("store-busy", "busy"))
    with pytest.raises(HomeError, match="busy"):
        intake.append([event])
    indexes(intake.append([event]))


@pytest.mark.parametrize(
    "error", [InvariantError("x", "a bug"), HomeError("store-unreadable", "EIO")]
)
def test_what_does_not_pass_ends_it(
    error: LedgerError, town: Town, writer: Writer
) -> None:
    """After a bug of ours or a failing disk nothing more is taken."""
    ended = threading.Event()
    intake = Intake(writer, [log_key(town)], on_failure=ended.set)
    fail_once(writer, error)
    event = Speaker(town, "lab").version()
    with pytest.raises(type(error)):
        intake.append([event])
    assert ended.wait(10)
    with pytest.raises(HomeError) as refused:
        intake.append([event])
    assert refused.value.code == "intake-ended"
    with pytest.raises(type(error)):
        intake.close()


def test_nobody_is_left_waiting(
    town: Town, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure answers those at hand after it, and those in the queue."""
    intake = Intake(writer, [log_key(town)])
    append, begun, go_on = writer.log.append, threading.Event(), threading.Event()

    def waiting(*given: Any, atomic: bool) -> list[Appended | LedgerError]:  # noqa: ANN401
        begun.set()
        assert go_on.wait(10)
        if atomic:
            raise HomeError("store-unreadable", "EIO")
        return append(*given)

    monkeypatch.setattr(writer.log, "append", waiting)
    first, *rest = Speaker(town, "lab").versions(4)
    with ThreadPoolExecutor(3) as pool:
        taken = pool.submit(intake.append, [first])
        assert begun.wait(10)
        failing = pool.submit(intake.append, rest[:2], atomic=True)
        while intake._jobs.qsize() < 1:
            time.sleep(0.001)
        after = pool.submit(intake.append, rest[2:])
        while intake._jobs.qsize() < 2:
            time.sleep(0.001)
        go_on.set()
        indexes(taken.result(10))
        with pytest.raises(HomeError, match="EIO"):
            failing.result(10)
        with pytest.raises(HomeError, match="not appended"):
            after.result(10)
    with pytest.raises(HomeError, match="EIO"):
        intake.close()


def test_a_commit_of_unknown_fate_ends_it_and_poisons(town: Town) -> None:
    """Who waits is told that it is unknown; the home refuses until a restart."""
    import sqlite3

    speaker = Speaker(town, "lab")

    def commit() -> None:
        raise writer.store._fail(explain_commit(sqlite3.OperationalError("EIO")))

    key = log_key(town)
    with (  # noqa: PT012 (what is raised comes from the context)
        pytest.raises(HomeError) as ended,
        Writer(Home(town.home)) as writer,
        Intake(writer, [key]) as intake,
    ):
        writer.store.commit = commit  # type: ignore[method-assign]
        events = speaker.versions(2)
        for _ in range(2):
            with pytest.raises(HomeError) as told:
                intake.append(events)
            assert told.value.code in {"commit-unknown", "intake-ended"}
            assert "send" in told.value.message + told.value.hint
    assert ended.value.code == "commit-unknown"
    assert (town.home / "poisoned").exists()
    with pytest.raises(HomeError, match="not to be trusted"):
        Writer(Home(town.home))


def test_too_many_at_once_are_told_to_come_again(
    intake: Intake, writer: Writer, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full queue refuses rather than grow."""
    monkeypatch.setattr("ledger.intake.WAITING_MAX", 0)
    event = Speaker(town, "lab").version()
    with pytest.raises(HomeError) as refused:
        intake.append([event])
    assert refused.value.code == "intake-full"


def test_what_waits_at_the_end_is_appended(town: Town, writer: Writer) -> None:
    """Closing takes in what came before it, and nothing after."""
    intake = Intake(writer, [log_key(town)])
    slow, go_on = threading.Event(), threading.Event()
    begin = writer.store.begin

    def waiting() -> None:
        slow.set()
        assert go_on.wait(10)
        begin()

    writer.store.begin = waiting  # type: ignore[method-assign]
    speaker = Speaker(town, "lab")
    first, second = speaker.versions(2)
    with ThreadPoolExecutor(3) as pool:
        taken = pool.submit(intake.append, [first])
        assert slow.wait(10)
        queued = pool.submit(intake.append, [second])
        while intake._jobs.qsize() == 0:
            time.sleep(0.001)
        closed = pool.submit(intake.close)
        while not intake._ended:
            time.sleep(0.001)
        go_on.set()
        places = indexes(taken.result(10)) + indexes(queued.result(10))
        closed.result(10)
    assert places == [town.size - 2, town.size - 1]
    with pytest.raises(HomeError) as refused:
        intake.append([first])
    assert refused.value.code == "intake-ended"
    published = published_checkpoint(writer.store)
    assert published is not None
    assert published.size == town.size
