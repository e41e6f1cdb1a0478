"""No entry is taken away, put in, moved or signed again unseen."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from ledger.anchor import Anchor
from ledger.audit import Audit
from ledger.entry.envelope import EVENT_TAG
from ledger.entry.envelope import Entry
from ledger.entry.envelope import decode_entry
from ledger.entry.envelope import decode_event
from ledger.entry.envelope import encode_event
from ledger.entry.verify import key_id
from ledger.events.identity import Accredit
from ledger.publish import publish
from ledger.rebuild import rebuild
from ledger.storage.memory import MemoryStore
from ledger.tlog.ed25519 import SigningKey
from tests.audit.logs import Published
from tests.audit.logs import codes
from tests.audit.logs import published
from tests.audit.logs import relink
from tests.audit.logs import signed_event
from tests.replay import rotation
from tests.replay.making import ORIGIN
from tests.replay.making import genesis
from tests.replay.making import signing_key
from tests.replay.world import World

STRANGER = SigningKey(b"stranger".ljust(32))
CUT = 40
"""Somewhere in the middle of the long log."""


def test_an_honest_log_passes(log: Published) -> None:
    """What nobody touched is whole, checked in every part, and nothing is missing."""
    report = log.audit()
    assert (report.exit_code, report.missing) == (0, [])
    assert report.size == log.store.size() == report.checked["entries"]
    assert report.checked["signatures"] == report.size
    assert report.checked["checkpoints"] == 2, "the newest and a handover"
    assert report.checked["manifests"] == 14
    assert report.full_digest != report.state_digest


@pytest.mark.parametrize("index", [0, 1, CUT, 70])
def test_a_deleted_entry_is_found(log: Published, index: int) -> None:
    """An entry that is gone leaves a gap at its index."""
    leaves = log.leaves()
    del leaves[index]
    log.put_leaves(leaves)
    report = log.audit()
    assert report.exit_code == 4
    expected = "log-truncated" if index == len(leaves) else "wrong-index"
    assert codes(report)[0] == expected


def test_a_deleted_entry_is_found_though_the_chain_was_mended(log: Published) -> None:
    """With new indexes and hashes, its author's own chain still shows the gap."""
    leaves = log.leaves()
    del leaves[CUT]
    log.put_leaves(relink(leaves))
    report = log.audit()
    assert report.exit_code == 4
    assert {"log-truncated", "derived-differs", "tile-mismatch"} <= set(codes(report))
    assert {"out-of-sequence", "seen-unknown"} & set(codes(report))


def test_swapped_entries_are_found(log: Published) -> None:
    """Two neighbours in the other order break the chain, mended or not."""
    leaves = log.leaves()
    leaves[CUT : CUT + 2] = leaves[CUT + 1], leaves[CUT]
    log.put_leaves(leaves)
    assert codes(log.audit())[0] == "wrong-index"
    log.put_leaves(relink(leaves))
    assert log.audit().exit_code == 4


def test_a_doubled_entry_is_found(log: Published) -> None:
    """An entry that stands twice is one too many, mended or not."""
    leaves = log.leaves()
    leaves.insert(CUT, leaves[CUT])
    log.put_leaves(leaves)
    assert codes(log.audit())[0] == "wrong-index"
    log.put_leaves(relink(leaves))
    assert "out-of-sequence" in codes(log.audit())


@pytest.mark.parametrize("size", [0, 1, CUT, 70])
def test_a_truncated_log_is_found(log: Published, size: int) -> None:
    """A log shorter than its checkpoint has lost entries, or all of them."""
    log.put_leaves(log.leaves()[:size])
    report = log.audit()
    assert report.exit_code == 4
    assert "log-truncated" in codes(report)


def test_a_truncated_log_is_found_whatever_was_acknowledged(log: Published) -> None:
    """Acknowledged problems don't hide what is gone, nor do rebuilt tables."""
    assert [found.open for found in log.audit().problems] == [False]
    log.put_leaves(log.leaves()[:CUT])
    with log.store.transaction():
        log.store.clear_derived()
    rebuild(log.store)
    report = Audit(log.store, workers=0).run()
    # The heads of keys' chains, too, are further than the log.
    found = [found.code for found in report.problems if found.open]
    assert found == ["log-truncated", "index-differs"]


def test_a_splice_from_another_log_is_found(log: Published) -> None:
    """Entries of another log, linked in, are not signed for this one."""
    other = World(empty=True)
    other.operator.rule("genesis", genesis(origin="other.example/log"))
    other.add_key(other.operator, other.operator.sign, "sign")
    foreign = list(other.store.leaves(0, 2))
    leaves = log.leaves()
    log.put_leaves(relink([*leaves[:1], foreign[1], *leaves[2:]]))
    report = log.audit()
    assert report.exit_code == 4
    assert "wrong-log" in codes(report)


