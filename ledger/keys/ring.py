"""The keys folder of a home: one file for each key, by its name.

    keys/operator-root.key      NAME.key, mode 0600, in a folder of mode 0700

A name is never given twice: what a key signed must stay tellable from what its
successor signs. Files are put in place whole, and none is ever overwritten.

>>> import tempfile
>>> from itertools import count
>>> numbers = count(1)
>>> with tempfile.TemporaryDirectory() as folder:
...     ring = KeyRing(Path(folder), lambda length: bytes([next(numbers)] * length))
...     made = ring.create("studio", party=bytes(16), purpose="sign", passphrase=None)
...     ring.names(), ring.unlock("studio").public == made.public
(['studio'], True)
"""

from __future__ import annotations

import os
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

from ledger.errors import ConflictError
from ledger.errors import FormatError
from ledger.errors import InputError
from ledger.keys.keyfile import MODERATE
from ledger.keys.keyfile import NONCE_LENGTH
from ledger.keys.keyfile import SALT_LENGTH
from ledger.keys.keyfile import Cost
from ledger.keys.keyfile import KeyFile
from ledger.keys.keyfile import format_key_file
from ledger.keys.keyfile import leave_unlocked
from ledger.keys.keyfile import lock
from ledger.keys.keyfile import parse_key_file
from ledger.tlog.ed25519 import SEED_LENGTH
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.text import excerpt

SUFFIX = ".key"
FILE_BYTES_MAX = 4_096

Randomness = Callable[[int], bytes]
"""Gives so many fresh random bytes, as `os.urandom` does."""


class KeyRing:
    """The key files of one folder.

    Args:
        folder: may be missing, and then holds no keys.
        random: needed to create keys.
    """

    def __init__(self, folder: Path, random: Randomness | None = None) -> None:
        self.folder = folder
        self._random = random

    def names(self) -> list[str]:
        """List the names of the keys, in order."""
        if not self.folder.is_dir():
            return []
        files = self.folder.glob(f"*{SUFFIX}")
        return sorted(
            path.name.removesuffix(SUFFIX)
            for path in files
            if not path.name.startswith(".")
        )

    def __iter__(self) -> Iterator[KeyFile]:
        """Read every key file; nothing is opened.

        Raises:
            FormatError: `bad-key-file`, naming the file.
        """
        return (self.load(name) for name in self.names())

    def load(self, name: str) -> KeyFile:
        """Read a key file; nothing is opened.

        Raises:
            InputError: `key-file-missing`.
            FormatError: `bad-key-file`, `bad-hex`, … naming the file.
        """
        names = self.names()
        if name not in names:
            raise InputError(
                "key-file-missing",
                f"there is no key {excerpt(name)} in {self.folder}",
                hint=f"there are: {', '.join(names)}"
                if names
                else "make one with 'linernote key new NAME'",
            )
        path = self.folder / f"{name}{SUFFIX}"
        try:
            key_file = parse_key_file(_read(path))
        except FormatError as error:
            raise FormatError(
                error.code,
                f"{path}: {error.message}",
                hint=error.hint or "restore it from a backup",
            ) from None
        if key_file.name != name:
            raise FormatError(
                "bad-key-file",
                f"{path} says that its name is {key_file.name}",
                hint=f"rename it back to {key_file.name}{SUFFIX}",
            )
        return key_file

    def unlock(self, name: str, passphrase: str | None = None) -> SigningKey:
        """Open a key.

        Raises:
            InputError: as `load` and `KeyFile.unlock`.
            FormatError: as `load`.
        """
        return self.load(name).unlock(passphrase)

    def create(
        self,
        name: str,
        *,
        party: bytes,
        purpose: str,
        passphrase: str | None,
        cost: Cost = MODERATE,
    ) -> SigningKey:
        """Make a fresh key and its file.

        Args:
            name: of the key, not in use yet.
            party: whose key it is.
            purpose: root, sign or log.
            passphrase: None leaves the file unlocked.
            cost: of one try to open it.

        Raises:
            ConflictError: `key-file-exists`.
            FormatError: `bad-key-file` for a bad name or purpose.
            InputError: as `lock`.
        """
        if self._random is None:
            raise InputError("no-randomness", "a key needs randomness")
        self.check_free(name)
        seed = self._random(SEED_LENGTH)
        if passphrase is None:
            key_file = leave_unlocked(seed, name=name, party=party, purpose=purpose)
        else:
            key_file = lock(
                seed,
                passphrase,
                name=name,
                party=party,
                purpose=purpose,
                salt=self._random(SALT_LENGTH),
                nonce=self._random(NONCE_LENGTH),
                cost=cost,
            )
        self.add(key_file)
        return SigningKey(seed)

    def check_free(self, name: str) -> None:
        """Refuse a name that a key has.

        Raises:
            ConflictError: `key-file-exists`.
        """
        if name in self.names():
            raise _exists(name)

    def remove(self, name: str) -> None:
        """Remove a key that never signed anything: this cannot be undone."""
        self.load(name)
        (self.folder / f"{name}{SUFFIX}").unlink()

    def add(self, key_file: KeyFile) -> None:
        """Put a key file in place, durably.

        Raises:
            ConflictError: `key-file-exists`.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.folder / f"{key_file.name}{SUFFIX}"
        partial = self.folder / f".{key_file.name}.partial-{os.getpid()}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        try:
            with os.fdopen(os.open(partial, flags, 0o600), "w") as file:
                file.write(format_key_file(key_file))
                file.flush()
                os.fsync(file.fileno())
            # A link, unlike a rename, never replaces what is there.
            os.link(partial, path)
        except FileExistsError:
            raise _exists(key_file.name) from None
        finally:
            partial.unlink(missing_ok=True)
        _sync(self.folder)

    def of_party(self, party: bytes, purpose: str) -> list[KeyFile]:
        """List the keys of a party with a purpose."""
        return [
            key_file
            for key_file in self
            if (key_file.party, key_file.purpose) == (party, purpose)
        ]


def _read(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(FILE_BYTES_MAX + 1)
    if len(data) > FILE_BYTES_MAX or not data.isascii():
        raise FormatError("bad-key-file", "not a key file: it is no such text")
    return data.decode("ascii")


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _exists(name: str) -> ConflictError:
    return ConflictError(
        "key-file-exists",
        f"there is a key {name!r} already",
        hint="choose another name; a key file is never overwritten",
    )
