"""What we publish, judged by golang.org/x/mod: code that is not ours.

`judge.go` opens each checkpoint with the vkey, reads the tree out of the tiles, checks
inclusion and consistency proofs, and hashes every entry itself. It is built from
Debian's own packages, without a network.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from collections.abc import Iterable
from pathlib import Path

import pytest

from ledger.anchor import Anchor
from ledger.publish import publish
from ledger.tlog.note import format_vkey
from ledger.tlog.note import make_vkey
from ledger.tlog.tiles import format_bundle
from ledger.tlog.tiles import parse_bundle
from tests.replay import acts
from tests.replay.world import World
from tests.synthetic import LOG_KEY
from tests.synthetic import ORIGIN
from tests.synthetic import VKEY_TEXT
from tests.synthetic import Synthetic

HERE = Path(__file__).parent
GO_PATH = "/usr/share/gocode"
MODULE = Path(GO_PATH, "src/golang.org/x/mod/sumdb/tlog")
INSTALL = "apt-get install golang-go golang-golang-x-mod-dev"
SMALL = (0, 1, 2, 255, 256, 257, 600)
LARGE = 66_000

Judge = Callable[..., "subprocess.CompletedProcess[str]"]


def go(*arguments: str, cache: Path) -> None:
    """Run Go on what is installed, whatever the caller's own settings are."""
    variables = {
        "GO111MODULE": "off",
        "GOCACHE": str(cache),
        "GOFLAGS": "",
        "GOPATH": GO_PATH,
        "GOPROXY": "off",
        "HOME": str(cache),
        "PATH": os.environ["PATH"],
    }
    subprocess.run(["go", *arguments], cwd=HERE, env=variables, check=True)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what Go builds; skips where there is no Go."""
    if shutil.which("go") is None or not MODULE.is_dir():
        pytest.skip(f"no Go or no golang.org/x/mod. For these tests: {INSTALL}")
    return tmp_path_factory.mktemp("go")


@pytest.fixture(scope="session")
def judge(cache: Path) -> Judge:
    """Build the judge; give what runs it on a folder and checkpoints."""
    program = cache / "judge"
    go("build", "-o", str(program), "judge.go", cache=cache)

    def run(
        public: Path, checkpoints: Iterable[Path], vkey: str = VKEY_TEXT
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, vkey, public, *checkpoints],
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )

    return run


def publish_at(log: Synthetic, sizes: Iterable[int], folder: Path) -> list[Path]:
    """Publish a log at each size; keep every checkpoint beside the public folder."""
    kept = []
    for size in sizes:
        log.grow(size)
        log.publish(folder / "public")
        kept.append(Path(shutil.copy(folder / "public/checkpoint", folder / f"{size}")))
    return kept


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a log of 600 entries and its checkpoints on the way."""
    folder = tmp_path_factory.mktemp("published")
    publish_at(Synthetic(), SMALL, folder)
    return folder


@pytest.fixture
def copied(published: Path, tmp_path: Path) -> Path:
    """A copy of it to do harm to."""
    return Path(shutil.copytree(published, tmp_path / "copy"))


def all_of(folder: Path) -> list[Path]:
    return [folder / str(size) for size in SMALL]


def test_every_size_is_accepted(judge: Judge, tmp_path: Path) -> None:
    """Trees of 0 to 66,000 entries: roots, tiles, bundles, and proofs between all."""
    kept = publish_at(Synthetic(), (*SMALL, LARGE), tmp_path)
    done = judge(tmp_path / "public", kept)
    assert done.stderr == ""
    sizes = [int(line.split()[1]) for line in done.stdout.splitlines()]
    assert sizes == [*SMALL, LARGE]


def test_a_log_of_signed_events_is_accepted(judge: Judge, tmp_path: Path) -> None:
    """What the log itself took in, manifests and all, published as it grew."""
    world, kept = World(), []
    (tmp_path / "public").mkdir()
    for size in (world.log.size, 255, 256, 257):
        while world.log.size < size:
            world.society.say("scheme", acts.scheme_body())
        anchor = Anchor(tmp_path / "anchor")
        publish(world.store, tmp_path / "public", ORIGIN, [LOG_KEY], anchor)
        kept.append(
            Path(shutil.copy(tmp_path / "public/checkpoint", tmp_path / f"{size}"))
        )
    vkey = format_vkey(make_vkey(ORIGIN, LOG_KEY.public))
    done = judge(tmp_path / "public", kept, vkey)
    assert (done.stderr, len(done.stdout.splitlines())) == ("", 4)


@pytest.mark.parametrize(
    "name",
    [
        "600",
        "public/tile/0/000",
        "public/tile/0/002.p/88",
        "public/tile/1/000.p/2",
        "public/tile/entries/000",
        "public/tile/entries/002.p/88",
        "public/tile/0/000.p/255",
        "public/tile/entries/001.p/1",
    ],
)
def test_one_flipped_bit_is_refused(name: str, judge: Judge, copied: Path) -> None:
    """The judge judges: each kind of file counts, at every size that it belongs to."""
    assert judge(copied / "public", all_of(copied)).returncode == 0
    data = bytearray((copied / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copied / name).write_bytes(data)
    done = judge(copied / "public", all_of(copied))
    assert done.returncode == 1
    assert done.stderr.startswith("refused: ")


def test_bundles_are_not_believed(judge: Judge, copied: Path) -> None:
    """Two entries changing places leave every tile, and every proof, as it is."""
    bundle = copied / "public/tile/entries/001"
    first, second, *others = parse_bundle(bundle.read_bytes(), 256)
    bundle.write_bytes(format_bundle([second, first, *others]))
    done = judge(copied / "public", [copied / "600"])
    assert "entry 256 is not what its tile says" in done.stderr


def test_another_key_is_refused(judge: Judge, published: Path) -> None:
    """A checkpoint holds by the vkey that is asked for, and by no other."""
    stranger = format_vkey(make_vkey(ORIGIN, World().operator.root.public))
    assert judge(published / "public", [published / "600"], stranger).returncode == 1


def test_a_fork_is_refused(judge: Judge, copied: Path, tmp_path: Path) -> None:
    """Two logs signed by one key, each in order, do not continue each other."""
    (tmp_path / "other").mkdir()
    (other,) = publish_at(Synthetic(seed=2), [257], tmp_path / "other")
    assert judge(tmp_path / "other/public", [other]).returncode == 0
    done = judge(tmp_path / "other/public", [copied / "2", other])
    assert done.returncode == 1
    assert judge(copied / "public", [copied / "600", copied / "257"]).returncode == 1


def test_the_program_is_formatted_and_sound(cache: Path) -> None:
    """Gofmt would change nothing, and vet finds nothing."""
    found = subprocess.check_output(["gofmt", "-l", "."], cwd=HERE, encoding="utf-8")
    assert found == ""
    go("vet", "judge.go", cache=cache)
