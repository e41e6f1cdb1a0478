"""`linernote init`, `vkey`, `head`, `name`, and homes that are not whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.cli import signing
from ledger.storage.poison import mark_poisoned
from ledger.writer import boot_id
from tests.cli.conftest import ORIGIN
from tests.cli.conftest import Run
from tests.cli.conftest import Town
from tests.cli.conftest import run_command

INIT = ("init", "--origin", ORIGIN, "--currency", "SEK")
READING = [
    ("vkey",),
    ("head",),
    ("show", 0),
    ("search", "x"),
    ("balances",),
    ("statement", "x"),
    ("prove", 0),
    ("audit",),
    ("serve", "--port", 0),
]
WRITING = [
    ("append", "-", "--key", "operator"),
    ("rebuild",),
    ("payout", "--currency", "SEK", "--key", "operator"),
    ("key", "rotate", "operator", "--no-passphrase"),
]
EVENT = '{"kind": "party.verify", "body": {"party": "' + "00" * 16 + '"}}'


def test_a_new_log_has_three_keys_and_two_entries(run: Run) -> None:
    """Genesis by the root key, then the operator's sign key, then a checkpoint."""
    done = run(*INIT, "--currency", "JPY", "--no-passphrase", "--utc-offset", "-05:30")
    assert done.code == 0, done
    home = Path("linernote-home")
    names = sorted(path.name for path in (home / "keys").iterdir())
    assert names == ["log.key", "operator-root.key", "operator.key"]
    publics = {
        line
        for path in (home / "keys").iterdir()
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith("public ")
    }
    assert len(publics) == 3
    genesis = json.loads(run("show", 0, "--json").out)
    assert genesis["body"]["currencies"] == [
        {"code": "JPY", "exponent": 0},
        {"code": "SEK", "exponent": 2},
    ]
    assert genesis["body"]["utc_offset"] == -330
    assert genesis["body"]["origin"] == ORIGIN
    added = json.loads(run("show", 1, "--json").out)
    assert (added["kind"], added["event"]["seq"]) == ("key", 1)
    assert run("audit").code == 0
    assert home.stat().st_mode & 0o777 == 0o700


def test_init_prints_the_vkey_and_what_to_do_next(run: Run) -> None:
    """Whoever made a log knows what to publish and where to go on."""
    done = run(*INIT, "--no-passphrase", "--home", "a home")
    assert run("vkey", "--home", "a home").out.strip() in done.out
    assert "linernote key new" in done.err
    assert "--home 'a home'" in done.err


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--origin", "a b", "--currency", "SEK"), "bad-key-name"),
        (("--origin", "linernote/x", "--currency", "SEK"), "bad-origin"),
        (("--origin", "https://a.b/c", "--currency", "SEK"), "bad-origin"),
        (("--origin", "a+b", "--currency", "SEK"), "bad-key-name"),
        (("--origin", "a", "--currency", "XXZ"), "bad-currency"),
        (("--origin", "a", "--currency", "sek"), "bad-currency"),
        (("--origin", "a", "--currency", "SEK=7"), "bad-currency"),
        (
            ("--origin", "a", "--currency", "SEK", "--currency", "SEK"),
            "currency-doubled",
        ),
    ],
)
def test_what_no_log_can_be_is_refused(
    run: Run, options: tuple[str, ...], code: str
) -> None:
    """A bad origin or currency exits 3 and leaves nothing behind."""
    done = run("init", *options, "--no-passphrase")
    assert (done.code, done.error) == (3, code)
    assert list(Path().iterdir()) == []


def test_a_log_is_never_overwritten(bare: Town) -> None:
    """A folder that is not empty is refused (exit 6), before any passphrase."""
    before = bare.vkey
    done = bare.run(*INIT)
    assert (done.code, done.error) == (6, "home-exists")
    assert bare.vkey == before


def test_a_folder_that_cannot_be_written_is_told(run: Run) -> None:
    """A place that is a file, or below one, is no place for a home."""
    Path("file").write_text("x", encoding="utf-8")
    for home in ("file", "file/home"):
        done = run(*INIT, "--no-passphrase", "--home", home)
        assert (done.code, done.error) in {(3, "bad-path"), (6, "file-exists")}
        assert "file" in done.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_without_permission_is_told(run: Run) -> None:
    """A folder that this account may not write to exits 8."""
    Path("shut").mkdir(mode=0o500)
    done = run(*INIT, "--no-passphrase", "--home", "shut/home")
    assert (done.code, done.error) == (8, "not-permitted")


