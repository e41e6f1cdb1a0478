"""`linernote show`, `search`, `balances`, `statement`, `prove`, `verify`."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from ledger.keys.ring import KeyRing
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import sign_checkpoint
from ledger.tlog.merkle import leaf_hash
from ledger.tlog.proof import Proof
from ledger.tlog.proof import format_proof
from tests.cli.conftest import ARTISTS
from tests.cli.conftest import ORIGIN
from tests.cli.conftest import Run
from tests.cli.conftest import Town


def test_an_entry_is_shown_in_words_fields_and_bytes(licensed: Town) -> None:
    """People read a sentence, programs every field, and the bytes are the leaf."""
    index = licensed.at["licence"]
    text = licensed.run("show", index).out
    entry = licensed.must("show", index)
    assert text.splitlines()[0] == entry["sentence"]
    for shown in (entry["leaf_hash"], entry["event"]["key"], entry["signature"]):
        assert shown in text
    assert 'territories  ["001"]' in text
    leaf = bytes.fromhex(entry["leaf"])
    assert base64.b64encode(leaf).decode()[:40] not in text
    assert f"{len(leaf)} bytes, which --bytes writes" in text
    assert sha256(b"\0" + leaf).hexdigest() == entry["leaf_hash"]


def test_the_leaf_data_comes_alone_on_demand(bare: Town) -> None:
    """--bytes writes the leaf data to standard output, and nothing else."""
    leaf = bytes.fromhex(bare.must("show", 0)["leaf"])
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "ledger", "show", "0", "--bytes"],
        capture_output=True,
        cwd=root,
        env={**os.environ, "LINERNOTE_HOME": str(bare.home)},
        check=True,
    )
    assert done.stdout == leaf


def test_a_search_finds_parties_recordings_and_entries(licensed: Town) -> None:
    """By external id, id prefix, run, model and index; nothing found is no error."""
    found = licensed.must("search", "town:ada")["found"]
    assert [each["what"] for each in found] == ["party"]
    assert licensed.must("search", "town:r")["found"][0]["what"] == "recording"
    assert licensed.must("search", "run-1")["found"][0]["what"] == "entry"
    party = licensed.parties["lab"]
    assert licensed.must("search", party[:8])["found"][0]["key"] == party
    assert len(licensed.must("search", "town:", "--limit", 2)["found"]) == 2
    nothing = licensed.run("search", "no such thing")
    assert (nothing.code, nothing.out) == (0, "")
    assert "nothing" in nothing.err
    assert "recording" in licensed.run("search", "town:r0").out


@pytest.fixture
def distributed(paid: Town) -> Town:
    """The town after its distribution."""
    paid.must("distribute", "--run", "run-1", "--licence", paid.at["licence"])
    return paid


def test_balances_have_the_shape_that_users_rely_on(distributed: Town) -> None:
    """The document holds what ledger/docs/interface.md promises."""
    document = distributed.must("balances")
    assert document["size"] == distributed.size
    assert document["currency"] == {"SEK": 2}
    assert document["suspense"] == []
    assert {each["external"] for each in document["balances"]} == set(ARTISTS)
    for each in document["balances"]:
        assert set(each) == {
            *("party", "external", "currency", "credited", "paid", "payable", "held")
        }
        assert each["payable"] == each["credited"] - each["paid"] == 244_080_000
    text = distributed.run("balances").out
    assert "244.08" in text
    assert "town:ada" in text


def test_balances_go_back_in_time(distributed: Town) -> None:
    """--at replays the first entries, and nothing that came after."""
    size = distributed.size
    before = distributed.must("balances", "--at", size - 1)
    assert (before["size"], before["balances"]) == (size - 1, [])
    assert distributed.must("balances", "--at", size) == distributed.must("balances")
    done = distributed.run("balances", "--at", size + 1)
    assert (done.code, done.error) == (3, "size-ahead")
    assert "nobody" in distributed.run("balances", "--at", 1).out


def test_a_statement_comes_as_text_json_and_csv(distributed: Town) -> None:
    """The same statement, three ways; each adds up to the same closing balance."""
    document = distributed.must("statement", "town:ada")
    (account,) = document["accounts"]
    assert account["closing"] == 244_080_000
    text = distributed.run("statement", "town:ada").out
    assert "closing" in text
    assert "244.08" in text
    explained = distributed.run("statement", "town:ada", "--explain").out
    assert len(explained) > len(text)
    table = distributed.run("statement", "town:ada", "--csv").out
    rows = list(csv.DictReader(io.StringIO(table)))
    assert rows[-1]["balance"] == "244.08"
    assert len(rows) == 2 + len(account["lines"])
    done = distributed.run("statement", "nobody")
    assert (done.code, done.error) == (3, "party-unknown")


def test_a_proof_verifies_offline(licensed: Town, run: Run) -> None:
    """A proof in a file needs the verifier key, and neither log nor network."""
    index, vkey = licensed.at["run"], licensed.vkey
    licensed.run("prove", index, "-o", "e.tlog-proof")
    licensed.home.rename("gone")
    done = run("verify", "e.tlog-proof", "--vkey", vkey, "--json")
    (proof,) = done.json["proofs"]
    assert done.code == 0
    assert proof["ok"] is True
    assert (proof["index"], proof["kind"]) == (index, "run.open")
    assert proof["origin"] == ORIGIN
    text = run("verify", "e.tlog-proof", "--vkey", vkey).out
    assert f"entry {index}" in text
    assert "verified" in text


def test_proofs_are_printed_or_written_once(bare: Town) -> None:
    """Without -o a proof goes to standard output; a file is not written over."""
    text = bare.run("prove", 1).out
    assert text == bare.must("prove", 1)["proof"]
    assert bare.run("prove", 1, "-o", "p").code == 0
    assert Path("p").read_text(encoding="utf-8") == text
    done = bare.run("prove", 0, "-o", "p")
    assert (done.code, done.error) == (6, "file-exists")
    assert bare.run("prove", 0, "-o", "p", "--force").code == 0
    done = bare.run("prove", 2)
    assert (done.code, done.error) == (3, "no-such-entry")


def test_every_changed_character_of_a_proof_is_noticed(bare: Town) -> None:
    """A proof with any one character changed fails, or is no proof.

    Where it is the id of the signing key that changed, only the log can say whether it
    had such a key: that could not be verified (exit 5).
    """
    text = bare.run("prove", 1).out
    vkey = bare.vkey
    for place in range(0, len(text), 7):
        changed = "A" if text[place] != "A" else "B"
        Path("p").write_text(text[:place] + changed + text[place + 1 :], "utf-8")
        done = bare.run("verify", "p", "--vkey", vkey)
        assert done.code in {3, 4} or done.error == "log-key-unknown", place


def test_failed_and_unverifiable_are_never_the_same(bare: Town) -> None:
    """4 is FAILED, 5 could not be verified, 3 is no proof; the graver one counts."""
    text, vkey = bare.run("prove", 1).out, bare.vkey
    Path("good").write_text(text, encoding="utf-8")
    Path("failed").write_text(text.replace("index 1", "index 0"), encoding="utf-8")
    bare_lines = [line for line in text.splitlines() if not line.startswith("extra ")]
    Path("hollow").write_text("\n".join([*bare_lines, ""]), encoding="utf-8")
    Path("none").write_text("not a proof", encoding="utf-8")
    Path("binary").write_bytes(b"\xff" * 10)
    Path("huge").write_bytes(b"x" * ((1 << 20) + 1))
    codes = {
        "good": 0,
        "failed": 4,
        "hollow": 5,
        "missing": 5,
        ".": 5,
        "none": 3,
        "binary": 3,
        "huge": 3,
    }
    for name, code in codes.items():
        assert bare.run("verify", name, "--vkey", vkey).code == code, name
    done = bare.run("verify", *codes, "--vkey", vkey, "--json")
    assert done.code == 4
    assert [each["ok"] for each in done.json["proofs"]] == [True] + [False] * 7
    assert bare.run("verify", "none", "missing", "--vkey", vkey).code == 5
    assert bare.run("verify", "good", "none", "--vkey", vkey).code == 3
    assert "FAILED" in bare.run("verify", "failed", "--vkey", vkey).out


def test_an_entry_in_another_place_than_it_says_fails(bare: Town) -> None:
    """A log that signs entry 1 as its entry 0 is caught by the entry itself."""
    leaf = bytes.fromhex(bare.must("show", 1)["leaf"])
    key = KeyRing(bare.home / "keys").unlock("log")
    checkpoint = Checkpoint(ORIGIN, 1, leaf_hash(leaf))
    signed = sign_checkpoint(checkpoint, ORIGIN, key)
    proof = Proof(index=0, hashes=(), checkpoint=signed, extra=leaf)
    Path("p").write_text(format_proof(proof), encoding="utf-8")
    done = bare.run("verify", "p", "--vkey", bare.vkey)
    assert (done.code, done.error) == (4, "wrong-index")


def test_another_logs_key_verifies_nothing(bare: Town, tmp_path: Path) -> None:
    """A proof under a key that did not sign it proves nothing; with the log, it fails.

    Its own log may have had another key before, and another of the same name has not.
    """
    other = Town(tmp_path / "other")
    init = ("init", "--origin", ORIGIN, "--currency", "SEK", "--no-passphrase")
    other.must(*init)
    bare.run("prove", 1, "-o", "p")
    verify = ("verify", "p", "--vkey", other.vkey)
    alone = bare.run(*verify)
    assert (alone.code, alone.error) == (5, "log-key-unknown")
    assert bare.run(*verify, "--from", other.home / "public").code == 4
    done = bare.run("verify", "p", "--vkey", "nonsense")
    assert (done.code, done.error) == (3, "bad-vkey")


def test_an_unpublished_entry_has_no_proof_yet(bare: Town) -> None:
    """What no checkpoint covers cannot be proven (exit 5)."""
    assert json.loads(bare.run("prove", 1, "--json").out)["index"] == 1
    assert bare.run("prove", 5).code == 3
