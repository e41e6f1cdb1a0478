"""The head of a log as a document: what a signer elsewhere needs (ledger/docs/json.md).

The newest entry for `seen`, and for each key the place of its next event. It is what
`linernote head --json` prints and `GET /v1/head` answers, and `ledger.ahead.parse_head`
reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

from ledger.errors import InputError
from ledger.query.reader import Reader
from ledger.replay import State
from ledger.replay.chain import chain_head
from ledger.tlog.note import format_vkey

Wanted = tuple[str | None, bytes]
"""Name of a key, where it has one, and its id."""


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
        keys = list(_key_heads(state, wanted, named=named))
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
    state: State, wanted: Sequence[Wanted], *, named: bool
) -> Iterator[dict[str, Any]]:
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
            "revoked": None if row.revoked < 0 else row.revoked,
        }
