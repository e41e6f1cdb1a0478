"""Balances now and at any past size, as the documented JSON."""

from __future__ import annotations

import json

import pytest

from ledger.errors import InputError
from ledger.events import terms
from ledger.query import Reader
from ledger.storage.memory import MemoryStore
from tests.story import Story
from tests.story import build_story
from tests.story import steps


def test_balances_are_the_documented_json(reader: Reader) -> None:
    """The document has the fields of the interface, in integers, and adds up."""
    document = reader.balances()
    assert json.loads(json.dumps(document)) == document
    assert set(document) == {"size", "currency", "balances", "suspense"}
    assert document["currency"] == {"SEK": 2}
    for row in document["balances"]:
        assert list(row) == [
            *("party", "external", "currency"),
            *("credited", "paid", "payable", "held"),
        ]
        assert row["credited"] - row["paid"] == row["payable"]
    (waiting,) = document["suspense"]
    assert waiting == {
        "recording": "demo:r000006",
        "side": "master",
        "currency": "SEK",
        "amount": 71_428_571_428,
    }


def test_balances_at_every_size_are_those_of_the_time(
    reader: Reader, story: Story
) -> None:
    """Going back replays: before the distribution nothing, after it the nets."""
    now = reader.balances()
    assert reader.balances(at=reader.size) == now
    assert reader.balances(at=0) == {
        "size": 0,
        "currency": {},
        "balances": [],
        "suspense": [],
    }
    sums = [
        sum(row["payable"] for row in reader.balances(at=size)["balances"])
        for size in range(reader.size + 1)
    ]
    given, paid = story.at["distribution"], story.at["payout"]
    assert set(sums[: given + 1]) == {0}
    assert sums[given + 1] == sums[paid] == 755_485_714_292
    assert sums[paid + 1] == sums[-1] == sum(r["payable"] for r in now["balances"])
    credited = reader.balances(at=given + 1)["balances"]
    assert [r["credited"] for r in credited] == [r["credited"] for r in now["balances"]]


def test_balances_without_a_folder_for_rows_are_the_same(reader: Reader) -> None:
    """A replay in memory comes to the same document."""
    story = build_story(MemoryStore())
    with Reader(story.log.store) as other:
        assert other.balances(at=21) == reader.balances(at=21)


def test_money_of_a_pool_without_recordings_waits_for_the_pool() -> None:
    """A weighted side that nothing is licensed for waits with the pool's id."""
    story = build_story(MemoryStore())
    sides = {"composition": 1, "master": 1, "performer": 0}
    plain = {f: getattr(steps.scheme(), f) for f in terms.Scheme.__struct_fields__}
    chosen = terms.Scheme(**{**plain, "sides": terms.SideWeights(**sides)})
    licence = steps.license_lab(story, chosen, ["composition", "master"])
    steps.earn(story, "run-2", licence)
    with Reader(story.log.store) as asked:
        waiting = [row for row in asked.balances()["suspense"] if "pool" in row]
    assert [(row["currency"], row["amount"]) for row in waiting] == [
        ("SEK", 500_000_000_000)
    ]
    assert len(waiting[0]["pool"]) == 32


@pytest.mark.parametrize("size", [-1, 24, 2**70])
def test_a_size_beyond_the_log_is_refused(size: int, reader: Reader) -> None:
    """There is no balance of the future, nor before the beginning."""
    with pytest.raises(InputError) as error:
        reader.balances(at=size)
    assert error.value.code == "size-ahead"
