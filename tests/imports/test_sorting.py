"""Sorting in bounded memory gives what sorting in memory would."""

from __future__ import annotations

import tempfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import HomeError
from ledger.errors import InvariantError
from ledger.imports.sorting import Place
from ledger.imports.sorting import Sorter
from ledger.imports.sorting import distinct
from ledger.imports.sorting import pack
from ledger.imports.sorting import unpack


@given(st.lists(st.binary(max_size=40)), st.integers(0, 2_000))
def test_any_bound_gives_the_same_order(items: list[bytes], memory_max: int) -> None:
    """Whatever fits in memory, the items come out as `sorted` has them, twice."""
    sorter = Sorter(memory_max)
    sorter.extend(items)
    assert list(sorter) == sorted(items)
    assert list(sorter) == sorted(items)
    assert len(sorter) == len(items)


def test_runs_go_to_a_file_and_blocks_are_many() -> None:
    """Runs of more than one block merge to the whole, and readers do not meet."""
    items = [b"%06d" % (number * 7919 % 10_007) for number in range(10_007)]
    sorter = Sorter(memory_max=150_000)
    sorter.extend(items)
    assert sorter.runs == 4
    first, second = iter(sorter), iter(sorter)
    together = [next(first) for _ in range(3)] + [next(second) for _ in range(3)]
    assert together == sorted(items)[:3] * 2
    assert list(first) == sorted(items)[3:]


def test_runs_are_merged_before_they_are_too_many() -> None:
    """However many items, few runs are read at once; none is lost or doubled."""
    items = [b"%05d" % (number * 7919 % 20_011) for number in range(20_011)]
    sorter = Sorter(memory_max=0)
    sorter.extend(items)
    assert sorter.runs < 2 * 128
    assert list(sorter) == sorted(items)


def test_added_one_by_one_counts_against_the_bound() -> None:
    """Items that come singly fill the memory as those that come together do."""
    sorter = Sorter(memory_max=1_000)
    for number in range(100):
        sorter.add(b"%03d" % number)
    assert sorter.runs >= 4
    assert len(list(sorter)) == 100


def test_nothing_is_added_after_reading() -> None:
    """An item that would come too late is a bug, not a line that is lost."""
    sorter = Sorter()
    list(sorter)
    with pytest.raises(InvariantError):
        sorter.add(b"late")


def test_a_full_disk_is_said_to_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A temporary file that can't be made is no bug of ours, and says what to do."""

    def full() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(HomeError, match="No space left") as raised:
        Sorter(memory_max=0).add(b"item")
    assert raised.value.code == "disk-full"


@given(
    st.binary(max_size=300),
    st.integers(0, 2**63),
    st.integers(0, 2**63),
    st.integers(0, 2**32 - 1),
    st.binary(max_size=300),
)
def test_items_unpack_to_what_was_packed(
    key: bytes, line: int, start: int, length: int, payload: bytes
) -> None:
    """Key, place and payload come back as they were."""
    place = Place(line, start, length)
    assert unpack(pack(key, place, payload)) == (key, place, payload)


@given(st.lists(st.sampled_from([b"a\0", b"ab\0", b"b\0", b"b!\0"])))
def test_the_first_row_of_a_key_stays(keys: list[bytes]) -> None:
    """Of rows with one key the uppermost stays; all others are told with it."""
    items = [
        pack(key, Place(line, 0, 0), b"%d" % line)
        for line, key in enumerate(keys, start=1)
    ]
    doubles: list[tuple[int, int]] = []
    kept = distinct(
        sorted(items), lambda place, first: doubles.append((place.line, first.line))
    )
    first_line = {key: keys.index(key) + 1 for key in keys}
    assert [int(each) for each in kept] == [first_line[k] for k in sorted(set(keys))]
    assert sorted(doubles) == [
        (line, first_line[key])
        for line, key in enumerate(keys, start=1)
        if first_line[key] != line
    ]
