"""The checkpoints that a log signed, against the entries that are there.

That is the newest one, and each by which one log key handed over to another
(format.md §7).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple

from ledger.audit.folder import read_at_most
from ledger.audit.report import NO_ENTRY
from ledger.audit.report import Found
from ledger.errors import FormatError
from ledger.errors import LedgerError
from ledger.publish import published_checkpoint
from ledger.replay.log_keys import in_force
from ledger.replay.rows import NEVER
from ledger.tlog.checkpoint import open_checkpoint
from ledger.tlog.checkpoint import parse_checkpoint
from ledger.tlog.note import make_vkey
from ledger.tlog.note import parse_note

if TYPE_CHECKING:
    from pathlib import Path

    from ledger.audit.report import Report
    from ledger.audit.tree import VerifiedTree
    from ledger.replay.rows import LogKeyRow
    from ledger.storage.base import Store
    from ledger.tlog.checkpoint import Checkpoint


CHECKPOINT_BYTES_MAX = 1 << 20
"""More than the log and a hundred witnesses sign."""


class LogKeys(NamedTuple):
    """The keys that sign checkpoints, as far as entries were judged.

    Attributes:
        origin: of the log.
        rows: every key that there has been.
        judged: how many entries were.
    """

    origin: str
    rows: tuple[LogKeyRow, ...]
    judged: int

    def open(self, text: str, size: int) -> None:
        """Verify a checkpoint of a size, by all keys in force there.

        Raises:
            FormatError, VerificationError: as `open_checkpoint`.
        """
        rows = in_force(self.rows, size)
        open_checkpoint(text, *(make_vkey(self.origin, row.public) for row in rows))


class Verified(NamedTuple):
    """What the entries gave.

    Attributes:
        size: how many entries were verified.
        root: of the tree at the checkpoint's size; None if the log is shorter.
        whole: whether they are all that there is, none having failed.
        keys: that sign checkpoints, if there is a genesis to name one.
        tree: over the entries.
    """

    size: int
    root: bytes | None
    whole: bool
    keys: LogKeys | None
    tree: VerifiedTree


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
    if verified.keys is not None:
        try:
            verified.keys.open(text, checkpoint.size)
        except LedgerError as error:
            judged = verified.whole and verified.keys.judged >= verified.size
            if error.code == "not-signed" and not judged:
                # Which keys sign may be said by entries that nobody here could judge.
                report.missing.append(f"the checkpoint: {error.message}")
            else:
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
    size = _check_public_copy(public, text, verified, report)
    return min(max(checkpoint.size, size), verified.size)


def check_handovers(keys: LogKeys, tree: VerifiedTree, report: Report) -> None:
    """Compare each checkpoint by which a log key was retired with the entries.

    Their signatures are a rule of replay; their roots take the tree.
    """
    for row in keys.rows:
        if row.retired == NEVER:
            continue
        if tree.root_at(row.size) != row.root:
            report.problems.append(
                Found(
                    row.retired,
                    "root-mismatch",
                    f"the log's first {row.size} entries give another root than the"
                    " checkpoint that hands over to a new log key",
                )
            )
        report.count("checkpoints")


def _check_public_copy(
    public: Path | None, text: str, verified: Verified, report: Report
) -> int:
    """Check that what is published is what was signed last; return its size.

    It bears the log's signatures, and perhaps those of witnesses, which are not for
    this log to judge. Where publishing stopped at its last step it is newer than what
    the store noted, and just as true.
    """
    if public is None:
        return 0
    if not _is_published(public):
        report.missing.append("public/checkpoint is missing")
        return 0
    data = read_at_most(public / "checkpoint", CHECKPOINT_BYTES_MAX) or b""
    try:
        note = data.decode()
        same = parse_note(note).text == parse_note(text).text
        published = parse_checkpoint(parse_note(note).text)
        if verified.keys is not None:
            verified.keys.open(note, published.size)
        if same or _is_newer(published, parse_note(text).text, verified):
            return published.size
    except (LedgerError, UnicodeDecodeError):
        pass
    _found(
        report,
        "checkpoint-differs",
        "public/checkpoint is not the checkpoint that the store signed last",
    )
    return 0


def _is_newer(published: Checkpoint, text: str, verified: Verified) -> bool:
    known = parse_checkpoint(text).size < published.size <= verified.size
    return known and verified.tree.root_at(published.size) == published.root


def _is_published(public: Path | None) -> bool:
    return public is not None and (public / "checkpoint").is_file()


def _found(report: Report, code: str, message: str) -> None:
    report.problems.append(Found(NO_ENTRY, code, message))
