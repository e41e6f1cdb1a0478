"""Signing away from the log: heads, `linernote sign`, and what is appended of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import RECORDINGS
from tests.cli.conftest import Document
from tests.cli.conftest import Result
from tests.cli.conftest import Town
from tests.cli.conftest import run_command
from tests.cli.conftest import run_open

TARIFF = {"amount": 1, "currency": "SEK", "per": "run"}


def write_events(*bodies: Document, kind: str = "tariff", name: str = "e.json") -> str:
    """Write a file of events."""
    events = [json.dumps({"kind": kind, "body": body}) for body in bodies]
    Path(name).write_text("\n".join(events), encoding="utf-8")
    return name


def away(town: Town, *args: object) -> Result:
    """Run a command where there is no log home, but a copy of the keys."""
    return run_command(*args, LINERNOTE_KEYS=str(town.home / "keys"))


def test_events_signed_away_from_the_log_are_appended(staffed: Town) -> None:
    """A machine that never sees the log signs by its head alone."""
    head = staffed.run("head", "--key", "society", "--json").out
    Path("head.json").write_text(head, encoding="utf-8")
    write_events(TARIFF, {**TARIFF, "amount": 2})
    staffed.home.rename("elsewhere")
    done = run_command(
        *(
            "sign",
            "e.json",
            "--key",
            "society",
            "--head",
            "head.json",
            "-o",
            "e.signed",
        ),
        LINERNOTE_KEYS="elsewhere/keys",
    )
    assert done.code == 0, done
    Path("elsewhere").rename(staffed.home)
    size = staffed.size
    told = staffed.must("append", "e.signed")
    assert [each["index"] for each in told["answers"]] == [size, size + 1]
    again = staffed.must("append", "e.signed")
    assert [each["repeated"] for each in again["answers"]] == [True, True]


def test_the_head_of_a_key_goes_by_its_id_too(staffed: Town) -> None:
    """The operator gives the head of a key whose file is elsewhere."""
    (listed,) = [
        each
        for each in staffed.must("key", "list")["keys"]
        if each["name"] == "society"
    ]
    head = staffed.must("head", "--key", listed["key"])
    (key,) = head["keys"]
    assert key["name"] is None
    assert key["party"] == staffed.parties["society"]
    assert key["seq"] == 2  # the catalogue and its shares
    assert head["seen"]["index"] == head["size"] - 1
    assert head["vkey"] == staffed.vkey


def test_the_head_of_a_stranger_is_refused(staffed: Town) -> None:
    """A key that is not on the log has no head."""
    done = staffed.run("head", "--key", "00" * 32)
    assert (done.code, done.error) == (3, "key-unknown")
    done = staffed.run("head", "--key", "nobody")
    assert (done.code, done.error) == (3, "key-file-missing")


def test_without_an_output_file_the_signed_events_are_printed(staffed: Town) -> None:
    """What goes to standard output is what append reads from standard input."""
    signed = staffed.run("sign", write_events(TARIFF), "--key", "society")
    told = staffed.must("append", "-", input=signed.out)
    assert told["answers"][0]["kind"] == "tariff"


def test_a_signed_file_is_all_or_none(staffed: Town) -> None:
    """Events signed ahead are one batch: a refusal leaves none of them."""
    write_events(TARIFF, {**TARIFF, "currency": "NOK"})
    staffed.run("sign", "e.json", "--key", "society", "-o", "e.signed")
    size = staffed.size
    done = staffed.run("append", "e.signed")
    assert (done.code, done.error) == (3, "currency-unknown")
    assert "error: e.signed: line 2: " in done.err
    assert staffed.size == size


def test_events_out_of_sequence_are_a_conflict(staffed: Town) -> None:
    """What was signed before the key went on is refused (exit 6)."""
    staffed.run("sign", write_events(TARIFF), "--key", "society", "-o", "e.signed")
    staffed.say("tariff", {**TARIFF, "amount": 2}, "society")
    done = staffed.run("append", "e.signed")
    assert (done.code, done.error) == (6, "out-of-sequence")


def test_events_for_another_log_fail(staffed: Town, tmp_path: Path) -> None:
    """An event names its log; here it is no event at all (exit 4)."""
    other = Town(tmp_path / "other")
    init = ("init", "--origin", "other.example/log", "--currency", "SEK")
    other.must(*init, "--no-passphrase")
    head = staffed.must("head", "--key", "operator")
    head["log"] = other.must("head")["log"]
    Path("head.json").write_text(json.dumps(head), encoding="utf-8")
    event = write_events({"party": staffed.parties["society"]}, kind="party.verify")
    sign = ("sign", event, "--key", "operator", "--head", "head.json", "-o", "e.signed")
    assert away(staffed, *sign).code == 0
    done = staffed.run("append", "e.signed")
    assert (done.code, done.error) == (4, "wrong-log")
    done = other.run("append", "e.signed")
    assert (done.code, done.error) == (7, "key-unknown")


def test_a_signature_that_does_not_hold_fails(staffed: Town) -> None:
    """A signed event that was changed on its way is refused (exit 4)."""
    signed = staffed.run("sign", write_events(TARIFF), "--key", "society").out
    # The last characters of the line are of the signature.
    place = len(signed) - 12
    changed = "A" if signed[place] != "A" else "B"
    text = signed[:place] + changed + signed[place + 1 :]
    done = staffed.run("append", "-", input=text)
    assert (done.code, done.error) == (4, "bad-signature")


def test_a_file_that_was_cut_off_is_noticed(staffed: Town) -> None:
    """A last line without its line feed is not taken for the whole."""
    signed = staffed.run("sign", write_events(TARIFF), "--key", "society").out
    done = staffed.run("append", "-", input=signed.rstrip("\n"))
    assert (done.code, done.error) == (3, "bad-signed-event")


@pytest.fixture
def signed_run(licensed: Town) -> Town:
    """A run signed away from the log, over recordings in a file."""
    Path("list.txt").write_text("\n".join([*RECORDINGS[:2], ""]), encoding="utf-8")
    write_events(run_open(licensed, "away"), kind="run.open", name="run.json")
    sign = ("sign", "run.json", "--key", "lab", "--lines", "dataset=list.txt")
    assert licensed.run(*sign, "-o", "run.signed").code == 0
    return licensed


def test_lines_of_a_signed_event_are_given_again(signed_run: Town) -> None:
    """The appender gets the same file, and recomputes the root that was signed."""
    lines = ("--lines", "dataset=list.txt")
    told = signed_run.must("append", "run.signed", *lines)
    entry = signed_run.must("show", told["answers"][0]["index"])
    assert entry["body"]["dataset"]["lines"] == 2


def test_without_its_lines_a_signed_event_waits(signed_run: Town) -> None:
    """Lines that are missing cannot be verified (exit 5), and the way on is told."""
    done = signed_run.run("append", "run.signed")
    assert (done.code, done.error) == (5, "manifest-lines-missing")
    assert "--lines" in done.err


def test_other_lines_than_signed_fail(signed_run: Town) -> None:
    """Lines that give another root are not those that were signed (exit 4)."""
    Path("list.txt").write_text("town:r5\n", encoding="utf-8")
    done = signed_run.run("append", "run.signed", "--lines", "dataset=list.txt")
    assert (done.code, done.error) == (4, "manifest-root-mismatch")


def test_a_signed_file_is_not_signed_again(staffed: Town) -> None:
    """Events that are signed are for append."""
    signed = staffed.run("sign", write_events(TARIFF), "--key", "society").out
    Path("e.signed").write_text(signed, encoding="utf-8")
    done = staffed.run("sign", "e.signed", "--key", "society")
    assert (done.code, done.error) == (3, "signed-already")


def test_no_file_is_written_over(staffed: Town) -> None:
    """An output file that is there stays as it is (exit 6)."""
    Path("out").write_text("mine", encoding="utf-8")
    sign = ("sign", write_events(TARIFF), "--key", "society", "-o", "out")
    done = staffed.run(*sign)
    assert (done.code, done.error) == (6, "file-exists")
    assert Path("out").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("text", ["", "{}", '{"log": "00"}', "[]", "head"])
def test_what_is_no_head_is_refused(staffed: Town, text: str) -> None:
    """A head is what `linernote head --json` printed, and nothing else."""
    Path("head.json").write_text(text, encoding="utf-8")
    sign = ("sign", write_events(TARIFF), "--key", "society", "--head", "head.json")
    done = away(staffed, *sign)
    assert (done.code, done.error) == (3, "bad-head")


def test_a_head_without_the_key_says_what_to_ask_for(staffed: Town) -> None:
    """The signer learns the very command that the operator has to run."""
    head = staffed.run("head", "--key", "lab", "--json").out
    Path("head.json").write_text(head, encoding="utf-8")
    sign = ("sign", write_events(TARIFF), "--key", "society", "--head", "head.json")
    done = away(staffed, *sign)
    assert (done.code, done.error) == (3, "key-unknown")
    assert "linernote head --key" in done.err
