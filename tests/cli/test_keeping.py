"""Backup, restore and the anchor on the command line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Town


def test_a_log_comes_back(staffed: Town, tmp_path: Path) -> None:
    """Backup, loss, restore, refusal, catching up, writing."""
    backup = staffed.must("backup", tmp_path / "backup", "--keys")
    size = staffed.size
    assert (backup["size"], backup["published"]) == (size, size)
    staffed.must("key", "new", "cy", "--role", "lab", "--register", "--no-passphrase")
    grown = staffed.size
    shutil.copytree(staffed.home / "public", tmp_path / "mirror")
    shutil.rmtree(staffed.home)
    told = staffed.must("restore", tmp_path / "backup")
    assert told == {"size": size, "fetched": 0, "writable": False}
    new = ("key", "new", "dee", "--register", "--no-passphrase", "--role", "lab")
    refused = staffed.run(*new)
    assert (refused.code, refused.error) == (8, "home-restored")
    assert "restore" in refused.err
    told = staffed.must("restore", "--from", tmp_path / "mirror")
    assert told == {"size": grown, "fetched": grown - size, "writable": True}
    assert staffed.must("audit")["checked"]["anchors"] == 1


def test_a_restore_that_stopped_is_simply_run_again(
    staffed: Town, tmp_path: Path
) -> None:
    """It goes on in the home that it made; another home is never taken for that."""
    staffed.must("backup", tmp_path / "backup", "--keys")
    there = ("--home", tmp_path / "another")
    init = ("init", "--origin", "b.example", "--currency", "SEK", "--no-passphrase")
    staffed.must(*init, *there)
    staffed.must("backup", tmp_path / "other", *there)
    shutil.copytree(staffed.home / "public", tmp_path / "mirror")
    shutil.rmtree(staffed.home)
    again = ("restore", tmp_path / "backup", "--from")
    for _ in range(2):
        assert staffed.run(*again, tmp_path / "nope").error != "home-exists"
        assert (staffed.home / "restored").exists()
    assert staffed.run("restore", tmp_path / "backup").error == "home-exists"
    other = staffed.run("restore", tmp_path / "other", "--from", tmp_path / "mirror")
    assert (other.code, other.error) == (6, "home-exists")
    assert staffed.must(*again, tmp_path / "mirror")["writable"]
    assert staffed.run(*again, tmp_path / "mirror").error == "home-exists"


def test_an_old_copy_in_place_is_refused_and_noticed(
    staffed: Town, tmp_path: Path
) -> None:
    """Home and public folder set back together: exit code 8, and 4 from the audit."""
    shutil.copytree(staffed.home, tmp_path / "old")
    staffed.must("key", "new", "cy", "--role", "lab", "--register", "--no-passphrase")
    shutil.rmtree(staffed.home)
    (tmp_path / "old").rename(staffed.home)
    refused = staffed.run("key", "rotate", "society", "--no-passphrase")
    assert (refused.code, refused.error) == (8, "behind-anchor")
    status = staffed.run("status", "--json")
    assert (status.code, status.json["refuses"]["code"]) == (8, "behind-anchor")
    assert "REFUSES" in staffed.run("status").out
    audit = staffed.run("audit", "--json")
    assert audit.code == 4
    assert [each["code"] for each in audit.json["problems"]] == ["behind-anchor"]


def test_a_machine_that_does_not_know_the_log(staffed: Town, tmp_path: Path) -> None:
    """It reads, cannot vouch that nothing was set back, and does not write."""
    elsewhere = str(tmp_path / "elsewhere")
    assert staffed.run("head", LINERNOTE_ANCHOR=elsewhere).code == 0
    assert staffed.run("audit", LINERNOTE_ANCHOR=elsewhere).code == 5
    new = ("key", "new", "dee", "--register", "--no-passphrase", "--role", "lab")
    refused = staffed.run(*new, LINERNOTE_ANCHOR=elsewhere)
    assert (refused.code, refused.error) == (8, "anchor-missing")


def test_nothing_to_restore(bare: Town) -> None:
    """Who names neither a backup nor a place is told what to name."""
    assert bare.run("restore").error == "nothing-to-restore"
    assert bare.run("restore", "--from", bare.home / "public").code == 3


def test_a_restored_home_says_how_it_stands(bare: Town, tmp_path: Path) -> None:
    """It has published nothing itself, and would refuse to be written to."""
    assert bare.must("status")["refuses"] is None
    bare.must("backup", tmp_path / "backup")
    shutil.rmtree(bare.home)
    bare.must("restore", tmp_path / "backup")
    status = bare.run("status", "--json")
    assert (status.code, status.json["refuses"]["code"]) == (8, "home-restored")
    assert (status.json["size"], status.json["published"]) == (2, 0)


def test_an_anchor_in_the_home_is_refused(bare: Town) -> None:
    """It would be copied with the home, and vouch for the copy."""
    inside = str(bare.home / "anchors")
    new = ("key", "new", "dee", "--register", "--no-passphrase", "--role", "lab")
    assert bare.run(*new, LINERNOTE_ANCHOR=inside).error == "anchor-inside-home"


@pytest.mark.parametrize("retired", [False, True])
def test_a_log_comes_back_across_a_rotation(
    staffed: Town, tmp_path: Path, *, retired: bool
) -> None:
    """The backup knows the old log key alone: the log itself leads to the new one."""
    staffed.must("backup", tmp_path / "backup", "--keys")
    staffed.must("key", "rotate", "log", "--no-passphrase")
    if retired:
        staffed.must("key", "retire", "log", "--yes")
    size, vkeys = staffed.size, staffed.must("vkey")["vkeys"]
    shutil.copytree(staffed.home / "public", tmp_path / "mirror")
    shutil.copy(staffed.home / "keys" / "log-2.key", tmp_path)
    shutil.rmtree(staffed.home)
    staffed.must("restore", tmp_path / "backup")
    told = staffed.must("restore", "--from", tmp_path / "mirror")
    assert (told["size"], told["writable"]) == (size, True)
    assert staffed.must("vkey")["vkeys"] == vkeys
    new = ("key", "new", "x", "--register", "--no-passphrase", "--role", "lab")
    assert staffed.run(*new).error == "key-file-missing"
    shutil.copy(tmp_path / "log-2.key", staffed.home / "keys")
    staffed.must(*new)
    assert staffed.must("audit")["ok"]
