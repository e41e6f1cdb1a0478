"""Receipts: proofs that meet the policy of the home (C2SP tlog-proof, tlog-policy).

    home/policy               which witnesses have to have cosigned; it may be missing
    home/public/checkpoint    signed by the log, with the cosignatures gathered so far

Where there is no policy, the log's own signature will do. Entries are durable before
anybody asks for a receipt, so a receipt that is late is no more than that.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ledger.errors import VerificationError
from ledger.query import Reader
from ledger.tlog.checkpoint import parse_checkpoint
from ledger.tlog.note import parse_note
from ledger.tlog.policy import check_policy
from ledger.witnessing import read_policy
from ledger.witnessing.policies import FILE_NAME

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable

    from ledger.home import Home
    from ledger.tlog.policy import Policy

LOOK_AGAIN_SECONDS = 0.1


def check_obtainable(home: Home) -> None:
    """Refuse a policy by which no receipt of this log can ever be had.

    Whoever wants one is told before anything is appended.

    Raises:
        LedgerError: as `read_policy`.
        InputError: `no-log-in-policy`, `ambiguous-keys`.
        VerificationError: `not-signed`.
    """
    policy = read_policy(home)
    if policy is None:
        return
    try:
        check_policy(policy, (home.public / "checkpoint").read_text(encoding="utf-8"))
    except VerificationError as error:
        if error.code == "not-signed":
            raise VerificationError(
                error.code,
                f"{home.path / FILE_NAME} believes no key of this log: {error.message}",
                hint="give it a line 'log VKEY', with what 'linernote vkey' says",
            ) from None


def receipts(
    home: Home,
    indexes: Iterable[int],
    wait_published: Callable[[int, float], object],
    seconds: float,
) -> dict[int, str]:
    """Make the receipts of entries, waiting for them for a while.

    Args:
        home: of the log.
        indexes: of entries that are there.
        wait_published: waits until a checkpoint covers an index, or so many seconds.
        seconds: to wait in all; those that come later are left out.

    Returns:
        Index to the text of a `.tlog-proof`.
    """
    wanted = set(indexes)
    deadline = time.monotonic() + seconds
    wait_published(max(wanted), seconds)
    policy = read_policy(home)
    while True:
        text = (home.public / "checkpoint").read_text(encoding="utf-8")
        if _meets(policy, text):
            size = parse_checkpoint(parse_note(text).text).size
            covered = sorted(index for index in wanted if index < size)
            if len(covered) == len(wanted) or time.monotonic() > deadline:
                with Reader.open(home.path) as reader:
                    return {index: reader.prove(index, text) for index in covered}
        if time.monotonic() > deadline:
            return {}
        time.sleep(LOOK_AGAIN_SECONDS)


def _meets(policy: Policy | None, text: str) -> bool:
    if policy is None:
        return True
    try:
        check_policy(policy, text)
    except VerificationError:
        return False
    return True
