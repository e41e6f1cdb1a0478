"""Answers as JSON documents, the same on the web and on the command line.

Bytes are lower-case hex, amounts integer micro-units, times ms since 1970, what is
absent is null. `ledger/docs/json.md` describes every document.

>>> plain({"id": bytes(2), "at": (1, 2)})
{'id': '0000', 'at': [1, 2]}
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import msgspec

from ledger.query.views import EntryView
from ledger.query.views import Found
from ledger.query.views import PartyView
from ledger.query.views import RecordingView
from ledger.query.views import RunReport
from ledger.replay.rows import NEVER

Document = dict[str, Any]


def plain(value: Any) -> Any:  # noqa: ANN401 (whatever JSON can hold)
    """Turn bytes into hex, and tuples into lists, at any depth."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return value


def body_document(entry: EntryView) -> Document | None:
    """Give the body of an entry; None if it cannot be read as its kind."""
    if entry.body is None:
        return None
    # Bytes stay bytes here: msgspec would write base64.
    body: Document = plain(msgspec.to_builtins(entry.body, builtin_types=(bytes,)))
    return body


def summary_document(entry: EntryView) -> Document:
    """Give an entry as it stands in a list."""
    return {
        "index": entry.index,
        "kind": entry.kind,
        "time_ms": entry.time_ms,
        "author": entry.author.hex(),
        "sentence": entry.sentence,
        "leaf_hash": entry.leaf_hash.hex(),
        "problem": _problem(entry),
    }


def entry_document(entry: EntryView) -> Document:
    """Give an entry with its fields and bytes."""
    event = entry.event
    return {
        **summary_document(entry),
        "event": {
            "id": event.id.hex(),
            "key": event.key.hex(),
            "log": event.log.hex(),
            "prev": event.prev.hex(),
            "seen": {"index": event.seen[0], "leaf_hash": event.seen[1].hex()},
            "seq": event.seq,
            "time_ms": event.time,
        },
        "body": body_document(entry),
        "signature": entry.signature.hex(),
        "leaf": entry.leaf.hex(),
    }


def _problem(entry: EntryView) -> Document | None:
    row = entry.problem
    if row is None:
        return None
    return {
        "code": row.code,
        "book": row.book,
        "acknowledged": _index(row.acknowledged),
    }


def _index(index: int) -> int | None:
    return None if index == NEVER else index


def entries_document(entries: list[EntryView]) -> Document:
    """Give a page of entries, newest first; `next` is the cursor of the next page."""
    following = entries[-1].index if entries and entries[-1].index else None
    return {
        "entries": [summary_document(entry) for entry in entries],
        "next": following,
    }


def search_document(text: str, found: list[Found]) -> Document:
    """Give what a search came upon."""
    return {"query": text, "found": [asdict(each) for each in found]}


def party_document(party: PartyView) -> Document:
    """Give a party; its statement is a document of its own."""
    return {
        "party": party.id.hex(),
        "name": party.name,
        "external": party.external or None,
        "type": party.type or None,
        "registered": party.registered,
        "verified": _index(party.verified),
        "roles": [{"role": role, "entry": index} for role, index in party.roles],
        "keys": [
            {**plain(asdict(key)), "revoked": _index(key.revoked)} for key in party.keys
        ],
        "money": [asdict(money) for money in party.money],
        "holdings": [asdict(holding) for holding in party.holdings],
        "holdings_more": party.holdings_more,
        "postings": [asdict(posting) for posting in party.postings],
        "entries": [summary_document(entry) for entry in party.entries],
        "next": party.next_before,
    }


def run_document(run: RunReport) -> Document:
    """Give what a training run used without a licence."""
    document: Document = plain(asdict(run))
    document["covered"] = [
        {"licence": licence, "recordings": count} for licence, count in run.covered
    ]
    document["next"] = document.pop("next_after")
    return document


def recording_document(recording: RecordingView) -> Document:
    """Give a recording with its holders, runs and money."""
    document: Document = plain(asdict(recording))
    for listing in document["listings"]:
        listing["isrc"] = listing["isrc"] or None
        listing["ms"] = listing["ms"] or None
        listing["works"] = [
            {"work": work, "ppm": ppm} for work, ppm in listing["works"]
        ]
    return document
