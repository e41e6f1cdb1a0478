"""The demonstration: a whole log from nothing, fictional or over one's own files.

cast ─ stage ─ fiction, catalogue ─ tamper ─► run
"""

from __future__ import annotations

from ledger.demo.run import Files
from ledger.demo.run import run_demo

__all__ = ["Files", "run_demo"]
