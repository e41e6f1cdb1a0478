"""The published training split, computed by code of its own (money.md §2).

The same rules hold without the data in `test_tree`, which never skips.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from ledger.accounting.tree import Basis
from ledger.accounting.tree import Cell
from ledger.accounting.tree import Distribution
from ledger.accounting.tree import Share
from ledger.accounting.tree import ShareTable
from ledger.accounting.tree import distribute
from tests.accounting import reference

FEE = 1_000_000_000_000
Split = dict[str, tuple[str, int]]


@pytest.fixture(scope="module")
def training_split(shared: Callable[[str], Path]) -> Split:
    """Recording → (artist, ms); the file is CRLF, with 6 columns or more."""
    lines = shared("jamendo/train.tsv").read_bytes().decode().split("\r\n")[1:]
    columns = [line.split("\t") for line in lines if line]
    return {
        f"jamendo:{track}": (artist, int(seconds.replace(".", "")) * 100)
        for track, artist, _, _, seconds, *_ in columns
    }


def party_of(artist: str) -> bytes:
    return sha256(artist.encode()).digest()[:16]


def distributed(training_split: Split, basis: Basis) -> Distribution:
    cells = [
        Cell(
            recording=recording,
            side="master",
            weight=ms if basis == "duration" else 1,
            works=(),
            tables=(ShareTable("", (Share(party_of(artist), 1_000_000),)),),
        )
        for recording, (artist, ms) in training_split.items()
    ]
    artists = {artist for artist, _ in training_split.values()}
    keys = {party_of(artist): f"jamendo:{artist}" for artist in artists}
    return distribute(FEE, (0, 1, 0), {"master": cells}, basis, keys.get)


def test_the_split_is_the_one_that_the_figures_are_of(training_split: Split) -> None:
    """9,949 recordings of 874 artists, all with a duration."""
    assert len(training_split) == 9_949
    assert len({artist for artist, _ in training_split.values()}) == 874
    assert min(ms for _, ms in training_split.values()) > 0


def test_per_recording_to_the_cent(training_split: Split) -> None:
    """The 3,314 lowest ids get 100.512615, the other 6,635 get 100.512614."""
    split = distributed(training_split, "per_recording")
    ids = sorted(training_split, key=str.encode)
    expected = dict.fromkeys(ids[:3_314], 100_512_615)
    expected |= dict.fromkeys(ids[3_314:], 100_512_614)
    assert {line.recording: line.gross for line in split.lines} == expected
    assert split.nodes[1].node.key == ids[3_313]


def test_artists_get_the_sum_of_their_recordings(training_split: Split) -> None:
    """Counted from the file alone."""
    ids = sorted(training_split)
    expected: Counter[bytes] = Counter()
    for place, recording in enumerate(ids):
        artist = party_of(training_split[recording][0])
        expected[artist] += 100_512_614 + (place < 3_314)
    paid: Counter[bytes] = Counter()
    for line in distributed(training_split, "per_recording").lines:
        paid[line.party] += line.gross
    assert paid == expected
    assert sum(paid.values()) == FEE


def test_by_duration(training_split: Split) -> None:
    """Ranking exact fractions of all 9,949 durations gives the same micro-units."""
    ids = sorted(training_split)
    expected = reference.divide(FEE, [training_split[each][1] for each in ids])
    lines = distributed(training_split, "duration").lines
    assert [line.recording for line in lines] == ids
    assert [line.gross for line in lines] == expected


def test_by_holder(training_split: Split) -> None:
    """874 heads: ⌊10¹²/874⌋ each, and the first of them by external id 1 µ more."""
    paid: Counter[bytes] = Counter()
    for line in distributed(training_split, "per_holder").lines:
        paid[line.party] += line.gross
    floor, extra = divmod(FEE, 874)
    artists = sorted({artist for artist, _ in training_split.values()})
    assert paid == {
        party_of(artist): floor + (place < extra)
        for place, artist in enumerate(artists)
    }
