"""The stage of the demonstration: a fresh home, its keys, its authors.

Keys are made anew each time and kept without a passphrase, which a real log
never does. A home that a demonstration made is marked by a file of its own, and
only such a home is ever replaced.
"""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from contextlib import suppress
from typing import TYPE_CHECKING

from ledger.anchor import anchor_of
from ledger.anchor import log_id_of
from ledger.author import Author
from ledger.demo.cast import NOTICE
from ledger.demo.cast import ORIGIN
from ledger.demo.cast import Member
from ledger.entry.verify import prove_key
from ledger.errors import ConflictError
from ledger.errors import LedgerError
from ledger.events.identity import Accredit
from ledger.events.identity import Key
from ledger.events.identity import Party
from ledger.events.identity import Role
from ledger.keys.ring import KeyRing
from ledger.setup import ID_LENGTH
from ledger.setup import LOG_KEY
from ledger.setup import OPERATOR_KEY
from ledger.setup import ROOT_SUFFIX
from ledger.setup import create_home
from ledger.setup import currency_rules
from ledger.storage.lock import WriterLock
from ledger.storage.sqlite import SqliteStore
from ledger.tlog.note import format_vkey
from ledger.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from ledger.tlog.ed25519 import SigningKey

MARK = "demonstration"


def clear(path: Path) -> None:
    """Remove a home that a demonstration made; refuse any other.

    Raises:
        ConflictError: `home-not-a-demonstration`.
        HomeError: `home-in-use`.
    """
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    if not (path / MARK).is_file():
        raise ConflictError(
            "home-not-a-demonstration",
            f"{path} holds something that no demonstration made",
            hint="choose another folder with --home; nothing was touched",
        )
    with WriterLock(path / "lock"):
        # Gone at once: half a home would be no demonstration, and no log either.
        _forget(path)
        whole = path.resolve()
        gone = whole.with_name(f".{whole.name}.gone-{os.getpid()}")
        whole.replace(gone)
        shutil.rmtree(gone)


def _forget(path: Path) -> None:
    """Remove the anchor of a demonstration's log; nobody relies on that log."""
    with suppress(LedgerError), closing(SqliteStore.open(path, read_only=True)) as old:
        log_id = log_id_of(old)
        if log_id is not None:
            anchor_of(path, log_id).remove()


class Stage:
    """A new log home, open for writing until it is left.

    Args:
        path: where the home goes.
        clock: gives the time now, ms since 1970.
        random: gives that many random bytes.
        notice: what is made up, shown by the viewer on every page.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Callable[[], int],
        random: Callable[[int], bytes],
        notice: str = NOTICE,
    ) -> None:
        clear(path)
        self._clock = clock
        self._random = random
        founded = create_home(
            path,
            origin=ORIGIN,
            currencies=currency_rules(["SEK"]),
            passphrase=None,
            utc_offset=60,
            random=random,
            clock=clock,
        )
        (path / MARK).write_text(notice + "\n", encoding="utf-8")
        self.home = founded.home
        self.vkey = format_vkey(founded.vkey)
        self._ring = KeyRing(self.home.keys, random)
        self._writer = Writer(self.home, clock)
        self.log = self._writer.log
        self.registry = self._author(founded.operator, self._ring.unlock(OPERATOR_KEY))

    def admit(self, member: Member, role: Role) -> Author:
        """Register an organisation with its keys, and accredit it."""
        party = self.new_id()
        root = self._key(member.handle + ROOT_SUFFIX, party, "root")
        body = Party(
            external=f"demo:{member.handle}",
            party=party,
            proof=self._prove(root, party, "root"),
            public=root.public,
            type="organisation",
        )
        self.registry.say("party", body)
        sign = self._key(member.handle, party, "sign")
        added = Key(
            action="add",
            party=party,
            proof=self._prove(sign, party, "sign"),
            public=sign.public,
            purpose="sign",
        )
        self._author(party, root).say("key", added)
        granted = Accredit(action="grant", party=party, role=role)
        self.registry.say("accredit", granted)
        return self._author(party, sign)

    def new_id(self) -> bytes:
        """Give a fresh id."""
        return self._random(ID_LENGTH)

    def publish(self) -> None:
        """Write the public folder and sign its checkpoint."""
        self._writer.publish(self._ring.unlock(LOG_KEY))

    def _key(self, name: str, party: bytes, purpose: str) -> SigningKey:
        return self._ring.create(name, party=party, purpose=purpose, passphrase=None)

    def _prove(self, key: SigningKey, party: bytes, purpose: str) -> bytes:
        log = self.log.state.need_log().log
        return prove_key(key, log=log, party=party, purpose=purpose)

    def _author(self, party: bytes, key: SigningKey) -> Author:
        return Author(
            self.log,
            party,
            key,
            new_id=self.new_id,
            clock=self._clock,
            staging=self.home.staging,
        )

    def __enter__(self) -> Self:
        """Use as a context."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the log, and let others write."""
        self._writer.__exit__(kind, error, trace)
