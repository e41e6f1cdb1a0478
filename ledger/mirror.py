"""A verified copy of a published log: the same files, none of them on trust.

    checkpoint, by the keys ─► grown from the one copied last ─► entries, by the tree
      ─► tiles, bundles, plain manifests in place, durable ─► checkpoint last

What is fetched is the entry bundles and the edge of the tree; every other hash is
computed from them. A copy that was interrupted goes on: files that are there are read
instead of fetched, and held against the tree like all others. So are those of a copy
that was finished, each time: what is lost or damaged in it is put right. Any static
file server can serve the folder, and a mirror can be mirrored.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING
from typing import NamedTuple

from ledger.entry.canonical import DECODE_ERRORS
from ledger.entry.envelope import decode_event
from ledger.entry.envelope import parse_entry
from ledger.errors import FormatError
from ledger.errors import HomeError
from ledger.errors import InputError
from ledger.events.registry import MANIFEST_FIELDS
from ledger.events.registry import manifest_refs
from ledger.events.registry import parse_body
from ledger.placing import put_files
from ledger.published import FILE_NAME
from ledger.published import put_checkpoint
from ledger.reader import AuthenticTree
from ledger.reader import Reader
from ledger.reader.cache import ReadOnly
from ledger.reader.fetch import PARALLEL
from ledger.reader.fetch import Fetcher
from ledger.storage.lock import WriterLock
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import parse_checkpoint
from ledger.tlog.merkle import leaf_hashes
from ledger.tlog.note import parse_note
from ledger.tlog.tiles import TILE_WIDTH
from ledger.tlog.tiles import Tile
from ledger.tlog.tiles import format_bundle
from ledger.tlog.tiles import format_bundle_path
from ledger.tlog.tiles import format_tile_path
from ledger.tlog.tiles import new_tiles
from ledger.tlog.tiles import tile_width

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from collections.abc import Iterator
    from pathlib import Path

    from ledger.events.types import ManifestRef
    from ledger.placing import File
    from ledger.reader import Source
    from ledger.reader import Trust

TOGETHER_BYTES = 1 << 25
"""Files are made durable in lots of about so much; a crash costs the last one."""
TOGETHER_FILES = 1_024


class Mirrored(NamedTuple):
    """What a copy holds, and what was new in it.

    Attributes:
        checkpoint: of the copy.
        old_size: of the copy before.
        files: how many were looked at or written.
        manifests: how many of the new entries' were copied.
        repaired: how many files of the copy before were lost or damaged.
        trust: by what the checkpoint is believed.
        followed: whether these are other keys than the log had before.
    """

    checkpoint: Checkpoint
    old_size: int
    files: int
    manifests: int
    repaired: int
    trust: Trust
    followed: bool


def _silent(done: int, total: int) -> None:
    """Show no progress."""


class Mirror:
    """Copies one log into a folder.

    Args:
        source: of the log's files.
        trust: the log's verifier keys, or a policy; as `Reader`.
        folder: of the copy; made if it is not there.
        progress: is told entries done and in all.
    """

    def __init__(
        self,
        source: Source,
        trust: Trust,
        folder: Path,
        progress: Callable[[int, int], None] = _silent,
    ) -> None:
        self._source = source
        self._trust = trust
        self._folder = folder
        self._progress = progress
        self._files = 0
        self._manifests = 0

    def copy(self) -> Mirrored:
        """Put the copy right, and bring it up to the log's newest checkpoint.

        Raises:
            UnverifiableError: as `Reader.checkpoint` and `AuthenticTree.leaves`.
            VerificationError: as these, and as `Reader.consistency`: the log is not the
                one that was copied, or not all of it.
            HomeError: `home-in-use`, `not-a-mirror`, `published-differs`.
            OSError: a file cannot be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        lock = self._folder.resolve().with_name(f".{self._folder.name}.lock")
        copied = ReadOnly(self._folder)
        with (
            WriterLock(lock),
            Reader(self._source, self._trust, copy=copied) as reader,
        ):
            old = self._copied()
            new = reader.checkpoint()
            if old is not None:
                reader.consistency(old)
            old_size = 0 if old is None else old.size
            with ThreadPoolExecutor(PARALLEL, "linernote-mirror") as pool:
                repaired = 0 if old is None else self._repair(pool, old)
                for files in _lots(self._files_between(pool, old_size, new)):
                    put_files(self._folder, files)
                    self._files += len(files)
            put_checkpoint(self._folder, reader.note)
            counts = self._files, self._manifests, repaired
            return Mirrored(new, old_size, *counts, reader.trust, reader.followed)

    def _repair(self, pool: ThreadPoolExecutor, old: Checkpoint) -> int:
        """Hold all of the copy against its checkpoint; give how much was put right.

        That the log continues it was verified, so whatever differs is damage.
        """
        files = self._files_between(pool, 0, old)
        lots = _lots(files)
        repaired = sum(put_files(self._folder, lot, replace=True) for lot in lots)
        self._manifests = 0
        return repaired

    def _copied(self) -> Checkpoint | None:
        """Read the checkpoint of the copy: all that it names should be there."""
        path = self._folder / FILE_NAME
        try:
            text = path.read_text(encoding="utf-8")
            return parse_checkpoint(parse_note(text).text)
        except FileNotFoundError:
            return None
        except (FormatError, UnicodeDecodeError) as error:
            raise HomeError(
                "not-a-mirror",
                f"{path} is no checkpoint",
                hint="name another folder, or empty this one",
            ) from error

    def _files_between(
        self, pool: ThreadPoolExecutor, old_size: int, new: Checkpoint
    ) -> Iterator[File]:
        tree = self._tree(pool, new.size, new.root)
        yield from self._level_0(pool, tree, old_size)
        yield from _upper_levels(tree, old_size)

    def _level_0(
        self, pool: ThreadPoolExecutor, tree: AuthenticTree, old_size: int
    ) -> Iterator[File]:
        """Give bundles and their hashes, and the manifests that new entries bring."""
        if old_size == tree.size:
            return
        start = old_size - old_size % TILE_WIDTH
        manifests = _Manifests(partial(self._tree, pool))
        for index, leaves in _bundles(tree, start):
            yield from _bundle_files("", index, leaves)
            first = index * TILE_WIDTH
            for place, leaf in enumerate(leaves, first):
                if place >= old_size:
                    for ref in _plain_manifests(leaf):
                        yield from manifests.add(ref)
            self._progress(first + len(leaves), tree.size)
        yield from manifests.rest()
        self._manifests = manifests.count

    def _tree(
        self, pool: ThreadPoolExecutor, size: int, root: bytes, prefix: str = ""
    ) -> AuthenticTree:
        # What comes into the copy does so durably, and once.
        copied = ReadOnly(self._folder)
        return AuthenticTree(size, root, Fetcher(self._source, copied, pool, prefix))


