"""Strategies for event bodies and lines, read off the very types that are accepted.

Integers lean to their bounds; ids, indexes and names lean to a handful of values, so
that what is made up refers to what is there.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec
import msgspec.inspect as types
from hypothesis import strategies as st

from ledger.entry import grammar
from ledger.events.lines import MANIFESTS
from ledger.events.registry import KINDS
from ledger.events.types import INTEGER_MAX
from ledger.events.types import ManifestRef

_SMALL = [0, 1, 2, 3, 1_000_000]


@dataclass(frozen=True)
class Known:
    """Values that a log has, by what they look like."""

    ids: Sequence[bytes] = (bytes(16), b"p" * 16)
    hashes: Sequence[bytes] = (bytes(32), b"h" * 32)
    tokens: Sequence[str] = ("1", "run-1", "oak", "owner", "session")
    externals: Sequence[str] = ("demo:a", "demo:b", "x:" + "~" * 96)
    currencies: Sequence[str] = ("SEK", "JPY", "XTS")
    size: int = 3


def value(type_: types.Type, known: Known) -> st.SearchStrategy[Any]:
    """Make values of a type, as the decoder would give them."""
    return _MAKERS[type(type_)](type_, known)


def struct(type_: types.StructType, known: Known) -> st.SearchStrategy[Any]:
    """Make instances of a struct, with and without its optional fields."""
    needed: dict[str, Any] = {}
    optional: dict[str, Any] = {}
    for field in type_.fields:
        made = value(_without_unset(field.type), known)
        (needed if field.required else optional)[field.name] = made
    fields = st.fixed_dictionaries(needed, optional=optional)
    return fields.map(lambda given: type_.cls(**given))


def body(kind: str, known: Known) -> st.SearchStrategy[Any]:
    """Make bodies of a kind, most of which contradict themselves."""
    return _of(KINDS[kind], known)


def line(kind: str, known: Known) -> st.SearchStrategy[Any]:
    """Make lines of a manifest."""
    return _of(MANIFESTS[kind].line, known)


def field(
    kind: type[msgspec.Struct], name: str, known: Known
) -> st.SearchStrategy[Any]:
    """Make values of one field."""
    (found,) = (each for each in _info(kind).fields if each.name == name)
    return value(_without_unset(found.type), known)


def sorted_lines(kind: str, lines: Sequence[Any]) -> list[Any]:
    """Put lines into the order of their manifest, without doubles."""
    names = MANIFESTS[kind].order.split("/")
    keyed = {_key(names, each): each for each in lines}
    return [keyed[key] for key in sorted(keyed)]


def is_manifest(made: object) -> bool:
    """Tell whether a value stands for a manifest."""
    return isinstance(made, ManifestRef)


def _key(names: Sequence[str], made: Any) -> tuple[Any, ...]:  # noqa: ANN401
    values = [getattr(made, name) for name in names]
    return tuple(
        (v is not msgspec.UNSET, 0 if v is msgspec.UNSET else v) for v in values
    )


@cache
def _info(kind: type[msgspec.Struct]) -> types.StructType:
    found = types.type_info(kind)
    assert isinstance(found, types.StructType)
    return found


def _of(kind: type[msgspec.Struct], known: Known) -> st.SearchStrategy[Any]:
    return struct(_info(kind), known)


def _without_unset(type_: types.Type) -> types.Type:
    """Give the type of a field where it is present."""
    if not isinstance(type_, types.UnionType):
        return type_
    (found,) = (each for each in type_.types if type(each) in _MAKERS)
    return found


def _integers(type_: types.IntType, known: Known) -> st.SearchStrategy[int]:
    least = -INTEGER_MAX if type_.ge is None else type_.ge
    most = INTEGER_MAX if type_.le is None else type_.le
    likely = [*_SMALL, *range(max(known.size - 12, 0), known.size + 2), least, most]
    return st.sampled_from([n for n in likely if least <= n <= most])


def _strings(type_: types.StrType, known: Known) -> st.SearchStrategy[str]:
    match type_.pattern:
        case grammar.TOKEN:
            return st.sampled_from([*known.tokens, "z" * 64])
        case grammar.EXTERNAL:
            return st.sampled_from(known.externals)
        case grammar.CURRENCY:
            return st.sampled_from(known.currencies)
        case grammar.ISRC:
            return st.just("CPDEM2600001")
        case None:
            return st.sampled_from(["x", "demo.example/log", "external"])
    return st.sampled_from(["001", "SE"])


def _bytes(length: int, known: Known) -> st.SearchStrategy[bytes]:
    match length:
        case 16:
            return st.sampled_from(known.ids)
        case 32:
            return st.sampled_from(known.hashes)
    return st.binary(min_size=length, max_size=length)


def _list(type_: Any, known: Known) -> st.SearchStrategy[list[Any]]:  # noqa: ANN401
    least = type_.min_length or 0
    most = least + 3 if type_.max_length is None else min(least + 3, type_.max_length)
    made = value(type_.item_type, known)
    return st.lists(made, min_size=least, max_size=most)


def _tuple(type_: Any, known: Known) -> st.SearchStrategy[tuple[Any, ...]]:  # noqa: ANN401
    return st.tuples(*(value(item, known) for item in type_.item_types))


def _totals(_: types.Type, __: Known) -> st.SearchStrategy[dict[str, int]]:
    names = st.sampled_from(["gross", "net", "tax", "sent", "x"])
    return st.dictionaries(names, st.sampled_from([-1, 0, 1, INTEGER_MAX]))


_MAKERS: dict[type, Callable[[Any, Known], st.SearchStrategy[Any]]] = {
    types.BoolType: lambda _, __: st.booleans(),
    types.BytesType: lambda type_, known: _bytes(type_.min_length or 0, known),
    types.DictType: _totals,
    types.IntType: _integers,
    types.ListType: _list,
    types.LiteralType: lambda t, _: st.sampled_from(sorted(t.values, key=str)),
    types.StrType: _strings,
    types.StructType: struct,
    types.TupleType: _tuple,
}
