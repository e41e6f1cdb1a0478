"""The head of a log as a document: what a signer elsewhere needs (ledger/docs/json.md).

The newest entry for `seen`, and for each key the place of its next event. It is what
`linernote head --json` prints and `GET /v1/head` answers, and `ledger.ahead.parse_head`
reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

from ledger.entry.envelope import decode_entry
from ledger.entry.envelope import event_hash
from ledger.errors import InputError
from ledger.query.reader import Reader
from ledger.replay.chain import chain_head
from ledger.replay.rows import KeyRow
from ledger.statement.sources import Sources
from ledger.storage.base import Store
from ledger.tlog.note import format_vkey

Wanted = tuple[str | None, bytes]
"""Name of a key, where it has one, and its id."""

SEARCHED_MAX = 4_096
"""Entries looked through for the newest events of all keys together."""
_READ_AT_ONCE = 64


def head_document(
    reader: Reader, wanted: Sequence[Wanted], *, named: bool
) -> dict[str, Any]:
    """Give the head of a log, with the chains of some keys.

    Args:
        reader: of the home.
        wanted: the keys.
        named: whether somebody named them; else those not on the log are left out.

    Raises:
        InputError: `key-unknown`.
    """
    vkey = format_vkey(reader.vkey)
    with reader.reading() as sources:
        state = sources.state
        keys = list(_key_heads(sources, wanted, named=named))
        log = state.need_log()
        return {
            "log": log.log.hex(),
            "origin": log.origin,
            "genesis": log.index,
            "vkey": vkey,
            "size": state.size,
            "seen": {"index": state.size - 1, "leaf_hash": state.last_leaf.hex()},
            "keys": keys,
        }


def _key_heads(
    sources: Sources, wanted: Sequence[Wanted], *, named: bool
) -> Iterator[dict[str, Any]]:
    state, searched = sources.state, SEARCHED_MAX // max(len(wanted), 1)
    for name, identity in wanted:
        row = state.keys.get(identity)
        if row is None:
            if named:
                raise InputError(
                    "key-unknown",
                    f"key {name or identity.hex()} is not on this log",
                    hint="a registrar registers a party with its root key first",
                )
            continue
        seq, prev = chain_head(state.need_log(), row)
        yield {
            "name": name,
            "key": identity.hex(),
            "party": row.party.hex(),
            "purpose": row.purpose,
            "seq": seq,
            "prev": prev.hex(),
            "newest": _newest(sources.store, row, searched) if seq else None,
            "revoked": None if row.revoked < 0 else row.revoked,
        }


def _newest(store: Store, row: KeyRow, searched: int) -> int | None:
    """Find the entry of a key's newest event; None if it lies too far back.

    Nobody has to believe it: who signs reads that entry (`ledger.remote.trust`).
    """
    before = None
    for _ in range(0, searched, _READ_AT_ONCE):
        found = store.entries_of_party(row.party, _READ_AT_ONCE, before)
        for index in found:
            if event_hash(decode_entry(store.leaf(index)).event) == row.prev:
                return index
        if len(found) < _READ_AT_ONCE:
            return None
        before = found[-1]
    return None
