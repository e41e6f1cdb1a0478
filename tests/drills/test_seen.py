"""A writer asks witnesses at its start: they know what a backup cannot set back."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ledger.anchor import VARIABLE
from ledger.asking import Asker
from ledger.asking import ask_witnesses
from ledger.asking import standings
from ledger.backup import back_up
from ledger.entry.sign import SignedEvent
from ledger.errors import FormatError
from ledger.errors import HomeError
from ledger.home import Home
from ledger.intake import Intake
from ledger.published import put_checkpoint
from ledger.restore import catch_up
from ledger.storage.sqlite import SqliteStore
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.note import make_vkey
from ledger.witness.cosigning import Witness
from ledger.witness.folder import add_log
from ledger.witness.folder import found_witness
from ledger.witnessing import Gathered
from ledger.witnessing import check_seen
from ledger.witnessing import gather
from ledger.witnessing import read_policy
from ledger.writer import Writer
from ledger.writer import open_reader
from tests.drills.places import ORIGIN
from tests.drills.places import anchored
from tests.drills.places import audit
from tests.drills.places import grow
from tests.drills.places import log_key
from tests.drills.places import say
from tests.drills.places import size_of
from tests.witness.servers import answering
from tests.witness.servers import behaving
from tests.witness.servers import dead_port
from tests.witness.servers import serving

PARTS = ("home", "anchors")


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    """A witness that knows no log yet."""
    key, folder = SigningKey(bytes([7] * 32)), tmp_path / "witness"
    found_witness(folder, "w.example", key.public)
    return Witness(folder, key)


@pytest.fixture
def name(home: Home, witness: Witness) -> Callable[[str], None]:
    """Name the witness, at some address, in the policy of the home."""
    vkey = (witness.folder / "vkey").read_text(encoding="utf-8").strip()

    def write(url: str) -> None:
        text = f"witness w {vkey} {url}\nquorum w\n"
        (home.path / "policy").write_text(text, encoding="utf-8")

    return write


@pytest.fixture
def url(home: Home, witness: Witness, name: Callable[[str], None]) -> Iterator[str]:
    """The address of the witness, which knows the log and is in its policy."""
    add_log(witness.folder, make_vkey(ORIGIN, log_key(home).public))
    with serving(witness) as address:
        name(address)
        yield address


def keep(tmp_path: Path, where: str) -> None:
    """Copy home and anchor aside, as a backup of the whole machine does."""
    for part in PARTS:
        shutil.copytree(tmp_path / part, tmp_path / where / part)


def set_back(tmp_path: Path, where: str) -> None:
    """Put both back as they were."""
    for part in PARTS:
        shutil.rmtree(tmp_path / part)
        shutil.copytree(tmp_path / where / part, tmp_path / part)


def cosigned(home: Home) -> None:
    """Let the witness cosign what is published."""
    ask_witnesses(home)


def refusal(home: Home) -> str:
    """Give the code by which a home refuses to be written to."""
    with pytest.raises(HomeError) as error:
        Writer(home)
    assert error.value.exit_code == 8
    assert error.value.hint
    return error.value.code


@pytest.mark.usefixtures("url")
def test_a_home_set_back_together_with_its_anchor_is_refused(
    home: Home, tmp_path: Path
) -> None:
    """Nothing on this machine knows better; the witness does, and restore leads out."""
    grow(home)
    cosigned(home)
    keep(tmp_path, "monday")
    grow(home, 2)
    cosigned(home)
    shutil.copytree(home.public, tmp_path / "mirror")
    set_back(tmp_path, "monday")
    assert audit(home).exit_code == 0
    before = size_of(home)
    for _ in range(2):
        assert refusal(home) == "behind-witness"
    assert size_of(home) == before
    assert catch_up(home, str(tmp_path / "mirror")) == (5, 2)
    assert grow(home) == 6


@pytest.mark.usefixtures("url")
def test_a_witness_that_is_behind_shuts_nothing(home: Home) -> None:
    """It cosigned less, or nothing yet: the home is open, and stays open."""
    assert grow(home) == 3
    cosigned(home)
    assert grow(home, 3) == 6
    assert grow(home) == 7


@pytest.mark.parametrize("more", [0, 2])
@pytest.mark.usefixtures("url")
def test_another_history_is_refused(home: Home, tmp_path: Path, more: int) -> None:
    """A copy that grew another way, to the size that was cosigned or beyond."""
    keep(tmp_path, "monday")
    grow(home, 2)
    cosigned(home)
    set_back(tmp_path, "monday")
    policy = (home.path / "policy").read_bytes()
    (home.path / "policy").unlink()
    grow(home, 2 + more)
    (home.path / "policy").write_bytes(policy)
    assert refusal(home) == "witness-differs"


@pytest.mark.usefixtures("url")
def test_entries_that_nobody_signed_here_do_not_count(
    home: Home, tmp_path: Path
) -> None:
    """A home set back may hold as many entries again: what counts is what was signed.

    Whether they are those that the witness saw nobody can tell from its size.
    """
    with Writer(home) as writer:
        say(writer, "acknowledged")
        keep(tmp_path, "monday")
        say(writer, "more")
        writer.publish(log_key(home))
    cosigned(home)
    shutil.copytree(home.public, tmp_path / "mirror")
    set_back(tmp_path, "monday")
    with closing(SqliteStore.open(home.path)) as store:
        assert store.size() == 3
    policy = (home.path / "policy").read_bytes()
    (home.path / "policy").unlink()
    with Writer(home) as writer:
        say(writer, "another")
        assert writer.log.size == 4
    (home.path / "policy").write_bytes(policy)
    assert refusal(home) == "behind-witness"


@pytest.mark.usefixtures("url")
def test_a_crash_before_publishing_was_noted_shuts_nothing(
    home: Home, tmp_path: Path
) -> None:
    """Readers brought the witness what the store does not know to be published yet."""
    with Writer(home) as writer:
        say(writer, "more")
        keep(tmp_path, "before")
        writer.publish(log_key(home))
    cosigned(home)
    after = (home.public / "checkpoint").read_text(encoding="utf-8")
    text = anchored(home).read()
    set_back(tmp_path, "before")
    assert text is not None
    anchored(home).swap(anchored(home).read(), text)
    put_checkpoint(home.public, after)
    assert grow(home) == 4


def test_a_silent_witness_is_told_and_stops_nothing(
    home: Home,
    name: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Dead, slow, unwilling or talking nonsense: a warning, and the run goes on."""
    monkeypatch.setattr("ledger.witnessing.seen.SECONDS", 0.5)
    name(dead_port())
    size = grow(home)
    for behaviour in (
        lambda _: time.sleep(5.0),
        answering("403 Forbidden", b"log-unknown\n"),
        answering("409 Conflict", b"many\n"),
        answering("200 OK", b"\xff"),
    ):
        with behaving(behaviour) as url:
            name(url)
            caplog.clear()
            started = time.monotonic()
            assert grow(home) == size + 1
            assert time.monotonic() - started < 4.0
            assert "witness w does not say what it saw last" in caplog.text
        size += 1


