"""Bodies as JSON and back: bytes are lower-case hex, absent values absent keys.

Whoever writes events by hand or by a program of theirs writes this; the log never
sees it. What is wrong is said with the path of the field, and with what belongs
there, both read off the types that replay uses.

>>> body = body_from_json("licence.accept", {"grant": 7})
>>> body, body_to_json(body)
(LicenceAccept(grant=7), {'grant': 7})
>>> body_from_json("licence.accept", {"grant": "7"})
Traceback (most recent call last):
ledger.errors.FormatError: licence.accept: body.grant: expected int, got str
"""

from __future__ import annotations

import json
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING
from typing import Any
from typing import NoReturn

import msgspec
import msgspec.inspect as types

from ledger.errors import FormatError
from ledger.events.describe import body_type
from ledger.events.describe import is_struct
from ledger.events.describe import struct_fields
from ledger.events.describe import type_at
from ledger.events.registry import KINDS
from ledger.events.registry import LEVEL
from ledger.events.registry import MANIFEST_FIELDS
from ledger.events.registry import encode_body
from ledger.events.registry import parse_body
from ledger.tlog.text import excerpt

if TYPE_CHECKING:
    from ledger.events.types import Body

_HEX = re.compile(r"(?:[0-9a-f]{2})*\Z")
_MISSING = re.compile(r"missing required field `(\w+)`")
_PLACED = re.compile(r"(.*?)(?: - at `\$(.*)`)?\Z", re.DOTALL)


def parse_json(text: str) -> Any:  # noqa: ANN401 (whatever it holds)
    """Parse one JSON document strictly: no doubled keys, no NaN.

    Raises:
        FormatError: `bad-json`, naming line and column.
    """
    try:
        return json.loads(
            text, object_pairs_hook=_unique, parse_constant=_refuse_constant
        )
    except json.JSONDecodeError as error:
        raise FormatError(
            "bad-json",
            f"line {error.lineno}, column {error.colno}: {error.msg}",
            hint="write JSON as RFC 8259 has it",
        ) from None
    except RecursionError:
        raise FormatError("bad-json", "it is nested too deeply") from None
    except ValueError as error:  # a number of more digits than Python converts
        raise FormatError("bad-json", str(error)) from None


def body_from_json(kind: str, value: object) -> Body:
    """Make a typed, checked body of what JSON held.

    Raises:
        FormatError: `unknown-kind`, `bad-body`, `bad-hex`, or a code of
            `ledger.events.checks`.
    """
    if kind not in KINDS:
        raise unknown_kind(kind)
    plain = _with_bytes(body_type(kind), value, f"{kind}: body")
    try:
        body = msgspec.convert(plain, KINDS[kind], builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        _refuse(kind, str(error))
    return parse_body(kind, encode_body(body))


def unknown_kind(kind: str) -> FormatError:
    """Say that there is no such kind, and which may be meant.

    >>> unknown_kind("licence.acept").hint
    "did you mean licence.accept? 'linernote kinds' explains all"
    """
    close = get_close_matches(kind, KINDS, 1)
    meant = f"did you mean {close[0]}? " if close else ""
    return FormatError(
        "unknown-kind",
        f"level {LEVEL} has no event kind {excerpt(kind)}",
        hint=f"{meant}'linernote kinds' explains all",
    )


def body_to_json(body: Body) -> dict[str, Any]:
    """Give a body as what JSON can hold; also a line, or any part of a body.

    >>> from ledger.events.lines import DatasetLine
    >>> body_to_json(DatasetLine(external="demo:1"))
    {'external': 'demo:1'}
    """
    fields = ((name, getattr(body, name)) for name in body.__struct_fields__)
    return {name: _plain(value) for name, value in fields if value is not msgspec.UNSET}


def _plain(value: Any) -> Any:  # noqa: ANN401 (whatever a body holds)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return body_to_json(value) if is_struct(value) else value


def _with_bytes(type_: types.Type, value: Any, path: str) -> Any:  # noqa: ANN401
    """Put bytes where the type wants them; leave all else to be judged there."""
    match type_, value:
        case types.BytesType(), str():
            return _bytes(value, path)
        case types.StructType(), dict():
            named = {field.name: field.type for field in type_.fields}
            return {
                key: _with_bytes(named.get(key, types.AnyType()), item, f"{path}.{key}")
                for key, item in value.items()
            }
        case types.ListType(item_type=inner), list():
            return [
                _with_bytes(inner, item, f"{path}[{place}]")
                for place, item in enumerate(value)
            ]
        case _:
            return value


def _bytes(text: str, path: str) -> bytes:
    if _HEX.match(text) is None:
        raise FormatError(
            "bad-hex",
            f"{path}: {excerpt(text)} is not lower-case hex",
            hint="two characters of 0-9 and a-f for each byte",
        )
    return bytes.fromhex(text)


def _refuse(kind: str, reason: str) -> NoReturn:
    """Raise what msgspec found, with the field first and what belongs there."""
    found = _PLACED.match(reason)
    text, path = (found[1], found[2] or "") if found else (reason, "")
    message = text.replace("`", "")
    missing = _MISSING.search(text)
    hint = _hint(kind, path)
    if missing and not path and missing[1] in MANIFEST_FIELDS[kind]:
        hint = f"give its lines: --lines {missing[1]}=FILE"
    raise FormatError(
        "bad-body",
        f"{kind}: body{path}: {message[:1].lower()}{message[1:]}",
        hint=hint,
    )


def _hint(kind: str, path: str) -> str:
    place = type_at(kind, path)
    if not isinstance(place.type, types.StructType):
        return f"it takes {place.words}"
    named = struct_fields(place.type)
    needed = [name for name, field in named.items() if field.required]
    optional = [name for name, field in named.items() if not field.required]
    hint = f"needed: {', '.join(needed) or 'none'}"
    return hint + (f"; optional: {', '.join(optional)}" if optional else "")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        doubled = next(key for key, _ in pairs if [k for k, _ in pairs].count(key) > 1)
        raise FormatError(
            "bad-json", f"the key {excerpt(doubled)} stands twice in one object"
        )
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise FormatError("bad-json", f"{name} is not JSON")
