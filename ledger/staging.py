"""Lines on their way into the log: built as a manifest before its event is signed.

A manifest's root is known only after its last line, and its event is signed
over that root, so lines first go to a staging file, bundle by bundle. The
appender reads them from there and stores them in the transaction of the event.
Memory holds one bundle, however many lines there are.

>>> from ledger.entry.manifest import Header
>>> header = Header(bytes(16), bytes(16), "run.open/dataset", bytes(32), "external")
>>> with Staged() as staged:
...     staged.build(header, [{"external": "demo:1"}]).lines
1
"""

from __future__ import annotations

import tempfile
from typing import IO
from typing import TYPE_CHECKING
from typing import Protocol
from typing import Self

from ledger.entry.manifest import Built
from ledger.entry.manifest import ManifestBuilder
from ledger.errors import UnverifiableError
from ledger.tlog.tiles import format_bundle

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from pathlib import Path

    from ledger.entry.manifest import Header
    from ledger.entry.manifest import Line

_Spans = list[tuple[int, int]]


class StagedLines(Protocol):
    """What an appender asks of lines on their way."""

    def __contains__(self, root: bytes) -> bool:
        """Tell whether a manifest is here."""
        ...

    def bundles(self, root: bytes) -> Iterator[bytes]:
        """Give a manifest's bundles in order.

        Raises:
            UnverifiableError: `manifest-lines-missing`.
        """
        ...


class Staged:
    """Manifests in a temporary file, by root.

    Args:
        folder: where the file goes; the system's own place by default.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        self._spans: dict[bytes, _Spans] = {}

    def build(
        self, header: Header, lines: Iterable[Line], totals: Iterable[str] = ()
    ) -> Built:
        """Build a manifest of lines in their order, and keep its bundles.

        Raises:
            FormatError: as `ManifestBuilder.add_many`.
        """
        spans: _Spans = []

        def keep(_: int, leaves: list[bytes]) -> None:
            spans.append(self._write(format_bundle(leaves)))

        builder = ManifestBuilder(header, totals=totals, sink=keep)
        builder.add_many(lines)
        built = builder.finish()
        self._spans[built.root] = spans
        return built

    def __contains__(self, root: bytes) -> bool:
        """Tell whether a manifest is here."""
        return root in self._spans

    def bundles(self, root: bytes) -> Iterator[bytes]:
        """Give a manifest's bundles in order.

        Raises:
            UnverifiableError: `manifest-lines-missing`.
        """
        if root not in self._spans:
            raise UnverifiableError(
                "manifest-lines-missing",
                f"the lines of manifest {root.hex()} are not here",
                hint="give them with --lines FIELD=FILE",
            )
        for start, length in self._spans[root]:
            self._file.seek(start)
            yield self._file.read(length)

    def _write(self, data: bytes) -> tuple[int, int]:
        start = self._file.seek(0, 2)
        self._file.write(data)
        return start, len(data)

    def close(self) -> None:
        """Drop the file."""
        self._file.close()

    def __enter__(self) -> Self:
        """Use as a context."""
        return self

    def __exit__(self, *_: object) -> None:
        """Drop the file."""
        self.close()
