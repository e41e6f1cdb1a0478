"""Keys at work: passphrases asked for once, authors ready to speak.

A passphrase comes from LINERNOTE_PASSPHRASE, or is asked for on the terminal; one
that opened a key is tried on the next one before anybody is asked again.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import closing
from contextlib import contextmanager
from contextlib import suppress
from typing import TYPE_CHECKING
from typing import NamedTuple

import click

from ledger.author import Author
from ledger.cli.common import hint
from ledger.cli.failing import explain
from ledger.entry.verify import key_id
from ledger.errors import AuthorityError
from ledger.errors import FormatError
from ledger.errors import HomeError
from ledger.errors import InputError
from ledger.keys.ring import KeyRing
from ledger.replay import State
from ledger.setup import ID_LENGTH
from ledger.setup import LOG_KEY
from ledger.writer import Writer
from ledger.writer import log_keys_in_force
from ledger.writer import now_ms
from ledger.writer import open_reader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.cli.common import Settings
    from ledger.keys.keyfile import KeyFile
    from ledger.replay.rows import KeyRow
    from ledger.tlog.checkpoint import Checkpoint
    from ledger.tlog.ed25519 import SigningKey

PASSPHRASE_VARIABLE = "LINERNOTE_PASSPHRASE"
TRIES = 3


class Passphrases:
    """Asks for passphrases."""

    def __init__(self) -> None:
        self._known: list[str] = []

    def choose(self, *, what: str) -> str:
        """Ask for a new passphrase, twice.

        Raises:
            InputError: `passphrase-needed`.
        """
        chosen = os.environ.get(PASSPHRASE_VARIABLE)
        if chosen is None:
            _check_terminal(what)
            chosen = click.prompt(
                f"Passphrase for {what}",
                hide_input=True,
                confirmation_prompt="Once more",
                err=True,
            )
        if chosen not in self._known:
            self._known.append(chosen)
        return chosen

    def open(self, key_file: KeyFile, *, ask: bool = True) -> SigningKey:
        """Open a key file.

        Args:
            key_file: locked, or not.
            ask: for the passphrase, if none that was given before will do.

        Raises:
            InputError: `passphrase-needed`, `wrong-passphrase`, as `KeyFile.unlock`.
        """
        if key_file.kdf is None:
            return key_file.unlock()
        given = os.environ.get(PASSPHRASE_VARIABLE)
        if given is not None:
            return key_file.unlock(given)
        for passphrase in self._known:
            key = _try(key_file, passphrase)
            if key is not None:
                return key
        if not ask:
            raise InputError(
                "passphrase-needed", f"nothing given before opens key {key_file.name}"
            )
        return self._ask(key_file)

    def _ask(self, key_file: KeyFile) -> SigningKey:
        _check_terminal(f"key {key_file.name}")
        for _ in range(TRIES):
            asked: str = click.prompt(
                f"Passphrase of key {key_file.name}", hide_input=True, err=True
            )
            key = _try(key_file, asked)
            if key is not None:
                self._known.append(asked)
                return key
            hint("that does not open it; try again")
        raise InputError(
            "wrong-passphrase",
            f"none of {TRIES} passphrases opens key {key_file.name}",
            hint="if one is right, the file was edited: restore it from a backup",
        )


def _try(key_file: KeyFile, passphrase: str) -> SigningKey | None:
    try:
        return key_file.unlock(passphrase)
    except InputError as error:
        if error.code != "wrong-passphrase":
            raise
        return None


def _check_terminal(what: str) -> None:
    if not sys.stdin.isatty():
        raise InputError(
            "passphrase-needed",
            f"there is no terminal to ask on for the passphrase of {what}",
            hint=f"set {PASSPHRASE_VARIABLE}",
        )


class Signer(NamedTuple):
    """A key that has been opened, and what its file says."""

    file: KeyFile
    key: SigningKey

    @property
    def id(self) -> bytes:
        """The key id."""
        return key_id(self.key.public)


class Keys:
    """The keys that a command may use.

    Args:
        settings: say where they are.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.ring = KeyRing(settings.keys_folder, os.urandom)
        self.passphrases = Passphrases()

    def signer(self, name: str) -> Signer:
        """Open a key to sign events with.

        Raises:
            InputError: `wrong-purpose-key` for the log's own; as `KeyRing.load` and
                `Passphrases.open`.
        """
        key_file = self.ring.load(name)
        if key_file.purpose == "log":
            raise InputError(
                "log-key",
                f"key {name} signs the log's checkpoints and nothing else",
                hint="sign with a key of a party: see 'linernote key list'",
            )
        return Signer(key_file, self.passphrases.open(key_file))

    def log_keys(self) -> list[SigningKey]:
        """Open the keys that sign the log's checkpoints: one, but for rotations.

        Raises:
            InputError: `home-missing`, `key-file-missing`; as `Passphrases.open`.
            HomeError: as `open_reader`.
        """
        with closing(open_reader(self._settings.place)) as store:
            signing = log_keys_in_force(State("full", store.rows))
        files = {file.public: file for file in self._log_key_files()}
        if not files:
            self.ring.load(LOG_KEY)  # says what is the matter with it
        for public in signing:
            if public not in files:
                raise InputError(
                    "key-file-missing",
                    f"the key {public.hex()}, which signs this log's checkpoints, is"
                    f" not in {self.ring.folder}",
                    hint="restore its file from a backup of the home",
                )
        return [self.passphrases.open(files[public]) for public in signing]

    def find_log_key(self, public: bytes) -> SigningKey:
        """Open another log key while the log is served: nobody is asked for anything.

        Raises:
            InputError: `log-key-not-here`: no file holds it, or none that opens by the
                passphrases given at the start.
        """
        from ledger.intake import log_key_not_here

        for file in self._log_key_files():
            if file.public == public:
                try:
                    return self.passphrases.open(file, ask=False)
                except InputError as error:
                    raise log_key_not_here(public, error.message) from error
        raise log_key_not_here(public, "no key file here holds it")

    def _log_key_files(self) -> Iterator[KeyFile]:
        """Read the files of log keys; what cannot be read may be another key's."""
        for name in self.ring.names():
            with suppress(FormatError):
                file = self.ring.load(name)
                if file.purpose == "log":
                    yield file


