"""`linernote key`: parties get keys, put new ones in their place, and revoke them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.errors import HomeError
from ledger.log import Log
from ledger.storage.lock import WriterLock
from tests.cli.conftest import Document
from tests.cli.conftest import Run
from tests.cli.conftest import Town
from tests.cli.conftest import run_command

TARIFF = {"amount": 1, "currency": "SEK", "per": "run"}


def keys_of(town: Town) -> dict[str, Document]:
    """List the keys of a town by name."""
    listed = town.must("key", "list")["keys"]
    return {each["name"]: each for each in listed}


def test_registering_a_party_brings_it_and_its_keys_on_the_log(bare: Town) -> None:
    """One command: the party, its role, its root and its sign key, all or none."""
    new = ("key", "new", "birch", "--role", "society", "--register", "--no-passphrase")
    told = bare.must(*new, "--external", "ipi:00001", "--type", "group")
    assert [key["purpose"] for key in told["keys"]] == ["root", "sign"]
    kinds = [bare.must("show", index)["kind"] for index in told["entries"]]
    assert kinds == ["party", "accredit", "key"]
    party = bare.must("show", told["entries"][0])["body"]
    assert (party["external"], party["type"]) == ("ipi:00001", "group")
    keys = keys_of(bare)
    assert keys["birch"]["added"] == told["entries"][2]
    assert keys["birch-root"]["party"] == keys["birch"]["party"] == told["party"]
    assert bare.refused("tariff", TARIFF, "birch").code == 0


def test_a_lab_on_its_own_machine(
    bare: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys made away from the log come on it by two files that the operator appends."""
    head = bare.run("head", "--json").out
    lab = tmp_path / "lab"
    lab.mkdir()
    monkeypatch.chdir(lab)
    Path("head.json").write_text(head, encoding="utf-8")
    new = ("key", "new", "alder", "--role", "lab", "--head", "head.json")
    done = run_command(*new, "--no-passphrase")
    assert done.code == 0, done
    assert sorted(path.name for path in lab.iterdir()) == [
        *("alder.party.json", "alder.signed", "head.json", "linernote-keys")
    ]
    assert "linernote-keys" in done.err
    files = (lab / "alder.party.json", lab / "alder.signed")
    told = bare.must("append", *files, "--key", "operator")
    assert [each["kind"] for each in told["answers"]] == ["party", "accredit", "key"]
    again = bare.must("append", *files, "--key", "operator")
    assert all(each["repeated"] for each in again["answers"])
    shutil.copy(lab / "linernote-keys" / "alder.key", bare.home / "keys")
    version = {"model": "m", "parents": [], "synthetic": [], "version": "1"}
    assert bare.refused("model.version", version, "alder").code == 0


def test_an_artist_of_a_manifest_gets_keys(staffed: Town) -> None:
    """A party without keys gets its first by the registrar, who cites its line."""
    new = ("key", "new", "ada", "--party", "town:ada", "--register", "--no-passphrase")
    told = staffed.must(*new)
    first = staffed.must("show", told["entries"][0])
    assert first["kind"] == "key"
    assert first["body"]["source"][0] == staffed.at["party"]
    party = staffed.must("search", "town:ada")["found"][0]["key"]
    assert told["party"] == party


def test_an_artist_elsewhere_cites_the_line_by_hand(staffed: Town) -> None:
    """Without the log at hand, --party and --source say who it is and where."""
    head = staffed.run("head", "--json").out
    Path("head.json").write_text(head, encoding="utf-8")
    with_keys = staffed.must("search", "town:bo")["found"][0]["key"]
    parties = staffed.must("show", staffed.at["party"])["body"]["parties"]["lines"]
    for line in range(1, parties + 1):
        done = run_command(
            *("key", "new", f"bo{line}", "--party", with_keys),
            *("--source", f"{staffed.at['party']}:{line}", "--head", "head.json"),
            *("--keys", "bo-keys", "--no-passphrase"),
        )
        assert done.code == 0, done
        files = (f"bo{line}.party.json", f"bo{line}.signed")
        done = staffed.run("append", *files, "--key", "operator")
        if done.code == 0:
            break
        assert "does not hold party" in done.err
    assert done.code == 0


