"""Logs of any size made of synthetic leaves, on a shelf that can be tampered with."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from ledger.errors import UnverifiableError
from ledger.errors import VerificationError
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import sign_checkpoint
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.merkle import leaf_hashes
from ledger.tlog.merkle import subtree_root
from ledger.tlog.note import make_vkey
from ledger.tlog.tiles import TILE_WIDTH
from ledger.tlog.tiles import format_bundle
from ledger.tlog.tiles import format_bundle_path
from ledger.tlog.tiles import format_tile_path
from ledger.tlog.tiles import tiles_of

ORIGIN = "shelf.example/log"
KEY = SigningKey(bytes(range(32)))
VKEY = make_vkey(ORIGIN, KEY.public)

Leaves = Sequence[bytes]


@cache
def leaves_of(size: int, story: str = "") -> tuple[bytes, ...]:
    """Make leaves; two stories have none in common."""
    return tuple(b"leaf %d %s" % (index, story.encode()) for index in range(size))


def files_of(leaves: Leaves) -> dict[str, bytes]:
    """Lay leaves out as tiles and bundles (C2SP tlog-tiles)."""
    rows = [leaf_hashes(leaves)]
    while len(rows[-1]) >= TILE_WIDTH:
        row = rows[-1]
        full = range(0, len(row) - TILE_WIDTH + 1, TILE_WIDTH)
        rows.append([subtree_root(row[at : at + TILE_WIDTH]) for at in full])
    files = {}
    for tile in tiles_of(len(leaves)):
        start = tile.index * TILE_WIDTH
        hashes = rows[tile.level][start : start + tile.width]
        files[format_tile_path(tile)] = b"".join(hashes)
        if tile.level == 0:
            path = format_bundle_path(tile.index, tile.width)
            files[path] = format_bundle(leaves[start : start + tile.width])
    return files


def checkpoint_of(leaves: Leaves, origin: str = ORIGIN) -> Checkpoint:
    """Give the checkpoint over leaves."""
    return Checkpoint(origin, len(leaves), subtree_root(leaf_hashes(leaves)))


class Shelf:
    """A source in memory, which counts what it is asked for.

    Args:
        leaves: of the log that it holds.
    """

    def __init__(self, leaves: Leaves) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.answer: Callable[[str], bytes | None] = self.files.get
        self.show(leaves)

    def show(self, leaves: Leaves) -> None:
        """Serve a log of these leaves from now on."""
        self.files.update(_laid_out(tuple(leaves)))
        self.sign(checkpoint_of(leaves))

    def sign(self, checkpoint: Checkpoint, key: SigningKey = KEY) -> None:
        """Serve a checkpoint, signed by a key."""
        self.files["checkpoint"] = sign_checkpoint(
            checkpoint, checkpoint.origin, key
        ).encode()

    def get(self, path: str, bytes_max: int) -> bytes:
        """Read one file."""
        self.asked.append(path)
        data = self.answer(path)
        if data is None:
            raise UnverifiableError("not-found", path)
        if len(data) > bytes_max:
            raise VerificationError("body-too-long", path)
        return data

    def write(self, folder: Path) -> None:
        """Put the files into a folder."""
        for path, data in self.files.items():
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)


@cache
def _laid_out(leaves: tuple[bytes, ...]) -> dict[str, bytes]:
    return files_of(leaves)
