"""`linernote append`: what is taken in, and what is refused by which code."""

from __future__ import annotations

import json
import multiprocessing
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from ledger.storage.lock import WriterLock
from tests.cli.conftest import FEE_MICRO
from tests.cli.conftest import Town
from tests.cli.conftest import due
from tests.cli.conftest import grant
from tests.cli.conftest import run_open

TARIFF = {"amount": 1, "currency": "SEK", "per": "run"}


def event(kind: str, body: object, **more: object) -> str:
    """Write an event as a person would."""
    return json.dumps({"kind": kind, "body": body, **more})


def test_an_event_is_answered_with_index_and_leaf_hash(staffed: Town) -> None:
    """The answer names the very entry that the log then shows."""
    size = staffed.size
    told = staffed.must(
        "append", "-", "--key", "society", input=event("tariff", TARIFF)
    )
    (answer,) = told["answers"]
    entry = staffed.must("show", size)
    assert answer["index"] == size
    assert answer["repeated"] is False
    assert entry["leaf_hash"] == answer["leaf_hash"]
    assert entry["body"] == TARIFF
    assert told["checkpoint"]["size"] == size + 1


def test_people_read_the_same_answer(staffed: Town) -> None:
    """Without --json each entry is one line: index, leaf hash, kind."""
    size = staffed.size
    done = staffed.run("append", "-", "--key", "society", input=event("tariff", TARIFF))
    index, leaf_hash, kind = done.out.split()
    assert (done.code, int(index), kind) == (0, size, "tariff")
    assert len(leaf_hash) == 64


@pytest.mark.parametrize(
    "text",
    [
        "[{a}, {b}]",
        "{a}\n{b}\n",
        "\n{a}\n\n{b}",
        "  [\n{a},\n{b}\n]\n",
    ],
    ids=["list", "lines", "blank lines", "indented"],
)
def test_many_events_come_as_a_list_or_on_lines(staffed: Town, text: str) -> None:
    """One file holds many events, as a JSON list or as NDJSON."""
    size = staffed.size
    a, b = event("tariff", TARIFF), event("tariff", {**TARIFF, "amount": 2})
    told = staffed.must(
        *("append", "-", "--key", "society"),
        input=text.replace("{a}", a).replace("{b}", b),
    )
    assert [each["index"] for each in told["answers"]] == [size, size + 1]


def test_what_is_appended_is_published_before_the_command_ends(staffed: Town) -> None:
    """Whoever reads public/ next sees the new entry under a signed checkpoint."""
    index = staffed.say("tariff", TARIFF, "society")
    checkpoint = (staffed.home / "public" / "checkpoint").read_text(encoding="utf-8")
    assert checkpoint.splitlines()[1] == str(index + 1)
    assert staffed.run("prove", index).code == 0


def test_an_event_sent_again_is_the_same_entry(staffed: Town) -> None:
    """An id makes a file safe to send twice: the same index, and nothing is added."""
    text = event("tariff", TARIFF, id="0f" * 16)
    first = staffed.must("append", "-", "--key", "society", input=text)
    size = staffed.size
    again = staffed.must("append", "-", "--key", "society", input=text)
    assert again["answers"][0]["index"] == first["answers"][0]["index"]
    assert again["answers"][0]["repeated"] is True
    assert staffed.size == size


def test_a_file_sent_again_adds_only_what_is_new(staffed: Town) -> None:
    """Events known by their ids take no place in the chain of those after them."""
    known = [
        event("tariff", {**TARIFF, "amount": n}, id=f"{n:032x}") for n in range(1, 4)
    ]
    staffed.must("append", "-", "--key", "society", input="\n".join(known))
    size = staffed.size
    for atomic in ((), ("--atomic",)):
        text = "\n".join([*known, event("tariff", TARIFF)])
        told = staffed.must("append", "-", "--key", "society", *atomic, input=text)
        assert [each["repeated"] for each in told["answers"]] == [True] * 3 + [False]
        assert told["answers"][3]["index"] == size
        size += 1


def test_another_event_under_a_used_id_is_a_conflict(staffed: Town) -> None:
    """An id stands for one event for ever (exit 6)."""
    first = event("tariff", TARIFF, id="0f" * 16)
    staffed.must("append", "-", "--key", "society", input=first)
    other = event("tariff", {**TARIFF, "amount": 2}, id="0f" * 16)
    done = staffed.run("append", "-", "--key", "society", input=other)
    assert (done.code, done.error) == (6, "id-conflict")


