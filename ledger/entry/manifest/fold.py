"""What has to hold for all lines of a manifest together (format.md §5).

Builder and reader take lines by the bundle, some 256 at a time. Checking one field of
all of them is several times as fast as checking all fields of one, so each bundle is
turned into columns first. Columns can only say that all is well; what they do not
settle is looked at line by line, by the same rules as everywhere.

>>> fold = LineFold("external", totals=("gross",))
>>> fold.take([{"external": "demo:1", "gross": 2}, {"external": "demo:2"}])
>>> fold.count, fold.totals
(2, {'gross': 2})
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import suppress
from operator import itemgetter
from typing import Any

from ledger.entry.canonical import INTEGER_MAX
from ledger.entry.canonical import STRING_BYTES_MAX
from ledger.entry.canonical import check_value
from ledger.entry.manifest.leaves import Line
from ledger.entry.manifest.order import ascends
from ledger.entry.manifest.order import check_fields
from ledger.entry.manifest.order import compare_lines
from ledger.entry.manifest.order import parse_order
from ledger.errors import FormatError

_Columns = Mapping[str, Sequence[Any]]


class LineFold:
    """Checks values and order of lines as they come, counts them, adds them up.

    Args:
        order: of the header.
        totals: names of the integer fields to add up; an absent one counts 0.

    Raises:
        FormatError: ``bad-order``.
    """

    def __init__(self, order: str, totals: Iterable[str] = ()) -> None:
        self.count = 0
        self.totals = dict.fromkeys(totals, 0)
        self._names = parse_order(order)
        self._last: list[Line] = []

    def take(self, lines: Sequence[Line]) -> None:
        """Take the lines that follow those taken before.

        Raises:
            FormatError: for the first line that fails, its number (its leaf's index)
                first in the message: ``manifest-lines-unordered``,
                ``manifest-line-doubled``, or a code of ``canonical.check_value``;
                ``bad-type`` for a total over what is not an integer.
        """
        groups = _columns(lines)
        if not all(map(_is_sound, groups)):
            self._check_each(lines)
        for name in self.totals:
            self.totals[name] += sum(self._amounts(name, groups))
        if self._names and not ascends(self._names, [*self._last, *lines]):
            self._compare_each(lines)
        self._last = list(lines[-1:]) or self._last
        self.count += len(lines)

    def _check_each(self, lines: Sequence[Line]) -> None:
        for number, line in enumerate(lines, self.count + 1):
            try:
                check_value(line)
            except FormatError as error:
                raise at_line(number, error) from None

    def _compare_each(self, lines: Sequence[Line]) -> None:
        before = self._last
        for number, line in enumerate(lines, self.count + 1):
            try:
                check_fields(self._names, line)
                for last in before:
                    compare_lines(self._names, last, line)
            except FormatError as error:
                raise at_line(number, error) from None
            before = [line]

    def _amounts(self, name: str, groups: Iterable[_Columns]) -> list[int]:
        found = [value for columns in groups for value in columns.get(name, ())]
        if found and set(map(type, found)) != {int}:
            raise FormatError(
                "bad-type",
                f"lines from {self.count + 1} on: {name!a} is not always an integer",
                hint="a total adds up integers; leave an absent amount out",
            )
        return found


def _columns(lines: Sequence[Line]) -> list[_Columns]:
    """Turn lines into columns, those with the same fields together."""
    if not lines:
        return []
    names = tuple(lines[0])
    if len(names) > 1 and set(map(len, lines)) == {len(names)}:
        with suppress(KeyError):
            # As a rule all have the same fields, and one call takes them out.
            rows = zip(*map(itemgetter(*names), lines), strict=True)
            return [dict(zip(names, rows, strict=True))]
    groups: dict[tuple[str, ...], list[Line]] = {}
    for line in lines:
        groups.setdefault(tuple(line), []).append(line)
    return [
        dict(zip(names, zip(*map(dict.values, group), strict=True), strict=True))
        for names, group in groups.items()
    ]


def _is_sound(columns: _Columns) -> bool:
    """Tell whether lines of the same fields can be held."""
    try:
        check_value(dict.fromkeys(columns, True))
        for column in columns.values():
            if not _is_plain(column):
                _check_column(column)
    except FormatError:
        return False
    return True


def _is_plain(column: Sequence[Any]) -> bool:
    """Tell at once that all values of a field can be held, in the common cases."""
    kinds = set(map(type, column))
    if kinds == {bytes}:
        return True
    if kinds == {str}:
        text = "".join(column)
        plain = text.isascii() and text.isprintable() and "" not in column
        return plain and max(map(len, column)) <= STRING_BYTES_MAX
    return kinds == {int} and min(column) >= -INTEGER_MAX and max(column) <= INTEGER_MAX


def _check_column(column: Sequence[Any]) -> None:
    for value in column:
        # The outermost map is the line, at 1.
        check_value(value, depth=2)


def at_line(number: int, error: FormatError) -> FormatError:
    """Say which line an error is about."""
    return FormatError(error.code, f"line {number}: {error.message}", hint=error.hint)
