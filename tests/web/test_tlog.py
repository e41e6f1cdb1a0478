"""Static files as C2SP tlog-tiles wants them: types, caching, gzip, tags, 304, 404."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import sign_checkpoint
from ledger.tlog.tiles import format_bundle_path
from ledger.tlog.tiles import format_tile_path
from ledger.tlog.tiles import parse_bundle
from ledger.tlog.tiles import parse_bundle_path
from ledger.tlog.tiles import parse_tile_path
from ledger.tlog.tiles import tiles_of
from tests.synthetic import LOG_KEY
from tests.synthetic import ORIGIN
from tests.synthetic import Synthetic
from web import create_app

SIZES = (1, 255, 256, 300, 600)
OCTETS = "application/octet-stream"
FOREVER = "public, max-age=31536000, immutable"


@pytest.fixture(scope="module")
def log_home(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The story's database and manifests, beside a longer log with sizes before it."""
    copy = tmp_path_factory.mktemp("tiles") / "home"
    shutil.copytree(home, copy)
    shutil.rmtree(copy / "public" / "tile")
    log = Synthetic()
    for size in SIZES:
        log.grow(size)
        log.publish(copy / "public")
    return copy


@pytest.fixture
def files(log_home: Path) -> FlaskClient:
    return create_app(log_home).test_client()


@pytest.fixture
def scratch(log_home: Path, tmp_path: Path) -> Path:
    """A copy to do harm to."""
    return Path(shutil.copytree(log_home, tmp_path / "home"))


def named(size: int) -> list[str]:
    """List the paths that C2SP tlog-tiles derives from a size."""
    tiles = list(tiles_of(size))
    bundles = [
        format_bundle_path(tile.index, tile.width) for tile in tiles if not tile.level
    ]
    return [*map(format_tile_path, tiles), *bundles]


def published(home: Path) -> list[str]:
    """List all that lies in the public folder."""
    found = (path for path in (home / "public").rglob("*") if path.is_file())
    return [path.relative_to(home / "public").as_posix() for path in found]


def set_size(home: Path, size: int) -> None:
    """Publish a checkpoint of another size than the files have."""
    text = sign_checkpoint(Checkpoint(ORIGIN, size, bytes(32)), ORIGIN, LOG_KEY)
    (home / "public" / "checkpoint").write_text(text, encoding="utf-8")


def check_not_found(answer: TestResponse) -> None:
    """A missing file is said in words, to anybody, and is asked for again."""
    assert answer.status_code == 404
    assert answer.headers["Cache-Control"] == "no-store"
    assert "ETag" not in answer.headers
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "is not published" in answer.text


@pytest.mark.parametrize("size", SIZES)
def test_all_that_a_checkpoint_ever_named_is_served(
    size: int, files: FlaskClient
) -> None:
    """Tiles of this size and of the sizes before: each path of the specification."""
    paths = named(size)
    assert len(paths) >= 2
    for path in paths:
        assert files.get(f"/{path}").status_code == 200, path


def test_types_and_caching_of_every_file(files: FlaskClient, log_home: Path) -> None:
    """The checkpoint is text for a second; everything else is octets for ever."""
    paths = published(log_home)
    assert any(path.startswith("manifest/") for path in paths)
    for path in paths:
        answer = files.get(f"/{path}")
        assert answer.data == (log_home / "public" / path).read_bytes(), path
        if path == "checkpoint":
            assert answer.content_type == "text/plain; charset=utf-8"
            assert answer.headers["Cache-Control"] == "public, max-age=1"
        else:
            assert answer.content_type == OCTETS
            assert answer.headers["Cache-Control"] == FOREVER
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_what_the_caller_has_is_not_sent_again(
    encoding: str, files: FlaskClient, log_home: Path
) -> None:
    """Every file has a strong tag; with it the answer is 304, empty, as cacheable."""
    for path in published(log_home):
        asked = {"Accept-Encoding": encoding}
        first = files.get(f"/{path}", headers=asked)
        tag = first.headers["ETag"]
        assert tag.startswith('"')
        again = files.get(f"/{path}", headers={**asked, "If-None-Match": tag})
        assert (again.status_code, again.data) == (304, b"")
        for name in ("ETag", "Cache-Control", "Vary", "Access-Control-Allow-Origin"):
            assert again.headers.get(name) == first.headers.get(name), (path, name)
        other = files.get(f"/{path}", headers={**asked, "If-None-Match": '"x"'})
        assert other.status_code == 200


