"""The folder of a witness: its key, the logs that it knows, what it cosigned last.

    linernote-witness/
      vkey                              the witness's verifier key, type 04
      keys/witness.key                  its private key, used for nothing else
      logs/<hex H(origin)>/vkeys        who has to sign for that log, one a line
      logs/<hex H(origin)>/origin       its name, where its keys have another
      logs/<hex H(origin)>/checkpoint   the last one cosigned, with both signatures
      logs/<hex H(origin)>/fork         the first one signed by the log that denies it
      logs/<hex H(origin)>/lock         one request for a log at a time

What the witness knows of a log is its own last cosignature, verified whenever it is
read. A copy of the folder that is older than the last answer must never be put back:
it would sign a fork.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from ledger.errors import ConflictError
from ledger.errors import FormatError
from ledger.errors import HomeError
from ledger.errors import InputError
from ledger.errors import VerificationError
from ledger.home import write_durably
from ledger.storage.lock import waiting_lock
from ledger.storage.sync import sync
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import check_origin
from ledger.tlog.checkpoint import parse_any_checkpoint
from ledger.tlog.cosignature import cosignature_time
from ledger.tlog.merkle import EMPTY_ROOT
from ledger.tlog.note import COSIGNATURE_TYPE
from ledger.tlog.note import ED25519_TYPE
from ledger.tlog.note import Vkey
from ledger.tlog.note import format_vkey
from ledger.tlog.note import make_vkey
from ledger.tlog.note import open_note
from ledger.tlog.note import parse_note
from ledger.tlog.note import parse_vkey
from ledger.tlog.text import excerpt

DEFAULT_FOLDER = "linernote-witness"
FOLDER_VARIABLE = "LINERNOTE_WITNESS"
KEY_NAME = "witness"

_ORIGIN_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class WitnessedLog:
    """What a witness knows of a log.

    Args:
        origin: its name.
        vkeys: of which every one has to sign.
        checkpoint: the last one cosigned, or None.
        time_s: of that cosignature, seconds since 1970; 0 without one.
        forked: whether the log ever signed another tree of a size cosigned.
    """

    origin: str
    vkeys: tuple[Vkey, ...]
    checkpoint: Checkpoint | None
    time_s: int
    forked: bool


def found_witness(folder: Path, name: str, public: bytes) -> None:
    """Make the folder of a new witness, or make what a crash left of it whole.

    Args:
        folder: holds nothing but the keys.
        name: of the witness, a URL without scheme.
        public: key of the witness, 32 bytes.

    Raises:
        ConflictError: `witness-exists`.
        FormatError: `bad-key-name`.
    """
    if (folder / "vkey").exists():
        raise ConflictError(
            "witness-exists",
            f"there is a witness in {folder} already",
            hint="choose another folder; what a witness has said is never forgotten",
        )
    vkey = make_vkey(name, public, COSIGNATURE_TYPE)
    (folder / "logs").mkdir(mode=0o755, parents=True, exist_ok=True)
    write_durably(folder / "vkey", f"{format_vkey(vkey)}\n".encode())
    sync(folder.parent)


def read_vkey(folder: Path) -> Vkey:
    """Read the verifier key of the witness in a folder.

    Raises:
        InputError: `witness-missing`.
        HomeError: `witness-damaged`.
    """
    try:
        return parse_vkey((folder / "vkey").read_text("utf-8").removesuffix("\n"))
    except FileNotFoundError:
        raise InputError(
            "witness-missing",
            f"there is no witness in {folder}",
            hint="make one with 'linernote witness init NAME', or name another with"
            f" --folder or {FOLDER_VARIABLE}",
        ) from None
    except (FormatError, UnicodeDecodeError, VerificationError) as error:
        raise _damaged(folder / "vkey") from error


def add_log(
    folder: Path,
    vkey: Vkey,
    instead_of: Vkey | None = None,
    origin: str | None = None,
) -> bool:
    """Let a witness demand the signature of a key of a log, from the next request on.

    Args:
        folder: of the witness.
        vkey: of the log; its name is the origin, unless one is given.
        instead_of: a key of the same log, whose signature means nothing any more.
        origin: first line of the log's checkpoints, which may be any (C2SP
            tlog-checkpoint).

    Returns:
        Whether the key was new.

    Raises:
        InputError: `witness-missing`; `not-a-log-key`; `key-not-listed`.
        FormatError: `bad-origin`, `bad-key-name`.
        HomeError: `witness-damaged`.
    """
    own = read_vkey(folder)
    if origin is None:
        check_origin(vkey.name)
        origin = vkey.name
    elif not origin or any(character < " " for character in origin):
        raise FormatError("bad-origin", f"{excerpt(origin)} is no line of text")
    if vkey.type != ED25519_TYPE or vkey.public == own.public:
        raise InputError(
            "not-a-log-key",
            f"{excerpt(format_vkey(vkey))} is the key of a witness",
            hint="give what 'linernote vkey' prints, or another log's vkey of type 01",
        )
    place = place_of(folder, origin)
    place.mkdir(mode=0o755, exist_ok=True)
    with waiting_lock(place / "lock"):
        before = read_vkeys(place)
        if instead_of is not None and instead_of not in before:
            raise _not_listed(instead_of, origin)
        kept = [each for each in before if each != instead_of]
        after = kept if vkey in kept else [*kept, vkey]
        if origin != vkey.name:
            write_durably(place / "origin", f"{origin}\n".encode())
        if after != before:
            lines = [f"{format_vkey(each)}\n" for each in after]
            write_durably(place / "vkeys", "".join(lines).encode())
    sync(place.parent)
    return vkey not in before


def logs_of(folder: Path) -> list[WitnessedLog]:
    """List the logs of a witness, by name.

    Raises:
        InputError: `witness-missing`.
        HomeError: `witness-damaged`.
    """
    own = read_vkey(folder)
    found = []
    for path in (folder / "logs").glob("*/vkeys"):
        place = path.parent
        last, time_s = read_last(place, own)
        known = last if time_s else None
        forked = (place / "fork").exists()
        vkeys = tuple(read_vkeys(place))
        origin = _read_origin(place) or vkeys[0].name
        found.append(WitnessedLog(origin, vkeys, known, time_s, forked))
    return sorted(found, key=lambda log: log.origin)


def last_checkpoint(folder: Path, origin_hash: str) -> str:
    """Read the last checkpoint cosigned of a log, with both signatures.

    Args:
        folder: of the witness.
        origin_hash: SHA-256 of the origin, lower-case hex.

    Raises:
        InputError: `log-unknown`: there is none.
    """
    try:
        if _ORIGIN_HASH.fullmatch(origin_hash):
            path = folder / "logs" / origin_hash / "checkpoint"
            return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        pass
    raise InputError("log-unknown", "no checkpoint of that log was cosigned here")


def place_of(folder: Path, origin: str) -> Path:
    """Give the folder of what is known of a log."""
    return folder / "logs" / sha256(origin.encode()).hexdigest()


def read_vkeys(place: Path) -> list[Vkey]:
    """Read who has to sign for a log; nobody, where it is not known.

    Raises:
        HomeError: `witness-damaged`.
    """
    try:
        lines = (place / "vkeys").read_text(encoding="utf-8").splitlines()
        return [parse_vkey(line) for line in lines]
    except FileNotFoundError:
        return []
    except (FormatError, UnicodeDecodeError, VerificationError) as error:
        raise _damaged(place / "vkeys") from error


def _read_origin(place: Path) -> str:
    """Read the name of a log, where its keys have another; else it is empty."""
    try:
        return (place / "origin").read_text(encoding="utf-8").removesuffix("\n")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise _damaged(place / "origin") from error


def read_last(place: Path, own: Vkey) -> tuple[Checkpoint, int]:
    """Read the last checkpoint cosigned and when it was; the empty tree if none was.

    Raises:
        HomeError: `witness-damaged`.
    """
    try:
        text = (place / "checkpoint").read_text(encoding="utf-8")
        checkpoint = parse_any_checkpoint(open_note(text, [own]).text)
    except FileNotFoundError:
        return Checkpoint("", 0, EMPTY_ROOT), 0
    except (FormatError, UnicodeDecodeError, VerificationError) as error:
        raise _damaged(place / "checkpoint") from error
    times = [
        cosignature_time(each)
        for each in parse_note(text).signatures
        if (each.name, each.key_id) == (own.name, own.key_id)
    ]
    return checkpoint, max(times)


def _not_listed(vkey: Vkey, origin: str) -> InputError:
    return InputError(
        "key-not-listed",
        f"{excerpt(format_vkey(vkey))} is no key by which {excerpt(origin)} is"
        " witnessed here",
        hint="'linernote witness logs --json' lists the keys of each log",
    )


def _damaged(path: Path) -> HomeError:
    return HomeError(
        "witness-damaged",
        f"{path} is not what the witness wrote",
        hint="an older copy would sign a fork: found a new witness instead",
    )
