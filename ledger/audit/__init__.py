"""Auditing: verify everything, trust nothing, say what was checked.

spool, tree ─ verifying ─ files ─ audit ─► report
"""

from __future__ import annotations

from ledger.audit.audit import Audit
from ledger.audit.report import Found
from ledger.audit.report import Report

__all__ = ["Audit", "Found", "Report"]
