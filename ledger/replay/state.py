r"""The state of a log after its first `size` entries, and its digest.

    digest = H("linernote/state/v1\n" ‖ rows)

Rows are ``cm([table, key, value])`` ascending by (table, cm(key)); the first is
``["", "", [log, size, level, "public" | "full"]]`` (format.md §6).

>>> state = State("public")
>>> state.size, state.level, len(state.digest())
(0, 1, 32)
"""

from __future__ import annotations

from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING
from typing import Any
from typing import Literal

import msgspec

from ledger.replay import rows as row
from ledger.replay.table import Table

if TYPE_CHECKING:
    from ledger.replay.table import Rows

Book = Literal["full", "public"]

STATE_TAG = b"linernote/state/v1\n"
_encode = msgspec.msgpack.Encoder().encode
_HEAD_TABLE = "head"
_ROWS_AT_ONCE = 1_024


class State:
    """Every table of one book; changed by `ledger.replay.replay` alone.

    Args:
        book: which rules apply and which tables exist.
        rows: where rows rest that are not in memory; they must hold the state
            of an earlier size, or nothing.
    """

    def __init__(self, book: Book, rows: Rows | None = None) -> None:
        self.book = book
        self.size = 0
        self.level = 1
        self.last_leaf = bytes(32)
        self.last_time_ms = 0
        self._log: row.LogRow | None = None
        self._rows = rows
        self._public_tables()
        self._full_tables()
        self.tables: list[Table[Any, Any]] = sorted(
            (table for table in vars(self).values() if isinstance(table, Table)),
            key=lambda table: table.name,
        )
        if book == "public":
            self.tables = [table for table in self.tables if not table.full]
        for table in self.tables:
            table.rows = rows
        self._load_head()

    def _public_tables(self) -> None:
        index = int
        self.billed: Table[tuple[str, int, str, str], int] = Table(
            "billed", tuple[str, int, str, str], index
        )
        self.catalogues: Table[int, bytes] = Table("catalogue", index, bytes)
        self.currencies: Table[str, int] = Table("currency", str, int)
        self.distributions: Table[int, row.DistributionRow] = Table(
            "distribution", index, row.DistributionRow
        )
        self.dues: Table[int, row.DueRow] = Table("due", index, row.DueRow)
        self.general: Table[tuple[bytes, str, str, str], int] = Table(
            "general", tuple[bytes, str, str, str], int
        )
        self.keys: Table[bytes, row.KeyRow] = Table("key", bytes, row.KeyRow)
        self.licences: Table[int, row.LicenceRow] = Table(
            "licence", index, row.LicenceRow
        )
        self.log_keys: Table[int, row.LogKeyRow] = Table("log.key", int, row.LogKeyRow)
        self.logs: Table[str, row.LogRow] = Table("log", str, row.LogRow)
        self.manifests: Table[bytes, int] = Table("manifest", bytes, index)
        self.parties: Table[bytes, row.PartyRow] = Table("party", bytes, row.PartyRow)
        self.party_manifests: Table[int, tuple[int, bytes]] = Table(
            "party.manifest", index, tuple[int, bytes]
        )
        self.payments: Table[int, row.PaymentRow] = Table(
            "payment", index, row.PaymentRow
        )
        self.payouts: Table[int, row.PayoutRow] = Table("payout", index, row.PayoutRow)
        self.pools: Table[bytes, row.PoolRow] = Table("pool", bytes, row.PoolRow)
        self.predecessors: Table[int, row.PredecessorRow] = Table(
            "predecessor", int, row.PredecessorRow
        )
        self.problems: Table[int, row.ProblemRow] = Table(
            "problem", index, row.ProblemRow
        )
        self.roles: Table[tuple[bytes, str], int] = Table(
            "role", tuple[bytes, str], index
        )
        self.runs: Table[tuple[bytes, str], row.RunRow] = Table(
            "run", tuple[bytes, str], row.RunRow
        )
        self.schemes: Table[int, row.TermsRow] = Table("scheme", index, row.TermsRow)
        self.tariffs: Table[int, row.TermsRow] = Table("tariff", index, row.TermsRow)
        self.versions: Table[tuple[bytes, str, str], int] = Table(
            "version", tuple[bytes, str, str], index
        )

    def _full_tables(self) -> None:
        self.accounts: Table[
            tuple[bytes, str, str, bytes | tuple[str, str], str], int
        ] = Table(
            "account",
            tuple[bytes, str, str, bytes | tuple[str, str], str],
            int,
            full=True,
        )
        self.covered: Table[tuple[bytes, str, int], int] = Table(
            "covered", tuple[bytes, str, int], int, full=True
        )
        self.credits: Table[tuple[bytes, str], row.CreditRow] = Table(
            "credit", tuple[bytes, str], row.CreditRow, full=True
        )
        self.findings: Table[tuple[int, str, str], row.FindingRow] = Table(
            "finding", tuple[int, str, str], row.FindingRow, full=True
        )
        self.holders: Table[bytes, row.HolderRow] = Table(
            "holder", bytes, row.HolderRow, full=True
        )
        self.payout_lines: Table[tuple[int, bytes], row.PayoutLineRow] = Table(
            "payout.line", tuple[int, bytes], row.PayoutLineRow, full=True
        )
        self.recordings: Table[str, tuple[row.RecordingRow, ...]] = Table(
            "recording", str, tuple[row.RecordingRow, ...], full=True
        )
        self.shares: Table[tuple[str, str], tuple[row.ShareRow, ...]] = Table(
            "share", tuple[str, str], tuple[row.ShareRow, ...], full=True
        )

    @property
    def log(self) -> row.LogRow | None:
        """What genesis said, or None before it."""
        # Every entry asks for it, and only a genesis changes it.
        if self._log is None:
            self._log = self.logs.get("genesis")
        return self._log

    def begin_log(self) -> None:
        """Another genesis has been taken in: what it says holds from here on."""
        self._log = None

    def need_log(self) -> row.LogRow:
        """What genesis said, where the rules guarantee that it has been.

        Raises:
            InvariantError: `row-missing`.
        """
        return self._log or self.log or self.logs.need("genesis")

    def day(self, time_ms: int) -> int:
        """Give the log day of a time (format.md §2)."""
        log = self.need_log()
        return (time_ms + 60_000 * log.utc_offset_minutes) // 86_400_000

    def relieve(self) -> None:
        """Move older rows out of memory where a table has grown large."""
        if self._rows is not None and any(t.overflowing() for t in self.tables):
            self.flush()

    def flush(self) -> None:
        """Write every changed row to the rows below."""
        if self._rows is None:
            return
        changes = [change for table in self.tables for change in table.changes()]
        if not changes:
            return
        head = _encode((self.size, self.level, self.last_leaf, self.last_time_ms))
        self._rows.write([*changes, (_HEAD_TABLE, b"", head)])
        for table in self.tables:
            table.settle()

    def discard(self) -> None:
        """Go back to what the rows below hold, as after a rollback."""
        self._log = None
        self.size, self.level = 0, 1
        self.last_leaf, self.last_time_ms = bytes(32), 0
        self._load_head()

    def _load_head(self) -> None:
        data = None if self._rows is None else self._rows.get(_HEAD_TABLE, b"")
        for table in self.tables:
            table.restart(all_here=data is None)
        if data is not None:
            self.size, self.level, self.last_leaf, self.last_time_ms = (
                msgspec.msgpack.decode(data, type=tuple[int, int, bytes, int])
            )

    def digest(self) -> bytes:
        """Hash the state as its own book (format.md §6)."""
        return self.digests()[self.book]

    def digests(self) -> dict[Book, bytes]:
        """Hash the state as every book that it holds, in one reading."""
        if not all(table.all_here for table in self.tables):
            self.flush()
        books: list[Book] = ["public"] if self.book == "public" else ["full", "public"]
        hashers = {book: sha256(STATE_TAG + self._first_row(book)) for book in books}
        for table in self.tables:
            updates = [
                hasher.update
                for book, hasher in hashers.items()
                if book == "full" or not table.full
            ]
            name = b"\x93" + _encode(table.name)
            rows = (name + key + value for key, value in table.scan())
            while joined := b"".join(islice(rows, _ROWS_AT_ONCE)):
                for update in updates:
                    update(joined)
        return {book: hasher.digest() for book, hasher in hashers.items()}

    def _first_row(self, book: Book) -> bytes:
        log = self.log
        head = (b"" if log is None else log.log, self.size, self.level, book)
        return _encode(("", "", head))
