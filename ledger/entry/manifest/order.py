"""The order of the lines of a manifest (format.md §5).

    order   "" or field names joined by "/"     recording/side/work/party

The fields are compared in turn: an absent one comes before any value, integers by
value, strings and bytes by their bytes. The first field that differs decides, and has
to hold the same type in both lines. No other types can be ordered by.

>>> check_order("side/work", {"side": "master"}, {"side": "master", "work": b"1"})
>>> check_order("side", {"side": "master"}, {"side": "composition"})
Traceback (most recent call last):
ledger.errors.FormatError: 'side' does not ascend: 'composition' after 'master'
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Sequence
from operator import itemgetter
from operator import lt
from typing import Any

from ledger.entry.canonical import STRING_BYTES_MAX
from ledger.entry.canonical import Value
from ledger.errors import FormatError
from ledger.tlog.text import excerpt

_NAME = r"[a-z0-9._-]{1,64}"
_ORDER = re.compile(rf"{_NAME}(?:/{_NAME})*")
# Types, not classes: a bool is an int to Python.
_ORDERED_TYPES = {int, str, bytes}

_Line = Mapping[str, Value]


def parse_order(order: str) -> tuple[str, ...]:
    """Split an order into the names of its fields, none for "".

    Raises:
        FormatError: ``bad-order``.
    """
    if not order:
        return ()
    names = tuple(order.split("/"))
    if (
        len(order) > STRING_BYTES_MAX
        or _ORDER.fullmatch(order) is None
        or len(set(names)) != len(names)
    ):
        raise FormatError(
            "bad-order",
            f"{excerpt(order)} is not an order",
            hint="different field names of a-z, 0-9 and ._- joined by /",
        )
    return names


def check_order(order: str, previous_line: _Line, line: _Line) -> None:
    """Check that a line may follow another.

    Raises:
        FormatError: ``manifest-lines-unordered``, ``manifest-line-doubled``, or
            ``bad-order``.
    """
    names = parse_order(order)
    if names:
        compare_lines(names, previous_line, line)


def check_fields(names: Sequence[str], line: _Line) -> None:
    """Check that the fields of a line can be ordered by, where it has them.

    Raises:
        FormatError: ``manifest-lines-unordered``.
    """
    for name in names:
        if name in line and type(line[name]) not in _ORDERED_TYPES:
            raise FormatError(
                "manifest-lines-unordered",
                f"{name!a} of type {type(line[name]).__name__} has no order",
                hint="order by integers, strings and bytes",
            )


def compare_lines(names: Sequence[str], previous_line: _Line, line: _Line) -> None:
    """Check that one line comes before another by at least one field.

    Raises:
        FormatError: ``manifest-lines-unordered`` or ``manifest-line-doubled``.
    """
    check_fields(names, previous_line)
    check_fields(names, line)
    for name in names:
        before, after = previous_line.get(name), line.get(name)
        if before == after:
            continue
        if before is None or (type(before) is type(after) and before < after):  # type: ignore[operator]
            return
        raise FormatError(
            "manifest-lines-unordered",
            f"{name!a} does not ascend: {_show(after)} after {_show(before)}",
            hint=f"sort the lines by {'/'.join(names)}",
        )
    raise FormatError(
        "manifest-line-doubled",
        f"two lines have the same {'/'.join(names)}",
        hint="add up what belongs together, or order by one more field",
    )


def ascends(names: Sequence[str], lines: Sequence[_Line]) -> bool:
    """Tell at once whether many lines ascend.

    ``False`` is no verdict: lines of mixed types are left to ``compare_lines``.
    """
    columns = [_column(name, lines) for name in names]
    if not all(columns):
        return False
    # Of one field, the values compare faster than tuples of one.
    keys = columns[0] if len(columns) == 1 else list(zip(*columns, strict=True))
    return all(map(lt, keys, keys[1:]))


def _column(name: str, lines: Sequence[_Line]) -> Sequence[Any]:
    """Give one field of all lines in a form that compares as it should, or nothing."""
    try:
        column: Sequence[Any] = list(map(itemgetter(name), lines))
        kinds = set(map(type, column))
    except KeyError:
        # An empty tuple comes before any other, as an absent field does.
        column = [(line[name],) if name in line else () for line in lines]
        kinds = {type(line[name]) for line in lines if name in line}
    return column if len(kinds) <= 1 and kinds <= _ORDERED_TYPES else ()


def _show(value: Value | None) -> str:
    return "nothing" if value is None else excerpt(str(value))