class Desk:
    """A home open for writing, with the keys that its writer needs.

    Args:
        writer: of the home.
        log_keys: sign the checkpoint at the end.
    """

    def __init__(self, writer: Writer, log_keys: Sequence[SigningKey]) -> None:
        self.writer = writer
        self.log = writer.log
        self._log_keys = log_keys

    def author(self, signer: Signer) -> Author:
        """Give a party with its key at the log.

        Raises:
            InputError: `key-unknown`.
            AuthorityError: `key-revoked`.
        """
        check_in_force(self.log.state, signer)
        return Author(
            self.log,
            signer.file.party,
            signer.key,
            new_id=new_id,
            clock=now_ms,
            staging=self.writer.home.staging,
        )

    def publish(self) -> Checkpoint:
        """Publish what was appended.

        Raises:
            HomeError: `publish-failed`: a file can't be written; as `Writer.publish`.
        """
        try:
            return self.writer.publish(*self._log_keys)
        except OSError as error:
            raise HomeError(
                "publish-failed",
                f"all {self.log.size:,} entries are stored, the newest are not"
                f" published: {explain(error).message}",
                hint="mend that, and send nothing again: whoever writes next publishes"
                " them",
            ) from error


@contextmanager
def open_desk(settings: Settings, log_keys: Sequence[SigningKey]) -> Iterator[Desk]:
    """Open the home for writing, with its log keys opened before.

    Whatever was appended is published at the end, also when something failed.

    Raises:
        InputError, HomeError: as `Writer`.
    """
    with Writer(settings.place) as writer:
        desk = Desk(writer, log_keys)
        try:
            yield desk
        except HomeError:
            # The store can't be asked any more. What it holds is published by
            # whoever writes next.
            raise
        except BaseException:
            desk.publish()
            raise
        desk.publish()


def check_in_force(state: State, signer: Signer) -> None:
    """Refuse a key that the log does not know, or knows to be revoked.

    The log would refuse as well; this names the keys that would do.

    Raises:
        InputError: `key-unknown`.
        AuthorityError: `key-revoked`.
    """
    row = state.keys.get(signer.id)
    name = signer.file.name
    if row is None:
        raise InputError(
            "key-unknown",
            f"key {name} is not on this log yet",
            hint=f"append what 'linernote key new {name}' wrote",
        )
    if row.revoked >= 0:
        raise AuthorityError(
            "key-revoked",
            f"key {name} was revoked by entry {row.revoked}",
            hint="sign with another key of the party: see 'linernote key list'",
        )


def in_force(keys: Keys, state: State) -> list[tuple[KeyFile, KeyRow]]:
    """List the sign keys here that count on the log now."""
    found = []
    for key_file in keys.ring:
        row = state.keys.get(key_id(key_file.public))
        if key_file.purpose == "sign" and row is not None and row.revoked < 0:
            found.append((key_file, row))
    return found


def new_id() -> bytes:
    """Give a fresh random id."""
    return os.urandom(ID_LENGTH)
