"""Backup, restore and the anchor on the command line."""

from __future__ import annotations

import shutil
from pathlib import Path

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


def test_an_anchor_in_the_home_is_refused(bare: Town) -> None:
    """It would be copied with the home, and vouch for the copy."""
    inside = str(bare.home / "anchors")
    new = ("key", "new", "dee", "--register", "--no-passphrase", "--role", "lab")
    assert bare.run(*new, LINERNOTE_ANCHOR=inside).error == "anchor-inside-home"
