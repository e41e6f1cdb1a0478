"""An audit of the log alone: as strict on the log, silent on the store's own tables."""

from __future__ import annotations

from ledger.audit import Audit
from ledger.storage.memory import MemoryStore
from tests.story import build_story


def test_it_finds_the_same_in_a_whole_log() -> None:
    """Root, digests and signatures do not depend on what else is compared."""
    store = MemoryStore()
    build_story(store)
    whole, log = Audit(store).run(), Audit(store, log_only=True).run()
    assert whole.ok
    assert log.ok
    assert (whole.root, whole.state_digest) == (log.root, log.state_digest)
    assert whole.full_digest == log.full_digest
    assert whole.checked["signatures"] == log.checked["signatures"]


def test_only_the_whole_audit_looks_at_the_stores_own_tables() -> None:
    """An altered row of state is nothing that the log says."""
    store = MemoryStore()
    build_story(store)
    with store.transaction():
        store.rows.write([("currency", b"\xa3USD", b"\x02")])
    assert Audit(store, log_only=True).run().ok
    assert [found.code for found in Audit(store).run().problems] == ["derived-differs"]