def test_a_refused_event_leaves_the_others(staffed: Town) -> None:
    """Each event stands for itself; the exit code is that of the first refusal."""
    lines = [
        event("tariff", TARIFF),
        event("tariff", {**TARIFF, "currency": "NOK"}),
        event("tariff", {**TARIFF, "amount": 2}),
        event("licence.accept", {"grant": 0}),
        event("tariff", {**TARIFF, "amount": 3}),
    ]
    size = staffed.size
    done = staffed.run(
        *("append", "-", "--key", "society", "--json"), input="\n".join(lines)
    )
    answers = done.json["answers"]
    assert done.code == 3
    assert [each.get("index") for each in answers] == [
        size,
        None,
        size + 1,
        None,
        size + 2,
    ]
    assert answers[1]["error"]["code"] == "currency-unknown"
    assert answers[3]["error"]["code"] == "missing-role"
    assert answers[1]["where"] == "standard input, line 2"
    assert staffed.size == size + 3


def test_atomic_is_all_or_none(staffed: Town) -> None:
    """With --atomic one refusal leaves the log as it was."""
    lines = [event("tariff", TARIFF), event("tariff", {**TARIFF, "currency": "NOK"})]
    size = staffed.size
    done = staffed.run(
        *("append", "-", "--key", "society", "--atomic"), input="\n".join(lines)
    )
    assert (done.code, done.error) == (3, "currency-unknown")
    assert "error: standard input, line 2: " in done.err
    assert staffed.size == size


def test_the_receipt_comes_with_wait(staffed: Town) -> None:
    """With --wait the answer holds the proof, which verifies."""
    told = staffed.must(
        "append", "-", "--key", "society", "--wait", input=event("tariff", TARIFF)
    )
    Path("receipt.tlog-proof").write_text(told["answers"][0]["receipt"], "utf-8")
    done = staffed.run("verify", "receipt.tlog-proof", "--vkey", staffed.vkey)
    assert done.code == 0, done


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "bad-json"),
        ('{"kind": "tariff", "kind": "due", "body": {}}', "bad-json"),
        ('{"kind": "tariff", "body": {"amount": NaN}}', "bad-json"),
        ("[" * 100_000, "bad-json"),
        ('{"kind": "tariff", "body": {}}\n{"kind": ', "bad-json"),
        ("[1]", "bad-draft"),
        ('{"body": {}}', "bad-draft"),
        ('{"kind": "tariff"}', "bad-draft"),
        ('{"kind": "tariff", "body": {}, "author": "me"}', "bad-draft"),
        ('{"kind": "tariff", "body": {}, "time": "now"}', "bad-draft"),
        ('{"kind": "tariff", "body": {}, "id": "xx"}', "bad-hex"),
        (event("tarif", TARIFF), "unknown-kind"),
        (event("tariff", {**TARIFF, "colour": 1}), "bad-body"),
        (event("tariff", {"amount": 1, "per": "run"}), "bad-body"),
        (event("tariff", {**TARIFF, "amount": "1"}), "bad-body"),
        (event("tariff", {**TARIFF, "amount": 1.0}), "bad-body"),
        (event("tariff", {**TARIFF, "amount": True}), "bad-body"),
        (event("tariff", {**TARIFF, "amount": -1}), "bad-body"),
        (event("tariff", {**TARIFF, "amount": 2**63}), "bad-body"),
        (event("tariff", {**TARIFF, "amount": None}), "bad-body"),
        (event("tariff", {**TARIFF, "per": "day"}), "bad-body"),
        (
            event("accredit", {"action": "grant", "party": "AB", "role": "lab"}),
            "bad-hex",
        ),
        (
            event("accredit", {"action": "grant", "party": "ab", "role": "lab"}),
            "bad-body",
        ),
        (event("run.open", {}), "bad-body"),
        ("", "no-events"),
        (" []\n", "no-events"),
        ("abc\n", "bad-base64"),
        ("AAAA\n", "bad-signed-event"),
    ],
)
def test_what_is_no_event_is_refused_as_a_whole(
    staffed: Town, text: str, code: str
) -> None:
    """Malformed input exits 3, says where and what to do, and appends nothing."""
    size = staffed.size
    done = staffed.run("append", "-", "--key", "society", input=text)
    assert (done.code, done.error, done.out) == (3, code, "")
    assert "standard input" in done.err
    assert staffed.size == size


