"""Whatever is handed to the stand-alone verifier, it answers, and passes no mistake."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from ledger.entry.canonical import decode
from ledger.entry.canonical import encode_trusted
from ledger.errors import LedgerError
from ledger.tlog.ed25519 import SigningKey
from tests.readers import folders
from tests.readers import verifier
from tests.readers.verifier import Run
from tests.replay.making import signing_key
from tools import verify

MUTANTS = 400
LOG = folders.load("log/everything.json")
VKEY: str = folders.load("log/world.json")["vkey"]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the program on a path; give its exit code and document."""
    return lambda path, vkey=VKEY: verifier.run(path, vkey, capsys)


def _changed(data: bytes, chance: random.Random) -> bytes:
    """Damage bytes in one of the ways that files are damaged."""
    at = chance.randrange(len(data))
    match chance.randrange(6):
        case 0:
            return (
                data[:at]
                + bytes([data[at] ^ 1 << chance.randrange(8)])
                + data[at + 1 :]
            )
        case 1:
            return data[:at]
        case 2:
            return data[:at] + chance.randbytes(chance.randrange(1, 9)) + data[at:]
        case 3:
            return data[:at] + data[at + chance.randrange(1, 40) :]
        case 4:
            return data + data[at:]
        case _:
            return data[:at] + bytes(len(data) - at)


@pytest.mark.parametrize("name", ["everything", "paid-out"])
def test_no_damaged_file_passes_or_crashes_it(
    name: str, tmp_path: Path, run: Run
) -> None:
    """Whatever file is damaged in whatever way, the folder is refused, in a report."""
    folder = folders.folder_of(folders.load(f"log/{name}.json"), tmp_path / "public")
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    chance = random.Random(name)
    for turn in range(MUTANTS // 2):
        file = files[turn % len(files)]
        right = file.read_bytes()
        changed = _changed(right, chance)
        file.write_bytes(changed)
        status, document = run(folder)
        file.write_bytes(right)
        passes = changed == right or _only_strangers(changed, right, file)
        assert (status == 0) == passes, (file, changed.hex(), document)
    assert run(folder)[0] == 0


def _only_strangers(changed: bytes, right: bytes, file: Path) -> bool:
    """Whether a checkpoint only got the same signature once more."""
    if file.name != "checkpoint":
        return False
    text, _, signatures = right.partition(b"\n\n")
    return changed.removeprefix(text + b"\n\n").replace(signatures, b"") == b""


def test_no_damaged_proof_passes_or_crashes_it(tmp_path: Path, run: Run) -> None:
    """Whatever is changed in a proof, it is refused, with a report and an exit code."""
    vector = folders.load("proof/entry-3-of-7.json")
    path, chance = tmp_path / "proof", random.Random("proof")
    right = vector["proof"].encode()
    for _ in range(MUTANTS):
        changed = _changed(right, chance)
        path.write_bytes(changed)
        status, document = run(path, vector["vkey"])
        assert status in {3, 4, 5} or changed == right, document
        assert bool(document["notes"]) == (status != 0)


def _leaf_with(leaf: bytes, chance: random.Random) -> bytes:
    """Change values inside an entry, so that it stays canonical."""
    entry: Any = decode(leaf[len(verify.ENTRY_TAG) :])
    event: Any = decode(entry["event"])
    target = chance.choice([entry, event, event["body"], event["body"]])
    if target:
        name = chance.choice(sorted(target))
        values = [0, -1, 2**63 - 1, True, "", "a", b"", bytes(16), bytes(32), [], {}]
        target[name] = chance.choice(values[:4] + values[5:])
    else:
        target["more"] = 1
    entry["event"] = encode_trusted(event) if type(event) is dict else b""
    return verify.ENTRY_TAG + encode_trusted(entry)


def test_no_wrong_value_in_an_entry_crashes_it(tmp_path: Path) -> None:
    """Entries whose fields have other values and types are refused, not stumbled over.

    They are signed anew, so that everything behind the signature is reached.
    """
    chance, leaves = random.Random("values"), LOG["leaves"]
    keys = {
        verify.sha256(b"\x01", key.public): key
        for name in KEY_NAMES
        for key in (signing_key(name + "root"), signing_key(name + "sign"))
    }
    for _ in range(MUTANTS):
        report = verify.Report()
        log = verify.Log(verify.parse_vkey(VKEY), {}, report)
        hashes: list[bytes] = []
        changed = chance.randrange(len(leaves))
        for index, text in enumerate(leaves[: changed + 1]):
            leaf = bytes.fromhex(text)
            if index == changed:
                leaf = _signed_again(_leaf_with(leaf, chance), keys)
            hashes.append(verify.sha256(b"\0", leaf))
            with report.noting(f"entry {index}"):
                log.take(index, leaf, hashes)


KEY_NAMES = (
    *("operator", "registrar", "society", "rival", "lab", "other_lab"),
    *("provider", "auditor", "guest"),
)


def _signed_again(leaf: bytes, keys: dict[bytes, SigningKey]) -> bytes:
    entry: Any = decode(leaf[len(verify.ENTRY_TAG) :])
    try:
        event: Any = decode(entry["event"])
        key = keys[event["key"]]
    except (LedgerError, KeyError, TypeError):
        return leaf
    entry["signature"] = key.sign(verify.EVENT_TAG + entry["event"])
    return verify.ENTRY_TAG + encode_trusted(entry)
