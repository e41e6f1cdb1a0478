"""A party's statement: every amount with where it comes from.

    sources ─ build ─ Statement ─ render (text, JSON, CSV)
                └── explain: from one amount back to the training run

A statement always adds up: opening, lines, closing, each to the micro-unit.
"""

from __future__ import annotations

from ledger.statement.build import WHOLE
from ledger.statement.build import Window
from ledger.statement.build import build_statement
from ledger.statement.model import Statement
from ledger.statement.render import statement_csv
from ledger.statement.render import statement_json
from ledger.statement.render import statement_text
from ledger.statement.sources import Sources

__all__ = [
    "WHOLE",
    "Sources",
    "Statement",
    "Window",
    "build_statement",
    "statement_csv",
    "statement_json",
    "statement_text",
]
