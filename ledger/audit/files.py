"""Every file under ``public/``, against the tree that was verified.

Full and partial tiles, superseded partial ones included, entry bundles, and
the folders of plain manifests: whatever is there has to be a part of the log,
and whatever the published checkpoint names has to be there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.audit.report import NO_ENTRY
from ledger.audit.report import Found
from ledger.audit.spool import HashSpool
from ledger.audit.tree import VerifiedTree
from ledger.errors import FormatError
from ledger.tlog.merkle import leaf_hash
from ledger.tlog.tiles import TILE_WIDTH
from ledger.tlog.tiles import format_bundle_path
from ledger.tlog.tiles import format_tile_path
from ledger.tlog.tiles import parse_bundle
from ledger.tlog.tiles import parse_bundle_path
from ledger.tlog.tiles import parse_tile_path
from ledger.tlog.tiles import tiles_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ledger.audit.report import Report
    from ledger.replay.state import State


def check_files(
    public: Path, tree: VerifiedTree, published: int, state: State, report: Report
) -> None:
    """Check everything under `public` but the checkpoint.

    Args:
        public: the folder.
        tree: the verified tree of the log.
        published: size of the published checkpoint.
        state: tells which manifests the log brought in.
        report: takes what is found.
    """
    for path in sorted(public.rglob("*")):
        if path.is_dir():
            continue
        name = path.relative_to(public).as_posix()
        if name == "checkpoint":
            continue
        if name.startswith("manifest/"):
            _check_manifest_file(name, state, report)
        elif name.startswith("tile/entries/"):
            _check_bundle(path, name, tree, report)
        else:
            _check_tile(path, name, tree, report)
    _check_complete(public, published, report)
    _check_manifest_folders(public, state, published, report)


def _wrong(report: Report, code: str, name: str, message: str) -> None:
    report.problems.append(Found(NO_ENTRY, code, f"{name}: {message}"))


def _check_tile(path: Path, name: str, tree: VerifiedTree, report: Report) -> None:
    try:
        tile = parse_tile_path(name)
    except FormatError:
        _wrong(report, "unexpected-file", name, "no file of a log has this name")
        return
    right = tree.tile(tile.level, tile.index, tile.width)
    if right is None or path.read_bytes() != right:
        _wrong(report, "tile-mismatch", name, "its hashes are not those of the log")
    report.count("tiles")


def _check_bundle(path: Path, name: str, tree: VerifiedTree, report: Report) -> None:
    try:
        index, width = parse_bundle_path(name)
    except FormatError:
        _wrong(report, "unexpected-file", name, "no file of a log has this name")
        return
    try:
        leaves = parse_bundle(path.read_bytes(), width)
    except FormatError as error:
        _wrong(report, "bundle-mismatch", name, error.message)
        return
    right = tree.tile(0, index, width)
    if right is None or b"".join(map(leaf_hash, leaves)) != right:
        _wrong(report, "bundle-mismatch", name, "its entries are not those of the log")
    report.count("bundles")


def _check_complete(public: Path, published: int, report: Report) -> None:
    """Name the files that the published checkpoint needs and that are missing."""
    for name in _names(published):
        if not (public / name).is_file():
            report.missing.append(f"public/{name} is missing")


def _names(size: int) -> Iterator[str]:
    for tile in tiles_of(size):
        yield format_tile_path(tile)
        if tile.level == 0:
            yield format_bundle_path(tile.index, tile.width)


def _check_manifest_file(name: str, state: State, report: Report) -> None:
    """Check that a file belongs to the folder of a manifest on the log."""
    _, root_hex, *rest = name.split("/")
    inner = "/".join(rest)
    try:
        known = state.manifests.get(bytes.fromhex(root_hex)) is not None
        if inner.startswith("tile/entries/"):
            parse_bundle_path(inner)
        else:
            parse_tile_path(inner)
    except (FormatError, ValueError):
        known = False
    if not known:
        _wrong(report, "unexpected-file", name, "it belongs to no manifest of the log")


def _check_manifest_folders(
    public: Path, state: State, published: int, report: Report
) -> None:
    folder = public / "manifest"
    for root, index in state.manifests.items():
        path = folder / root.hex()
        if not path.is_dir():
            # Sealed manifests and those not yet published have no folder.
            continue
        if index < published:
            _check_manifest_folder(path, root, report)


def _check_manifest_folder(path: Path, root: bytes, report: Report) -> None:
    """Recompute a manifest's root and tiles from its own bundles."""
    name = f"manifest/{path.name}"
    with HashSpool() as spool:
        tree = VerifiedTree(spool)
        for leaves in _bundles(path):
            tree.extend([leaf_hash(leaf) for leaf in leaves])
        report.count("manifests")
        if tree.root() != root:
            message = "its lines do not give its root"
            _wrong(report, "manifest-mismatch", name, message)
            return
        for file in sorted((path / "tile").rglob("*")):
            inner = file.relative_to(path).as_posix()
            if file.is_dir() or inner.startswith("tile/entries/"):
                continue
            tile = parse_tile_path(inner)
            if tree.tile(tile.level, tile.index, tile.width) != file.read_bytes():
                message = "its hashes are not those of the manifest"
                _wrong(report, "tile-mismatch", f"{name}/{inner}", message)


def _bundles(path: Path) -> Iterator[list[bytes]]:
    """Read the bundles of a manifest, the last one partial or full."""
    index = 0
    while True:
        full = path / format_bundle_path(index, TILE_WIDTH)
        if full.is_file():
            yield parse_bundle(full.read_bytes(), TILE_WIDTH)
            index += 1
            continue
        partial = full.with_name(full.name + ".p")
        widths = sorted(int(file.name) for file in partial.glob("*"))
        if widths:
            data = (partial / str(widths[-1])).read_bytes()
            yield parse_bundle(data, widths[-1])
        return
