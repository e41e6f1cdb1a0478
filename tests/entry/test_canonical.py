"""Canonical MessagePack: one form for each value, and every other form refused."""

from __future__ import annotations

import random
import sys
import time
import tracemalloc
from collections import OrderedDict
from collections.abc import Callable
from enum import IntEnum

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.entry import canonical
from ledger.entry.canonical import Value
from ledger.errors import FormatError
from tests.entry import naive
from tests.entry.mutate import mutate

MAX = 2**63 - 1

FORMS: list[tuple[Value, str]] = [
    (False, "c2"),
    (True, "c3"),
    (0, "00"),
    (127, "7f"),
    (128, "cc80"),
    (255, "ccff"),
    (256, "cd0100"),
    (65_535, "cdffff"),
    (65_536, "ce00010000"),
    (2**32 - 1, "ceffffffff"),
    (2**32, "cf0000000100000000"),
    (MAX, "cf7fffffffffffffff"),
    (-1, "ff"),
    (-32, "e0"),
    (-33, "d0df"),
    (-128, "d080"),
    (-129, "d1ff7f"),
    (-32_768, "d18000"),
    (-32_769, "d2ffff7fff"),
    (-(2**31), "d280000000"),
    (-(2**31) - 1, "d3ffffffff7fffffff"),
    (-MAX, "d38000000000000001"),
    (b"", "c400"),
    (b"a", "c40161"),
    ("a", "a161"),
    ("é€😀", "a9c3a9e282acf09f9880"),
    ("\u00a0\u200b\u202e\ue000\ufffe", "aec2a0e2808be280aeee8080efbfbe"),
    ("a" * 31, "bf" + "61" * 31),
    ("a" * 32, "d920" + "61" * 32),
    ([], "90"),
    ([1] * 15, "9f" + "01" * 15),
    ([1] * 16, "dc0010" + "01" * 16),
    ({}, "80"),
    ({"b": {}, "a": []}, "82a16190a16280"),
    ({"z": 1, "é": 2, "￿": 3, "😀": 4}, "84a17a01a2c3a902a3efbfbf03a4f09f988004"),
    ({"order": ""}, "81a56f72646572a0"),
]

BAD: dict[str, tuple[str, str]] = {
    "nothing": ("", "not-canonical"),
    "nil": ("c0", "bad-type"),
    "reserved byte": ("c1", "not-canonical"),
    "float 32": ("ca3f800000", "bad-type"),
    "float 64": ("cb3ff0000000000000", "bad-type"),
    "nil in a map": ("81a161c0", "bad-type"),
    "float in an array": ("91cb3ff0000000000000", "bad-type"),
    "fixext": ("d40100", "bad-type"),
    "ext 8": ("c7010000", "bad-type"),
    "timestamp 32": ("d6ff00000000", "bad-type"),
    "timestamp 64": ("d7ff0000000000000000", "bad-type"),
    "integer key": ("810102", "bad-type"),
    "bytes key": ("81c4016101", "bad-type"),
    "bool key": ("81c301", "bad-type"),
    "nil key": ("81c001", "bad-type"),
    "array key": ("819001", "bad-type"),
    "truncated map": ("81a161", "not-canonical"),
    "truncated string": ("a261", "not-canonical"),
    "truncated integer": ("cd01", "not-canonical"),
    "array of 4,294,967,295": ("ddffffffff", "not-canonical"),
    "trailing byte": ("8000", "not-canonical"),
    "two values": ("8080", "not-canonical"),
    "keys in disorder": ("82a16201a16101", "not-canonical"),
    "keys by length, not by bytes": ("82a17a01a2616101", "not-canonical"),
    "key twice": ("82a16101a16101", "not-canonical"),
    "key twice, other value": ("82a16101a16102", "not-canonical"),
    "uint 8 for 1": ("cc01", "not-canonical"),
    "uint 16 for 255": ("cd00ff", "not-canonical"),
    "uint 32 for 65,535": ("ce0000ffff", "not-canonical"),
    "uint 64 for 2**32-1": ("cf00000000ffffffff", "not-canonical"),
    "int 8 for 1": ("d001", "not-canonical"),
    "int 8 for -1": ("d0ff", "not-canonical"),
    "int 16 for -128": ("d1ff80", "not-canonical"),
    "int 64 for 1": ("d30000000000000001", "not-canonical"),
    "str 8 for one byte": ("d90161", "not-canonical"),
    "str 16 for 32 bytes": ("da0020" + "61" * 32, "not-canonical"),
    "bin 16 for one byte": ("c5000161", "not-canonical"),
    "bin 32 for one byte": ("c60000000161", "not-canonical"),
    "array 16 for one": ("dc000101", "not-canonical"),
    "array 32 for one": ("dd0000000101", "not-canonical"),
    "map 16 for one": ("de0001a16101", "not-canonical"),
    "map 32 for none": ("df00000000", "not-canonical"),
    "2**63": ("cf8000000000000000", "bad-integer"),
    "2**64-1": ("cfffffffffffffffff", "bad-integer"),
    "-2**63": ("d38000000000000000", "bad-integer"),
    "empty string": ("a0", "bad-string"),
    "empty value": ("81a161a0", "bad-string"),
    "empty key": ("81a001", "bad-string"),
    "empty string in an order": ("81a56f7264657291a0", "bad-string"),
    "empty order and another": ("82a16fa0a56f72646572a0", "bad-string"),
    "lone byte 80": ("a180", "bad-string"),
    "overlong slash": ("a2c0af", "bad-string"),
    "surrogate": ("a3eda080", "bad-string"),
    "beyond U+10FFFF": ("a4f4908080", "bad-string"),
    "U+0000": ("a100", "bad-string"),
    "line feed": ("a3610a61", "bad-string"),
    "U+001F": ("a11f", "bad-string"),
    "U+007F": ("a17f", "bad-string"),
    "U+0080": ("a2c280", "bad-string"),
    "U+009F": ("a2c29f", "bad-string"),
    "control code in a key": ("81a10a01", "bad-string"),
    "control code in a string of é": ("a3c3a90a", "bad-string"),
}


