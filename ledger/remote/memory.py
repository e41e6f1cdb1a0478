"""What a signer remembers of a log: where each chain stood, and how large the tree was.

    keys/NAME.chain    {"log", "vkey", "size", "root", "seq", "prev", "pinned"}

A server that says less than it acknowledged before has lost entries, or shows another
history: nothing is signed for it. The file lies beside the key, and holds no secret.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     memory = Memory(Path(folder) / "lab.chain")
...     memory.remember(
...         Remembered(bytes(32), "a.example+…", 2, bytes(32), 1, bytes(32))
...     )
...     memory.recall().seq
1
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import msgspec

from ledger.entry.canonical import DECODE_ERRORS
from ledger.errors import FormatError
from ledger.errors import UnverifiableError
from ledger.errors import VerificationError
from ledger.home import write_durably
from ledger.tlog.text import parse_hex

SUFFIX = ".chain"
HASH_LENGTH = 32


class Remembered(NamedTuple):
    """What was acknowledged last.

    Attributes:
        log: its id.
        vkey: by which its checkpoints were verified last.
        size: of the newest tree that was verified; 0 if none was.
        root: of that tree.
        seq: of the key's next event.
        prev: event hash of the one before it.
        pinned: that somebody gave, if the log led from it to `vkey` since.
    """

    log: bytes
    vkey: str
    size: int
    root: bytes
    seq: int
    prev: bytes
    pinned: str = ""


class _File(msgspec.Struct):
    log: str
    vkey: str
    size: int
    root: str
    seq: int
    prev: str
    pinned: str = ""


class Memory:
    """The memory of one key.

    Args:
        path: of its file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def recall(self) -> Remembered | None:
        """Read what is remembered; None if nothing is.

        Raises:
            UnverifiableError: `bad-memory`.
        """
        try:
            given = msgspec.json.decode(self.path.read_bytes(), type=_File)
            log, root, prev = (
                parse_hex(text, HASH_LENGTH)
                for text in (given.log, given.root, given.prev)
            )
        except FileNotFoundError:
            return None
        except (*DECODE_ERRORS, FormatError) as error:
            raise UnverifiableError(
                "bad-memory",
                f"{self.path} cannot be read: {error}",
                hint="restore it: without it nothing tells whether the log lost events",
            ) from None
        tree, chain = (given.size, root), (given.seq, prev)
        return Remembered(log, given.vkey, *tree, *chain, given.pinned)

    def remember(self, what: Remembered) -> None:
        """Replace what is remembered, durably."""
        file = _File(
            what.log.hex(),
            what.vkey,
            what.size,
            what.root.hex(),
            what.seq,
            what.prev.hex(),
            what.pinned,
        )
        write_durably(self.path, msgspec.json.encode(file) + b"\n", 0o600)


def check_remembered(before: Remembered, place: tuple[int, bytes]) -> None:
    """Refuse a head that contradicts what was acknowledged before.

    Args:
        before: remembered of the same log.
        place: next seq of the key, and its prev, as the log says now.

    Raises:
        VerificationError: `chain-contradicted`.
    """
    seq, prev = place
    if seq < before.seq or (seq == before.seq and prev != before.prev):
        raise VerificationError(
            "chain-contradicted",
            f"the log says that the key's next event is {seq}, and acknowledged"
            f" {before.seq} events that end otherwise",
            hint="keep what you have: the log lost entries or shows another history",
        )
