"""A reader of one log: pinned keys in, verified entries and proofs out.

    source ──► checkpoint, by the pinned keys ──► edge, by its root ──► tiles, bundles
                   │
                   └─ extends the one seen before, or nothing is read at all

The keys come from the person who reads, never from the log. The newest checkpoint is
remembered, in the cache folder too where there is one: a log that later shows an older
or another history is caught, in the next run as in this one.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Self

from ledger.entry.envelope import Entry
from ledger.entry.envelope import parse_entry
from ledger.entry.envelope import parse_event
from ledger.errors import FormatError
from ledger.errors import InputError
from ledger.errors import LedgerError
from ledger.errors import UnverifiableError
from ledger.errors import VerificationError
from ledger.home import write_durably
from ledger.reader.cache import Cache
from ledger.reader.fetch import PARALLEL
from ledger.reader.fetch import Fetcher
from ledger.reader.source import Source
from ledger.reader.tree import AuthenticTree
from ledger.storage.base import no_such_entry
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import open_checkpoint
from ledger.tlog.merkle import EMPTY_ROOT
from ledger.tlog.merkle import check_consistency
from ledger.tlog.note import Vkey
from ledger.tlog.policy import Policy
from ledger.tlog.policy import check_logs
from ledger.tlog.policy import check_policy
from ledger.tlog.policy import verify_proof_by_policy
from ledger.tlog.proof import Proof
from ledger.tlog.proof import verify_proof

CHECKPOINT_BYTES_MAX = 1 << 20
"""More than a hundred signatures of any type take."""
_REMEMBERED = "checkpoint"


class Reader:
    """Reads one log; for one thread at a time.

    Args:
        source: of the log's files.
        trust: the log's verifier keys, of which every one has to have signed, or a
            policy; pinned by the person, never taken from the log.
        cache: folder for what was read, one for all logs; None for none.
        parallel: how many files are read at once.

    Raises:
        InputError: ``no-keys`` or ``no-log-in-policy`` if no key is pinned.
    """

    def __init__(
        self,
        source: Source,
        trust: Sequence[Vkey] | Policy,
        cache: Path | None = None,
        *,
        parallel: int = PARALLEL,
    ) -> None:
        if isinstance(trust, Policy):
            check_logs(trust)
        elif not trust:
            raise InputError("no-keys", "a log is read with its key, and none is given")
        self._source = source
        self._trust = trust
        self._caches = cache
        self._cache: Cache | None = None
        self._pool = ThreadPoolExecutor(parallel, "linernote-reader")
        self._note: str | None = None
        self._checkpoint: Checkpoint | None = None
        self._tree = AuthenticTree(0, EMPTY_ROOT, self._fetcher())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the threads."""
        self._pool.shutdown(cancel_futures=True)

    def checkpoint(self) -> Checkpoint:
        """Fetch the newest checkpoint, verify it, and go on from it.

        Raises:
            UnverifiableError: as `Source.get`, or ``bad-cache``.
            VerificationError: as `open_checkpoint` or `check_policy`, and where it is
                no note; or ``fork``, ``rolled-back`` or ``wrong-origin`` against the
                one before.
        """
        note = self._fetch_note()
        checkpoint = self._open(note)
        if self._checkpoint is None and self._caches is not None:
            # An origin may be any path: its hash is a name for a folder.
            name = sha256(checkpoint.origin.encode()).hexdigest()
            self._cache = Cache(self._caches / name)
        tree = AuthenticTree(checkpoint.size, checkpoint.root, self._fetcher())
        before = self._checkpoint or self._recall()
        if before is not None:
            _check_grown(before, checkpoint, tree)
        if before != checkpoint:
            self._remember(note)
        if self._checkpoint != checkpoint:
            self._tree = tree
        self._note, self._checkpoint = note, checkpoint
        return checkpoint

    @property
    def latest(self) -> Checkpoint:
        """The checkpoint that is read by: fetched if there is none yet."""
        return self._checkpoint or self.checkpoint()

    @property
    def note(self) -> str:
        """The text of that checkpoint, as it was signed."""
        if self._note is None:
            self.checkpoint()
        return self._note or ""

    @property
    def tree(self) -> AuthenticTree:
        """The tree of that checkpoint."""
        if self._checkpoint is None:
            self.checkpoint()
        return self._tree

    def leaves(self, start: int, stop: int) -> Iterator[bytes]:
        """Read the leaf data of entries, in order, fetching ahead.

        Raises:
            InputError: ``beyond-tree``.
            UnverifiableError: as `Source.get`.
            VerificationError: as `AuthenticTree.leaves`.
        """
        return self.tree.leaves(start, stop)

    def leaf(self, index: int) -> bytes:
        """Read the leaf data of one entry.

        Raises:
            InputError: ``no-such-entry``.
            UnverifiableError: as `Source.get`.
            VerificationError: as `AuthenticTree.leaves`.
        """
        if not 0 <= index < self.tree.size:
            raise no_such_entry(index, self.tree.size)
        return next(self.leaves(index, index + 1))

    def entry(self, index: int) -> Entry:
        """Read one entry; as `leaf`.

        Raises:
            VerificationError: as `open_leaf`: the log vouches for what it should not
                have taken in.
        """
        return open_leaf(self.leaf(index), index)

    def prove(self, index: int) -> Proof:
        """Make the proof that an entry is in the log, with the entry in it.

        Raises:
            InputError: ``no-such-entry``.
            UnverifiableError: as `Source.get`.
            VerificationError: as `AuthenticTree.leaves`.
        """
        leaf = self.leaf(index)
        hashes = self.tree.prove_inclusion(index)
        proof = Proof(index, tuple(hashes), self.note, extra=leaf)
        if isinstance(self._trust, Policy):
            verify_proof_by_policy(proof, leaf, self._trust)
        else:
            verify_proof(proof, leaf, *self._trust)
        return proof

    def consistency(self, old: Checkpoint) -> list[bytes]:
        """Prove that the log only grew since an earlier checkpoint.

        Args:
            old: verified before.

        Returns:
            The hashes of the consistency proof.

        Raises:
            UnverifiableError: as `Source.get`.
            VerificationError: ``fork``, ``rolled-back`` or ``wrong-origin``, or as
                `AuthenticTree.tiles`.
        """
        return _check_grown(old, self.latest, self.tree)

    def manifest(self, root: bytes, size: int) -> AuthenticTree:
        """Give the tree of a plain manifest that an entry of the log names."""
        return AuthenticTree(size, root, self._fetcher(f"manifest/{root.hex()}/"))

    def _fetcher(self, prefix: str = "") -> Fetcher:
        return Fetcher(self._source, self._cache, self._pool, prefix)

    def _fetch_note(self) -> str:
        try:
            return self._source.get("checkpoint", CHECKPOINT_BYTES_MAX).decode()
        except UnicodeDecodeError:
            raise VerificationError("bad-note", "the checkpoint is no text") from None

    def _open(self, note: str) -> Checkpoint:
        try:
            if isinstance(self._trust, Policy):
                return check_policy(self._trust, note).checkpoint
            return open_checkpoint(note, *self._trust)
        except FormatError as error:
            raise _served_wrong(error) from None

    def _recall(self) -> Checkpoint | None:
        """Read the checkpoint that was seen last, in an earlier run."""
        if self._cache is None:
            return None
        path = self._cache.folder / _REMEMBERED
        try:
            return self._open(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError, LedgerError) as error:
            raise UnverifiableError(
                "bad-cache",
                f"{path}, the checkpoint seen last, does not verify: {error}",
                hint="find out why; without that file, reading begins anew and cannot"
                " tell whether the log was rolled back meanwhile",
            ) from None

    def _remember(self, note: str) -> None:
        if self._cache is not None:
            self._cache.folder.mkdir(parents=True, exist_ok=True)
            write_durably(self._cache.folder / _REMEMBERED, note.encode())


def open_leaf(leaf: bytes, index: int) -> Entry:
    """Parse the leaf data of an entry that a log vouches for, and the event in it.

    Raises:
        VerificationError: ``wrong-index``, or a code of `parse_entry` or `parse_event`.
    """
    try:
        entry = parse_entry(leaf)
        parse_event(entry.event)
    except FormatError as error:
        raise _served_wrong(error) from None
    if entry.index != index:
        raise VerificationError(
            "wrong-index", f"entry {index} says that it is entry {entry.index}"
        )
    return entry


def _check_grown(old: Checkpoint, new: Checkpoint, tree: AuthenticTree) -> list[bytes]:
    """Check that the log of one checkpoint begins with that of another."""
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


def _served_wrong(error: FormatError) -> VerificationError:
    """Make a failed verification of what is malformed, but nobody's input."""
    return VerificationError(error.code, error.message, hint=error.hint)
