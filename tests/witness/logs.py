"""Logs to be witnessed: trees that grow, and histories that deny each other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import sign_checkpoint
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.merkle import Node
from ledger.tlog.merkle import leaf_hash
from ledger.tlog.merkle import prove_consistency
from ledger.tlog.merkle import subtree_root
from ledger.tlog.note import Vkey
from ledger.tlog.note import make_vkey
from ledger.tlog.witness_messages import AddCheckpoint
from ledger.witness.cosigning import Witness
from ledger.witness.folder import add_log
from ledger.witness.folder import found_witness

ORIGIN = "a.example"
NOW_S = 1_700_000_000


class GrowingLog:
    """A log whose entries are told by a word: another word is another history.

    Args:
        word: of all its entries but those before `forked_at`.
        forked_at: number of entries that all histories share.
        origin: name of the log.
        seed: of its key.
    """

    def __init__(
        self,
        word: str = "so",
        forked_at: int = 0,
        origin: str = ORIGIN,
        seed: bytes = bytes(32),
    ) -> None:
        self.key = SigningKey(seed)
        self.origin = origin
        self._word = word
        self._forked_at = forked_at

    @property
    def vkey(self) -> Vkey:
        return make_vkey(self.origin, self.key.public)

    def leaves(self, size: int) -> list[bytes]:
        words = ["so"] * self._forked_at + [self._word] * size
        return [
            leaf_hash(f"{each} {index}".encode())
            for index, each in enumerate(words[:size])
        ]

    def checkpoint(self, size: int) -> str:
        root = subtree_root(self.leaves(size))
        return sign_checkpoint(
            Checkpoint(self.origin, size, root), self.origin, self.key
        )

    def prove(self, old_size: int, size: int) -> tuple[bytes, ...]:
        leaves = self.leaves(size)

        def read(nodes: Sequence[Node]) -> list[bytes]:
            return [
                subtree_root(leaves[index << level : (index + 1) << level])
                for level, index in nodes
            ]

        return tuple(prove_consistency(old_size, size, read))

    def request(self, old_size: int, size: int) -> AddCheckpoint:
        proof = self.prove(old_size, size)
        return AddCheckpoint(old_size, proof, self.checkpoint(size))


class Clock:
    """A clock that stands where it is set."""

    def __init__(self, time_s: int = NOW_S) -> None:
        self.time_s = time_s

    def __call__(self) -> int:
        return self.time_s


def make_witness(
    folder: Path, *logs: GrowingLog, number: int = 1, clock: Clock | None = None
) -> Witness:
    """Found a witness that knows these logs."""
    key = SigningKey(bytes([200 + number]) * 32)
    found_witness(folder, f"w{number}.example", key.public)
    for log in logs:
        add_log(folder, log.vkey)
    return Witness(folder, key, clock or Clock())
