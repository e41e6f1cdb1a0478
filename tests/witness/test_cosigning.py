"""A witness signs one history of a log, forwards in size and time, and forgets none."""

from __future__ import annotations

import errno
import multiprocessing
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from ledger.errors import HomeError
from ledger.errors import InputError
from ledger.errors import LedgerError
from ledger.errors import VerificationError
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import parse_checkpoint
from ledger.tlog.checkpoint import sign_checkpoint
from ledger.tlog.cosignature import cosignature_time
from ledger.tlog.cosignature import merge_signatures
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.note import Note
from ledger.tlog.note import Signature
from ledger.tlog.note import format_note
from ledger.tlog.note import open_note
from ledger.tlog.note import parse_note
from ledger.tlog.witness_messages import AddCheckpoint
from ledger.witness import cosigning
from ledger.witness.cosigning import CLOCK_SLACK_S
from ledger.witness.cosigning import StaleError
from ledger.witness.cosigning import Witness
from ledger.witness.folder import add_log
from ledger.witness.folder import last_checkpoint
from ledger.witness.folder import logs_of
from ledger.writer import boot_id
from tests.witness.logs import NOW_S
from tests.witness.logs import ORIGIN
from tests.witness.logs import Clock
from tests.witness.logs import GrowingLog
from tests.witness.logs import make_witness

LOG = GrowingLog()
HASH = sha256(ORIGIN.encode()).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "witness"


@pytest.fixture
def witness(folder: Path) -> Witness:
    return make_witness(folder, LOG)


def last_size(witness: Witness) -> int:
    note = parse_note(last_checkpoint(witness.folder, HASH))
    return parse_checkpoint(note.text).size


def refusal(witness: Witness, request: AddCheckpoint) -> str:
    with pytest.raises(LedgerError) as error:
        witness.add_checkpoint(request)
    return error.value.code


def test_what_continues_the_last_checkpoint_is_cosigned(witness: Witness) -> None:
    """Every step from nothing on is cosigned, at the time that it is."""
    for old, new in ((0, 0), (0, 1), (1, 1), (1, 5), (5, 8), (8, 300)):
        cosignature = witness.add_checkpoint(LOG.request(old, new))
        merged = merge_signatures(LOG.checkpoint(new), [cosignature])
        opened = open_note(merged, [LOG.vkey, witness.vkey])
        assert set(opened.verified) == {LOG.vkey, witness.vkey}
        assert cosignature_time(cosignature) == NOW_S
        assert last_checkpoint(witness.folder, HASH) == merged


def test_a_log_starts_where_it_likes(witness: Witness) -> None:
    """The first checkpoint seen needs no proof, whatever its size."""
    witness.add_checkpoint(LOG.request(0, 77))
    assert last_size(witness) == 77


@pytest.mark.parametrize(("old", "new"), [(0, 9), (3, 9), (7, 9), (9, 9)])
def test_a_request_starts_at_the_last_size(
    witness: Witness, old: int, new: int
) -> None:
    """Any other old size is answered with the right one, and changes nothing."""
    witness.add_checkpoint(LOG.request(0, 6))
    with pytest.raises(StaleError) as error:
        witness.add_checkpoint(LOG.request(old, new))
    assert error.value.size == 6
    assert last_size(witness) == 6


def test_a_rollback_is_never_cosigned(witness: Witness) -> None:
    """An older checkpoint of the same history finds no old size to start from."""
    witness.add_checkpoint(LOG.request(0, 6))
    for old in range(5):
        assert refusal(witness, LOG.request(old, 4)) == "stale-size"
    smaller = AddCheckpoint(6, (), LOG.checkpoint(4))
    assert refusal(witness, smaller) == "bad-consistency-proof"
    assert last_size(witness) == 6


@pytest.mark.parametrize("size", [6, 7, 12])
def test_a_fork_is_never_cosigned(witness: Witness, size: int) -> None:
    """Another history has no proof that holds, whatever proof is sent."""
    witness.add_checkpoint(LOG.request(0, 6))
    fork = GrowingLog("other", 5)
    for proof in (fork.prove(6, size), LOG.prove(6, size), (), (bytes(32),)):
        asked = AddCheckpoint(6, proof, fork.checkpoint(size))
        assert refusal(witness, asked) == "bad-consistency-proof"
    assert last_size(witness) == 6


def test_a_proof_from_nothing_has_to_be_empty(witness: Witness) -> None:
    """Hashes that prove nothing are refused rather than passed over."""
    asked = AddCheckpoint(0, (bytes(32),), LOG.checkpoint(3))
    assert refusal(witness, asked) == "bad-consistency-proof"


