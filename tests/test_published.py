"""The published checkpoint: never older than it was, cosigned by whoever did."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from ledger.published import add_cosignatures
from ledger.published import put_checkpoint
from ledger.published import put_missed
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import sign_checkpoint
from ledger.tlog.cosignature import cosign
from ledger.tlog.cosignature import merge_signatures
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.note import Note
from ledger.tlog.note import format_note
from ledger.tlog.note import parse_note

LOG = SigningKey(bytes(32))


@pytest.fixture
def public(tmp_path: Path) -> Path:
    folder = tmp_path / "public"
    folder.mkdir()
    return folder


def signed(size: int) -> str:
    return sign_checkpoint(Checkpoint("a.example", size, bytes(32)), "a.example", LOG)


def cosigned(size: int, witness: int, time_s: int = 1) -> str:
    text = signed(size)
    key = SigningKey(bytes([witness]) * 32)
    cosignature = cosign(parse_note(text).text, f"w{witness}.example", key, time_s)
    return merge_signatures(text, [cosignature])


def published(public: Path) -> str:
    return (public / "checkpoint").read_text(encoding="utf-8")


def names(public: Path) -> list[str]:
    return [each.name for each in parse_note(published(public)).signatures]


def test_cosignatures_gather_and_stay(public: Path) -> None:
    """Each witness's line is added behind the log's; publishing again drops none."""
    put_checkpoint(public, signed(1))
    assert published(public) == signed(1)
    assert add_cosignatures(public, cosigned(1, 2))
    assert add_cosignatures(public, cosigned(1, 1))
    put_checkpoint(public, signed(1))
    assert names(public) == ["a.example", "w2.example", "w1.example"]


def test_a_later_cosignature_takes_the_place_of_the_witness_s_earlier(
    public: Path,
) -> None:
    """A witness has one line, its newest."""
    put_checkpoint(public, signed(1))
    add_cosignatures(public, cosigned(1, 1, 5))
    add_cosignatures(public, cosigned(1, 1, 9))
    assert published(public) == cosigned(1, 1, 9)


def test_a_late_answer_never_brings_an_old_checkpoint_back(public: Path) -> None:
    """Cosignatures of what is no longer published change nothing."""
    put_checkpoint(public, signed(2))
    assert not add_cosignatures(public, cosigned(1, 1))
    assert published(public) == signed(2)


def test_cosignatures_of_another_text_do_not_move_to_a_new_one(public: Path) -> None:
    """A new checkpoint starts with the log's signature alone."""
    put_checkpoint(public, signed(1))
    add_cosignatures(public, cosigned(1, 1))
    put_checkpoint(public, signed(2))
    assert published(public) == signed(2)


@pytest.mark.parametrize("damaged", [b"", b"\xff", b"a.example\n"])
def test_what_cannot_be_read_is_written_anew(public: Path, damaged: bytes) -> None:
    """A damaged file is replaced by who publishes, and left by who adds to it."""
    (public / "checkpoint").write_bytes(damaged)
    assert not add_cosignatures(public, cosigned(1, 1))
    put_checkpoint(public, signed(1))
    assert published(public) == signed(1)


def test_a_forged_signature_of_the_log_does_not_stay(public: Path) -> None:
    """Publishing again writes the log's own signature over whatever is there."""
    note = parse_note(signed(1))
    forged = [type(each)(each.name, each.key_id, bytes(64)) for each in note.signatures]
    (public / "checkpoint").write_text(format_note(Note(note.text, tuple(forged))))
    put_checkpoint(public, signed(1))
    assert published(public) == signed(1)


def test_those_who_write_at_once_lose_nothing_of_each_other(public: Path) -> None:
    """Eight threads add a line each while eight publish: all lines are there."""
    put_checkpoint(public, signed(1))
    adding = [
        threading.Thread(target=add_cosignatures, args=(public, cosigned(1, witness)))
        for witness in range(1, 9)
    ]
    publishing = [
        threading.Thread(target=put_checkpoint, args=(public, signed(1)))
        for _ in range(8)
    ]
    for thread in [*adding, *publishing]:
        thread.start()
    for thread in [*adding, *publishing]:
        thread.join()
    expected = ["a.example", *(f"w{witness}.example" for witness in range(1, 9))]
    assert sorted(names(public)) == expected


def test_a_checkpoint_that_a_crash_kept_back_is_published(public: Path) -> None:
    """What was signed comes out later, but never over what is newer or as new."""
    put_missed(public, signed(1))
    assert published(public) == signed(1)
    put_missed(public, signed(2))
    add_cosignatures(public, cosigned(2, 1))
    for size in (1, 2):
        put_missed(public, signed(size))
        assert published(public) == cosigned(2, 1)
