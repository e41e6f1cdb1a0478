"""The witnesses of our log: asked, remembered, and called late where they are.

    home/policy               whom to ask (C2SP tlog-policy)
    home/public/checkpoint    takes each cosignature as soon as it has come
    home/witnesses.json       what each said last; believed in nothing, and may be lost

Nobody waits for a witness who has something else to do: publishing is done before they
are asked, and a witness that is slow holds up neither the others nor the next round.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import closing
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Self

import msgspec

from ledger.errors import LedgerError
from ledger.home import write_durably
from ledger.published import add_cosignatures
from ledger.receipts import read_policy
from ledger.tlog.checkpoint import parse_checkpoint
from ledger.tlog.cosignature import cosignature_time
from ledger.tlog.merkle import prove_consistency
from ledger.tlog.note import format_vkey
from ledger.tlog.note import parse_note
from ledger.tlog.note import verify_signature
from ledger.witnessing import COSIGNED
from ledger.witnessing import Gathered
from ledger.witnessing import Outcome
from ledger.witnessing import gather
from ledger.writer import now_ms
from ledger.writer import open_reader

if TYPE_CHECKING:
    from ledger.home import Home
    from ledger.tlog.policy import Policy
    from ledger.tlog.policy import Witness

MEMORY_FILE = "witnesses.json"
SECONDS = 10.0
AGAIN_SECONDS = 30.0

_log = logging.getLogger(__name__)
_memory_lock = threading.Lock()


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


def ask_witnesses(
    home: Home,
    *,
    seconds: float = SECONDS,
    busy: Busy | None = None,
) -> Gathered | None:
    """Ask all witnesses that have not cosigned what is published.

    Their cosignatures go into the published checkpoint one by one, as they come.

    Args:
        home: with a policy, or nothing is done.
        seconds: after which no one is waited for.
        busy: those whom another round waits for; they are left to it.

    Returns:
        What they said; None without a policy.

    Raises:
        FormatError: as `parse_policy`.
        InputError, HomeError: as `open_reader`.
    """
    policy = read_policy(home)
    if policy is None:
        return None
    memory = _recall(home)
    known = {each.name: _size(memory, each) for each in policy.witnesses}
    with closing(open_reader(home)) as store:
        signed = store.checkpoint()
        if signed is None:
            return None
        size = parse_checkpoint(parse_note(signed).text).size
        late = [each.witness for each in standings(home, policy) if each.late]
        with (busy or Busy()).taking(late) as (asked, let_go):

            def heard(name: str, outcome: Outcome, text: str) -> None:
                if outcome.code == COSIGNED:
                    add_cosignatures(home.public, text)
                let_go(name)

            gathered = gather(
                replace(policy, witnesses=tuple(asked)),
                signed,
                lambda old_size: prove_consistency(old_size, size, store.nodes),
                known=known,
                seconds=seconds,
                heard=heard,
            )
    _remember(home, asked, gathered)
    return gathered


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


class Busy:
    """The witnesses that some round waits for: each is asked by one at a time."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._lock = threading.Lock()

    @contextmanager
    def taking(
        self, witnesses: Iterable[Witness]
    ) -> Iterator[tuple[list[Witness], Callable[[str], object]]]:
        """Take those that are free; give them, and what lets go of one."""
        with self._lock:
            free = [each for each in witnesses if each.name not in self._names]
            mine = {each.name for each in free}
            self._names |= mine

        def let_go(name: str) -> None:
            with self._lock:
                mine.discard(name)
                self._names.discard(name)

        try:
            yield free, let_go
        finally:
            for name in list(mine):
                let_go(name)


class Asker:
    """Asks whenever a checkpoint was published, and again for those who were late.

    Args:
        home: of the log.
        seconds: after which a witness is not waited for any more.
    """

    def __init__(self, home: Home, *, seconds: float = SECONDS) -> None:
        self._home = home
        self._seconds = seconds
        self._news = threading.Event()
        self._over = False
        self._busy = Busy()
        self._rounds: list[threading.Thread] = []
        self._thread = threading.Thread(target=self._work, name="asker", daemon=True)
        self._news.set()
        self._thread.start()

    def wake(self, size: int = 0) -> None:
        """Note that a checkpoint was published; it takes no time."""
        del size
        self._news.set()

    def close(self) -> None:
        """Ask for what was published last, and end."""
        self._over = True
        self._news.set()
        self._thread.join()

    def __enter__(self) -> Self:
        """Use as a context."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def _work(self) -> None:
        over = False
        while not over:
            self._news.wait(AGAIN_SECONDS)
            self._news.clear()
            over = self._over
            begun = threading.Thread(target=self._ask, name="asking", daemon=True)
            begun.start()
            self._rounds = [*filter(threading.Thread.is_alive, self._rounds), begun]
        for each in self._rounds:
            each.join()

    def _ask(self) -> None:
        """Ask those whom no earlier round waits for."""
        try:
            ask_witnesses(self._home, seconds=self._seconds, busy=self._busy)
        except (LedgerError, OSError) as error:
            _log.warning("witnesses were not asked: %s", error)


def _size(memory: dict[str, Said], witness: Witness) -> int:
    said = memory.get(format_vkey(witness.vkey))
    return (said.size if said is not None else 0) or 0


def _recall(home: Home) -> dict[str, Said]:
    """Read what witnesses said; whoever is not remembered is asked from the start."""
    try:
        data = (home.path / MEMORY_FILE).read_bytes()
        return msgspec.json.decode(data, type=dict[str, Said])
    except (FileNotFoundError, msgspec.MsgspecError):
        return {}


def _remember(home: Home, asked: Iterable[Witness], gathered: Gathered) -> None:
    now = now_ms()
    with _memory_lock:
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
