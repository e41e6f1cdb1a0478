"""The birth of a log: its home, its keys, its first two entries, its checkpoint.

    log            signs checkpoints and nothing else
    operator-root  signs genesis, adds and revokes the operator's keys
    operator       signs everything else that the operator says

All three differ (format.md §4). Genesis is signed by the root key; the entry after
it adds the sign key. The home appears whole, or not at all.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     founded = create_home(
...         Path(folder) / "home",
...         origin="example.com/log",
...         currencies=currency_rules(["SEK", "JPY"]),
...         passphrase=None,
...     )
...     founded.checkpoint.size, KeyRing(founded.home.keys).names()
(2, ['log', 'operator', 'operator-root'])
"""

from __future__ import annotations

import os
import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING
from typing import NamedTuple

from babel.core import get_global
from babel.numbers import get_currency_precision

from ledger.anchor import check_outside
from ledger.author import Author
from ledger.entry.grammar import CURRENCY
from ledger.entry.verify import prove_key
from ledger.errors import FormatError
from ledger.errors import InputError
from ledger.events.identity import CurrencyRule
from ledger.events.identity import Genesis
from ledger.events.identity import Key
from ledger.events.registry import LEVEL
from ledger.home import Home
from ledger.keys.keyfile import MODERATE
from ledger.keys.ring import KeyRing
from ledger.storage.sqlite import SqliteStore
from ledger.tlog.checkpoint import check_origin
from ledger.tlog.text import excerpt
from ledger.writer import Writer
from ledger.writer import now_ms
from ledger.writer import vkey_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Sequence

    from ledger.keys.keyfile import Cost
    from ledger.keys.ring import Randomness
    from ledger.tlog.checkpoint import Checkpoint
    from ledger.tlog.ed25519 import SigningKey
    from ledger.tlog.note import Vkey

LOG_KEY = "log"
OPERATOR_KEY = "operator"
ROOT_SUFFIX = "-root"
ID_LENGTH = 16


class Founded(NamedTuple):
    """A new log.

    Attributes:
        home: its folder.
        log_id: its id, the event hash of genesis.
        operator: its operator's party id.
        vkey: what its checkpoints are verified by.
        checkpoint: the first one.
    """

    home: Home
    log_id: bytes
    operator: bytes
    vkey: Vkey
    checkpoint: Checkpoint


def create_home(
    path: Path,
    *,
    origin: str,
    currencies: Sequence[CurrencyRule],
    passphrase: str | Callable[[], str] | None,
    utc_offset: int = 0,
    random: Randomness = os.urandom,
    clock: Callable[[], int] = now_ms,
    cost: Cost = MODERATE,
) -> Founded:
    """Make a log home with a log in it.

    Args:
        path: a folder that is not there, or empty.
        origin: the log's name for ever.
        currencies: at least one; see `currency_rules`.
        passphrase: locks the three keys, or asks for what does once it is sure that
            the place is free; None leaves them unlocked.
        utc_offset: minutes that the log's day is ahead of UTC.
        random: gives so many fresh random bytes.
        clock: gives the time now, ms since 1970.
        cost: of one try at the passphrase.

    Raises:
        ConflictError: `home-exists`.
        InputError: `anchor-inside-home`.
        FormatError: `bad-origin`, `bad-key-name`.
        InputError: as `KeyRing.create`.
    """
    check_own_origin(origin)
    check_outside(path, os.environ)
    operator = random(ID_LENGTH)
    home = Home(path)
    founded: list[Founded] = []

    def fill(partial: Home) -> None:
        secret = passphrase() if callable(passphrase) else passphrase
        ring = KeyRing(partial.keys, random)
        log_key, root_key, sign_key = _make_keys(ring, operator, secret, cost)
        genesis = Genesis(
            currencies=sorted(currencies, key=lambda rule: rule.code),
            level=LEVEL,
            log_key=log_key.public,
            operator=operator,
            origin=origin,
            root_key=root_key.public,
            utc_offset=utc_offset,
        )
        SqliteStore.create(partial.path).close()
        with Writer(partial, clock) as writer:
            _append_first(writer, genesis, root_key, sign_key, random)
            log = writer.identity
            checkpoint = writer.publish(log_key)
        founded.append(Founded(home, log.log, operator, vkey_of(log), checkpoint))

    home.build(fill)
    return founded[0]


def check_own_origin(origin: str) -> None:
    """Check that a log of ours may be called so: a URL without scheme.

    Others may call theirs as they like, in what `check_origin` lets pass (C2SP
    tlog-checkpoint: the origin SHOULD be a schema-less URL).

    Raises:
        FormatError: `bad-origin`, `bad-key-name`.
    """
    check_origin(origin)
    scheme, mark, rest = origin.partition("://")
    if mark:
        raise FormatError(
            "bad-origin",
            f"origin {excerpt(origin)} begins with a scheme, {scheme}://",
            hint=f"leave that out: {rest or 'example.com/log'}",
        )


def _make_keys(
    ring: KeyRing, operator: bytes, passphrase: str | None, cost: Cost
) -> Iterator[SigningKey]:
    for name, purpose in (
        (LOG_KEY, "log"),
        (OPERATOR_KEY + ROOT_SUFFIX, "root"),
        (OPERATOR_KEY, "sign"),
    ):
        yield ring.create(
            name, party=operator, purpose=purpose, passphrase=passphrase, cost=cost
        )


def _append_first(
    writer: Writer,
    genesis: Genesis,
    root_key: SigningKey,
    sign_key: SigningKey,
    random: Randomness,
) -> None:
    """Append genesis, and the entry by which the root key adds the sign key."""
    operator = genesis.operator
    root = Author(
        writer.log,
        operator,
        root_key,
        new_id=lambda: random(ID_LENGTH),
        clock=writer.clock,
    )
    root.say("genesis", genesis)
    log_id = writer.identity.log
    added = Key(
        action="add",
        party=operator,
        proof=prove_key(sign_key, log=log_id, party=operator, purpose="sign"),
        public=sign_key.public,
        purpose="sign",
    )
    root.say("key", added)


def currency_rules(codes: Iterable[str]) -> list[CurrencyRule]:
    """Give the rule of each currency, ascending by code.

    Args:
        codes: ISO 4217 codes, whose decimals come from Babel's tables, or
            ``CODE=DECIMALS`` where a log is to count otherwise.

    Raises:
        InputError: `bad-currency`, `currency-doubled`.

    >>> [(rule.code, rule.exponent) for rule in currency_rules(["SEK", "RSD=2", "JPY"])]
    [('JPY', 0), ('RSD', 2), ('SEK', 2)]
    """
    rules = sorted(map(_currency_rule, codes), key=lambda rule: rule.code)
    for before, after in pairwise(rules):
        if before.code == after.code:
            raise InputError("currency-doubled", f"{after.code} is given twice")
    return rules


def _currency_rule(text: str) -> CurrencyRule:
    code, _, decimals = text.partition("=")
    if decimals in {"0", "1", "2", "3", "4", "5", "6"} and re.match(CURRENCY, code):
        return CurrencyRule(code=code, exponent=int(decimals))
    # Babel answers 2 for a code that it does not know.
    if "=" in text or code not in get_global("all_currencies"):
        raise InputError(
            "bad-currency",
            f"{excerpt(text)} is not a currency",
            hint="give an ISO 4217 code such as SEK, or CODE=DECIMALS such as XAU=6",
        )
    return CurrencyRule(code=code, exponent=get_currency_precision(code))
