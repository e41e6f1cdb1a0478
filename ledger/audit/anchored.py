"""What this machine remembers of a log, against the entries that are there.

A home can be set back with everything in it, its public folder too. What was anchored
outside of it still shows that there was more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.audit.report import NO_ENTRY
from ledger.audit.report import Found
from ledger.errors import HomeError

if TYPE_CHECKING:
    from ledger.anchor import Anchor
    from ledger.audit.report import Report
    from ledger.audit.tree import VerifiedTree


def check_anchor(
    anchor: Anchor, tree: VerifiedTree, report: Report, *, published: bool
) -> None:
    """Check that a log, verified to its end, holds what was anchored.

    Args:
        anchor: of the log.
        tree: the verified one.
        report: takes what is found.
        published: whether the log has ever published.
    """
    try:
        anchored = anchor.checkpoint()
    except HomeError as error:
        _found(report, error.code, error.message)
        return
    if anchored is None:
        if published:
            report.missing.append(
                f"{anchor.folder} does not know this log: whether it was set back, or"
                " goes on elsewhere, nobody here can tell"
            )
        return
    report.count("anchors")
    if anchored.size > tree.size:
        _found(
            report,
            "behind-anchor",
            f"the log has {tree.size} entries, and a checkpoint of {anchored.size} was"
            " anchored on this machine: the home was set back, or is an old copy",
        )
    elif tree.root_at(anchored.size) != anchored.root:
        _found(
            report,
            "anchor-differs",
            f"the log's first {anchored.size} entries are not those that were anchored",
        )


def _found(report: Report, code: str, message: str) -> None:
    report.problems.append(Found(NO_ENTRY, code, message))
