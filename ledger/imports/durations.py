"""Durations in the units that catalogues have them in, as milliseconds.

    s       212.7       seconds, decimals after a point
    ms      212700      milliseconds
    clock   3:32.7      minutes and seconds, or hours, minutes and seconds

Numbers are read digit by digit: 212.7 s are 212,700 ms, not what the nearest floating
point number would make of them. What is finer than a millisecond is cut, and noted.

>>> parse_seconds("212.7"), parse_clock("1:02:03.5")
(212700, 3723500)
>>> parse_milliseconds("-1")
Traceback (most recent call last):
ledger.errors.InputError: '-1' is not more than zero
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from ledger.errors import InputError
from ledger.tlog.text import excerpt

DURATION_MS_MAX = 24 * 60 * 60 * 1000
"""A day: what is longer was most likely written in another unit."""

Note = Callable[[str, str], object]
"""Is told code and reason of what was mended."""

_SEXAGESIMAL = 60
_DECIMALS = 3  # of a second in milliseconds
_seconds = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,18}))?\Z").match
_milliseconds = re.compile(r"([0-9]{1,15})(?:\.0+)?\Z").match
_clock = re.compile(
    r"(?:([0-9]{1,6}):)??([0-9]{1,9}):([0-5]?[0-9])(?:\.([0-9]{1,18}))?\Z"
).match


def parse_seconds(cell: str, note: Note | None = None) -> int | None:
    """Parse a duration in seconds as milliseconds; an empty cell has none.

    Raises:
        InputError: ``bad-duration``, ``duration-not-positive``, ``duration-too-long``.
    """
    found = _seconds(cell)
    if found is None:
        return _other_duration(cell, partial(parse_seconds, note=note), "212.7")
    seconds, decimals = found.groups("")
    return _milliseconds_of(seconds, decimals, cell, note)


def parse_milliseconds(cell: str, note: Note | None = None) -> int | None:
    """Parse a duration in milliseconds; as ``parse_seconds``."""
    found = _milliseconds(cell)
    if found is None:
        return _other_duration(cell, partial(parse_milliseconds, note=note), "212700")
    ms = int(found[1])
    if 0 < ms <= DURATION_MS_MAX:
        return ms
    raise _out_of_range(ms, cell)


def parse_clock(cell: str, note: Note | None = None) -> int | None:
    """Parse minutes:seconds or hours:minutes:seconds; as ``parse_seconds``."""
    found = _clock(cell)
    if found is None or (found[1] is not None and int(found[2]) >= _SEXAGESIMAL):
        return _other_duration(cell, partial(parse_clock, note=note), "3:32.7")
    seconds = int(found[1] or 0) * 3600 + int(found[2]) * 60 + int(found[3])
    return _milliseconds_of(str(seconds), found[4] or "", cell, note)


def _milliseconds_of(seconds: str, decimals: str, cell: str, note: Note | None) -> int:
    ms = int(seconds + (decimals + "000")[:_DECIMALS])
    if (
        len(decimals) > _DECIMALS
        and note is not None
        and decimals[_DECIMALS:].strip("0")
    ):
        note("duration-cut", f"{excerpt(cell)} was cut to milliseconds")
    if 0 < ms <= DURATION_MS_MAX:
        return ms
    raise _out_of_range(ms, cell)


def _other_duration(
    cell: str, parse: Callable[[str], int | None], example: str
) -> int | None:
    """Settle a duration that is not plainly one."""
    bare = cell.strip()
    if not bare:
        return None
    if bare != cell:
        return parse(bare)
    if bare.startswith(("-", "−")):
        raise _out_of_range(0, cell)
    raise InputError(
        "bad-duration",
        f"{excerpt(cell)} is not a duration",
        hint=f"write it as {example}, or say in which unit the column is",
    )


def _out_of_range(ms: int, cell: str) -> InputError:
    if ms > DURATION_MS_MAX:
        return InputError(
            "duration-too-long",
            f"{excerpt(cell)} is {ms:,} ms, more than a day",
            hint="the column is in another unit, most likely; else leave it empty",
        )
    return InputError(
        "duration-not-positive",
        f"{excerpt(cell)} is not more than zero",
        hint="leave the cell empty if the duration is not known",
    )
