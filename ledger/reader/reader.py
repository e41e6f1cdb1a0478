"""A reader of one log: pinned keys in, verified entries and proofs out.

    source ──► checkpoint, by the pinned keys ──► edge, by its root ──► tiles, bundles
                   │
                   └─ extends the one seen before, or nothing is read at all

The keys come from the person who reads, never from the log; it may lead from them to
others, by what they signed (`handover`). The newest checkpoint is remembered, in the
cache folder too where there is one: a log that later shows an older or another history
is caught, in the next run as in this one. Readers may share a cache: what it remembers
only ever grows.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from typing import Self

from ledger.entry.envelope import Entry
from ledger.errors import FormatError
from ledger.errors import LedgerError
from ledger.errors import UnverifiableError
from ledger.errors import VerificationError
from ledger.reader.belief import Belief
from ledger.reader.belief import Trust
from ledger.reader.cache import Cache
from ledger.reader.cache import ReadOnly
from ledger.reader.checks import check_grown
from ledger.reader.checks import open_leaf
from ledger.reader.checks import served_wrong
from ledger.reader.fetch import PARALLEL
from ledger.reader.fetch import Fetcher
from ledger.reader.handover import Known
from ledger.reader.handover import LogKeys
from ledger.reader.remembered import Remembered
from ledger.reader.source import Source
from ledger.reader.tree import AuthenticTree
from ledger.storage.base import no_such_entry
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import parse_checkpoint
from ledger.tlog.merkle import EMPTY_ROOT
from ledger.tlog.note import parse_note
from ledger.tlog.policy import Cosigned
from ledger.tlog.proof import Proof

CHECKPOINT_BYTES_MAX = 1 << 20
"""More than a hundred signatures of any type take."""


class _Believed(NamedTuple):
    """A checkpoint that was verified.

    Attributes:
        note: as it was signed.
        checkpoint: what it says.
        tree: of its size and root.
        keys: that the pinned ones led to; None while these sign.
    """

    note: str
    checkpoint: Checkpoint
    tree: AuthenticTree
    keys: LogKeys | None


class Reader:
    """Reads one log; for one thread at a time.

    Args:
        source: of the log's files.
        trust: the log's verifier keys, of which every one has to have signed, or a
            policy; pinned by the person, never taken from the log. Where the log has
            changed its keys since, it has to lead from these to the new ones.
        cache: folder for what was read, one for all logs; None for none.
        parallel: how many files are read at once.
        copy: of some of the log's files, to look for its keys in.

    Raises:
        InputError: ``no-keys`` or ``no-log-in-policy`` if no key is pinned.
    """

    def __init__(
        self,
        source: Source,
        trust: Trust,
        cache: Path | None = None,
        *,
        parallel: int = PARALLEL,
        copy: Cache | None = None,
    ) -> None:
        self._source = source
        self._belief = Belief(trust)
        self._caches = cache
        self._cache: Cache | None = None
        self._copy = copy
        self._pool = ThreadPoolExecutor(parallel, "linernote-reader")
        self._remembered: Remembered | None = None
        self._note: str | None = None
        self._checkpoint: Checkpoint | None = None
        self._tree = AuthenticTree(0, EMPTY_ROOT, self._fetcher())
        self._named: tuple[AuthenticTree, LogKeys] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the threads."""
        self._pool.shutdown(cancel_futures=True)

    def checkpoint(self) -> Checkpoint:
        """Fetch the newest checkpoint, verify it, and go on from it.

        Or from a newer one, if another reader has left it in the cache meanwhile.

        Raises:
            UnverifiableError: as `Source.get`; ``bad-cache``, ``level-unknown``.
            VerificationError: as `Belief.open` or `Belief.follow`; or ``fork``,
                ``rolled-back`` or ``wrong-origin`` against the one before.
        """
        note = self._fetch_note()
        claimed = _parse(note)
        before = self._checkpoint or self._recall(note, claimed.origin)
        shown = self._believe(note, claimed)
        if before is not None:
            check_grown(before, shown.checkpoint, shown.tree)
        if before != shown.checkpoint or shown.keys is not self._belief.keys:
            shown = self._remember(shown)
        checkpoint = shown.checkpoint
        if self._checkpoint != checkpoint:
            self._tree = shown.tree
        self._belief.keys = shown.keys
        self._note, self._checkpoint = shown.note, checkpoint
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

    @property
    def trust(self) -> Trust:
        """By what that checkpoint is believed: the pinned keys, or those in force."""
        return self._belief.trust_at(self.latest.size)

    @property
    def followed(self) -> bool:
        """Whether the log has changed its keys since it had the pinned ones."""
        belief, latest = self._belief, self.latest
        if belief.keys is None:
            return False
        return not {*belief.pinned(latest.origin)} <= {*belief.keys.vkeys(latest.size)}

    def verify(self, proof: Proof, leaf: bytes) -> Cosigned:
        """Verify a proof of this log, from whatever size.

        One that the known keys have not signed may be older than they are: then all
        keys have to have signed that were in force at its size, as the log says that
        the known ones did sign.

        Raises:
            UnverifiableError: as `Source.get`.
            VerificationError: as `Belief.verify` and `consistency`.
        """
        latest = self.latest
        try:
            cosigned = self._belief.verify(proof, leaf)
        except VerificationError as error:
            origin = _parse(proof.checkpoint).origin
            if error.code != "not-signed" or origin != latest.origin:
                raise
            cosigned = self._belief.verify(proof, leaf, self._keys_named(error))
        check_grown(cosigned.checkpoint, latest, self.tree)
        return cosigned

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
        self._belief.verify(proof, leaf)
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
        return check_grown(old, self.latest, self.tree)

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

    def _keys_of(
        self, note: str, claimed: Checkpoint, known: Known | None = None
    ) -> LogKeys | None:
        """Verify a checkpoint; give the keys that the pinned ones led to, if any."""
        belief = self._belief
        try:
            # Whoever followed once no longer believes the retired key.
            if known is None:
                belief.open(note)
                return belief.keys
        except VerificationError as error:
            if error.code != "not-signed" or not belief.pinned(claimed.origin):
                raise
        if known is None and belief.keys is not None:
            known = belief.keys.known
        # Nothing of a tree that is not believed yet is kept.
        here = self._cache or self._copy
        kept = None if here is None else ReadOnly(here.folder)
        fetcher = Fetcher(self._source, kept, self._pool)
        tree = AuthenticTree(claimed.size, claimed.root, fetcher)
        return belief.follow(note, tree, known)

    def _keys_named(self, otherwise: VerificationError) -> LogKeys:
        """Read the log's keys from the entries that it is believed to have."""
        if self._named is not None and self._named[0] is self.tree:
            return self._named[1]
        try:
            keys = LogKeys(self.tree)
            keys.check_handovers()
        except UnverifiableError:
            raise
        except LedgerError as error:
            raise otherwise from error  # no log of ours, so it names no keys
        self._named = self.tree, keys
        return keys

    def _believe(
        self, note: str, claimed: Checkpoint, known: Known | None = None
    ) -> _Believed:
        keys = self._keys_of(note, claimed, known)
        # The claim is more than that, now.
        tree = AuthenticTree(claimed.size, claimed.root, self._fetcher())
        return _Believed(note, claimed, tree, keys)

    def _recall(self, shown: str, origin: str) -> Checkpoint | None:
        """Read the checkpoint that was seen last, in an earlier run.

        Where it does not verify, nor does perhaps the one that is shown now: then that
        is what is wrong.
        """
        if self._caches is None or not self._belief.pinned(origin):
            return None
        # An origin may be any path: its hash is a name for a folder.
        folder = self._caches / sha256(origin.encode()).hexdigest()
        self._cache, self._remembered = Cache(folder), Remembered(folder)
        try:
            note = self._remembered.read()
            if note is None:
                return None
            seen = self._believe_remembered(self._remembered, note)
        except UnverifiableError as error:
            if error.code == "bad-cache":
                self._keys_of(shown, _parse(shown))
            raise
        self._remembered.go_on_from(note)
        self._belief.keys = seen.keys
        return seen.checkpoint

    def _remember(self, shown: _Believed) -> _Believed:
        """Remember a checkpoint, unless another reader has remembered a newer one.

        Whichever is newer has to continue the other.

        Returns:
            What is remembered now, to be gone on from.
        """
        remembered = self._remembered
        if remembered is None:
            return shown
        while (note := remembered.swap(shown.note, shown.keys)) is not None:
            other = self._believe_remembered(remembered, note)
            newer = other.checkpoint.size > shown.checkpoint.size
            if newer:
                check_grown(shown.checkpoint, other.checkpoint, other.tree)
            else:
                check_grown(other.checkpoint, shown.checkpoint, shown.tree)
            remembered.go_on_from(note)
            if newer:
                return other
        return shown

    def _believe_remembered(self, remembered: Remembered, note: str) -> _Believed:
        try:
            return self._believe(note, _parse(note), remembered.keys())
        except VerificationError as error:
            raise remembered.spoilt(error) from None


def _parse(note: str) -> Checkpoint:
    """Read what a checkpoint claims."""
    try:
        return parse_checkpoint(parse_note(note).text)
    except FormatError as error:
        raise served_wrong(error) from None
