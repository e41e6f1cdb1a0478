"""The fault harness: what becomes of a log when disks, power and processes fail.

shim.c, shim ─ record ─ disk ─ world ─ work, check ─ the rows ─ `__main__`
"""

from __future__ import annotations
