"""How everything is called in plain words: parties, amounts, days, shares, counts.

>>> percent(96_000), counted(9_949, "recording"), listed(["a", "b", "c"])
('9.6%', '9,949 recordings', 'a, b and c')
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta

from ledger.accounting.money import format_amount
from ledger.events.types import PPM
from ledger.names import Names
from ledger.replay.state import State

EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


class Words:
    """How parties, amounts and days are called.

    Args:
        state: of the log, for what entries point at.
        names: the side store.
    """

    def __init__(self, state: State, names: Names) -> None:
        self.state = state
        self.names = names

    def external(self, party: bytes) -> str:
        """Give a party's external id, or nothing."""
        row = self.state.parties.get(party) or self.state.holders.get(party)
        return row.external if row is not None else ""

    def party(self, party: bytes) -> str:
        """Name a party."""
        return self.names.party(party, self.external(party))

    def recording(self, external: str) -> str:
        """Name a recording."""
        return self.names.recording(external)

    def exponent(self, currency: str) -> int:
        """Decimals of a currency; of one that the log does not count, two."""
        exponent = self.state.currencies.get(currency)
        return 2 if exponent is None else exponent

    def amount(self, micro: int, currency: str) -> str:
        """Write an amount with its currency, exactly."""
        return f"{currency} {format_amount(micro, self.exponent(currency))}"

    def lab_of(self, licence: int) -> str:
        """Name the lab of a licence."""
        row = self.state.licences.get(licence)
        return "a lab" if row is None else self.party(row.lab)


def day_words(day: int) -> str:
    """Write a log day as a date.

    >>> day_words(20_440), day_words(10_000_000)
    ('2025-12-18', 'day 10000000')
    """
    ordinal = EPOCH_ORDINAL + day
    if not 1 <= ordinal <= date.max.toordinal():
        return f"day {day}"
    return date.fromordinal(ordinal).isoformat()


def percent(ppm: int) -> str:
    """Write parts per million as a percentage, exactly.

    >>> percent(96_000), percent(333_333), percent(1_000_000)
    ('9.6%', '33.3333%', '100%')
    """
    whole, rest = divmod(ppm, PPM // 100)
    decimals = f".{rest:04}".rstrip("0") if rest else ""
    return f"{whole}{decimals}%"


def counted(number: int, singular: str, plural: str = "") -> str:
    """Count things.

    >>> counted(1, "recording"), counted(9_949, "recording")
    ('1 recording', '9,949 recordings')
    """
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def listed(items: Sequence[str]) -> str:
    """Join with commas and a last *and*.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    if len(items) < 2:  # noqa: PLR2004 (nothing to join)
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def moment(time_ms: int) -> str:
    """Write a time, in UTC to the second.

    >>> moment(1_764_000_000_000)
    '2025-11-24 16:00:00 UTC'
    """
    try:
        time = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=time_ms)
    except OverflowError:
        return f"{time_ms} ms after 1970"
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"
