r"""Lines that came ahead of their event: kept until it is appended, or nobody comes.

    all leaves of the manifest, header first, each after its length in two bytes

That is the entry bundles of C2SP tlog-tiles one after the other. A manifest is kept
once its leaves gave the root that it was sent under, in a file without a name, so that
nothing is left of it wherever the process ends. The event that brings it in is judged
on these lines like on any others (`ledger.log`).

Anybody may send lines, since nobody signs them alone. So those that came last are kept:
where there is no room, whoever sent most loses what came first of it, and nobody those
that are just being appended.

>>> from io import BytesIO
>>> from ledger.entry.manifest import Header, header_leaf, plain_leaf
>>> from ledger.tlog.merkle import leaf_hash, node_hash
>>> header = Header(bytes(16), bytes(16), "run.open/dataset", bytes(32), "external")
>>> leaves = [header_leaf(header), plain_leaf({"external": "demo:1"})]
>>> sent = b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves)
>>> uploads = Uploads(Path("/tmp"), log=bytes(32))
>>> root = node_hash(*map(leaf_hash, leaves))
>>> uploads.take(root, BytesIO(sent), len(sent)), root in uploads
(Taken(lines=1, repeated=False), True)
>>> uploads.close()
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from typing import TYPE_CHECKING
from typing import NamedTuple

from ledger.entry.manifest import parse_header_leaf
from ledger.entry.manifest.leaves import LINE_TAG
from ledger.entry.manifest.leaves import SEALED_LINE_TAG
from ledger.errors import FormatError
from ledger.errors import HomeError
from ledger.errors import InputError
from ledger.errors import UnverifiableError
from ledger.errors import VerificationError
from ledger.tlog.merkle import Frontier
from ledger.tlog.merkle import leaf_hashes
from ledger.tlog.tiles import TILE_WIDTH
from ledger.tlog.tiles import format_bundle

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Sequence

MANIFEST_BYTES_MAX = 4 << 30
TOTAL_BYTES_MAX = 16 << 30
LEAST_BYTES = 16 << 20
FREE_SHARE = 2
UNUSED_SECONDS = 3_600.0
_CHUNK_BYTES = 1 << 18
_PREFIX = 2


class Taken(NamedTuple):
    """What became of a manifest that was sent.

    Attributes:
        lines: how many it has.
        repeated: whether it was here already.
    """

    lines: int
    repeated: bool


class _Claim(NamedTuple):
    sender: str
    bytes: int

    @property
    def cost(self) -> int:
        """What counts: even the smallest takes a file."""
        return max(self.bytes, LEAST_BYTES)


class _Upload(NamedTuple):
    file: IO[bytes]
    spans: list[tuple[int, int]]
    lines: int
    claim: _Claim
    since: float


class Uploads:
    """Manifests by root, each in a temporary file.

    Any thread may bring one in; one thread alone reads and drops them.

    Args:
        folder: where the files go.
        log: id of the log that they are meant for.
        clock: gives seconds that pass.
    """

    def __init__(
        self, folder: Path, log: bytes, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder = folder
        self._log = log
        self._clock = clock
        self._kept: dict[bytes, _Upload] = {}
        self._coming: list[_Claim] = []
        self._held: frozenset[bytes] = frozenset()
        self._lock = threading.Lock()

    def take(
        self, root: bytes, stream: IO[bytes], length: int, sender: str = ""
    ) -> Taken:
        """Keep the manifest of a root; again does nothing.

        Args:
            root: of its tree.
            stream: gives its leaves.
            length: of all of them together.
            sender: who sends it, as far as is known.

        Raises:
            InputError: `too-large`; `wrong-log`.
            FormatError: `bad-bundle`, `bad-tag`, or a code of `parse_header_leaf`.
            VerificationError: `manifest-root-mismatch`.
            HomeError: `staging-full`: there is no room, and nothing to drop for it;
                `staging-failed`.
        """
        claim = _Claim(sender, length)
        with self._lock:
            known = self._kept.get(root)
            if known is not None:
                self._kept[root] = known._replace(since=self._clock())
                return Taken(known.lines, repeated=True)
            self._make_room(claim)
            self._coming.append(claim)
        try:
            upload = self._read(root, stream, claim)
            with self._lock:
                first = self._kept.setdefault(root, upload)
            if first is not upload:  # somebody sent it meanwhile
                upload.file.close()
            return Taken(first.lines, repeated=first is not upload)
        finally:
            with self._lock:
                self._coming.remove(claim)

    def _make_room(self, claim: _Claim) -> None:
        if claim.bytes > MANIFEST_BYTES_MAX:
            raise InputError(
                "too-large",
                f"a manifest of {claim.bytes} bytes, at most {MANIFEST_BYTES_MAX}",
                hint="append it on the machine of the log, with --lines FIELD=FILE",
            )
        spare = self._spare()
        while not _fit([*self._claims(), claim], spare):
            alone = _fit([*self._coming, claim], spare)
            root = self._in_the_way(claim) if alone else None
            if root is None:
                raise HomeError(
                    "staging-full",
                    f"there is no room for {claim.bytes} bytes of lines now",
                    hint="send them again later; the log's operator looks at the disk",
                )
            self._kept.pop(root).file.close()

    def _spare(self) -> int:
        """Give the bytes that the disk can spare, counting those that lie here."""
        try:
            free = shutil.disk_usage(self._folder).free
        except OSError as error:
            raise _no_room(error) from error
        lying = sum(upload.claim.bytes for upload in self._kept.values())
        return (free + lying) // FREE_SHARE

    def _in_the_way(self, claim: _Claim) -> bytes | None:
        """Give the oldest of whoever has most; none, if that is who wants more."""
        by_sender = Counter[str]()
        for each in (*self._claims(), claim):
            by_sender[each.sender] += each.cost
        found: tuple[int, float, bytes] | None = None
        for root, upload in self._kept.items():
            of_sender = by_sender[upload.claim.sender]
            if root in self._held or of_sender < by_sender[claim.sender]:
                continue
            found = max(found or (0, 0.0, b""), (of_sender, -upload.since, root))
        return found and found[2]

    def _claims(self) -> list[_Claim]:
        return [*self._coming, *(upload.claim for upload in self._kept.values())]

    def _read(self, root: bytes, stream: IO[bytes], claim: _Claim) -> _Upload:
        try:
            file: IO[bytes] = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115
        except OSError as error:
            raise _no_room(error) from error
        try:
            frontier, spans = Frontier(), list[tuple[int, int]]()
            for leaves in _bundles(_leaves(stream, claim.bytes)):
                if not spans:
                    self._check_header(leaves[0])
                _check_lines(leaves if spans else leaves[1:])
                frontier.extend(leaf_hashes(leaves))
                bundle = format_bundle(leaves)
                spans.append((file.tell(), len(bundle)))
                file.write(bundle)
            _check_root(root, frontier)
            file.flush()
        except BaseException as error:
            file.close()
            if isinstance(error, OSError):
                raise _no_room(error) from error
            raise
        return _Upload(file, spans, frontier.size - 1, claim, self._clock())

    def _check_header(self, leaf: bytes) -> None:
        header = parse_header_leaf(leaf)
        if header.log != self._log:
            raise InputError(
                "wrong-log",
                f"these lines are meant for log {header.log.hex()}",
                hint=f"this is log {self._log.hex()}",
            )

    def __contains__(self, root: bytes) -> bool:
        """Tell whether a manifest is here."""
        return root in self._kept

    def __len__(self) -> int:
        """Count the manifests."""
        return len(self._kept)

    def bundles(self, root: bytes) -> Iterator[bytes]:
        """Give a manifest's bundles in order.

        Raises:
            UnverifiableError: `manifest-lines-missing`.
        """
        upload = self._kept.get(root)
        if upload is None:
            raise UnverifiableError(
                "manifest-lines-missing",
                f"the lines of manifest {root.hex()} are not here",
                hint=f"put them at /v1/manifests/{root.hex()} first",
            )
        for start, length in upload.spans:
            upload.file.seek(start)
            yield upload.file.read(length)

    @contextmanager
    def held(self, roots: Iterable[bytes]) -> Iterator[None]:
        """Drop none of these manifests meanwhile, whoever needs room."""
        with self._lock:
            self._held = frozenset(roots)
        try:
            yield
        finally:
            with self._lock:
                self._held = frozenset()

    def drop(self, roots: Iterable[bytes]) -> None:
        """Drop manifests that are of no more use."""
        for root in roots:
            with self._lock:
                upload = self._kept.pop(root, None)
            if upload is not None:
                upload.file.close()

    def expire(self) -> None:
        """Drop what nobody used for too long."""
        before = self._clock() - UNUSED_SECONDS
        with self._lock:
            old = [root for root, each in self._kept.items() if each.since < before]
        self.drop(old)

    def close(self) -> None:
        """Drop everything."""
        self.drop(list(self._kept))


def _leaves(stream: IO[bytes], length: int) -> Iterator[bytes]:
    """Split a stream of leaves, holding no more than a chunk and a leaf."""
    data, at = b"", 0
    while length or at < len(data):
        size = int.from_bytes(data[at : at + _PREFIX], "big")
        end = at + _PREFIX + size
        if len(data) - at >= _PREFIX and end <= len(data):
            yield data[at + _PREFIX : end]
            at = end
            continue
        more = stream.read(min(length, _CHUNK_BYTES))
        if not more:
            raise FormatError(
                "bad-bundle",
                "the last leaf is cut off",
                hint="each leaf comes after its length in two bytes, big-endian",
            )
        length -= len(more)
        data, at = data[at:] + more, 0


def _bundles(leaves: Iterable[bytes]) -> Iterator[list[bytes]]:
    gathered: list[bytes] = []
    for leaf in leaves:
        gathered.append(leaf)
        if len(gathered) == TILE_WIDTH:
            yield gathered
            gathered = []
    if gathered:
        yield gathered


def _fit(claims: Sequence[_Claim], spare: int) -> bool:
    costs = sum(each.cost for each in claims)
    return costs <= TOTAL_BYTES_MAX and sum(each.bytes for each in claims) <= spare


def _check_lines(leaves: Iterable[bytes]) -> None:
    """Refuse early what is no line: millions of leaves of nothing take long to hash."""
    for leaf in leaves:
        if not leaf.startswith((LINE_TAG, SEALED_LINE_TAG)):
            raise FormatError("bad-tag", f"{leaf[:32]!r} is the beginning of no line")


def _no_room(error: OSError) -> HomeError:
    return HomeError(
        "staging-failed",
        f"the lines could not be kept: {error}",
        hint="the log's operator looks at the disk; send them again later",
    )


def _check_root(root: bytes, frontier: Frontier) -> None:
    if frontier.size == 0:
        raise FormatError("bad-bundle", "a manifest without a leaf")
    if frontier.root() != root:
        raise VerificationError(
            "manifest-root-mismatch",
            f"these lines give root {frontier.root().hex()}",
            hint="put them under the root that their event signs",
        )
