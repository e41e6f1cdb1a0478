"""Rules of who is on the log: parties, keys, roles (format.md §2–4, §6).

Authority has been checked before a rule runs (`ledger.replay.authority`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.entry.verify import key_id
from ledger.entry.verify import verify_key_proof
from ledger.errors import ConflictError
from ledger.errors import InputError
from ledger.errors import InvariantError
from ledger.errors import VerificationError
from ledger.events.registry import LEVEL
from ledger.events.types import UNSET
from ledger.replay.chain import UNACKNOWLEDGEABLE
from ledger.replay.log_keys import all_log_keys
from ledger.replay.outcome import NOTHING
from ledger.replay.outcome import Context
from ledger.replay.outcome import Outcome
from ledger.replay.outcome import Put
from ledger.replay.rows import NEVER
from ledger.replay.rows import HolderRow
from ledger.replay.rows import KeyRow
from ledger.replay.rows import LogKeyRow
from ledger.replay.rows import PartyRow
from ledger.replay.rows import ProblemRow
from ledger.replay.rules_succession import log_row
from ledger.replay.rules_succession import succeed

if TYPE_CHECKING:
    from typing import Any

    from ledger.events.identity import Accredit
    from ledger.events.identity import Acknowledge
    from ledger.events.identity import Genesis
    from ledger.events.identity import Key
    from ledger.events.identity import Level
    from ledger.events.identity import Party
    from ledger.events.identity import PartyVerify
    from ledger.replay.state import State


def genesis(context: Context, body: Genesis) -> Outcome:
    """Set the log up; its signature is the root key's proof (format.md §4)."""
    state, event = context.state, context.entry.event
    if context.index:
        return succeed(context, body)
    if body.level != LEVEL:
        raise InputError("level-unknown", f"genesis starts at level {body.level}")
    if body.predecessor is not UNSET:
        raise InputError(
            "bad-predecessor",
            "no entries stand before this genesis",
            hint="a log that succeeds another begins with the entries of that",
        )
    if body.log_key == body.root_key:
        raise InputError(
            "keys-not-distinct",
            "genesis gives the operator and the log the same key",
            hint="make a key for each: a stolen log key must not speak for a party",
        )
    log = log_row(context, body)
    root = KeyRow(
        body.operator,
        body.root_key,
        "root",
        0,
        NEVER,
        event.seq + 1,
        context.entry.event_hash,
    )
    puts: list[Put] = [
        (state.logs, "genesis", log),
        (state.log_keys, 0, LogKeyRow(body.log_key, 0, NEVER, 0, b"")),
        (state.keys, key_id(body.root_key), root),
        (state.parties, body.operator, PartyRow("organisation", "", 0, 0, 1)),
    ]
    puts += [(state.currencies, rule.code, rule.exponent) for rule in body.currencies]
    return Outcome(tuple(puts))


def _new_key(
    context: Context, party: bytes, public: bytes, purpose: str, proof: bytes
) -> Put:
    """Register a public key, which enters a log once, ever (format.md §4)."""
    state = context.state
    log = state.need_log()
    identity = key_id(public)
    known = state.keys.get(identity) is not None
    if known or any(row.public == public for row in all_log_keys(state)):
        raise ConflictError(
            "key-exists",
            f"key {identity.hex()} is on this log already",
            hint="a public key enters a log once, ever: make a new one",
        )
    try:
        verify_key_proof(public, proof, log.log, party, purpose)
    except VerificationError as error:
        raise InputError(
            "bad-key-proof",
            f"key {identity.hex()} does not prove its possession: {error.message}",
            hint="sign the proof with the new key, for this log, party and purpose",
        ) from error
    row = KeyRow(party, public, purpose, context.index, NEVER, 0, bytes(32), log.index)
    return state.keys, identity, row


