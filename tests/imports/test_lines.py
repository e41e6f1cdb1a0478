"""Lines of every manifest are read from NDJSON, CSV and TSV, strictly."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from ledger.author import line_map
from ledger.entry.manifest import Header
from ledger.entry.manifest import ManifestBuilder
from ledger.events.lines import MANIFESTS
from ledger.imports import Lines
from ledger.imports import read_lines
from tests.imports.files import refused
from tests.imports.files import write

ADA, BOB = "0a" * 16, "ff" * 16
Row = dict[str, object]

_PAID: list[Row] = [
    {"gross": 5, "party": BOB, "sent": 4, "tax": 1},
    {"gross": 3, "party": ADA, "sent": 3, "tax": 0},
]


def _distributed(party: str, side: str, **work: str) -> Row:
    amounts = {"cultural": 1, "fee": 2, "gross": 10, "net": 7}
    named = {"party": party, "recording": "a:1", "side": side, "state": "payable"}
    return {**amounts, **named, **work}


def _share(place: int) -> Row:
    holding = {"party": ADA, "place": place, "ppm": 4, "role": "writer"}
    return {**holding, "side": "composition", "subject": "a:1"}


SAMPLES: dict[str, Sequence[Row]] = {
    "catalogue/recordings": [
        {"external": "a:2", "isrc": "CPDEM2600001", "ms": 5, "recording": ADA},
        {"external": "a:1", "works": [["b:1", 600_000], ["b:2", 400_000]]},
        {"external": "a:1!"},
    ],
    "distribution/lines": [
        _distributed(BOB, "master"),
        _distributed(ADA, "composition", work="b:1"),
        _distributed(BOB, "composition"),
    ],
    "party/parties": [
        {"party": BOB, "type": "person", "verified": True},
        {"external": "p:a", "party": ADA, "type": "group", "verified": False},
    ],
    "payout.result/lines": _PAID,
    "payout/batch": _PAID,
    "run.close/dataset": [{"external": "a:2"}, {"external": "a:1"}],
    "run.close/exposure": [
        {"exposure": 3, "external": "a:2"},
        {"exposure": 1, "external": "a:1"},
    ],
    "run.open/dataset": [{"external": "a:2"}, {"external": "a:1"}],
    "shares/lines": [_share(place) for place in (256, 0, 9, 10, 255)],
}


def as_json(rows: Sequence[Row]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def as_table(rows: Sequence[Row], delimiter: str) -> str:
    names = sorted({name for row in rows for name in row}, reverse=True)
    cells = [[_cell(row.get(name)) for name in names] for row in rows]
    return "".join(f"{delimiter.join(row)}\n" for row in [names, *cells])


def _cell(value: object) -> str:
    if isinstance(value, list):
        return " ".join(f"{work}={ppm}" for work, ppm in value)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def build(lines: Lines) -> bytes:
    rule = MANIFESTS[lines.kind]
    header = Header(bytes(16), bytes(16), lines.kind, bytes(32), rule.order)
    builder = ManifestBuilder(header, totals=rule.totals)
    builder.add_many(map(line_map, lines.lines()))
    assert builder.finish().lines == lines.count
    return builder.finish().root


def test_every_kind_has_a_sample() -> None:
    """A new manifest comes with lines to read."""
    assert SAMPLES.keys() == MANIFESTS.keys()


@pytest.mark.parametrize("kind", SAMPLES)
def test_all_three_forms_make_the_same_manifest(tmp_path: Path, kind: str) -> None:
    """Sorted, typed, in order; bytes from hex; absent fields absent."""
    rows = SAMPLES[kind]
    read = [
        read_lines(write(tmp_path, text, name), kind)
        for name, text in (
            ("lines.ndjson", as_json(rows)),
            ("lines.csv", as_table(rows, ",")),
            ("lines.tsv", as_table(rows, "\t")),
        )
    ]
    assert len({build(lines) for lines in read}) == 1
    for lines in read:
        assert lines.count == len(rows)
        maps = [line_map(line) for line in lines.lines()]
        expected = [
            {
                name: bytes.fromhex(value) if value in (ADA, BOB) else value
                for name, value in row.items()
            }
            for row in rows
        ]
        assert sorted(map(repr, maps)) == sorted(
            repr(dict(sorted(row.items()))) for row in expected
        )


def test_an_absent_field_sorts_first(tmp_path: Path) -> None:
    """As format.md orders: no work before any work, places by value."""
    kind = "distribution/lines"
    lines = read_lines(write(tmp_path, as_json(SAMPLES[kind]), "a.ndjson"), kind)
    order = [
        (line_map(line).get("side"), line_map(line).get("work"))
        for line in lines.lines()
    ]
    assert order == [("composition", None), ("composition", "b:1"), ("master", None)]
    kind = "shares/lines"
    lines = read_lines(write(tmp_path, as_json(SAMPLES[kind]), "b.ndjson"), kind)
    places = [line_map(line)["place"] for line in lines.lines()]
    assert places == [0, 9, 10, 255, 256]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('{"external": "a:1", "exposure": 0}', "bad-line"),
        ('{"external": "a:1", "exposure": 1.0}', "bad-json"),
        ('{"external": "a:1", "exposure": NaN}', "bad-json"),
        ('{"external": "a:1", "exposure": true}', "bad-line"),
        ('{"external": "a:1", "exposure": "1"}', "bad-line"),
        ('{"external": "a:1", "exposure": 9223372036854775808}', "bad-line"),
        ('{"external": "a:1"}', "bad-line"),
        ('{"external": "a:1", "exposure": 1, "other": 2}', "bad-line"),
        ('{"external": "a:1", "exposure": 1, "exposure": 2}', "bad-json"),
        ('{"external": "a", "exposure": 1}', "bad-line"),
        ('{"external": null, "exposure": 1}', "bad-line"),
        ('["a:1", 1]', "bad-json"),
        ("{", "bad-json"),
        ("[" * 50_000, "bad-json"),
    ],
)
def test_bad_json_is_named(tmp_path: Path, line: str, code: str) -> None:
    """Strict JSON: no doubled keys, no fractions, no field that is none."""
    good = '{"external": "b:1", "exposure": 1}\n'
    path = write(tmp_path, f"{good}\n{line}\n", "lines.ndjson")
    error = refused("rows-refused", lambda: read_lines(path, "run.close/exposure"))
    assert "1 of 2 rows" in str(error)
    assert "line 3" in str(error)
    assert f"[{code}]" in str(error)
    assert error.hint


@pytest.mark.parametrize(
    ("row", "code", "column"),
    [
        ("a:1,,person,yes", "bad-bool", "verified"),
        ("a:1,,person,True", "bad-bool", "verified"),
        (f"a:1,{ADA.upper()},person,true", "bad-hex", "party"),
        (f"a:1,{ADA}00,person,true", "bad-hex", "party"),
        ("a:1,,person,true", "bad-line", ""),
        (f"a:1,{ADA},band,true", "bad-line", ""),
        (f"1,{ADA},person,true", "bad-line", ""),
    ],
)
def test_bad_cells_are_named(tmp_path: Path, row: str, code: str, column: str) -> None:
    """Every field in its one form, and nothing mended."""
    path = write(tmp_path, f"external,party,type,verified\n{row}\n")
    error = refused("rows-refused", lambda: read_lines(path, "party/parties"))
    assert (f"line 2, column {column}:" if column else "line 2:") in str(error)
    assert f"[{code}]" in str(error)


def test_numbers_are_canonical(tmp_path: Path) -> None:
    """Neither 01 nor +1 nor 1.0 is a number of the format."""
    for text in ("01", "+1", "1.0", "1e1", "-1"):
        path = write(tmp_path, f"external,exposure\na:1,{text}\n")
        error = refused("rows-refused", lambda: read_lines(path, "run.close/exposure"))  # noqa: B023
        assert "[bad-decimal]" in str(error)


def test_doubles_are_refused(tmp_path: Path) -> None:
    """By the fields that the manifest is ordered by, whatever else differs."""
    path = write(tmp_path, "external,exposure\na:1,1\na:2,1\na:1,2\n")
    error = refused("rows-refused", lambda: read_lines(path, "run.close/exposure"))
    assert "line 4: the same external stands in line 2 already" in str(error)
    text = '{"external": "a:1"}\n{"external": "a:1"}\n'
    path = write(tmp_path, text, "lines.ndjson")
    error = refused("rows-refused", lambda: read_lines(path, "run.open/dataset"))
    assert "[line-doubled]" in str(error)


def test_columns_are_the_fields(tmp_path: Path) -> None:
    """A slip in the name of a column must not drop the field in silence."""
    path = write(tmp_path, "external,isrcs\na:1,CPDEM2600001\n")
    error = refused("column-unknown", lambda: read_lines(path, "catalogue/recordings"))
    assert "isrc" in error.hint
    path = write(tmp_path, "isrc\nCPDEM2600001\n")
    refused("column-missing", lambda: read_lines(path, "catalogue/recordings"))


def test_kinds_are_those_of_the_format(tmp_path: Path) -> None:
    """The message lists them."""
    path = write(tmp_path, "external\na:1\n")
    error = refused("manifest-unknown", lambda: read_lines(path, "run.open/data"))
    assert "run.open/dataset" in error.hint


def test_a_mark_and_blank_lines_before_json(tmp_path: Path) -> None:
    """Neither makes a table of it."""
    path = write(tmp_path, '\ufeff\n\n{"external": "a:1"}\n')
    assert read_lines(path, "run.open/dataset").count == 1


def test_an_array_is_not_one_object_per_line(tmp_path: Path) -> None:
    """Who exports a JSON array is told what is wanted instead."""
    path = write(tmp_path, '[{"external": "a:1"}]\n')
    error = refused("rows-refused", lambda: read_lines(path, "run.open/dataset"))
    assert "NDJSON" in error.hint


def test_memory_bounds_change_nothing(tmp_path: Path) -> None:
    """Large files go through temporary files, in both forms."""
    rows: list[Row] = [
        {"exposure": n + 1, "external": f"a:{n * 7919 % 2003}"} for n in range(2_003)
    ]
    kind = "run.close/exposure"
    whole = read_lines(write(tmp_path, as_json(rows), "a.ndjson"), kind)
    for name, text in (("b.ndjson", as_json(rows)), ("b.csv", as_table(rows, ","))):
        path = write(tmp_path, text, name)
        pieces = read_lines(path, kind, memory_max=9_999)
        assert pieces._items.runs > 10
        assert list(pieces.lines()) == list(whole.lines())


def test_progress_is_told(tmp_path: Path) -> None:
    """Of tables and of NDJSON, to the last byte."""
    for text in ('{"external": "a:1"}\n', "external\na:1\n"):
        told: list[tuple[int, int]] = []
        path = write(tmp_path, text)
        read_lines(path, "run.open/dataset", progress=lambda *at: told.append(at))  # noqa: B023
        assert told[-1] == (len(text), len(text))
