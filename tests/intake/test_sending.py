"""`linernote append --to URL`: signed here, sent there, believed for reasons."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from ledger.anchor import VARIABLE
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.note import COSIGNATURE_TYPE
from ledger.tlog.note import format_vkey
from ledger.tlog.note import make_vkey
from ledger.tlog.note import parse_vkey
from ledger.tlog.proof import parse_proof
from ledger.tlog.proof import verify_proof
from tests.cli.conftest import Town
from tests.cli.conftest import run_command
from tests.intake.places import log_key
from tests.intake.places import serving
from tests.intake.sending import answers
from tests.intake.sending import memory
from tests.intake.sending import send
from tests.intake.sending import versions


def test_a_machine_without_a_home_appends(town: Town, away: Path, url: str) -> None:
    """Events in order, in many batches, with nothing but a key and an address."""
    names = [f"v{number}" for number in range(600)]
    size = town.size
    said = answers(send(url, versions(*names)))
    assert [each["index"] for each in said] == list(range(size, size + 600))
    again = answers(send(url, versions("more")))
    assert again[0]["index"] == size + 600
    assert not (away / "linernote-home").exists()


def test_refusals_leave_the_others(town: Town, away: Path, url: str) -> None:
    """What the log refuses is shown with its code, and what comes after it goes in."""
    result = send(url, versions("a", "b", "a", "c"))
    assert result.code == 6 or result.code in {3, 7}
    said = result.json["answers"]
    assert ["error" in each for each in said] == [False, False, True, False]
    refused = send(url, versions("d", "a"), "--atomic")
    assert refused.code == result.code
    assert refused.error == said[2]["error"]["code"]
    assert refused.json["error"]["message"].startswith("standard input, line 2: ")
    assert answers(send(url, versions("d")))[0]["repeated"] is False


def test_a_file_with_ids_is_sent_again(town: Town, away: Path, url: str) -> None:
    """What stands there is answered with its first index, and the rest goes in."""
    ids = {name: name.encode().hex() * 16 for name in ("a", "c")}
    first = answers(send(url, versions("a", "c", **ids)))
    mixed = answers(send(url, versions("a", "b", "c", "d", **ids)))
    assert [each["repeated"] for each in mixed] == [True, False, True, False]
    assert [mixed[0]["index"], mixed[2]["index"]] == [each["index"] for each in first]
    whole = answers(send(url, versions("a", "c", **ids), "--atomic"))
    assert [each["repeated"] for each in whole] == [True, True]


def test_receipts_are_verified_and_given(town: Town, away: Path, url: str) -> None:
    """With `--wait` each answer has a proof that stands alone."""
    vkey = parse_vkey(town.vkey)
    for each in answers(send(url, versions("a", "b"), "--wait", "--vkey", town.vkey)):
        proof = parse_proof(str(each["receipt"]))
        assert proof.index == each["index"]
        verify_proof(proof, proof.extra or b"", vkey)


def test_lines_are_sent_ahead(town: Town, away: Path, url: str) -> None:
    """A manifest goes with its event, whatever its size."""
    lines = away / "parties.csv"
    rows = [f"{number:032x},person,false" for number in range(1, 1_001)]
    lines.write_text("\n".join(["party,type,verified", *rows, ""]), encoding="utf-8")
    event = json.dumps({"kind": "party", "body": {}})
    option = ("--lines", f"parties={lines}")
    (said,) = answers(send(url, event, *option, "--wait", key="operator"))
    shown = town.must("show", said["index"])
    assert shown["body"]["parties"]["lines"] == 1_000
    assert list((town.home / "public" / "manifest").iterdir())


def test_signed_files_go_as_they_are(town: Town, away: Path, url: str) -> None:
    """A file that was signed elsewhere needs no key, and is all or none."""
    head = away / "head.json"
    listed = town.must("key", "list")["keys"]
    key = next(each["key"] for each in listed if each["name"] == "lab")
    head.write_text(json.dumps(town.must("head", "--key", key)), encoding="utf-8")
    Path("e.ndjson").write_text(versions("a", "b"), encoding="utf-8")
    sign = ("sign", "e.ndjson", "--key", "lab", "--head", head, "-o", "e.signed")
    assert run_command(*sign).code == 0
    for repeated in (False, True):
        done = run_command("append", "e.signed", "--to", url, "--json")
        assert [each["repeated"] for each in answers(done)] == [repeated] * 2


def test_another_log_at_the_address_is_noticed(
    town: Town, away: Path, url: str
) -> None:
    """A key that signed for one log signs for no other that comes instead of it."""
    answers(send(url, versions("a")))
    said = json.loads(memory(away).read_text())
    memory(away).write_text(json.dumps({**said, "log": "00" * 32}))
    refused = send(url, versions("b"))
    assert (refused.code, refused.error) == (4, "log-changed")


def test_a_log_that_lost_an_event_is_noticed(town: Town, away: Path) -> None:
    """A server set back behind what it acknowledged gets nothing signed."""
    old = away.parent / "old"
    shutil.copytree(town.home, old / "home")
    shutil.copytree(town.anchors, old / "anchors")
    with serving(town.home) as (_, url):
        answers(send(url, versions("a")))
    shutil.rmtree(town.home)
    shutil.copytree(old / "home", town.home)
    os.environ[VARIABLE] = str(old / "anchors")
    with serving(town.home) as (_, url):
        refused = send(url, versions("b"))
        assert (refused.code, refused.error) == (4, "chain-contradicted")
        # The size of the tree is remembered as well as the place in the chain.
        size, chain = town.size, {"seq": 0, "prev": "00" * 32}
        said = json.loads(memory(away).read_text())
        memory(away).write_text(json.dumps({**said, **chain, "size": size + 1}))
        refused = send(url, versions("b"))
        assert (refused.code, refused.error) == (4, "rolled-back")
    assert town.size == size


def test_the_wrong_key_of_the_log_is_noticed(town: Town, away: Path, url: str) -> None:
    """Neither `--vkey` nor the key of the first time lets another log pass."""
    other = format_vkey(make_vkey("town.example/log", SigningKey(bytes(32)).public))
    own = format_vkey(make_vkey("other.example/log", log_key(town).public))
    for wrong in (other, own):
        refused = send(url, versions("a"), "--vkey", wrong)
        assert refused.code == 4, refused
    answers(send(url, versions("a")))
    said = json.loads(memory(away).read_text())
    memory(away).write_text(json.dumps({**said, "vkey": other}))
    refused = send(url, versions("b"))
    assert (refused.code, refused.error) == (4, "wrong-log-key")
    answers(send(url, versions("b"), "--vkey", town.vkey))


@pytest.mark.parametrize("pinned", [False, True])
def test_a_log_that_rotated_its_key_is_followed(
    pinned: bool,  # noqa: FBT001
    town: Town,
    away: Path,
) -> None:
    """By the key of the first time, or by an old `--vkey`; then by what it led to."""
    old = town.vkey
    options = ("--vkey", old) if pinned else ()
    with serving(town.home) as (_, url):
        answers(send(url, versions("a"), *options))
    town.must("key", "rotate", "log", "--no-passphrase")
    town.must("key", "retire", "log", "--yes")
    with serving(town.home) as (_, url):
        first = send(url, versions("b"), *options, "--wait")
        answers(first)
        assert town.vkey in first.err
        said = json.loads(memory(away).read_text())
        assert (said["vkey"], said["pinned"]) == (town.vkey, old if pinned else "")
        again = send(url, versions("c"), *options)
        answers(again)
        assert town.vkey not in again.err, "it is known now"
        other = format_vkey(make_vkey("town.example/log", SigningKey(bytes(32)).public))
        assert send(url, versions("d"), "--vkey", other).code == 4


def test_a_damaged_memory_is_not_passed_over(town: Town, away: Path, url: str) -> None:
    """What cannot be read may have said anything: nothing is signed without it."""
    memory(away).write_text("{")
    refused = send(url, versions("a"))
    assert (refused.code, refused.error) == (5, "bad-memory")


@pytest.mark.parametrize(
    ("address", "code", "error"),
    [
        ("http://127.0.0.1:9", 5, "no-network"),
        ("ftp://127.0.0.1", 3, "bad-url"),
        ("http://a b", 3, "bad-url"),
    ],
)
def test_an_address_that_leads_nowhere(
    address: str, code: int, error: str, town: Town, away: Path
) -> None:
    """A wrong address is told from a log that refuses."""
    refused = send(address, versions("a"))
    assert (refused.code, refused.error) == (code, error)


def test_keys_of_logs_belong_to_addresses(town: Town, away: Path) -> None:
    """What a log is believed by is said for a log elsewhere, and only once."""
    for options in (["--vkey", "x"], ["--policy", "x"]):
        assert run_command("append", "-", *options, input="{}").code == 2
    both = ("--to", "http://x", "--vkey", "x", "--policy", "x")
    assert run_command("append", "-", *both, input="{}").code == 2


def test_a_policy_is_met_or_nothing_is_signed(town: Town, away: Path, url: str) -> None:
    """With `--policy` the log is believed as the policy says."""
    Path("policy").write_text(f"log {town.vkey}\nquorum none\n", encoding="utf-8")
    answers(send(url, versions("a"), "--policy", "policy", "--wait"))
    key = SigningKey(bytes(32)).public
    witness = format_vkey(make_vkey("w.example", key, COSIGNATURE_TYPE))
    lines = f"log {town.vkey}\nwitness w {witness}\nquorum w\n"
    Path("policy").write_text(lines, encoding="utf-8")
    refused = send(url, versions("b"), "--policy", "policy")
    assert (refused.code, refused.error) == (4, "policy-not-met")


def test_a_policy_file_is_read_before_anything_is_signed(
    town: Town, away: Path, url: str
) -> None:
    """Missing, malformed or of no log: told by file and line. Octets may be any."""
    for text, code, said in (
        (None, "file-missing", "policy"),
        (b"# \xe9\nquorum w\n", "bad-policy", "policy: line 2 of the policy"),
        (b"quorum none\n", "no-log-in-policy", "does not name a log"),
        (b"#" * ((1 << 20) + 1), "bad-policy", "policy is larger than"),
    ):
        if text is not None:
            Path("policy").write_bytes(text)
        size = town.size
        refused = send(url, versions("c"), "--policy", "policy")
        assert (refused.code, refused.error, town.size) == (3, code, size)
        assert said in refused.json["error"]["message"]
    whole = f"# \xe9\nlog {town.vkey}\nquorum none\n"
    Path("policy").write_text(whole, encoding="latin-1")
    answers(send(url, versions("c"), "--policy", "policy"))
