"""What a party was credited and paid over time: sums that only ever grow.

Balances are bounded by the money that is there, sums over time are not: a party
may be credited and paid the same money again and again. They stay within 64 bits
like every amount, since an entry that would take one beyond is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.accounting.money import check_amount
from ledger.replay.rows import CreditRow

if TYPE_CHECKING:
    from ledger.replay.outcome import Put
    from ledger.replay.state import State


def add_credit(
    state: State, party: bytes, currency: str, *, credited: int = 0, paid: int = 0
) -> Put:
    """Add to what a party was credited or paid, in µ; negative takes it back.

    Raises:
        InputError: `amount-too-large`.
    """
    key = (party, currency)
    known = state.credits.get(key) or CreditRow(0, 0)
    row = CreditRow(known.credited + credited, known.paid + paid)
    check_amount(row.credited)
    check_amount(row.paid)
    return state.credits, key, row
