"""The list of codes is complete, and says in which book each problem stands."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ledger import errors
from ledger.replay.chain import UNACKNOWLEDGEABLE
from tests.replay.codes import codes
from tests.replay.making import refusal
from tests.replay.provoke.case import CASES
from tests.replay.test_problems import RULES
from tests.replay.test_problems import smuggling
from tests.replay.world import World

LEDGER = Path(errors.__file__).parent
DOCUMENT = LEDGER / "docs" / "codes.md"
Stage = Callable[[str], World]


class Row(NamedTuple):
    """A row of the document's tables."""

    code: str
    books: tuple[str, ...]
    meaning: str
    remedy: str


@cache
def listed() -> dict[str, Row]:
    """Read the tables of the document."""
    rows = {}
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        if not line.startswith("| ") or line.startswith("| code "):
            continue
        code, books, meaning, remedy = (part.strip() for part in line[1:-1].split("|"))
        assert code not in rows, code
        books_ = tuple(book for book in books.split(", ") if book)
        rows[code] = Row(code, books_, meaning, remedy)
    return rows


def found_by_audits() -> set[str]:
    """Read the codes of problems off the audit's own files."""
    found = set()
    for path in (LEDGER / "audit").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                if node.func.id not in {"_found", "_wrong"}:
                    continue
                found |= {
                    each.value
                    for each in node.args[:2]
                    if isinstance(each, ast.Constant) and "-" in str(each.value)
                }
    return {str(code) for code in found}


def test_every_code_is_listed() -> None:
    """Whatever a rule refuses, a test provokes or an audit finds is in the list."""
    known = set(codes()) | {case.code for case in CASES} | found_by_audits()
    assert known - set(listed()) == set()


def test_every_row_says_what_and_what_to_do() -> None:
    """Each code has a meaning and a remedy, and books that there are."""
    for row in listed().values():
        assert set(row.books) <= {"public", "full", "log", "never"}
        assert row.meaning.endswith(".")
        assert row.remedy.endswith(".")


def test_codes_that_nobody_acknowledges_are_marked() -> None:
    """They are those of replay's own list."""
    never = {row.code for row in listed().values() if "never" in row.books}
    assert never == UNACKNOWLEDGEABLE


def test_books_are_those_that_audits_name(stage: Stage) -> None:
    """Each rule's problem is of a book that is listed, and every listed book occurs."""
    seen: dict[str, set[str]] = {}
    for case in RULES:
        world = stage(case.stage)
        problems = smuggling(world)
        refusal(lambda case=case, world=world: case.act(world))  # type: ignore[misc]
        seen.setdefault(case.code, set()).add(problems[-1].book)
    # An account beyond 64 bits is bounded by what parties are credited before.
    seen["amount-too-large"].add("full")
    wrong = {
        code: (books, listed()[code].books)
        for code, books in seen.items()
        if books != set(listed()[code].books)
    }
    assert not wrong
