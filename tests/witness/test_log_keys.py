"""A witness demands every key of a log that it lists, and follows it to another."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from ledger.errors import InputError
from ledger.storage.lock import waiting_lock
from ledger.tlog.checkpoint import parse_checkpoint
from ledger.tlog.checkpoint import sign_checkpoint
from ledger.tlog.note import open_note
from ledger.tlog.witness_messages import AddCheckpoint
from ledger.witness import cosigning
from ledger.witness.cosigning import Witness
from ledger.witness.folder import add_log
from ledger.witness.folder import last_checkpoint
from ledger.witness.folder import logs_of
from tests.witness.logs import ORIGIN
from tests.witness.logs import GrowingLog
from tests.witness.logs import make_witness
from tests.witness.test_cosigning import HASH
from tests.witness.test_cosigning import last_size
from tests.witness.test_cosigning import note_text
from tests.witness.test_cosigning import refusal

LOG = GrowingLog()
SECOND = GrowingLog(seed=bytes([7]) * 32)
"""The same log under its second key."""


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return make_witness(tmp_path / "witness", LOG)


def by_both(old_size: int, size: int, log: GrowingLog = LOG) -> AddCheckpoint:
    """Ask with the signatures of both keys."""
    new = parse_checkpoint(note_text(log, size))
    both = sign_checkpoint(new, ORIGIN, LOG.key, SECOND.key)
    return AddCheckpoint(old_size, log.prove(old_size, size), both)


def test_of_two_keys_both_have_to_sign(witness: Witness) -> None:
    """While a key is rotated neither is enough, and what both signed is kept so."""
    assert add_log(witness.folder, SECOND.vkey)
    assert not add_log(witness.folder, SECOND.vkey)
    assert logs_of(witness.folder)[0].vkeys == (LOG.vkey, SECOND.vkey)
    for one in (LOG, SECOND):
        assert refusal(witness, one.request(0, 3)) == "not-signed"
    witness.add_checkpoint(by_both(0, 5))
    kept = open_note(last_checkpoint(witness.folder, HASH), [LOG.vkey, SECOND.vkey])
    assert len(kept.verified) == 2


def test_a_rotation_leaves_no_gap(witness: Witness) -> None:
    """One key listed is enough while both sign; then the other takes its place."""
    witness.add_checkpoint(LOG.request(0, 3))
    witness.add_checkpoint(by_both(3, 4))
    assert add_log(witness.folder, SECOND.vkey, instead_of=LOG.vkey)
    assert logs_of(witness.folder)[0].vkeys == (SECOND.vkey,)
    witness.add_checkpoint(by_both(4, 5))
    witness.add_checkpoint(SECOND.request(5, 6))
    assert last_size(witness) == 6


@pytest.mark.parametrize("listed", ["both", "the new one"])
def test_a_retired_key_that_was_stolen_signs_nothing(
    listed: str, witness: Witness
) -> None:
    """Its thief goes on from the newest checkpoint, and gets nowhere."""
    witness.add_checkpoint(LOG.request(0, 3))
    add_log(witness.folder, SECOND.vkey, None if listed == "both" else LOG.vkey)
    witness.add_checkpoint(by_both(3, 5))
    thief = GrowingLog("stolen", 5)
    assert refusal(witness, thief.request(5, 9)) == "not-signed"
    assert refusal(witness, thief.request(5, 5)) == "not-signed"
    assert not logs_of(witness.folder)[0].forked
    add_log(witness.folder, SECOND.vkey, LOG.vkey if listed == "both" else None)
    witness.add_checkpoint(SECOND.request(5, 7))


def test_a_request_that_waits_meets_the_keys_of_its_turn(
    witness: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once a key was replaced, nothing that it signed alone is cosigned any more."""
    lock = waiting_lock

    def replaced_meanwhile(path: Path) -> AbstractContextManager[None]:
        add_log(witness.folder, SECOND.vkey, instead_of=LOG.vkey)
        return lock(path)

    monkeypatch.setattr(cosigning, "waiting_lock", replaced_meanwhile)
    assert refusal(witness, LOG.request(0, 3)) == "not-signed"


def test_only_a_key_that_is_there_is_replaced(witness: Witness) -> None:
    """Neither a stranger's nor another log's, and then nothing changes."""
    other = GrowingLog(origin="b.example")
    add_log(witness.folder, other.vkey)
    for old in (SECOND.vkey, other.vkey):
        with pytest.raises(InputError) as error:
            add_log(witness.folder, SECOND.vkey, instead_of=old)
        assert error.value.code == "key-not-listed"
    assert [log.vkeys for log in logs_of(witness.folder)] == [
        (LOG.vkey,),
        (other.vkey,),
    ]
