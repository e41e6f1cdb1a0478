"""What a rule is given, and what it answers.

A rule is a pure function ``(context, body) → Outcome``: it reads the state and
says what would change; it changes nothing. It refuses by raising one of the
errors of `ledger.errors`, whose code becomes the code of the problem.

A kind has a public rule and sometimes a full one (format.md §6). The full rule
also reads manifest lines, and its postings replace the public ones in the
subsidiary ledger: the same control totals, with the subjects named.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from typing import TYPE_CHECKING
from typing import Any
from typing import Literal

import msgspec

from ledger.accounting.chart import Posting
from ledger.errors import InvariantError
from ledger.events.registry import manifest_refs
from ledger.replay.manifests import LineSource
from ledger.replay.manifests import check_bytes
from ledger.replay.manifests import lines_again
from ledger.replay.manifests import verified_lines

if TYPE_CHECKING:
    from ledger.entry.envelope import Event
    from ledger.events.types import Body
    from ledger.events.types import ManifestRef
    from ledger.replay.state import State

Put = tuple[Any, Any, Any]
"""(table, key, new value)"""


class ReplayEntry(msgspec.Struct, frozen=True, gc=False):
    """An entry whose bytes, signature and place in the chain have been verified.

    Only the verifying side builds one: `ledger.audit`, or the appender for an
    event that it is about to take in.
    """

    index: int
    time_ms: int
    event: Event
    event_hash: bytes
    leaf_hash: bytes


class Context(msgspec.Struct, frozen=True, gc=False):
    """What a rule may read.

    Attributes:
        state: the state before this entry.
        entry: the entry at hand.
        source: where the lines of manifests are; None in the public book.
    """

    state: State
    entry: ReplayEntry
    source: LineSource | None

    def read_lines(self, field: str, ref: ManifestRef) -> Iterator[Any]:
        """Read the lines that this event brings in, verified against `ref`."""
        return verified_lines(self._lines, self.entry.event, field, ref)

    def reread_lines(self, kind: str, root: bytes) -> Iterator[Any]:
        """Read the lines of a manifest that an earlier entry brought in."""
        return lines_again(self._lines, kind, root)

    def check_lines(self, body: Body) -> None:
        """Refuse if the lines that this event brings in are not those it signed."""
        for _, ref in manifest_refs(self.entry.event.kind, body):
            check_bytes(self._lines, ref)

    @property
    def _lines(self) -> LineSource:
        if self.source is None:
            raise InvariantError("no-lines", "a public rule read lines")
        return self.source

    @property
    def index(self) -> int:
        """Index of the entry at hand."""
        return self.entry.index

    @property
    def author(self) -> bytes:
        """Party that signed the event."""
        return self.entry.event.author


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What an entry changes: rows to set, and postings to apply."""

    puts: tuple[Put, ...] = ()
    postings: tuple[Posting, ...] = ()


class Problem(msgspec.Struct, frozen=True, gc=False):
    """A rule that an entry broke.

    Attributes:
        index: the entry.
        code: stable identifier.
        book: whether the general ledger already shows it, or only the lines.
        message: what was wrong and where.
    """

    index: int
    code: str
    book: Literal["full", "public"]
    message: str


Rule = Callable[[Context, Any], Outcome]
FullRule = Callable[[Context, Any, Outcome], Outcome]

NOTHING = Outcome()


def body_of(row_body: bytes, kind: type[Body]) -> Any:  # noqa: ANN401
    """Decode a body that was checked when its entry was replayed."""
    return msgspec.msgpack.decode(row_body, type=kind)
