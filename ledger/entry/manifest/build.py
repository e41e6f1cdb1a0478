"""Building of manifests: lines in, entry bundles and a root out (format.md §5).

The builder holds one bundle of lines and the right edge of the tree, so that
100,000,000 lines take no more memory than 1,000. Bundles go to a sink as they are full;
nothing counts before ``finish`` has returned the root that an event can sign.

>>> header = Header(bytes(16), bytes(16), "distribution/lines", bytes(32), "work", True)
>>> bundles = {}
>>> builder = ManifestBuilder(
...     header, manifest_key=bytes(32), totals=["gross"], sink=bundles.__setitem__
... )
>>> builder.add({"gross": 3_000_000, "work": bytes(16)})
>>> built = builder.finish()
>>> built.lines, built.totals, len(bundles[0])
(1, {'gross': 3000000}, 2)
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from itertools import islice

import msgspec

from ledger.entry.canonical import INTEGER_MAX
from ledger.entry.canonical import encode_trusted
from ledger.entry.envelope import LEAF_BYTES_MAX
from ledger.entry.manifest.fold import LineFold
from ledger.entry.manifest.leaves import LINE_TAG
from ledger.entry.manifest.leaves import SEALED_LINE_TAG
from ledger.entry.manifest.leaves import Header
from ledger.entry.manifest.leaves import Line
from ledger.entry.manifest.leaves import check_manifest_key
from ledger.entry.manifest.leaves import header_leaf
from ledger.entry.manifest.leaves import salts
from ledger.errors import FormatError
from ledger.errors import InputError
from ledger.errors import InvariantError
from ledger.tlog.merkle import Frontier
from ledger.tlog.merkle import leaf_hashes
from ledger.tlog.tiles import TILE_WIDTH

Sink = Callable[[int, list[bytes]], object]
"""Takes the index of a bundle and the data of its leaves, 256 but for the last."""


class Built(msgspec.Struct, frozen=True):
    """What an event says of a manifest.

    Attributes:
        lines: how many; the tree has one leaf more.
        root: of the tree.
        totals: field name to sum.
    """

    lines: int
    root: bytes
    totals: dict[str, int]


class ManifestBuilder:
    """Takes lines in their order, gives bundles, and at the end the root.

    Args:
        header: whose manifest it is; says whether lines are sealed.
        manifest_key: 32 random bytes, fresh for each manifest, if sealed.
        totals: names of the integer fields to add up.
        sink: is called with each bundle.

    Raises:
        InputError: ``bad-manifest-key``.
        FormatError: as ``header_leaf``.
    """

    def __init__(
        self,
        header: Header,
        manifest_key: bytes | None = None,
        totals: Iterable[str] = (),
        sink: Sink | None = None,
    ) -> None:
        if header.sealed != (manifest_key is not None):
            raise InputError(
                "bad-manifest-key",
                "a sealed manifest needs a manifest key, a plain one has none",
            )
        if manifest_key is not None:
            check_manifest_key(manifest_key)
        self._manifest_key = manifest_key
        self._sink = sink
        self._fold = LineFold(header.order, totals)
        self._frontier = Frontier()
        self._bundle = [header_leaf(header)]
        self._pending: list[Line] = []
        self._finished = False

    def add(self, line: Line) -> None:
        """Add one line; it must not be changed afterwards.

        Raises:
            FormatError: as ``add_many``.
        """
        self.add_many([line])

    def add_many(self, lines: Iterable[Line]) -> None:
        """Add lines; they must not be changed afterwards.

        Lines are checked by the bundle: an error may be of a line added earlier. A
        builder that raised can't be used any more.

        Raises:
            FormatError: the number of the line first in the message:
                ``manifest-lines-unordered``, ``manifest-line-doubled``, ``too-large``,
                or a code of ``canonical.check_value``.
        """
        if self._finished:
            raise InvariantError("manifest-finished", "a line after the last one")
        source = iter(lines)
        while taken := list(islice(source, self._room())):
            self._pending += taken
            if not self._room():
                self._flush()

    def finish(self) -> Built:
        """Hand over the last bundle, and say what the manifest is.

        Raises:
            FormatError: as ``add_many``; ``bad-integer`` if a total is too large.
        """
        if self._pending or self._bundle:
            self._flush()
        self._finished = True
        for name, total in self._fold.totals.items():
            if not -INTEGER_MAX <= total <= INTEGER_MAX:
                raise FormatError("bad-integer", f"the total of {name!a} is {total}")
        return Built(self._fold.count, self._frontier.root(), dict(self._fold.totals))

    def _room(self) -> int:
        return TILE_WIDTH - len(self._bundle) - len(self._pending)

    def _flush(self) -> None:
        """Check, encode and hash the pending lines, and hand over their bundle."""
        start = self._fold.count + 1
        self._fold.take(self._pending)
        bundle = self._bundle + self._leaves(start)
        _check_sizes(bundle, start - len(self._bundle))
        index = self._frontier.size // TILE_WIDTH
        self._frontier.extend(leaf_hashes(bundle))
        self._pending, self._bundle = [], []
        if self._sink is not None:
            self._sink(index, bundle)

    def _leaves(self, start: int) -> list[bytes]:
        encoded = map(encode_trusted, self._pending)
        if self._manifest_key is None:
            return [LINE_TAG + line for line in encoded]
        derived = salts(self._manifest_key, start, start + len(self._pending))
        return [
            SEALED_LINE_TAG + salt + line
            for salt, line in zip(derived, encoded, strict=True)
        ]


def _check_sizes(leaves: list[bytes], start: int) -> None:
    if max(map(len, leaves)) <= LEAF_BYTES_MAX:
        return
    for index, leaf in enumerate(leaves, start):
        if len(leaf) > LEAF_BYTES_MAX:
            raise FormatError(
                "too-large",
                f"line {index}: a leaf of {len(leaf)} bytes, at most {LEAF_BYTES_MAX}",
            )
