"""Rows for questions: postings and mentions of an entry.

Nothing here decides anything. What an entry posted comes from replay; this adds
which recording a line was for, and by which words the entry can be found. The
log and its lines can rebuild all of it.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING
from typing import Any

import msgspec

from ledger.accounting.chart import CLASSES
from ledger.events.registry import manifest_refs
from ledger.events.types import UNSET
from ledger.storage.base import PARTY
from ledger.storage.base import Mention
from ledger.storage.base import PostingRow

if TYPE_CHECKING:
    from ledger.accounting.chart import Posting
    from ledger.events.types import Body
    from ledger.replay.outcome import ReplayEntry

ReadLines = Callable[[str, bytes], Iterator[Any]]

_PARTY_FIELDS = ("party", "operator", "lab", "payer")
_NAME_FIELDS = ("run", "model", "version", "external", "origin")
_encode = msgspec.msgpack.Encoder().encode


def posting_rows(
    entry: ReplayEntry,
    body: Any,  # noqa: ANN401 (any kind)
    postings: tuple[Posting, ...],
    read: ReadLines,
) -> Iterator[PostingRow]:
    """Turn the postings of an entry into rows, with the recording of each line."""
    cells: dict[int, tuple[str, str]] = {}
    if entry.event.kind == "distribution":
        lines = read("distribution/lines", body.lines.root)
        cells = {n: (line.recording, line.side) for n, line in enumerate(lines, 1)}
    for leg, posting in enumerate(postings):
        subject = posting.subject
        recording, side = cells.get(posting.line, (None, None))
        if isinstance(subject, tuple):
            recording, side = subject
        is_party = posting.type in {"payable", "prepaid", "receivable"}
        yield PostingRow(
            entry_index=entry.index,
            leg=leg,
            society=posting.society,
            account_class=CLASSES[posting.type],
            account_type=posting.type,
            subject=_encode(subject),
            party=subject if is_party and isinstance(subject, bytes) else None,
            recording=recording,
            side=side,
            currency=posting.currency,
            amount=posting.amount,
            line=posting.line,
        )


def mentions(
    entry: ReplayEntry, body: Body | None, read: ReadLines
) -> Iterator[Mention]:
    """Give the words by which an entry is found; `body` None if it has no form."""
    event = entry.event
    words = chain(
        [("hash", entry.leaf_hash.hex()), ("event", event.id.hex())],
        [(PARTY, event.author.hex())],
        () if body is None else _body_words(body),
        () if body is None else _manifest_words(event.kind, body, read),
    )
    for what, value in words:
        yield Mention(value=value, what=what, entry_index=entry.index, kind=event.kind)


def _body_words(body: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 (any kind)
    for field in _PARTY_FIELDS:
        value = getattr(body, field, UNSET)
        if isinstance(value, bytes):
            yield PARTY, value.hex()
    for field in _NAME_FIELDS:
        value = getattr(body, field, UNSET)
        if isinstance(value, str):
            yield field, value
    table = getattr(body, "table", UNSET)
    if table is not UNSET:
        yield "recording", table.subject
        for row in table.lines:
            yield PARTY, row.party.hex()


def _manifest_words(
    kind: str, body: Body, read: ReadLines
) -> Iterator[tuple[str, str]]:
    for field, ref in manifest_refs(kind, body):
        yield "manifest", ref.root.hex()
        if not ref.sealed:
            manifest = f"{kind}/{field}"
            for line in read(manifest, ref.root):
                yield from _line_words(manifest, line)


def _line_words(kind: str, line: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401
    """Give the words of one line; amounts are found through postings instead."""
    if kind == "party/parties":
        yield PARTY, line.party.hex()
        if line.external is not UNSET:
            yield "external", line.external
    elif kind == "catalogue/recordings":
        yield "recording", line.external
        if line.isrc is not UNSET:
            yield "isrc", line.isrc
    elif kind == "shares/lines":
        yield "recording", line.subject
        yield PARTY, line.party.hex()
    elif kind.endswith("/dataset"):
        yield "recording", line.external
    elif kind == "distribution/lines":
        yield "recording", line.recording
        yield PARTY, line.party.hex()
    elif kind.startswith("payout"):
        yield PARTY, line.party.hex()
