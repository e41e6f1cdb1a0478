"""`linernote show`, `prove` and `verify` with --from: a log that is somewhere else."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import sign_checkpoint
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.merkle import leaf_hash
from ledger.tlog.note import format_vkey
from ledger.tlog.note import make_vkey
from ledger.tlog.tiles import format_bundle
from tests.cli.conftest import ORIGIN
from tests.cli.conftest import Run
from tests.cli.conftest import Town


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder as any static file server would."""
    handler = partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@pytest.fixture
def public(licensed: Town) -> Path:
    """The published files of a log, somewhere else than its home."""
    copied = shutil.copytree(licensed.home / "public", "public")
    return Path(copied)


@pytest.fixture
def pinned(licensed: Town) -> tuple[str, str]:
    """The option that pins the log's key."""
    return "--vkey", licensed.vkey


def test_an_entry_is_shown_from_a_url(
    licensed: Town, public: Path, pinned: tuple[str, str], run: Run
) -> None:
    """What is shown from elsewhere is what is shown at home, but for what it takes."""
    index = licensed.at["run"]
    with served(public) as url:
        done = run("show", index, "--from", url, *pinned, "--json")
        text = run("show", index, "--from", f"{url}/", *pinned).out
    there, home = done.json, licensed.must("show", index)
    log = there.pop("log")
    assert there == {k: v for k, v in home.items() if k not in {"sentence", "problem"}}
    assert (log["origin"], log["size"]) == (ORIGIN, licensed.size)
    assert f"Entry {index} of {ORIGIN}, verified" in text
    assert "run.open" in text


def test_a_folder_is_as_good_as_a_url(
    licensed: Town, public: Path, pinned: tuple[str, str], run: Run
) -> None:
    """A mirrored folder answers without any network; a cache is filled on the way."""
    cache = ("--cache", "kept")
    first = run("prove", 3, "--from", public, *pinned, *cache)
    assert first.code == 0
    (folder,) = Path("kept").iterdir()
    assert (folder / "checkpoint").read_bytes() == (public / "checkpoint").read_bytes()
    assert first.out == licensed.run("prove", 3).out


def test_a_proof_from_elsewhere_is_the_proof_from_home(
    licensed: Town, public: Path, pinned: tuple[str, str], run: Run
) -> None:
    """Every entry's proof, made of tiles, is the same, and verifies offline."""
    with served(public) as url:
        for index in (0, 1, licensed.size - 1):
            done = run("prove", index, "-o", f"{index}.p", "--from", url, *pinned)
            assert done.code == 0, done
            text = Path(f"{index}.p").read_text(encoding="utf-8")
            assert text == licensed.run("prove", index).out
    assert run("verify", "0.p", "1.p", *pinned).code == 0


def test_a_policy_is_as_good_as_a_key(licensed: Town, public: Path, run: Run) -> None:
    """A policy without witnesses believes its log; one with a quorum waits for it."""
    Path("trusted").write_text(f"log {licensed.vkey}\nquorum none\n", encoding="utf-8")
    assert run("show", 0, "--from", public, "--policy", "trusted").code == 0
    key = SigningKey(bytes(32))
    witness = format_vkey(make_vkey("w.example", key.public, 0x04))
    Path("strict").write_text(
        f"log {licensed.vkey}\nwitness w {witness}\nquorum w\n", encoding="utf-8"
    )
    for command in (("show", 0), ("prove", 0), ("verify",)):
        done = run(*command, "--from", public, "--policy", "strict")
        assert (done.code, done.error) == (4, "policy-not-met")


def test_a_whole_log_is_verified(
    licensed: Town, public: Path, pinned: tuple[str, str], run: Run
) -> None:
    """Without a file, every entry is read: bytes, tree, chain and signatures."""
    with served(public) as url:
        done = run("verify", "--from", url, *pinned, "--json")
    size = licensed.size
    log = done.json["log"]
    assert (log["entries"], log["signatures"], log["size"]) == (size, size, size)
    assert f"{size} entries" in run("verify", "--from", public, *pinned).out


def test_a_proof_is_held_against_the_log(
    licensed: Town, public: Path, pinned: tuple[str, str], run: Run
) -> None:
    """A receipt from an earlier size is part of the log that grew, and is said so."""
    licensed.run("prove", 1, "-o", "p")
    licensed.must(
        "key", "new", "other", "--role", "lab", "--register", "--no-passphrase"
    )
    grown = licensed.home / "public"
    done = run("verify", "p", "--from", grown, *pinned, "--json")
    assert done.code == 0, done
    assert done.json["proofs"][0]["size"] < done.json["log"]["size"]
    # The other way round, the log has lost what the receipt was given for.
    licensed.run("prove", licensed.size - 1, "-o", "newer")
    done = run("verify", "newer", "p", "--from", public, *pinned, "--json")
    newer, older = done.json["proofs"]
    assert done.code == 4
    assert newer["error"]["code"] == "rolled-back"
    assert older["ok"] is True


