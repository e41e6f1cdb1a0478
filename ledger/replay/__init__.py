"""Entries to state: the rules of the log, as one pure fold (format.md §6).

chain ─ authority ─ rules_* ─ replay
          state ─ table ─ rows
"""

from __future__ import annotations

from ledger.replay.outcome import Problem
from ledger.replay.outcome import ReplayEntry
from ledger.replay.replay import FullBookError
from ledger.replay.replay import Replay
from ledger.replay.state import State

__all__ = ["FullBookError", "Problem", "Replay", "ReplayEntry", "State"]
