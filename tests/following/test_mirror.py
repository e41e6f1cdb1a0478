"""A mirror holds what the log signed, all of it, and its checkpoint comes last."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger import mirror as mirroring
from ledger.anchor import Anchor
from ledger.audit import Audit
from ledger.errors import HomeError
from ledger.errors import LedgerError
from ledger.errors import UnverifiableError
from ledger.errors import VerificationError
from ledger.events.identity import Party
from ledger.mirror import Mirror
from ledger.mirror import Mirrored
from ledger.placing import File
from ledger.placing import put_files
from ledger.publish import publish
from ledger.reader import open_source
from ledger.tlog.note import make_vkey
from tests.following.conftest import Server
from tests.following.served import VKEY as FIRST_VKEY
from tests.following.served import Served
from tests.following.served import publish_anyhow
from tests.replay import acts
from tests.replay import rotation
from tests.replay.making import ORIGIN as WORLD_ORIGIN
from tests.replay.making import holder
from tests.replay.making import party_id
from tests.replay.making import signing_key
from tests.replay.world import World
from tests.synthetic import LOG_KEY
from tests.synthetic import VKEY
from tests.synthetic import Synthetic

Serve = Callable[[Path], Server]


@pytest.fixture
def log(tmp_path: Path) -> Synthetic:
    """A log of 600 entries, published."""
    log = Synthetic()
    log.grow(600)
    log.publish(tmp_path / "public")
    return log


@pytest.fixture
def server(log: Synthetic, tmp_path: Path, serve: Serve) -> Server:
    return serve(tmp_path / "public")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return tmp_path / "copy"


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def run(server: Server, folder: Path) -> Mirrored:
    return Mirror(open_source(server.url), [VKEY], folder).copy()


def refusal(server: Server, folder: Path) -> LedgerError:
    with pytest.raises(LedgerError) as caught:
        run(server, folder)
    return caught.value


def test_a_mirror_has_the_same_files(server: Server, copy: Path) -> None:
    """Byte for byte, at the same paths, and nothing else; a mirror can be mirrored."""
    done = run(server, copy)
    assert (done.checkpoint.size, done.old_size) == (600, 0)
    assert files(copy) == files(server.folder)
    Mirror(open_source(str(copy)), [VKEY], copy.with_name("third")).copy()
    assert files(copy.with_name("third")) == files(server.folder)


def test_a_real_log_passes_the_audit_from_its_mirror(
    tmp_path: Path, serve: Serve, copy: Path
) -> None:
    """Plain manifests come along, sealed ones do not, and every file holds."""
    world = World()
    public = tmp_path / "public"
    public.mkdir()
    vkey = make_vkey(WORLD_ORIGIN, LOG_KEY.public)

    def grow() -> None:
        publish(world.store, public, WORLD_ORIGIN, [LOG_KEY], Anchor(tmp_path / "a"))

    grow()
    server = serve(public)
    done = Mirror(open_source(server.url), [vkey], copy).copy()
    assert done.manifests == len(list(world.state.manifests.items())) > 0
    assert files(copy) == files(public)
    for _ in range(300):
        world.society.say("scheme", acts.scheme_body())
    grow()
    done = Mirror(open_source(server.url), [vkey], copy).copy()
    assert done.manifests == 0
    assert files(copy) == files(public)
    assert Audit(world.store, copy, workers=0).run().exit_code == 0


def test_only_what_is_new_is_fetched(
    log: Synthetic, server: Server, copy: Path
) -> None:
    """A mirror that goes on reads neither full bundles again nor tiles of level 0."""
    run(server, copy)
    server.asked.clear()
    run(server, copy)
    assert [path for path in server.asked if "entries" in path] == []
    log.grow(700)
    log.publish(server.folder)
    server.asked.clear()
    done = run(server, copy)
    assert (done.old_size, done.checkpoint.size) == (600, 700)
    bundles = [path for path in server.asked if "entries" in path]
    assert bundles == ["tile/entries/002.p/188"]
    assert files(server.folder).items() <= files(copy).items() | {
        ("checkpoint", (server.folder / "checkpoint").read_bytes())
    }


@pytest.mark.parametrize("after", [0, 1, 3])
def test_an_interrupted_copy_goes_on(
    after: int, server: Server, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until all is there it has no checkpoint; what is there is not fetched again."""
    monkeypatch.setattr(mirroring, "TOGETHER_FILES", 1)
    left = iter(range(after))

    def put(public: Path, lot: list[File]) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        put_files(public, lot)

    with monkeypatch.context() as patch:
        patch.setattr(mirroring, "put_files", put)
        with pytest.raises(KeyboardInterrupt):
            run(server, copy)
    there = files(copy)
    assert len(there) == after
    assert "checkpoint" not in there
    server.asked.clear()
    run(server, copy)
    assert files(copy) == files(server.folder)
    assert not {p for p in there if "entries" in p} & set(server.asked)


