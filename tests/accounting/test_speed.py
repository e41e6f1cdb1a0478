"""Hot loops stay plain and quick.

Bounds are several times what was measured (0.1 to 0.25 s; 1.5 s), on CPU time, so
that only a change of the order of growth fails, never a busy machine.
"""

from __future__ import annotations

from time import process_time

import pytest

from ledger.accounting.allocation import largest_remainder
from ledger.accounting.tree import Basis
from ledger.accounting.tree import Cell
from ledger.accounting.tree import Share
from ledger.accounting.tree import ShareTable
from ledger.accounting.tree import distribute

PARTIES = [number.to_bytes(16, "big") for number in range(1, 2_001)]


@pytest.mark.parametrize("basis", ["per_recording", "duration", "per_holder"])
def test_twenty_thousand_recordings_take_a_moment(basis: Basis) -> None:
    """One party a recording, 2,000 of them verified."""
    cells = [
        Cell(
            recording=f"example:{number:07}",
            side="master",
            weight=1 + number % 7 if basis == "duration" else 1,
            works=(),
            tables=(ShareTable("", (Share(PARTIES[number % 2_000], 1_000_000),)),),
        )
        for number in range(20_000)
    ]
    began = process_time()
    split = distribute(10**12, (0, 1, 0), {"master": cells}, basis, bytes.hex)
    assert process_time() - began < 1.5
    assert len(split.lines) == 20_000


def test_two_hundred_thousand_parts_take_a_moment() -> None:
    """Distinct remainders, so that nothing is gained by ties."""
    weights = [(number * 7_919) % 1_000_003 for number in range(200_000)]
    keys = [f"example:{number:07}" for number in range(200_000)]
    began = process_time()
    allocation = largest_remainder(10**15, weights, keys)
    assert process_time() - began < 2
    assert sum(allocation.amounts) == 10**15
