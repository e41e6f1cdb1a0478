"""How old is what a log shows, by whom it cannot choose to believe.

    with a policy    the newest time at which its quorum had cosigned
    without          the newest entry's, by the log's own word

A time that is still to come says nothing but that somebody lies, or has a wrong clock:
it is an alarm, and makes nothing younger.

>>> stale(0, 3_600_000, 7_200_000)
>>> stale(0, 7_200_001, 7_200_000).code
'stale-checkpoint'
>>> ahead("entry 7", 400_000, 0).code, ahead("entry 7", 300_000, 0)
('time-ahead', None)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.errors import VerificationError
from ledger.replay.chain import CLOCK_SKEW_MS
from ledger.tlog.cosignature import cosignature_time
from ledger.tlog.note import open_note
from ledger.tlog.note import parse_note
from ledger.tlog.policy import check_quorum

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ledger.tlog.policy import Policy

_NEVER_MS = 0


def cosigned_ms(policy: Policy, note: str) -> dict[str, int]:
    """Give when each witness of a policy cosigned last, ms since 1970, by its name.

    Args:
        policy: whom to believe.
        note: a checkpoint; a cosignature on it that does not hold makes them all void.
    """
    vkeys = {each.vkey: each.name for each in policy.witnesses}
    try:
        verified = open_note(note, list(vkeys)).verified
    except VerificationError:
        return {}
    named = {(vkey.name, vkey.key_id): vkeys[vkey] for vkey in verified}
    times: dict[str, int] = {}
    for each in parse_note(note).signatures:
        name = named.get((each.name, each.key_id))
        if name is not None:
            time_ms = cosignature_time(each) * 1_000
            times[name] = max(time_ms, times.get(name, _NEVER_MS))
    return times


def quorum_ms(policy: Policy, times: Mapping[str, int]) -> int:
    """Give the newest time at which or after which enough witnesses cosigned.

    Args:
        policy: whose quorum it takes.
        times: as `cosigned_ms`.

    Returns:
        Milliseconds since 1970; 0 if they are not enough.
    """
    for time_ms in sorted({*times.values()}, reverse=True):
        names = [name for name, each in times.items() if each >= time_ms]
        try:
            check_quorum(policy, names)
        except VerificationError:
            continue
        return time_ms
    return _NEVER_MS


def is_ahead(time_ms: int, now_ms: int) -> bool:
    """Tell whether a time is still to come, more than clocks may differ."""
    return time_ms > now_ms + CLOCK_SKEW_MS


def ahead(what: str, time_ms: int, now_ms: int) -> VerificationError | None:
    """Judge a time that somebody signed, against this machine's clock."""
    if not is_ahead(time_ms, now_ms):
        return None
    return VerificationError(
        "time-ahead",
        f"{what} is {(time_ms - now_ms) // 60_000:,} minutes ahead of the clock here",
        hint="if this machine's clock is right, whoever signed that time lies",
    )


def stale(newest_ms: int, now_ms: int, limit_ms: int) -> VerificationError | None:
    """Judge the age of what a log says.

    Args:
        newest_ms: when it last was the newest, ms since 1970; 0 for never.
        now_ms: by this machine's clock.
        limit_ms: how old it may become.
    """
    age_ms = now_ms - newest_ms
    if age_ms <= limit_ms:
        return None
    minutes, seconds = divmod(age_ms // 1_000, 60)
    age = f"{minutes:,} minutes" if minutes > 1 else f"{minutes * 60 + seconds} seconds"
    shown = f"the newest thing that the log shows is {age} old"
    if newest_ms == _NEVER_MS:
        shown = "enough witnesses never cosigned what the log shows"
    return VerificationError(
        "stale-checkpoint",
        shown,
        hint="ask the operator; another reader may be shown something newer",
    )