def test_an_entry_signed_by_another_key_is_found(log: Published) -> None:
    """Whoever rewrites an event cannot sign it for its author."""
    leaves = log.leaves()
    entry = decode_entry(leaves[CUT])
    resigned = STRANGER.sign(EVENT_TAG + entry.event)

    def resign(index: int, entry: Entry) -> Entry:
        if index != CUT:
            return entry
        return msgspec.structs.replace(entry, signature=resigned)

    log.put_leaves(relink(leaves, resign))
    (found, *_) = log.audit().problems
    assert (found.index, found.code) == (CUT, "bad-signature")


def test_an_event_rewritten_under_a_registered_key_is_found(log: Published) -> None:
    """The operator's own key can't put words into another party's mouth."""
    leaves = log.leaves()
    event = decode_event(decode_entry(leaves[CUT]).event)
    operator = signing_key("operatorsign")
    forged = msgspec.structs.replace(event, key=key_id(operator.public))
    data = encode_event(forged)

    def forge(index: int, entry: Entry) -> Entry:
        if index != CUT:
            return entry
        signature = operator.sign(EVENT_TAG + data)
        return msgspec.structs.replace(entry, event=data, signature=signature)

    log.put_leaves(relink(leaves, forge))
    report = log.audit()
    assert report.exit_code == 4
    assert any(found.index == CUT for found in report.problems)


def test_a_log_rewritten_by_all_its_keys_is_found(log: Published) -> None:
    """With every key stolen, the tree still is not the one that was published."""
    world = World()
    rotation.add(world)
    rotation.retire(world)
    while world.log.size <= log.store.size():
        world.accredit(world.guest, "auditor")
        withdraw = Accredit(action="withdraw", party=world.guest.party, role="auditor")
        world.operator.say("accredit", withdraw)
    assert isinstance(world.store, MemoryStore)
    world.store._checkpoint = dict(log.store._checkpoint)
    report = Published(world.store, log.public).audit()
    assert {"root-mismatch", "tile-mismatch", "bundle-mismatch"} <= set(codes(report))


@pytest.mark.parametrize(
    ("name", "key"), [(ORIGIN, STRANGER), ("other.example/log", signing_key("log"))]
)
def test_a_checkpoint_of_another_key_or_origin_is_found(
    log: Published, name: str, key: SigningKey
) -> None:
    """Only the key and the origin that genesis names sign checkpoints."""
    log.store._checkpoint.clear()
    publish(log.store, log.public, name, [key], Anchor(log.public.with_name("other")))
    assert "bad-checkpoint" in codes(log.audit())


def test_a_checkpoint_that_the_store_forgot_is_found(log: Published) -> None:
    """A store that knows of no checkpoint has lost the one that is published."""
    log.store._checkpoint.clear()
    assert "checkpoint-differs" in codes(log.audit())


def test_an_older_public_checkpoint_is_found(small: Published, tmp_path: Path) -> None:
    """The public copy is the checkpoint that was signed last, and no other."""
    again = World(empty=True)
    for leaf in small.leaves()[:2]:
        again.smuggle(signed_event(leaf), time_ms=decode_entry(leaf).time)
    shorter = published(again, tmp_path / "shorter")
    older = (shorter.public / "checkpoint").read_bytes()
    (small.public / "checkpoint").write_bytes(older)
    assert codes(small.audit()) == ["checkpoint-differs"]


def test_no_checkpoint_yet_leaves_something_to_verify(small: Published) -> None:
    """A log that never published verifies, but for what nobody has signed."""
    small.store._checkpoint.clear()
    report = Audit(small.store, workers=0).run()
    assert (report.ok, report.exit_code) == (True, 5)
    assert report.missing == ["no checkpoint has been published yet"]


def test_a_log_goes_on_after_its_checkpoint(tmp_path: Path) -> None:
    """Entries newer than the checkpoint are verified; the old tree still holds."""
    world = World()
    log = published(world, tmp_path / "public")
    world.accredit(world.guest, "auditor")
    report = log.audit()
    assert report.exit_code == 0
    assert report.size == world.log.size


def test_an_empty_log_has_nothing_to_verify() -> None:
    """Before genesis there is no log, and nothing is wrong with that."""
    report = Audit(MemoryStore(), workers=0).run()
    assert (report.ok, report.size, report.problems) == (True, 0, [])


def test_a_genesis_that_no_level_allows_is_found() -> None:
    """A log that starts out wrong is no log; the audit says so and ends."""
    world = World(empty=True)
    key = world.operator.root
    signed = world.event(world.operator, "genesis", genesis(level=2), key=key)
    _, new = world._entry(signed, world.now_ms)
    with world.store.transaction():
        world.store.add_entries([new])
    report = world.audit()
    assert codes(report)[0] == "level-unknown"
    assert report.exit_code == 4
