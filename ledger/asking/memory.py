"""What witnesses said last, and how they stand to what is published.

    home/witnesses.json       by vkey; believed in nothing, and may be lost

That a witness cosigned is read off the published checkpoint, where anybody can verify
it. The memory tells what is not written there: what a late one said instead, and from
which size to prove when it is asked again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from ledger.errors import LedgerError
from ledger.home import write_durably
from ledger.tlog.checkpoint import parse_checkpoint
from ledger.tlog.cosignature import cosignature_time
from ledger.tlog.note import format_vkey
from ledger.tlog.note import parse_note
from ledger.tlog.note import verify_signature
from ledger.witnessing import COSIGNED
from ledger.witnessing import Gathered
from ledger.writer import now_ms

if TYPE_CHECKING:
    from ledger.home import Home
    from ledger.tlog.policy import Policy
    from ledger.tlog.policy import Witness

MEMORY_FILE = "witnesses.json"

_lock = threading.Lock()


class Said(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a witness said last.

    Args:
        code: `cosigned`, or what went wrong.
        message: the same in words.
        size: of what it cosigned last, as far as it said so.
        cosigned_ms: time of its last cosignature, ms since 1970; 0 without one.
        asked_ms: when it was asked last.
    """

    code: str
    message: str = ""
    size: int | None = None
    cosigned_ms: int = 0
    asked_ms: int = 0


@dataclass(frozen=True)
class Standing:
    """How a witness stands to the published checkpoint.

    Args:
        witness: as the policy names it.
        late: whether its cosignature is not there.
        said: what it said last, or None if it was never asked.
    """

    witness: Witness
    late: bool
    said: Said | None


def standings(home: Home, policy: Policy) -> list[Standing]:
    """Tell of each witness whether it cosigned what is published.

    Raises:
        FormatError: what is published is no checkpoint.
        OSError: nothing is.
    """
    note = parse_note((home.public / "checkpoint").read_text(encoding="utf-8"))
    memory = _recall(home)
    found = []
    for witness in policy.witnesses:
        vkey = witness.vkey
        said = memory.get(format_vkey(vkey))
        late = True
        for signature in note.signatures:
            if (signature.name, signature.key_id) != (vkey.name, vkey.key_id):
                continue
            try:
                verify_signature(vkey, note.text, signature)
            except LedgerError:
                continue
            late = False
            time_ms = cosignature_time(signature) * 1_000
            size = parse_checkpoint(note.text).size
            said = Said(COSIGNED, "", size, time_ms, said.asked_ms if said else 0)
        found.append(Standing(witness, late, said))
    return found


def known_sizes(home: Home, policy: Policy) -> dict[str, int]:
    """Give the size that each witness cosigned last, as far as is remembered."""
    memory = _recall(home)
    saids = {each.name: memory.get(format_vkey(each.vkey)) for each in policy.witnesses}
    return {name: (said and said.size) or 0 for name, said in saids.items()}


def _recall(home: Home) -> dict[str, Said]:
    """Read what witnesses said; whoever is not remembered is asked from the start."""
    try:
        data = (home.path / MEMORY_FILE).read_bytes()
        return msgspec.json.decode(data, type=dict[str, Said])
    except (FileNotFoundError, msgspec.MsgspecError):
        return {}


def remember(home: Home, asked: Iterable[Witness], gathered: Gathered) -> None:
    """Keep what those who were asked said."""
    now = now_ms()
    with _lock:
        memory = _recall(home)
        for witness in asked:
            outcome = gathered.outcomes.get(witness.name)
            if outcome is None:
                continue
            vkey = format_vkey(witness.vkey)
            before = memory.get(vkey, Said(""))
            memory[vkey] = Said(
                outcome.code,
                outcome.message,
                before.size if outcome.size is None else outcome.size,
                outcome.time_s * 1_000 or before.cosigned_ms,
                now,
            )
        data = msgspec.json.format(msgspec.json.encode(memory, order="sorted"))
        write_durably(home.path / MEMORY_FILE, data + b"\n")
