"""Events and entries: exactly their fields, in exactly one form."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from ledger.entry import canonical
from ledger.entry.envelope import ENTRY_TAG
from ledger.entry.envelope import EVENT_BYTES_MAX
from ledger.entry.envelope import EVENT_TAG
from ledger.entry.envelope import LEAF_BYTES_MAX
from ledger.entry.envelope import ZERO32
from ledger.entry.envelope import Entry
from ledger.entry.envelope import Event
from ledger.entry.envelope import decode_entry
from ledger.entry.envelope import decode_event
from ledger.entry.envelope import encode_entry
from ledger.entry.envelope import encode_event
from ledger.entry.envelope import event_hash
from ledger.entry.envelope import parse_entry
from ledger.entry.envelope import parse_event
from ledger.entry.manifest import Header
from ledger.entry.sign import SignedEvent
from ledger.errors import FormatError
from tests.entry import make
from tests.entry import naive
from tests.entry.mutate import mutate

MAX = 2**63 - 1

EVENT_VECTOR = (
    "8a"
    "a6617574686f72c410000102030405060708090a0b0c0d0e0f"
    "a4626f647983"
    "a6616d6f756e74ce00bfb66c"
    "a863757272656e6379a353454b"
    "a57061727479c41000000000000000000000000000000000"
    "a26964c41000000000000000000000000000000000"
    "a36b6579c420" + "00" * 32 +
    "a46b696e64a3647565"
    "a36c6f67c420" + "00" * 32 +
    "a470726576c420" + "00" * 32 +
    "a47365656e9200c420" + "00" * 32 +
    "a373657100"
    "a474696d65cf0000019ab697e800"
)  # fmt: skip
# printf 'linernote/event/v1\n' and these bytes | sha256sum
EVENT_HASH = "ba0a57215ad02b6d357b1cadc7a0647b3a0ab84e13fb6ae2ae4eb0a4206ca5db"


def test_the_bytes_of_an_event_are_these() -> None:
    """The encoding of one event, written out by hand, never changes."""
    data = encode_event(make.event())
    assert data.hex() == EVENT_VECTOR
    assert parse_event(data) == decode_event(data) == make.event()
    assert event_hash(data).hex() == EVENT_HASH


def test_leaf_data_is_a_tag_and_five_fields() -> None:
    """The encoding of an entry is its tag and the canonical map of its fields."""
    leaf = encode_entry(make.entry())
    assert leaf == ENTRY_TAG + canonical.encode(make.entry_fields())
    assert parse_entry(leaf) == decode_entry(leaf) == make.entry()


def test_tags_end_with_a_line_feed_and_differ() -> None:
    """No tag is the beginning of another, so none can pass for another."""
    assert EVENT_TAG == b"linernote/event/v1\n"
    assert ENTRY_TAG == b"linernote/entry/v1\n"


@pytest.mark.parametrize("struct", [Event, Entry, SignedEvent, Header])
def test_structs_are_declared_in_canonical_order(struct: type[msgspec.Struct]) -> None:
    """A struct is written in the order of its fields, which has to be ascending."""
    names = struct.__struct_fields__
    assert list(names) == sorted(names, key=str.encode)
    assert struct.__struct_encode_fields__ == names
    assert struct.__struct_config__.forbid_unknown_fields


BAD_EVENTS: dict[str, tuple[dict[str, Any], str]] = {
    "author of 15 bytes": ({"author": bytes(15)}, "bad-event"),
    "author of 17 bytes": ({"author": bytes(17)}, "bad-event"),
    "author as text": ({"author": "a" * 16}, "bad-event"),
    "no author": ({"author": None}, "bad-event"),
    "id of 15 bytes": ({"id": bytes(15)}, "bad-event"),
    "no id": ({"id": None}, "bad-event"),
    "key of 31 bytes": ({"key": bytes(31)}, "bad-event"),
    "no key": ({"key": None}, "bad-event"),
    "log of 33 bytes": ({"log": bytes(33)}, "bad-event"),
    "no log": ({"log": None}, "bad-event"),
    "prev of no bytes": ({"prev": b""}, "bad-event"),
    "no prev": ({"prev": None}, "bad-event"),
    "seen of one": ({"seen": [0]}, "bad-event"),
    "seen of three": ({"seen": [0, ZERO32, 0]}, "bad-event"),
    "seen of a short hash": ({"seen": [0, bytes(31)]}, "bad-event"),
    "seen below 0": ({"seen": [-1, ZERO32]}, "bad-event"),
    "no seen": ({"seen": None}, "bad-event"),
    "seq below 0": ({"seq": -1}, "bad-event"),
    "seq as a bool": ({"seq": True}, "bad-event"),
    "seq as text": ({"seq": "0"}, "bad-event"),
    "no seq": ({"seq": None}, "bad-event"),
    "time below 0": ({"time": -1}, "bad-event"),
    "no time": ({"time": None}, "bad-event"),
    "kind of none": ({"kind": None}, "bad-event"),
    "kind as bytes": ({"kind": b"due"}, "bad-event"),
    "kind in upper case": ({"kind": "Due"}, "bad-token"),
    "kind of 65": ({"kind": "a" * 65}, "bad-token"),
    "body as an array": ({"body": []}, "bad-event"),
    "body as bytes": ({"body": b"\x80"}, "bad-event"),
    "no body": ({"body": None}, "bad-event"),
    "another field": ({"extra": 1}, "bad-event"),
    "field of a later level": ({"zone": 1}, "bad-event"),
}
BAD_ENTRIES: dict[str, tuple[dict[str, Any], str]] = {
    "event as text": ({"event": "a"}, "bad-entry"),
    "no event": ({"event": None}, "bad-entry"),
    "index below 0": ({"index": -1}, "bad-entry"),
    "no index": ({"index": None}, "bad-entry"),
    "previous of 31 bytes": ({"previous": bytes(31)}, "bad-entry"),
    "no previous": ({"previous": None}, "bad-entry"),
    "signature of 63 bytes": ({"signature": bytes(63)}, "bad-entry"),
    "signature of 65 bytes": ({"signature": bytes(65)}, "bad-entry"),
    "no signature": ({"signature": None}, "bad-entry"),
    "time below 0": ({"time": -1}, "bad-entry"),
    "no time": ({"time": None}, "bad-entry"),
    "another field": ({"leaf": 1}, "bad-entry"),
}


@pytest.mark.parametrize(("fields", "code"), BAD_EVENTS.values(), ids=BAD_EVENTS)
def test_events_have_exactly_their_fields(fields: dict[str, Any], code: str) -> None:
    """Missing, unknown and ill-typed fields are refused, canonical or not."""
    with pytest.raises(FormatError) as caught:
        parse_event(canonical.encode(make.event_fields(**fields)))
    assert caught.value.code == code


@pytest.mark.parametrize(("fields", "code"), BAD_ENTRIES.values(), ids=BAD_ENTRIES)
def test_entries_have_exactly_their_fields(fields: dict[str, Any], code: str) -> None:
    """Missing, unknown and ill-typed fields are refused, canonical or not."""
    with pytest.raises(FormatError) as caught:
        parse_entry(ENTRY_TAG + canonical.encode(make.entry_fields(**fields)))
    assert caught.value.code == code


BAD_BODIES = {
    "nil inside": (b"\x81\xa1a\xc0", "bad-type"),
    "float inside": (b"\x81\xa1a\xca\x00\x00\x00\x00", "bad-type"),
    "long integer form": (b"\x81\xa1a\xcc\x01", "not-canonical"),
    "disorder": (b"\x82\xa1b\x01\xa1a\x01", "not-canonical"),
    "doubled": (b"\x82\xa1a\x01\xa1a\x01", "not-canonical"),
    "control code": (b"\x81\xa1a\xa1\n", "bad-string"),
    "integer key": (b"\x81\x01\x01", "bad-type"),
    "an array": (b"\x90", "bad-event"),
    "a long map of none": (b"\xde\x00\x00", "not-canonical"),
    "16 deep, 17 in its event": (b"\x81\xa1a" * 15 + b"\x80", "too-deep"),
    "a bomb": (b"\x81\xa1a" * 20_000, "too-deep"),
}


@pytest.mark.parametrize(("body", "code"), BAD_BODIES.values(), ids=BAD_BODIES)
def test_bodies_are_canonical_maps(body: bytes, code: str) -> None:
    """A body may hold anything that is canonical, and nothing else."""
    template = encode_event(make.event(body=msgspec.Raw(b"\x80")))
    data = template.replace(b"\xa4body\x80", b"\xa4body" + body)
    with pytest.raises(FormatError) as caught:
        parse_event(data)
    assert caught.value.code == code


def test_a_body_may_be_15_deep() -> None:
    """The depth of a body counts from its event, whose map is level 1."""
    parse_event(encode_event(make.event(body=msgspec.Raw(b"\x81\xa1a" * 14 + b"\x80"))))


def test_integers_reach_2_63() -> None:
    """The largest legal integers pass, one more does not."""
    largest = make.event(seen=(MAX, ZERO32), seq=MAX, time=MAX)
    assert parse_event(encode_event(largest)) == largest
    for fields in ({"seq": MAX + 1}, {"time": MAX + 1}, {"seen": (MAX + 1, ZERO32)}):
        with pytest.raises(FormatError):
            encode_event(make.event(**fields))
    with pytest.raises(FormatError):
        encode_entry(make.entry(index=MAX + 1))


def test_an_event_has_at_most_65_000_bytes() -> None:
    """The largest event passes and fits into an entry; one byte more does not."""
    room = (
        EVENT_BYTES_MAX - len(encode_event(make.event(body=_filler(60_000)))) + 60_000
    )
    event = encode_event(make.event(body=_filler(room)))
    assert len(event) == EVENT_BYTES_MAX == 65_000
    parse_event(event)
    leaf = encode_entry(make.entry(event=event, index=MAX, time=MAX))
    assert len(leaf) <= LEAF_BYTES_MAX
    with pytest.raises(FormatError) as caught:
        encode_event(make.event(body=_filler(room + 1)))
    assert caught.value.code == "too-large"


def test_the_densest_event_passes() -> None:
    """Nearly 65,000 elements in one array are no reason to refuse an event."""
    body = canonical.encode({"a": [1] * 64_500})
    event = encode_event(make.event(body=msgspec.Raw(body)))
    assert bytes(parse_event(event).body) == body


def test_leaf_data_has_at_most_65_535_bytes() -> None:
    """The limit is that of the two length bytes of an entry bundle."""
    room = LEAF_BYTES_MAX - len(encode_entry(make.entry(event=bytes(60_000)))) + 60_000
    leaf = encode_entry(make.entry(event=bytes(room)))
    assert len(leaf) == LEAF_BYTES_MAX == 65_535
    with pytest.raises(FormatError) as caught:
        encode_entry(make.entry(event=bytes(room + 1)))
    assert caught.value.code == "too-large"


def test_entries_have_one_form() -> None:
    """Disorder, doubled fields, long forms and what trails are refused."""
    data = encode_entry(make.entry(index=5, time=6)).removeprefix(ENTRY_TAG)
    index, time = b"\xa5index\x05", b"\xa4time\x06"
    assert data.count(index) == data.count(time) == 1
    for other in (
        data.replace(index, b"\xa5index\xcc\x05"),
        data.replace(index, index + index).replace(b"\x85", b"\x86", 1),
        data.replace(time, b"").replace(index, time + index),
        data.replace(b"\x85", b"\xde\x00\x05", 1),
        data + b"\x00",
        data[:-1],
    ):
        with pytest.raises(FormatError) as caught:
            parse_entry(ENTRY_TAG + other)
        assert caught.value.code == "not-canonical"


def test_leaves_of_other_trees_are_refused() -> None:
    """Leaf data starts with the tag of entries, and with no other."""
    leaf = encode_entry(make.entry())
    for other in (leaf[1:], leaf[len(ENTRY_TAG) :], EVENT_TAG + leaf[19:], b""):
        with pytest.raises(FormatError) as caught:
            parse_entry(other)
        assert caught.value.code == "bad-tag"


def test_a_struct_accepts_nothing_that_the_walk_refuses() -> None:
    """20,000 damaged events: what passes is canonical, and has its one form."""
    source = random.Random(20_261_123)
    seeds = [
        encode_event(make.event(body=msgspec.Raw(body), seq=seq, kind=kind))
        for body in (b"\x80", canonical.encode(make.BODY))
        for seq, kind in ((0, "due"), (300, "run.open"), (MAX, "a"))
    ]
    accepted = 0
    for _ in range(20_000):
        data = mutate(source.choice(seeds), source)
        try:
            event = parse_event(data)
        except FormatError:
            continue
        accepted += 1
        assert naive.accepts(data), data.hex()
        assert encode_event(event) == data
        canonical.check(data)
    assert accepted > 1_000, "mutants that are all refused show nothing"


def test_the_header_refuses_no_more_than_its_rules() -> None:
    """Canonical mutants with the right fields pass: the two paths agree."""
    source = random.Random(20_261_124)
    seed, agreed = encode_event(make.event()), 0
    for _ in range(10_000):
        data = mutate(seed, source)
        if not naive.accepts(data):
            continue
        agreed += 1
        assert _parses(data) == _header_holds(naive.parse(data)), data.hex()
    assert agreed > 500


def test_every_flipped_bit_of_leaf_data_is_another_entry_or_refused() -> None:
    """No two leaves have one meaning: what still parses has another content."""
    entry = make.entry()
    leaf = encode_entry(entry)
    for bit in range(8 * len(leaf)):
        flipped = bytearray(leaf)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            other = parse_entry(bytes(flipped))
        except FormatError:
            continue
        assert other != entry


def _filler(length: int) -> msgspec.Raw:
    return msgspec.Raw(canonical.encode({"a": bytes(length)}))


def _parses(data: bytes) -> bool:
    try:
        parse_event(data)
    except FormatError:
        return False
    return True


def _header_holds(value: Any) -> bool:  # noqa: ANN401
    """The rules of format.md §2, written a second time."""
    if type(value) is not dict or set(value) != set(make.event_fields()):
        return False
    lengths = {"author": 16, "id": 16, "key": 32, "log": 32, "prev": 32}
    return (
        all(_is_bytes(value[name], length) for name, length in lengths.items())
        and all(
            type(value[name]) is int and value[name] >= 0 for name in ("seq", "time")
        )
        and type(value["seen"]) is list
        and len(value["seen"]) == 2
        and type(value["seen"][0]) is int
        and value["seen"][0] >= 0
        and _is_bytes(value["seen"][1], 32)
        and type(value["body"]) is dict
        and type(value["kind"]) is str
        and 1 <= len(value["kind"]) <= 64
        and set(value["kind"]) <= set("abcdefghijklmnopqrstuvwxyz0123456789._/-")
    )


def _is_bytes(value: object, length: int) -> bool:
    return type(value) is bytes and len(value) == length
