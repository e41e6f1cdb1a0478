"""What the stand-alone verifier says of logs that were signed wrong by the log itself.

Everything here is published with a checkpoint that holds: it is not the tree that
gives the log away, but what stands in it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ledger.entry.canonical import decode
from ledger.entry.canonical import encode_trusted
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import sign_checkpoint
from ledger.tlog.merkle import leaf_hash
from ledger.tlog.proof import Proof
from ledger.tlog.proof import format_proof
from tests.readers import folders
from tests.readers import verifier
from tests.readers.verifier import Run
from tests.replay import rotation
from tests.replay.making import ORIGIN
from tests.replay.making import signing_key
from tools import verify

LOG = folders.load("log/world.json")
LEAVES = [bytes.fromhex(leaf) for leaf in LOG["leaves"]]
VKEY: str = folders.load("log/world.json")["vkey"]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the program on a path; give its exit code and document."""
    return lambda path, vkey=VKEY: verifier.run(path, vkey, capsys)


def codes(document: Any) -> set[str]:  # noqa: ANN401 (a JSON document)
    """The codes of what did not pass."""
    return {note["code"] for note in document["notes"]}


def entry_of(leaf: bytes) -> Any:  # noqa: ANN401 (an entry's fields)
    """Read an entry."""
    return decode(leaf[len(verify.ENTRY_TAG) :])


def changed(leaf: bytes, **fields: Any) -> bytes:  # noqa: ANN401 (any field)
    """Give an entry with other fields around the same signed event."""
    return verify.ENTRY_TAG + encode_trusted(entry_of(leaf) | fields)


def genesis(key: str = "operatorroot", **body: Any) -> bytes:  # noqa: ANN401
    """Give a first entry whose event says something else, signed by a key."""
    event: Any = decode(entry_of(LEAVES[0])["event"])
    event["body"] |= body
    event["key"] = verify.sha256(b"\x01", signing_key(key).public)
    data = encode_trusted(event)
    signature = signing_key(key).sign(verify.EVENT_TAG + data)
    return changed(LEAVES[0], event=data, signature=signature)


TIME: int = entry_of(LEAVES[-1])["time"]
LAST = len(LEAVES) - 1


@pytest.mark.parametrize(
    ("code", "fields"),
    [
        ("wrong-index", {"index": LAST + 1}),
        ("broken-chain", {"previous": bytes(32)}),
        ("broken-chain", {"previous": leaf_hash(LEAVES[-3])}),
        ("time-backwards", {"time": TIME - 3_600_000}),
        ("bad-signature", {"signature": bytes(64)}),
    ],
)
def test_an_entry_in_the_wrong_place(
    code: str, fields: dict[str, Any], tmp_path: Path, run: Run
) -> None:
    """Index, link and time of an entry are checked although the log signed them."""
    leaves = [*LEAVES[:-1], changed(LEAVES[-1], **fields)]
    status, document = run(folders.publish(tmp_path, leaves, {}))
    assert status == 4
    assert codes(document) - {"event-time-ahead", "file-missing"} == {code}


@pytest.mark.parametrize(
    ("code", "status", "leaf"),
    [
        ("bad-body", 4, genesis(more=1)),
        ("bad-body", 4, genesis(currencies=0)),
        ("bad-body", 4, genesis(root_key=0)),
        ("level-unknown", 5, genesis(level=2)),
        ("wrong-origin", 4, genesis(origin="other.example/log")),
        ("wrong-origin", 4, genesis(log_key=signing_key("guestroot").public)),
        ("genesis-key", 4, genesis(key="guestroot")),
        ("bad-signature", 4, changed(LEAVES[0], signature=bytes(64))),
        ("broken-chain", 4, changed(LEAVES[0], previous=leaf_hash(LEAVES[0]))),
    ],
)
def test_a_genesis_that_is_none(
    code: str, status: int, leaf: bytes, tmp_path: Path, run: Run
) -> None:
    """A log starts with a genesis of its own, or it is not verified as one."""
    found, document = run(folders.publish(tmp_path, [leaf], {}))
    assert (found, codes(document)) == (status, {code})


def test_a_checkpoint_of_another_tree(tmp_path: Path, run: Run) -> None:
    """A root that the entries do not give is a failure, however well it is signed."""
    folder = folders.publish(tmp_path, LEAVES, LOG["manifests"])
    assert run(folder)[0] == 0
    wrong = Checkpoint(ORIGIN, len(LEAVES), bytes(32))
    text = sign_checkpoint(wrong, ORIGIN, *rotation.KEYS.values())
    (folder / "checkpoint").write_text(text, encoding="utf-8")
    status, document = run(folder)
    assert (status, codes(document)) == (4, {"root-mismatch"})


def test_money_does_not_leave_a_pool_twice(tmp_path: Path, run: Run) -> None:
    """A payment that was distributed can't be taken back from its pool."""
    name = "rule/pool-closed-reversing-a-payment-that-was-shared-out.json"
    status, document = run(folders.smuggled(folders.load(name), tmp_path))
    assert (status, codes(document)) == (4, {"pool-closed"})


def test_a_due_that_was_taken_back_is_not_paid(tmp_path: Path, run: Run) -> None:
    """A payment applied to a due that was reversed is more than is due."""
    name = "rule/due-unknown-a-payment-of-a-reversed-due.json"
    status, document = run(folders.smuggled(folders.load(name), tmp_path))
    assert (status, codes(document)) == (4, {"over-applied"})


def _proof(leaf: bytes | None, path: Path, *, of: bytes | None = None) -> Path:
    """Write the proof of a log of one entry."""
    root = leaf_hash(of or leaf or LEAVES[0])
    text = sign_checkpoint(Checkpoint(ORIGIN, 1, root), ORIGIN, signing_key("log"))
    proof = Proof(index=0, hashes=(), checkpoint=text, extra=leaf)
    path.write_text(format_proof(proof), encoding="utf-8")
    return path


def test_a_proof_without_its_entry_is_not_verified(tmp_path: Path, run: Run) -> None:
    """Nothing can be said of an entry that is not there: exit 5."""
    status, document = run(_proof(None, tmp_path / "proof"))
    assert (status, codes(document)) == (5, {"leaf-missing"})


def test_a_proof_of_what_is_no_entry_of_its_place(tmp_path: Path, run: Run) -> None:
    """What a proof brings along is an entry, and the one of its index."""
    path = tmp_path / "proof"
    assert run(_proof(LEAVES[0], path))[0] == 0
    status, document = run(_proof(LEAVES[1], path))
    assert (status, codes(document)) == (4, {"wrong-index"})
    status, document = run(_proof(b"text", path))
    assert (status, codes(document)) == (4, {"bad-tag"})
    status, document = run(_proof(LEAVES[0], path, of=LEAVES[1]))
    assert (status, codes(document)) == (4, {"bad-inclusion-proof"})
