"""The witnesses of our log: asked, remembered, and called late where they are.

memory ◄── round ◄── asker
"""

from __future__ import annotations

from ledger.asking.asker import Asker
from ledger.asking.memory import Standing
from ledger.asking.memory import standings
from ledger.asking.round import ask_witnesses

__all__ = ["Asker", "Standing", "ask_witnesses", "standings"]
