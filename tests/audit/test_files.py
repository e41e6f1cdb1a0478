"""Every file under the public folder belongs there, and all that belong are there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ledger.audit import Audit
from ledger.errors import HomeError
from ledger.events.rights import Catalogue
from ledger.events.types import INTEGER_MAX
from ledger.events.types import ManifestRef
from ledger.storage.memory import MemoryStore
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import sign_checkpoint
from tests.audit.logs import Published
from tests.audit.logs import codes
from tests.audit.logs import published
from tests.audit.logs import small_world
from tests.replay import rotation
from tests.replay.making import ORIGIN
from tests.replay.making import signing_key
from tests.replay.world import World


@pytest.fixture(scope="module")
def wide_log(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """A log with a manifest of two bundles; not to be changed."""
    folder = tmp_path_factory.mktemp("wide") / "public"
    return published(small_world(lines=300), folder)


def files(folder: Path) -> list[str]:
    """List what lies under a folder."""
    found = (p for p in folder.rglob("*") if p.is_file())
    return sorted(p.relative_to(folder).as_posix() for p in found)


def test_a_log_is_published_as_static_files(wide_log: Published) -> None:
    """Tiles and bundles of the log and of each plain manifest, by their C2SP names."""
    (root,) = (path.name for path in (wide_log.public / "manifest").iterdir())
    assert files(wide_log.public) == [
        "checkpoint",
        f"manifest/{root}/tile/0/000",
        f"manifest/{root}/tile/0/001.p/45",
        f"manifest/{root}/tile/1/000.p/1",
        f"manifest/{root}/tile/entries/000",
        f"manifest/{root}/tile/entries/001.p/45",
        "tile/0/000.p/3",
        "tile/entries/000.p/3",
    ]


def test_a_file_that_is_gone_leaves_something_to_verify(
    wide_log: Published, tmp_path: Path
) -> None:
    """Without any one file that the checkpoint names, an audit cannot be whole."""
    for name in files(wide_log.public):
        shutil.rmtree(tmp_path / "public", ignore_errors=True)
        shutil.copytree(wide_log.public, tmp_path / "public")
        (tmp_path / "public" / name).unlink()
        report = Audit(wide_log.store, tmp_path / "public", workers=0).run()
        assert report.exit_code == 5, name
        assert report.missing == [f"public/{name} is missing"]


def test_the_lines_of_a_manifest_are_missed(small: Published) -> None:
    """A whole folder of a plain manifest can't be taken away unseen."""
    shutil.rmtree(small.public / "manifest")
    report = small.audit()
    assert report.exit_code == 5
    (missing,) = report.missing
    assert missing.endswith("/tile/0/000.p/4 and others are missing")


@pytest.mark.parametrize(
    "name",
    [
        "index.html",
        "tile/0/001",
        "tile/0/000.p/03",
        "tile/9/000.p/1",
        "tile/entries/x",
        "manifest/readme",
        "manifest/00/tile/0/000",
        "manifest/{root}/checkpoint",
        "manifest/{root}/tile/0/000.p/3",
        "manifest/{root}/tile/entries/000.p/x",
        "manifest/{upper}/tile/0/000.p/4",
        ".checkpoint.partial-1",
    ],
)
def test_a_file_that_belongs_to_nothing_is_found(small: Published, name: str) -> None:
    """Whatever is served has to be a part of the log."""
    (root,) = (path.name for path in (small.public / "manifest").iterdir())
    path = small.public / name.format(root=root, upper=root.upper())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    report = small.audit()
    assert set(codes(report)) <= {"unexpected-file", "tile-mismatch", "bundle-mismatch"}
    assert len(report.problems) == 1


def test_superseded_partial_tiles_are_verified(tmp_path: Path) -> None:
    """The partial tiles of every size that was ever published stay right."""
    world = World()
    log = published(world, tmp_path / "public")
    old = log.public / "tile" / "0" / f"000.p/{world.log.size}"
    world.accredit(world.guest, "auditor")
    log.publish()
    assert log.audit().exit_code == 0
    assert log.audit().checked["tiles"] == 2
    old.write_bytes(old.read_bytes()[::-1])
    assert codes(log.audit()) == ["tile-mismatch"]


def test_a_tile_may_not_run_ahead_of_the_log(small: Published) -> None:
    """A tile of a size that the log never had is found."""
    tile = (small.public / "tile/0/000.p/3").read_bytes()
    (small.public / "tile/0/000.p/4").write_bytes(tile + bytes(32))
    assert codes(small.audit()) == ["tile-mismatch"]


def test_the_lines_of_an_entry_that_broke_a_rule_are_published(tmp_path: Path) -> None:
    """What an event signed is served, right or wrong; its files belong there."""
    world = World()
    problem = world.force(
        world.guest,
        "catalogue",
        lambda refs: Catalogue(recordings=refs["recordings"]),
        recordings=[{"external": "demo:a"}],
    )
    assert problem is not None
    log = published(world, tmp_path / "public")
    assert (log.public / "manifest").is_dir()
    report = log.audit()
    assert codes(report) == ["missing-role"]
    assert report.checked["manifests"] == 2


def test_an_event_may_not_keep_an_audit_busy(tmp_path: Path) -> None:
    """Lines that are nowhere are not looked for one by one, however many they are."""
    world = World()
    ref = ManifestRef(
        lines=INTEGER_MAX,
        order="external",
        root=b"r" * 32,
        sealed=False,
        totals={},
    )
    assert world.force(world.guest, "catalogue", Catalogue(recordings=ref)) is not None
    assert isinstance(world.store, MemoryStore)
    (tmp_path / "public").mkdir()
    log = Published(world.store, tmp_path / "public")
    with pytest.raises(HomeError, match="missing"):
        log.publish()
    text = sign_checkpoint(
        Checkpoint(ORIGIN, 2**63 - 1, bytes(32)), ORIGIN, *rotation.KEYS.values()
    )
    log.store._checkpoint[""] = text
    (log.public / "checkpoint").write_text(text)
    (log.public / "manifest" / ref.root.hex()).mkdir(parents=True)
    report = log.audit()
    assert "log-truncated" in codes(report)
    lacking = f"public/manifest/{ref.root.hex()}/tile/0/000 and others are missing"
    assert lacking in report.missing
    assert len(report.missing) <= 3
    (log.public / "manifest" / ref.root.hex()).rmdir()
    assert lacking not in log.audit().missing


def test_a_checkpoint_that_nobody_signed_asks_for_no_files(small: Published) -> None:
    """Its size is anybody's word, and the audit has said that it does not hold."""
    shutil.rmtree(small.public / "tile")
    assert len(small.audit().missing) == 1
    small.store._checkpoint[""] = sign_checkpoint(
        Checkpoint(ORIGIN, 2**63 - 1, bytes(32)), ORIGIN, signing_key("stranger")
    )
    report = small.audit()
    assert {"bad-checkpoint", "log-truncated"} <= set(codes(report))
    assert report.missing == []
