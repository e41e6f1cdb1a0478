"""From what a person types to the party, recording or entry that is meant.

Parties go by id (32 hex digits), external id, the beginning of either if it is
nobody else's, or their name in the side store; recordings by external id, ISRC or
title. What nothing fits is refused with a hint; what several fit, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from ledger.errors import InputError
from ledger.errors import LedgerError
from ledger.events.types import UNSET
from ledger.query.entries import entry_view
from ledger.query.views import Found
from ledger.statement.sources import Sources
from ledger.storage.base import PARTY
from ledger.storage.base import Mention

PREFIX_LENGTH_MIN = 4
MENTIONS_MAX = 256
QUERY_LENGTH_MAX = 200

_HASHES = {PARTY, "manifest"}
_PARTY_ID = re.compile(r"[0-9a-f]{32}")
_HEX = re.compile(r"[0-9a-f]{4,31}")
_HASH = re.compile(r"[0-9a-f]{4,64}")
_INDEX = re.compile(r"0|[1-9][0-9]{0,18}")
_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")


def find_party(sources: Sources, text: str) -> bytes:
    """Find the one party that a text means.

    Raises:
        InputError: `party-unknown`, `party-ambiguous`.
    """
    if _PARTY_ID.fullmatch(text):
        party = bytes.fromhex(text)
        if _is_party(sources, party):
            return party
        raise _unknown_party(text)
    candidates = _by_external(sources, text) or _by_prefix(sources, text)
    if not candidates:
        folded = text.casefold()
        named = sources.names.parties_like(text) if text else []
        candidates = {party for party, name in named if name.casefold() == folded}
        candidates = {party for party in candidates if _is_party(sources, party)}
    if not candidates:
        raise _unknown_party(text)
    if len(candidates) > 1:
        shown = ", ".join(sorted(party.hex() for party in candidates)[:3])
        raise InputError(
            "party-ambiguous",
            f"{len(candidates)} parties or more fit {text[:40]!r}: {shown} …",
            hint="give more of the id",
        )
    return candidates.pop()


def _is_party(sources: Sources, party: bytes) -> bool:
    state = sources.state
    return state.parties.get(party) is not None or state.holders.get(party) is not None


def _unknown_party(text: str) -> InputError:
    return InputError(
        "party-unknown",
        f"no party {text[:40]!r} is on this log",
        hint="search for a name, an external id or the beginning of a party's id",
    )


def _by_external(sources: Sources, text: str) -> set[bytes]:
    if ":" not in text:
        return set()
    found = sources.store.find_mentions(text, MENTIONS_MAX)
    return {
        party
        for mention in found
        if mention.what == "external" and mention.value == text
        for party in _named_in(sources, mention)
    }


def _named_in(sources: Sources, mention: Mention) -> Iterator[bytes]:
    """Find the parties that an entry gives this external id."""
    body = sources.entry(mention.entry_index).body
    if body.parties is UNSET:
        yield body.party
        return
    for line in sources.lines.all("party/parties", body.parties.root):
        if line.external == mention.value:
            yield line.party


def _by_prefix(sources: Sources, text: str) -> set[bytes]:
    if not _HEX.fullmatch(text):
        return set()
    found = sources.store.find_mentions(text, MENTIONS_MAX)
    if len(found) < MENTIONS_MAX:
        ids = {bytes.fromhex(m.value) for m in found if m.what == PARTY}
    else:
        ids = {party for party in _all_parties(sources) if party.hex().startswith(text)}
    return {party for party in ids if _is_party(sources, party)}


def _all_parties(sources: Sources) -> Iterator[bytes]:
    state = sources.state
    for party, _ in chain(state.parties.items(), state.holders.items()):
        yield party


def find_recording(sources: Sources, text: str) -> str:
    """Find the recording that an external id or an ISRC means.

    Raises:
        InputError: `recording-unknown`.
    """
    if _is_recording(sources, text):
        return text
    isrc = text.replace("-", "").upper()
    if _ISRC.fullmatch(isrc):
        for external in _by_isrc(sources, isrc):
            return external
    raise InputError(
        "recording-unknown",
        f"no recording {text[:40]!r} is on this log",
        hint="search for a title, an ISRC or the beginning of an external id",
    )


def _is_recording(sources: Sources, external: str) -> bool:
    if not external or len(external) > QUERY_LENGTH_MAX:
        return False
    if sources.state.recordings.get(external) is not None:
        return True
    found = sources.store.find_mentions(external, 1)
    return any(m.value == external and m.what == "recording" for m in found)


def _by_isrc(sources: Sources, isrc: str) -> Iterator[str]:
    for mention in sources.store.find_mentions(isrc, MENTIONS_MAX):
        if mention.what == "isrc" and mention.value == isrc:
            root = sources.entry(mention.entry_index).body.recordings.root
            for line in sources.lines.all("catalogue/recordings", root):
                if line.isrc == isrc:
                    yield line.external


def search(sources: Sources, text: str, limit: int) -> list[Found]:
    """Find what a text may mean: parties first, then recordings, then entries."""
    wanted = text.strip()[:QUERY_LENGTH_MAX]
    if not wanted:
        return []
    found: dict[tuple[str, str], Found] = {}
    for each in _hits(sources, wanted, limit):
        found.setdefault((each.what, each.key), each)
    order = ("party", "recording", "entry")
    return sorted(found.values(), key=lambda each: order.index(each.what))[:limit]


def _hits(sources: Sources, wanted: str, limit: int) -> Iterator[Found]:
    if _INDEX.fullmatch(wanted) and int(wanted) < sources.state.size:
        yield _entry(sources, int(wanted), "index")
    for party, name in sources.names.parties_like(wanted)[:limit]:
        if _is_party(sources, party):
            yield Found("party", party.hex(), name, "name")
    for external, title in sources.names.recordings_like(wanted)[:limit]:
        yield Found("recording", external, title, "title")
    spellings = dict.fromkeys([wanted, wanted.lower(), wanted.replace("-", "").upper()])
    for spelling in spellings:
        for mention in sources.store.find_mentions(spelling, MENTIONS_MAX):
            yield from _mentioned(sources, mention, spelling)
    if _HASH.fullmatch(wanted.lower()):
        for index in sources.store.find_hash(wanted.lower(), limit):
            yield _entry(sources, index, "hash")


def _mentioned(sources: Sources, mention: Mention, typed: str) -> Iterator[Found]:
    words, value = sources.words, mention.value
    if mention.what in _HASHES and len(typed) < PREFIX_LENGTH_MIN:
        return  # the first digits of a hash say nothing
    if mention.what == PARTY:
        party = bytes.fromhex(value)
        if _is_party(sources, party):
            yield Found("party", value, words.party(party), "party id")
    elif mention.what == "external":
        for party in _by_external(sources, value):
            yield Found("party", party.hex(), words.party(party), "external id")
    elif mention.what == "recording":
        yield Found("recording", value, words.recording(value), "external id")
    elif mention.what == "isrc":
        for external in _by_isrc(sources, value):
            yield Found("recording", external, words.recording(external), "ISRC")
    else:
        yield _entry(sources, mention.entry_index, mention.what)


def _entry(sources: Sources, index: int, reason: str) -> Found:
    try:
        label = entry_view(sources, index).sentence
    except LedgerError as error:
        label = error.message
    return Found("entry", str(index), label, reason)
