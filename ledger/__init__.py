"""The open ledger for music that trains AI."""

from __future__ import annotations

__version__ = "0.1.0"
