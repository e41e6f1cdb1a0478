"""Bodies and lines are what their classes say: no more, no less, nothing beyond."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import msgspec.inspect as types
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from ledger.entry import canonical
from ledger.errors import FormatError
from ledger.events.checks import CHECKS
from ledger.events.lines import MANIFESTS
from ledger.events.registry import KINDS
from ledger.events.registry import MANIFEST_FIELDS
from ledger.events.registry import encode_body
from ledger.events.registry import manifest_refs
from ledger.events.registry import parse_body
from ledger.events.registry import parse_line
from ledger.events.types import INTEGER_MAX
from ledger.events.types import Body
from tests.events import strategies
from tests.events.strategies import Known
from tests.replay import everything
from tests.replay.everything import Said
from tests.replay.world import World

Map = dict[str, Any]
CLASSES: dict[str, type[Body]] = {
    **KINDS,
    **{kind: rule.line for kind, rule in MANIFESTS.items()},
}


@pytest.fixture(scope="module")
def said() -> dict[str, Said]:
    """An event of each kind that a log accepted."""
    return {each.kind: each for each in everything.said(everything.tell(World()))}


def structs(kind: type[msgspec.Struct]) -> Iterator[types.StructType]:
    """Give a class and every class within its fields."""
    waiting: list[Any] = [types.type_info(kind)]
    while waiting:
        type_ = waiting.pop()
        match type_:
            case types.StructType():
                yield type_
                waiting += [field.type for field in type_.fields]
            case types.UnionType():
                waiting += type_.types
            case types.ListType():
                waiting.append(type_.item_type)
            case types.TupleType():
                waiting += type_.item_types


@pytest.mark.parametrize("kind", CLASSES)
def test_fields_ascend(kind: str) -> None:
    """An instance is encoded as it is declared, and that is the canonical order."""
    for struct in structs(CLASSES[kind]):
        names = [field.encode_name for field in struct.fields]
        assert names == sorted(names, key=str.encode)
        assert struct.forbid_unknown_fields


def test_every_manifest_belongs_to_a_field() -> None:
    """Kinds of manifests are event kind / body field; their order and totals exist."""
    for name, rule in MANIFESTS.items():
        kind, _, field = name.partition("/")
        assert field in KINDS[kind].__struct_fields__
        assert field in MANIFEST_FIELDS[kind]
        fields = {f.name: f.type for f in next(structs(rule.line)).fields}
        assert set(rule.order.split("/")) <= set(fields)
        assert all(isinstance(fields[total], types.IntType) for total in rule.totals)
        assert list(rule.totals) == sorted(rule.totals)
    assert {f"{k}/{f}" for k, fs in MANIFEST_FIELDS.items() for f in fs} == set(
        MANIFESTS
    )
    assert set(CHECKS) <= set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_an_accepted_body_is_parsed_to_itself(kind: str, said: dict[str, Said]) -> None:
    """Encoding and parsing are inverses, through canonical bytes."""
    body = said[kind].body
    data = encode_body(body)
    canonical.check(data)
    assert parse_body(kind, data) == body
    refs = {field for field, _ in manifest_refs(kind, body)}
    assert refs == set(said[kind].lines)


def mutated(kind: str, body: Body, change: Map, drop: str = "") -> bytes:
    """Encode a body with other fields, or without one."""
    fields: Map = msgspec.msgpack.decode(encode_body(body))
    fields.update(change)
    fields.pop(drop, None)
    return canonical.encode_trusted(fields)


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_field_is_refused(kind: str, said: dict[str, Said]) -> None:
    """Nothing can be said that this level has no field for."""
    for name in ("zzz", "Amount", "aaa"):
        with pytest.raises(FormatError) as caught:
            parse_body(kind, mutated(kind, said[kind].body, {name: 1}))
        assert caught.value.code == "bad-body"


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_field_is_refused(kind: str, said: dict[str, Said]) -> None:
    """What a kind needs has no default."""
    required = [f.name for f in next(structs(KINDS[kind])).fields if f.required]
    for name in required:
        with pytest.raises(FormatError) as caught:
            parse_body(kind, mutated(kind, said[kind].body, {}, drop=name))
        assert caught.value.code == "bad-body"


@pytest.mark.parametrize("kind", KINDS)
def test_a_field_of_another_type_is_refused(kind: str, said: dict[str, Said]) -> None:
    """No nil, no text for a number, no number for text, no list for a map."""
    names = KINDS[kind].__struct_fields__
    for name in names:
        for value in (None, 1.5, "\x00", b"x", [None], {"x": None}, -(2**62)):
            with pytest.raises(FormatError):
                parse_body(kind, mutated(kind, said[kind].body, {name: value}))


def bounds(type_: Any) -> Iterator[object]:  # noqa: ANN401 (of any sort)
    """Give values just beyond what a type accepts."""
    match type_:
        case types.UnionType(types=choices):
            for each in choices:
                yield from bounds(each)
        case types.LiteralType():
            yield "none of these"
        case types.StrType(pattern=str()):
            yield from ("", "é", "a b", "x\n")
        case types.IntType(ge=least, le=most):
            beyond = {None if least is None else least - 1, (most or INTEGER_MAX) + 1}
            yield from beyond - {None, INTEGER_MAX + 1}
        case types.BytesType() | types.StrType() | types.ListType():
            yield from _lengths(type_)


def _lengths(type_: Any) -> Iterator[object]:  # noqa: ANN401 (of any sort)
    """Give values that are one too short, or one too long."""
    unit: Any = [0]
    if isinstance(type_, types.BytesType | types.StrType):
        unit = b"x" if isinstance(type_, types.BytesType) else "x"
    if type_.min_length:
        yield unit * (type_.min_length - 1)
    if type_.max_length:
        yield unit * (type_.max_length + 1)


@pytest.mark.parametrize("kind", CLASSES)
def test_what_is_beyond_a_limit_is_refused(kind: str) -> None:
    """Each bound of each field of each class is kept, wherever the class stands."""
    for struct in structs(CLASSES[kind]):
        for field in struct.fields:
            for value in bounds(field.type):
                with pytest.raises(msgspec.ValidationError) as caught:
                    msgspec.convert({field.name: value}, _alone(struct, field))
                assert field.name in str(caught.value)


def _alone(struct: types.StructType, field: types.Field) -> type[msgspec.Struct]:
    """Make a class of one field of a struct."""
    hints = msgspec._utils.get_class_annotations(struct.cls)  # type: ignore[attr-defined]
    return msgspec.defstruct("Alone", [(field.name, hints[field.name])])


@settings(max_examples=200)
@given(kind=st.sampled_from(sorted(KINDS)), data=st.data())
def test_any_body_is_canonical_and_parsed_to_itself_or_refused(
    kind: str, data: st.DataObject
) -> None:
    """Whatever a class can hold has one form; only a check may refuse it."""
    body = data.draw(strategies.body(kind, Known()))
    encoded = encode_body(body)
    canonical.check(encoded)
    try:
        parsed = parse_body(kind, encoded)
    except FormatError as error:
        code = error.code
    else:
        code = ""
        assert parsed == body
    assert code != "bad-body"


@settings(max_examples=200)
@given(kind=st.sampled_from(sorted(MANIFESTS)), data=st.data())
def test_any_line_is_canonical_and_parsed_to_itself(
    kind: str, data: st.DataObject
) -> None:
    """Lines are held in one form, too."""
    line = data.draw(strategies.line(kind, Known()))
    encoded = encode_body(line)
    canonical.check(encoded)
    assert parse_line(kind, encoded) == line
