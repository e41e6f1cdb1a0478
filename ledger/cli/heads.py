"""The head of a log as a document: what an offline signer needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from typing import Any

from ledger.ahead import Head
from ledger.entry.verify import key_id
from ledger.errors import InputError
from ledger.keys.ring import KeyRing
from ledger.tlog.note import format_vkey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.cli.common import Settings
    from ledger.query import Reader
    from ledger.replay import State

_KEY_ID = re.compile(r"[0-9a-f]{64}\Z")


def head_document(
    reader: Reader, settings: Settings, names: Sequence[str]
) -> dict[str, Any]:
    """Give the head of a log, with the chains of some keys.

    Args:
        reader: of the home.
        settings: say where keys are.
        names: of keys here, or key ids; none means all keys here that are on the log.

    Raises:
        InputError: `key-file-missing`, `key-unknown`.
    """
    ring = KeyRing(settings.keys_folder)
    vkey = format_vkey(reader.vkey)
    with reader.reading() as sources:
        state = sources.state
        wanted = [_wanted(ring, name) for name in names] or [
            (key_file.name, key_id(key_file.public)) for key_file in ring
        ]
        keys = list(_key_heads(state, wanted, named=bool(names)))
        log = state.need_log()
        return {
            "log": log.log.hex(),
            "origin": log.origin,
            "vkey": vkey,
            "size": state.size,
            "seen": {"index": state.size - 1, "leaf_hash": state.last_leaf.hex()},
            "keys": keys,
        }


def _wanted(ring: KeyRing, name: str) -> tuple[str | None, bytes]:
    if _KEY_ID.match(name):
        return None, bytes.fromhex(name)
    return name, key_id(ring.load(name).public)


def _key_heads(
    state: State, wanted: Sequence[tuple[str | None, bytes]], *, named: bool
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
        yield {
            "name": name,
            "key": identity.hex(),
            "party": row.party.hex(),
            "purpose": row.purpose,
            "seq": row.next_seq,
            "prev": row.prev.hex(),
            "revoked": None if row.revoked < 0 else row.revoked,
        }


def head_of(state: State, *identities: bytes) -> Head:
    """Give the head of an open log, with the chains of the keys that it knows."""
    rows = {identity: state.keys.get(identity) for identity in identities}
    keys = {
        identity: (row.next_seq, row.prev)
        for identity, row in rows.items()
        if row is not None
    }
    return Head(state.need_log().log, (max(state.size - 1, 0), state.last_leaf), keys)
