"""What witnesses saw of our log: never more than we know to have been signed.

    what was signed last, from its own size
      ├─► cosigned      the witness has this tree, or one that it continues
      ├─► ahead         it has a larger one: larger than the anchored one ─► refused
      ├─► differs       it has another tree of our size, or of a smaller ─► refused
      └─► nothing       silent, or it does not know the log ─► told, no more

Whoever sets a home back may set its anchor back too (format.md §7); a witness is on no
disk of theirs. Its size is a bare number, so it accuses nobody: it shuts this home
until somebody has looked. Up to the anchored size a larger one is no news: a crash came
between publishing and noting it, and someone else brought the witness what readers saw.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ledger.errors import HomeError
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import parse_checkpoint
from ledger.tlog.merkle import prove_consistency
from ledger.tlog.note import parse_note
from ledger.witnessing.gathering import AHEAD
from ledger.witnessing.gathering import COSIGNED
from ledger.witnessing.gathering import DIFFERS
from ledger.witnessing.gathering import Outcome
from ledger.witnessing.gathering import gather
from ledger.witnessing.policies import read_policy

if TYPE_CHECKING:
    from ledger.home import Home
    from ledger.storage.base import Store
    from ledger.tlog.policy import Policy

SECONDS = 3.0
"""As long as a writer waits for witnesses at its start."""

DENIALS = frozenset({"behind-witness", "witness-differs"})
"""Codes by which a witness denies a log: it is not written any more."""

_log = logging.getLogger(__name__)


def check_seen(home: Home, store: Store, anchored: Checkpoint | None) -> None:
    """Refuse a home that a witness of its policy has seen more of.

    A witness that does not say what it saw is warned of. Nobody is asked where nothing
    has been signed under this log's name: there is nothing to ask with.

    Args:
        home: about to be written to.
        store: of the home; it holds what is anchored.
        anchored: the last checkpoint that this machine knows of.

    Raises:
        HomeError: `behind-witness`, `witness-differs`.
        LedgerError: as `read_policy`.
    """
    policy, signed = read_policy(home), store.checkpoint()
    if policy is None or signed is None or anchored is None:
        return
    last = parse_checkpoint(parse_note(signed).text)
    if last.origin != anchored.origin:
        return  # of the log that this one succeeds, whose witnesses may have more
    outcomes = ask_what_they_saw(policy, signed, store)
    silent = check_outcomes(outcomes, max(last.size, anchored.size))
    for name, outcome in silent.items():
        _log.warning(
            "witness %s does not say what it saw last: %s", name, outcome.message
        )


def ask_what_they_saw(
    policy: Policy, signed: str, store: Store, seconds: float = SECONDS
) -> dict[str, Outcome]:
    """Ask all witnesses at once, in one question each if they are up to date.

    Args:
        policy: names them.
        signed: a checkpoint of ours, with its signatures.
        store: holds its tree.
        seconds: after which no one is waited for.
    """
    size = parse_checkpoint(parse_note(signed).text).size
    return gather(
        policy,
        signed,
        lambda old_size: prove_consistency(old_size, size, store.nodes),
        known={each.name: size for each in policy.witnesses},
        seconds=seconds,
    ).outcomes


def check_outcomes(outcomes: Mapping[str, Outcome], size: int) -> dict[str, Outcome]:
    """Demand that no witness contradicts a log; give those that did not say.

    Args:
        outcomes: what the witnesses said, by their names.
        size: of the largest tree that is known to have been signed.

    Raises:
        HomeError: `behind-witness`, `witness-differs`.
    """
    silent = {}
    for name, outcome in outcomes.items():
        if outcome.code == DIFFERS:
            raise _differs(name, outcome)
        if outcome.code == AHEAD:
            if outcome.size is not None and outcome.size > size:
                raise _behind(name, outcome.size, size)
        elif outcome.code != COSIGNED:
            silent[name] = outcome
    return silent


def _behind(name: str, seen: int, size: int) -> HomeError:
    return HomeError(
        "behind-witness",
        f"witness {name} cosigned {seen} entries of this log, of which {size} are known"
        " here to have been signed",
        hint="stop whatever else writes to this log, then 'linernote restore --from"
        " PLACE', where PLACE has them all; if there is none, begin a log that succeeds"
        " this one (ledger/docs/operations.md)",
    )


def _differs(name: str, outcome: Outcome) -> HomeError:
    return HomeError(
        "witness-differs",
        f"witness {name} cosigned another history of this log: {outcome.message}",
        hint="write nothing: keep the home, and compare it with what readers and the"
        " witness hold; one of them shows another history",
    )