def test_head_says_what_get_would_say(files: FlaskClient, log_home: Path) -> None:
    """The same status and headers, the length among them, and nothing else."""
    for path in [*published(log_home), "tile/0/009"]:
        for encoding in ("gzip", "identity"):
            headers = {"Accept-Encoding": encoding}
            got = files.get(f"/{path}", headers=headers)
            head = files.head(f"/{path}", headers=headers)
            assert head.data == b""
            assert head.status_code == got.status_code
            assert _steady(head) == _steady(got)
            assert sorted(head.headers.keys()) == sorted(got.headers.keys())


def _steady(answer: TestResponse) -> list[tuple[str, str]]:
    """Give the headers that are the same a second later."""
    clocks = {"Date", "Expires"}
    return sorted(each for each in answer.headers if each[0] not in clocks)


BUNDLES = ("/tile/entries/001", "/tile/entries/002.p/88")


@pytest.mark.parametrize("path", BUNDLES)
@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip", "gzip"),
        ("gzip, identity", "gzip"),
        ("br, gzip;q=0.1", "gzip"),
        ("*", "gzip"),
        ("identity", None),
        ("br", None),
        ("gzip;q=0", None),
        ("identity, gzip;q=0.5", None),
        ("", None),
    ],
)
def test_bundles_are_compressed_for_whoever_takes_it(
    path: str, accepted: str, coding: str | None, files: FlaskClient
) -> None:
    """Gzip where it is accepted and not less welcome than the octets themselves."""
    plain = files.get(path)
    assert "Content-Encoding" not in plain.headers
    answer = files.get(path, headers={"Accept-Encoding": accepted})
    assert answer.headers.get("Content-Encoding") == coding
    assert answer.headers["Vary"] == "Accept-Encoding" == plain.headers["Vary"]
    # A strong tag stands for these very octets (RFC 9110 §8.8.1).
    same = answer.headers["ETag"] == plain.headers["ETag"]
    assert same == (coding is None)
    if coding is None:
        assert answer.data == plain.data
    else:
        assert gzip.decompress(answer.data) == plain.data
        assert answer.data[4:8] == bytes(4)  # no time: always the same octets
        assert answer.headers["Content-Length"] == str(len(answer.data))
        assert len(answer.data) < len(plain.data) / 2


