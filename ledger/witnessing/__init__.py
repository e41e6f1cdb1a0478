"""Our log before its witnesses: asking them, all at once and none for long.

    line ◄── gathering

What a witness of other logs does is `ledger.witness`; when ours are asked, and what is
made of what they say, `ledger.asking`.
"""

from __future__ import annotations

from ledger.witnessing.gathering import COSIGNED
from ledger.witnessing.gathering import Gathered
from ledger.witnessing.gathering import Outcome
from ledger.witnessing.gathering import gather

__all__ = ["COSIGNED", "Gathered", "Outcome", "gather"]
