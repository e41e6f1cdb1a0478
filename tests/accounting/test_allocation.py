"""Largest remainder, rule alloc/1 (money.md §2)."""

from __future__ import annotations

from itertools import product
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.accounting.allocation import WEIGHT_MAX
from ledger.accounting.allocation import Node
from ledger.accounting.allocation import apportion
from ledger.accounting.allocation import check_share
from ledger.accounting.allocation import largest_remainder
from ledger.accounting.allocation import share_of
from ledger.errors import InputError
from ledger.errors import InvariantError
from ledger.errors import VerificationError
from tests.accounting import reference

totals = st.integers(1 - 2**63, 2**63 - 1) | st.integers(-30, 30)
weight_lists = st.lists(
    st.integers(0, 5) | st.integers(0, 2**40), min_size=1, max_size=12
).filter(any)


def keys_for(weights: list[int]) -> list[str]:
    """Ascending string keys, some of them prefixes of the next."""
    return [f"{number:02}{'x' * (number % 3)}" for number in range(len(weights))]


def test_every_small_allocation_equals_the_definition() -> None:
    """All weights 0 to 3 in up to 4 parts, all totals −9 to 9: sums, parts, nodes."""
    for size in range(1, 5):
        for weights in product(range(4), repeat=size):
            if not any(weights):
                continue
            for total in range(-9, 10):
                allocation = largest_remainder(total, weights, range(size))
                assert allocation.amounts == reference.divide(total, weights)
                assert sum(allocation.amounts) == total
                for key, (weight, amount) in enumerate(
                    zip(weights, allocation.amounts, strict=True)
                ):
                    check_share(allocation.node, weight, key, amount)


@given(totals, weight_lists)
def test_parts_equal_the_definition(total: int, weights: list[int]) -> None:
    """Ranking exact fractions gives the same parts, and they add up to the total."""
    allocation = largest_remainder(total, weights, keys_for(weights))
    assert allocation.amounts == reference.divide(total, weights)
    assert allocation.amounts == apportion(total, weights)
    assert sum(allocation.amounts) == total


@given(totals, weight_lists)
def test_every_part_is_checked_alone(total: int, weights: list[int]) -> None:
    """The published node accepts each part, and none that is off by one."""
    keys = keys_for(weights)
    allocation = largest_remainder(total, weights, keys)
    node = allocation.node
    assert (node.total, node.weight) == (total, sum(weights))
    for weight, key, amount in zip(weights, keys, allocation.amounts, strict=True):
        assert share_of(node, weight, key) == amount
        check_share(node, weight, key, amount)
        for wrong in (amount - 1, amount + 1):
            with pytest.raises(VerificationError) as caught:
                check_share(node, weight, key, wrong)
            assert caught.value.code == "bad-allocation"


