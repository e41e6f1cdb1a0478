"""The order of lines: total, strict, and the same at once as pair by pair."""

from __future__ import annotations

from itertools import pairwise
from itertools import permutations
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.entry.canonical import Value
from ledger.entry.manifest import Line
from ledger.entry.manifest import check_order
from ledger.entry.manifest.order import ascends
from ledger.entry.manifest.order import check_fields
from ledger.entry.manifest.order import parse_order
from ledger.errors import FormatError

ASCENDING: list[tuple[str, list[Line]]] = [
    ("n", [{}, {"n": -5}, {"n": 0}, {"n": 9}, {"n": 10}, {"n": 2**63 - 1}]),
    ("s", [{}, {"s": "Z"}, {"s": "a"}, {"s": "aa"}, {"s": "b"}, {"s": "é"}]),
    ("s", [{"s": "z"}, {"s": "é"}, {"s": "￿"}, {"s": "😀"}]),
    ("b", [{}, {"b": b""}, {"b": b"\x00"}, {"b": b"\x00\x00"}, {"b": b"\xff"}]),
    ("a/b", [{}, {"b": 1}, {"a": 1}, {"a": 1, "b": 0}, {"a": 1, "b": 1}, {"a": 2}]),
    ("b/a", [{}, {"a": 1}, {"a": 2}, {"b": 1}, {"a": 1, "b": 1}]),
    ("a/b", [{"a": 1, "b": "x"}, {"a": 2, "b": 1}, {"a": 3, "b": b""}]),
]


@pytest.mark.parametrize(("order", "lines"), ASCENDING, ids=repr)
def test_lines_ascend_by_the_fields_in_turn(order: str, lines: list[Line]) -> None:
    """Of any two of these lines the earlier comes first, never the other way."""
    for (i, before), (j, after) in permutations(enumerate(lines), 2):
        if i < j:
            check_order(order, before, after)
        else:
            with pytest.raises(FormatError) as caught:
                check_order(order, before, after)
            assert caught.value.code == "manifest-lines-unordered"


def test_other_fields_do_not_count() -> None:
    """Lines that differ in other fields only are one line twice."""
    with pytest.raises(FormatError) as caught:
        check_order("a/b", {"a": 1, "c": 1}, {"a": 1, "c": 2})
    assert caught.value.code == "manifest-line-doubled"
    with pytest.raises(FormatError) as caught:
        check_order("a/b", {"c": 1}, {"c": 2})
    assert caught.value.code == "manifest-line-doubled"


def test_no_order_asks_for_nothing() -> None:
    """Without an order, lines may stand anyhow, and twice."""
    check_order("", {"a": 2}, {"a": 1})
    check_order("", {"a": 1}, {"a": 1})
    check_order("", {"a": True}, {"a": []})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"a": 1}, {"a": "1"}),
        ({"a": "1"}, {"a": 2}),
        ({"a": "a"}, {"a": b"b"}),
        ({"a": False}, {"a": True}),
        ({"a": 0}, {"a": True}),
        ({"a": False}, {"a": 1}),
        ({}, {"a": True}),
        ({"a": True}, {"a": 1}),
        ({"a": []}, {"a": [1]}),
        ({"a": {}}, {"a": {"b": 1}}),
        ({"a": 1, "b": []}, {"a": 2, "b": []}),
        ({"a": 1}, {"a": 2, "b": True}),
    ],
)
def test_what_has_no_order_is_refused(before: Line, after: Line) -> None:
    """Types don't mix where they decide, and some have no order at all."""
    with pytest.raises(FormatError) as caught:
        check_order("a/b", before, after)
    assert caught.value.code == "manifest-lines-unordered"


@pytest.mark.parametrize(
    "order",
    ["/", "a/", "/a", "a//b", "a/a", "A", "a b", "a\n", "é", "a" * 65, "a:b"],
)
def test_an_order_is_names_joined_by_slashes(order: str) -> None:
    """Empty, doubled and outlandish names are refused."""
    for refuse in (
        lambda: parse_order(order),
        lambda: check_order(order, {"a": 1}, {"a": 2}),
    ):
        with pytest.raises(FormatError) as caught:
            refuse()
        assert caught.value.code == "bad-order"


def test_an_order_is_a_string_of_the_format() -> None:
    """Names add up to no more than a string may have."""
    names = [*(f"{number:063d}" for number in range(15)), "n" * 64]
    assert len("/".join(names)) == 1024
    assert parse_order("/".join(names)) == tuple(names)
    with pytest.raises(FormatError):
        parse_order("/".join([*names[:-1], "n" * 63, "n"]))
    assert parse_order("") == ()


VALUES: list[Value] = [0, 1, -1, "a", "b", b"a", b"", True, []]
LINES: list[Line] = [
    {name: value for name, value in (("a", one), ("b", two)) if value is not None}
    for one, two in product([None, *VALUES[:6]], [None, *VALUES])
]


@given(st.lists(st.sampled_from(LINES), max_size=6))
def test_at_once_never_says_yes_to_what_pairs_refuse(lines: list[Line]) -> None:
    """The fast verdict is right whenever it is yes; no leaves it to the pairs."""
    for names in (["a"], ["b"], ["a", "b"]):
        if ascends(names, lines):
            assert _pairs_ascend(names, lines)


@given(st.lists(st.integers(0, 40), max_size=8), st.booleans())
def test_at_once_settles_the_common_case(numbers: list[int], absent: bool) -> None:  # noqa: FBT001
    """For lines of one type, absent or not, the fast verdict is the verdict."""
    lines: list[Line] = [{"a": f"{number:02d}"} for number in numbers]
    lines = [{}, *lines] if absent else lines
    if lines:
        assert ascends(["a"], lines) == _pairs_ascend(["a"], lines)
        named: list[Line] = [{**line, "b": 1} for line in lines]
        assert ascends(["b", "a"], named) == _pairs_ascend(["b", "a"], named)


def _pairs_ascend(names: list[str], lines: list[Line]) -> bool:
    try:
        for line in lines:
            check_fields(names, line)
        for before, line in pairwise(lines):
            check_order("/".join(names), before, line)
    except FormatError:
        return False
    return True
