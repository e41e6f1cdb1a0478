"""A home open for writing: the lock, the store, the log, the key that signs.

    lock ─► poison marker ─► store ─► log ─► publish ─► store closed ─► lock released

Whoever writes goes through here: the commands, the demonstration, the server. One
at a time does, from before the store is opened until after it is closed. A commit
whose fate is unknown leaves the marker of `ledger.storage.poison` behind.
"""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Self

from ledger.errors import HomeError
from ledger.log import Log
from ledger.publish import publish
from ledger.storage.lock import WriterLock
from ledger.storage.poison import check_poison
from ledger.storage.poison import mark_poisoned
from ledger.storage.sqlite import SqliteStore
from ledger.tlog.note import Vkey
from ledger.tlog.note import make_vkey

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from ledger.home import Home
    from ledger.replay.rows import LogRow
    from ledger.tlog.checkpoint import Checkpoint
    from ledger.tlog.ed25519 import SigningKey

_LINUX_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_MACOS_BOOT_ID = ("/usr/sbin/sysctl", "-n", "kern.bootsessionuuid")


def now_ms() -> int:
    """Read this machine's clock, ms since 1970."""
    return time.time_ns() // 1_000_000


def boot_id() -> str:
    """Tell this start of the machine from every other."""
    try:
        return _LINUX_BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        said = subprocess.run(_MACOS_BOOT_ID, capture_output=True, check=True)  # noqa: S603
        return said.stdout.decode("ascii").strip()


class Writer:
    """A home open for writing, until it is closed.

    Args:
        home: a whole one.
        clock: gives the time now, ms since 1970.

    Raises:
        InputError: `home-missing`.
        HomeError: `home-incomplete`, `home-in-use`, `home-poisoned`,
            `home-unverified`, `state-behind`, or a code of `SqliteStore.open`.
    """

    def __init__(self, home: Home, clock: Callable[[], int] = now_ms) -> None:
        home.check()
        self.home = home
        self.clock = clock
        self._lock = WriterLock(home.lock)
        try:
            check_trusted(home)
            self.store = SqliteStore.open(home.path)
        except BaseException:
            self._lock.close()
            raise
        try:
            self.log = Log(self.store, clock)
        except BaseException:
            self.close()
            raise

    @property
    def identity(self) -> LogRow:
        """What genesis said of the log."""
        return self.log.state.need_log()

    def publish(self, log_key: SigningKey) -> Checkpoint:
        """Write what is new to the public folder, and sign its checkpoint.

        Raises:
            HomeError: `wrong-log-key`; as `ledger.publish.publish`.
            VerificationError: as `ledger.publish.publish`.
        """
        if log_key.public != self.identity.log_key:
            raise HomeError(
                "wrong-log-key",
                "the key given is not the one that signs this log's checkpoints",
                hint="restore the key file named log from a backup of the home",
            )
        return publish(self.store, self.home.public, self.identity.origin, log_key)

    def close(self) -> None:
        """Let go of the store, then of the lock."""
        try:
            self.store.close()
        finally:
            self._lock.close()

    def __enter__(self) -> Self:
        """Use as a context."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close; whoever comes after a commit of unknown fate is told."""
        if isinstance(error, HomeError) and error.code == "commit-unknown":
            mark_poisoned(self.home.path, boot_id(), error.message)
        self.close()


def check_trusted(home: Home) -> None:
    """Refuse a home whose disk may not hold what was written to it.

    Raises:
        HomeError: `home-poisoned`, `home-unverified`.
    """
    if check_poison(home.path, boot_id()):
        raise HomeError(
            "home-unverified",
            f"a commit to {home.path} failed before this machine was restarted",
            hint="run 'linernote audit': the log opens again once it has passed",
        )


def open_reader(home: Home) -> SqliteStore:
    """Open a home's store for reading; undo first what a crash left unfinished.

    Raises:
        InputError: `home-missing`.
        HomeError: `home-incomplete`, or a code of `SqliteStore.open`.
    """
    home.check()
    try:
        return SqliteStore.open(home.path, read_only=True)
    except HomeError as error:
        if error.code != "store-recovering":
            raise
    with WriterLock(home.lock):
        check_trusted(home)
        SqliteStore.open(home.path).close()
    return SqliteStore.open(home.path, read_only=True)


def vkey_of(identity: LogRow) -> Vkey:
    """Give the verifier key of a log's checkpoints."""
    return make_vkey(identity.origin, identity.log_key)