def test_a_party_with_keys_of_its_own_is_no_party_of_a_manifest(staffed: Town) -> None:
    """--party is for those without keys; the others' root keys add more."""
    party = staffed.parties["lab"]
    new = ("key", "new", "x", "--party", party, "--register", "--no-passphrase")
    done = staffed.run(*new)
    assert (done.code, done.error) == (3, "party-has-keys")


def test_every_command_that_appends_publishes(staffed: Town) -> None:
    """Whatever appended, public/ shows it before the command ends."""
    for command in (
        ("key", "new", "x", "--register", "--no-passphrase"),
        ("key", "new", "x-b", "--of", "x", "--register", "--no-passphrase"),
        ("key", "rotate", "x", "--no-passphrase"),
        ("key", "revoke", "x-b", "--yes"),
    ):
        entries = staffed.must(*command)["entries"]
        checkpoint = (staffed.home / "public" / "checkpoint").read_text("utf-8")
        assert int(checkpoint.splitlines()[1]) == entries[-1] + 1 == staffed.size


def test_a_second_sign_key_signs_beside_the_first(staffed: Town) -> None:
    """Parallel signers have a key each, with a chain of its own."""
    new = ("key", "new", "society-b", "--of", "society", "--register")
    told = staffed.must(*new, "--no-passphrase")
    assert told["party"] == staffed.parties["society"]
    for name in ("society", "society-b", "society"):
        assert staffed.refused("tariff", TARIFF, name).code == 0


def test_rotation_puts_a_new_key_in_place(staffed: Town) -> None:
    """The new key signs, the old one does not any more, what it signed stands."""
    told = staffed.must("key", "rotate", "society", "--no-passphrase")
    (made,) = told["keys"]
    assert made["name"] == "society-2"
    assert staffed.refused("tariff", TARIFF, "society").error == "key-revoked"
    assert staffed.refused("tariff", TARIFF, "society-2").code == 0
    told = staffed.must(
        "key", "rotate", "society-2", "--as", "winter", "--no-passphrase"
    )
    assert told["keys"][0]["name"] == "winter"
    assert staffed.must("audit")["problems"] == []


def test_a_root_key_rotates_itself(staffed: Town) -> None:
    """A root key adds its successor, which then rules alone."""
    staffed.must("key", "rotate", "society-root", "--as", "zz-root", "--no-passphrase")
    keys = keys_of(staffed)
    assert keys["society-root"]["revoked"] is not None
    told = staffed.must("key", "rotate", "society", "--no-passphrase")
    signed_by = staffed.must("show", told["entries"][0])["event"]["key"]
    assert signed_by == keys["zz-root"]["key"]


def test_rotation_away_from_the_log(staffed: Town) -> None:
    """With a head, both events go into one file for the operator."""
    head = staffed.run("head", "--key", "society-root", "--json").out
    Path("head.json").write_text(head, encoding="utf-8")
    shutil.copytree(staffed.home / "keys", "keys")
    done = run_command(
        *("key", "rotate", "society", "--head", "head.json", "-o", "turn"),
        *("--keys", "keys", "--no-passphrase"),
    )
    assert done.code == 0, done
    staffed.must("append", "turn.signed")
    assert keys_of(staffed)["society"]["revoked"] is not None
    assert not Path("turn.party.json").exists()


def test_a_sign_key_revokes_itself(staffed: Town) -> None:
    """Where the root key is in a drawer, a sign key still ends itself."""
    (staffed.home / "keys" / "society-root.key").unlink()
    staffed.must("key", "revoke", "society", "--yes")
    assert keys_of(staffed)["society"]["revoked"] is not None


def test_a_key_that_was_lost_is_revoked_by_its_id(staffed: Town) -> None:
    """Without its file, the root key revokes it by id."""
    lost = keys_of(staffed)["society"]["key"]
    (staffed.home / "keys" / "society.key").unlink()
    assert staffed.run("key", "revoke", lost).code == 2
    staffed.must("key", "revoke", lost, "--by", "society-root", "--yes")
    done = staffed.run("key", "revoke", lost, "--by", "society-root", "--yes")
    assert (done.code, done.error) == (3, "key-not-in-force")


