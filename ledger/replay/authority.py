"""Who may append which kind about which subject; default deny.

A pure function of earlier entries. `AUTHORITY` is the whole table, from which
`ledger/docs/authority.md` is generated; `check_authority` applies it.

Root keys sign ``genesis``, ``key`` and ``log.key`` and nothing else; sign keys sign
the rest. A sign key may revoke itself. Roles and keys count from the entry after the
one that gives them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

from ledger.errors import AuthorityError
from ledger.events.types import UNSET

if TYPE_CHECKING:
    from ledger.entry.envelope import Event
    from ledger.replay.rows import KeyRow
    from ledger.replay.state import State


class Cell(NamedTuple):
    """One row of the authority table."""

    role: str
    condition: str


AUTHORITY = {
    "accredit": Cell("operator", ""),
    "acknowledge": Cell("operator", ""),
    "catalogue": Cell("society", ""),
    "distribution": Cell("society", "licensor of the pool's licence"),
    "due": Cell("society", "licensor of the licence"),
    "genesis": Cell(
        "operator",
        "entry 0, by the root key that it names; later, to let the log be succeeded",
    ),
    "key": Cell(
        "party",
        "a root key adds and revokes its own party's keys; a sign key revokes"
        " itself; a registrar adds the first key, a root key, of a party that has none",
    ),
    "level": Cell("operator", ""),
    "licence.accept": Cell("lab", "the lab that the grant names"),
    "licence.grant": Cell("society", "tariff, scheme and catalogues are its own"),
    "log.key": Cell("operator", "by a root key"),
    "model.version": Cell("lab", ""),
    "party": Cell("registrar", ""),
    "party.verify": Cell("registrar", ""),
    "payment.received": Cell("society", "the dues it applies to are its own"),
    "payout": Cell("society", "from its own books"),
    "payout.result": Cell("society", "the payout is its own"),
    "reverse": Cell("party", "the author of the entry reversed"),
    "run.close": Cell("lab", "the run is its own"),
    "run.open": Cell("lab", "the model version is its own"),
    "scheme": Cell("society", ""),
    "shares": Cell("society", ""),
    "tariff": Cell("society", ""),
}


ROOT_KINDS = ("genesis", "log.key")
"""Kinds that only a root key signs; `key` has rules of its own."""

_OPERATOR_ROLES = ("operator", "registrar")


def has_role(state: State, party: bytes, role: str) -> bool:
    """Tell whether a party holds a role now."""
    if role == "party" or state.roles.get((party, role)) is not None:
        return True
    return role in _OPERATOR_ROLES and party == state.need_log().operator


def check_authority(state: State, event: Event, key: KeyRow, body: Any) -> None:  # noqa: ANN401
    """Refuse an event whose author may not say this.

    Raises:
        AuthorityError: `key-revoked`, `wrong-purpose`, `missing-role`,
            `not-your-key`.
    """
    if key.revoked >= 0:
        raise AuthorityError(
            "key-revoked",
            f"key {event.key.hex()} was revoked by entry {key.revoked}",
            hint="sign with another key of the party",
        )
    if event.kind == "key":
        _check_key_event(state, event, key, body)
        return
    purpose = "root" if event.kind in ROOT_KINDS else "sign"
    if key.purpose != purpose:
        raise AuthorityError(
            "wrong-purpose",
            f"a {key.purpose} key cannot sign {event.kind}",
            hint=f"sign with a {purpose} key of the party",
        )
    if event.kind == "genesis":
        # Nothing is earlier: it makes its author the operator.
        return
    cell = AUTHORITY.get(event.kind)
    if cell is None or not has_role(state, event.author, cell.role):
        wanted = "nobody" if cell is None else cell.role
        raise AuthorityError(
            "missing-role",
            f"party {event.author.hex()} is not {wanted} and cannot append"
            f" {event.kind}",
            hint="the operator accredits roles",
        )


def _check_key_event(state: State, event: Event, key: KeyRow, body: Any) -> None:  # noqa: ANN401
    own = event.author == body.party
    if own and key.purpose == "root":
        return
    if own and body.action == "revoke" and body.key == event.key:
        return
    registered = state.parties.get(body.party)
    first = registered is None or registered.keys == 0
    if (
        not own
        and key.purpose == "sign"
        and body.action == "add"
        and body.purpose == "root"
        and first
        and body.source is not UNSET
        and has_role(state, event.author, "registrar")
    ):
        return
    raise AuthorityError(
        "not-your-key",
        f"party {event.author.hex()} may not {body.action} a key of party"
        f" {body.party.hex()} with a {key.purpose} key",
        hint="a party's root key does that; a registrar only adds a first one",
    )