@pytest.mark.parametrize(
    "path",
    [
        "tile/entries/000",
        "tile/entries/002.p/88",
        "tile/0/002.p/88",
        "tile/1/000.p/2",
        "checkpoint",
    ],
)
def test_an_altered_file_is_refused(path: str, server: Server, copy: Path) -> None:
    """Whatever the server changes, the copy ends without a checkpoint."""
    server.alter = lambda asked, data: (
        data[:-5] + bytes([data[-5] ^ 1]) + data[-4:] if asked == path else data
    )
    assert isinstance(refusal(server, copy), VerificationError)
    assert not (copy / "checkpoint").exists()
    altered = (server.folder / path).read_bytes()
    assert files(copy).get(path, altered) == altered
    server.alter = lambda _, data: data
    run(server, copy)
    assert files(copy) == files(server.folder)


def test_a_missing_file_is_not_passed_over(server: Server, copy: Path) -> None:
    """A copy is whole or has no checkpoint."""
    server.alter = lambda path, data: None if "entries/001" in path else data
    error = refusal(server, copy)
    assert isinstance(error, UnverifiableError)
    assert error.code == "not-found"
    assert not (copy / "checkpoint").exists()


def test_another_story_does_not_come_in(server: Server, copy: Path) -> None:
    """After a fork or a rollback, signed or not, the copy stays as it was."""
    run(server, copy)
    before = files(copy)
    for seed, size, code in (
        (2, 700, "fork"),
        (2, 600, "fork"),
        (1, 599, "rolled-back"),
    ):
        other = Synthetic(seed)
        other.grow(size)
        folder = server.folder.with_name(f"other-{seed}-{size}")
        other.publish(folder)
        server.folder = folder
        assert refusal(server, copy).code == code
        assert files(copy) == before


def test_damage_in_the_copy_is_named(server: Server, copy: Path) -> None:
    """What was written once is not written over: somebody has to look."""
    run(server, copy)
    (copy / "checkpoint").unlink()
    (copy / "tile/0/000").write_bytes(b"other")
    error = refusal(server, copy)
    assert (type(error), error.code) == (HomeError, "published-differs")
    (copy / "checkpoint").write_text("nonsense")
    assert refusal(server, copy).code == "not-a-mirror"


def test_what_a_finished_copy_lost_is_fetched_again(server: Server, copy: Path) -> None:
    """Whether it grows or not: lost, damaged, or cut; nothing else is fetched."""
    run(server, copy)
    whole = files(copy)
    shutil.rmtree(copy / "tile/entries")
    assert run(server, copy).repaired == 3
    assert files(copy) == whole
    for path in ("tile/entries/001", "tile/entries/002.p/88", "tile/0/000", "tile/1"):
        place = copy / path
        if place.is_dir():
            shutil.rmtree(place)
        else:
            data = place.read_bytes()
            place.write_bytes(data[:-5] + bytes([data[-5] ^ 1]) + data[-4:])
        server.asked.clear()
        assert run(server, copy).repaired == 1
        assert files(copy) == whole
        assert not [p for p in server.asked if "entries" in p and p != path]
    assert run(server, copy).repaired == 0


