"""The rule of a witness: cosign what continues the last checkpoint, and nothing else.

A new checkpoint has to start from the last one cosigned and prove that it continues
it; then it is written, synced, and only then answered (C2SP tlog-witness). Whoever
asks at the same time waits for the log's lock, in this process or another, and meets
what was written.

Every key that is listed for the log has to have signed, as all keys in force at a size
do (format.md §7): one that was stolen, in use or retired, signs nothing here by itself.
A key that is listed too early, or for too long, stops the cosigning and forges nothing.

>>> import tempfile
>>> from ledger.witness.folder import found_witness
>>> key = SigningKey(b"w" * 32)
>>> with tempfile.TemporaryDirectory() as folder:
...     found_witness(Path(folder), "w.example", key.public)
...     Witness(Path(folder), key).vkey.name
'w.example'
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from pathlib import Path

from ledger.errors import ConflictError
from ledger.errors import HomeError
from ledger.errors import InputError
from ledger.home import write_durably
from ledger.storage.lock import waiting_lock
from ledger.storage.poison import check_poison
from ledger.storage.poison import clear_poison
from ledger.storage.poison import mark_poisoned
from ledger.tlog.checkpoint import open_any_checkpoint
from ledger.tlog.cosignature import cosign
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.merkle import check_consistency
from ledger.tlog.note import Note
from ledger.tlog.note import Signature
from ledger.tlog.note import Vkey
from ledger.tlog.note import format_note
from ledger.tlog.note import parse_note
from ledger.tlog.text import excerpt
from ledger.tlog.witness_messages import AddCheckpoint
from ledger.witness.folder import logs_of
from ledger.witness.folder import place_of
from ledger.witness.folder import read_last
from ledger.witness.folder import read_vkey
from ledger.witness.folder import read_vkeys
from ledger.writer import boot_id
from ledger.writer import now_ms

CLOCK_SLACK_S = 60
"""A clock set back by less is waited out; one set back by more is not believed."""


class StaleError(ConflictError):
    """The old size is not that of the last checkpoint cosigned.

    Args:
        size: of that checkpoint, to start from.
    """

    def __init__(self, size: int) -> None:
        super().__init__(
            "stale-size",
            f"the last checkpoint cosigned has size {size}",
            hint="prove consistency from there",
        )
        self.size = size


def now_s() -> int:
    """Read this machine's clock, seconds since 1970."""
    return now_ms() // 1_000


class Witness:
    """Cosigns checkpoints, never two that contradict each other.

    Args:
        folder: of the witness; may be served by several processes at once.
        key: its private key.
        clock: gives the time now, seconds since 1970.

    Raises:
        InputError: `witness-missing`.
        HomeError: `wrong-witness-key`; `home-poisoned`; `witness-damaged`.
    """

    def __init__(
        self, folder: Path, key: SigningKey, clock: Callable[[], int] = now_s
    ) -> None:
        self.folder = folder
        self.vkey = read_vkey(folder)
        self._key = key
        self._clock = clock
        if key.public != self.vkey.public:
            raise HomeError(
                "wrong-witness-key",
                f"the key given is not that of {self.vkey.name}",
                hint="restore the key file named witness, or the file vkey",
            )
        if check_poison(folder, boot_id()):
            logs_of(folder)  # raises where the restart left something unwhole
            clear_poison(folder)

    def add_checkpoint(self, request: AddCheckpoint) -> Signature:
        """Cosign a checkpoint that continues the last one.

        Raises:
            FormatError: the checkpoint is none.
            InputError: `log-unknown`.
            VerificationError: `not-signed`: by all keys listed; `bad-signature`;
                `bad-consistency-proof`.
            StaleError: the old size is not that of the last one.
            HomeError: `clock-went-back`; `persist-failed`; `sync-failed`, after which
                it takes a restart; `home-poisoned`; `witness-damaged`.
        """
        note = parse_note(request.checkpoint)
        origin = note.text.partition("\n")[0]
        place = place_of(self.folder, origin)
        if not read_vkeys(place):
            raise InputError("log-unknown", f"{excerpt(origin)} is not witnessed here")
        with waiting_lock(place / "lock"):
            check_poison(self.folder, boot_id())
            # Not before: once a key was replaced, nothing more is cosigned by it.
            vkeys = read_vkeys(place)
            # That they are this log's, whatever their names, its folder says.
            new = open_any_checkpoint(request.checkpoint, *vkeys)
            last, last_s = read_last(place, self.vkey)
            if last_s and new.size == last.size and new.root != last.root:
                _keep_evidence(place / "fork", request.checkpoint)
            if request.old_size != last.size:
                raise StaleError(last.size)
            check_consistency(last.size, new.size, request.proof, last.root, new.root)
            time_s = self._time(last_s)
            cosignature = cosign(note.text, self.vkey.name, self._key, time_s)
            signed = _signatures_by(vkeys, note)
            self._persist(place, Note(note.text, (*signed, cosignature)))
        return cosignature

    def _time(self, last_s: int) -> int:
        """Give the time now, never before the last cosignature's."""
        time_s = self._clock()
        if time_s < last_s - CLOCK_SLACK_S:
            raise HomeError(
                "clock-went-back",
                f"this machine's clock is {last_s - time_s} s behind a cosignature",
                hint="set the clock; a cosignature says when, and is never backdated",
            )
        return max(time_s, last_s)

    def _persist(self, place: Path, note: Note) -> None:
        try:
            write_durably(place / "checkpoint", format_note(note).encode())
        except HomeError as error:
            mark_poisoned(self.folder, boot_id(), error.message)
            raise
        except OSError as error:
            raise HomeError(
                "persist-failed",
                f"the checkpoint was not written: {error.strerror}",
                hint="nothing was cosigned; make space on the disk, and ask again",
            ) from error


def _signatures_by(vkeys: Sequence[Vkey], note: Note) -> list[Signature]:
    known = {(vkey.name, vkey.key_id) for vkey in vkeys}
    return [each for each in note.signatures if (each.name, each.key_id) in known]


def _keep_evidence(path: Path, signed: str) -> None:
    """Keep the first checkpoint that denies the last: both bear all signatures."""
    if not path.exists():
        write_durably(path, signed.encode())