@pytest.mark.parametrize("command", [*READING, *WRITING])
def test_a_missing_home_is_told_with_the_way_to_make_one(
    run: Run, command: tuple[object, ...]
) -> None:
    """Every command says that there is no home, and makes none."""
    done = run(*command, input=EVENT)
    assert done.code == 3
    assert done.error in {"home-missing", "key-file-missing"}
    assert not Path("linernote-home").exists()


@pytest.mark.parametrize("command", [*READING, ("rebuild",)])
@pytest.mark.parametrize("part", ["ledger.db", "public", "keys"])
def test_a_home_that_lacks_a_part_is_refused(
    bare: Town, command: tuple[object, ...], part: str
) -> None:
    """A half-written or damaged home refuses to run (exit 8), and is left alone."""
    (bare.home / part).rename(bare.home / "gone")
    done = bare.run(*command, input=EVENT)
    assert (done.code, done.error) == (8, "home-incomplete")
    assert part in done.err


def test_a_database_that_is_none_is_refused(bare: Town) -> None:
    """A damaged database exits 8 with the way on."""
    (bare.home / "ledger.db").write_bytes(b"not a database" * 100)
    done = bare.run("show", 0)
    assert (done.code, done.error) == (8, "store-damaged")
    assert "backup" in done.err


def test_a_damaged_file_of_names_is_told(bare: Town) -> None:
    """Names are beside the point, but what is there must be readable."""
    (bare.home / "names.json").write_text("{", encoding="utf-8")
    done = bare.run("show", 0)
    assert (done.code, done.error) == (8, "names-damaged")


def test_a_poisoned_home_opens_only_after_an_audit(bare: Town) -> None:
    """After a failed sync nothing writes before a restart and a passed audit."""
    mark_poisoned(bare.home, boot_id(), "commit: disk I/O error")
    done = bare.run("append", "-", "--key", "operator", input=EVENT)
    assert (done.code, done.error) == (8, "home-poisoned")
    assert bare.run("audit").code == 8
    (bare.home / "poisoned").unlink()
    mark_poisoned(bare.home, "an earlier start", "commit: disk I/O error")
    done = bare.run("append", "-", "--key", "operator", input=EVENT)
    assert (done.code, done.error) == (8, "home-unverified")
    assert bare.run("audit").code == 0
    done = bare.run("append", "-", "--key", "operator", input=EVENT)
    assert (done.code, done.error) == (3, "party-unknown")


def test_a_failed_audit_leaves_the_marker(bare: Town) -> None:
    """A log that was poisoned and does not hold stays shut."""
    mark_poisoned(bare.home, "an earlier start", "commit: disk I/O error")
    (bare.home / "public" / "more").write_text("x", encoding="utf-8")
    assert bare.run("audit").code == 4
    done = bare.run("append", "-", "--key", "operator", input=EVENT)
    assert (done.code, done.error) == (8, "home-unverified")


def test_passphrases_come_from_the_environment(run: Run) -> None:
    """LINERNOTE_PASSPHRASE locks the keys, and opens them again."""
    made = run(*INIT, LINERNOTE_PASSPHRASE="tea for two")
    assert made.code == 0, made
    text = Path("linernote-home/keys/operator.key").read_text(encoding="utf-8")
    assert "kdf argon2id" in text
    append = ("append", "-", "--key", "operator")
    done = run(*append, input=EVENT, LINERNOTE_PASSPHRASE="tea for two")
    assert done.error == "party-unknown"  # it was signed, and judged
    done = run(*append, input=EVENT, LINERNOTE_PASSPHRASE="coffee")
    assert (done.code, done.error) == (3, "wrong-passphrase")
    done = run(*append, input=EVENT)
    assert (done.code, done.error) == (3, "passphrase-needed")
    assert "LINERNOTE_PASSPHRASE" in done.err
    done = run("init", "--origin", "b", "--currency", "SEK", "--home", "b")
    assert (done.code, done.error) == (3, "passphrase-needed")
    assert not Path("b").exists()


