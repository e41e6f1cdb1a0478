"""Lines of manifests as replay reads them: typed, and verified the first time.

The event that brings a manifest in is judged on lines that are checked against
its reference while they are read: header, form, order, count, totals and root
(`ledger.entry.manifest`). Later events read the same lines again by root.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any
from typing import Protocol

import msgspec

from ledger.entry.manifest import Built
from ledger.entry.manifest import Header
from ledger.entry.manifest import read_manifest
from ledger.entry.manifest.leaves import line_start
from ledger.errors import FormatError
from ledger.errors import LedgerError
from ledger.errors import UnverifiableError
from ledger.errors import VerificationError
from ledger.events.lines import MANIFESTS
from ledger.events.registry import parse_line
from ledger.tlog.merkle import Frontier
from ledger.tlog.merkle import leaf_hashes
from ledger.tlog.tiles import TILE_WIDTH
from ledger.tlog.tiles import parse_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.entry.envelope import Event
    from ledger.events.types import ManifestRef

_RESTORE = "restore the lines from a backup or another copy of the log"
_PLAIN = line_start(sealed=False)
_SEALED = line_start(sealed=True)


class AlteredLinesError(VerificationError):
    """The lines at hand are not those that an event signed: nobody can settle that."""


class LineSource(Protocol):
    """Where the lines of manifests are kept."""

    def bundles(self, root: bytes) -> Iterator[bytes]:
        """Give a manifest's entry bundles in order.

        Raises:
            UnverifiableError: `manifest-lines-missing`.
        """
        ...


def header_of(event: Event, field: str, ref: ManifestRef) -> Header:
    """Give the header that a manifest of this event must have (format.md §5)."""
    return Header(
        author=event.author,
        id=event.id,
        kind=f"{event.kind}/{field}",
        log=event.log,
        order=ref.order,
        sealed=ref.sealed,
    )


def verified_lines(
    source: LineSource, event: Event, field: str, ref: ManifestRef
) -> Iterator[Any]:
    """Read the lines of a manifest that `event` brings in, verifying all of it.

    What was read counts only once the iterator has come to its end.

    Raises:
        FormatError: `bad-line`, naming the line, or a code of the reader.
        VerificationError: a code of the reader, such as `manifest-root-mismatch`.
        UnverifiableError: `manifest-lines-missing`.
    """
    header = header_of(event, field, ref)
    signed = Built(ref.lines, ref.root, ref.totals)
    line_type = MANIFESTS[header.kind].line
    lines = read_manifest(source.bundles(ref.root), header, signed)
    for number, line in enumerate(lines, 1):
        try:
            yield msgspec.convert(line, line_type)
        except msgspec.ValidationError as error:
            raise FormatError(
                "bad-line", f"line {number} of {header.kind}: {error}"
            ) from error


def check_bytes(source: LineSource, ref: ManifestRef) -> None:
    """Refuse lines that do not give the root of `ref`, whatever they say.

    Asked once a rule refused what the lines say: if they are not what the author
    signed, it is the store that is wrong, not the event.

    Raises:
        AlteredLinesError: `manifest-count-mismatch`, `manifest-root-mismatch`.
        UnverifiableError: `manifest-lines-missing`.
    """
    frontier, size = Frontier(), ref.lines + 1
    for number, bundle in enumerate(source.bundles(ref.root)):
        try:
            leaves = parse_bundle(bundle, min(TILE_WIDTH, size - number * TILE_WIDTH))
        except LedgerError as error:
            raise AlteredLinesError(
                "manifest-count-mismatch",
                f"bundle {number} of {ref.root.hex()}: {error.message}",
                hint=_RESTORE,
            ) from None
        frontier.extend(leaf_hashes(leaves))
    if frontier.size != size:
        raise UnverifiableError(
            "manifest-lines-missing",
            f"{frontier.size - 1} of {ref.lines} lines of {ref.root.hex()} are there",
            hint=_RESTORE,
        )
    if frontier.root() != ref.root:
        raise AlteredLinesError(
            "manifest-root-mismatch",
            f"the lines give root {frontier.root().hex()}, the event says"
            f" {ref.root.hex()}",
            hint=_RESTORE,
        )


def lines_again(source: LineSource, kind: str, root: bytes) -> Iterator[Any]:
    """Read the lines of a manifest that was verified at an earlier entry."""
    for number, bundle in enumerate(source.bundles(root)):
        leaves = parse_bundle(bundle, _width(bundle))
        for leaf in leaves[1:] if number == 0 else leaves:
            plain = leaf.startswith(_PLAIN[0])
            yield parse_line(kind, leaf[_PLAIN[1] if plain else _SEALED[1] :])


def _width(bundle: bytes) -> int:
    count = position = 0
    while position < len(bundle) and count < TILE_WIDTH:
        position += 2 + int.from_bytes(bundle[position : position + 2], "big")
        count += 1
    return count
