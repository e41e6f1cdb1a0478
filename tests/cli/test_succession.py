"""The drill of a succession, after receipts were lost, by an operator's commands."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ledger.anchor import VARIABLE
from ledger.tlog.checkpoint import parse_checkpoint
from ledger.tlog.note import parse_note
from tests.cli.conftest import Result
from tests.cli.conftest import Town
from tests.cli.conftest import grant
from tests.cli.conftest import run_command
from tests.readers import verifier

NEXT = "town.example/log-2"


def lose_entries(town: Town, folder: Path) -> Path:
    """Back a home up, let its log go on, and lose all but the backup; give that."""
    backup = folder / "backup"
    shutil.copytree(town.home, backup)
    for _ in range(2):
        town.say("licence.grant", grant(town, town.parties["lab"]), "society")
    assert town.size > 0
    return backup


def succeed(town: Town, old: Path, home: Path, *options: object) -> Result:
    """Let the log in a home be succeeded."""
    init = ("init", "--origin", NEXT, "--succeeds", old, "--home", home)
    environment = {VARIABLE: str(town.anchors)}
    return run_command(*init, "--no-passphrase", *options, **environment)


def test_a_succession_after_receipts_were_lost(
    paid: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The backup can't go on as the old log; as its successor it can."""
    old = lose_entries(paid, tmp_path)
    lost = paid.size
    paid.must("prove", 3, "-o", tmp_path / "kept")
    stale = Town(old, dict(paid.at), dict(paid.parties))
    stale_run = run_command(
        *("key", "new", "x", "--register", "--no-passphrase", "--home", old),
        **{VARIABLE: str(paid.anchors)},
    )
    assert stale_run.error == "behind-anchor"
    home = tmp_path / "next" / "home"
    home.parent.mkdir()
    done = succeed(paid, old, home, "--json")
    assert done.code == 0, done
    size, vkey = done.json["size"], done.json["vkey"]
    assert size < lost
    # The new log takes what was lost, and goes on with what was paid before.
    after = Town(home, dict(paid.at), dict(paid.parties))
    after.run = lambda *a, **kw: run_command(  # type: ignore[method-assign]
        *a, **{"LINERNOTE_HOME": str(home), VARIABLE: str(paid.anchors), **kw}
    )
    again = after.say("licence.grant", grant(after, after.parties["lab"]), "society")
    assert again == size
    assert after.must("audit")["ok"]
    assert after.must("show", 3)["index"] == 3
    public = home / "public"
    checkpoint = parse_checkpoint(parse_note((public / "checkpoint").read_text()).text)
    assert (checkpoint.origin, checkpoint.size) == (NEXT, size + 1)
    assert verifier.run(public, vkey, capsys)[0] == 0
    # The old key says nothing of the new log.
    assert verifier.run(public, paid.vkey, capsys)[0] == 4
    assert stale.home == old


def test_a_successor_comes_back_from_a_backup(paid: Town, tmp_path: Path) -> None:
    """What it published since is fetched, and its keys' chains go on; no other's is."""
    home = tmp_path / "next" / "home"
    home.parent.mkdir()
    assert succeed(paid, paid.home, home).code == 0
    environment = {"LINERNOTE_HOME": str(home), VARIABLE: str(paid.anchors)}
    after = Town(home, dict(paid.at), dict(paid.parties))
    after.run = lambda *a, **kw: run_command(*a, **{**environment, **kw})  # type: ignore[method-assign]
    after.say("licence.grant", grant(after, after.parties["lab"]), "society")
    after.must("backup", tmp_path / "backup", "--keys")
    last = after.say("licence.grant", grant(after, after.parties["lab"]), "society")
    shutil.copytree(home / "public", tmp_path / "mirror")
    shutil.rmtree(home)
    after.must("restore", tmp_path / "backup")
    refused = after.run("restore", "--from", paid.home / "public", "--vkey", paid.vkey)
    assert refused.error == "wrong-origin"
    assert after.must("restore", "--from", tmp_path / "mirror")["fetched"] == 1
    again = after.say("licence.grant", grant(after, after.parties["lab"]), "society")
    assert again == last + 1
    assert after.must("audit")["ok"]


def test_a_successor_may_count_more_currencies(bare: Town, tmp_path: Path) -> None:
    """Those of the old log stay as they are; what else is given is brought in."""
    home = tmp_path / "next" / "home"
    home.parent.mkdir()
    done = succeed(bare, bare.home, home, "--currency", "SEK=3")
    assert (done.code, done.error) == (3, "bad-predecessor")
    done = succeed(bare, bare.home, home, "--utc-offset", "+01:00")
    assert (done.code, done.error) == (2, "usage")
    assert not home.exists()
    done = succeed(bare, bare.home, home, "--currency", "USD", "--currency", "JPY")
    assert done.code == 0, done
    size = run_command("head", "--home", home, "--json").json["size"]
    genesis = run_command("show", size - 1, "--home", home, "--json").json
    assert genesis["body"]["currencies"] == [
        {"code": "JPY", "exponent": 0},
        {"code": "SEK", "exponent": 2},
        {"code": "USD", "exponent": 2},
    ]


def test_a_successor_is_told_what_carried_over(bare: Town, tmp_path: Path) -> None:
    """Nobody is told to make parties that are there already, but to leave the old."""
    done = succeed(bare, bare.home, tmp_path / "home")
    assert done.code == 0, done
    assert "key new" not in done.err
    assert f"never write to {bare.home} again" in done.err
    assert "linernote serve" in done.err


def test_what_a_succession_needs(bare: Town, tmp_path: Path) -> None:
    """Another name, the operator's root key, and a free place."""
    home = tmp_path / "next" / "home"
    home.parent.mkdir()
    init = ("init", "--origin", "town.example/log", "--succeeds", bare.home)
    environment = {VARIABLE: str(bare.anchors)}
    same = run_command(*init, "--home", home, "--no-passphrase", **environment)
    assert same.error == "bad-predecessor"
    assert not home.exists()
    assert run_command("init", "--origin", NEXT, "--home", home).code == 2
    (bare.home / "keys" / "operator-root.key").unlink()
    assert succeed(bare, bare.home, home).error == "root-key-missing"
    assert not home.exists()
