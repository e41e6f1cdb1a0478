"""Monitoring a log that others run: every checkpoint and every entry, as they come.

source ─► reader ─► monitor ─► alarms ─► exit code, line, webhook
                      │
                     kept (what was verified, durable)
"""

from __future__ import annotations

from ledger.monitor.alarm import Alarm
from ledger.monitor.alarm import check_webhook
from ledger.monitor.alarm import post
from ledger.monitor.kept import Kept
from ledger.monitor.kept import default_folder
from ledger.monitor.monitor import Look
from ledger.monitor.monitor import Monitor

__all__ = [
    "Alarm",
    "Kept",
    "Look",
    "Monitor",
    "check_webhook",
    "default_folder",
    "post",
]