def test_the_empty_tree_has_one_root(witness: Witness) -> None:
    """Size zero with another root is refused."""
    signed = sign_checkpoint(Checkpoint(ORIGIN, 0, bytes(32)), ORIGIN, LOG.key)
    assert refusal(witness, AddCheckpoint(0, (), signed)) == "bad-consistency-proof"
    assert logs_of(witness.folder)[0].checkpoint is None
    assert not logs_of(witness.folder)[0].forked


def test_a_fork_leaves_its_evidence(witness: Witness) -> None:
    """Two trees of one size under one key: the first is kept, whatever was asked."""
    witness.add_checkpoint(LOG.request(0, 6))
    forks = [GrowingLog(word, 2) for word in ("other", "third")]
    assert refusal(witness, forks[0].request(3, 6)) == "stale-size"
    assert refusal(witness, forks[1].request(6, 6)) == "bad-consistency-proof"
    kept = next(witness.folder.glob("logs/*/fork"))
    assert kept.read_text() == forks[0].checkpoint(6)
    assert logs_of(witness.folder)[0].forked
    witness.add_checkpoint(LOG.request(6, 7))


def test_only_the_log_s_own_key_counts(witness: Witness) -> None:
    """A stranger's signature under the log's name gets no cosignature."""
    stranger = GrowingLog(seed=bytes([9]) * 32)
    assert refusal(witness, stranger.request(0, 3)) == "not-signed"
    note = parse_note(LOG.checkpoint(3))
    broken = Signature(ORIGIN, note.signatures[0].key_id, bytes(64))
    both = format_note(Note(note.text, (*note.signatures, broken)))
    assert refusal(witness, AddCheckpoint(0, (), both)) == "bad-signature"
    assert logs_of(witness.folder)[0].checkpoint is None


def test_a_log_that_nobody_added_is_unknown(witness: Witness) -> None:
    """Another origin is refused, also where the key is one that is known."""
    other = GrowingLog(origin="b.example")
    assert refusal(witness, other.request(0, 3)) == "log-unknown"
    with pytest.raises(InputError):
        last_checkpoint(witness.folder, sha256(b"b.example").hexdigest())


@pytest.mark.parametrize("path", ["../vkey", "", HASH.upper(), HASH[:-1], f"{HASH}/"])
def test_only_a_hash_names_a_checkpoint(witness: Witness, path: str) -> None:
    """Nothing else in the folder can be read by asking."""
    witness.add_checkpoint(LOG.request(0, 1))
    with pytest.raises(InputError, match="no checkpoint"):
        last_checkpoint(witness.folder, path)


def test_signatures_of_strangers_are_left_out(witness: Witness) -> None:
    """What is kept and served bears the log's signature and the witness's alone."""
    note = parse_note(LOG.checkpoint(3))
    stranger = Signature("x.example", b"1234", b"whatever")
    mixed = format_note(Note(note.text, (stranger, *note.signatures)))
    cosignature = witness.add_checkpoint(AddCheckpoint(0, (), mixed))
    kept = parse_note(last_checkpoint(witness.folder, HASH))
    assert kept.signatures == (*note.signatures, cosignature)


def note_text(log: GrowingLog, size: int) -> str:
    return parse_note(log.checkpoint(size)).text


def test_a_witness_does_not_witness_itself_or_others(witness: Witness) -> None:
    """Keys that cosign, and the witness's own, are no keys of logs."""
    for vkey in (witness.vkey, replace(LOG.vkey, public=witness.vkey.public)):
        with pytest.raises(InputError) as error:
            add_log(witness.folder, vkey)
        assert error.value.code == "not-a-log-key"


def test_time_never_goes_back(folder: Path) -> None:
    """A clock set back a little is waited out; one set back far is not believed."""
    clock = Clock()
    witness = make_witness(folder, LOG, clock=clock)
    times = []
    for size, time_s in enumerate((NOW_S, NOW_S - CLOCK_SLACK_S, NOW_S + 5)):
        clock.time_s = time_s
        cosignature = witness.add_checkpoint(LOG.request(max(0, size - 1), size))
        times.append(cosignature_time(cosignature))
    assert times == [NOW_S, NOW_S, NOW_S + 5]
    clock.time_s = NOW_S + 4 - CLOCK_SLACK_S
    assert refusal(witness, LOG.request(2, 3)) == "clock-went-back"
    assert last_size(witness) == 2


def test_a_new_process_goes_on_where_the_last_one_was(
    witness: Witness, folder: Path
) -> None:
    """All that a witness knows is in its folder."""
    witness.add_checkpoint(LOG.request(0, 6))
    again = Witness(folder, SigningKey(bytes([201]) * 32), Clock())
    assert refusal(again, LOG.request(0, 7)) == "stale-size"
    again.add_checkpoint(LOG.request(6, 7))


