"""What an audit found: what was checked and how many, and what could not be.

>>> report = Report(size=0, root=bytes(32))
>>> report.ok, report.exit_code
(True, 0)
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from typing import Any

from ledger.tlog.text import format_base64

NO_ENTRY = -1
"""Index of a problem that is not of one entry but of a file or of the whole."""


@dataclass(frozen=True, slots=True)
class Found:
    """One problem.

    Attributes:
        index: of the entry, or `NO_ENTRY`.
        code: stable identifier.
        message: what is wrong, and where.
        book: public, full, or log for bytes, signatures, chains, trees, files.
        acknowledged: entry by which the operator acknowledged it, or -1.
    """

    index: int
    code: str
    message: str
    book: str = "log"
    acknowledged: int = -1

    @property
    def open(self) -> bool:
        """Tell whether it stands against the log."""
        return self.acknowledged < 0


@dataclass(slots=True)
class Report:
    """An audit's result; filled while it goes.

    Attributes:
        size: entries that were verified.
        root: of the tree over them.
        checked: what was checked, and how many.
        problems: what was found wrong.
        missing: what could not be checked, and why.
        state_digest: of the public state; None if it was not replayed.
        full_digest: of the full state; None if it was not replayed.
    """

    size: int
    root: bytes
    checked: dict[str, int] = field(default_factory=dict)
    problems: list[Found] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    state_digest: bytes | None = None
    full_digest: bytes | None = None

    def count(self, what: str, number: int = 1) -> None:
        """Note that something was checked."""
        self.checked[what] = self.checked.get(what, 0) + number

    @property
    def ok(self) -> bool:
        """Every problem has been acknowledged, and the chains and trees hold."""
        return not any(problem.open for problem in self.problems)

    @property
    def exit_code(self) -> int:
        """0 all holds, 4 something does not, 5 something could not be checked."""
        if not self.ok:
            return 4
        return 5 if self.missing else 0

    def to_json(self) -> dict[str, Any]:
        """Give the document of ``linernote audit --json``."""
        return {
            "ok": self.ok,
            "size": self.size,
            "root": format_base64(self.root),
            "entries": self.checked.get("entries", 0),
            "signatures": self.checked.get("signatures", 0),
            "state_digest": None
            if self.state_digest is None
            else self.state_digest.hex(),
            "full_digest": None if self.full_digest is None else self.full_digest.hex(),
            "checked": dict(sorted(self.checked.items())),
            "missing": list(self.missing),
            "problems": [
                {
                    "index": problem.index,
                    "code": problem.code,
                    "message": problem.message,
                    "book": problem.book,
                    "acknowledged": None if problem.open else problem.acknowledged,
                }
                for problem in self.problems
            ],
        }