def test_a_log_that_tells_two_stories_is_caught(bare: Town, run: Run) -> None:
    """A proof of one history and a log of another, both signed, are a fork."""
    key, name = SigningKey(bytes(32)), "fork.example"
    vkey = format_vkey(make_vkey(name, key.public))
    leaf = bytes.fromhex(bare.must("show", 0)["leaf"])
    folder = Path("fork")
    for place, data in {"a": leaf, "b": leaf + b"x"}.items():
        bundle = folder / place / "tile/entries/000.p/1"
        tile = folder / place / "tile/0/000.p/1"
        for path in (bundle, tile):
            path.parent.mkdir(parents=True)
        bundle.write_bytes(format_bundle([data]))
        tile.write_bytes(leaf_hash(data))
        signed = sign_checkpoint(Checkpoint(name, 1, leaf_hash(data)), name, key)
        (folder / place / "checkpoint").write_text(signed, encoding="utf-8")
    pinned = ("--vkey", vkey)
    assert run("prove", 0, "-o", "p", "--from", folder / "a", *pinned).code == 0
    done = run("verify", "p", "--from", folder / "b", *pinned, "--json")
    assert done.code == 4
    assert done.json["proofs"][0]["error"]["code"] == "fork"
    # With a cache, the same is noticed without any proof.
    kept = ("--cache", "kept")
    assert run("show", 0, "--from", folder / "a", *pinned, *kept).code == 0
    done = run("show", 0, "--from", folder / "b", *pinned, *kept)
    assert (done.code, done.error) == (4, "fork")


@pytest.mark.parametrize("command", [("show", 3), ("prove", 3), ("verify",)])
def test_a_log_that_was_altered_fails(
    command: tuple[str, ...],
    licensed: Town,
    public: Path,
    pinned: tuple[str, str],
    run: Run,
) -> None:
    """One bit in any file that is read ends in exit code 4, and shows nothing."""
    for path in sorted(public.glob("tile/**/*")):
        if not path.is_file() or f".p/{licensed.size}" not in str(path):
            continue
        before = path.read_bytes()
        path.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
        done = run(*command, "--from", public, *pinned)
        assert done.code == 4, (path, done)
        assert not done.out
        path.write_bytes(before)
    assert run(*command, "--from", public, *pinned).code == 0


@pytest.mark.parametrize("command", [("show", 0), ("prove", 0), ("verify",)])
def test_what_cannot_be_read_could_not_be_verified(
    command: tuple[str, ...], bare: Town, run: Run
) -> None:
    """No network and no log are exit code 5, another's key 4, nonsense 3."""
    pinned = ("--vkey", bare.vkey)
    for place, code, name in [
        ("http://127.0.0.1:9/log", 5, "no-network"),
        ("nowhere", 5, "not-found"),
        (bare.home, 5, "not-found"),
        ("ftp://a.example", 3, "bad-url"),
    ]:
        done = run(*command, "--from", place, *pinned)
        assert (done.code, done.error) == (code, name), place
    stranger = format_vkey(make_vkey(ORIGIN, SigningKey(bytes(32)).public))
    done = run(*command, "--from", bare.home / "public", "--vkey", stranger)
    assert (done.code, done.error) == (4, "not-signed")


def test_an_entry_beyond_the_log_is_no_entry(bare: Town, run: Run) -> None:
    """An index beyond the checkpoint is wrong input, as it is at home."""
    for command in ("show", "prove"):
        done = run(command, 99, "--from", bare.home / "public", "--vkey", bare.vkey)
        assert (done.code, done.error) == (3, "no-such-entry")


@pytest.mark.parametrize(
    "options",
    [
        ("show", 0, "--vkey", "v"),
        ("show", 0, "--policy", "p"),
        ("show", 0, "--cache", "c"),
        ("show", 0, "--from", "x"),
        ("show", 0, "--from", "x", "--vkey", "v", "--policy", "p"),
        ("prove", 0, "--home", "h", "--from", "x", "--vkey", "v"),
        ("verify", "--vkey", "v"),
        ("verify", "p", "--vkey", "v", "--cache", "c"),
        ("verify", "--from", "x"),
    ],
)
def test_options_that_do_not_go_together(options: tuple[object, ...], run: Run) -> None:
    """A key without a log elsewhere, or such a log without a key, is wrong usage."""
    assert run(*options).code == 2