def test_a_bad_event_keeps_the_good_ones_before_it_off_the_log(staffed: Town) -> None:
    """Files are read to their ends before the first event of any is appended."""
    Path("good.json").write_text(event("tariff", TARIFF), encoding="utf-8")
    Path("bad.json").write_text(event("tariff", {}), encoding="utf-8")
    size = staffed.size
    for more in ((), ("--atomic",)):
        done = staffed.run("append", "good.json", "bad.json", "--key", "society", *more)
        assert (done.code, done.error) == (3, "bad-body")
        assert "bad.json" in done.err
        assert staffed.size == size


def test_a_slip_in_an_event_over_several_lines_is_found(staffed: Town) -> None:
    """One malformed document is not taken for many: line and column are told."""
    text = '{"kind": "tariff",\n "body": {amount: 1}}'
    done = staffed.run("append", "-", "--key", "society", input=text)
    assert (done.code, done.error) == (3, "bad-json")
    assert "line 2, column 11" in done.err


def test_input_that_is_not_text_is_refused(staffed: Town) -> None:
    """Bytes that are not UTF-8 are named by their place."""
    Path("events.json").write_bytes(b'{"kind": "\xff"}')
    done = staffed.run("append", "events.json", "--key", "society")
    assert (done.code, done.error) == (3, "bad-utf8")
    assert "byte 10" in done.err


def test_a_missing_file_and_a_folder_are_told_apart(staffed: Town) -> None:
    """A path that cannot be read exits 3 and is named."""
    missing = staffed.run("append", "nowhere.json", "--key", "society")
    folder = staffed.run("append", ".", "--key", "society")
    assert (missing.code, missing.error) == (3, "file-missing")
    assert (folder.code, folder.error) == (3, "bad-path")
    assert "nowhere.json" in missing.err


def test_events_that_are_not_signed_need_a_key(staffed: Town) -> None:
    """Who signs is never guessed."""
    done = staffed.run("append", "-", input=event("tariff", TARIFF))
    assert (done.code, done.error) == (3, "key-needed")
    done = staffed.run("append", "-", "--key", "log", input=event("tariff", TARIFF))
    assert (done.code, done.error) == (3, "log-key")
    done = staffed.run("append", "-", "--key", "bob", input=event("tariff", TARIFF))
    assert (done.code, done.error) == (3, "key-file-missing")
    assert "society" in done.err  # the keys that there are


def test_a_party_without_the_role_is_not_authorised(staffed: Town) -> None:
    """Authority is refused as such (exit 7)."""
    done = staffed.refused("tariff", TARIFF, "lab")
    assert (done.code, done.error) == (7, "missing-role")
    done = staffed.refused("tariff", TARIFF, "society-root")
    assert (done.code, done.error) == (7, "wrong-purpose")


def test_a_revoked_key_is_not_authorised(staffed: Town) -> None:
    """A revoked key signs nothing more (exit 7), and the way on is told."""
    staffed.must("key", "revoke", "society", "--yes")
    done = staffed.refused("tariff", TARIFF, "society")
    assert (done.code, done.error) == (7, "key-revoked")
    assert "key list" in done.err


def test_a_licence_that_nobody_accepted_cannot_be_billed(licensed: Town) -> None:
    """A grant binds nobody until the lab has accepted it."""
    lab = licensed.parties["lab"]
    offered = licensed.say("licence.grant", grant(licensed, lab), "society")
    done = licensed.refused("due", {**due(licensed), "licence": offered}, "society")
    assert (done.code, done.error) == (3, "licence-not-accepted")


def test_a_due_must_say_what_the_tariff_asks(licensed: Town) -> None:
    """The price is recomputed, and so is what the licence covers."""
    wrong = licensed.refused("due", {**due(licensed), "net": 1}, "society")
    assert (wrong.code, wrong.error) == (3, "due-amount")
    wrong = licensed.refused("due", {**due(licensed), "quantity": 7}, "society")
    assert (wrong.code, wrong.error) == (3, "due-quantity")