@pytest.mark.parametrize(("value", "form"), FORMS, ids=lambda item: repr(item)[:30])
def test_each_value_has_its_shortest_form(value: Value, form: str) -> None:
    """Encoding gives the published bytes, and decoding gives the value back."""
    data = bytes.fromhex(form)
    assert canonical.encode(value) == data
    decoded = canonical.decode(data)
    assert decoded == value
    assert type(decoded) is type(value)
    assert naive.parse(data) == value


@pytest.mark.parametrize(("form", "code"), BAD.values(), ids=BAD)
def test_every_other_form_is_refused_by_its_code(form: str, code: str) -> None:
    """Bytes that are not canonical are refused, and the code says why."""
    data = bytes.fromhex(form)
    for refuse in (canonical.check, canonical.decode):
        with pytest.raises(FormatError) as caught:
            refuse(data)
        assert caught.value.code == code
    assert not naive.accepts(data)


class _Level(IntEnum):
    ONE = 1


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "bad-type"),
        (1.0, "bad-type"),
        ((1, 2), "bad-type"),
        (OrderedDict(a=1), "bad-type"),
        (bytearray(b"a"), "bad-type"),
        (_Level.ONE, "bad-type"),
        ({1: 2}, "bad-type"),
        ({b"a": 2}, "bad-type"),
        ({"a": {"b": None}}, "bad-type"),
        (MAX + 1, "bad-integer"),
        (-MAX - 1, "bad-integer"),
        (1 << 200, "bad-integer"),
        ("", "bad-string"),
        ("\ud800", "bad-string"),
        ({"\udfff": 1}, "bad-string"),
        ("a" * 1025, "bad-string"),
        ("é" * 513, "bad-string"),
        ({"a" * 1025: 1}, "bad-string"),
    ],
    ids=repr,
)
def test_values_that_cannot_be_held_are_not_encoded(value: object, code: str) -> None:
    """The encoder refuses what the decoder would: nothing is repaired on the way."""
    with pytest.raises(FormatError) as caught:
        canonical.encode(value)  # type: ignore[arg-type]
    assert caught.value.code == code


@pytest.mark.parametrize("text", ["a" * 1024, "é" * 512, "😀" * 256])
def test_strings_have_up_to_1024_bytes(text: str) -> None:
    """The limit counts bytes, for values and for keys, alone or together."""
    canonical.check(canonical.encode([text, {text: text, f"b{text[:-1]}"[:900]: 1}]))
    longer: list[Value] = [[f"{text}a"], {f"{text}a": 1}, {"a": f"{text}a"}]
    for value in longer:
        with pytest.raises(FormatError, match="bytes instead of 1024"):
            canonical.encode(value)


def _in_array(value: Value) -> Value:
    return [value]


def _in_map(value: Value) -> Value:
    return {"a": value}


@pytest.mark.parametrize("wrap", [_in_array, _in_map])
def test_depth_is_16_with_the_outermost_as_1(wrap: Callable[[Value], Value]) -> None:
    """Sixteen containers pass, seventeen don't; a scalar is no level of its own."""
    value: Value = 1
    for _ in range(16):
        value = wrap(value)
    data = canonical.encode(value)
    canonical.check(data)
    assert canonical.decode(data) == value
    if wrap is _in_map:
        assert canonical.decode_map(data) == value
    with pytest.raises(FormatError) as caught:
        canonical.check(data, depth=2)
    assert caught.value.code == "too-deep"
    with pytest.raises(FormatError) as caught:
        canonical.encode(wrap(value))
    assert caught.value.code == "too-deep"


