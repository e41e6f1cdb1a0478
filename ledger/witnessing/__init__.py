"""Our log before its witnesses: asking them, all at once and none for long.

    policies, line ◄── gathering ◄── seen

What a witness of other logs does is `ledger.witness`; when ours are asked, and what is
made of what they say, `ledger.asking`.
"""

from __future__ import annotations

from ledger.witnessing.gathering import COSIGNED
from ledger.witnessing.gathering import Gathered
from ledger.witnessing.gathering import Outcome
from ledger.witnessing.gathering import gather
from ledger.witnessing.policies import read_policy
from ledger.witnessing.policies import read_policy_file
from ledger.witnessing.seen import DENIALS
from ledger.witnessing.seen import ask_what_they_saw
from ledger.witnessing.seen import check_outcomes
from ledger.witnessing.seen import check_seen

__all__ = [
    "COSIGNED",
    "DENIALS",
    "Gathered",
    "Outcome",
    "ask_what_they_saw",
    "check_outcomes",
    "check_seen",
    "gather",
    "read_policy",
    "read_policy_file",
]