def test_lines_come_from_a_file(licensed: Town) -> None:
    """A body field with lines takes them from CSV, NDJSON or a plain list of ids."""
    forms = {
        "list.txt": "town:r1\ntown:r0\n",
        "table.csv": "external\ntown:r0\ntown:r1\n",
        "lines.ndjson": '{"external": "town:r1"}\n{"external": "town:r0"}\n',
    }
    for number, (name, text) in enumerate(forms.items(), 2):
        Path(name).write_text(text, encoding="utf-8")
        body = run_open(licensed, f"run-{number}")
        index = licensed.say("run.open", body, "lab", "--lines", f"dataset={name}")
        assert licensed.must("show", index)["body"]["dataset"]["lines"] == 2


def test_lines_belong_to_one_event_and_one_of_its_fields(licensed: Town) -> None:
    """What --lines cannot mean is refused before anything is appended."""
    Path("list.txt").write_text("town:r1\n", encoding="utf-8")
    one, other = (event("run.open", run_open(licensed, f"x{n}")) for n in range(2))
    append = ("append", "-", "--key", "lab", "--lines")
    done = licensed.run(*append, "dataset=list.txt", input=f"{one}\n{other}")
    assert (done.code, done.error) == (3, "lines-ambiguous")
    done = licensed.run(*append, "lines=list.txt", input=one)
    assert (done.code, done.error) == (3, "lines-unexpected")
    assert "dataset" in done.err
    done = licensed.run(*append, "dataset=nowhere.txt", input=one)
    assert (done.code, done.error) == (3, "file-missing")
    done = licensed.run(*append, "dataset", input=one)
    assert (done.code, done.error) == (2, "usage")
    done = licensed.run("append", "-", "--key", "lab", input=one)
    assert (done.code, done.error) == (3, "bad-body")
    assert "--lines dataset=FILE" in done.err


def test_bad_lines_are_refused_with_their_number(licensed: Town) -> None:
    """One bad line keeps the whole event off the log."""
    Path("list.csv").write_text("external\ntown:r1\nno id\n", encoding="utf-8")
    size = licensed.size
    done = licensed.refused(
        "run.open", run_open(licensed, "x"), "lab", "--lines", "dataset=list.csv"
    )
    assert (done.code, done.error) == (3, "rows-refused")
    assert "line 3" in done.err
    assert licensed.size == size


def test_payment_of_more_than_the_due_is_refused(licensed: Town) -> None:
    """What exceeds a due is prepaid, never applied."""
    index = licensed.say("due", due(licensed), "society")
    body = {
        "applies": [{"amount": FEE_MICRO + 1, "due": index}],
        "charges": 0,
        "currency": "SEK",
        "gross": FEE_MICRO + 1,
        "payer": licensed.parties["lab"],
    }
    done = licensed.refused("payment.received", body, "society")
    assert (done.code, done.error) == (3, "over-applied")


def _hold_lock(path: Path, held: Event, release: Event) -> None:
    with WriterLock(path):
        held.set()
        release.wait(60)


def test_two_writers_never_write_at_once(staffed: Town) -> None:
    """While one process writes, another is refused (exit 8), and reading goes on."""
    context = multiprocessing.get_context("spawn")
    held, release = context.Event(), context.Event()
    other = context.Process(
        target=_hold_lock, args=(staffed.home / "lock", held, release)
    )
    other.start()
    try:
        assert held.wait(60)
        done = staffed.refused("tariff", TARIFF, "society")
        assert (done.code, done.error) == (8, "home-in-use")
        assert str(other.pid) in done.err
        assert staffed.run("show", 0).code == 0
    finally:
        release.set()
        other.join(60)
    assert staffed.refused("tariff", TARIFF, "society").code == 0


def test_what_is_stored_and_not_published_is_told_so(staffed: Town) -> None:
    """Nobody sends it again: whoever writes next publishes it."""
    tiles = staffed.home / "public" / "tile"
    tiles.rename(staffed.home / "kept")
    tiles.write_bytes(b"in the way")
    size = staffed.size
    refused = staffed.refused("tariff", TARIFF, "society")
    assert (refused.code, refused.error) == (8, "publish-failed")
    assert f"all {size + 1} entries are stored" in refused.err
    tiles.unlink()
    (staffed.home / "kept").rename(tiles)
    assert staffed.refused("tariff", TARIFF, "society").code == 0
    assert staffed.must("status")["published"] == size + 2
    assert staffed.must("audit")["ok"]
