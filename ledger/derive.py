"""Rows for questions: postings and mentions of an entry.

Nothing here decides anything. What an entry posted comes from replay; this adds
which recording a line was for, and by which words the entry can be found. The
log and its lines can rebuild all of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING
from typing import Any

import msgspec

from ledger.events.registry import manifest_refs
from ledger.events.types import UNSET
from ledger.replay.manifests import lines_again
from ledger.storage.base import PARTY
from ledger.storage.base import Mention
from ledger.storage.base import PostingRow

if TYPE_CHECKING:
    from ledger.accounting.chart import Posting
    from ledger.events.types import Body
    from ledger.replay.manifests import LineSource
    from ledger.replay.outcome import ReplayEntry

_OF_PARTIES = frozenset({"payable", "prepaid", "receivable"})
"""Account types whose subject is a party (money.md §8)."""

_PARTY_FIELDS = frozenset({"party", "operator", "lab", "payer"})
_NAME_FIELDS = frozenset({"run", "model", "version", "external", "origin"})
_encode = msgspec.msgpack.Encoder().encode


def posting_rows(
    entry: ReplayEntry,
    body: Any,  # noqa: ANN401 (any kind)
    postings: tuple[Posting, ...],
    source: LineSource,
) -> Iterator[PostingRow]:
    """Turn what an entry posts into rows, with the recording of each line.

    Only the legs of a party or a recording have rows: nobody asks for others by name.
    """
    cells: dict[int, tuple[str, str]] = {}
    if entry.event.kind == "distribution":
        lines = lines_again(source, "distribution/lines", body.lines.root)
        cells = {n: (line.recording, line.side) for n, line in enumerate(lines, 1)}
    for leg, posting in enumerate(postings):
        subject = posting.subject
        recording, side = cells.get(posting.line, (None, None))
        if isinstance(subject, tuple):
            recording, side = subject
        party = None
        if posting.type in _OF_PARTIES and isinstance(subject, bytes):
            party = subject
        if party is not None or recording is not None:
            yield PostingRow(
                entry.index,
                leg,
                posting.society,
                posting.type,
                _encode(subject),
                party,
                recording,
                side,
                posting.currency,
                posting.amount,
                posting.line,
            )


def mentions(
    entry: ReplayEntry, body: Body | None, source: LineSource
) -> Iterator[Mention]:
    """Give the words by which an entry is found; `body` None if it has no form."""
    event = entry.event
    index, kind = entry.index, event.kind
    yield Mention(event.author.hex(), PARTY, index, kind)
    if body is not None:
        for what, value in _body_words(body):
            yield Mention(value, what, index, kind)
        for what, value in _manifest_words(kind, body, source):
            yield Mention(value, what, index, kind)


def _body_words(body: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 (any kind)
    kind: type[Body] = type(body)
    parties, names, has_table = _word_fields(kind)
    for field in parties:
        value = getattr(body, field)
        if isinstance(value, bytes):
            yield PARTY, value.hex()
    for field in names:
        value = getattr(body, field)
        if isinstance(value, str):
            yield field, value
    if has_table and body.table is not UNSET:
        yield "recording", body.table.subject
        for row in body.table.lines:
            yield PARTY, row.party.hex()


@cache
def _word_fields(kind: type[Body]) -> tuple[list[str], list[str], bool]:
    """Tell which fields name parties, which are names, and whether there is a table."""
    fields = kind.__struct_fields__
    parties = [field for field in fields if field in _PARTY_FIELDS]
    names = [field for field in fields if field in _NAME_FIELDS]
    return parties, names, "table" in fields


def _manifest_words(
    kind: str, body: Body, source: LineSource
) -> Iterator[tuple[str, str]]:
    for field, ref in manifest_refs(kind, body):
        yield "manifest", ref.root.hex()
        if not ref.sealed:
            manifest = f"{kind}/{field}"
            for line in lines_again(source, manifest, ref.root):
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
