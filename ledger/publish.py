"""The public folder: C2SP tlog-tiles files and the checkpoint that names them.

    checkpoint                              signed, replaced last
    tile/<L>/<N>[.p/<W>]                    hashes
    tile/entries/<N>[.p/<W>]                entry bundles
    manifest/<root, hex>/tile/…             the same for each plain manifest

Before a checkpoint is signed, all that it names is in place and durable; what a
signed checkpoint names is never written again. Any static file server can serve
the folder. Publishing twice is harmless, so recovery is the normal path.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from ledger.entry.envelope import decode_entry
from ledger.entry.envelope import decode_event
from ledger.errors import HomeError
from ledger.events.registry import manifest_refs
from ledger.events.registry import parse_body
from ledger.home import sync
from ledger.home import write_durably
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import parse_checkpoint
from ledger.tlog.checkpoint import sign_checkpoint
from ledger.tlog.merkle import check_consistency
from ledger.tlog.merkle import leaf_hash
from ledger.tlog.merkle import prove_consistency
from ledger.tlog.merkle import tree_root
from ledger.tlog.note import parse_note
from ledger.tlog.tiles import TILE_WIDTH
from ledger.tlog.tiles import Tile
from ledger.tlog.tiles import format_bundle
from ledger.tlog.tiles import format_bundle_path
from ledger.tlog.tiles import format_tile_path
from ledger.tlog.tiles import new_tiles

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Sequence
    from pathlib import Path

    from ledger.storage.base import Store
    from ledger.tlog.ed25519 import SigningKey
    from ledger.tlog.merkle import Node
    from ledger.tlog.merkle import NodeReader


_File = tuple[str, bytes]
"""Path below the public folder, and content."""


def published_checkpoint(store: Store) -> Checkpoint | None:
    """Read the newest checkpoint that was signed."""
    text = store.checkpoint()
    return None if text is None else parse_checkpoint(parse_note(text).text)


def publish(store: Store, public: Path, origin: str, key: SigningKey) -> Checkpoint:
    """Write what is new under `public`, then sign and publish its checkpoint.

    Raises:
        VerificationError: `bad-consistency-proof`: the store does not continue
            the last checkpoint, and nothing was signed.
        HomeError: the store failed, or another writer signed meanwhile.
    """
    last_text = store.checkpoint()
    last = published_checkpoint(store)
    old_size = 0 if last is None else last.size
    size = store.size()
    checkpoint = Checkpoint(origin, size, tree_root(size, store.nodes))
    if last is not None and last_text is not None:
        proof = prove_consistency(old_size, size, store.nodes)
        check_consistency(old_size, size, proof, last.root, checkpoint.root)
        if size == old_size:
            write_durably(public / "checkpoint", last_text.encode())
            return last
    files = chain(
        _log_files(store, old_size, size), _manifest_files(store, old_size, size)
    )
    _write_all(public, files)
    text = sign_checkpoint(checkpoint, origin, key)
    with store.transaction():
        store.swap_checkpoint(last_text, text)
    write_durably(public / "checkpoint", text.encode())
    return checkpoint


def _log_files(store: Store, old_size: int, size: int) -> Iterator[_File]:
    for tile in new_tiles(old_size, size):
        if tile.level:
            yield format_tile_path(tile), _tile(tile, store.nodes)
            continue
        start = tile.index * TILE_WIDTH
        stop = start + tile.width
        leaves, hashes = list(store.leaves(start, stop)), store.leaf_hashes(start, stop)
        if b"".join(map(leaf_hash, leaves)) != hashes:
            raise HomeError(
                "store-damaged",
                f"the entries from {start} on are not what their hashes say",
                hint="restore the home from a backup; 'linernote audit' shows more",
            )
        yield format_tile_path(tile), hashes
        yield format_bundle_path(tile.index, tile.width), format_bundle(leaves)


def _tile(tile: Tile, nodes: NodeReader) -> bytes:
    start = tile.index * TILE_WIDTH
    wanted = [(8 * tile.level, start + place) for place in range(tile.width)]
    return b"".join(nodes(wanted))


def _manifest_files(store: Store, old_size: int, size: int) -> Iterator[_File]:
    for leaf in store.leaves(old_size, size):
        event = decode_event(decode_entry(leaf).event)
        body = parse_body(event.kind, event.body)
        for _, ref in manifest_refs(event.kind, body):
            if not ref.sealed:
                yield from _files_of_manifest(store, ref.root, ref.lines + 1)


def _files_of_manifest(store: Store, root: bytes, size: int) -> Iterator[_File]:
    folder = f"manifest/{root.hex()}"

    def nodes(wanted: Sequence[Node]) -> list[bytes]:
        return store.manifest_nodes(root, wanted)

    for tile in new_tiles(0, size):
        if tile.level:
            yield f"{folder}/{format_tile_path(tile)}", _tile(tile, nodes)
            continue
        data = store.bundle(root, tile.index)
        hashes = store.bundle_hashes(root, tile.index)
        if data is None or hashes is None:
            raise HomeError(
                "store-damaged",
                f"bundle {tile.index} of manifest {root.hex()} is missing",
                hint="restore the home from a backup; 'linernote audit' shows more",
            )
        yield f"{folder}/{format_tile_path(tile)}", hashes
        yield f"{folder}/{format_bundle_path(tile.index, tile.width)}", data


def _write_all(public: Path, files: Iterable[_File]) -> None:
    """Put files in place that no checkpoint names yet, all durable at the end.

    What a crash left of them is simply written again.
    """
    paths = []
    for name, data in files:
        path = public / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        paths.append(path)
    # Synced together, since the first sync of many files carries most of them.
    folders = {path.parent for path in paths}
    above = {folder for path in folders for folder in path.parents}
    inside = {folder for folder in above if folder.is_relative_to(public)}
    for path in [*paths, *sorted(folders | inside)]:
        sync(path)
