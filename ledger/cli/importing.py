"""A catalogue on its way to the log: holders, recordings and shares, all or none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

from ledger.cli.heads import head_of
from ledger.cli.signing import check_in_force
from ledger.cli.signing import new_id
from ledger.cli.signing import open_desk
from ledger.drafts import Draft
from ledger.errors import LedgerError
from ledger.staging import Staged
from ledger.writer import now_ms

if TYPE_CHECKING:
    from ledger.ahead import Chain
    from ledger.cli.common import Settings
    from ledger.cli.signing import Keys
    from ledger.cli.signing import Signer
    from ledger.entry.sign import SignedEvent
    from ledger.imports.catalogue import Catalogue
    from ledger.imports.holders import PartyBook
    from ledger.replay import State


class Entries(NamedTuple):
    """Where a catalogue stands; None for what it did not bring."""

    party: int | None
    catalogue: int
    shares: int | None


class Brought(NamedTuple):
    """What is brought in, and by whom.

    Attributes:
        catalogue: as read.
        book: knows which of its holders are new.
        effective: day from which its shares count.
        society: signs recordings and shares.
        registrar: signs new holders.
    """

    catalogue: Catalogue
    book: PartyBook
    effective: int
    society: Signer
    registrar: Signer


def known_parties(state: State) -> dict[str, bytes]:
    """Map external ids to the parties on the log; the first one where two have it."""
    known: dict[str, tuple[int, bytes]] = {}
    for party, row in state.parties.items():
        _note(known, row.external, row.index, party)
    for party, holder in state.holders.items():
        _note(known, holder.external, holder.index, party)
    return {external: party for external, (_, party) in known.items()}


def _note(
    known: dict[str, tuple[int, bytes]], external: str, index: int, party: bytes
) -> None:
    if external and (external not in known or index < known[external][0]):
        known[external] = (index, party)


def append_catalogue(settings: Settings, keys: Keys, brought: Brought) -> Entries:
    """Append what came of a catalogue as one batch.

    Raises:
        LedgerError: the refusal; nothing was appended.
    """
    log_keys = keys.log_keys()
    with (
        Staged(settings.place.staging) as staged,
        open_desk(settings, log_keys) as desk,
    ):
        made = _sign_all(desk.log.state, brought, staged)
        answers = desk.log.append(list(made.values()), staged, atomic=True)
    placed = {
        kind: answer.index
        for kind, answer in zip(made, answers, strict=True)
        if not isinstance(answer, LedgerError)
    }
    return Entries(placed.get("party"), placed["catalogue"], placed.get("shares"))


def _sign_all(state: State, brought: Brought, staged: Staged) -> dict[str, SignedEvent]:
    """Sign the events that are needed, by kind."""
    society, registrar = brought.society, brought.registrar
    read, book = brought.catalogue, brought.book
    for signer in (society, registrar):
        check_in_force(state, signer)
    head = head_of(state, society.id, registrar.id)
    by_society = head.chain(society.key, society.file.party)
    by_registrar = by_society
    if registrar.id != society.id:
        by_registrar = head.chain(registrar.key, registrar.file.party)
    made: dict[str, SignedEvent] = {}
    if next(book.new(read.parties()), None) is not None:
        holders = ("parties", book.new(read.parties()))
        made["party"] = _sign(by_registrar, "party", {}, holders, staged)
    recordings = ("recordings", read.recordings())
    made["catalogue"] = _sign(by_society, "catalogue", {}, recordings, staged)
    if read.counts.shares:
        body = {"effective": brought.effective, "kind": "transfer"}
        made["shares"] = _sign(
            by_society, "shares", body, ("lines", read.shares()), staged
        )
    return made


def _sign(
    place: Chain,
    kind: str,
    body: dict[str, Any],
    lines: tuple[str, Iterable[Any]],
    staged: Staged,
) -> SignedEvent:
    draft = Draft(kind, body, None, None, kind)
    return place.sign(
        draft,
        event_id=new_id(),
        time=now_ms(),
        lines=dict([lines]),
        staged=staged,
    )
