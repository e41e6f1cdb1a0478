"""From answers to what the pages show: texts, links, statuses, in their order.

Nothing is looked up here and nothing computed but how to write it; templates only
place what they are given. A status is a word and an icon, never a colour alone.
"""

from __future__ import annotations

from web.present.entries import EntryPage
from web.present.entries import entry_page
from web.present.items import hit
from web.present.items import item
from web.present.parties import PartyPage
from web.present.parties import account_part
from web.present.parties import party_page
from web.present.recordings import RecordingPage
from web.present.recordings import RunPart
from web.present.recordings import recording_page
from web.present.recordings import run_part

__all__ = [
    "EntryPage",
    "PartyPage",
    "RecordingPage",
    "RunPart",
    "account_part",
    "entry_page",
    "hit",
    "item",
    "party_page",
    "recording_page",
    "run_part",
]
