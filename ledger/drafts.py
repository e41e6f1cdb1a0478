"""Events as people and programs write them, before they are signed.

    {"kind": "licence.accept", "body": {"grant": 9}}

One object, a list of them, or one on each line (NDJSON). `id` (16 bytes of hex) and
`time` (ms since 1970) may stand beside; whoever gives an id can send the same file
again and nothing is said twice.

>>> (draft,) = parse_drafts('{"kind": "level", "body": {"level": 2}}', "a.json")
>>> draft.kind, draft.body, draft.where
('level', {'level': 2}, 'a.json')
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from typing import NamedTuple

from ledger.errors import FormatError
from ledger.errors import LedgerError
from ledger.events.json import parse_json
from ledger.tlog.text import excerpt
from ledger.tlog.text import parse_hex

ID_LENGTH = 16
_FIELDS = {"body", "id", "kind", "time"}


class Draft(NamedTuple):
    """An event that is to be signed.

    Attributes:
        kind: of the event.
        body: as JSON held it.
        id: given with it, or None.
        time: given with it, ms since 1970, or None.
        where: it stood.
    """

    kind: str
    body: dict[str, Any]
    id: bytes | None
    time: int | None
    where: str


def looks_like_json(text: str) -> bool:
    """Tell a file of events as JSON from one of events already signed."""
    return text.lstrip()[:1] in {"{", "["}


def parse_drafts(text: str, name: str) -> list[Draft]:
    """Parse a file of events as JSON.

    Args:
        text: of the file.
        name: of the file, for messages.

    Raises:
        FormatError: `bad-json`, `bad-draft`, naming file and line.
    """
    return [_draft(value, where) for value, where in _values(text, name)]


def _values(text: str, name: str) -> Iterator[tuple[Any, str]]:
    try:
        whole = parse_json(text)
    except FormatError as error:
        lines = text.splitlines()
        # Several documents, one on each line, are one mistake to a parser of one.
        if len(lines) < 2 or not _is_document(lines):  # noqa: PLR2004 (two lines or more)
            raise _at(name, error) from None
        for number, line in enumerate(lines, 1):
            if line.strip():
                where = f"{name}, line {number}"
                try:
                    yield parse_json(line), where
                except FormatError as error_of_line:
                    raise _at(where, error_of_line) from None
        return
    if not isinstance(whole, list):
        yield whole, name
        return
    for number, value in enumerate(whole, 1):
        yield value, f"{name}, event {number}"


def _is_document(lines: list[str]) -> bool:
    """Tell whether the first line that is not blank is a document by itself."""
    first = next((line for line in lines if line.strip()), "")
    try:
        parse_json(first)
    except FormatError:
        return False
    return True


def _draft(value: Any, where: str) -> Draft:  # noqa: ANN401 (whatever JSON held)
    if not isinstance(value, dict):
        raise _bad(where, "an event is an object with kind and body")
    unknown = sorted(set(value) - _FIELDS)
    if unknown:
        raise _bad(where, f"{excerpt(unknown[0])} is no field of an event")
    kind, body = value.get("kind"), value.get("body")
    if not isinstance(kind, str):
        raise _bad(where, "kind is missing, or is not a text")
    if not isinstance(body, dict):
        raise _bad(where, f"the body of {excerpt(kind)} is missing, or is no object")
    return Draft(kind, body, _id(value, where), _time(value, where), where)


def _id(value: dict[str, Any], where: str) -> bytes | None:
    given = value.get("id")
    if given is None and "id" not in value:
        return None
    try:
        return parse_hex(str(given), ID_LENGTH)
    except FormatError as error:
        raise _at(f"{where}: id", error) from None


def _time(value: dict[str, Any], where: str) -> int | None:
    given = value.get("time")
    if given is None and "time" not in value:
        return None
    if not isinstance(given, int) or isinstance(given, bool) or given < 0:
        raise _bad(where, "time is not a whole number of ms since 1970")
    return given


def _bad(where: str, reason: str) -> FormatError:
    return FormatError(
        "bad-draft",
        f"{where}: {reason}",
        hint='an event is {"kind": …, "body": {…}}, and may have id and time',
    )


def _at(where: str, error: LedgerError) -> FormatError:
    return FormatError(error.code, f"{where}: {error.message}", hint=error.hint)
