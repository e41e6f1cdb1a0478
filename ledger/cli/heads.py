"""The head of a log, for keys by the names that they have here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from typing import Any

from ledger.ahead import Head
from ledger.entry.verify import key_id
from ledger.keys.ring import KeyRing
from ledger.query import heads
from ledger.replay.chain import chain_head

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
    wanted = [_wanted(ring, name) for name in names] or [
        (key_file.name, key_id(key_file.public)) for key_file in ring
    ]
    return heads.head_document(reader, wanted, named=bool(names))


def _wanted(ring: KeyRing, name: str) -> heads.Wanted:
    if _KEY_ID.match(name):
        return None, bytes.fromhex(name)
    return name, key_id(ring.load(name).public)


def head_of(state: State, *identities: bytes) -> Head:
    """Give the head of an open log, with the chains of the keys that it knows."""
    rows = {identity: state.keys.get(identity) for identity in identities}
    keys = {
        identity: chain_head(state.need_log(), row)
        for identity, row in rows.items()
        if row is not None
    }
    return Head(state.need_log().log, (max(state.size - 1, 0), state.last_leaf), keys)