def test_nobody_revokes_the_keys_of_others(staffed: Town) -> None:
    """A root key reaches its own party's keys alone."""
    lab = keys_of(staffed)["lab"]["key"]
    done = staffed.run("key", "revoke", lab, "--by", "society-root", "--yes")
    assert done.code in {3, 7}
    assert keys_of(staffed)["lab"]["revoked"] is None


@pytest.mark.parametrize(
    "command",
    [
        ("key", "new", "birch", "--role", "society", "--register"),
        ("key", "new", "society-b", "--of", "society", "--register"),
        ("key", "rotate", "society"),
    ],
)
def test_keys_of_a_command_that_never_wrote_are_taken_back(
    staffed: Town, command: tuple[str, ...]
) -> None:
    """While another writes, nothing is made: the same command works afterwards."""
    before = sorted((staffed.home / "keys").iterdir())
    with WriterLock(staffed.home / "lock"):
        done = staffed.run(*command, "--no-passphrase")
        assert (done.code, done.error) == (8, "home-in-use")
    assert sorted((staffed.home / "keys").iterdir()) == before
    staffed.must(*command, "--no-passphrase")


def test_keys_whose_fate_is_unknown_stay(
    bare: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the log may have taken the keys in, their files are not removed."""

    def fail(*_: object, **__: object) -> None:
        raise HomeError("commit-unknown", "the disk failed")

    monkeypatch.setattr(Log, "append", fail)
    done = bare.run("key", "new", "birch", "--register", "--no-passphrase")
    assert done.error == "commit-unknown"
    assert (bare.home / "keys" / "birch.key").exists()


def test_files_for_another_are_written_whole_or_not_at_all(
    bare: Town, tmp_path: Path
) -> None:
    """Where the files cannot be written, neither they nor the keys stay behind."""
    new = ("key", "new", "birch", "--no-passphrase", "-o", tmp_path / "none" / "birch")
    assert bare.run(*new).code != 0
    assert not (bare.home / "keys" / "birch.key").exists()
    (tmp_path / "none").mkdir()
    assert bare.run(*new).code == 0


def test_keys_that_the_log_refused_are_taken_back(staffed: Town) -> None:
    """After a refusal the same command can be tried again."""
    before = set(keys_of(staffed))
    new = ("key", "new", "elm", "--register", "--no-passphrase", "--registrar")
    done = staffed.run(*new, "society")
    assert (done.code, done.error) == (7, "missing-role")
    assert set(keys_of(staffed)) == before
    assert staffed.run(*new, "operator").code == 0


def test_a_name_is_given_once(staffed: Town) -> None:
    """A key file is never overwritten (exit 6), and nothing is half made."""
    for name in ("society", "society-root"):
        done = staffed.run("key", "new", name, "--no-passphrase")
        assert (done.code, done.error) == (6, "key-file-exists")
    (staffed.home / "keys" / "society.key").unlink()
    before = set(keys_of(staffed))
    done = staffed.run("key", "new", "society", "--no-passphrase")
    assert (done.code, done.error) == (6, "key-file-exists")
    assert set(keys_of(staffed)) == before


@pytest.mark.parametrize("name", ["", "a b", "../x", "-x", ".x", "é", "x" * 65])
def test_names_are_file_names_without_surprises(bare: Town, name: str) -> None:
    """A name that could mean something to a shell or a file system is refused."""
    done = bare.run("key", "new", "--no-passphrase", "--", name)
    assert (done.code, done.error) == (3, "bad-name")


@pytest.mark.parametrize(
    "options",
    [
        ("--of", "operator", "--role", "lab"),
        ("--register", "-o", "x"),
        ("--role", "king"),
        ("--party", "00" * 16, "--source", "3"),
    ],
)
def test_options_that_exclude_one_another(bare: Town, options: tuple[str, ...]) -> None:
    """What makes no sense is wrong usage (exit 2)."""
    done = bare.run("key", "new", "x", "--no-passphrase", *options)
    assert (done.code, done.error) == (2, "usage")


def test_without_a_log_a_new_key_says_what_it_needs(run: Run) -> None:
    """A proof of possession is for one log: without its head no key is made."""
    done = run("key", "new", "x", "--no-passphrase")
    assert (done.code, done.error) == (3, "home-missing")
    assert not Path("linernote-keys").exists()


def test_the_list_tells_how_each_key_stands(staffed: Town) -> None:
    """Name, purpose, party, id, lock, and since which entry, or until which."""
    staffed.must("key", "revoke", "lab", "--yes")
    text = staffed.run("key", "list").out
    assert "revoked by entry" in text
    assert "signs checkpoints" in text
    keys = keys_of(staffed)
    assert set(keys) == {
        *("lab", "lab-root", "log", "operator", "operator-root"),
        *("society", "society-root"),
    }
    assert keys["log"]["standing"] == "signs checkpoints"


def test_an_empty_folder_of_keys_is_no_error(run: Run) -> None:
    """A list of nothing is empty."""
    done = run("key", "list", "--json")
    assert (done.code, done.json["keys"]) == (0, [])


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-5],
        lambda text: text.replace("public ", "public 0"),
        lambda text: text.replace("linernote", "linernot"),
        lambda text: text[:0] + "\0" * 10_000,
        lambda text: text[:0],
    ],
    ids=["cut", "edited", "another format", "binary", "empty"],
)
def test_a_damaged_key_file_is_named(bare: Town, damage: Callable[[str], str]) -> None:
    """A key file that is not as it was written is refused, with its path."""
    path = bare.home / "keys" / "operator.key"
    path.write_text(damage(path.read_text(encoding="utf-8")), encoding="utf-8")
    done = bare.refused("party.verify", {"party": "00" * 16}, "operator")
    assert done.code == 3
    assert done.error.startswith("bad-")
    assert str(path) in done.err
    assert bare.run("key", "list").code == 3


def test_a_key_file_under_another_name_is_refused(bare: Town) -> None:
    """A renamed file does not pass for another key."""
    (bare.home / "keys" / "operator.key").rename(bare.home / "keys" / "me.key")
    done = bare.refused("party.verify", {"party": "00" * 16}, "me")
    assert (done.code, done.error) == (3, "bad-key-file")
    assert "operator" in done.err


def test_files_for_the_operator_hold_nothing_secret(bare: Town) -> None:
    """Public keys and proofs travel; seeds stay in the key files."""
    bare.must("key", "new", "x", "--no-passphrase")
    secret = (bare.home / "keys" / "x.key").read_text("utf-8").split("secret ")[1]
    for name in ("x.party.json", "x.signed"):
        assert secret.strip() not in Path(name).read_text(encoding="utf-8")
    events = Path("x.party.json").read_text(encoding="utf-8").splitlines()
    assert [json.loads(event)["kind"] for event in events] == ["party"]
    assert (bare.home / "keys" / "x.key").stat().st_mode & 0o777 == 0o600


def test_nothing_is_revoked_unasked(staffed: Town) -> None:
    """Without a terminal, and without --yes, a revocation is wrong usage."""
    size = staffed.size
    done = staffed.run("key", "revoke", "lab")
    assert (done.code, done.error) == (2, "usage")
    assert "--yes" in done.err
    assert staffed.size == size


def test_the_last_root_key_is_not_revoked_in_silence(staffed: Town) -> None:
    """Whoever revokes a party's last root key reads what can't be done without it."""
    last = "the last root key of party " + staffed.parties["lab"]
    assert last not in staffed.run("key", "revoke", "lab", "--yes").err
    made = staffed.run("key", "rotate", "lab-root", "--no-passphrase")
    assert (made.code, last in made.err) == (0, False)
    done = staffed.run("key", "revoke", "lab-root-2", "--yes")
    assert done.code == 0
    assert last in done.err
    assert "no key can be added" in done.err
