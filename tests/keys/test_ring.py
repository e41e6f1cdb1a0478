"""The ring: key files found by name, put in place whole, never overwritten."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ledger.errors import ConflictError
from ledger.errors import FormatError
from ledger.errors import InputError
from ledger.errors import LedgerError
from ledger.keys.keyfile import CHEAPEST
from ledger.keys.ring import FILE_BYTES_MAX
from ledger.keys.ring import KeyRing
from ledger.tlog.ed25519 import SigningKey

PARTY = b"p" * 16


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    """An empty ring, in a folder that is not there yet."""
    return KeyRing(tmp_path / "keys", os.urandom)


def make(ring: KeyRing, name: str, purpose: str = "sign") -> SigningKey:
    """Make a key that opens with "tea"."""
    return ring.create(
        name, party=PARTY, purpose=purpose, passphrase="tea", cost=CHEAPEST
    )


def test_a_key_opens_with_its_passphrase_alone(ring: KeyRing) -> None:
    """What was made is what is opened; another passphrase opens nothing."""
    made = make(ring, "studio")
    assert ring.unlock("studio", "tea").public == made.public
    for passphrase in ("coffee", "", "Tea"):
        with pytest.raises(InputError) as error:
            ring.unlock("studio", passphrase)
        assert error.value.code in {"wrong-passphrase", "passphrase-needed"}


def test_no_two_keys_are_the_same(ring: KeyRing) -> None:
    """Seed, salt and nonce are fresh each time."""
    make(ring, "a")
    make(ring, "b")
    one, other = ring.load("a"), ring.load("b")
    assert one.public != other.public
    assert one.secret != other.secret
    assert one.kdf != other.kdf


def test_files_are_for_their_owner_alone(ring: KeyRing) -> None:
    """The folder has mode 0700, each file 0600, and nothing else is left there."""
    make(ring, "a")
    assert ring.folder.stat().st_mode & 0o777 == 0o700
    (file,) = ring.folder.iterdir()
    assert (file.name, file.stat().st_mode & 0o777) == ("a.key", 0o600)


def test_a_name_is_never_given_twice(ring: KeyRing) -> None:
    """The first key of a name stays, whoever comes second and however."""
    make(ring, "a")
    before = ring.load("a")
    with pytest.raises(ConflictError):
        make(ring, "a")
    make(ring, "b")
    other = ring.load("b")
    (ring.folder / "b.key").rename(ring.folder / "c.key")
    with pytest.raises(ConflictError) as error:
        ring.add(type(other)("a", PARTY, "sign", other.public, None, bytes(32)))
    assert error.value.code == "key-file-exists"
    assert ring.load("a") == before
    assert not [path for path in ring.folder.iterdir() if path.name.startswith(".")]


def test_keys_are_listed_by_name_and_party(ring: KeyRing) -> None:
    """Names come in order; a party's keys by their purpose."""
    assert ring.names() == []
    for name, purpose in (("b", "sign"), ("a", "root"), ("c", "sign")):
        make(ring, name, purpose)
    (ring.folder / "notes.txt").write_text("x", encoding="utf-8")
    (ring.folder / ".d.key").write_text("x", encoding="utf-8")
    assert ring.names() == ["a", "b", "c"]
    assert [each.name for each in ring.of_party(PARTY, "sign")] == ["b", "c"]
    assert ring.of_party(bytes(16), "sign") == []


def test_a_key_that_is_not_there_is_told_with_those_that_are(ring: KeyRing) -> None:
    """An unknown name exits with the names that would do, and reaches no other file."""
    make(ring, "a")
    for name in ("b", "../keys/a", "a.key", ""):
        with pytest.raises(InputError) as error:
            ring.load(name)
        assert error.value.code == "key-file-missing"
        assert "a" in error.value.hint


@pytest.mark.parametrize("data", [b"", b"x", b"\xff\xfe", b"x" * (FILE_BYTES_MAX + 1)])
def test_a_file_that_is_no_key_file_is_named(ring: KeyRing, data: bytes) -> None:
    """Whatever else the file holds, it is refused with its path."""
    make(ring, "a")
    (ring.folder / "a.key").write_bytes(data)
    with pytest.raises(FormatError) as error:
        ring.load("a")
    assert error.value.code == "bad-key-file"
    assert str(ring.folder / "a.key") in error.value.message


def test_bad_names_make_no_file(ring: KeyRing) -> None:
    """A name that is no file name is refused before anything is written."""
    for name in ("../a", "a/b", "", "a b", "x" * 65):
        with pytest.raises(LedgerError):
            make(ring, name)
    assert ring.names() == []


def test_a_removed_key_is_gone(ring: KeyRing) -> None:
    """What never signed anything can be taken back."""
    make(ring, "a")
    ring.remove("a")
    assert ring.names() == []
    with pytest.raises(InputError):
        ring.remove("a")
