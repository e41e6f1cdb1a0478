"""One round: all witnesses asked that have not cosigned what is published.

home/policy               whom to ask (C2SP tlog-policy)
home/public/checkpoint    takes each cosignature as soon as it has come
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import closing
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ledger.anchor import anchor_of
from ledger.anchor import log_id_of
from ledger.asking.memory import known_sizes
from ledger.asking.memory import remember
from ledger.asking.memory import standings
from ledger.errors import LedgerError
from ledger.published import add_cosignatures
from ledger.tlog.checkpoint import parse_checkpoint
from ledger.tlog.merkle import prove_consistency
from ledger.tlog.note import parse_note
from ledger.tlog.policy import check_policy
from ledger.witnessing import COSIGNED
from ledger.witnessing import Gathered
from ledger.witnessing import Outcome
from ledger.witnessing import check_outcomes
from ledger.witnessing import gather
from ledger.witnessing import read_policy
from ledger.writer import open_reader

if TYPE_CHECKING:
    from ledger.home import Home
    from ledger.storage.base import Store
    from ledger.tlog.policy import Policy
    from ledger.tlog.policy import Witness

SECONDS = 10.0


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


def ask_witnesses(
    home: Home,
    *,
    seconds: float = SECONDS,
    busy: Busy | None = None,
    until_met: bool = False,
) -> Gathered | None:
    """Ask all witnesses that have not cosigned what is published.

    Their cosignatures go into the published checkpoint one by one, as they come.

    Args:
        home: with a policy, or nothing is done.
        seconds: after which no one is waited for.
        busy: those whom another round waits for; they are left to it.
        until_met: wait for no more of them than the policy asks for.

    Returns:
        What they said; None without a policy.

    Raises:
        LedgerError: as `read_policy`.
        InputError, HomeError: as `open_reader`.
        HomeError: `behind-witness`, `witness-differs`: a witness has more than this
            machine knows to have been signed, or another history. What the others
            said is kept all the same.
    """
    policy = read_policy(home)
    if policy is None:
        return None
    with closing(open_reader(home)) as store:
        signed = store.checkpoint()
        if signed is None:
            return None
        published = (home.public / "checkpoint").read_text(encoding="utf-8")
        if parse_note(published).text == parse_note(signed).text:
            signed = published  # with the cosignatures that are there already
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
                known=known_sizes(home, policy),
                seconds=seconds,
                heard=heard,
                enough=partial(_meets, policy) if until_met else lambda _: False,
            )
        signed_size = _signed_size(home, store)
    remember(home, asked, gathered)
    check_outcomes(gathered.outcomes, signed_size)
    return gathered


def _signed_size(home: Home, store: Store) -> int:
    """Give the largest size that is known to have been signed by now.

    Read after witnesses answered, who may know what was published meanwhile.
    """
    signed = store.checkpoint()
    anchored = anchor_of(home.path, log_id_of(store) or b"").checkpoint()
    stored = None if signed is None else parse_checkpoint(parse_note(signed).text)
    return max(each.size for each in (stored, anchored) if each is not None)


def _meets(policy: Policy, text: str) -> bool:
    try:
        check_policy(policy, text)
    except LedgerError:
        return False
    return True
