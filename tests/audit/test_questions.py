"""The tables for questions: what statements and searches read is what the log gives."""

from __future__ import annotations

import msgspec
import pytest

from ledger.storage.base import Mention
from tests.audit.logs import Published
from tests.audit.logs import codes
from tests.replay.world import ANNA
from tests.replay.world import BERT

FOUND = ["derived-differs", "missing-role"]
"""What the log on which every kind was said has, and what is to be found."""


def test_a_payment_explained_to_another_party_is_found(log: Published) -> None:
    """Two postings that exchange their parties keep every sum and are found."""
    kept = log.store._postings
    (anna, bert, *_) = (
        next(key for key, row in kept.items() if row.party == party)
        for party in (ANNA, BERT)
    )
    kept[anna] = msgspec.structs.replace(kept[anna], party=BERT)
    kept[bert] = msgspec.structs.replace(kept[bert], party=ANNA)
    assert codes(log.audit()) == FOUND


@pytest.mark.parametrize("place", [0, 7, -1])
def test_a_missing_posting_is_found(log: Published, place: int) -> None:
    """Every posting has to be there."""
    del log.store._postings[sorted(log.store._postings)[place]]
    assert codes(log.audit()) == FOUND


@pytest.mark.parametrize("place", [0, 7, -1])
def test_a_missing_search_word_is_found(log: Published, place: int) -> None:
    """Every word by which an entry is found has to be there."""
    del log.store._mentions[sorted(log.store._mentions)[place]]
    assert codes(log.audit()) == FOUND


def test_a_search_word_too_many_is_found(log: Published) -> None:
    """Nothing is found by a word that its entry does not hold."""
    with log.store.transaction():
        log.store.add_mentions([Mention("demo:a", "recording", 0, "genesis")])
    assert codes(log.audit()) == FOUND
