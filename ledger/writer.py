"""A home open for writing: the lock, the store, the log, the key that signs.

    lock ─► markers ─► store ─► log ─► anchor ─► witnesses ─► publish
      ─► store closed ─► lock free

Whoever writes goes through here: the commands, the demonstration, the server. One
at a time does, from before the store is opened until after it is closed. A commit
whose fate is unknown, or a sync that failed, leaves the marker of
`ledger.storage.poison` behind. A store that lacks what this machine anchored is
refused, and so is one that a witness has seen more of, and a home that was restored
and has not caught up.
"""

from __future__ import annotations

import subprocess
import time
from contextlib import contextmanager
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Self

from ledger.anchor import Anchor
from ledger.anchor import anchor_of
from ledger.anchor import check_anchored
from ledger.errors import HomeError
from ledger.log import Log
from ledger.publish import publish
from ledger.replay.log_keys import all_log_keys
from ledger.replay.log_keys import in_force
from ledger.storage.lock import WriterLock
from ledger.storage.poison import check_poison
from ledger.storage.poison import mark_poisoned
from ledger.storage.sqlite import SqliteStore
from ledger.tlog.note import Vkey
from ledger.tlog.note import make_vkey
from ledger.witnessing import check_seen

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from types import TracebackType

    from ledger.home import Home
    from ledger.replay import State
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


_UNTRUSTED = frozenset({"commit-unknown", "sync-failed"})
"""Codes after which nobody knows what the disk holds."""


class Writer:
    """A home open for writing, until it is closed.

    Args:
        home: a whole one.
        clock: gives the time now, ms since 1970.

    Raises:
        InputError: `home-missing`, `anchor-inside-home`.
        HomeError: `home-incomplete`, `home-in-use`, `home-poisoned`,
            `home-unverified`, `home-restored`, `state-behind`, or a code of
            `SqliteStore.open`, `check_anchored` or `check_seen`.
        LedgerError: the home's policy is none, as `read_policy`.
    """

    def __init__(self, home: Home, clock: Callable[[], int] = now_ms) -> None:
        home.check()
        self.home = home
        self.clock = clock
        self._lock = WriterLock(home.lock)
        try:
            check_trusted(home)
            check_caught_up(home)
            self.store = SqliteStore.open(home.path)
        except BaseException as error:
            _note(self.home, error)
            self._lock.close()
            raise
        try:
            self.log = Log(self.store, clock)
            if self.log.size:
                origin = self.identity.origin
                anchored = check_anchored(self.store, origin, self.anchor)
                check_seen(home, self.store, anchored)
        except BaseException as error:
            _note(self.home, error)
            self.close()
            raise

    @property
    def identity(self) -> LogRow:
        """What genesis said of the log."""
        return self.log.state.need_log()

    @property
    def anchor(self) -> Anchor:
        """What this machine remembers of the log."""
        return anchor_of(self.home.path, self.identity.log)

    def publish(self, *log_keys: SigningKey) -> Checkpoint:
        """Write what is new to the public folder, and sign its checkpoint.

        Args:
            log_keys: all that are in force (format.md §7); others are left out.

        Raises:
            HomeError: `wrong-log-key`; as `ledger.publish.publish`.
            VerificationError: as `ledger.publish.publish`.
        """
        given = {key.public: key for key in log_keys}
        signing = log_keys_in_force(self.log.state)
        for public in signing:
            if public not in given:
                raise HomeError(
                    "wrong-log-key",
                    f"key {public.hex()} signs this log's checkpoints, and is not"
                    " among those given",
                    hint="restore its key file from a backup of the home",
                )
        keys, origin = [given[public] for public in signing], self.identity.origin
        try:
            return publish(self.store, self.home.public, origin, keys, self.anchor)
        except HomeError as error:
            # A server may live on after this: nothing more goes to this disk.
            if _note(self.home, error):
                self.store.close()
            raise

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
        """Close; whoever comes after a sync that failed is told."""
        try:
            _note(self.home, error)
        finally:
            self.close()


def _note(home: Home, error: BaseException | None) -> bool:
    """Leave a marker if the disk can't be trusted any more; tell whether so."""
    if not isinstance(error, HomeError) or error.code not in _UNTRUSTED:
        return False
    # Where even that fails, no one can write here, and the error says the same.
    with suppress(OSError, HomeError):
        mark_poisoned(home.path, boot_id(), error.message)
    return True


@contextmanager
def sole_writer(home: Home) -> Iterator[None]:
    """Hold a home's lock; leave a marker behind if a sync fails meanwhile.

    Raises:
        HomeError: `home-in-use`.
    """
    with WriterLock(home.lock):
        try:
            yield
        except BaseException as error:
            _note(home, error)
            raise


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


def check_caught_up(home: Home) -> None:
    """Refuse to write to a home that came from a backup and may lack entries.

    Raises:
        HomeError: `home-restored`.
    """
    if home.restored.exists():
        raise HomeError(
            "home-restored",
            f"{home.path} came from a backup, and may lack what was published since",
            hint="it can be read; to write to it, catch up with 'linernote restore"
            " --from PLACE', where PLACE is where readers get the log",
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
    with sole_writer(home):
        # After a restart this is the right thing to do, also before an audit.
        check_poison(home.path, boot_id())
        SqliteStore.open(home.path).close()
    return SqliteStore.open(home.path, read_only=True)


def log_keys_in_force(state: State) -> list[bytes]:
    """List the public keys that sign the checkpoint of a log as it is now."""
    return [row.public for row in in_force(all_log_keys(state), state.size)]


def vkey_of(identity: LogRow) -> Vkey:
    """Give the verifier key of a log's checkpoints."""
    return make_vkey(identity.origin, identity.log_key)
