"""The drill of a log key's rotation, by the commands that an operator types."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ledger.keys.keyfile import parse_key_file
from ledger.storage.lock import WriterLock
from ledger.tlog.checkpoint import open_checkpoint
from ledger.tlog.checkpoint import parse_checkpoint
from ledger.tlog.checkpoint import sign_checkpoint
from ledger.tlog.cosignature import COSIGNATURE_TYPE
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.note import format_vkey
from ledger.tlog.note import make_vkey
from ledger.tlog.note import parse_note
from ledger.tlog.note import parse_vkey
from tests.cli.conftest import ORIGIN
from tests.cli.conftest import Run
from tests.cli.conftest import Town
from tests.readers import verifier


def checkpoint_of(town: Town) -> str:
    """Read the published checkpoint."""
    return (town.home / "public" / "checkpoint").read_text(encoding="utf-8")


def key_of(town: Town, name: str) -> SigningKey:
    """Open a key of the town."""
    text = (town.home / "keys" / f"{name}.key").read_text(encoding="ascii")
    return parse_key_file(text).unlock()


def rotate(town: Town) -> None:
    """Put a new log key beside the first."""
    told = town.must("key", "rotate", "log", "--no-passphrase")
    assert (told["name"], len(told["vkeys"])) == ("log-2", 2)


def test_a_rotation_from_end_to_end(
    staffed: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two steps; everything is verified before, between and after them."""
    old = staffed.vkey
    staffed.must("prove", 0, "-o", "before")
    rotate(staffed)
    both = staffed.must("vkey")["vkeys"]
    assert (both[0], both[1]) == (old, staffed.vkey)
    open_checkpoint(checkpoint_of(staffed), *map(parse_vkey, both))
    staffed.must("prove", 0, "-o", "between")
    assert staffed.must("audit")["ok"]
    told = staffed.must("key", "retire", "log", "--yes")
    assert told["vkeys"] == [both[1]] == [staffed.vkey]
    assert staffed.must("show", told["entry"])["body"]["action"] == "retire"
    note = parse_note(checkpoint_of(staffed))
    assert [each.key_id for each in note.signatures] == [parse_vkey(both[1]).key_id]
    staffed.must("prove", 0, "-o", "after")
    assert staffed.must("audit")["ok"]
    for proof, vkeys in (
        ("before", [old]),
        ("between", both),
        ("after", [both[1]]),
    ):
        for vkey in both:
            done = staffed.run("verify", proof, "--vkey", vkey)
            assert done.code == (0 if vkey in vkeys else 5), (proof, vkey, done)
    # Who knows the old key alone is led to the new one by the log itself.
    for vkey in both:
        assert verifier.run(staffed.home / "public", vkey, capsys)[0] == 0


def test_a_reader_elsewhere_follows_the_old_key(staffed: Town, run: Run) -> None:
    """Every command that reads a log somewhere else is led from the first key."""
    old, public = staffed.vkey, staffed.home / "public"
    staffed.must("prove", 0, "-o", "before")
    rotate(staffed)
    staffed.must("prove", 0, "-o", "between")
    new = staffed.vkey
    staffed.must("key", "retire", "log", "--yes")
    staffed.must("prove", 0, "-o", "after")
    elsewhere = ("--from", public, "--vkey", old)
    for command in (
        ("show", 0, *elsewhere),
        ("prove", 0, "-o", "from-elsewhere", *elsewhere),
        ("verify", *elsewhere),
        ("verify", "before", "between", "after", *elsewhere),
        ("verify", "after", *elsewhere, "--cache", "kept"),
        ("verify", "after", *elsewhere, "--cache", "kept"),
        ("mirror", public, "copy", "--vkey", old),
    ):
        done = run(*command)
        assert done.code == 0, (command, done)
        assert new in done.err, command
        assert (old in done.err) is False
    # A proof by the new key alone does not lead there: for that it takes the log.
    done = run("verify", "after", "--vkey", old)
    assert (done.code, "--from" in done.err) == (5, True)
    assert run("verify", "after", "--vkey", new).code == 0
    done = run("monitor", public, "--vkey", old, "--once", "--state", "state")
    assert done.code == 0, done


