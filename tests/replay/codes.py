"""Every place in the rules that can refuse, and its code, read off the rules."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ledger import errors

LEDGER = Path(errors.__file__).parent
RULES = (
    *sorted((LEDGER / "replay").glob("*.py")),
    LEDGER / "events" / "checks.py",
    LEDGER / "events" / "registry.py",
    LEDGER / "log.py",
)
REFUSING = {
    "AlteredLinesError",
    "AuthorityError",
    "ConflictError",
    "FormatError",
    "HomeError",
    "InputError",
    "UnverifiableError",
    "VerificationError",
    "_refuse",
}
"""What raises a refusal; an `InvariantError` is a bug of ours, and not meant here."""


class Site(NamedTuple):
    """A place that refuses: file name, first and last line, code."""

    file: str
    line: int
    end: int
    code: str


def _sites(path: Path) -> Iterator[Site]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        if node.func.id not in REFUSING or not node.args:
            continue
        place = (path.name, node.lineno, node.end_lineno or node.lineno)
        match node.args[0]:
            case ast.Constant(value=str() as code):
                yield Site(*place, code)
            case ast.JoinedStr(values=[_, ast.Constant(value="-unknown")]):
                yield Site(*place, "tariff-unknown")
                yield Site(*place, "scheme-unknown")
            case ast.Name(id="code"):
                pass  # `_refuse` itself
            case other:
                raise AssertionError(f"{path.name}:{node.lineno}: {ast.dump(other)}")


@cache
def sites() -> tuple[Site, ...]:
    """Give every place that refuses."""
    return tuple(site for path in RULES for site in _sites(path))


def codes() -> dict[str, set[str]]:
    """Give every code with the files that use it."""
    found: dict[str, set[str]] = {}
    for site in sites():
        found.setdefault(site.code, set()).add(site.file)
    return found
