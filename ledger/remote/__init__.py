"""A log somewhere else, for those who sign events and send them there.

    client ─► POST /v1/events, PUT /v1/manifests/<root>, GET /v1/head
    memory    where a key's chain stood, so that no server can set it back

What the server says is checked by what was signed before, by the log's key, and by
its tree (`ledger.reader`): see `ledger.remote.trust`.
"""

from __future__ import annotations

from ledger.remote.client import Client
from ledger.remote.client import RemoteHead
from ledger.remote.memory import Memory
from ledger.remote.memory import Remembered
from ledger.remote.trust import START
from ledger.remote.trust import Chain
from ledger.remote.trust import Seen
from ledger.remote.trust import Trust
from ledger.remote.trust import check_receipt
from ledger.remote.trust import check_standing
from ledger.remote.trust import is_proven
from ledger.remote.trust import verified_seen

__all__ = [
    "START",
    "Chain",
    "Client",
    "Memory",
    "Remembered",
    "RemoteHead",
    "Seen",
    "Trust",
    "check_receipt",
    "check_standing",
    "is_proven",
    "verified_seen",
]