def counting(asked: list[int]) -> Callable[[object], None]:
    """Note each question, and give no answer."""
    return lambda _: asked.append(1)


def test_who_only_reads_asks_nobody(
    home: Home, name: Callable[[str], None], tmp_path: Path
) -> None:
    """Reading, auditing and copying are no business of a witness; writing is."""
    asked: list[int] = []
    with behaving(counting(asked)) as url:
        name(url)
        open_reader(home).close()
        audit(home)
        back_up(home, tmp_path / "backup", keys=False)
        assert not asked
        Writer(home).close()
        assert asked


def test_nobody_is_asked_with_another_logs_checkpoint(
    home: Home, name: Callable[[str], None]
) -> None:
    """Witnesses may have more of a log that this one succeeds: that is why it does."""
    asked: list[int] = []
    with (
        behaving(counting(asked)) as url,
        closing(SqliteStore.open(home.path, read_only=True)) as store,
    ):
        name(url)
        check_seen(home, store, Checkpoint("successor.example", 1, bytes(32)))
        check_seen(home, store, None)
        assert not asked
        check_seen(home, store, anchored(home).checkpoint())
        assert asked


def test_a_policy_that_is_none_shuts_the_home_before_anything_happens(
    home: Home,
) -> None:
    """Which line of which file is wrong is said; mended, the home opens again."""
    path, size = home.path / "policy", size_of(home)
    path.write_bytes(b"# d\xe9j\xe0 vu\nwitness w\nquorum w\n")
    with pytest.raises(FormatError) as error:
        grow(home)
    assert error.value.code == "bad-policy"
    assert f"{path}: line 2 of the policy" in error.value.message
    assert size_of(home) == size
    path.write_bytes(b"# d\xe9j\xe0 vu\nquorum none\n")
    assert grow(home) == size + 1