@given(totals, weight_lists)
def test_published_numbers_are_those_of_the_rule(
    total: int, weights: list[int]
) -> None:
    """K is what the floors leave; t and key* are those of the last part rounded up."""
    keys = keys_for(weights)
    node = largest_remainder(total, weights, keys).node
    whole = sum(weights)
    ranked = sorted(
        zip(weights, keys, strict=True),
        key=lambda part: (-(abs(total) * part[0] % whole), part[1]),
    )
    floors = sum(abs(total) * weight // whole for weight in weights)
    assert node.extra == abs(total) - floors
    if node.extra == 0:
        assert (node.threshold, node.key) == (whole, "")
    else:
        weight, key = ranked[node.extra - 1]
        assert (node.threshold, node.key) == (abs(total) * weight % whole, key)


@given(totals, weight_lists)
def test_greater_weights_get_no_less(total: int, weights: list[int]) -> None:
    """Within one node parts follow weights; equals differ by at most 1 µ, in order."""
    amounts = apportion(abs(total), weights)
    parts = list(zip(weights, amounts, strict=True))
    for place, (weight, amount) in enumerate(parts):
        assert amount > 0 or weight == 0 or abs(total) < sum(weights)
        if weight == 0:
            assert amount == 0
        for other_weight, other in parts[place + 1 :]:
            if weight > other_weight:
                assert amount >= other
            elif weight == other_weight:
                assert 0 <= amount - other <= 1


@given(totals, weight_lists, st.integers(2, 1_000))
def test_only_the_ratio_of_weights_counts(
    total: int, weights: list[int], factor: int
) -> None:
    """Finer units of weight move nothing."""
    assert apportion(total, [each * factor for each in weights]) == apportion(
        total, weights
    )


@given(totals, weight_lists)
def test_a_negative_total_is_the_negative(total: int, weights: list[int]) -> None:
    """A reversal takes from every part exactly what it gave."""
    given_ = apportion(total, weights)
    assert apportion(-total, weights) == [-amount for amount in given_]


def test_medley_of_two_works() -> None:
    """money.md §2: 50.256307 by 600,000/400,000."""
    assert apportion(50_256_307, [600_000, 400_000]) == [30_153_784, 20_102_523]


def test_equal_weights_favour_the_lowest_keys() -> None:
    """money.md §2: 1,000,000.00 over 9,949, of which 3,314 get the last micro-unit."""
    keys = [f"jamendo:track_{number:07}" for number in range(9_949)]
    allocation = largest_remainder(1_000_000_000_000, [1] * 9_949, keys)
    assert allocation.amounts == [100_512_615] * 3_314 + [100_512_614] * 6_635
    assert allocation.node == Node(
        extra=3_314,
        key=keys[3_313],
        threshold=3_314,
        total=1_000_000_000_000,
        weight=9_949,
    )


def test_a_growing_total_can_take_from_a_part() -> None:
    """The Alabama paradox, which is why only closed pools are divided like this."""
    assert apportion(10, [6, 6, 2]) == [4, 4, 2]
    assert apportion(11, [6, 6, 2]) == [5, 5, 1]


def test_keys_ascend_by_utf8_bytes() -> None:
    """Not by UTF-16 units and not by letters: Z < a < é < U+FF5E < U+1D11E."""
    keys = ["Z", "a", "é", "～", "𝄞"]  # noqa: RUF001
    assert keys == sorted(keys, key=str.encode)
    node = largest_remainder(13, [1] * 5, keys).node
    assert (node.extra, node.key) == (3, "é")
    assert [share_of(node, 1, key) for key in keys] == [3, 3, 3, 2, 2]


def test_the_bound_of_weights_is_exact() -> None:
    """W < 2⁶³; products beyond 64 bits stay exact."""
    edge = [WEIGHT_MAX - 1, 1]
    assert apportion(2**63 - 1, edge) == [2**63 - 2, 1]
    for weights in ([WEIGHT_MAX, 1], [WEIGHT_MAX + 1]):
        with pytest.raises(InputError) as caught:
            apportion(1, weights)
        assert caught.value.code == "weights-too-large"


@pytest.mark.parametrize("weights", [[1], [1, 1]])
@pytest.mark.parametrize("total", [2**63, -(2**63)])
def test_the_bound_of_totals_is_exact(total: int, weights: list[int]) -> None:
    """|T| < 2⁶³, however few the parts are."""
    with pytest.raises(InputError) as caught:
        apportion(total, weights)
    assert caught.value.code == "amount-too-large"


@pytest.mark.parametrize("weights", [[], [0], [0, 0], [-1], [2, -1], [-1, -2, 5]])
def test_weights_that_no_caller_may_pass(weights: list[int]) -> None:
    """W = 0 is the caller's decision, and a negative weight nobody's."""
    with pytest.raises(InvariantError):
        largest_remainder(5, weights, range(len(weights)))


@pytest.mark.parametrize(
    "keys", [["a"], ["a", "b", "c"], ["b", "a"], ["a", "a"], [2, 1], [0, 0]]
)
def test_keys_are_one_a_weight_and_ascend(keys: Any) -> None:  # noqa: ANN401
    """Canonical order is the caller's promise, checked."""
    with pytest.raises(InvariantError):
        largest_remainder(5, [1, 1], keys)


NODE = Node(extra=2, key="b", threshold=2, total=11, weight=3)
NONE = Node(extra=0, key="", threshold=3, total=9, weight=3)


@pytest.mark.parametrize(
    "changes",
    [
        {"extra": 0},
        {"extra": -1},
        {"key": ""},
        {"threshold": 3},
        {"threshold": 4},
        {"threshold": -1},
        {"weight": 0},
        {"weight": -3},
        {"weight": 1},
        {"key": 7},
    ],
)
def test_impossible_nodes_are_refused(changes: dict[str, Any]) -> None:
    """A stranger's node is checked before it is believed, and is never a TypeError."""
    check_share(NODE, 1, "b", 4)
    with pytest.raises(VerificationError) as caught:
        check_share(msgspec.structs.replace(NODE, **changes), 1, "b", 4)
    assert caught.value.code == "bad-allocation"


@pytest.mark.parametrize("changes", [{"key": "a"}, {"threshold": 2}, {"extra": 1}])
def test_a_node_without_extra_has_no_key(changes: dict[str, Any]) -> None:
    """K = 0 has one spelling: t = W and an empty key."""
    check_share(NONE, 1, "a", 3)
    with pytest.raises(VerificationError):
        check_share(msgspec.structs.replace(NONE, **changes), 1, "a", 3)


def test_integer_keys_tie_by_value() -> None:
    """Place 10 is after place 9, which as text it would not be."""
    allocation = largest_remainder(21, [1] * 11, range(11))
    assert allocation.amounts == [2] * 10 + [1]
    assert allocation.node.key == 9
    assert share_of(allocation.node, 1, 10) == 1
    with pytest.raises(VerificationError, match="kind"):
        share_of(allocation.node, 1, "9")


@pytest.mark.parametrize("weight", [-1, 4])
def test_a_part_outside_its_node_is_refused(weight: int) -> None:
    """No part weighs less than nothing or more than all."""
    with pytest.raises(VerificationError, match="outside"):
        share_of(NODE, weight, "b")
