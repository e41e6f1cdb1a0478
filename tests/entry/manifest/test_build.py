"""Building of manifests: the leaves of format.md §5, whatever the batches."""

from __future__ import annotations

from collections import OrderedDict
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.entry import canonical
from ledger.entry.manifest import Built
from ledger.entry.manifest import Line
from ledger.entry.manifest import ManifestBuilder
from ledger.entry.manifest import check_order
from ledger.entry.manifest import plain_leaf
from ledger.entry.manifest.fold import LineFold
from ledger.errors import FormatError
from ledger.errors import InputError
from ledger.errors import InvariantError
from ledger.tlog.tiles import TILE_WIDTH
from tests.entry.manifest.make import MANIFEST_KEY
from tests.entry.manifest.make import header
from tests.entry.manifest.make import lines
from tests.entry.manifest.make import make_manifest

SIZES = [0, 1, 2, 254, 255, 256, 257, 510, 511, 512, 767, 1_500]


class Sink:
    """Collects bundles, and checks that they come in their order."""

    def __init__(self) -> None:
        self.bundles: list[list[bytes]] = []

    def __call__(self, index: int, leaves: list[bytes]) -> None:
        assert index == len(self.bundles)
        self.bundles.append(leaves)


@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "sealed"])
@pytest.mark.parametrize("count", SIZES)
def test_leaves_and_root_are_those_of_the_format(count: int, *, sealed: bool) -> None:
    """Leaf for leaf what the slow way gives, in full bundles but for the last."""
    content, sink = lines(count), Sink()
    builder = ManifestBuilder(
        header(sealed=sealed), MANIFEST_KEY if sealed else None, ["gross"], sink
    )
    builder.add_many(content)
    built = builder.finish()
    expected = make_manifest(content, sealed=sealed)
    assert [leaf for leaves in sink.bundles for leaf in leaves] == expected.leaves
    assert {len(leaves) for leaves in sink.bundles[:-1]} <= {TILE_WIDTH}
    assert 1 <= len(sink.bundles[-1]) <= TILE_WIDTH
    gross = sum(line["gross"] for line in content if isinstance(line["gross"], int))
    assert built == Built(count, expected.root, {"gross": gross})


@given(st.lists(st.integers(0, 300), max_size=8))
def test_batches_leave_no_trace(cuts: list[int]) -> None:
    """One by one, all at once or in any pieces: the same manifest."""
    content = lines(600)
    builder, at = ManifestBuilder(header(), totals=["gross"]), 0
    for cut in cuts:
        builder.add_many(content[at : at + cut])
        at += cut
    for line in content[at:]:
        builder.add(line)
    whole = ManifestBuilder(header(), totals=["gross"])
    whole.add_many(iter(content))
    assert builder.finish() == whole.finish()


def test_fields_may_come_in_any_order() -> None:
    """The order of a Python dict is not the order of a line."""
    content: list[Line] = [{"external": "a:1", "ms": 1}, {"ms": 2, "external": "a:2"}]
    builder = ManifestBuilder(header())
    builder.add_many(content)
    assert builder.finish().root == make_manifest(content).root


def test_totals_add_up_named_fields() -> None:
    """Absent amounts count 0, negative ones are subtracted, others are left out."""
    builder = ManifestBuilder(header(), totals=["gross", "net", "tax"])
    builder.add({"external": "a:1", "gross": 10, "net": -4, "other": 5})
    builder.add({"external": "a:2", "gross": 2**63 - 11})
    assert builder.finish().totals == {"gross": 2**63 - 1, "net": -4, "tax": 0}


@pytest.mark.parametrize("value", [True, "1", b"1", [1], {"a": 1}], ids=repr)
def test_totals_are_of_integers(value: canonical.Value) -> None:
    """What can't be added up is refused, not skipped."""
    builder = ManifestBuilder(header(), totals=["gross"])
    builder.add_many([{"external": "a:1", "gross": 1}, {"external": "a:2"}])
    builder.add({"external": "a:3", "gross": value})
    with pytest.raises(FormatError, match="lines from 1 on: 'gross' is not") as caught:
        builder.finish()
    assert caught.value.code == "bad-type"


