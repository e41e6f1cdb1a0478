r"""The file `public/checkpoint`: what the log signed, and who cosigned it.

    example.com/log                     the text that the log signed
    …
                                        empty line
    — example.com/log …                 the log's signatures, first
    — witness.example/w1 …              cosignatures, as witnesses give them

Two write it, neither waiting for the other: whoever publishes puts the newest text
there, and whoever asked witnesses adds what they said of a text. A lock beside the
folder lets them take turns, so that an answer that comes late never brings an old
checkpoint back, and publishing the same text again loses no cosignature.

>>> import tempfile
>>> from ledger.tlog.ed25519 import SigningKey
>>> from ledger.tlog.note import sign_note
>>> log, witness = SigningKey(bytes(32)), SigningKey(bytes([1] * 32))
>>> signed = sign_note("a.example\n", "a.example", log)
>>> cosigned = signed + sign_note("a.example\n", "w.example", witness)[11:]
>>> with tempfile.TemporaryDirectory() as folder:
...     public = Path(folder) / "public"
...     public.mkdir()
...     put_checkpoint(public, signed)
...     add_cosignatures(public, cosigned)
...     put_checkpoint(public, signed)
...     (public / "checkpoint").read_text() == cosigned
True
True
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ledger.errors import FormatError
from ledger.home import workshop_of
from ledger.home import write_durably
from ledger.storage.lock import waiting_lock
from ledger.tlog.checkpoint import parse_checkpoint
from ledger.tlog.note import Note
from ledger.tlog.note import Signature
from ledger.tlog.note import format_note
from ledger.tlog.note import parse_note

FILE_NAME = "checkpoint"


def put_checkpoint(public: Path, signed: str) -> None:
    """Publish a checkpoint, durably; what cosigned the same text stays.

    Args:
        public: the folder.
        signed: by the log.

    Raises:
        FormatError: as `parse_note`.
    """
    note = parse_note(signed)
    with waiting_lock(_lock_of(public)):
        there = _read(public)
        kept = there.signatures if there is not None and there.text == note.text else ()
        signatures = _by_key(note.signatures)
        signatures |= {
            key: each for key, each in _by_key(kept).items() if key not in signatures
        }
        _write(public, Note(note.text, tuple(signatures.values())))


def put_missed(public: Path, signed: str) -> None:
    """Publish what was signed last, where a crash came before that.

    All that it names was in place before it was stored, so nothing else is missing.

    Args:
        public: the folder.
        signed: the checkpoint that the store holds.

    Raises:
        FormatError: as `parse_checkpoint`.
    """
    there = _read(public)
    if there is None or _size(there) < _size(parse_note(signed)):
        put_checkpoint(public, signed)


def _size(note: Note) -> int:
    return parse_checkpoint(note.text).size


def add_cosignatures(public: Path, cosigned: str) -> bool:
    """Add cosignatures to the published checkpoint, if it is still the same text.

    Args:
        public: the folder.
        cosigned: the checkpoint with cosignatures, all of them verified. Where a
            witness cosigned before, this one takes the place of that.

    Returns:
        Whether it was: if not, a newer one is to be cosigned, and nothing was written.

    Raises:
        FormatError: as `parse_note`.
    """
    note = parse_note(cosigned)
    with waiting_lock(_lock_of(public)):
        there = _read(public)
        if there is None or there.text != note.text:
            return False
        signatures = _by_key(there.signatures) | _by_key(note.signatures)
        _write(public, Note(note.text, tuple(signatures.values())))
    return True


def _by_key(signatures: Iterable[Signature]) -> dict[tuple[str, bytes], Signature]:
    return {(each.name, each.key_id): each for each in signatures}


def _lock_of(public: Path) -> Path:
    return public.with_name("publishing.lock")


def _read(public: Path) -> Note | None:
    """Read what is published; what cannot be read is to be written anew."""
    try:
        return parse_note((public / FILE_NAME).read_text(encoding="utf-8"))
    except (FileNotFoundError, FormatError, UnicodeDecodeError):
        return None


def _write(public: Path, note: Note) -> None:
    # Until it is whole it lies beside the folder, where nobody serves it.
    beside = workshop_of(public)
    write_durably(public / FILE_NAME, format_note(note).encode(), beside=beside)
