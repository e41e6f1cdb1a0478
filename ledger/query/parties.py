"""A party with its roles, keys, shares, money and entries."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from ledger.accounting.chart import CLASSES
from ledger.query.entries import entry_view
from ledger.query.views import EntryView
from ledger.query.views import KeyView
from ledger.query.views import Money
from ledger.query.views import PartyView
from ledger.query.views import PostingView
from ledger.replay.rows import NEVER
from ledger.replay.rows import CreditRow
from ledger.statement.holdings import HOLDINGS_MAX
from ledger.statement.holdings import holdings
from ledger.statement.model import derived_damaged
from ledger.statement.sources import Sources
from ledger.storage.base import PostingRow

ENTRIES_MAX = 20
POSTINGS_MAX = 20
ROLES = ("operator", "registrar", "society", "lab", "provider", "auditor")
_LAST_LEG = 2**62


def party_view(sources: Sources, party: bytes, before: int | None = None) -> PartyView:
    """Gather what the log says of a party.

    Args:
        sources: what may be read.
        party: known to be on the log.
        before: entries from this index on are left out.
    """
    state = sources.state
    row, holder = state.parties.get(party), state.holders.get(party)
    if holder is not None:
        kind, registered = holder.type, holder.index
        verified = holder.index if holder.verified else NEVER
    elif row is not None:
        kind, registered, verified = row.type, row.index, NEVER
    else:
        raise derived_damaged(f"no party {party.hex()}")
    if row is not None and row.verified != NEVER:
        verified = row.verified
    entries = sources.store.entries_of_party(party, ENTRIES_MAX + 1, before)
    held = list(islice(holdings(sources, party), HOLDINGS_MAX + 1))
    return PartyView(
        id=party,
        name=sources.words.party(party),
        external=sources.words.external(party),
        type=kind,
        registered=registered,
        verified=verified,
        roles=tuple(_roles(sources, party)),
        keys=tuple(_keys(sources, party)),
        money=tuple(money(sources, party)),
        holdings=tuple(held[:HOLDINGS_MAX]),
        holdings_more=len(held) > HOLDINGS_MAX,
        postings=tuple(_postings(sources, party, entries))[:POSTINGS_MAX],
        entries=tuple(entry_view(sources, n) for n in entries[:ENTRIES_MAX]),
        next_before=entries[ENTRIES_MAX - 1] if len(entries) > ENTRIES_MAX else None,
    )


def _roles(sources: Sources, party: bytes) -> Iterator[tuple[str, int]]:
    log = sources.state.log
    for role in ROLES:
        index = sources.state.roles.get((party, role))
        if index is not None:
            yield role, index
        elif log is not None and party == log.operator and role in ROLES[:2]:
            yield role, 0  # genesis makes the operator both


def _keys(sources: Sources, party: bytes) -> Iterator[KeyView]:
    for key, row in sources.state.keys.items():
        if row.party == party:
            yield KeyView(key, row.public, row.purpose, row.added, row.revoked)


def money(sources: Sources, party: bytes) -> Iterator[Money]:
    """Give what a party has and owes, for each currency that it ever had."""
    state = sources.state
    for currency, exponent in sources.currencies.items():
        credit = state.credits.get((party, currency))
        owes = sources.balance(("asset", "receivable"), party, currency)
        prepaid = -sources.balance(("liability", "prepaid"), party, currency)
        if credit is None and not owes and not prepaid:
            continue
        row = credit or CreditRow(0, 0)
        yield Money(
            currency=currency,
            exponent=exponent,
            credited=row.credited,
            paid=row.paid,
            payable=row.credited - row.paid,
            held=0,
            owes=owes,
            prepaid=prepaid,
        )


def _postings(
    sources: Sources, party: bytes, entries: list[int]
) -> Iterator[PostingView]:
    """Give a party's legs in entries that are newest first, last leg first."""
    currencies = list(sources.currencies)
    views: dict[int, EntryView] = {}
    for index in entries:
        for currency in currencies:
            place = (index - 1, _LAST_LEG)
            legs = sources.store.postings_of_party(party, currency, place, POSTINGS_MAX)
            for leg in [leg for leg in legs if leg.entry_index == index]:
                if index not in views:
                    views[index] = entry_view(sources, index)
                yield _posting(leg, views[index])


def _posting(leg: PostingRow, entry: EntryView) -> PostingView:
    sign = -1 if CLASSES[leg.account_type] == "liability" else 1
    return PostingView(
        index=leg.entry_index,
        time_ms=entry.time_ms,
        kind=entry.kind,
        account=leg.account_type,
        recording=leg.recording or "",
        side=leg.side or "",
        currency=leg.currency,
        amount=sign * leg.amount,
    )