def test_the_limits_themselves_are_allowed() -> None:
    """The longest leaf and the largest totals pass."""
    room = 65_535 - len(plain_leaf({"external": "a:1", "ms": bytes(60_000)})) + 60_000
    content: list[Line] = [
        {"external": "a:1", "ms": bytes(room)},
        {"external": "a:2", "fee": 1, "gross": 2 - 2**63},
        {"external": "a:3", "fee": 2**63 - 2, "gross": -1, "works": _nested(15)},
    ]
    builder = ManifestBuilder(header(), totals=["fee", "gross"])
    builder.add_many(content)
    built = builder.finish()
    assert built.totals == {"fee": 2**63 - 1, "gross": 1 - 2**63}
    assert built.root == make_manifest(content).root


@pytest.mark.parametrize("sign", [1, -1])
def test_a_total_stays_an_integer_of_the_format(sign: int) -> None:
    """A sum beyond 2**63 - 1 could not be written into an event."""
    builder = ManifestBuilder(header(), totals=["gross"])
    builder.add({"external": "a:1", "gross": sign * (2**63 - 1)})
    builder.add({"external": "a:2", "gross": sign})
    with pytest.raises(FormatError) as caught:
        builder.finish()
    assert caught.value.code == "bad-integer"


def _nested(levels: int) -> canonical.Value:
    value: canonical.Value = 1
    for _ in range(levels):
        value = [value]
    return value


BAD_LINES: dict[str, tuple[Any, str]] = {
    "nil": ({"external": "b:1", "ms": None}, "bad-type"),
    "float": ({"external": "b:1", "ms": 1.5}, "bad-type"),
    "tuple": ({"external": "b:1", "works": (1, 2)}, "bad-type"),
    "nil in an array": ({"external": "b:1", "works": [[b"", None]]}, "bad-type"),
    "17 deep": ({"external": "b:1", "works": _nested(16)}, "too-deep"),
    "integer key": ({"external": "b:1", 1: 1}, "bad-type"),
    "too large an integer": ({"external": "b:1", "ms": 2**63}, "bad-integer"),
    "too small an integer": ({"external": "b:1", "ms": -(2**63)}, "bad-integer"),
    "huge integer": ({"external": "b:1", "ms": 1 << 99}, "bad-integer"),
    "empty string": ({"external": "b:1", "role": ""}, "bad-string"),
    "control code": ({"external": "b:1", "role": "a\n"}, "bad-string"),
    "C1 control code": ({"external": "b:1", "role": "\x85"}, "bad-string"),
    "surrogate": ({"external": "b:1", "role": "\ud800"}, "bad-string"),
    "long string": ({"external": "b:1", "role": "a" * 1025}, "bad-string"),
    "string of many bytes": ({"external": "b:1", "role": "é" * 513}, "bad-string"),
    "long key": ({"external": "b:1", "a" * 1025: 1}, "bad-string"),
    "empty key": ({"external": "b:1", "": 1}, "bad-string"),
    "too large": ({"external": "b:1", "ms": bytes(65_600)}, "too-large"),
    "double": ({"external": "a:0005"}, "manifest-line-doubled"),
    "disorder": ({"external": "a:0004"}, "manifest-lines-unordered"),
    "no key at the end": ({"ms": 1}, "manifest-lines-unordered"),
    "key of another type": ({"external": b"b"}, "manifest-lines-unordered"),
    "bool as a key": ({"external": True}, "manifest-lines-unordered"),
}


def _build(content: list[Any]) -> Built:
    builder = ManifestBuilder(header())
    builder.add_many(content)
    return builder.finish()


