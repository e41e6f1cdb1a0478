"""Postings and mentions in SQLite: what the viewer and the searches ask.

None of it proves anything, and all of it can be rebuilt from the log and its lines.
The columns of each table are the fields of its struct, in the same order.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator

from msgspec.structs import astuple

from ledger.storage.base import PARTY
from ledger.storage.base import Mention
from ledger.storage.base import PostingRow
from ledger.storage.sqlite_handle import Handle
from ledger.storage.sqlite_schema import DERIVED

READ_ROWS = 1_024
"""Rows read at a time: between two reads nobody is kept waiting."""

_BEFORE_ALL = (-1, -1)
_BEFORE_ALL_WORDS = ("", "", -1)
_AFTER_ALL = 2**63 - 1
_HIGHEST = "\U0010ffff"
"""The last character there is: ends the range of what starts with a prefix."""

_ADD_POSTING = "INSERT INTO postings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_OF_PARTY = (
    "SELECT * FROM postings WHERE party = ? AND currency = ? "
    "AND (entry_index, leg) > (?, ?) ORDER BY entry_index, leg LIMIT ?"
)
_OF_RECORDING = (
    "SELECT * FROM postings WHERE recording = ? "
    "AND (entry_index, leg) > (?, ?) ORDER BY entry_index, leg LIMIT ?"
)
_POSTINGS = (
    "SELECT * FROM postings WHERE (entry_index, leg) > (?, ?) "
    "ORDER BY entry_index, leg LIMIT ?"
)
_MENTIONS = (
    "SELECT * FROM mentions WHERE (value, what, entry_index) > (?, ?, ?) "
    "ORDER BY value, what, entry_index LIMIT ?"
)
_ADD_MENTION = "INSERT INTO mentions VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
_FIND = (
    "SELECT * FROM mentions WHERE value >= ? AND value < ? "
    "ORDER BY value, what, entry_index LIMIT ?"
)
_ENTRIES_OF_PARTY = """
    SELECT entry_index FROM postings WHERE party = :party AND entry_index < :before
    UNION
    SELECT entry_index FROM mentions
    WHERE value = :hex AND what = :what AND entry_index < :before
    ORDER BY entry_index DESC LIMIT :limit
"""


class SqliteDerived(Handle):
    """Tables for questions."""

    def add_postings(self, postings: Iterable[PostingRow]) -> None:
        """Add legs; (entry_index, leg) is unique."""
        self.many(_ADD_POSTING, map(astuple, postings))

    def postings_of_party(
        self,
        party: bytes,
        currency: str,
        after: tuple[int, int] | None,
        limit: int,
    ) -> list[PostingRow]:
        """Read a party's legs beyond (entry_index, leg) `after`, in that order."""
        place = after or _BEFORE_ALL
        found = self.all(_OF_PARTY, (party, currency, *place, limit))
        return [PostingRow(*row) for row in found]

    def postings_of_recording(
        self, recording: str, after: tuple[int, int] | None, limit: int
    ) -> list[PostingRow]:
        """Read a recording's legs beyond (entry_index, leg) `after`."""
        place = after or _BEFORE_ALL
        found = self.all(_OF_RECORDING, (recording, *place, limit))
        return [PostingRow(*row) for row in found]

    def postings(self) -> Iterator[PostingRow]:
        """Read all legs by (entry_index, leg); not to be written meanwhile."""
        found = self.all(_POSTINGS, (*_BEFORE_ALL, READ_ROWS))
        while found:
            yield from (PostingRow(*row) for row in found)
            found = self.all(_POSTINGS, (*found[-1][:2], READ_ROWS))

    def add_mentions(self, mentions: Iterable[Mention]) -> None:
        """Add mentions; (value, what, entry_index) already there is passed over."""
        self.many(_ADD_MENTION, map(astuple, mentions))

    def find_mentions(self, prefix: str, limit: int) -> list[Mention]:
        """Read mentions whose value starts so, by value, what and entry."""
        found = self.all(_FIND, (prefix, prefix + _HIGHEST, limit))
        return [Mention(*row) for row in found]

    def mentions(self) -> Iterator[Mention]:
        """Read all mentions by value, what and entry; not to be written meanwhile."""
        found = self.all(_MENTIONS, (*_BEFORE_ALL_WORDS, READ_ROWS))
        while found:
            yield from (Mention(*row) for row in found)
            found = self.all(_MENTIONS, (*found[-1][:3], READ_ROWS))

    def entries_of_party(
        self, party: bytes, limit: int, before: int | None = None
    ) -> list[int]:
        """List entries that post to or mention the party, newest first."""
        parameters = {
            "party": party,
            "hex": party.hex(),
            "what": PARTY,
            "before": _AFTER_ALL if before is None else before,
            "limit": limit,
        }
        return [row[0] for row in self.all(_ENTRIES_OF_PARTY, parameters)]

    def clear_derived(self) -> None:
        """Drop rows, postings and mentions, so that they can be rebuilt."""
        with self.writing() as database:
            for name in DERIVED:
                database.execute(f"DELETE FROM {name}")  # noqa: S608