def test_the_new_key_leads_back_to_receipts_of_the_old(staffed: Town) -> None:
    """Alone it cannot tell; with the log it can, by a key or by a policy."""
    old, public = staffed.vkey, staffed.home / "public"
    staffed.must("prove", 0, "-o", "before")
    size = staffed.size
    stranger = SigningKey(b"s" * 32)
    checkpoint = parse_checkpoint(parse_note(checkpoint_of(staffed)).text)
    text = Path("before").read_text(encoding="utf-8").partition("\n\n")[0]
    forged = sign_checkpoint(checkpoint, ORIGIN, stranger)
    Path("forged").write_text(f"{text}\n\n{forged}", encoding="utf-8")
    rotate(staffed)
    staffed.must("key", "retire", "log", "--yes")
    new = staffed.must("vkey")
    (gone,) = new["retired"]
    assert (gone["vkey"], gone["first_size"]) == (old, 1)
    assert size < gone["last_size"] < staffed.size + 1
    Path("p").write_text(f"log {new['vkey']}\nquorum none\n", encoding="utf-8")
    for trust in (("--vkey", new["vkey"]), ("--policy", "p")):
        done = staffed.run("verify", "before", *trust)
        assert (done.code, "earlier or unknown key" in done.err) == (5, True), done
        done = staffed.run("verify", "before", *trust, "--from", public)
        assert (done.code, "verified: entry 0" in done.out) == (0, True), done
        done = staffed.run("verify", "forged", *trust, "--from", public)
        assert (done.code, "not-signed" in done.err) == (4, True), done


def test_the_old_key_file_can_go_once_it_is_retired(staffed: Town) -> None:
    """Only the keys in force are asked for; without one of them nothing is appended."""
    rotate(staffed)
    shutil.move(staffed.home / "keys" / "log.key", "log.key")
    size = staffed.size
    done = staffed.run("key", "new", "x", "--register", "--no-passphrase")
    assert (done.error, staffed.size) == ("key-file-missing", size)
    shutil.move("log.key", staffed.home / "keys" / "log.key")
    staffed.must("key", "retire", "log", "--yes")
    (staffed.home / "keys" / "log.key").unlink()
    staffed.must("key", "new", "x", "--register", "--no-passphrase")
    (staffed.home / "keys" / "log-2.key").unlink()
    done = staffed.run("key", "new", "y", "--register", "--no-passphrase")
    assert done.error == "key-file-missing"


