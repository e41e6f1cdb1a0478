"""The library reads vectors: what comes out of what goes in, or a refusal.

A reader takes a vector and gives the fields that it computed. They have to be those of
the vector; one that has to be refused raises an error with its code instead.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from typing import Any

import msgspec

from ledger.accounting.allocation import Node
from ledger.accounting.allocation import check_share
from ledger.accounting.allocation import largest_remainder
from ledger.entry import canonical
from ledger.entry import verify
from ledger.entry.envelope import decode_entry
from ledger.entry.envelope import event_hash
from ledger.entry.envelope import parse_entry
from ledger.entry.envelope import parse_event
from ledger.entry.manifest import Built
from ledger.entry.manifest import Header
from ledger.entry.manifest import read_manifest
from ledger.entry.manifest import salt
from ledger.entry.manifest import verify_line
from ledger.entry.sign import SignedEvent
from ledger.entry.sign import format_signed
from ledger.entry.sign import parse_signed
from ledger.errors import LedgerError
from ledger.keys.keyfile import format_key_file
from ledger.keys.keyfile import parse_key_file
from ledger.replay.rules_payments import pool_id
from ledger.staging import Staged
from ledger.tlog.checkpoint import open_checkpoint
from ledger.tlog.merkle import leaf_hash
from ledger.tlog.note import format_vkey
from ledger.tlog.note import open_note
from ledger.tlog.note import parse_vkey
from ledger.tlog.proof import format_proof
from ledger.tlog.proof import parse_proof
from ledger.tlog.proof import verify_proof
from ledger.tlog.tiles import Tile
from ledger.tlog.tiles import format_bundle
from ledger.tlog.tiles import format_bundle_path
from ledger.tlog.tiles import format_tile_path
from ledger.tlog.tiles import parse_bundle
from ledger.tlog.tiles import parse_bundle_path
from ledger.tlog.tiles import parse_tile_path
from tests.readers.witnesses import read_cosignature
from tests.readers.witnesses import read_cosigned
from tests.readers.witnesses import read_policy
from tests.readers.witnesses import read_request
from tests.replay.making import hand_in
from tests.replay.world import World
from tools.vectors import trees
from tools.vectors.case import Vector
from tools.vectors.case import unvalue
from tools.vectors.case import value

Reader = Callable[[Vector], Vector]


def unhex(vector: Vector, *names: str) -> list[bytes]:
    """Read fields of hex."""
    return [bytes.fromhex(vector[name]) for name in names]


def _canonical(vector: Vector) -> Vector:
    (data,) = unhex(vector, "bytes")
    item = canonical.decode(data)
    assert canonical.encode(item) == data
    return {"value": value(item)}


def _event(vector: Vector) -> Vector:
    (data,) = unhex(vector, "event")
    event = parse_event(data)
    fields = msgspec.structs.asdict(event)
    fields["body"] = canonical.decode(bytes(event.body))
    return {"event_hash": event_hash(data).hex(), "fields": value(fields)}


def _entry(vector: Vector) -> Vector:
    (leaf,) = unhex(vector, "leaf")
    parse_entry(leaf)
    return {"leaf_hash": leaf_hash(leaf).hex()}


def _signed(vector: Vector) -> Vector:
    signed = parse_signed(vector["line"])
    assert format_signed(signed) == vector["line"]
    return {"event": signed.event.hex(), "signature": signed.signature.hex()}


def _signature(vector: Vector) -> Vector:
    event, signature, public = unhex(vector, "event", "signature", "public")
    verify.verify_signature(event, signature, public)
    return {}


def _key_id(vector: Vector) -> Vector:
    return {"key_id": verify.key_id(*unhex(vector, "public")).hex()}


def _key_proof(vector: Vector) -> Vector:
    public, proof, log, party = unhex(vector, "public", "proof", "log", "party")
    verify.verify_key_proof(public, proof, log, party, vector["purpose"])
    return {}


def _key_file(vector: Vector) -> Vector:
    key_file = parse_key_file(vector["text"])
    assert format_key_file(key_file) == vector["text"]
    return {"public": key_file.unlock(vector.get("passphrase")).public.hex()}


def _vkey(vector: Vector) -> Vector:
    vkey = parse_vkey(vector["vkey"])
    assert format_vkey(vkey) == vector["vkey"]
    identifier, public = vkey.key_id.hex(), vkey.public.hex()
    fields = {"key_id": identifier, "name": vkey.name, "public": public}
    return fields | {"type": vkey.type}


def _note(vector: Vector) -> Vector:
    return {"text": open_note(vector["note"], [parse_vkey(vector["vkey"])]).text}


def _checkpoint(vector: Vector) -> Vector:
    opened = open_checkpoint(vector["note"], parse_vkey(vector["vkey"]))
    return {"root": opened.root.hex(), "size": str(opened.size)}


def _proof(vector: Vector) -> Vector:
    proof = parse_proof(vector["proof"])
    assert format_proof(proof) == vector["proof"]
    leaf = proof.extra or b""
    checkpoint = verify_proof(proof, leaf, parse_vkey(vector["vkey"]))
    return {"index": proof.index, "leaf": leaf.hex(), "size": checkpoint.size}


def _tile_path(vector: Vector) -> Vector:
    if vector.get("level") == "entries":
        index, width = parse_bundle_path(vector["path"])
        path = format_bundle_path(index, width)
        return {"index": index, "level": "entries", "path": path, "width": width}
    tile = parse_tile_path(vector["path"])
    again = format_tile_path(Tile(tile.level, tile.index, tile.width))
    fields = {"index": tile.index, "level": tile.level, "width": tile.width}
    return fields | {"path": again}


def _tile(vector: Vector) -> Vector:
    root, files = trees.tree(vector["size"])
    return {
        "files": {path: sha256(data).hexdigest() for path, data in files.items()},
        "root": root.hex(),
        "tile": files["tile/0/000.p/5"].hex() if vector["size"] == len("five.") else "",
    }


def _bundle(vector: Vector) -> Vector:
    (data,) = unhex(vector, "bytes")
    leaves = parse_bundle(data, vector["width"])
    assert format_bundle(leaves) == data
    return {"leaves": [leaf.hex() for leaf in leaves]}


def header_of(vector: Vector) -> Header:
    """Read the header of a manifest's vector."""
    return Header(**unvalue(vector["header"]))