@pytest.mark.parametrize("level", [b"\x91", b"\xdc\xf0\x00", b"\x81\xa1a"])
@pytest.mark.parametrize("length", [17, 300, 2_000, 21_000])
def test_nested_bombs_cost_next_to_nothing(level: bytes, length: int) -> None:
    """Neither depth nor claimed sizes make the decoder work or reserve memory."""
    bomb = (level * length)[:65_535]
    start = time.process_time()
    tracemalloc.start()
    with pytest.raises(FormatError) as caught:
        canonical.check(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.code in {"too-deep", "not-canonical"}
    assert time.process_time() - start < 0.2
    assert peak < 4_000_000


def test_the_largest_legal_values_pass() -> None:
    """The limits of the decoder are no limits of the format."""
    canonical.check(canonical.encode([1] * 65_532))
    canonical.check(
        canonical.encode({f"{number:04x}": True for number in range(9_000)})
    )
    canonical.check(canonical.encode({"a": bytes(65_529)}))


def test_bytes_are_limited_before_they_are_looked_at() -> None:
    """One byte more than allowed is too large, whatever it holds."""
    data = canonical.encode([1] * 65_532)
    assert len(data) == 65_535
    for refuse in (canonical.check, canonical.decode, canonical.decode_map):
        with pytest.raises(FormatError) as caught:
            refuse(data + b"\xc1")
        assert caught.value.code == "too-large"
    canonical.check(canonical.encode([1] * 65_533), max_bytes=65_536)


def test_a_map_is_told_from_other_values() -> None:
    """What has to be a map is refused when it is not one."""
    assert canonical.decode_map(b"\x81\xa1a\x01") == {"a": 1}
    with pytest.raises(FormatError, match="a map is needed, not list"):
        canonical.decode_map(b"\x90")


def test_unchecked_encoding_has_the_same_form() -> None:
    """What is only hashed is written by the same rules, but for the checks."""
    assert canonical.encode_trusted({"b": "", "a": 1}) == b"\x82\xa1a\x01\xa1b\xa0"


def test_a_deep_stack_does_not_change_the_verdict() -> None:
    """A decoder that runs low on stack says so by a code, and not by a crash."""
    data = canonical.encode([[[1] * 500] * 3])

    def fall(levels: int) -> None:
        if levels:
            fall(levels - 1)
        else:
            canonical.check(data)

    fall(sys.getrecursionlimit() // 2)


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40)
SCALARS = st.one_of(
    st.booleans(),
    st.integers(-MAX, MAX),
    st.sampled_from([item for item, _ in FORMS if isinstance(item, int)]),
    st.binary(max_size=300),
    TEXTS,
)
VALUES: st.SearchStrategy[Value] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=20), st.dictionaries(TEXTS, inner, max_size=20)
    ),
    max_leaves=30,
)


@given(VALUES)
def test_decoding_undoes_encoding(value: Value) -> None:
    """Any value survives the way to bytes and back, types and all."""
    data = canonical.encode(value)
    assert canonical.decode(data) == value == naive.parse(data)
    assert canonical.encode(canonical.decode(data)) == data


@given(VALUES)
def test_two_libraries_write_the_same(value: Value) -> None:
    """Given sorted maps, msgpack writes byte for byte what msgspec writes."""
    ordered = canonical.decode(canonical.encode(value))
    assert msgpack.packb(ordered) == canonical.encode(value)


@given(st.binary(max_size=40))
def test_any_bytes_get_the_verdict_of_the_specification(data: bytes) -> None:
    """Arbitrary bytes are accepted exactly when the byte-by-byte reader accepts."""
    assert _accepts(data) == naive.accepts(data)


def test_mutants_get_the_verdict_of_the_specification() -> None:
    """20,000 damaged encodings: the same verdict, and no value with two forms."""
    source = random.Random(20_261_122)
    seeds = [bytes.fromhex(form) for _, form in FORMS]
    seeds += [_random_map(source) for _ in range(60)]
    accepted = 0
    for _ in range(20_000):
        data = mutate(source.choice(seeds), source)
        verdict = _accepts(data)
        assert verdict == naive.accepts(data), data.hex()
        if verdict:
            accepted += 1
            assert canonical.encode(canonical.decode(data)) == data
    assert accepted > 1_000, "mutants that are all refused show nothing"


def _accepts(data: bytes) -> bool:
    try:
        canonical.check(data)
    except FormatError:
        return False
    return True


def _random_map(source: random.Random) -> bytes:
    values: list[Value] = [value for value, _ in FORMS]
    names = source.sample(["a", "aa", "b", "fee", "order", "é", "z" * 33], 4)
    return canonical.encode({name: source.choice(values) for name in names})
