"""The stage of the demonstration: a fresh home, its keys, its authors.

Keys are made anew each time and kept without a passphrase, which a real log
never does. A home that a demonstration made is marked by a file of its own, and
only such a home is ever replaced.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from ledger.author import Author
from ledger.demo.cast import NOTICE
from ledger.demo.cast import ORIGIN
from ledger.demo.cast import Member
from ledger.entry.verify import prove_key
from ledger.errors import ConflictError
from ledger.events.identity import Accredit
from ledger.events.identity import CurrencyRule
from ledger.events.identity import Genesis
from ledger.events.identity import Key
from ledger.events.identity import Party
from ledger.events.identity import Role
from ledger.home import Home
from ledger.keys.keyfile import format_key_file
from ledger.keys.keyfile import leave_unlocked
from ledger.log import Log
from ledger.publish import publish
from ledger.storage.lock import WriterLock
from ledger.storage.sqlite import SqliteStore
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.note import format_vkey
from ledger.tlog.note import make_vkey

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType
    from typing import Self

MARK = "demonstration"


def clear(path: Path) -> None:
    """Remove a home that a demonstration made; refuse any other.

    Raises:
        ConflictError: `home-not-a-demonstration`.
    """
    if not path.exists() or not any(path.iterdir()):
        return
    if not (path / MARK).is_file():
        raise ConflictError(
            "home-not-a-demonstration",
            f"{path} holds a log that no demonstration made",
            hint="choose another folder with --home; nothing was touched",
        )
    with WriterLock(path / "lock"):
        shutil.rmtree(path)


class Stage:
    """A new log home with its operator, open for writing until it is left.

    Args:
        path: where the home goes.
        clock: gives the time now, ms since 1970.
        chance: gives that many random bytes.
    """

    def __init__(
        self, path: Path, *, clock: Callable[[], int], chance: Callable[[int], bytes]
    ) -> None:
        clear(path)
        self.home = Home(path)
        self._clock = clock
        self._chance = chance
        self._seeds: dict[bytes, bytes] = {}
        self._log_key = self._new_key()
        self.home.build(self._fill)
        self._lock = WriterLock(self.home.lock)
        self.store = SqliteStore.open(path)
        self.log = Log(self.store, clock)

    def _fill(self, home: Home) -> None:
        SqliteStore.create(home.path).close()
        (home.path / MARK).write_text(NOTICE + "\n", encoding="utf-8")

    def open_log(self, operator: Member) -> Author:
        """Append genesis and the operator's sign key."""
        party, root = self._chance(16), self._new_key()
        genesis = Genesis(
            currencies=[CurrencyRule(code="SEK", exponent=2)],
            level=1,
            log_key=self._log_key.public,
            operator=party,
            origin=ORIGIN,
            root_key=root.public,
            utc_offset=60,
        )
        self._author(party, root).say("genesis", genesis)
        self._keep(self._log_key, "log", party, "log")
        self._keep(root, f"{operator.handle}-root", party, "root")
        return self._with_sign_key(operator, party, root)

    def admit(self, registrar: Author, member: Member, role: Role) -> Author:
        """Register an organisation with its keys, and accredit it."""
        party, root = self._chance(16), self._new_key()
        body = Party(
            external=f"demo:{member.handle}",
            party=party,
            proof=self._prove(root, party, "root"),
            public=root.public,
            type="organisation",
        )
        registrar.say("party", body)
        self._keep(root, f"{member.handle}-root", party, "root")
        author = self._with_sign_key(member, party, root)
        registrar.say("accredit", Accredit(action="grant", party=party, role=role))
        return author

    def _with_sign_key(self, member: Member, party: bytes, root: SigningKey) -> Author:
        sign = self._new_key()
        body = Key(
            action="add",
            party=party,
            proof=self._prove(sign, party, "sign"),
            public=sign.public,
            purpose="sign",
        )
        self._author(party, root).say("key", body)
        self._keep(sign, member.handle, party, "sign")
        return self._author(party, sign)

    def _new_key(self) -> SigningKey:
        seed = self._chance(32)
        key = SigningKey(seed)
        self._seeds[key.public] = seed
        return key

    def new_id(self) -> bytes:
        """Give a fresh party id."""
        return self._chance(16)

    def publish(self) -> None:
        """Write the public folder and sign its checkpoint."""
        publish(self.store, self.home.public, ORIGIN, self._log_key)

    @property
    def vkey(self) -> str:
        """The log's verifier key."""
        return format_vkey(make_vkey(ORIGIN, self._log_key.public))

    def _author(self, party: bytes, key: SigningKey) -> Author:
        return Author(
            self.log,
            party,
            key,
            new_id=self.new_id,
            clock=self._clock,
            staging=self.home.staging,
        )

    def _prove(self, key: SigningKey, party: bytes, purpose: str) -> bytes:
        log = self.log.state.need_log().log
        return prove_key(key, log=log, party=party, purpose=purpose)

    def _keep(self, key: SigningKey, name: str, party: bytes, purpose: str) -> None:
        seed = self._seeds[key.public]
        key_file = leave_unlocked(seed, name=name, party=party, purpose=purpose)
        path = self.home.keys / f"{name}.key"
        path.touch(mode=0o600)
        path.write_text(format_key_file(key_file), encoding="ascii")

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
        self.store.close()
        self._lock.close()
