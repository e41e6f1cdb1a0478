"""The stand-alone verifier reads vectors, by its own functions and its own code.

It refuses with the library's codes. Where it is coarser, because it says less or looks
in another order, `COARSER` names its code; what it does not read at all has no reader.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.readers import folders
from tests.readers import library
from tests.readers.library import Reader
from tools import verify
from tools import verify_policy
from tools.vectors import trees
from tools.vectors.case import Vector
from tools.vectors.case import unvalue
from tools.vectors.case import value

COARSER = {
    ("vkey", "bad-hex"): "bad-vkey",
    ("manifest", "manifest-count-mismatch"): "bad-bundle",
    ("manifest", "manifest-lines-missing"): "file-missing",
    ("event", "bad-token"): "bad-event",
    ("checkpoint", "bad-key-name"): "wrong-origin",
}
"""(format, code of the vector) to the verifier's own code."""

BUNDLE = "tile/entries/{:03}"


def _canonical(vector: Vector) -> Vector:
    data = bytes.fromhex(vector["bytes"])
    verify.need(len(data) <= verify.LEAF_BYTES_MAX, "too-large")
    return {"value": value(verify.decode(data))}


def _event(vector: Vector) -> Vector:
    data = bytes.fromhex(vector["event"])
    event = verify.parse(data, "event", limit=verify.EVENT_BYTES_MAX)
    hashed = verify.sha256(verify.EVENT_TAG, data)
    return {"event_hash": hashed.hex(), "fields": value(event)}


def _entry(vector: Vector) -> Vector:
    leaf = bytes.fromhex(vector["leaf"])
    verify.parse(leaf, "entry", verify.ENTRY_TAG)
    return {"leaf_hash": verify.sha256(b"\0", leaf).hex()}


def _signature(vector: Vector) -> Vector:
    event, signature, public = library.unhex(vector, "event", "signature", "public")
    verify.verify_signature(public, verify.EVENT_TAG + event, signature)
    return {}


def _vkey(vector: Vector) -> Vector:
    kind = bytes([vector.get("type", 1)])
    name, identifier, public = verify.parse_vkey(vector["vkey"], kind)
    return {"key_id": identifier.hex(), "name": name, "public": public.hex()}


def _note(vector: Vector) -> Vector:
    lines = verify.open_note(vector["note"], verify.parse_vkey(vector["vkey"]))
    return {"text": "".join(f"{line}\n" for line in lines)}


def _checkpoint(vector: Vector) -> Vector:
    vkey = verify.parse_vkey(vector["vkey"])
    size, root = verify.open_checkpoint(vector["note"], vkey)
    return {"root": root.hex(), "size": str(size)}


def _proof(vector: Vector) -> Vector:
    index, hashes, checkpoint, leaf = verify.parse_proof(vector["proof"])
    vkey = verify.parse_vkey(vector["vkey"])
    size, root = verify.open_checkpoint(checkpoint, vkey)
    found = verify.proven_root(index, size, verify.sha256(b"\0", leaf), hashes)
    verify.need(found == root, "bad-inclusion-proof")
    return {"index": index, "leaf": leaf.hex(), "size": size}


def _tile_path(vector: Vector) -> Vector:
    place = {name: vector[name] for name in ("level", "index", "width")}
    return {"path": verify.tile_path(**place)}


def _tile(vector: Vector) -> Vector:
    """Check the files of a tree on a disk, as those of a public folder."""
    root, contents = trees.tree(vector["size"])
    with TemporaryDirectory() as name:
        files = folders.write(Path(name), contents)
        report, hashes = verify.Report(), list[bytes]()
        read = list(verify.read_leaves(files, vector["size"], hashes))
        verify.check_files(files, hashes, "", report)
    assert read == [trees.leaf(index) for index in range(vector["size"])]
    assert not report.notes
    assert report.checked["tiles and bundles"] == len(contents)
    assert verify.tree_root(hashes) == root
    return {"root": root.hex()}


def _bundle(vector: Vector) -> Vector:
    leaves = verify.parse_bundle(bytes.fromhex(vector["bytes"]), vector["width"])
    return {"leaves": [leaf.hex() for leaf in leaves]}


def bundle_files(bundles: list[str], leaves: int) -> dict[str, bytes]:
    """Name the bundles of a tree of so many leaves."""
    files = {}
    for number, data in enumerate(bundles):
        width = min(verify.WIDTH, leaves - number * verify.WIDTH)
        name = verify.tile_path("entries", number, max(width, 1))
        files[name] = bytes.fromhex(data)
    return files


def _manifest(vector: Vector) -> Vector:
    """Verify a manifest as one that an event brings in, but for its tiles."""
    header = unvalue(vector["header"])
    ref = {
        "lines": vector["lines"],
        "order": header["order"],
        "root": bytes.fromhex(vector["root"]),
        "sealed": header["sealed"],
        "totals": vector["totals"],
    }
    with TemporaryDirectory() as name:
        contents = bundle_files(vector["bundles"], vector["lines"] + 1)
        # The verifier asks for a file by name: an empty manifest still has a folder.
        files = folders.write(Path(name), contents) or {"none": Path(name)}
        trees_ = {f"manifest/{vector['root']}/": files}
        report = verify.Report()
        log = verify.Log(("", b"", b""), trees_, report)
        log._lines(header["kind"], header, ref)
    for note in report.notes:
        # Of its tiles there are none here.
        verify.need("tile/" in note["where"], note["code"])
    return {}


Run = Callable[..., tuple[int, Any]]
"""Runs the program on a path; gives its exit code and document."""


def run(path: Path, vkey: str, capsys: Any) -> tuple[int, Any]:  # noqa: ANN401
    """Run the program; give exit code and document."""
    code = verify.main([str(path), "--vkey", vkey, "--json"])
    return code, json.loads(capsys.readouterr().out)


def _policy(vector: Vector) -> Vector:
    policy = verify_policy.Policy(vector["policy"])
    groups = [[name, k, *members] for name, (k, members) in policy.groups.items()]
    quorum = None if policy.quorum == verify_policy.NOBODY else policy.quorum
    fields = {"logs": list(policy.logs), "witnesses": list(policy.witnesses)}
    return {"groups": groups, "quorum": quorum, **fields}


def _cosigned(vector: Vector) -> Vector:
    log, names = verify_policy.Policy(vector["policy"]).check(vector["note"])
    vkey = verify.parse_vkey(log)
    size, _ = verify.open_checkpoint(vector["note"], vkey)
    return {"log": vkey[1].hex(), "size": size, "witnesses": names}


def _cosignature(vector: Vector) -> Vector:
    vkey = verify.parse_vkey(vector["vkey"], verify_policy.COSIGNS)
    cosigned = verify_policy.has_cosigned(vector["note"], vkey)
    verify.need(cosigned, "not-signed")
    return {"text": "".join(f"{line}\n" for line in verify.open_note(vector["note"]))}


READERS: dict[str, Reader] = {
    "bundle": _bundle,
    "canonical": _canonical,
    "checkpoint": _checkpoint,
    "cosignature": _cosignature,
    "cosigned": _cosigned,
    "entry": _entry,
    "event": _event,
    "manifest": _manifest,
    "note": _note,
    "policy": _policy,
    "proof": _proof,
    "signature": _signature,
    "tile": _tile,
    "tile-path": _tile_path,
    "vkey": _vkey,
}
