"""Reading a log that is somewhere else, and believing none of it unverified.

    source ◄── network    fetch ◄── cache    authentic (pure)
         └────────┬─────────┘        │
                reader ◄─── tree ◄───┘

`Reader` takes a source, a folder or URL, and the keys that a person pinned. What it
gives has been verified: the checkpoint by the keys, every tile by the checkpoint's
root, every entry by the tiles. Whether entries keep the rules is for who reads them.
"""

from __future__ import annotations

from ledger.reader.belief import Belief
from ledger.reader.belief import Trust
from ledger.reader.belief import trust_led_to
from ledger.reader.checks import open_leaf
from ledger.reader.reader import Reader
from ledger.reader.source import Source
from ledger.reader.source import open_source
from ledger.reader.tree import AuthenticTree

__all__ = [
    "AuthenticTree",
    "Belief",
    "Reader",
    "Source",
    "Trust",
    "open_leaf",
    "open_source",
    "trust_led_to",
]
