"""Public folders made of vectors: honest ones, and such as no log would publish."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ledger.entry.canonical import encode_trusted
from ledger.entry.envelope import ENTRY_TAG
from ledger.entry.envelope import decode_entry
from ledger.entry.envelope import decode_event
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import sign_checkpoint
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.merkle import leaf_hash
from tests.replay import rotation
from tests.replay.making import ORIGIN
from tests.replay.succession import KEY
from tests.replay.succession import NEXT
from tools.vectors import trees
from tools.vectors.case import Vector

VECTORS = Path(__file__).resolve().parents[1] / "vectors"


@cache
def load(path: str) -> Vector:
    """Read a vector."""
    vector: Vector = json.loads((VECTORS / path).read_text(encoding="utf-8"))
    return vector


def write(folder: Path, contents: dict[str, bytes]) -> dict[str, Path]:
    """Write files, and name them as the verifier does."""
    files = {}
    for name, data in contents.items():
        files[name] = folder / name
        files[name].parent.mkdir(parents=True, exist_ok=True)
        files[name].write_bytes(data)
    return files


def folder_of(vector: Vector, folder: Path) -> Path:
    """Write the public folder of a log, its tiles by the library."""
    for tree, leaves in [("", vector["leaves"])] + [
        (f"manifest/{root}/", leaves_of(bundles))
        for root, bundles in vector["manifests"].items()
    ]:
        _, contents = trees.files_of([bytes.fromhex(leaf) for leaf in leaves])
        write(folder / tree, contents)
    (folder / "checkpoint").write_text(vector["checkpoint"], encoding="utf-8")
    return folder


def leaves_of(bundles: list[str]) -> list[str]:
    """Split bundles of any width into leaves."""
    leaves = []
    for bundle in map(bytes.fromhex, bundles):
        at = 0
        while at < len(bundle):
            end = at + 2 + int.from_bytes(bundle[at : at + 2], "big")
            leaves.append(bundle[at + 2 : end].hex())
            at = end
    return leaves


def signers_of(vector: Vector) -> tuple[str, bytes, list[SigningKey]]:
    """Give the origin of a log, the key that it is verified by, and all its keys."""
    for leaf in vector["then"]:
        entry = decode_entry(bytes.fromhex(leaf))
        if entry.index and decode_event(entry.event).kind == "genesis":
            return NEXT, KEY.public, [KEY]
    keys = list(rotation.KEYS.values())
    return ORIGIN, keys[0].public, keys


def publish(
    folder: Path,
    leaves: Sequence[bytes],
    manifests: Any,  # noqa: ANN401
    origin: str = ORIGIN,
    keys: Sequence[SigningKey] = (),
) -> Path:
    """Publish other entries as the log itself would, with any of its keys."""
    root, _ = trees.files_of(leaves)
    checkpoint = Checkpoint(origin, len(leaves), root)
    by = keys or [*rotation.KEYS.values()]
    vector = {
        "leaves": [leaf.hex() for leaf in leaves],
        "manifests": manifests,
        "checkpoint": sign_checkpoint(checkpoint, origin, *by),
    }
    return folder_of(vector, folder)


def smuggled(vector: Vector, folder: Path) -> Path:
    """Publish a log that took in what its rules refuse."""
    base = load(f"log/{vector['log']}.json") if vector["log"] else {"leaves": []}
    leaves = [bytes.fromhex(leaf) for leaf in [*base["leaves"], *vector["then"]]]
    entry = {
        "event": bytes.fromhex(vector["event"]),
        "index": len(leaves),
        "previous": leaf_hash(leaves[-1]) if leaves else bytes(32),
        "signature": bytes.fromhex(vector["signature"]),
        "time": vector["time"],
    }
    leaves.append(ENTRY_TAG + encode_trusted(entry))
    brought = base.get("manifests", {}) | vector["manifests"] | vector["lines"]
    origin, _, keys = signers_of(vector)
    there = {k: v for k, v in brought.items() if v}
    return publish(folder, leaves, there, origin, keys)
