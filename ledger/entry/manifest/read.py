"""Reading of manifests, verifying all that the event signed (format.md §5).

Everything is recomputed: header, form and order of every line, count, totals and root.
The root is known after the last line only, so what is read counts only once the reader
came to its end without raising: do nothing with a line before that can't be undone.

>>> from ledger.entry.manifest.build import ManifestBuilder
>>> from ledger.tlog.tiles import format_bundle
>>> header = Header(bytes(16), bytes(16), "dataset/recordings", bytes(32), "external")
>>> bundles = []
>>> builder = ManifestBuilder(header, sink=lambda _, leaves: bundles.append(leaves))
>>> builder.add({"external": "demo:1"})
>>> signed = builder.finish()
>>> list(read_manifest(map(format_bundle, bundles), header, signed))
[{'external': 'demo:1'}]
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import msgspec

from ledger.entry.canonical import DECODE_ERRORS
from ledger.entry.canonical import encode_trusted
from ledger.entry.manifest.build import Built
from ledger.entry.manifest.fold import LineFold
from ledger.entry.manifest.fold import at_line
from ledger.entry.manifest.leaves import Header
from ledger.entry.manifest.leaves import Line
from ledger.entry.manifest.leaves import header_leaf
from ledger.entry.manifest.leaves import line_of_leaf
from ledger.entry.manifest.leaves import line_start
from ledger.errors import FormatError
from ledger.errors import InvariantError
from ledger.errors import UnverifiableError
from ledger.errors import VerificationError
from ledger.tlog.merkle import Frontier
from ledger.tlog.tiles import TILE_WIDTH
from ledger.tlog.tiles import parse_bundle

_decode = msgspec.msgpack.Decoder(dict[str, Any]).decode


def read_manifest(
    bundles: Iterable[bytes], header: Header, signed: Built
) -> Iterator[Line]:
    """Read the lines of a manifest one by one; see ``read_bundles``."""
    for lines in read_bundles(bundles, header, signed):
        yield from lines


def read_bundles(
    bundles: Iterable[bytes], header: Header, signed: Built
) -> Iterator[list[Line]]:
    """Read the lines of a manifest, one list for each bundle.

    Args:
        bundles: entry bundles, from the first to the last.
        header: made from the event that signed the manifest.
        signed: what that event says of it; the totals that it gives are checked.

    Raises:
        VerificationError: ``manifest-header-mismatch`` for the root of another event;
            ``manifest-count-mismatch``, ``manifest-root-mismatch``,
            ``manifest-totals-mismatch``; ``manifest-lines-unordered`` or
            ``manifest-line-doubled``; a code of ``line_of_leaf``.
        UnverifiableError: ``manifest-lines-missing`` if the bundles end too early.
    """
    first_leaf = header_leaf(header)
    size = signed.lines + 1
    fold = LineFold(header.order, signed.totals)
    frontier = Frontier()
    for index, bundle in enumerate(bundles):
        try:
            leaves = _split(bundle, index, size)
            frontier.extend([sha256(b"\x00" + leaf).digest() for leaf in leaves])
            if index == 0:
                _check_header(leaves.pop(0), first_leaf)
            lines = _take(leaves, header, fold)
        except FormatError as error:
            # The event's author vouched for these bytes: it is they who failed.
            raise VerificationError(
                error.code, error.message, hint=error.hint
            ) from None
        yield lines
    _check_signed(fold, frontier, signed)


def _split(bundle: bytes, index: int, size: int) -> list[bytes]:
    width = min(TILE_WIDTH, size - index * TILE_WIDTH)
    try:
        if width > 0:
            return parse_bundle(bundle, width)
    except FormatError:
        pass
    raise VerificationError(
        "manifest-count-mismatch",
        f"bundle {index} does not hold {max(0, width)} leaves of {size}",
        hint="the event says another number of lines, or the bundle is damaged",
    )


def _check_header(leaf: bytes, expected: bytes) -> None:
    if leaf != expected:
        raise VerificationError(
            "manifest-header-mismatch",
            "leaf 0 does not name this event's author, id, kind, log, order and seal",
            hint="the root was borrowed from another event",
        )


def _take(leaves: Sequence[bytes], header: Header, fold: LineFold) -> list[Line]:
    """Decode lines strictly, all at once; one by one if anything is wrong."""
    tag, start = line_start(sealed=header.sealed)
    encoded = [leaf[start:] for leaf in leaves if leaf.startswith(tag)]
    first = fold.count + 1
    if len(encoded) < len(leaves):
        raise _refuse(leaves, first, sealed=header.sealed)
    try:
        lines = [_decode(line) for line in encoded]
    except DECODE_ERRORS:
        raise _refuse(leaves, first, sealed=header.sealed) from None
    fold.take(lines)
    if [encode_trusted(line) for line in lines] != encoded:
        raise _refuse(leaves, first, sealed=header.sealed)
    return lines


def _refuse(leaves: Sequence[bytes], first: int, *, sealed: bool) -> FormatError:
    """Find what the strict decoder has against one of these leaves."""
    for number, leaf in enumerate(leaves, first):
        try:
            line_of_leaf(leaf, sealed=sealed)
        except FormatError as error:
            return at_line(number, error)
    raise InvariantError("manifest-decoders", f"two verdicts on lines from {first} on")


def _check_signed(fold: LineFold, frontier: Frontier, signed: Built) -> None:
    if frontier.size != signed.lines + 1:
        raise UnverifiableError(
            "manifest-lines-missing",
            f"{fold.count} of {signed.lines} lines are there",
            hint="fetch the other bundles of this manifest",
        )
    if frontier.root() != signed.root:
        raise VerificationError(
            "manifest-root-mismatch",
            f"the lines give root {frontier.root().hex()}, "
            f"the event says {signed.root.hex()}",
        )
    if fold.totals != signed.totals:
        raise VerificationError(
            "manifest-totals-mismatch",
            f"the lines add up to {fold.totals}, the event says {signed.totals}",
        )