def _manifest(vector: Vector) -> Vector:
    (root,) = unhex(vector, "root")
    signed = Built(vector["lines"], root, vector["totals"])
    bundles = map(bytes.fromhex, vector["bundles"])
    lines = list(read_manifest(bundles, header_of(vector), signed))
    if "manifest_key" not in vector:
        return {}
    key = bytes.fromhex(vector["manifest_key"])
    return {"salts": [salt(key, n).hex() for n in range(1, len(lines) + 1)]}


def _manifest_line(vector: Vector) -> Vector:
    leaf, root = unhex(vector, "leaf", "root")
    line = verify_line(
        leaf,
        vector["index"],
        [bytes.fromhex(each) for each in vector["proof"]],
        header=header_of(vector),
        header_proof=[bytes.fromhex(each) for each in vector["header_proof"]],
        size=vector["size"],
        root=root,
    )
    return {"line": value(line)}


def _pool(vector: Vector) -> Vector:
    return {"pool": pool_id(vector["licence"], vector["run"]).hex()}


def _allocation(vector: Vector) -> Vector:
    said, keys = vector["node"], vector["keys"]
    weights, amounts = (list(map(int, vector[name])) for name in ("weights", "amounts"))
    node = Node(
        extra=said["extra"],
        key=said["key"],
        threshold=int(said["threshold"]),
        total=int(said["total"]),
        weight=int(said["weight"]),
    )
    for weight, key, amount in zip(weights, keys, amounts, strict=True):
        check_share(node, weight, key, amount)
    made = largest_remainder(node.total, weights, keys)
    assert made.node == node
    return {"amounts": [str(amount) for amount in made.amounts]}


def _hand_in(staged: Staged, root: str, bundles: list[str]) -> None:
    hand_in(staged, bytes.fromhex(root), map(bytes.fromhex, bundles))


def rebuild(leaves: list[str], manifests: dict[str, list[str]], world: World) -> World:
    """Put entries on a log, whatever its rules say, and replay them."""
    for leaf in map(bytes.fromhex, leaves):
        entry = decode_entry(leaf)
        signed = SignedEvent(entry.event, entry.signature)
        with Staged() as staged:
            for root, bundles in manifests.items():
                if bytes.fromhex(root) in entry.event:
                    _hand_in(staged, root, bundles)
            world.smuggle(signed, staged, time_ms=entry.time)
        (stored,) = world.store.leaves(entry.index, entry.index + 1)
        assert stored == leaf
    return world


def _log(vector: Vector) -> Vector:
    world = rebuild(vector["leaves"], vector["manifests"], World(empty=True))
    checkpoint = open_checkpoint(vector["checkpoint"], parse_vkey(vector["vkey"]))
    assert checkpoint.size == world.log.size
    problems = [
        [index, row.code, row.book, row.acknowledged]
        for index, row in world.state.problems.items()
    ]
    return {
        "full_digest": world.replayed("full").digest().hex(),
        "problems": problems,
        "public_digest": world.replayed("public").digest().hex(),
    }


@cache
def _stage(name: str) -> World:
    if not name:
        return World(empty=True)
    vector = LOGS[name]
    return rebuild(vector["leaves"], vector["manifests"], World(empty=True))


def _rule(vector: Vector) -> Vector:
    world = rebuild(vector["then"], vector["manifests"], _stage(vector["log"]).copy())
    event, signature = unhex(vector, "event", "signature")
    world.log._clock = lambda: int(vector["time"])
    with Staged() as staged:
        for root, bundles in vector["lines"].items():
            _hand_in(staged, root, bundles)
        (answer,) = world.log.append([SignedEvent(event, signature)], staged)
    if isinstance(answer, LedgerError):
        raise answer
    return {}


LOGS: dict[str, Any] = {}
"""The logs by stage, for the vectors that go on from one; filled by the tests."""

READERS: dict[str, Reader] = {
    "add-checkpoint": read_request,
    "allocation": _allocation,
    "bundle": _bundle,
    "canonical": _canonical,
    "checkpoint": _checkpoint,
    "cosignature": read_cosignature,
    "cosigned": read_cosigned,
    "entry": _entry,
    "event": _event,
    "key-file": _key_file,
    "key-id": _key_id,
    "key-proof": _key_proof,
    "log": _log,
    "manifest": _manifest,
    "manifest-line": _manifest_line,
    "note": _note,
    "policy": read_policy,
    "pool": _pool,
    "proof": _proof,
    "rule": _rule,
    "signature": _signature,
    "signed": _signed,
    "tile": _tile,
    "tile-path": _tile_path,
    "vkey": _vkey,
}
