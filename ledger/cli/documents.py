r"""What commands print: one JSON document, or lines and tables for people.

>>> print("\n".join(table([["a", "1"], ["bcd", "20"]], right={1})))
a     1
bcd  20
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import click


def print_document(document: Any) -> None:  # noqa: ANN401 (whatever JSON can hold)
    """Print one JSON document on standard output."""
    encoding = (getattr(sys.stdout, "encoding", "") or "").lower().replace("-", "")
    text = json.dumps(document, indent=2, ensure_ascii=encoding != "utf8")
    click.echo(text)


def print_line(document: Any) -> None:  # noqa: ANN401 (whatever JSON can hold)
    """Print one JSON document on one line of standard output, at once."""
    click.echo(json.dumps(document))
    sys.stdout.flush()


def harmless(text: str, kept: str = "") -> str:
    r"""Escape what acts on a terminal or hides: file names may hold anything.

    Args:
        text: somebody else's.
        kept: what may stand although it is not printed.

    >>> print(harmless("proof\x1b[2J\u202e\nok"))
    proof\x1b[2J\u202e\nok
    """
    if text.isprintable():
        return text
    return "".join(
        each
        if each.isprintable() or each in kept
        else each.encode("unicode_escape").decode()
        for each in text
    )


def table(
    rows: Sequence[Sequence[str]], right: Collection[int] = (), gap: str = "  "
) -> Iterator[str]:
    """Lay out rows of equal length in columns.

    Args:
        rows: a heading may be the first.
        right: columns set flush right.
        gap: between columns.
    """
    if not rows:
        return
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            " " * (widths[place] - width(cell)) + cell
            if place in right
            else cell + " " * (widths[place] - width(cell))
            for place, cell in enumerate(row)
        ]
        yield gap.join(cells).rstrip()


def width(text: str) -> int:
    r"""Count the columns that a terminal needs for a text.

    >>> width("Ðagný"), width("音楽"), width("e\u0301")
    (5, 4, 1)
    """
    wide = sum(unicodedata.east_asian_width(each) in "WF" for each in text)
    marks = sum(unicodedata.combining(each) != 0 for each in text)
    return len(text) + wide - marks


def fields(pairs: Sequence[tuple[str, str]], indent: str = "  ") -> Iterator[str]:
    """Lay out names and values below one another."""
    longest = max((width(name) for name, _ in pairs), default=0)
    for name, value in pairs:
        yield f"{indent}{name}{' ' * (longest - width(name))}  {value}"
