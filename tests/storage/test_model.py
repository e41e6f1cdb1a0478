"""SQLite and memory side by side: the same calls, the same answers and refusals."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine
from hypothesis.stateful import invariant
from hypothesis.stateful import rule

from ledger.errors import LedgerError
from ledger.storage.base import Store
from ledger.storage.memory import MemoryStore
from ledger.storage.sqlite import SqliteStore
from tests.storage.samples import ANNA
from tests.storage.samples import BERIT
from tests.storage.samples import TABLES
from tests.storage.samples import bundle_hashes
from tests.storage.samples import contents
from tests.storage.samples import entry
from tests.storage.samples import mention
from tests.storage.samples import posting

SMALL = st.integers(0, 3)
ROOTS = SMALL.map(lambda i: bytes([i]) * 32)
PARTIES = st.sampled_from([ANNA, BERIT, None])


class TwoStores(RuleBasedStateMachine):
    """Every step is done twice; codes of errors are answers too."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.database = SqliteStore.create(Path(self.folder.name))
        self.memory = MemoryStore()

    def teardown(self) -> None:
        self.database.close()
        self.folder.cleanup()

    def both(self, step: Callable[[Store], object]) -> None:
        assert answer(step, self.database) == answer(step, self.memory)

    @rule()
    def begin(self) -> None:
        self.both(lambda store: store.begin())

    @rule()
    def commit(self) -> None:
        self.both(lambda store: store.commit())

    @rule()
    def rollback(self) -> None:
        self.both(lambda store: store.rollback())

    @rule(count=st.integers(0, 20), skip=st.sampled_from([0, 0, 0, 1]), double=SMALL)
    def add_entries(self, count: int, skip: int, double: int) -> None:
        first = self.memory.size() + skip
        batch = [entry(index) for index in range(first, first + count)]
        if double == 1 and batch:
            batch[-1] = entry(batch[-1].index, seq=0)
        self.both(lambda store: store.add_entries(batch))

    @rule(old=st.sampled_from([None, "a", "b"]), new=st.sampled_from(["a", "b"]))
    def swap_checkpoint(self, old: str | None, new: str) -> None:
        self.both(lambda store: store.swap_checkpoint(old, new))

    @rule(root=ROOTS, n=SMALL, width=st.sampled_from([256, 256, 3]))
    def put_bundle(self, root: bytes, n: int, width: int) -> None:
        hashes = bundle_hashes(n, width)
        self.both(lambda store: store.put_bundle(root, n, b"%d" % n, hashes))
        self.both(lambda store: store.manifest_nodes(root, [(8, n)]))

    @rule(root=ROOTS, info=st.binary(max_size=2))
    def add_manifest(self, root: bytes, info: bytes) -> None:
        self.both(lambda store: store.add_manifest(root, info))

    @rule(
        rows=st.lists(
            st.tuples(
                st.sampled_from(TABLES),
                st.binary(max_size=1),
                st.none() | st.binary(max_size=2),
            )
        )
    )
    def write_rows(self, rows: list[tuple[str, bytes, bytes | None]]) -> None:
        self.both(lambda store: store.rows.write(rows))

    @rule(legs=st.lists(st.tuples(st.integers(0, 9), SMALL, PARTIES), max_size=3))
    def add_postings(self, legs: list[tuple[int, int, bytes | None]]) -> None:
        postings = [posting(index, leg, party=party) for index, leg, party in legs]
        self.both(lambda store: store.add_postings(postings))

    @rule(index=st.integers(0, 9), value=st.sampled_from([ANNA.hex(), "SE", "SEA"]))
    def add_mentions(self, index: int, value: str) -> None:
        mentions = [mention(index, value, what) for what in ("party", "isrc")]
        self.both(lambda store: store.add_mentions(mentions))

    @rule()
    def clear_derived(self) -> None:
        self.both(lambda store: store.clear_derived())

    @invariant()
    def same_contents(self) -> None:
        assert contents(self.database) == contents(self.memory)


def answer(step: Callable[[Store], object], store: Store) -> object:
    try:
        return step(store)
    except LedgerError as error:
        # Half of a failed write may show until the rollback that must follow.
        if error.code not in {"transaction-missing", "transaction-nested"}:
            store.rollback()
        return error.code


TestTwoStores = TwoStores.TestCase
TestTwoStores.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None, database=None
)
