"""`linernote witness` and `status`: processes that cosign, a log that asks them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from ledger.anchor import VARIABLE
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.note import format_vkey
from ledger.tlog.note import make_vkey
from ledger.tlog.note import open_note
from ledger.tlog.note import parse_vkey
from ledger.tlog.policy import parse_policy
from ledger.tlog.policy import verify_proof_by_policy
from ledger.tlog.proof import parse_proof
from tests.cli.conftest import ORIGIN
from tests.cli.conftest import Run
from tests.cli.conftest import Town
from tests.cli.test_serving import fetch

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60


@contextmanager
def running(*args: str, **env: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run what serves on a free port; give the process and its address."""
    server = subprocess.Popen(
        [sys.executable, "-m", "ledger", *args, "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
    )
    try:
        assert server.stderr is not None
        told = ""
        while (found := re.search(r"http://\S+", told)) is None:
            line = server.stderr.readline()
            assert line, told
            told += line
        yield server, found[0]
    finally:
        server.kill()
        server.communicate(timeout=SECONDS)


def witnessing(
    folder: Path,
) -> AbstractContextManager[tuple[subprocess.Popen[str], str]]:
    """Serve a witness."""
    return running("witness", "serve", "--folder", str(folder))


def found(town: Town, name: str) -> str:
    """Found a witness of the town's log; give its verifier key."""
    made = town.must(
        *("witness", "init", name, "--no-passphrase", "--folder", name[:2])
    )
    town.must("witness", "add-log", town.vkey, "--folder", name[:2])
    return str(made["vkey"])


def write_policy(town: Town, *witnesses: tuple[str, str, str], of: int) -> str:
    """Name witnesses by name, key and address, of whom so many have to cosign."""
    lines = [f"log {town.vkey}", *(f"witness {' '.join(each)}" for each in witnesses)]
    names = " ".join(each[0] for each in witnesses)
    text = "\n".join([*lines, f"group g {of} {names}", "quorum g", ""])
    (town.home / "policy").write_text(text, encoding="utf-8")
    return text


def accredit(town: Town) -> str:
    """Give an event that the operator may sign."""
    body = {"action": "grant", "party": town.parties["operator"], "role": "auditor"}
    return json.dumps({"kind": "accredit", "body": body})


def test_a_log_is_witnessed_from_end_to_end(bare: Town) -> None:
    """Two of three witnesses run: receipts meet the policy, status names the third."""
    vkeys = [found(bare, f"w{number}.example") for number in (1, 2, 3)]
    with witnessing(Path("w1")) as (_, first), witnessing(Path("w2")) as (_, second):
        urls = [first, second, "http://127.0.0.1:9"]
        names = ["north", "south", "west"]
        policy = write_policy(bare, *zip(names, vkeys, urls, strict=True), of=2)
        assert bare.must("status")["policy"]["met"] is False
        told = bare.must(
            "append", "-", "--key", "operator", "--wait", input=accredit(bare)
        )
        answer = told["answers"][0]
        proof = parse_proof(answer["receipt"])
        cosigned = verify_proof_by_policy(
            proof, proof.extra or b"", parse_policy(policy)
        )
        assert cosigned.witnesses == ("north", "south")
        status = bare.must("status")
        assert status["policy"]["met"] is True
        late = {each["name"]: each["late"] for each in status["witnesses"]}
        assert late == {"north": False, "south": False, "west": True}
        west = status["witnesses"][2]
        assert (west["behind"], west["code"]) == (status["published"], "no-answer")
        shown = bare.run("status").out.splitlines()[-1]
        assert re.match(r"west +LATE by 3 entries +never cosigned +no-answer", shown)
        origin_hash = sha256(ORIGIN.encode()).hexdigest()
        served = fetch(f"{first}/{origin_hash}/checkpoint")
        keys = [parse_vkey(bare.vkey), parse_vkey(vkeys[0])]
        assert len(open_note(served, keys).verified) == 2
    (log,) = bare.must("witness", "logs", "--folder", "w1")["logs"]
    assert (log["origin"], log["size"], log["forked"]) == (ORIGIN, 3, False)
    (log,) = bare.must("witness", "logs", "--folder", "w3")["logs"]
    assert (log["size"], log["cosigned_ms"]) == (None, None)


def test_a_server_asks_by_itself(bare: Town) -> None:
    """Whoever appends over HTTP gets a receipt that the witness cosigned."""
    vkey = found(bare, "w1.example")
    with witnessing(Path("w1")) as (_, url):
        policy = write_policy(bare, ("north", vkey, url), of=1)
        taking = ("serve", "--accept-events", "--home", str(bare.home))
        anchors = {VARIABLE: str(bare.anchors)}
        with running(*taking, **anchors) as (_, log_url):
            to = ("--key", "operator", "--to", log_url, "--wait")
            told = bare.must("append", "-", *to, input=accredit(bare))
    proof = parse_proof(told["answers"][0]["receipt"])
    cosigned = verify_proof_by_policy(proof, proof.extra or b"", parse_policy(policy))
    assert cosigned.witnesses == ("north",)


def test_asking_again_brings_who_was_late(bare: Town) -> None:
    """A witness that starts later cosigns when it is asked, and nobody is late then."""
    vkey = found(bare, "w1.example")
    write_policy(bare, ("north", vkey, "http://127.0.0.1:9"), of=1)
    (asked,) = bare.must("witness", "ask")["asked"]
    assert asked["code"] == "no-answer"
    with witnessing(Path("w1")) as (server, url):
        write_policy(bare, ("north", vkey, url), of=1)
        assert bare.run("witness", "ask").out == "north  cosigned\n"
        assert bare.run("witness", "ask").out == "nobody is late\n"
        *_, policy, north = bare.run("status").out.splitlines()
        assert re.fullmatch(r"policy +met", policy)
        assert re.match(r"north +cosigned +last cosigned 20", north)
        server.send_signal(signal.SIGINT)
        assert server.wait(SECONDS) in {0, 130}


def test_a_log_added_while_the_witness_runs_is_cosigned(bare: Town) -> None:
    """No restart is needed, and a killed witness goes on where it was."""
    made = bare.must("witness", "init", "w1.example", "--no-passphrase")
    folder = Path("linernote-witness")
    with witnessing(folder) as (server, url):
        write_policy(bare, ("north", made["vkey"], url), of=1)
        (asked,) = bare.must("witness", "ask")["asked"]
        assert asked["code"] == "refused"
        assert "404" in asked["message"]
        assert bare.must("witness", "add-log", bare.vkey)["logs"][0]["new"] is True
        assert bare.run("witness", "ask").out == "north  cosigned\n"
        server.kill()
    (log,) = bare.must("witness", "logs")["logs"]
    assert log["size"] == 2


def test_a_served_witness_takes_no_large_body(run: Run) -> None:
    """What is larger than any request is refused before anybody looks at it."""
    run("witness", "init", "w.example", "--no-passphrase")
    with witnessing(Path("linernote-witness")) as (_, url):
        asked = urllib.request.Request(f"{url}/add-checkpoint", bytes(600_000))
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(asked, timeout=SECONDS)
        assert error.value.code == 413
        error.value.close()


def test_without_a_policy_there_is_nobody_to_ask(bare: Town) -> None:
    """`ask` says how to name witnesses; `status` tells what there is."""
    done = bare.run("witness", "ask")
    assert (done.code, done.error) == (3, "no-policy")
    status = bare.must("status")
    assert status["policy"] is None
    assert status["witnesses"] == []
    assert (status["size"], status["published"]) == (2, 2)
    assert "none" in bare.run("status").out


def test_a_witness_is_made_once(run: Run) -> None:
    """The same folder is never founded twice; its key is told as `init` told it."""
    made = run("witness", "init", "w.example", "--no-passphrase")
    assert made.code == 0, made
    assert run("witness", "vkey").out == made.out
    assert run("witness", "vkey", "--json").json == {"vkey": made.out.strip()}
    again = run("witness", "init", "w.example", "--no-passphrase")
    assert (again.code, again.error) == (6, "witness-exists")
    assert run("witness", "vkey").out == made.out
    assert parse_vkey(made.out.strip()).type == 4


def test_a_crash_while_founding_is_mended(run: Run) -> None:
    """Where only the key was written, `init` goes on with that key."""
    made = run("witness", "init", "w.example", "--no-passphrase")
    Path("linernote-witness/vkey").unlink()
    done = run("witness", "vkey")
    assert (done.code, done.error) == (3, "witness-missing")
    assert run("witness", "init", "w.example", "--no-passphrase").out == made.out


@pytest.mark.parametrize("name", ["", "a b", "a+b"])
def test_a_witness_needs_a_name_that_can_stand_in_a_note(name: str, run: Run) -> None:
    """A bad name is refused before a key is made."""
    done = run("witness", "init", name, "--no-passphrase")
    assert (done.code, done.error) == (3, "bad-key-name")
    assert not Path("linernote-witness").exists()


def test_only_keys_of_logs_are_added(run: Run) -> None:
    """A witness's own key, and what is no key, are refused."""
    own = run("witness", "init", "w.example", "--no-passphrase").out.strip()
    done = run("witness", "add-log", own)
    assert (done.code, done.error) == (3, "not-a-log-key")
    done = run("witness", "add-log", "example.com")
    assert (done.code, done.error) == (3, "bad-vkey")
    assert run("witness", "logs", "--json").json == {"logs": []}


def test_a_key_comes_in_the_place_of_another(run: Run) -> None:
    """One for one; which keys a log is cosigned by is listed."""
    run("witness", "init", "w.example", "--no-passphrase")
    old, new = (
        format_vkey(make_vkey("a.example", SigningKey(bytes([seed]) * 32).public))
        for seed in (1, 2)
    )
    run("witness", "add-log", old)
    done = run("witness", "add-log", new, old, "--instead-of", old)
    assert done.code == 2
    done = run("witness", "add-log", new, "--instead-of", old, "--json")
    assert done.json == {"logs": [{"origin": "a.example", "new": True}]}
    (log,) = run("witness", "logs", "--json").json["logs"]
    assert log["vkeys"] == [new]
    done = run("witness", "add-log", new, "--instead-of", old)
    assert (done.code, done.error) == (3, "key-not-listed")


def test_the_passphrase_opens_the_witness(run: Run) -> None:
    """A locked key is not served without its passphrase."""
    made = run("witness", "init", "w.example", LINERNOTE_PASSPHRASE="tea")
    assert made.code == 0, made
    done = run("witness", "serve", LINERNOTE_PASSPHRASE="coffee")
    assert (done.code, done.error) == (3, "wrong-passphrase")
    done = run("witness", "serve", "--folder", "elsewhere")
    assert (done.code, done.error) == (3, "witness-missing")


def test_a_fork_is_shouted(bare: Town) -> None:
    """`logs` says of a log that it signed two trees of one size."""
    found(bare, "w1.example")
    place = next(Path("w1").glob("logs/*/vkeys")).parent
    (place / "fork").write_text("the other checkpoint\n")
    assert "FORKED" in bare.run("witness", "logs", "--folder", "w1").out