class _Manifests:
    """Copies manifests in their order, while those after them are being fetched.

    Args:
        tree: gives the tree of a size and root, under a prefix.
    """

    def __init__(self, tree: Callable[[int, bytes, str], AuthenticTree]) -> None:
        self._tree = tree
        self._begun: deque[tuple[str, AuthenticTree, int]] = deque()
        self._fetching = 0
        self.count = 0

    def add(self, ref: ManifestRef) -> Iterator[File]:
        """Begin with a manifest; give the files of those that have waited enough."""
        prefix = f"manifest/{ref.root.hex()}/"
        tree = self._tree(ref.lines + 1, ref.root, prefix)
        bundles = tree.begin(PARALLEL)
        self._begun.append((prefix, tree, bundles))
        self._fetching += bundles
        while self._fetching > PARALLEL:
            yield from self._finish()

    def rest(self) -> Iterator[File]:
        """Give the files of all that were begun."""
        while self._begun:
            yield from self._finish()

    def _finish(self) -> Iterator[File]:
        prefix, tree, bundles = self._begun.popleft()
        self._fetching -= bundles
        tree.check()  # before its size is believed
        for index, leaves in _bundles(tree):
            yield from _bundle_files(prefix, index, leaves)
        for name, data in _upper_levels(tree):
            yield prefix + name, data
        self.count += 1


def _bundles(tree: AuthenticTree, start: int = 0) -> Iterator[tuple[int, list[bytes]]]:
    """Read a tree bundle by bundle, from the first leaf of one on."""
    leaves = tree.leaves(start, tree.size)
    for index in range(start // TILE_WIDTH, -(-tree.size // TILE_WIDTH)):
        yield index, list(islice(leaves, tile_width(0, index, tree.size)))


def _bundle_files(prefix: str, index: int, leaves: list[bytes]) -> Iterator[File]:
    width = len(leaves)
    yield prefix + format_bundle_path(index, width), format_bundle(leaves)
    tile = Tile(0, index, width)
    yield prefix + format_tile_path(tile), b"".join(leaf_hashes(leaves))


def _upper_levels(tree: AuthenticTree, old_size: int = 0) -> Iterator[File]:
    for tile in new_tiles(old_size, tree.size):
        if tile.level:
            yield format_tile_path(tile), b"".join(tree.tiles([tile])[0])


def _plain_manifests(leaf: bytes) -> list[ManifestRef]:
    """List the manifests of an entry that the log publishes; none if it is no entry."""
    try:
        event = decode_event(parse_entry(leaf).event)
        if not MANIFEST_FIELDS.get(event.kind):
            return []
        refs = manifest_refs(event.kind, parse_body(event.kind, event.body))
    except (InputError, *DECODE_ERRORS):
        return []
    return [ref for _, ref in refs if not ref.sealed]


def _lots(files: Iterable[File]) -> Iterator[list[File]]:
    """Collect files until they are worth a sync."""
    lot: list[File] = []
    length = 0
    for name, data in files:
        lot.append((name, data))
        length += len(data)
        if length >= TOGETHER_BYTES or len(lot) >= TOGETHER_FILES:
            yield lot
            lot, length = [], 0
    if lot:
        yield lot
