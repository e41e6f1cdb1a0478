"""An author at work: from what is to be said to a signed event, and its entry.

    body (and lines) → manifests → event with seq, prev, seen → signature → append

An `Author` is a party with one of its keys beside an open log. Ids and times
come from the callables that it is given, so that nothing here is random.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any

import msgspec

from ledger.entry.manifest import Header
from ledger.entry.sign import SignedEvent
from ledger.entry.sign import sign_event
from ledger.entry.verify import key_id
from ledger.errors import LedgerError
from ledger.events.lines import MANIFESTS
from ledger.events.registry import encode_body
from ledger.events.types import ManifestRef
from ledger.staging import Staged

if TYPE_CHECKING:
    from pathlib import Path

    from ledger.entry.manifest import Line
    from ledger.events.types import Body
    from ledger.log import Appended
    from ledger.log import Log
    from ledger.tlog.ed25519 import SigningKey

Refs = Mapping[str, ManifestRef]
Lines = Mapping[str, Iterable[Any]]
ZERO32 = bytes(32)


def line_map(line: Body | Line) -> Line:
    """Turn a typed line into the map that a manifest holds.

    >>> from ledger.events.lines import DatasetLine
    >>> line_map(DatasetLine(external="demo:1"))
    {'external': 'demo:1'}
    """
    if isinstance(line, dict):
        return line
    fields: Line = {}
    for name in line.__struct_fields__:
        value = getattr(line, name)
        if value is not msgspec.UNSET:
            fields[name] = value
    works = fields.get("works")
    if works is not None:
        fields["works"] = [list(pair) for pair in works]  # type: ignore[union-attr,arg-type]
    return fields


class Author:
    """A party with a key, saying things to a log.

    Args:
        log: open for writing.
        party: in whose name.
        key: that signs.
        new_id: gives 16 random bytes, fresh each time.
        clock: gives the time now, ms since 1970.
        staging: folder for lines on their way.
    """

    def __init__(
        self,
        log: Log,
        party: bytes,
        key: SigningKey,
        *,
        new_id: Callable[[], bytes],
        clock: Callable[[], int],
        staging: Path | None = None,
    ) -> None:
        self.log = log
        self.party = party
        self.key = key
        self._new_id = new_id
        self._clock = clock
        self._staging = staging

    def say(
        self,
        kind: str,
        body: Body | Callable[[Refs], Body],
        lines: Lines | None = None,
    ) -> Appended:
        """Sign an event and append it.

        Args:
            kind: of the event.
            body: or how to make it from the references of its manifests.
            lines: body field to lines in their order, for each manifest.

        Raises:
            LedgerError: the refusal; nothing was appended.
        """
        with Staged(self._staging) as staged:
            signed = self.sign(kind, body, lines or {}, staged)
            return self.append(signed, staged)

    def append(self, signed: SignedEvent, staged: Staged) -> Appended:
        """Append one signed event, raising its refusal."""
        (answer,) = self.log.append([signed], staged, atomic=True)
        if isinstance(answer, LedgerError):
            raise answer
        return answer

    def sign(
        self,
        kind: str,
        body: Body | Callable[[Refs], Body],
        lines: Lines,
        staged: Staged,
    ) -> SignedEvent:
        """Sign an event for the place that it would have now."""
        event_id = self._new_id()
        first = kind == "genesis"
        log_id = ZERO32 if first else self.log.state.logs.need("genesis").log
        refs: dict[str, ManifestRef] = {}
        for field, content in lines.items():
            rule = MANIFESTS[f"{kind}/{field}"]
            header = Header(
                author=self.party,
                id=event_id,
                kind=f"{kind}/{field}",
                log=log_id,
                order=rule.order,
                sealed=False,
            )
            built = staged.build(header, map(line_map, content), rule.totals)
            refs[field] = ManifestRef(
                lines=built.lines,
                order=rule.order,
                root=built.root,
                sealed=False,
                totals=built.totals,
            )
        said = body(refs) if callable(body) else body
        key = key_id(self.key.public)
        seq, prev = (0, ZERO32) if first else self.log.key_head(key)
        return sign_event(
            self.key,
            author=self.party,
            body=encode_body(said),
            id=event_id,
            kind=kind,
            log=log_id,
            prev=prev,
            seen=(0, ZERO32) if first else self.log.head(),
            seq=seq,
            time=self._clock(),
        )