def test_new_cosignatures_come_along(server: Server, copy: Path) -> None:
    """The same text with more signatures under it is still the newest checkpoint."""
    run(server, copy)
    path = server.folder / "checkpoint"
    line = f"— witness.example/w {'A' * 92}\n"
    path.write_text(path.read_text(encoding="utf-8") + line, encoding="utf-8")
    run(server, copy)
    assert (copy / "checkpoint").read_text(encoding="utf-8").endswith(line)


def test_files_come_several_at_once(log: Synthetic, server: Server, copy: Path) -> None:
    """A server that takes its time is not waited for file by file."""
    log.grow(256 * 20)
    log.publish(server.folder)
    waiting: set[str] = set()
    most = 0

    def slow(path: str, data: bytes) -> bytes:
        nonlocal most
        waiting.add(path)
        most = max(most, len(waiting))
        time.sleep(0.05)
        waiting.discard(path)
        return data

    server.alter = slow
    run(server, copy)
    assert most >= 8


def test_manifests_come_several_at_once(
    tmp_path: Path, serve: Serve, copy: Path
) -> None:
    """Small manifests of different entries don't wait for each other's trip."""
    log = Served(tmp_path / "log")
    world = log.world
    for number in range(20):
        lines = [holder(party_id(f"holder-{number}"), verified=False)]
        world.operator.say(
            "party", lambda refs: Party(parties=refs["parties"]), parties=lines
        )
    log.publish()
    server = serve(log.public)
    waiting: set[str] = set()
    most = 0

    def slow(path: str, data: bytes) -> bytes:
        nonlocal most
        if path.startswith("manifest/"):
            waiting.add(path.split("/")[1])
            most = max(most, len(waiting))
            time.sleep(0.05)
            waiting.discard(path.split("/")[1])
        return data

    server.alter = slow
    done = Mirror(open_source(server.url), [FIRST_VKEY], copy).copy()
    assert done.manifests >= 20
    assert most >= 8
    assert files(copy) == files(server.folder)


def test_a_rotated_log_is_copied_by_its_first_key(
    tmp_path: Path, serve: Serve, copy: Path
) -> None:
    """The log leads to its new key; the copy made before helps to look for it."""
    log = Served(tmp_path / "log")
    log.say(300)
    log.publish()
    server = serve(log.public)
    trust = [FIRST_VKEY]

    def run_again() -> Mirrored:
        return Mirror(open_source(server.url), trust, copy).copy()

    assert (run_again().trust, run_again().followed) == (trust, False)
    rotation.add(log.world)
    rotation.retire(log.world)
    log.publish()
    server.asked.clear()
    done = run_again()
    new = make_vkey(WORLD_ORIGIN, signing_key(rotation.SECOND).public)
    assert (done.trust, done.followed) == ([new], True)
    assert "tile/entries/000" not in server.asked
    assert (copy / "checkpoint").read_bytes() == (
        log.public / "checkpoint"
    ).read_bytes()
    before = files(copy)
    log.say(3)
    publish_anyhow(log.world.store, log.public.parent, [signing_key("log-5")])
    with pytest.raises(VerificationError):
        run_again()
    assert files(copy) == before


def test_two_copies_at_once_are_refused(server: Server, copy: Path) -> None:
    """The second names the process of the first."""
    shutil.rmtree(copy, ignore_errors=True)
    codes = []

    def look(done: int, total: int) -> None:
        codes.append(refusal(server, copy).code)

    Mirror(open_source(server.url), [VKEY], copy, look).copy()
    assert set(codes) == {"home-in-use"}
