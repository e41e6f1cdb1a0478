"""The checkpoint that a log signed last, against the entries that are there."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple

from ledger.audit.folder import read_at_most
from ledger.audit.report import NO_ENTRY
from ledger.audit.report import Found
from ledger.errors import FormatError
from ledger.errors import LedgerError
from ledger.publish import published_checkpoint
from ledger.tlog.checkpoint import open_checkpoint
from ledger.tlog.note import make_vkey

if TYPE_CHECKING:
    from pathlib import Path

    from ledger.audit.report import Report
    from ledger.replay.rows import LogRow
    from ledger.storage.base import Store
    from ledger.tlog.checkpoint import Checkpoint


class Verified(NamedTuple):
    """What the entries gave.

    Attributes:
        size: how many entries were verified.
        root: of the tree at the checkpoint's size; None if the log is shorter.
        whole: whether they are all that there is, none having failed.
        log: what genesis says, if there is one.
    """

    size: int
    root: bytes | None
    whole: bool
    log: LogRow | None


def read_checkpoint(
    store: Store, public: Path | None, report: Report
) -> Checkpoint | None:
    """Parse the stored checkpoint; its signature waits for the log's key."""
    try:
        checkpoint = published_checkpoint(store)
    except FormatError as error:
        _found(report, "bad-checkpoint", error.message)
        return None
    if checkpoint is None and _is_published(public):
        _found(
            report,
            "checkpoint-differs",
            "there is a public/checkpoint, and the store knows of none",
        )
    elif checkpoint is None:
        report.missing.append("no checkpoint has been published yet")
    return checkpoint


def check_checkpoint(
    store: Store,
    public: Path | None,
    checkpoint: Checkpoint,
    verified: Verified,
    report: Report,
) -> int:
    """Check size, signature and root of the stored checkpoint, and its public copy.

    Returns:
        How many of the verified entries it covers; none if its signature fails.
    """
    text = store.checkpoint() or ""
    if verified.size < checkpoint.size and verified.whole:
        _found(
            report,
            "log-truncated",
            f"the checkpoint is of {checkpoint.size} entries, the log has"
            f" {verified.size}",
        )
    if verified.log is not None:
        try:
            open_checkpoint(text, make_vkey(verified.log.origin, verified.log.log_key))
        except LedgerError as error:
            _found(report, "bad-checkpoint", error.message)
            return 0
        report.count("checkpoints")
    if verified.size >= checkpoint.size and verified.root != checkpoint.root:
        _found(
            report,
            "root-mismatch",
            f"the log's first {checkpoint.size} entries give another root than the"
            " checkpoint",
        )
    _check_public_copy(public, text, report)
    return min(checkpoint.size, verified.size)


def _check_public_copy(public: Path | None, text: str, report: Report) -> None:
    if public is None:
        return
    right = text.encode()
    if not _is_published(public):
        report.missing.append("public/checkpoint is missing")
    elif read_at_most(public / "checkpoint", len(right)) != right:
        _found(
            report,
            "checkpoint-differs",
            "public/checkpoint is not the checkpoint that the store signed last",
        )


def _is_published(public: Path | None) -> bool:
    return public is not None and (public / "checkpoint").is_file()


def _found(report: Report, code: str, message: str) -> None:
    report.problems.append(Found(NO_ENTRY, code, message))
