"""A list of recordings becomes sorted lines without doubles."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.entry.manifest import Header
from ledger.entry.manifest import ManifestBuilder
from ledger.imports import DatasetLayout
from ledger.imports import Form
from ledger.imports import read_dataset
from tests.imports.files import refused
from tests.imports.files import write


@pytest.mark.parametrize(
    ("content", "layout"),
    [
        ("x:b\nx:a\n", None),
        ("x:b\tsplit\nx:a\tsplit\n", None),
        ("TITLE,external\nT,x:b\nT,x:a\n", None),
        ("TRACK\nb\na\n", DatasetLayout("TRACK", "x")),
        ("b\na\n", DatasetLayout("1", "x", header=False)),
        ("0,b\n0,a\n", DatasetLayout("2", "x", header=False)),
    ],
)
def test_lists_with_and_without_a_header(
    tmp_path: Path, content: str, layout: DatasetLayout | None
) -> None:
    """Whole ids need no layout; others say their column and namespace."""
    dataset = read_dataset(write(tmp_path, content), layout)
    assert [line.external for line in dataset.lines()] == ["x:a", "x:b"]
    assert (dataset.count, dataset.rows) == (2, 2)


def test_the_jamendo_split_is_recognised(tmp_path: Path) -> None:
    """By the header that catalogue and split have in common."""
    header = "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS\r\n"
    path = write(tmp_path, header + "track_1\ta\tb\tp\t1.0\tx\ty\r\n")
    assert [e.external for e in read_dataset(path).lines()] == ["jamendo:track_1"]


def test_doubles_are_refused(tmp_path: Path) -> None:
    """A recording trained on twice is one line; the second row is named."""
    path = write(tmp_path, "x:b\nx:a\nx:b\n")
    error = refused("rows-refused", lambda: read_dataset(path))
    assert "line 3" in str(error)
    assert "[id-doubled]" in str(error)
    assert read_dataset(path, skip_bad=True).count == 2


def test_bad_ids_are_refused(tmp_path: Path) -> None:
    """As in a catalogue."""
    path = write(tmp_path, "x:b\nnothing\n\nx:c d\n")
    error = refused("rows-refused", lambda: read_dataset(path))
    assert "2 of 3 rows" in str(error)


def test_names_alone_are_no_layout(tmp_path: Path) -> None:
    """Ids without namespace could be anybody's."""
    refused("layout-unknown", lambda: read_dataset(write(tmp_path, "b\na\n")))
    missing = DatasetLayout("9", header=False)
    refused("column-missing", lambda: read_dataset(write(tmp_path, "b\n"), missing))


# Ids may hold anything printable: delimiters and quotes among it.
UNQUOTED = DatasetLayout("external", form=Form("\t", quoted=False))
IDS = st.from_regex(r"[a-z0-9-]{1,4}:[!-~]{1,6}", fullmatch=True)


@given(st.sets(IDS, min_size=1, max_size=20), st.integers(0, 500))
def test_any_ids_make_a_manifest(
    tmp_path_factory: pytest.TempPathFactory, ids: set[str], memory_max: int
) -> None:
    """Whatever an id is made of, the lines ascend as the format wants them."""
    listed = sorted(ids)
    random.Random(memory_max).shuffle(listed)
    text = "external\n" + "".join(f"{each}\n" for each in listed)
    path = write(tmp_path_factory.mktemp("list"), text)
    dataset = read_dataset(path, memory_max=memory_max, layout=UNQUOTED)
    header = Header(bytes(16), bytes(16), "run.open/dataset", bytes(32), "external")
    builder = ManifestBuilder(header)
    builder.add_many({"external": line.external} for line in dataset.lines())
    assert builder.finish().lines == len(ids)
