"""The public folder: C2SP tlog-tiles files and the checkpoint that names them.

    checkpoint                              signed, replaced last
    tile/<L>/<N>[.p/<W>]                    hashes
    tile/entries/<N>[.p/<W>]                entry bundles
    manifest/<root, hex>/tile/…             the same for each plain manifest

Files but the checkpoint are written once: before a checkpoint of a size is
signed, all that it names is in place and durable. Any static file server can
serve the folder. Publishing twice is harmless, so recovery is the normal path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

from ledger.entry.envelope import decode_entry
from ledger.entry.envelope import decode_event
from ledger.errors import HomeError
from ledger.events.registry import manifest_refs
from ledger.events.registry import parse_body

from ledger.home import write_durably
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import parse_checkpoint
from ledger.tlog.checkpoint import sign_checkpoint
from ledger.tlog.merkle import check_consistency
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
    from collections.abc import Sequence
    from pathlib import Path

    from ledger.storage.base import Store
    from ledger.tlog.ed25519 import SigningKey
    from ledger.tlog.merkle import Node


def published_checkpoint(store: Store) -> Checkpoint | None:
    """Read the newest checkpoint that was signed."""
    text = store.checkpoint()
    return None if text is None else parse_checkpoint(parse_note(text).text)


def publish(store: Store, public: Path, origin: str, key: SigningKey) -> Checkpoint:
    """Write what is new under `public`, then sign and publish its checkpoint.

    Raises:
        HomeError: `publish-conflict` if a file that is written once differs.
        VerificationError: `bad-consistency-proof`: the store does not continue
            the last checkpoint, and nothing was signed.
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
    _write_log_tiles(store, public, old_size, size)
    _write_manifests(store, public, old_size, size)
    text = sign_checkpoint(checkpoint, origin, key)
    with store.transaction():
        store.swap_checkpoint(last_text, text)
    write_durably(public / "checkpoint", text.encode())
    return checkpoint


def _write_log_tiles(store: Store, public: Path, old_size: int, size: int) -> None:
    for tile in new_tiles(old_size, size):
        _write_once(public / format_tile_path(tile), _tile(tile, store.nodes))
        if tile.level == 0:
            start = tile.index * TILE_WIDTH
            leaves = list(store.leaves(start, start + tile.width))
            path = public / format_bundle_path(tile.index, tile.width)
            _write_once(path, format_bundle(leaves))


def _tile(tile: Tile, nodes: Any) -> bytes:  # noqa: ANN401 (a node reader)
    start = tile.index * TILE_WIDTH
    wanted = [(8 * tile.level, start + place) for place in range(tile.width)]
    return b"".join(nodes(wanted))


def _write_manifests(store: Store, public: Path, old_size: int, size: int) -> None:
    for leaf in store.leaves(old_size, size):
        event = decode_event(decode_entry(leaf).event)
        body = parse_body(event.kind, event.body)
        for _, ref in manifest_refs(event.kind, body):
            if not ref.sealed:
                _write_manifest(store, public, ref.root, ref.lines + 1)


def _write_manifest(store: Store, public: Path, root: bytes, size: int) -> None:
    folder = public / "manifest" / root.hex()

    def nodes(wanted: Sequence[Node]) -> list[bytes]:
        return store.manifest_nodes(root, wanted)

    for tile in new_tiles(0, size):
        _write_once(folder / format_tile_path(tile), _tile(tile, nodes))
        if tile.level == 0:
            data = store.bundle(root, tile.index)
            if data is None:
                raise HomeError(
                    "store-damaged", f"bundle {tile.index} of {root.hex()} is missing"
                )
            path = folder / format_bundle_path(tile.index, tile.width)
            _write_once(path, data)


def _write_once(path: Path, data: bytes) -> None:
    """Write a file that never changes; one that is there must be the same."""
    if path.exists():
        if path.read_bytes() != data:
            raise HomeError(
                "publish-conflict",
                f"{path} is published with other bytes",
                hint="a published file never changes: run 'linernote audit'",
            )
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_durably(path, data)