def test_a_key_that_is_another_s_is_refused(witness: Witness, folder: Path) -> None:
    """A witness under its name signs with its own key or not at all."""
    with pytest.raises(HomeError) as error:
        Witness(folder, LOG.key)
    assert error.value.code == "wrong-witness-key"


@pytest.mark.parametrize("name", ["checkpoint", "vkeys"])
@pytest.mark.parametrize("place", [0, 10, 30, -10])
def test_a_damaged_folder_cosigns_nothing(
    witness: Witness, name: str, place: int
) -> None:
    """A state in which a byte was changed is not built upon."""
    witness.add_checkpoint(LOG.request(0, 6))
    path = next(witness.folder.glob(f"logs/*/{name}"))
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= 1
    path.write_bytes(data)
    assert refusal(witness, LOG.request(6, 7)) in {"witness-damaged", "not-signed"}


@pytest.mark.parametrize("good_syncs", [0, 1])
def test_nothing_is_answered_before_it_is_durable(
    witness: Witness, good_syncs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the file, or then its name, is not synced, all cosigning ends."""
    witness.add_checkpoint(LOG.request(0, 6))
    sync = os.fsync
    left = [sync] * good_syncs

    def fail(handle: int) -> None:
        if not left:
            raise OSError(errno.EIO, "Input/output error")
        left.pop()(handle)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail)
        patched.setattr(cosigning, "mark_poisoned", poison)
        assert refusal(witness, LOG.request(6, 7)) == "sync-failed"
    assert refusal(witness, LOG.request(last_size(witness), 8)) == "home-poisoned"


def poison(folder: Path, boot: str, reason: str) -> None:
    """Mark a folder although no sync succeeds."""
    (folder / "poisoned").write_text(f"poisoned\n{boot}\n{reason}\n")


def test_after_a_failed_sync_it_takes_a_restart(
    witness: Witness, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the machine has restarted, what the disk holds is what counts."""
    witness.add_checkpoint(LOG.request(0, 6))
    poison(folder, boot_id(), "a disk")
    key = SigningKey(bytes([201]) * 32)
    with pytest.raises(HomeError, match="not to be trusted"):
        Witness(folder, key)
    monkeypatch.setattr(cosigning, "boot_id", lambda: "another")
    Witness(folder, key, Clock()).add_checkpoint(LOG.request(6, 7))
    assert not (folder / "poisoned").exists()


def test_a_full_disk_is_over_when_there_is_space(
    witness: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was replaced: the same request is cosigned later."""

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(cosigning, "write_durably", fail)
        assert refusal(witness, LOG.request(0, 6)) == "persist-failed"
    witness.add_checkpoint(LOG.request(0, 6))


@pytest.mark.parametrize("after", ["before the rename", "after the rename"])
def test_a_crash_between_persisting_and_answering_loses_nothing(
    witness: Witness, after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed on either side of the rename, the log asks again and gets its answer."""
    witness.add_checkpoint(LOG.request(0, 6))
    dies = os.fork()
    if dies == 0:
        replace_file = Path.replace

        def kill(self: Path, target: Path) -> Path:
            if after == "after the rename":
                replace_file(self, target)
            os._exit(9)

        monkeypatch.setattr(Path, "replace", kill)
        witness.add_checkpoint(LOG.request(6, 9))
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(dies, 0)[1]) == 9
    known = 9 if after == "after the rename" else 6
    assert last_size(witness) == known
    fork = GrowingLog("other", 5)
    assert refusal(witness, fork.request(known, 9)) == "bad-consistency-proof"
    witness.add_checkpoint(LOG.request(known, 9))


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_of_forks_sent_at_once_exactly_one_wins(
    witness: Witness, folder: Path, kind: str
) -> None:
    """Whoever comes second, in this process or another, meets what was written."""
    witness.add_checkpoint(LOG.request(0, 6))
    words = [f"word {number}" for number in range(8)]
    if kind == "threads":
        with ThreadPoolExecutor(8) as pool:
            won = list(pool.map(attempt, [folder] * 8, words))
    else:
        with multiprocessing.get_context("fork").Pool(4) as processes:
            won = processes.starmap(attempt, [(folder, word) for word in words])
    assert sorted(won) == [False] * 7 + [True]
    winner = GrowingLog(words[won.index(True)], 6)
    note = parse_note(last_checkpoint(folder, HASH))
    assert note.text == note_text(winner, 9)


def attempt(folder: Path, word: str) -> bool:
    """Ask for one history; tell whether it was cosigned."""
    witness = Witness(folder, SigningKey(bytes([201]) * 32), Clock())
    try:
        witness.add_checkpoint(GrowingLog(word, 6).request(6, 9))
    except (StaleError, VerificationError):
        return False
    return True
