"""A log that succeeds another: where receipts were lost, or a log key was stolen.

    old home ─► copied, at the size that it has ─► new log key ─► genesis, endorsed
      ─► a public folder of its own ─► first checkpoint under the new origin

The entries of the old log are the first of the new one, so parties, keys, ids and
balances carry over; key chains start anew (format.md §7). The old home is not touched,
and must not be written to again.
"""

from __future__ import annotations

import functools
import os
from contextlib import closing
from typing import TYPE_CHECKING

import msgspec

from ledger.anchor import check_outside
from ledger.author import Author
from ledger.backup import copy_beside
from ledger.entry.verify import succession_message
from ledger.events.identity import CurrencyRule
from ledger.events.identity import Genesis
from ledger.events.identity import Predecessor
from ledger.home import Home
from ledger.keys.keyfile import MODERATE
from ledger.keys.ring import KeyRing
from ledger.log import Log
from ledger.setup import ID_LENGTH
from ledger.setup import Founded
from ledger.setup import check_own_origin
from ledger.storage.sqlite import SqliteStore
from ledger.tlog.merkle import tree_root
from ledger.tlog.note import make_vkey
from ledger.writer import Writer
from ledger.writer import now_ms
from ledger.writer import open_reader

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Sequence
    from pathlib import Path

    from ledger.keys.keyfile import Cost
    from ledger.keys.ring import Randomness
    from ledger.replay.state import State
    from ledger.tlog.ed25519 import SigningKey


def succeed_home(
    path: Path,
    old: Home,
    *,
    origin: str,
    log_key_name: str,
    root_key: SigningKey,
    passphrase: str | Callable[[], str] | None,
    currencies: Sequence[CurrencyRule] = (),
    random: Randomness = os.urandom,
    clock: Callable[[], int] = now_ms,
    cost: Cost = MODERATE,
) -> Founded:
    """Make a log home whose log succeeds that of another home.

    Args:
        path: a folder that is not there, or empty.
        old: the home of the predecessor; a restored one will do.
        origin: the new log's name for ever.
        log_key_name: of the key file that is made.
        root_key: of the operator.
        passphrase: locks the new log key, or asks for what does; None leaves it open.
        currencies: that the log counts from now on, beside those that it has.
        random: gives so many fresh random bytes.
        clock: gives the time now, ms since 1970.
        cost: of one try at the passphrase.

    Raises:
        ConflictError: `home-exists`, `key-file-exists`; a refusal of the log.
        InputError: `anchor-inside-home`; a refusal of the log, as `bad-predecessor`.
        FormatError: `bad-origin`, `bad-key-name`.
        HomeError: as `open_reader` and `Writer`.
    """
    check_own_origin(origin)
    check_outside(path, os.environ)
    home = Home(path)
    founded: list[Founded] = []

    def fill(partial: Home) -> None:
        _carry_over(old, partial)
        with closing(SqliteStore.open(partial.path)) as store:
            log = Log(store, clock)
            operator = log.state.need_log().operator
            asked = passphrase() if callable(passphrase) else passphrase
            log_key = KeyRing(partial.keys, random).create(
                log_key_name, party=operator, purpose="log", passphrase=asked, cost=cost
            )
            body = successor(log, origin, log_key.public, root_key, currencies)
            new_id = functools.partial(random, ID_LENGTH)
            root = Author(log, operator, root_key, new_id=new_id, clock=clock)
            root.say("genesis", body)
        with Writer(partial, clock) as writer:
            checkpoint = writer.publish(log_key)
            identity = writer.identity
        vkey = make_vkey(origin, log_key.public)
        founded.append(Founded(home, identity.log, operator, vkey, checkpoint))

    home.build(fill)
    return founded[0]


def _carry_over(old: Home, home: Home) -> None:
    """Copy what a log goes on from: entries, keys, names."""
    with closing(open_reader(old)) as store:
        store.backup(home.database)
    copy_beside(old.path, home.path, keys=True)
    # Its log line names the old log, and so would the receipts that it asks for.
    (home.path / "policy").unlink(missing_ok=True)


def successor(
    log: Log,
    origin: str,
    log_key: bytes,
    root_key: SigningKey,
    currencies: Sequence[CurrencyRule] = (),
) -> Genesis:
    """Make the body by which a log goes on under another name and log key."""
    before = log.state.need_log()
    predecessor = Predecessor(
        log=before.log,
        origin=before.origin,
        root=tree_root(log.size, log.store.nodes),
        size=log.size,
    )
    named = msgspec.structs.asdict(predecessor)
    return Genesis(
        currencies=_currencies(log.state, currencies),
        endorsement=root_key.sign(succession_message(before.operator, origin, named)),
        level=log.state.level,
        log_key=log_key,
        operator=before.operator,
        origin=origin,
        predecessor=predecessor,
        root_key=root_key.public,
        utc_offset=before.utc_offset_minutes,
    )


def _currencies(state: State, more: Sequence[CurrencyRule]) -> list[CurrencyRule]:
    """Give a log's currencies with more; the log refuses to count one differently."""
    exponents = dict(state.currencies.items())
    exponents |= {rule.code: rule.exponent for rule in more}
    return [
        CurrencyRule(code=code, exponent=exponents[code]) for code in sorted(exponents)
    ]
