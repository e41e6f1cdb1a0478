r"""Holders as tables name them become parties and share lines (format.md §5).

    claim   holder \0 subject \0 side \0 u16 place | u32 ppm | role
    share            subject \0 side \0 u16 place | u32 ppm | role | party

A claim names its holder as the table does: by an external id, by a party's own id in
hex, or as unknown. Claims sorted by holder show each of them once, so that its id is
asked for once; the same bytes without the holder, and with the id, are the share
lines, in an order of their own.

>>> whole = pack_holding(0, 1_000_000, "owner")
>>> claims = [claim("demo:ada", b"demo:song\0master\0", whole)]
>>> holdings = settle(claims, party_of=lambda external: bytes(15) + b"\1")
>>> [(share.subject, share.side, share.party.hex()[-2:]) for share in holdings.shares()]
[('demo:song', 'master', '01')]
>>> [party.external for party in holdings.parties()]
['demo:ada']
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from itertools import groupby
from operator import itemgetter
from struct import Struct
from typing import cast

from ledger.errors import InvariantError
from ledger.events.identity import PartyType
from ledger.events.lines import PartyLine
from ledger.events.lines import ShareLine
from ledger.events.types import UNKNOWN_PARTY
from ledger.events.types import Side
from ledger.imports.cells import NOBODY
from ledger.imports.sorting import MEMORY_MAX
from ledger.imports.sorting import Sorter

PLACES_MAX = 65_536
"""Lines that one share table can have."""

PartyOf = Callable[[str], bytes]
"""Gives the id of the party with an external id: the one it has, or a new one."""

_ID_BYTES = len(UNKNOWN_PARTY)
_HOLDING = Struct(">HI")


def claim(holder: str, table: bytes, holding: bytes) -> bytes:
    r"""Make the claim of one holder.

    Args:
        holder: external id, party id in hex, or `NOBODY`.
        table: subject and side, each ended by a zero byte.
        holding: what it has of that table.
    """
    return b"%s\0%s%s" % (holder.encode(), table, holding)


def pack_holding(place: int, ppm: int, role: str) -> bytes:
    """Pack what a holder has: its place in the table, from 0, its share, its role."""
    return _HOLDING.pack(place, ppm) + role.encode()


@dataclass(frozen=True)
class Holdings:
    """Who holds what: lines for two manifests, readable again and again.

    Attributes:
        party_type: what the parties are.
        verified: whether a registrar vouches for who they are.
    """

    party_type: PartyType
    verified: bool
    _parties: Sorter = field(repr=False)
    _shares: Sorter = field(repr=False)

    @property
    def party_count(self) -> int:
        """How many external ids the holders have."""
        return len(self._parties)

    @property
    def share_count(self) -> int:
        """How many share lines there are."""
        return len(self._shares)

    def parties(self) -> Iterator[PartyLine]:
        """Give every holder that has an external id, ascending by party.

        Parties that are on the log already are among them; a manifest of new parties
        leaves them out (`PartyBook.new`).
        """
        for party, group in groupby(self._parties, key=itemgetter(slice(_ID_BYTES))):
            # Two external ids of one party: it is on the log, under one of them.
            external = next(group)[_ID_BYTES:].decode()
            yield PartyLine(
                external=external,
                party=party,
                type=self.party_type,
                verified=self.verified,
            )

    def shares(self) -> Iterator[ShareLine]:
        """Give the share lines, ascending by subject, side and place."""
        for item in self._shares:
            subject, side, holding = item.split(b"\0", 2)
            place, ppm = _HOLDING.unpack_from(holding)
            role = holding[_HOLDING.size : -_ID_BYTES].decode()
            yield ShareLine(
                party=holding[-_ID_BYTES:],
                place=place,
                ppm=ppm,
                role=role,
                side=cast("Side", side.decode()),
                subject=subject.decode(),
            )


class PartyBook:
    """Ids of parties: the known ones from the log, new ones for all others.

    Each new external id is asked for once, so nothing is remembered here but what the
    log knows.

    Args:
        known: gives the id of a party on the log, or None.
        new_id: gives 16 random bytes.

    >>> book = PartyBook({"demo:ada": bytes(16)}.get, lambda: bytes([7]) * 16)
    >>> book("demo:ada").hex()[:2], book("demo:bob").hex()[:2]
    ('00', '07')
    """

    def __init__(
        self, known: Callable[[str], bytes | None], new_id: Callable[[], bytes]
    ) -> None:
        self._known = known
        self._new_id = new_id

    def __call__(self, external: str) -> bytes:
        """Give the id of a party."""
        return self._known(external) or self._new_id()

    def new(self, lines: Iterable[PartyLine]) -> Iterator[PartyLine]:
        """Leave out the parties that are on the log already."""
        for line in lines:
            if self._known(cast("str", line.external)) is None:
                yield line


def settle(
    claims: Iterable[bytes],
    party_of: PartyOf,
    *,
    party_type: PartyType = "person",
    verified: bool = False,
    memory_max: int = MEMORY_MAX,
) -> Holdings:
    """Turn claims into holdings.

    Args:
        claims: in any order; a sorter is read as it is.
        party_of: is asked once for each external id, ascending.
        party_type: what the parties are.
        verified: whether a registrar vouches for who they are.
        memory_max: bytes that a sorter holds before it uses a temporary file.

    Raises:
        InvariantError: ``party-id-length`` if `party_of` gives no id.
        HomeError: ``disk-full``.
    """
    if not isinstance(claims, Sorter):
        unsorted, claims = claims, Sorter(memory_max)
        claims.extend(unsorted)
    parties, shares = Sorter(memory_max), Sorter(memory_max)
    shares.extend(_share_items(claims, party_of, parties))
    return Holdings(party_type, verified, parties, shares)


def _share_items(
    claims: Iterable[bytes], party_of: PartyOf, parties: Sorter
) -> Iterator[bytes]:
    holder, party = None, UNKNOWN_PARTY
    for item in claims:
        name, _, rest = item.partition(b"\0")
        if name != holder:
            holder, party = name, _party(name.decode(), party_of)
            if b":" in name and party != UNKNOWN_PARTY:
                parties.add(party + name)
        yield rest + party


def _party(holder: str, party_of: PartyOf) -> bytes:
    if holder == NOBODY:
        return UNKNOWN_PARTY
    party = party_of(holder) if ":" in holder else bytes.fromhex(holder)
    if len(party) != _ID_BYTES:
        raise InvariantError("party-id-length", f"{len(party)} bytes for {holder}")
    return party