def party(context: Context, body: Party) -> Outcome:
    """Register one party with its root key; a manifest's come by the full rule."""
    state = context.state
    if body.parties is not UNSET:
        ref: Any = body.parties
        row = (ref.lines, ref.root)
        return Outcome(((state.party_manifests, context.index, row),))
    single: Any = body
    if state.parties.get(single.party) is not None or not any(single.party):
        raise ConflictError(
            "party-exists", f"party {single.party.hex()} exists already"
        )
    external = "" if single.external is UNSET else single.external
    key = _new_key(context, single.party, single.public, "root", single.proof)
    row_ = PartyRow(single.type, external, context.index, NEVER, 1)
    return Outcome((key, (state.parties, single.party, row_)))


def _known_party(state: State, party_id: bytes) -> bool:
    return (
        state.parties.get(party_id) is not None
        or state.holders.get(party_id) is not None
    )


def party_full(context: Context, body: Party, outcome: Outcome) -> Outcome:
    """Register the parties of a manifest, none of them known before."""
    state = context.state
    if body.parties is UNSET:
        single: Any = body
        if state.holders.get(single.party) is not None:
            raise ConflictError(
                "party-exists", f"party {single.party.hex()} stands in a manifest"
            )
        return outcome
    puts: list[Put] = list(outcome.puts)
    ref: Any = body.parties
    for number, line in enumerate(context.read_lines("parties", ref), 1):
        if _known_party(state, line.party) or not any(line.party):
            raise ConflictError(
                "party-exists",
                f"line {number}: party {line.party.hex()} exists already",
                hint="leave out parties that are registered",
            )
        external = "" if line.external is UNSET else line.external
        row = HolderRow(line.type, external, line.verified, context.index, number)
        puts.append((state.holders, line.party, row))
    return Outcome(tuple(puts))


def party_verify(context: Context, body: PartyVerify) -> Outcome:
    """Note that the registrar has established who a party is."""
    state = context.state
    if body.source is not UNSET:
        _check_source(state, body.source)
        return NOTHING
    row = state.parties.get(body.party)
    if row is None:
        raise InputError(
            "party-unknown",
            f"party {body.party.hex()} has no entry of its own",
            hint="cite the manifest entry and line that hold it as `source`",
        )
    if row.verified != NEVER:
        raise ConflictError(
            "already-verified",
            f"entry {row.verified} verified party {body.party.hex()}",
            hint="nothing more is needed",
        )
    new = PartyRow(row.type, row.external, row.index, context.index, row.keys)
    return Outcome(((state.parties, body.party, new),))


def party_verify_full(context: Context, body: PartyVerify, outcome: Outcome) -> Outcome:
    """Verify a party of a manifest by its line."""
    if body.source is UNSET:
        return outcome
    holders = context.state.holders
    holder = _cited_holder(context.state, body)
    if holder.verified:
        raise ConflictError(
            "already-verified",
            f"party {body.party.hex()} is verified",
            hint="nothing more is needed",
        )
    verified = HolderRow(holder.type, holder.external, True, holder.index, holder.line)
    return Outcome(((holders, body.party, verified),))


def key(context: Context, body: Key) -> Outcome:
    """Add or revoke a key (format.md §4)."""
    return _revoke(context, body) if body.action == "revoke" else _add(context, body)


def _revoke(context: Context, body: Any) -> Outcome:  # noqa: ANN401
    state = context.state
    row = state.keys.get(body.key)
    if row is None or row.party != body.party or row.revoked != NEVER:
        raise InputError(
            "key-not-in-force",
            f"party {body.party.hex()} has no key {body.key.hex()} in force",
        )
    # The key of this very entry moved its chain already; keep that.
    new = KeyRow(
        row.party,
        row.public,
        row.purpose,
        row.added,
        context.index,
        row.next_seq,
        row.prev,
        row.since,
    )
    return Outcome(((state.keys, body.key, new),))


