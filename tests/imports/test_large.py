"""Large files pass in little memory, and quickly enough to wait for."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.imports import HolderColumn
from ledger.imports import Layout
from ledger.imports import read_catalogue
from ledger.imports import read_dataset
from tests.imports.files import party_of

LAYOUT = Layout(
    id="ID",
    namespace="large",
    isrc="ISRC",
    duration="SECONDS",
    holders=(HolderColumn("ARTIST"),),
    holders_namespace="large",
)


def generate(path: Path, rows: int) -> Path:
    """Write a catalogue whose rows are in no order, of some 100 bytes each."""
    with path.open("w") as file:
        file.write("ID,TITLE,ISRC,SECONDS,ARTIST,ALBUM\n")
        file.writelines(
            f'trk_{n * 7_919 % rows:09},"A title, number {n % 1000}",'
            f"CPDEM{n // 100_000 % 100:02}{n % 100_000:05},{60 + n % 300}.{n % 10},"
            f"art_{n % (rows // 10):07},alb_{n // 12:08} and some more of it\n"
            for n in range(rows)
        )
    return path


def peak_bytes(act: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("rows", [4_000, 16_000])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, rows: int) -> None:
    """Neither the file nor what becomes of it is ever held as a whole."""
    path = generate(tmp_path / "large.csv", rows)

    def read() -> None:
        catalogue = read_catalogue(path, LAYOUT, party_of=party_of, memory_max=100_000)
        for lines in (catalogue.recordings, catalogue.parties, catalogue.shares):
            assert sum(1 for _ in lines()) >= rows // 10
        assert catalogue._recordings.runs > rows // 2_000

    read()
    assert peak_bytes(read) < 900_000


def test_the_real_catalogue_takes_a_moment(
    shared: Callable[[str], Path],
) -> None:
    """18,486 recordings by 1,533 artists, in a second or less of computing."""
    path = shared("jamendo/catalogue.tsv")
    best = min(_seconds(path) for _ in range(3))
    assert best < 1


def _seconds(path: Path) -> float:
    start = time.process_time()
    read_catalogue(path, party_of=party_of)
    return time.process_time() - start


def test_the_real_catalogue(shared: Callable[[str], Path]) -> None:
    """Every row is taken; counts, first and last lines are those of the file."""
    catalogue = read_catalogue(shared("jamendo/catalogue.tsv"), party_of=party_of)
    assert catalogue.counts == (18_486, 18_486, 1_533, 18_486)
    assert (len(catalogue.rejected), catalogue.notes) == (0, ())
    recordings = list(catalogue.recordings())
    first, last = recordings[0], recordings[-1]
    assert (first.external, first.ms) == ("jamendo:track_0000948", 212_700)
    assert (last.external, last.ms) == ("jamendo:track_1422060", 336_000)
    assert sum(each.ms or 0 for each in recordings) == 4_055_410_400


def test_the_real_split(shared: Callable[[str], Path]) -> None:
    """The training and test lists are whole, apart, and in the catalogue."""
    known = {
        each.external
        for each in read_catalogue(
            shared("jamendo/catalogue.tsv"), party_of=party_of
        ).recordings()
    }
    train, test = (
        [each.external for each in read_dataset(shared(f"jamendo/{name}.tsv")).lines()]
        for name in ("train", "test")
    )
    assert (len(train), len(test)) == (9_949, 4_231)
    assert train == sorted(set(train))
    assert not set(train) & set(test)
    assert set(train) | set(test) <= known