def test_passphrases_are_asked_for_once(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A passphrase that opened one key is tried on the next; a slip may be mended."""
    monkeypatch.setattr(signing, "_check_terminal", lambda _: None)
    assert run(*INIT, input="tea\ntea\n").code == 0
    path = Path("event.json")
    path.write_text(EVENT, encoding="utf-8")
    append = ("append", "event.json", "--key", "operator")
    done = run(*append, input="coffee\ntea\n")
    assert done.error == "party-unknown"
    assert "try again" in done.err
    done = run(*append, input="coffee\ncocoa\nmilk\n")
    assert (done.code, done.error) == (3, "wrong-passphrase")
    done = run(*append, input="")
    assert done.code == 130  # the input ended: nobody is there
    done = run(
        "init", "--origin", "b", "--currency", "SEK", "--home", "b", input="a\nb\n"
    )
    assert done.code == 130
    assert not Path("b").exists()


def test_a_terminal_is_asked_for_the_passphrase(tmp_path: Path) -> None:
    """On a terminal the passphrase is asked for twice, and not shown."""
    script = (
        "import os, pty, sys\n"
        "pid, fd = pty.fork()\n"
        "if pid == 0:\n"
        "    python = [sys.executable, '-m', 'ledger', *sys.argv[1:]]\n"
        "    os.execv(sys.executable, python)\n"
        "seen = b''\n"
        "for asked in (b'new log', b'Once more'):\n"
        "    while asked not in seen:\n"
        "        seen += os.read(fd, 1024)\n"
        "    os.write(fd, b'cocoa-7\\n')\n"
        "try:\n"
        "    while chunk := os.read(fd, 1024):\n"
        "        seen += chunk\n"
        "except OSError:\n"
        "    pass\n"
        "sys.stdout.buffer.write(seen)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n"
    )
    root = Path(__file__).resolve().parents[2]
    variables = {**os.environ, "PYTHONPATH": str(root)}
    variables.pop(signing.PASSPHRASE_VARIABLE, None)
    done = subprocess.run(
        [sys.executable, "-c", script, *INIT],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=variables,
        check=False,
    )
    assert done.returncode == 0, done
    assert "a new log" in done.stdout
    assert "cocoa-7" not in done.stdout


def test_the_vkey_stands_alone_on_its_line(bare: Town) -> None:
    """Scripts take the verifier key as it is printed."""
    done = bare.run("vkey")
    assert done.out.count("\n") == 1
    assert done.out.startswith(f"{ORIGIN}+")
    vkey = done.out.strip()
    assert bare.must("vkey") == {"vkey": vkey, "vkeys": [vkey], "retired": []}


def test_the_head_tells_where_the_log_stands(staffed: Town) -> None:
    """Log id, newest entry, and the chains of the keys that are here."""
    head = staffed.must("head")
    newest = staffed.must("show", head["size"] - 1)
    assert head["seen"]["leaf_hash"] == newest["leaf_hash"]
    assert head["log"] == newest["event"]["log"]
    names = {key["name"] for key in head["keys"]}
    assert names == {"lab", "lab-root", "operator", "operator-root"} | {
        *("society", "society-root")
    }
    text = staffed.run("head").out
    assert head["log"] in text
    assert "key society " in text


def test_names_are_given_shown_and_erased(staffed: Town) -> None:
    """A name is shown wherever its party is, and leaves nothing when it is erased."""
    society = staffed.parties["society"]
    assert staffed.run("name", society, "Society Birch").code == 0
    assert "Society Birch" in staffed.must("show", staffed.at["catalogue"])["sentence"]
    assert staffed.must("search", "birch")["found"][0]["key"] == society
    assert staffed.run("name", "town:r0", "Nine Lamps").code == 0
    assert staffed.must("search", "lamps")["found"][0]["key"] == "town:r0"
    assert staffed.run("name", "Society Birch", "--erase").code == 0
    assert "Birch" not in (staffed.home / "names.json").read_text(encoding="utf-8")
    done = staffed.run("name", society, "--erase")
    assert (done.code, done.error) == (3, "name-unknown")
    done = staffed.run("name", "nobody", "x")
    assert (done.code, done.error) == (3, "party-unknown")
    done = staffed.run("name", "town:r99", "x")
    assert (done.code, done.error) == (3, "recording-unknown")


def test_a_home_is_made_whole_or_not_at_all(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure in the middle of init leaves no folder that looks like a home."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ledger.writer.publish", full)
    done = run_command(*INIT, "--no-passphrase")
    assert (done.code, done.error) == (8, "disk-full")
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    ("name", "said"), [("", "--erase"), (" ", "--erase"), ("x" * 201, "at most 200")]
)
def test_names_that_cannot_be_shown_are_refused(
    bare: Town, name: str, said: str
) -> None:
    """An empty name is no way to erase one, and a long one would be shown cut off."""
    operator = bare.parties["operator"]
    done = bare.run("name", operator, name)
    assert (done.code, done.error) == (2, "usage")
    assert said in done.err
    assert bare.run("name", operator, "x" * 200).code == 0
