"""The published vectors: made anew the same, and read alike by both implementations."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ledger.errors import LedgerError
from tests.readers import library
from tests.readers import verifier
from tools import gen_vectors
from tools import verify
from tools.vectors.case import Vector

FOLDER = Path(__file__).parent / "vectors"
PATHS = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.json"))


def load(path: str) -> Vector:
    vector: Vector = json.loads((FOLDER / path).read_text(encoding="utf-8"))
    return vector


def format_of(path: str) -> str:
    return path.partition("/")[0]


library.LOGS.update(
    {Path(path).stem: load(path) for path in PATHS if format_of(path) == "log"}
)


def test_made_anew_the_vectors_are_the_same() -> None:
    """The generator gives every file to the byte, and there are no others."""
    found = list(gen_vectors.differences(gen_vectors.make()))
    assert not found, "\n".join([*found, "if meant so: python tools/gen_vectors.py"])


def test_a_vector_that_differs_is_noticed(tmp_path: Path) -> None:
    """Comparing finds a file that is missing, one that is a stranger, and a change."""
    made = {"a/1.json": "1", "a/2.json": "2"}
    gen_vectors.write(made, tmp_path)
    assert list(gen_vectors.differences(made, tmp_path)) == []
    (tmp_path / "a/1.json").write_text("one")
    (tmp_path / "a/2.json").rename(tmp_path / "a/3.json")
    assert list(gen_vectors.differences(made, tmp_path)) == [
        "a/1.json differs",
        "a/2.json is missing",
        "a/3.json is not made by the generator",
    ]
    gen_vectors.write(made, tmp_path)
    assert list(gen_vectors.differences(made, tmp_path)) == []


def check(read: Vector, vector: Vector) -> None:
    """Compare what was computed with what the vector says of it."""
    assert read == {name: vector.get(name, item) for name, item in read.items()}


@pytest.mark.parametrize("path", PATHS)
def test_the_library_reads_it(path: str) -> None:
    """What goes in gives what comes out, or is refused with the code."""
    vector = load(path)
    reader = library.READERS[format_of(path)]
    if "code" not in vector:
        check(reader(vector), vector)
        return
    with pytest.raises(LedgerError) as refused:
        reader(vector)
    assert refused.value.code == vector["code"]


def verified(path: str) -> bool:
    """Whether the verifier reads it; it writes paths of tiles, and compares them."""
    group = format_of(path)
    writes_only = group == "tile-path" and "code" in load(path)
    return group in verifier.READERS and not writes_only


@pytest.mark.parametrize("path", [path for path in PATHS if verified(path)])
def test_the_verifier_agrees(path: str) -> None:
    """A second implementation gives the same results, and refuses the same."""
    vector, group = load(path), format_of(path)
    reader = verifier.READERS[group]
    if "code" not in vector:
        check(reader(vector), vector)
        return
    with pytest.raises(verify.Refusal) as refused:
        reader(vector)
    code = vector["code"]
    assert refused.value.args[0] == verifier.COARSER.get((group, code), code)


def test_every_format_has_a_reader_and_both_sorts_of_vectors() -> None:
    """No vector is without a reader, and each parser has something to refuse."""
    formats = {format_of(path) for path in PATHS}
    assert formats == set(library.READERS)
    refused = {format_of(path) for path in PATHS if "code" in load(path)}
    assert formats - refused == {"key-id", "log", "pool", "tile"}
    accepted = {format_of(path) for path in PATHS if "code" not in load(path)}
    assert formats - accepted == {"rule"}
