"""Checks of what a log vouches for, whoever reads it: leaves, and that it only grew."""

from __future__ import annotations

from ledger.entry.envelope import Entry
from ledger.entry.envelope import parse_entry
from ledger.entry.envelope import parse_event
from ledger.errors import FormatError
from ledger.errors import VerificationError
from ledger.reader.tree import AuthenticTree
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.merkle import check_consistency


def open_leaf(leaf: bytes, index: int) -> Entry:
    """Parse the leaf data of an entry that a log vouches for, and the event in it.

    Raises:
        VerificationError: ``wrong-index``, or a code of `parse_entry` or `parse_event`.
    """
    try:
        entry = parse_entry(leaf)
        parse_event(entry.event)
    except FormatError as error:
        raise served_wrong(error) from None
    if entry.index != index:
        raise VerificationError(
            "wrong-index", f"entry {index} says that it is entry {entry.index}"
        )
    return entry


def check_grown(old: Checkpoint, new: Checkpoint, tree: AuthenticTree) -> list[bytes]:
    """Check that the log of one checkpoint begins with that of another.

    Args:
        old: verified before.
        new: verified now.
        tree: of ``new``.

    Returns:
        The hashes of the consistency proof.

    Raises:
        UnverifiableError: as `Source.get`.
        VerificationError: ``fork``, ``rolled-back`` or ``wrong-origin``, or as
            `AuthenticTree.tiles`.
    """
    if old.origin != new.origin:
        raise VerificationError(
            "wrong-origin", f"{old.origin} and {new.origin} are two logs"
        )
    if old.size > new.size:
        raise VerificationError(
            "rolled-back",
            f"the log shows {new.size:,} entries, after {old.size:,} before",
            hint="an old copy is being served, or the log has lost what it signed for:"
            " keep both checkpoints",
        )
    hashes = tree.prove_consistency(old.size)
    try:
        check_consistency(old.size, new.size, hashes, old.root, new.root)
    except VerificationError as error:
        # The hashes are those of the new tree, so it is the old one that differs.
        raise VerificationError(
            "fork",
            f"the log of size {new.size:,} does not begin with the one of size"
            f" {old.size:,} that was signed before",
            hint="keep both checkpoints and show them to others: together they prove"
            " that the log told two stories",
        ) from error
    return hashes


def served_wrong(error: FormatError) -> VerificationError:
    """Make a failed verification of what is malformed, but nobody's input."""
    return VerificationError(error.code, error.message, hint=error.hint)
