"""Basis per_holder (money.md §2)."""

from __future__ import annotations

import pytest

from ledger.accounting.allocation import share_of
from ledger.accounting.cells import UNKNOWN
from ledger.accounting.cells import Cell
from ledger.accounting.cells import Share
from ledger.accounting.cells import ShareTable
from ledger.accounting.holders import ByHolder
from ledger.accounting.holders import HeadKey
from ledger.accounting.holders import divide_by_holder
from ledger.errors import InputError

A, B, C = b"a" * 16, b"b" * 16, b"c" * 16


def table(work: str, *shares: tuple[bytes, int]) -> ShareTable:
    return ShareTable(work, tuple(Share(party, ppm) for party, ppm in shares))


def master(number: int, *shares: tuple[bytes, int]) -> Cell:
    return Cell(f"example:{number}", "master", 1, (), (table("", *shares),))


def only(*parties: bytes) -> HeadKey:
    return lambda party: party.hex() if party in parties else None


def sums(divided: ByHolder) -> dict[bytes, int]:
    """What each party gets over all of its recordings."""
    result: dict[bytes, int] = {}
    for _, _, party, amount in divided.amounts:
        result[party] = result.get(party, 0) + amount
    return result


def test_invented_heads_lift_nothing() -> None:
    """money.md §2: ten of them make 909.09 of 500.00 if all heads count alike."""
    honest, *invented = [bytes([number]) * 16 for number in range(1, 12)]
    shares = [(party, 100_000) for party in invented]
    cells = [master(1, (honest, 1_000_000)), master(2, *shares)]
    lifted = sums(divide_by_holder(1_000_000_000, cells, bytes.hex))
    assert sum(lifted[party] for party in invented) // 10_000 == 90_909
    guarded = sums(divide_by_holder(1_000_000_000, cells, only(honest)))
    assert guarded == {honest: 500_000_000, UNKNOWN: 500_000_000}


def test_one_invented_head_beside_the_true_one_adds_nothing() -> None:
    """Splitting off shares to unverified parties only loses them to suspense."""
    cells = [master(1, (A, 1_000_000)), master(2, (B, 400_000), (C, 600_000))]
    guarded = sums(divide_by_holder(1_000_000, cells, only(A, B)))
    assert guarded == {A: 350_000, B: 350_000, UNKNOWN: 300_000}


def test_heads_are_equal_whatever_they_hold() -> None:
    """A's three recordings and B's tenth of one bring the same sum."""
    cells = [
        *[master(number, (A, 1_000_000)) for number in (1, 2, 3)],
        master(4, (B, 100_000), (A, 900_000)),
    ]
    divided = divide_by_holder(4_000_000, cells, only(A, B))
    assert sums(divided) == {A: 2_000_000, B: 2_000_000}
    of_a = [amount for _, _, party, amount in divided.amounts if party == A]
    # 2,000,000 by 1,000,000 : 1,000,000 : 1,000,000 : 900,000, by hand.
    assert of_a == [512_821, 512_821, 512_820, 461_538]


def test_ties_of_heads_go_by_external_id() -> None:
    """1 µ among equals goes to the lowest external id, not to the lowest party id."""
    cells = [master(1, (A, 500_000), (B, 500_000))]
    keys = {A: "ipi:2", B: "ipi:1"}
    assert sums(divide_by_holder(1, cells, keys.get)) == {A: 0, B: 1}
    keys = {A: "ipi:2", B: "ipi:3"}
    assert sums(divide_by_holder(1, cells, keys.get)) == {A: 1, B: 0}


def test_ties_of_verified_and_other_favour_the_verified() -> None:
    """Verified is place 0."""
    cells = [master(1, (A, 500_000), (B, 500_000))]
    assert sums(divide_by_holder(1, cells, only(B))) == {B: 1, UNKNOWN: 0}


def test_waiting_money_is_one_line_a_recording() -> None:
    """Unknown and unverified wait together, by what they hold of each recording."""
    cells = [
        master(1, (A, 200_000), (UNKNOWN, 300_000), (B, 500_000)),
        master(2, (A, 1_000_000)),
        master(3, (C, 800_000), (A, 200_000)),
    ]
    divided = divide_by_holder(3_000_000, cells, only(A))
    assert divided.amounts == [
        ("example:1", "", A, 200_000),
        ("example:2", "", A, 1_000_000),
        ("example:3", "", A, 200_000),
        ("example:1", "", UNKNOWN, 800_000),
        ("example:3", "", UNKNOWN, 800_000),
    ]
    assert [stage for stage, _ in divided.nodes] == ["verified", "head", "other"]
    # Published weights are ppm: 10⁶ a recording of this side.
    assert [node.weight for _, node in divided.nodes] == [3_000_000, 1, 1_600_000]


def test_composition_mass_is_work_times_share() -> None:
    """B holds half of a work that is 60% of the recording: 300,000 of 10⁶."""
    cell = Cell(
        "example:1",
        "composition",
        1,
        (("work:1", 600_000), ("work:2", 400_000)),
        (
            table("work:1", (B, 500_000), (C, 500_000)),
            table("work:2", (A, 1_000_000)),
        ),
    )
    divided = divide_by_holder(1_000_000, [cell], only(B))
    assert divided.nodes[0][1].weight == 10**12
    assert sums(divided) == {B: 300_000, UNKNOWN: 700_000}


def test_a_head_in_two_works_is_paid_in_both() -> None:
    """First over recordings, then over works by mass; places of one work are one."""
    cell = Cell(
        "example:1",
        "composition",
        1,
        (("work:2", 600_000), ("work:1", 400_000)),
        (
            table("work:1", (A, 1_000_000)),
            table("work:2", (A, 250_000), (B, 500_000), (A, 250_000)),
        ),
    )
    divided = divide_by_holder(1_000, [cell], only(A, B))
    # A's half, 500, by masses 300,000 (work:2) and 400,000 (work:1), by hand.
    assert divided.amounts == [
        ("example:1", "work:2", A, 214),
        ("example:1", "work:1", A, 286),
        ("example:1", "work:2", B, 500),
    ]


def test_a_share_of_zero_makes_no_head() -> None:
    """Nor does it make a recording wait."""
    cells = [master(1, (A, 1_000_000), (B, 0), (C, 0))]
    divided = divide_by_holder(1_000, cells, only(A, B))
    assert divided.amounts == [("example:1", "", A, 1_000)]
    assert [stage for stage, _ in divided.nodes] == ["verified", "head"]


def test_without_any_head_all_waits() -> None:
    """Nothing is lost, and there is no head node to publish."""
    divided = divide_by_holder(1_000, [master(1, (A, 1_000_000))], only())
    assert divided.amounts == [("example:1", "", UNKNOWN, 1_000)]
    assert [stage for stage, _ in divided.nodes] == ["verified", "other"]


def test_two_parties_of_one_key_are_refused() -> None:
    """Paid as two heads, a double would be the invented head once more."""
    cells = [master(1, (A, 500_000), (B, 500_000))]
    with pytest.raises(InputError) as caught:
        divide_by_holder(1_000, cells, lambda _: "ipi:1")
    assert caught.value.code == "head-doubled"
    assert "ipi:1" in caught.value.message


def test_published_nodes_give_each_head_its_sum() -> None:
    """A head's part follows from the head node alone."""
    cells = [
        master(number, (bytes([number]) * 16, 1_000_000)) for number in range(1, 8)
    ]
    divided = divide_by_holder(100, cells, bytes.hex)
    head = dict(divided.nodes)["head"]
    for party, amount in sums(divided).items():
        assert share_of(head, 1, party.hex()) == amount
