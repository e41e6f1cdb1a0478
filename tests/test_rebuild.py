"""Rebuilding: what is derived can be thrown away, whatever stands on the log."""

from __future__ import annotations

import pytest

from ledger.errors import UnverifiableError
from ledger.rebuild import rebuild
from ledger.replay import State
from ledger.storage.base import Store
from ledger.storage.memory import MemoryStore
from tests.story import build_story

EVERYTHING = 100_000


def derived(store: Store) -> tuple[object, ...]:
    """Give everything that can be derived."""
    return (
        State("full", store.rows).digest(),
        list(store.postings()),
        store.find_mentions("", EVERYTHING),
    )


def test_the_log_gives_back_what_the_appender_derived() -> None:
    """State, postings and mentions come out as they were taken in."""
    store = build_story(MemoryStore()).log.store
    before = derived(store)
    told: list[tuple[int, int]] = []
    done = rebuild(store, lambda part, total: told.append((part, total)))
    assert derived(store) == before
    assert done.entries == store.size()
    assert told[-1] == (store.size(), store.size())
    assert rebuild(store) == done


def test_a_failure_on_the_way_leaves_the_tables() -> None:
    """Where lines are missing nothing is derived, and nothing is lost."""
    store = build_story(MemoryStore()).log.store
    before = derived(store)

    def missing(_root: bytes, _number: int) -> None:
        return None

    store.bundle = missing  # type: ignore[assignment,method-assign]
    with pytest.raises(UnverifiableError):
        rebuild(store)
    assert derived(store) == before
