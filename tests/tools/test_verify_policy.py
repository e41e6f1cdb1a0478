"""The stand-alone verifier of policies: its answers, and what it leaves to the other.

`tests/test_vectors.py` holds it against the library, policy by policy.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import sign_checkpoint
from ledger.tlog.merkle import leaf_hash
from ledger.tlog.merkle import subtree_root
from ledger.tlog.proof import Proof
from ledger.tlog.proof import format_proof
from tests.readers import folders
from tests.tlog.witnesses import LOG_KEY
from tests.tlog.witnesses import ORIGIN
from tests.tlog.witnesses import cosigned
from tests.tlog.witnesses import policy_of
from tools import verify
from tools import verify_policy
from tools.vectors.entries import entry_of

LEAF = entry_of(index=0)
POLICY = policy_of("group g 2 a b c", "quorum g", witnesses="abc")


def proof_by(*names: str) -> str:
    """A proof whose checkpoint these witnesses cosigned."""
    checkpoint = Checkpoint(ORIGIN, 1, leaf_hash(LEAF))
    note = cosigned(*names, signed=sign_checkpoint(checkpoint, ORIGIN, LOG_KEY))
    return format_proof(Proof(0, (), note, extra=LEAF))


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A policy, and a proof that meets it, in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    Path("policy").write_text(POLICY, encoding="utf-8")
    Path("proof").write_text(proof_by("a", "c"), encoding="utf-8")


@pytest.mark.usefixtures("files")
def test_a_proof_that_meets_the_policy(capsys: pytest.CaptureFixture[str]) -> None:
    """It names the witnesses, and what `verify.py` found by the log's key."""
    assert verify_policy.main(["policy", "proof"]) == 0
    said = capsys.readouterr().out
    assert "cosigned by 'a', 'c'" in said
    assert "entry, 0 of 1" in said
    assert "ok: the log holds this entry" in said


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("policy", "proof", "status", "said"),
    [
        (POLICY, proof_by("a"), 4, "[policy-not-met]"),
        (POLICY, proof_by("a"), 4, "without 'b', 'c'"),
        (POLICY, proof_by("a", "b").replace("index 0", "index 1"), 4, "inclusion"),
        (POLICY + "more\n", proof_by("a", "b"), 3, "line 7: there is no such line"),
        (POLICY, "nothing", 3, "[bad-proof]"),
    ],
)
def test_what_does_not_pass(
    policy: str, proof: str, status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """4 it failed, 3 it is no policy or proof; never the log's key alone."""
    Path("policy").write_text(policy, encoding="utf-8")
    Path("proof").write_text(proof, encoding="utf-8")
    assert verify_policy.main(["policy", "proof"]) == status
    assert said in capsys.readouterr().out


@pytest.mark.usefixtures("files")
def test_what_is_missing_is_not_verified() -> None:
    """5: neither passed nor failed."""
    assert verify_policy.main(["policy", "nowhere"]) == 5
    assert verify_policy.main(["nowhere", "proof"]) == 5
    assert verify_policy.main(["policy", "."]) == 5


def test_a_public_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The checkpoint has to meet the policy, and the folder to hold."""
    log = folders.load("log/world.json")
    folder, policy = folders.folder_of(log, tmp_path / "public"), tmp_path / "policy"
    policy.write_text(f"log {log['vkey']}\nquorum none\n", encoding="utf-8")
    assert verify_policy.main([str(policy), str(folder)]) == 0
    assert "cosigned by nobody" in capsys.readouterr().out
    policy.write_text(policy_of("quorum none"), encoding="utf-8")
    assert verify_policy.main([str(policy), str(folder)]) == 4
    assert "[not-signed]" in capsys.readouterr().out


def replace_once_read(file: Path, other: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a file be another one as soon as it was read."""
    read = verify.read_file

    def read_then_replace(files: verify.Files, path: str) -> bytes:
        data = read(files, path)
        if files[path] == file:
            file.write_text(other, encoding="utf-8")
        return data

    monkeypatch.setattr(verify, "read_file", read_then_replace)


@pytest.mark.usefixtures("files")
def test_a_proof_is_read_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What meets the policy is what is verified, whatever the file becomes meanwhile.

    Here it becomes the proof of another history, which the log signed and nobody saw.
    """
    leaves = [leaf_hash(LEAF), leaf_hash(entry_of(index=1))]
    checkpoint = Checkpoint(ORIGIN, 2, subtree_root(leaves))
    signed = sign_checkpoint(checkpoint, ORIGIN, LOG_KEY)
    other = format_proof(Proof(0, (leaves[1],), signed, extra=LEAF))
    replace_once_read(Path("proof"), other, monkeypatch)
    assert verify_policy.main(["policy", "proof"]) == 0
    assert "entry, 0 of 1" in capsys.readouterr().out
    assert Path("proof").read_text(encoding="utf-8") == other


def test_a_checkpoint_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A public folder is held against the checkpoint that met the policy."""
    log = folders.load("log/world.json")
    folder, policy = folders.folder_of(log, tmp_path / "public"), tmp_path / "policy"
    policy.write_text(f"log {log['vkey']}\nquorum none\n", encoding="utf-8")
    replace_once_read(folder / "checkpoint", "another", monkeypatch)
    assert verify_policy.main([str(policy), str(folder)]) == 0
    assert (folder / "checkpoint").read_text(encoding="utf-8") == "another"


@pytest.mark.usefixtures("files")
def test_it_runs_as_a_program() -> None:
    """From anywhere, without the project installed."""
    program = [sys.executable, verify_policy.__file__, "policy", "proof"]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert (done.returncode, "cosigned by" in done.stdout) == (0, True), done
