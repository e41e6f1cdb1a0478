"""The public folder: C2SP tlog-tiles files and the checkpoint that names them.

    checkpoint                              signed, replaced last
    tile/<L>/<N>[.p/<W>]                    hashes
    tile/entries/<N>[.p/<W>]                entry bundles
    manifest/<root, hex>/tile/…             the same for each plain manifest

    stored ─► read anew ─► two roots agree ─► grown from the anchored tree
      ─► anchor replaced ─► that text signed ─► signature verified
      ─► files in place, durable ─► checkpoint last ─► noted       (format.md §7)

What a checkpoint names is in place before it is, and never written again. Any static
file server can serve the folder. Publishing twice is harmless, and publishing goes on
wherever it stopped, so recovery is the normal path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.anchor import check_anchored
from ledger.entry.envelope import decode_entry
from ledger.entry.envelope import decode_event
from ledger.errors import HomeError
from ledger.events.registry import manifest_refs
from ledger.events.registry import parse_body
from ledger.placing import put_files
from ledger.published import put_checkpoint
from ledger.recompute import recompute_root
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import format_checkpoint
from ledger.tlog.checkpoint import open_checkpoint
from ledger.tlog.checkpoint import parse_checkpoint
from ledger.tlog.checkpoint import sign_checkpoint
from ledger.tlog.merkle import Frontier
from ledger.tlog.merkle import check_consistency
from ledger.tlog.merkle import leaf_hashes
from ledger.tlog.merkle import prove_consistency
from ledger.tlog.merkle import tree_root
from ledger.tlog.note import make_vkey
from ledger.tlog.note import parse_note
from ledger.tlog.tiles import TILE_WIDTH
from ledger.tlog.tiles import Tile
from ledger.tlog.tiles import format_bundle
from ledger.tlog.tiles import format_bundle_path
from ledger.tlog.tiles import format_tile_path
from ledger.tlog.tiles import new_tiles
from ledger.tlog.tiles import parse_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence
    from pathlib import Path

    from ledger.anchor import Anchor
    from ledger.placing import File
    from ledger.storage.base import Store
    from ledger.tlog.ed25519 import SigningKey
    from ledger.tlog.merkle import Node
    from ledger.tlog.merkle import NodeReader


def published_checkpoint(store: Store) -> Checkpoint | None:
    """Read the newest checkpoint that was signed."""
    text = store.checkpoint()
    return None if text is None else parse_checkpoint(parse_note(text).text)


def publish(
    store: Store,
    public: Path,
    origin: str,
    keys: Sequence[SigningKey],
    anchor: Anchor,
) -> Checkpoint:
    """Put what is new in place under `public`, then sign and publish its checkpoint.

    Args:
        store: open for writing.
        public: the folder.
        origin: of the log.
        keys: all that are in force for its checkpoints.
        anchor: what this machine remembers of the log.

    Raises:
        VerificationError: `bad-consistency-proof`, `bad-frontier`: the store does not
            continue what was signed or anchored, and nothing was signed.
        HomeError: the store failed or is damaged; a code of `check_anchored`; another
            writer signed meanwhile; `published-differs`, `sync-failed`.
        OSError: a file cannot be written.
    """
    last_text, anchored_text = store.checkpoint(), anchor.read()
    with store.reread() as stored:
        anchored = check_anchored(stored, origin, anchor)
        last = published_checkpoint(stored)
        checkpoint = _recomputed(stored, origin, anchored, last)
        text = format_checkpoint(checkpoint)
        if text != anchored_text:
            anchor.swap(anchored_text, text)
        if last is not None and last_text is not None and last.size == checkpoint.size:
            put_checkpoint(public, last_text)
            return last
        signed = sign_checkpoint(checkpoint, origin, *keys)
        open_checkpoint(signed, *(make_vkey(origin, key.public) for key in keys))
        # A log that succeeds another has a folder of its own to fill.
        old_size = 0 if last is None or last.origin != origin else last.size
        put_files(public, files_between(stored, old_size, checkpoint.size))
    put_checkpoint(public, signed)
    with store.transaction():
        store.swap_checkpoint(last_text, signed)
    return checkpoint


def _recomputed(
    stored: Store, origin: str, anchored: Checkpoint | None, last: Checkpoint | None
) -> Checkpoint:
    """Give the checkpoint of a log by two ways that agree, and from all before it."""
    size = stored.size()
    checkpoint = Checkpoint(origin, size, tree_root(size, stored.nodes))
    if recompute_root(stored, anchored, size) != checkpoint.root:
        raise _damaged(f"the nodes kept are not those of the store's {size} entries")
    for known in (anchored, last):
        if known is not None:
            proof = prove_consistency(known.size, size, stored.nodes)
            check_consistency(known.size, size, proof, known.root, checkpoint.root)
    return checkpoint


def files_between(store: Store, old_size: int, size: int) -> Iterator[File]:
    """Give the files that the log needs at one size, and did not have at another."""
    yield from _log_files(store, old_size, size)
    yield from _manifest_files(store, old_size, size)


def _log_files(store: Store, old_size: int, size: int) -> Iterator[File]:
    for tile in new_tiles(old_size, size):
        if tile.level:
            yield format_tile_path(tile), _tile(tile, store.nodes)
            continue
        start = tile.index * TILE_WIDTH
        stop = start + tile.width
        leaves, hashes = list(store.leaves(start, stop)), store.leaf_hashes(start, stop)
        if b"".join(leaf_hashes(leaves)) != hashes:
            raise _damaged(f"the entries from {start} on are not what their hashes say")
        yield format_tile_path(tile), hashes
        yield format_bundle_path(tile.index, tile.width), format_bundle(leaves)


def _tile(tile: Tile, nodes: NodeReader) -> bytes:
    start = tile.index * TILE_WIDTH
    wanted = [(8 * tile.level, start + place) for place in range(tile.width)]
    return b"".join(nodes(wanted))


def _manifest_files(store: Store, old_size: int, size: int) -> Iterator[File]:
    for leaf in store.leaves(old_size, size):
        event = decode_event(decode_entry(leaf).event)
        body = parse_body(event.kind, event.body)
        for _, ref in manifest_refs(event.kind, body):
            if not ref.sealed:
                yield from _files_of_manifest(store, ref.root, ref.lines + 1)


def _files_of_manifest(store: Store, root: bytes, size: int) -> Iterator[File]:
    folder = f"manifest/{root.hex()}"
    frontier = Frontier()

    def nodes(wanted: Sequence[Node]) -> list[bytes]:
        return store.manifest_nodes(root, wanted)

    for tile in new_tiles(0, size):
        if tile.level:
            yield f"{folder}/{format_tile_path(tile)}", _tile(tile, nodes)
            continue
        data = store.bundle(root, tile.index)
        hashes = store.bundle_hashes(root, tile.index)
        if data is None or hashes is None:
            raise _damaged(f"bundle {tile.index} of manifest {root.hex()} is missing")
        computed = leaf_hashes(parse_bundle(data, tile.width))
        frontier.extend(computed)
        if b"".join(computed) != hashes:
            raise _damaged(f"bundle {tile.index} of manifest {root.hex()} was changed")
        yield f"{folder}/{format_tile_path(tile)}", hashes
        yield f"{folder}/{format_bundle_path(tile.index, tile.width)}", data
    if frontier.root() != root:
        raise _damaged(f"the lines of manifest {root.hex()} do not give its root")


def _damaged(message: str) -> HomeError:
    hint = "restore the home from a backup; 'linernote audit' shows more"
    return HomeError("store-damaged", message, hint=hint)