def _add(context: Context, body: Any) -> Outcome:  # noqa: ANN401
    state = context.state
    row = state.parties.get(body.party)
    if row is None:
        row = _party_of_manifest(context, body)
    elif body.source is not UNSET:
        raise InputError("bad-source", f"party {body.party.hex()} needs no source")
    added = _new_key(context, body.party, body.public, body.purpose, body.proof)
    counted = PartyRow(row.type, row.external, row.index, row.verified, row.keys + 1)
    return Outcome((added, (state.parties, body.party, counted)))


def _party_of_manifest(context: Context, body: Any) -> PartyRow:  # noqa: ANN401
    """Make the row of a manifest's party that gets its first key."""
    if body.source is UNSET:
        # Authority lets nobody come here but a registrar who cites a source.
        raise InvariantError("no-source", f"a first key for {body.party.hex()}")
    entry, _ = _check_source(context.state, body.source)
    return PartyRow("", "", entry, NEVER, 0)


def key_full(context: Context, body: Key, outcome: Outcome) -> Outcome:
    """A cited manifest line must hold the party that it is cited for."""
    if body.source is not UNSET:
        _cited_holder(context.state, body)
    return outcome


def _check_source(state: State, source: Any) -> tuple[int, int]:  # noqa: ANN401
    """Check that a cited entry brought a manifest of parties of that many lines."""
    entry, line = source
    manifest = state.party_manifests.get(entry)
    if manifest is None or not 1 <= line <= manifest[0]:
        raise InputError(
            "bad-source",
            f"entry {entry} has no party line {line}",
            hint="cite the index of the party entry, and the line counted from 1",
        )
    return entry, line


def _cited_holder(state: State, body: Key | PartyVerify) -> HolderRow:
    """Find the party of a manifest line, where an event cites it."""
    holder = state.holders.get(body.party)
    if holder is None or (holder.index, holder.line) != body.source:
        raise InputError(
            "bad-source",
            f"line {body.source} does not hold party {body.party.hex()}",
            hint="'linernote search' finds the entry and line of a party",
        )
    return holder


def accredit(context: Context, body: Accredit) -> Outcome:
    """Grant or withdraw a role."""
    state = context.state
    if state.parties.get(body.party) is None:
        raise InputError("party-unknown", f"no party {body.party.hex()} is registered")
    held = state.roles.get((body.party, body.role)) is not None
    granting = body.action == "grant"
    if held == granting:
        raise ConflictError(
            "role-unchanged",
            f"party {body.party.hex()} {'has' if held else 'does not have'}"
            f" the role {body.role}",
        )
    value = context.index if granting else None
    return Outcome(((state.roles, (body.party, body.role), value),))


def level(context: Context, body: Level) -> Outcome:
    """Raise the level by one; what follows is beyond this code (format.md §3)."""
    if body.level != context.state.level + 1:
        raise InputError(
            "bad-level",
            f"level {body.level} does not follow level {context.state.level}",
        )
    return NOTHING


def acknowledge(context: Context, body: Acknowledge) -> Outcome:
    """Mark a problem as seen; one that only lines show is marked in full."""
    if body.code in UNACKNOWLEDGEABLE:
        raise InputError(
            "not-acknowledgeable",
            f"{body.code} means that a chain does not hold, which nobody can settle",
        )
    problems = context.state.problems
    row = problems.get(body.index)
    if row is None and body.index < context.index:
        # It may be one that only the lines show.
        return NOTHING
    _check_open_problem(row, body)
    new = ProblemRow(body.code, "public" if row is None else row.book, context.index)
    return Outcome(((problems, body.index, new),))


def _check_open_problem(row: ProblemRow | None, body: Acknowledge) -> None:
    if row is None or row.code != body.code or row.acknowledged != NEVER:
        raise InputError(
            "nothing-to-acknowledge",
            f"entry {body.index} has no open problem {body.code}",
            hint="'linernote audit' lists the problems",
        )


def acknowledge_full(context: Context, body: Acknowledge, outcome: Outcome) -> Outcome:
    """There must be such a problem, not acknowledged before."""
    _check_open_problem(context.state.problems.get(body.index), body)
    return outcome
