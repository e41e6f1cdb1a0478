"""What may stand in a field, in words; read off the types themselves.

Help texts and error messages use this, so that they cannot differ from what is
accepted.

>>> fields_of("licence.accept")
{'grant': Field(words='whole number from 0', required=True)}
>>> type_at("due", ".currency").words
'currency code such as SEK'
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from typing import NamedTuple

import msgspec.inspect as types

from ledger.entry import grammar
from ledger.errors import InvariantError
from ledger.events.lines import MANIFESTS
from ledger.events.registry import KINDS
from ledger.events.types import INTEGER_MAX
from ledger.events.types import ManifestRef

_GRAMMARS = {
    grammar.TOKEN: "token: 1 to 64 of a-z, 0-9 and ._/-",
    grammar.EXTERNAL: "external id, namespace:id",
    grammar.CURRENCY: "currency code such as SEK",
    grammar.ISRC: "ISRC without hyphens such as CPDEM2600001",
    r"^([A-Z]{2}|001)\Z": "ISO 3166 code such as SE, or 001 for the world",
}
_DAYS = (-1_000_000, 10_000_000)
_STEP = re.compile(r"\.(\w+)|\[([0-9]+|\.\.\.)\]")


class Field(NamedTuple):
    """A field: what it holds, and whether it has to be there."""

    words: str
    required: bool


class Place(NamedTuple):
    """What stands at a path: its type, in words too."""

    type: types.Type
    words: str


@lru_cache(maxsize=64)
def body_type(kind: str) -> types.StructType:
    """Give the type of the body of a kind that is known."""
    return _struct(KINDS[kind])


def fields_of(kind: str) -> dict[str, Field]:
    """List the fields of the body of a kind that is known."""
    return struct_fields(body_type(kind))


def parts_of(struct: types.StructType) -> Iterator[tuple[str, types.StructType]]:
    """List the objects inside a struct, by where they stand: `covers`, `bands[]`.

    >>> [place for place, _ in parts_of(body_type("licence.grant"))]
    ['covers', 'covers.versions[]']
    """
    for field in struct.fields:
        inner, name = field.type, field.name
        if isinstance(inner, types.ListType):
            inner, name = inner.item_type, f"{name}[]"
        if isinstance(inner, types.StructType) and inner.cls is not ManifestRef:
            yield name, inner
            yield from ((f"{name}.{place}", part) for place, part in parts_of(inner))


def struct_fields(struct: types.StructType) -> dict[str, Field]:
    """List the fields of a struct."""
    return {
        field.name: Field(describe(field.type), field.required)
        for field in struct.fields
    }


def line_type(manifest: str) -> types.StructType:
    """Give the type of the lines of a manifest, named ``event kind/field``."""
    return _struct(MANIFESTS[manifest].line)


def _struct(cls: type) -> types.StructType:
    found = types.type_info(cls)
    if not isinstance(found, types.StructType):
        raise InvariantError("not-a-struct", f"{cls} has no fields")
    return found


def type_at(kind: str, path: str) -> Place:
    """Find what stands at a path as msgspec gives it, ``.bands[0].fixed``."""
    found: types.Type = body_type(kind)
    for name, _ in _STEP.findall(path):
        found = _step(found, name)
    return Place(found, describe(found))


def _step(parent: types.Type, name: str) -> types.Type:
    if isinstance(parent, types.StructType):
        named = {field.name: field.type for field in parent.fields}
        return named.get(name, types.AnyType())
    if isinstance(parent, types.ListType | types.VarTupleType):
        return parent.item_type
    if isinstance(parent, types.DictType):
        return parent.value_type
    return types.AnyType()


def describe(type_: types.Type) -> str:
    """Say what a value of a type is.

    >>> describe(types.type_info(bytes)), describe(types.type_info(bool))
    ('bytes in lower-case hex', 'true or false')
    """
    match type_:
        case types.BytesType():
            said = _describe_bytes(type_)
        case types.BoolType():
            said = "true or false"
        case types.IntType():
            said = _whole_number(type_)
        case types.StrType(pattern=pattern):
            said = _text(pattern)
        case types.LiteralType(values=values):
            said = f"one of: {', '.join(map(str, values))}"
        case _:
            said = _describe_container(type_)
    return said


def _describe_bytes(type_: types.BytesType) -> str:
    least, most = type_.min_length, type_.max_length
    if least != most:
        return f"{least} to {most} bytes in lower-case hex"
    sized = f"{least} bytes: {2 * least} characters of" if least else "bytes in"
    return f"{sized} lower-case hex"


def _describe_container(type_: types.Type) -> str:
    match type_:
        case types.ListType(item_type=item) | types.VarTupleType(item_type=item):
            return f"list of [{describe(item)}]"
        case types.TupleType(item_types=items):
            return f"[{', '.join(map(describe, items))}]"
        case types.StructType(cls=cls) if cls is ManifestRef:
            return "manifest: leave it out and give its lines"
        case types.StructType():
            inner = (f.name + ("" if f.required else "?") for f in type_.fields)
            return f"object with {', '.join(inner)}"
        case types.DictType(value_type=value):
            return f"object of {describe(value)}"
        case _:
            return "anything"


def _whole_number(type_: types.IntType) -> str:
    least, most = type_.ge, type_.le
    if (least, most) == _DAYS:
        return "day, counted from 1970-01-01"
    if most is None or most == INTEGER_MAX:
        return "whole number" if least is None else f"whole number from {least}"
    return f"whole number from {least} to {most}"


def _text(pattern: str | None) -> str:
    if pattern is None:
        return "text"
    return _GRAMMARS.get(pattern, f"text like {pattern}")


def is_struct(value: Any) -> bool:  # noqa: ANN401 (whatever a body holds)
    """Tell whether a value is a part of a body that has fields of its own."""
    return hasattr(value, "__struct_fields__")
