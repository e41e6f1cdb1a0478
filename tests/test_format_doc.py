"""The format's document names every table, field and line that the code has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from typing import get_args
from typing import get_origin

import msgspec
import pytest

from ledger.entry.envelope import Entry
from ledger.entry.envelope import Event
from ledger.events.identity import Genesis
from ledger.events.lines import MANIFESTS
from ledger.events.payments import AllocationNode
from ledger.events.types import ManifestRef
from ledger.replay import rows
from ledger.replay.state import State

TEXT = (Path(__file__).parents[1] / "ledger/docs/format.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in TEXT.splitlines()
    if line.startswith("| ")
]


def row(first: str, cells: int) -> list[str]:
    """Find the one row that begins with a word and has so many cells."""
    found = [each for each in ROWS if each[0] == first and len(each) == cells]
    assert len(found) == 1, (first, found)
    return found[0]


def fields_of(text: str) -> list[str]:
    """Split an array in brackets at its own commas."""
    inside = re.sub(r"\[[^\[\]]*\]", "…", text[1:-1])
    inside = re.sub(r"\[[^\[\]]*\]", "…", inside)
    return inside.split(", ")


def value_type(table: Any) -> Any:  # noqa: ANN401 (any annotation)
    """Give the type that a table's values are decoded as."""
    return table._decode_value.__self__.type


TABLES = {table.name: table for table in State("full").tables}


@pytest.mark.parametrize("name", TABLES)
def test_every_table_of_the_state_is_described(name: str) -> None:
    """Each table has its row, and an array as many fields as the code gives it."""
    kind = value_type(TABLES[name])
    if get_origin(kind) is tuple and get_args(kind)[-1] is Ellipsis:
        kind = get_args(kind)[0]
    described = row(f"`{name}`", 3)[2]
    if isinstance(kind, type) and issubclass(kind, rows.Row):
        array = described[described.index("[") :]
        array = array[1:-1] if array.startswith("[[") else array
        array = re.sub(r"…$", "", array)
        assert len(fields_of(array)) == len(kind.__struct_fields__), array
    else:
        assert not described.startswith("[") or get_origin(kind) is tuple


@pytest.mark.parametrize("body", [Event, Entry, Genesis, ManifestRef, AllocationNode])
def test_every_field_is_described(body: Any) -> None:  # noqa: ANN401
    """Each field of what the format defines itself has a row of three cells."""
    described = {each[0].removesuffix("?") for each in ROWS if len(each) == 3}
    assert set(body.__struct_fields__) <= described


@pytest.mark.parametrize("kind", MANIFESTS)
def test_every_field_of_a_line_is_described(kind: str) -> None:
    """Each field of a line stands in its row, with ? if it may be absent."""
    (text,) = [each[1] for each in ROWS if f"`{kind}`" in each[0] and len(each) == 2]
    for field in msgspec.structs.fields(MANIFESTS[kind].line):
        mark = r"(?!\?)" if field.required else r"\?"
        assert re.search(rf"\b{field.name}\b{mark}", text), (kind, field.name)
