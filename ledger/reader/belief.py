"""By what the checkpoints of a log are believed: pinned keys, or what they lead to.

    pinned keys or policy ──► a checkpoint that they signed
                         └──► the keys in force, where they no longer sign: handover

The quorum of a policy has to have cosigned either way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ledger.errors import FormatError
from ledger.errors import InputError
from ledger.errors import LedgerError
from ledger.errors import UnverifiableError
from ledger.errors import VerificationError
from ledger.reader.checks import served_wrong
from ledger.reader.handover import Known
from ledger.reader.handover import LogKeys
from ledger.reader.tree import AuthenticTree
from ledger.replay import State
from ledger.replay.log_keys import all_log_keys
from ledger.replay.log_keys import vkeys_at
from ledger.replay.rows import NEVER
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import check_log_key
from ledger.tlog.checkpoint import open_checkpoint
from ledger.tlog.checkpoint import parse_checkpoint
from ledger.tlog.note import Vkey
from ledger.tlog.note import make_vkey
from ledger.tlog.note import parse_note
from ledger.tlog.policy import Cosigned
from ledger.tlog.policy import LogKey
from ledger.tlog.policy import Policy
from ledger.tlog.policy import check_logs
from ledger.tlog.policy import check_policy
from ledger.tlog.proof import Proof
from ledger.tlog.proof import check_included

Trust = Sequence[Vkey] | Policy
"""A log's verifier keys, of which every one has to have signed, or a policy."""


class Belief:
    """What one reader believes of the keys of a log.

    Args:
        trust: pinned by the person, never taken from the log.

    Attributes:
        keys: that the pinned ones led to; None while these sign.

    Raises:
        FormatError: ``bad-vkey``: a key is a witness's.
        InputError: ``no-keys`` or ``no-log-in-policy`` if no key is pinned.
    """

    def __init__(self, trust: Trust) -> None:
        if isinstance(trust, Policy):
            check_logs(trust)
        elif not trust:
            raise InputError("no-keys", "a log is read with its key, and none is given")
        else:
            for vkey in trust:
                check_log_key(vkey)
        self._trust = trust
        self.keys: LogKeys | None = None

    def pinned(self, origin: str) -> list[Vkey]:
        """Give the pinned keys that sign for an origin."""
        trust = self._trust
        if isinstance(trust, Policy):
            trust = [each.vkey for each in trust.logs]
        return [vkey for vkey in trust if vkey.name == origin]

    def trust_at(self, size: int) -> Trust:
        """Give what a checkpoint of a size is believed by, as of now."""
        return self._trust if self.keys is None else self._by(self.keys, size)

    def open(self, note: str, keys: LogKeys | None = None) -> Cosigned:
        """Verify a checkpoint of the log, by the keys that are known.

        Args:
            note: of the log, or said to be.
            keys: that the log names, if others than the pinned ones led to.

        Raises:
            VerificationError: as `open_checkpoint` or `check_policy`, and where it is
                no note.
        """
        try:
            size = parse_checkpoint(parse_note(note).text).size
            return self._open(note, keys or self.keys, size)
        except FormatError as error:
            raise served_wrong(error) from None

    def verify(
        self, proof: Proof, leaf: bytes, keys: LogKeys | None = None
    ) -> Cosigned:
        """Verify that an entry is in the log; `keys` as `open`.

        Raises:
            VerificationError: as `open`, or ``bad-inclusion-proof``.
        """
        cosigned = self.open(proof.checkpoint, keys)
        check_included(proof, leaf, cosigned.checkpoint)
        return cosigned

    def follow(self, note: str, tree: AuthenticTree, known: Known | None) -> LogKeys:
        """Find the keys that sign a checkpoint, if the pinned ones lead there.

        Args:
            note: the checkpoint, which no known key has signed.
            tree: of the size and root that it claims.
            known: from an earlier search.

        Raises:
            UnverifiableError: as `Source.get`; ``level-unknown``.
            VerificationError: ``not-signed``: they do not lead there, and why.
        """
        if known is not None:
            try:
                return self._follow(note, tree, known)
            except VerificationError as error:
                if error.code != "not-signed":
                    raise
        # What was known may be wrong: everything is looked at, once.
        return self._follow(note, tree, None)

    def _follow(self, note: str, tree: AuthenticTree, known: Known | None) -> LogKeys:
        try:
            keys = LogKeys(tree, known)
            keys.check_handovers()
            self._check_named(keys, parse_checkpoint(parse_note(note).text))
        except LedgerError as error:
            if isinstance(error, UnverifiableError) and error.code != "not-found":
                raise
            raise VerificationError(
                "not-signed",
                "the checkpoint is not signed by the key that is known, and the log"
                f" does not lead from that to another: {error.message}",
                hint="compare the vkey with the one that the log publishes, by another"
                " way than the log",
            ) from error
        self._open(note, keys, tree.size)
        return keys

    def _check_named(self, keys: LogKeys, claimed: Checkpoint) -> None:
        pinned = self.pinned(claimed.origin)
        missing = [vkey for vkey in pinned if not keys.names(vkey)]
        found = len(pinned) > len(missing)
        if not found or (missing and not isinstance(self._trust, Policy)):
            raise VerificationError(
                "not-signed", f"no entry of {claimed.origin} names that key"
            )

    def _open(self, note: str, keys: LogKeys | None, size: int) -> Cosigned:
        trust = self._trust if keys is None else self._by(keys, size)
        vkeys = [] if keys is None else keys.vkeys(size)
        if isinstance(trust, Policy):
            cosigned = check_policy(trust, note)
            if vkeys:
                open_checkpoint(note, *vkeys)
            return cosigned
        return Cosigned(open_checkpoint(note, *trust), trust[0], ())

    def _by(self, keys: LogKeys, size: int) -> Trust:
        return _instead(self._trust, keys.vkeys(size))


def trust_led_to(trust: Trust, state: State) -> Trust:
    """Give the keys that pinned ones lead to, as far as verified entries say.

    Args:
        trust: pinned.
        state: of entries that were verified and replayed, by that trust.

    Returns:
        The pinned ones as they are, unless one of them was retired.
    """
    if state.log is None:
        return trust
    origin, begin = state.log.origin, state.log.index
    rows = [row for row in all_log_keys(state) if row.added >= begin]
    named = {make_vkey(origin, row.public): row.retired for row in rows}
    pinned = Belief(trust).pinned(origin)
    strangers = not isinstance(trust, Policy) and not named.keys() >= set(pinned)
    if strangers or all(named.get(vkey, NEVER) == NEVER for vkey in pinned):
        return trust
    return _instead(trust, vkeys_at(state, state.size))


def _instead(trust: Trust, vkeys: Sequence[Vkey]) -> Trust:
    if isinstance(trust, Policy):
        return replace(trust, logs=tuple(LogKey(vkey) for vkey in vkeys))
    return vkeys
