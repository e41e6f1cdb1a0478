"""Questions to a log home, answered from its derived tables.

    home ─ Reader ─┬ entries, search, prove
                   ├ party, recording, run, balances
                   └ statement

Nothing here writes, and nothing here is believed: an entry comes with its bytes and
its proof, a balance can be replayed from both.
"""

from __future__ import annotations

from ledger.query.reader import Reader
from ledger.query.views import EntryView
from ledger.query.views import Found
from ledger.query.views import PartyView
from ledger.query.views import RecordingView
from ledger.query.views import RunReport

__all__ = ["EntryView", "Found", "PartyView", "Reader", "RecordingView", "RunReport"]
