"""What holds after every entry, whatever was said."""

from __future__ import annotations

from collections import defaultdict

from ledger.accounting.money import AMOUNT_MAX
from ledger.replay import State


def check_books(state: State) -> None:
    """Books balance, and what is in the accounts is in their control accounts."""
    check_general(state)
    controls: dict[tuple[bytes, str, str, str], int] = defaultdict(int)
    for (society, class_, type_, _, currency), amount in state.accounts.items():
        assert 0 < abs(amount) <= AMOUNT_MAX
        controls[society, class_, type_, currency] += amount
    assert {key: sum_ for key, sum_ in controls.items() if sum_} == dict(
        state.general.items()
    )


def check_general(state: State) -> None:
    """The general ledger adds up to nothing for each society and currency."""
    sums: dict[tuple[bytes, str], int] = defaultdict(int)
    for (society, _, type_, currency), amount in state.general.items():
        assert 0 < abs(amount) <= AMOUNT_MAX
        assert type_ != "trust" or amount > 0
        sums[society, currency] += amount
    assert not any(sums.values()), dict(sums)


def check_credits(state: State) -> None:
    """What parties were credited and not yet paid is what is payable to them."""
    owed: dict[tuple[bytes | tuple[str, str], str], int] = defaultdict(int)
    for (_, _, type_, subject, currency), amount in state.accounts.items():
        if type_ == "payable":
            owed[subject, currency] -= amount
    for (party, currency), row in state.credits.items():
        assert row.credited - row.paid == owed.pop((party, currency), 0)
    assert not any(owed.values())
