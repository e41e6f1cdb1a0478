"""Which manifests a log's entries bring in, kept in rows on disk.

The state names only those of entries that broke no rule, but the public folder
has the lines of every plain one: what an event signed is published, right or wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple

import msgspec

from ledger.errors import FormatError
from ledger.events.registry import MANIFEST_FIELDS
from ledger.events.registry import manifest_refs
from ledger.events.registry import parse_body

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator

    from ledger.replay.outcome import ReplayEntry
    from ledger.storage.base import Rows

_TABLE = "brought"


class Brought(NamedTuple):
    """A manifest that an entry brings in.

    Attributes:
        entry: the first one that names its root.
        field: of its body, where it does.
        size: leaves of its tree, the header among them.
        sealed: whether its lines stay out of the public folder.
    """

    entry: int
    field: str
    size: int
    sealed: bool


class BroughtManifests:
    """Manifests by root.

    Args:
        rows: where they are kept.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def note(self, entries: Iterable[ReplayEntry]) -> None:
        """Note what entries bring in."""
        for entry in entries:
            event = entry.event
            if not MANIFEST_FIELDS.get(event.kind):
                continue
            try:
                body = parse_body(event.kind, event.body)
            except FormatError:
                continue
            for field, ref in manifest_refs(event.kind, body):
                if self.get(ref.root) is None:
                    brought = Brought(entry.index, field, ref.lines + 1, ref.sealed)
                    data = msgspec.msgpack.encode(brought)
                    self._rows.write([(_TABLE, ref.root, data)])

    def get(self, root: bytes) -> Brought | None:
        """Look a manifest up."""
        data = self._rows.get(_TABLE, root)
        return None if data is None else msgspec.msgpack.decode(data, type=Brought)

    def items(self) -> Iterator[tuple[bytes, Brought]]:
        """Give every manifest, ascending by root."""
        for root, data in self._rows.scan(_TABLE):
            yield root, msgspec.msgpack.decode(data, type=Brought)