def test_an_old_backups_own_anchor_is_not_enough(
    home: Home, tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On another machine as well, with the anchor brought along."""
    assert url
    keep(tmp_path, "elsewhere")
    grow(home)
    cosigned(home)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "elsewhere" / "anchors"))
    assert refusal(Home(tmp_path / "elsewhere" / "home")) == "behind-witness"


def test_a_server_ends_when_a_witness_speaks_at_last(
    home: Home, tmp_path: Path, url: str, name: Callable[[str], None]
) -> None:
    """Silent at the start, it denies the log later: nothing is taken any more."""
    keep(tmp_path, "monday")
    grow(home)
    cosigned(home)
    set_back(tmp_path, "monday")
    name(dead_port())
    size = size_of(home)
    with Writer(home) as writer:
        intake = Intake(writer, [log_key(home)])
        with Asker(home, on_denial=intake.end) as asker:
            name(url)
            for _ in range(100):
                asker.wake()  # a round may still wait for the dead one
                if intake.wait_published(size, 0.2):  # true as well once it has ended
                    break
            with pytest.raises(HomeError) as refused:
                intake.append([SignedEvent(b"x", bytes(64))])
        with pytest.raises(HomeError) as denied:
            intake.close()
    assert refused.value.code == "intake-ended"
    assert denied.value.code == "behind-witness"
    assert (size_of(home), refusal(home)) == (size, "behind-witness")


@pytest.mark.usefixtures("url")
def test_asking_for_cosignatures_tells_a_denial_too(home: Home, tmp_path: Path) -> None:
    """`witness ask` and receipts go the same way; what was said is kept."""
    keep(tmp_path, "monday")
    grow(home)
    cosigned(home)
    set_back(tmp_path, "monday")
    with pytest.raises(HomeError) as denied:
        ask_witnesses(home)
    assert denied.value.code == "behind-witness"
    policy = read_policy(home)
    assert policy is not None
    (standing,) = standings(home, policy)
    assert standing.said is not None
    assert (standing.said.code, standing.said.size) == ("witness-ahead", 3)


@pytest.mark.usefixtures("url")
def test_a_round_that_was_overtaken_denies_nothing(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one round waits, the log grows and another has the witness cosign that."""
    overtaken: list[int] = []

    def overtake(*args: Any, **options: Any) -> Gathered:  # noqa: ANN401
        if not overtaken:
            overtaken.append(1)
            grow(home)
            cosigned(home)
        return gather(*args, **options)

    monkeypatch.setattr("ledger.asking.round.gather", overtake)
    gathered = ask_witnesses(home)
    assert gathered is not None
    assert gathered.outcomes["w"].code == "witness-ahead"
