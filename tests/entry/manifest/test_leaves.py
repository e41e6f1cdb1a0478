"""Leaves of manifests: their bytes, and nothing that could pass for another."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from ledger.entry import canonical
from ledger.entry.manifest import Header
from ledger.entry.manifest import header_leaf
from ledger.entry.manifest import line_of_leaf
from ledger.entry.manifest import parse_header_leaf
from ledger.entry.manifest import plain_leaf
from ledger.entry.manifest import salt
from ledger.entry.manifest import sealed_leaf
from ledger.entry.manifest.leaves import salts
from ledger.errors import FormatError
from ledger.errors import InputError
from tests.entry.manifest.make import header

LINE: dict[str, canonical.Value] = {"external": "demo:1", "ms": 180_000}
LINE_BYTES = "82 a865787465726e616c a664656d6f3a31 a26d73 ce0002bf20"
HEADER = header("external/ms", sealed=True)


def test_a_header_is_these_bytes() -> None:
    """Leaf 0 is its tag and the canonical map of six fields."""
    assert header_leaf(HEADER) == b"linernote/manifest/v1\n" + bytes.fromhex(
        f"86 a6617574686f72 c410{'01' * 16} a26964 c410{'03' * 16}"
        "a46b696e64 b2646174617365742f7265636f7264696e6773"
        f"a36c6f67 c420{'02' * 32} a56f72646572 ab65787465726e616c2f6d73"
        "a67365616c6564 c3"
    )
    assert parse_header_leaf(header_leaf(HEADER)) == HEADER


def test_a_header_without_order_is_canonical_too() -> None:
    """No order is the empty string, the only one that a map may hold."""
    leaf = header_leaf(header(""))
    assert parse_header_leaf(leaf).order == ""
    canonical.check(leaf.removeprefix(b"linernote/manifest/v1\n"))


def test_lines_are_a_tag_and_a_map() -> None:
    """Plain and sealed leaves are these bytes, and give the line back."""
    line = bytes.fromhex(LINE_BYTES)
    plain, sealed = plain_leaf(LINE), sealed_leaf(b"s" * 16, LINE)
    assert plain == b"linernote/line/v1\n" + line
    assert sealed == b"linernote/sealed-line/v1\n" + b"s" * 16 + line
    assert line_of_leaf(plain, sealed=False) == LINE
    assert line_of_leaf(sealed, sealed=True) == LINE


def test_salts_are_keyed_hashes_of_the_index() -> None:
    """A salt is the first half of an HMAC over a tag and the index in 8 bytes."""
    key = bytes(range(32))
    for index in (1, 255, 2**40):
        message = b"linernote/salt/v1\n" + index.to_bytes(8, "big")
        assert salt(key, index) == hmac.digest(key, message, hashlib.sha256)[:16]
    assert salts(key, 5, 9) == [salt(key, index) for index in range(5, 9)]
    assert salt(key, 1) != salt(bytes(32), 1)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_manifest_key_has_32_bytes(length: int) -> None:
    """A short key would be no secret."""
    with pytest.raises(InputError) as caught:
        salt(bytes(length), 1)
    assert caught.value.code == "bad-manifest-key"


def test_a_salt_has_16_bytes() -> None:
    """Other lengths would move the border between salt and line."""
    for length in (0, 15, 17):
        with pytest.raises(FormatError) as caught:
            sealed_leaf(bytes(length), LINE)
        assert caught.value.code == "bad-salt"


def test_no_leaf_passes_for_another_sort() -> None:
    """Plain, sealed and header leaves are told apart by their tags."""
    plain, sealed = plain_leaf(LINE), sealed_leaf(bytes(16), LINE)
    for leaf in (sealed, header_leaf(HEADER), plain[1:], b"", plain[18:]):
        with pytest.raises(FormatError) as caught:
            line_of_leaf(leaf, sealed=False)
        assert caught.value.code == "bad-tag"
    for leaf in (plain, header_leaf(HEADER)):
        with pytest.raises(FormatError) as caught:
            line_of_leaf(leaf, sealed=True)
        assert caught.value.code == "bad-tag"
    for leaf in (plain, sealed, b"linernote/manifest/v2\n\x80"):
        with pytest.raises(FormatError) as caught:
            parse_header_leaf(leaf)
        assert caught.value.code == "bad-tag"


def _header_leaf(**fields: object) -> bytes:
    plain = {
        "author": bytes(16),
        "id": bytes(16),
        "kind": "dataset/recordings",
        "log": bytes(32),
        "order": "external",
        "sealed": False,
    }
    changed = {k: v for k, v in {**plain, **fields}.items() if v is not None}
    return b"linernote/manifest/v1\n" + canonical.encode_trusted(changed)


BAD_HEADERS: dict[str, tuple[bytes, str]] = {
    "author of 15 bytes": (_header_leaf(author=bytes(15)), "bad-manifest-header"),
    "id as text": (_header_leaf(id="a" * 16), "bad-manifest-header"),
    "log of 31 bytes": (_header_leaf(log=bytes(31)), "bad-manifest-header"),
    "sealed as 1": (_header_leaf(sealed=1), "bad-manifest-header"),
    "no author": (_header_leaf(author=None), "bad-manifest-header"),
    "no kind": (_header_leaf(kind=None), "bad-manifest-header"),
    "no order": (_header_leaf(order=None), "bad-manifest-header"),
    "no seal": (_header_leaf(sealed=None), "bad-manifest-header"),
    "another field": (_header_leaf(lines=1), "bad-manifest-header"),
    "kind in upper case": (_header_leaf(kind="Dataset"), "bad-token"),
    "empty kind": (_header_leaf(kind=""), "bad-token"),
    "empty name in order": (_header_leaf(order="a//b"), "bad-order"),
    "trailing byte": (_header_leaf() + b"\x00", "bad-manifest-header"),
    "nothing": (b"linernote/manifest/v1\n", "bad-manifest-header"),
    "a name that is no text": (
        b"linernote/manifest/v1\n\x81\xa1\xff\x01",
        "bad-manifest-header",
    ),
}


@pytest.mark.parametrize(("leaf", "code"), BAD_HEADERS.values(), ids=BAD_HEADERS)
def test_headers_have_exactly_their_fields(leaf: bytes, code: str) -> None:
    """Missing, unknown, ill-typed fields and other forms are refused."""
    with pytest.raises(FormatError) as caught:
        parse_header_leaf(leaf)
    assert caught.value.code == code


def test_bad_headers_are_not_written() -> None:
    """The encoder refuses what the parser would."""
    with pytest.raises(FormatError) as caught:
        header_leaf(Header(bytes(15), bytes(16), "a/b", bytes(32), "", sealed=False))
    assert caught.value.code == "bad-manifest-header"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"", "not-canonical"),
        (b"\x90", "bad-type"),
        (b"\x81\xa1a\xc0", "bad-type"),
        (b"\x81\xa1a\xcc\x01", "not-canonical"),
        (b"\x80\x00", "not-canonical"),
        (b"\x81\xa1a\xa0", "bad-string"),
    ],
)
def test_lines_are_canonical_maps(line: bytes, code: str) -> None:
    """A leaf whose line is not in canonical form holds no line."""
    for leaf, sealed in (
        (b"linernote/line/v1\n" + line, False),
        (b"linernote/sealed-line/v1\n" + bytes(16) + line, True),
    ):
        with pytest.raises(FormatError) as caught:
            line_of_leaf(leaf, sealed=sealed)
        assert caught.value.code == code


def test_a_leaf_has_at_most_65_535_bytes() -> None:
    """The largest leaf passes both ways, one byte more neither."""
    overhead = len(plain_leaf({"a": bytes(60_000)})) - 60_000
    room = 65_535 - overhead
    assert len(plain_leaf({"a": bytes(room)})) == 65_535
    line_of_leaf(plain_leaf({"a": bytes(room)}), sealed=False)
    for make in (
        lambda: plain_leaf({"a": bytes(room + 1)}),
        lambda: sealed_leaf(bytes(16), {"a": bytes(room)}),
        lambda: line_of_leaf(plain_leaf({"a": bytes(room)}) + b"\x00", sealed=False),
    ):
        with pytest.raises(FormatError) as caught:
            make()
        assert caught.value.code == "too-large"
