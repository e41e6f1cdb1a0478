"""Every file under ``public/``, against the tree that was verified.

Full and partial tiles, superseded partial ones included, entry bundles, and
the folders of plain manifests: whatever is there has to be a part of the log,
and whatever the published checkpoint names has to be there.

An event may claim any number of lines, and a checkpoint any size: no more is looked
for once it is clear that something is missing.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from ledger.audit.folder import read_at_most
from ledger.audit.folder import walk
from ledger.audit.report import NO_ENTRY
from ledger.audit.report import Found
from ledger.audit.spool import HashSpool
from ledger.audit.tree import VerifiedTree
from ledger.entry.envelope import LEAF_BYTES_MAX
from ledger.errors import FormatError
from ledger.tlog.merkle import HASH_LENGTH
from ledger.tlog.merkle import leaf_hash
from ledger.tlog.text import excerpt
from ledger.tlog.text import parse_hex
from ledger.tlog.tiles import TILE_WIDTH
from ledger.tlog.tiles import Tile
from ledger.tlog.tiles import format_bundle_path
from ledger.tlog.tiles import format_tile_path
from ledger.tlog.tiles import parse_bundle
from ledger.tlog.tiles import parse_bundle_path
from ledger.tlog.tiles import parse_tile_path
from ledger.tlog.tiles import tile_width
from ledger.tlog.tiles import tiles_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ledger.audit.brought import BroughtManifests
    from ledger.audit.report import Report
    from ledger.storage.base import Store


def check_files(
    public: Path,
    store: Store,
    tree: VerifiedTree,
    published: int,
    *,
    manifests: BroughtManifests,
    report: Report,
) -> None:
    """Check everything under `public` but the checkpoint.

    Args:
        public: the folder.
        store: whose lines were published.
        tree: the verified tree of the log.
        published: size of the published checkpoint, within that of the tree.
        manifests: those that the log brought in.
        report: takes what is found.
    """
    for path, kind in walk(public):
        name = path.relative_to(public).as_posix()
        if kind == "other":
            _wrong(report, "unexpected-file", name, "it is no file")
        elif name == "checkpoint":
            continue
        elif name.startswith("manifest/"):
            _check_manifest_file(name, manifests, report)
        elif name.startswith("tile/entries/"):
            _check_bundle(path, name, tree, report)
        else:
            _check_tile(path, name, tree, report)
    _check_complete(public, "", published, report)
    for root, brought in manifests.items():
        if brought.entry < published and not brought.sealed:
            name = f"manifest/{root.hex()}/"
            # An entry that broke a rule may name lines that never were.
            if store.bundle(root, 0) is not None or (public / name).is_dir():
                _check_manifest_folder(public, name, root, brought.size, report)


def _wrong(report: Report, code: str, name: str, message: str) -> None:
    # Whoever named the file may have meant it for the reader's terminal.
    shown = name if name.isascii() and name.isprintable() else excerpt(name)
    report.problems.append(Found(NO_ENTRY, code, f"{shown}: {message}"))


def _check_tile(path: Path, name: str, tree: VerifiedTree, report: Report) -> None:
    try:
        tile = parse_tile_path(name)
    except FormatError:
        _wrong(report, "unexpected-file", name, "no file of a log has this name")
        return
    right = tree.tile(tile.level, tile.index, tile.width)
    if right is None or read_at_most(path, len(right)) != right:
        _wrong(report, "tile-mismatch", name, "its hashes are not those of the log")
    report.count("tiles")


def _check_bundle(path: Path, name: str, tree: VerifiedTree, report: Report) -> None:
    try:
        index, width = parse_bundle_path(name)
    except FormatError:
        _wrong(report, "unexpected-file", name, "no file of a log has this name")
        return
    right = tree.tile(0, index, width)
    if right is None or _hashes(path, width) != right:
        _wrong(report, "bundle-mismatch", name, "its entries are not those of the log")
    report.count("bundles")


def _hashes(bundle: Path, width: int) -> bytes:
    """Hash the leaves of a bundle; nothing if it isn't one of that width."""
    data = read_at_most(bundle, width * (2 + LEAF_BYTES_MAX))
    try:
        return b"".join(map(leaf_hash, parse_bundle(data or b"", width)))
    except FormatError:
        return b""


def _check_complete(public: Path, folder: str, size: int, report: Report) -> bool:
    """Name the first file that a tree of that size needs and that is missing."""
    lacking = (name for name in _names(size) if not (public / folder / name).is_file())
    missing = list(islice(lacking, 2))
    if missing:
        verb = "and others are" if missing[1:] else "is"
        report.missing.append(f"public/{folder}{missing[0]} {verb} missing")
    return not missing


def _names(size: int) -> Iterator[str]:
    for tile in tiles_of(size):
        yield format_tile_path(tile)
        if tile.level == 0:
            yield format_bundle_path(tile.index, tile.width)


def _check_manifest_file(
    name: str, manifests: BroughtManifests, report: Report
) -> None:
    """Check that a file belongs to a plain manifest of the log.

    A manifest is published at once, so its folder has no superseded partial tiles.
    """
    _, root, *rest = name.split("/")
    inner = "/".join(rest)
    try:
        brought = manifests.get(parse_hex(root, HASH_LENGTH))
        if inner.startswith("tile/entries/"):
            tile = Tile(0, *parse_bundle_path(inner))
        else:
            tile = parse_tile_path(inner)
    except FormatError:
        brought = None
    if (
        brought is None
        or brought.sealed
        or tile.width != tile_width(tile.level, tile.index, brought.size)
    ):
        _wrong(report, "unexpected-file", name, "it belongs to no manifest of the log")


def _check_manifest_folder(
    public: Path, name: str, root: bytes, size: int, report: Report
) -> None:
    """Recompute a manifest's root and tiles from its own bundles."""
    if not _check_complete(public, name, size, report):
        return
    folder = public / name
    report.count("manifests")
    with HashSpool() as spool:
        tree = VerifiedTree(spool)
        for tile in tiles_of(size):
            if tile.level == 0:
                bundle = folder / format_bundle_path(tile.index, tile.width)
                hashes = _hashes(bundle, tile.width)
                tree.extend(
                    [
                        hashes[n : n + HASH_LENGTH]
                        for n in range(0, len(hashes), HASH_LENGTH)
                    ]
                )
        if tree.root() != root:
            message = "its lines do not give its root"
            _wrong(report, "manifest-mismatch", name, message)
            return
        for tile in tiles_of(size):
            path = format_tile_path(tile)
            right = tree.tile(tile.level, tile.index, tile.width)
            if read_at_most(folder / path, TILE_WIDTH * HASH_LENGTH) != right:
                message = "its hashes are not those of the manifest"
                _wrong(report, "tile-mismatch", f"{name}{path}", message)
