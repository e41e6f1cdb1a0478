"""A party's statement: every amount with where it comes from.

    sources ─ build ─ Statement ─ render (text, JSON, CSV)
                 └── explain: from one amount back to the training run

A statement always adds up: opening, lines, closing, each to the micro-unit.
"""

from __future__ import annotations

from ledger.statement.sources import Sources

__all__ = ["Sources"]
