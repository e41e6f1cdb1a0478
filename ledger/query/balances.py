"""Every party's balance, now or at any past size (ledger/docs/json.md)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ledger.entry.envelope import decode_entry
from ledger.entry.envelope import decode_event
from ledger.entry.envelope import event_hash
from ledger.errors import InputError
from ledger.log import StoredLines
from ledger.replay import Replay
from ledger.replay import ReplayEntry
from ledger.replay import State
from ledger.storage.base import Rows
from ledger.storage.base import Store
from ledger.tlog.merkle import leaf_hash

Document = dict[str, Any]


def balances_document(state: State) -> Document:
    """Give the balances of a state as the document of `linernote balances --json`.

    All amounts are integer micro-units. `credited` is what distributions gave, net,
    whether paid out or not; `held` what disputes hold back, which nothing in level 1
    does. `suspense` is gross money that waits, for a (recording, side), or for a pool
    no recording of which can be named.
    """
    return {
        "size": state.size,
        "currency": dict(state.currencies.items()),
        "balances": list(_balances(state)),
        "suspense": list(_suspense(state)),
    }


def _balances(state: State) -> Iterator[Document]:
    for (party, currency), row in state.credits.items():
        known = state.parties.get(party) or state.holders.get(party)
        yield {
            "party": party.hex(),
            "external": (known.external or None) if known is not None else None,
            "currency": currency,
            "credited": row.credited,
            "paid": row.paid,
            "payable": row.credited - row.paid,
            "held": 0,
        }


def _suspense(state: State) -> Iterator[Document]:
    sums: dict[tuple[bytes | tuple[str, str], str], int] = {}
    for (_, _, type_, subject, currency), amount in state.accounts.items():
        if type_ == "suspense":
            # Societies may share a log: what waits is told by what it waits for.
            sums[subject, currency] = sums.get((subject, currency), 0) - amount
    for (subject, currency), amount in sums.items():
        if amount == 0:
            continue
        if isinstance(subject, bytes):
            yield {"pool": subject.hex(), "currency": currency, "amount": amount}
        else:
            recording, side = subject
            yield {
                "recording": recording,
                "side": side,
                "currency": currency,
                "amount": amount,
            }


def replay_prefix(store: Store, size: int, rows: Rows | None = None) -> State:
    """Replay the first `size` entries of a store anew, as they were judged.

    Args:
        store: of a log whose bytes and signatures are not in doubt here.
        size: of the prefix.
        rows: where rows rest that memory should not hold; empty.

    Raises:
        InputError: `size-ahead`.
    """
    whole = store.size()
    if not 0 <= size <= whole:
        raise InputError(
            "size-ahead",
            f"the log has {whole} entries, not {size}",
            hint=f"choose a size from 0 to {whole}",
        )
    state = State("full", rows)
    hashes: list[bytes] = []
    replay = Replay(state, hashes.__getitem__, StoredLines(store))
    for leaf in store.leaves(0, size):
        entry = _replay_entry(leaf)
        replay.apply(entry)
        hashes.append(entry.leaf_hash)
    state.flush()
    return state


def _replay_entry(leaf: bytes) -> ReplayEntry:
    entry = decode_entry(leaf)
    return ReplayEntry(
        index=entry.index,
        time_ms=entry.time,
        event=decode_event(entry.event),
        event_hash=event_hash(entry.event),
        leaf_hash=leaf_hash(leaf),
    )
