"""Rows spilled to disk behave like rows in memory, and leave nothing behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import HomeError
from ledger.errors import InvariantError
from ledger.storage.memory_rows import MemoryRows
from ledger.storage.spill import SpillRows
from tests.storage.samples import number_hash

TABLE_NAMES = st.sampled_from(["parties", "party", "", "Å", "x\0y"])
KEYS = st.binary(max_size=3)
WRITES = st.lists(
    st.lists(st.tuples(TABLE_NAMES, KEYS, st.none() | st.binary(max_size=4)))
)


@given(WRITES)
def test_spilled_rows_behave_like_rows_in_memory(
    tmp_path_factory: pytest.TempPathFactory,
    writes: list[list[tuple[str, bytes, bytes | None]]],
) -> None:
    """After any writes, every get and every scan is the same."""
    memory = MemoryRows()
    with SpillRows(tmp_path_factory.getbasetemp()) as spilled:
        for rows in writes:
            memory.write(rows)
            spilled.write(iter(rows))
            for table, key, _ in rows:
                assert spilled.get(table, key) == memory.get(table, key)
        for table in {row[0] for rows in writes for row in rows} | {"none"}:
            assert list(spilled.scan(table)) == list(memory.scan(table))


def test_rows_beyond_the_cache_are_on_disk(tmp_path: Path) -> None:
    """More rows than the cache holds come back, and the file holds the rest."""
    value = bytes(4000)
    with SpillRows(tmp_path) as rows:
        rows._handle.all("PRAGMA cache_size = 10")
        rows.write(("t", number_hash(i), value) for i in range(3000))
        assert spilled_bytes(tmp_path) > 2500 * len(value)
        keys = [key for key, _ in rows.scan("t")]
        assert keys == sorted(number_hash(i) for i in range(3000))
        assert rows.get("t", number_hash(17)) == value


def test_no_file_is_left(tmp_path: Path) -> None:
    """The file has no name even while it is in use."""
    with SpillRows(tmp_path) as rows:
        rows.write([("t", b"a", b"1")])
        assert list(tmp_path.iterdir()) == []
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InvariantError):
        rows.get("t", b"a")


def test_two_of_them_are_apart(tmp_path: Path) -> None:
    """Each has a file of its own."""
    with SpillRows(tmp_path) as one, SpillRows(tmp_path) as other:
        one.write([("t", b"a", b"1")])
        assert other.get("t", b"a") is None


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """What cannot be made is refused by name."""
    with pytest.raises(HomeError) as caught:
        SpillRows(tmp_path / "missing")
    assert caught.value.code == "store-unreadable"
    assert "missing" in caught.value.hint


def spilled_bytes(folder: Path) -> int:
    """Add up the files of a folder that are open here but have no name."""
    total = 0
    for link in Path("/proc/self/fd").iterdir():
        try:
            name = os.readlink(link)  # noqa: PTH115
        except OSError:
            continue
        if name.startswith(f"{folder}/") and name.endswith(" (deleted)"):
            total += link.stat().st_size
    return total