def test_bundles_of_manifests_are_compressed_too(
    files: FlaskClient, log_home: Path
) -> None:
    """They are served as the log's own."""
    (path, *_) = [p for p in published(log_home) if "/tile/entries/" in p]
    answer = files.get(f"/{path}", headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(answer.data) == (log_home / "public" / path).read_bytes()


@pytest.mark.parametrize("path", ["/checkpoint", "/tile/0/001", "/tile/1/000.p/2"])
def test_hashes_go_as_they_are(path: str, files: FlaskClient) -> None:
    """Nothing is gained by compressing them, so nothing varies."""
    answer = files.get(path, headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers
    assert "Vary" not in answer.headers


def test_a_range_is_answered_with_the_whole(files: FlaskClient) -> None:
    """Parts of a tile are of no use, and are not to be had."""
    answer = files.get("/tile/0/000", headers={"Range": "bytes=0-31"})
    assert answer.status_code == 200
    assert len(answer.data) == 8192


@pytest.mark.parametrize("size", [0, *SIZES[:-1]])
def test_what_the_checkpoint_does_not_name_is_not_there(
    size: int, scratch: Path
) -> None:
    """Files that lie there already, ahead of their checkpoint, have no address."""
    set_size(scratch, size)
    files = create_app(scratch).test_client()
    paths = [path for path in published(scratch) if path.startswith("tile/")]
    here = [path for path in paths if end_of(path) <= size]
    assert set(named(size)) <= set(here) < set(paths)
    for path in paths:
        answer = files.get(f"/{path}")
        if path in here:
            assert answer.status_code == 200, path
        else:
            check_not_found(answer)


def end_of(path: str) -> int:
    """Give the size from which on a log has the tile or bundle."""
    if "entries" in path:
        index, width = parse_bundle_path(path)
        return index * 256 + width
    tile = parse_tile_path(path)
    return (tile.index * 256 + tile.width) << (8 * tile.level)


@pytest.mark.parametrize("path", ["tile/0/001.p/44", "tile/entries/001.p/44"])
@pytest.mark.parametrize("damage", ["half", "longer", "other", "empty"])
def test_what_a_crash_left_is_not_served(path: str, damage: str, scratch: Path) -> None:
    """A narrower tile is the beginning of the one that is there now, or nothing."""
    file = scratch / "public" / path
    data = file.read_bytes()
    file.write_bytes(
        {
            "half": data[: len(data) // 2],
            "longer": data + data[:32],
            "other": data[:-1] + bytes([data[-1] ^ 1]),
            "empty": b"",
        }[damage]
    )
    check_not_found(create_app(scratch).test_client().get(f"/{path}"))


def test_a_superseded_bundle_holds_as_many_entries_as_it_says(scratch: Path) -> None:
    """Whole entries from the start are not enough: the width counts them."""
    wider = scratch / "public/tile/entries/001"
    (first, *_) = parse_bundle(wider.read_bytes(), 256)
    length = len(first) + 2
    (wider.parent / "001.p/44").write_bytes(wider.read_bytes()[:length])
    files = create_app(scratch).test_client()
    check_not_found(files.get("/tile/entries/001.p/44"))


def test_partial_tiles_that_are_gone_are_not_found(scratch: Path) -> None:
    """A log may delete them once the full tile is there; the full one stays."""
    shutil.rmtree(scratch / "public/tile/0/001.p")
    files = create_app(scratch).test_client()
    check_not_found(files.get("/tile/0/001.p/44"))
    assert files.get("/tile/0/001").status_code == 200


def test_without_a_checkpoint_nothing_is_there(scratch: Path) -> None:
    """What nobody signed for yet is not published, whatever lies in the folder."""
    (scratch / "public/checkpoint").unlink()
    files = create_app(scratch).test_client()
    (manifest, *_) = [p for p in published(scratch) if p.startswith("manifest/")]
    for path in ("checkpoint", "tile/0/000", "tile/entries/000", manifest):
        check_not_found(files.get(f"/{path}"))


def test_manifests_appear_with_the_entry_that_names_them(scratch: Path) -> None:
    """Their files are in place before the checkpoint; they have an address after."""
    paths = [p for p in published(scratch) if p.startswith("manifest/")]
    app = create_app(scratch)
    set_size(scratch, 1)
    for path in paths:
        check_not_found(app.test_client().get(f"/{path}"))
    set_size(scratch, 600)
    for path in paths:
        assert app.test_client().get(f"/{path}").status_code == 200
    stranger = f"manifest/{'0' * 64}/tile/0/000.p/1"
    (scratch / "public" / stranger).parent.mkdir(parents=True)
    (scratch / "public" / stranger).write_bytes(bytes(32))
    check_not_found(app.test_client().get(f"/{stranger}"))


OTHER_SPELLINGS = [
    "/tile/00/000",
    "/tile/0/0",
    "/tile/0/x000/000",
    "/tile/0/000.p/256",
    "/tile/0/000.p/088",
    "/tile/0/000.p/0",
    "/tile/0/002.p/88/",
    "/tile/0//000",
    "/tile/64/000",
    "/tile/entries/000.p",
    "/tile/entries/0",
    "/tile/8/0/000",
    "/tile/0/\u0660\u0660\u0660",
    "/tile/data/000",
]


@pytest.mark.parametrize("path", OTHER_SPELLINGS)
def test_a_tile_has_one_spelling(path: str, files: FlaskClient) -> None:
    """Whatever the specification would not write is not found, and not redirected."""
    check_not_found(files.get(path))


@pytest.mark.parametrize("path", ["/checkpoint", "/tile/0/000", "/tile/entries/000"])
@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_files_are_only_read(method: str, path: str, files: FlaskClient) -> None:
    """Any other method is refused."""
    assert getattr(files, method)(path).status_code == 405