def test_a_checkpoint_that_lacks_one_of_the_two_is_refused(
    staffed: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    """While both are in force, neither key speaks for the log alone."""
    rotate(staffed)
    text = checkpoint_of(staffed)
    for name in ("log", "log-2"):
        key = key_of(staffed, name)
        checkpoint = parse_checkpoint(parse_note(text).text)
        alone = sign_checkpoint(checkpoint, ORIGIN, key)
        (staffed.home / "public" / "checkpoint").write_text(alone, encoding="utf-8")
        vkey = staffed.must("vkey")["vkeys"][name == "log-2"]
        status, document = verifier.run(staffed.home / "public", vkey, capsys)
        assert status == 4
        assert {note["code"] for note in document["notes"]} == {"not-signed"}


def test_the_checkpoint_of_a_stolen_retired_key_is_refused(
    staffed: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who steals a retired key signs nothing that anybody believes after it."""
    rotate(staffed)
    old, new = staffed.must("vkey")["vkeys"]
    stolen = key_of(staffed, "log")
    staffed.must("key", "retire", "log", "--yes")
    public = staffed.home / "public"
    checkpoint = parse_checkpoint(parse_note(checkpoint_of(staffed)).text)
    forged = sign_checkpoint(checkpoint, ORIGIN, stolen)
    (public / "checkpoint").write_text(forged, encoding="utf-8")
    for vkey in (old, new):
        status, document = verifier.run(public, vkey, capsys)
        assert status == 4
        assert {note["code"] for note in document["notes"]} == {"not-signed"}


def test_what_is_refused_before_anything_happens(staffed: Town) -> None:
    """A single key is not retired, a log key not revoked, nor rotated from afar."""
    size = staffed.size
    assert staffed.run("key", "retire", "log", "--yes").error == "last-log-key"
    assert staffed.run("key", "retire", "society", "--yes").error == "not-a-log-key"
    assert staffed.run("key", "revoke", "log", "--yes").error == "log-key"
    assert staffed.run("key", "retire", "log").code == 2
    assert staffed.run("key", "rotate", "log", "-o", "x").code == 2
    assert staffed.size == size
    (staffed.home / "keys" / "operator-root.key").unlink()
    done = staffed.run("key", "rotate", "log", "--no-passphrase")
    assert (done.error, staffed.size) == ("root-key-missing", size)
    assert not (staffed.home / "keys" / "log-2.key").exists()


def test_a_key_that_the_log_refused_is_taken_back(staffed: Town) -> None:
    """A fifth log key is refused, and leaves no file behind."""
    for _ in range(3):
        staffed.must("key", "rotate", "log", "--no-passphrase")
    done = staffed.run("key", "rotate", "log", "--no-passphrase")
    assert done.error == "too-many-log-keys"
    assert not (staffed.home / "keys" / "log-5.key").exists()
    assert staffed.must("audit")["ok"]


def test_a_rotation_that_cannot_begin_makes_no_key(staffed: Town) -> None:
    """While another writes, nothing is made, and the same command works afterwards."""
    before = sorted((staffed.home / "keys").iterdir())
    with WriterLock(staffed.home / "lock"):
        done = staffed.run("key", "rotate", "log", "--no-passphrase")
        assert (done.code, done.error) == (8, "home-in-use")
        assert "--to" in done.err
    assert sorted((staffed.home / "keys").iterdir()) == before
    rotate(staffed)


def test_each_step_says_what_comes_next(staffed: Town) -> None:
    """Policies and witnesses are told of, with the keys to give them."""
    old = staffed.vkey
    told = staffed.run("key", "rotate", "log", "--no-passphrase").err
    new = staffed.vkey
    assert f"log {new}" in told
    assert f"linernote witness add-log {new} --instead-of {old}" in told
    assert "linernote key retire log" in told
    told = staffed.run("key", "retire", "log", "--yes").err
    assert "linernote status" in told


def test_witnesses_of_the_policy_come_before_the_retirement(staffed: Town) -> None:
    """Without their cosignatures the new key would not be known to them."""
    rotate(staffed)
    witness = SigningKey(b"w" * 32)
    vkey = verifier_key("w.example/w", witness)
    policy = f"log {staffed.vkey}\nwitness w {vkey}\nquorum w\n"
    (staffed.home / "policy").write_text(policy, encoding="utf-8")
    done = staffed.run("key", "retire", "log", "--yes")
    assert (done.code, done.error) == (4, "policy-not-met")
    assert len(staffed.must("vkey")["vkeys"]) == 2


def verifier_key(name: str, key: SigningKey) -> str:
    """Format the verifier key of a witness."""
    return format_vkey(make_vkey(name, key.public, COSIGNATURE_TYPE))


def test_the_list_says_how_log_keys_stand(staffed: Town) -> None:
    """In force, retired, or of no log here."""
    rotate(staffed)
    staffed.must("key", "retire", "log", "--yes")
    keys = {each["name"]: each for each in staffed.must("key", "list")["keys"]}
    assert keys["log"]["standing"].startswith("retired by entry ")
    assert keys["log-2"]["standing"] == "signs checkpoints"
    assert keys["log-2"]["added"] == keys["log"]["revoked"] - 1
    stray = Path(staffed.home / "keys" / "stray.key")
    text = (staffed.home / "keys" / "log.key").read_text(encoding="ascii")
    stray.write_text(text.replace("name log\n", "name stray\n"), encoding="ascii")
    assert staffed.must("vkey")["vkey"] == staffed.vkey