@pytest.mark.parametrize("after", [0, 3])
@pytest.mark.parametrize("before", [6, 254, 255, 300])
@pytest.mark.parametrize(("line", "code"), BAD_LINES.values(), ids=BAD_LINES)
def test_bad_lines_are_refused_by_number(
    line: Any,  # noqa: ANN401
    code: str,
    before: int,
    after: int,
) -> None:
    """Wherever in a bundle it stands, one bad line is found and named."""
    content: list[Any] = [{"external": f"a:{number:04d}"} for number in range(before)]
    if code == "manifest-line-doubled":
        line = content[-1]
    content += [line, *({"external": f"c:{number}"} for number in range(after))]
    with pytest.raises(FormatError, match=f"^line {before + 1}: ") as caught:
        _build(content)
    assert caught.value.code == code


def test_the_first_line_can_be_ordered_by_as_well() -> None:
    """A manifest of one line has an order too, and its field a type."""
    builder = ManifestBuilder(header())
    builder.add({"external": True})
    with pytest.raises(FormatError, match="line 1: ") as caught:
        builder.finish()
    assert caught.value.code == "manifest-lines-unordered"


def test_without_order_lines_may_repeat() -> None:
    """No order, no doubles: the lines are a list."""
    builder = ManifestBuilder(header(""))
    builder.add_many([{"a": 2}, {"a": 1}, {"a": 1}, {}])
    assert builder.finish().lines == 4


def test_an_order_field_may_be_empty_in_a_line_too() -> None:
    """The one empty string of the format is allowed wherever maps are."""
    content: list[Line] = [{"order": ""}, {"order": "a"}]
    builder = ManifestBuilder(header(""))
    builder.add_many(content)
    assert builder.finish().root == make_manifest(content, "").root


def test_sealed_and_plain_are_told_apart_by_the_key() -> None:
    """A seal without a key, or a key without a seal, is somebody's mistake."""
    for sealed, key in ((True, None), (False, MANIFEST_KEY), (True, bytes(31))):
        with pytest.raises(InputError) as caught:
            ManifestBuilder(header(sealed=sealed), key)
        assert caught.value.code == "bad-manifest-key"


def test_a_finished_builder_takes_no_line() -> None:
    """A line after the root is a bug of the caller's."""
    builder = ManifestBuilder(header())
    built = builder.finish()
    assert built == Built(0, make_manifest([]).root, {})
    assert builder.finish() == built
    with pytest.raises(InvariantError):
        builder.add({"external": "a:1"})


NAMES = st.sampled_from(["a", "b", "order", "é", "c" * 40])
ODD: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from([0, 1, 2**63 - 1, 2**63, -(2**63), True, None, 1.5]),
    st.sampled_from(["", "a", "b", "é", "a" * 1024]),
    st.sampled_from(["\x7f", "\x85", "a" * 1025, "\ud800"]),
    st.sampled_from([b"", b"a", [], [1], [None], {}, {"b": 1, "a": 1}, {1: 1}, [""]]),
)
ODD_LINES = st.lists(st.dictionaries(NAMES, ODD, max_size=3), max_size=6)


@given(ODD_LINES, st.sampled_from(["", "a", "a/b"]))
def test_columns_say_what_single_lines_say(content: list[Any], order: str) -> None:
    """Many lines at once get the verdict that each gets alone."""
    assert _folds(content, order) == _holds_one_by_one(content, order)


def _folds(content: list[Any], order: str) -> bool:
    try:
        LineFold(order).take(content)
    except FormatError:
        return False
    return True


def _holds_one_by_one(content: list[Any], order: str) -> bool:
    names = order.split("/") if order else []
    try:
        for line in content:
            canonical.encode(line)
            if any(type(line.get(name, 0)) not in {int, str, bytes} for name in names):
                return False
        for before, line in pairwise(content):
            check_order(order, before, line)
    except FormatError:
        return False
    return True


def test_dicts_of_other_classes_are_taken_as_dicts() -> None:
    """What a library hands over as a mapping of its own builds the same line."""
    builder = ManifestBuilder(header())
    builder.add(OrderedDict(ms=1, external="a:1"))
    assert builder.finish().root == make_manifest([{"external": "a:1", "ms": 1}]).root
