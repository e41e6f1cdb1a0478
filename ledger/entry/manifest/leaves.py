r"""The leaves of a manifest (format.md §5).

    leaf 0   "linernote/manifest/v1\n" ‖ cm {author, id, kind, log, order, sealed}
    plain    "linernote/line/v1\n" ‖ line                            line = cm(map)
    sealed   "linernote/sealed-line/v1\n" ‖ salt ‖ line
    salt i   HMAC-SHA-256(manifest key, "linernote/salt/v1\n" ‖ u64(i))[:16]

Every leaf starts with a tag of its own, so that none can pass for that of another tree.
A salt keeps those who see the hash of a sealed line, beside a proof of its neighbour,
from guessing the line. Whoever has the manifest key can open them all; a party is shown
its own leaves, salt included.

>>> leaf = plain_leaf({"external": "demo:1"})
>>> leaf
b'linernote/line/v1\n\x81\xa8external\xa6demo:1'
>>> line_of_leaf(leaf, sealed=False)
{'external': 'demo:1'}
"""

from __future__ import annotations

import hmac

import msgspec

from ledger.entry import canonical
from ledger.entry.canonical import Value
from ledger.entry.envelope import LEAF_BYTES_MAX
from ledger.entry.envelope import Bytes16
from ledger.entry.envelope import Bytes32
from ledger.entry.grammar import check_token
from ledger.entry.manifest.order import parse_order
from ledger.errors import FormatError
from ledger.errors import InputError

MANIFEST_TAG = b"linernote/manifest/v1\n"
LINE_TAG = b"linernote/line/v1\n"
SEALED_LINE_TAG = b"linernote/sealed-line/v1\n"
SALT_TAG = b"linernote/salt/v1\n"
SALT_LENGTH = 16
MANIFEST_KEY_LENGTH = 32

Line = dict[str, Value]
"""One line: field name to value."""


# Fields in ascending order: a struct is written as it is declared, and so is canonical.
class Header(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """Whose manifest it is, and how its lines are kept.

    Attributes:
        author: the event's.
        id: the event's.
        kind: event kind / body field, as in "distribution/lines".
        log: the event's.
        order: names joined by "/" of the fields by which lines ascend; "" for none.
        sealed: whether lines are behind salts.
    """

    author: Bytes16
    id: Bytes16
    kind: str
    log: Bytes32
    order: str = ""
    sealed: bool = False


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Header).decode


def header_leaf(header: Header) -> bytes:
    """Make leaf 0.

    Raises:
        FormatError: ``bad-manifest-header``, ``bad-token``, ``bad-order``.
    """
    leaf = MANIFEST_TAG + _encode(header)
    parse_header_leaf(leaf)
    return leaf


def parse_header_leaf(leaf: bytes) -> Header:
    """Parse leaf 0.

    Raises:
        FormatError: ``bad-tag``, ``bad-manifest-header``, ``bad-token``,
            ``bad-order``.
    """
    data = _strip_tag(leaf, MANIFEST_TAG)
    try:
        header = _decode(data)
    except canonical.DECODE_ERRORS as error:
        raise FormatError("bad-manifest-header", f"manifest header: {error}") from None
    if _encode(header) != data:
        raise FormatError("bad-manifest-header", "manifest header is not canonical")
    check_token(header.kind)
    parse_order(header.order)
    return header


def plain_leaf(line: Line) -> bytes:
    """Make the leaf of a plain line.

    Raises:
        FormatError: as ``canonical.encode``; ``too-large``.
    """
    return _bounded(LINE_TAG + canonical.encode(line))


def sealed_leaf(salt: bytes, line: Line) -> bytes:
    """Make the leaf of a sealed line.

    Raises:
        FormatError: as ``canonical.encode``; ``too-large``; ``bad-salt``.
    """
    if len(salt) != SALT_LENGTH:
        raise FormatError("bad-salt", f"a salt of {len(salt)} bytes instead of 16")
    return _bounded(SEALED_LINE_TAG + salt + canonical.encode(line))


def line_of_leaf(leaf: bytes, *, sealed: bool) -> Line:
    """Decode the line in a leaf of either sort.

    Raises:
        FormatError: ``bad-tag``, ``too-large``, or a code of ``canonical.decode_map``.
    """
    tag, start = line_start(sealed=sealed)
    _strip_tag(_bounded(leaf), tag)
    return canonical.decode_map(leaf[start:])


def salt(manifest_key: bytes, index: int) -> bytes:
    """Derive the salt of a leaf: 16 bytes.

    Args:
        manifest_key: 32 random bytes, fresh for each manifest.
        index: of the leaf, from 1.

    Raises:
        InputError: ``bad-manifest-key``.
    """
    return salts(manifest_key, index, index + 1)[0]


def salts(manifest_key: bytes, start: int, stop: int) -> list[bytes]:
    """Derive the salts of the leaves from ``start`` up to but not including ``stop``.

    Raises:
        InputError: ``bad-manifest-key``.
    """
    check_manifest_key(manifest_key)
    keyed = hmac.new(manifest_key, SALT_TAG, "sha256")
    derived = []
    for index in range(start, stop):
        mac = keyed.copy()
        mac.update(index.to_bytes(8, "big"))
        derived.append(mac.digest()[:SALT_LENGTH])
    return derived


def check_manifest_key(manifest_key: bytes) -> None:
    """Check the length of a manifest key.

    Raises:
        InputError: ``bad-manifest-key``.
    """
    if len(manifest_key) != MANIFEST_KEY_LENGTH:
        raise InputError(
            "bad-manifest-key",
            f"a manifest key of {len(manifest_key)} bytes instead of 32",
            hint="make one of random bytes for each manifest",
        )


def line_start(*, sealed: bool) -> tuple[bytes, int]:
    """Tell by which tag a leaf starts, and where in it the line does."""
    tag = SEALED_LINE_TAG if sealed else LINE_TAG
    return tag, len(tag) + SALT_LENGTH * sealed


def _strip_tag(leaf: bytes, tag: bytes) -> bytes:
    if not leaf.startswith(tag):
        raise FormatError(
            "bad-tag",
            f"a leaf starts with {leaf[: len(tag)]!r} instead of {tag!r}",
            hint="this is the leaf of another tree, or sealed instead of plain",
        )
    return leaf[len(tag) :]


def _bounded(leaf: bytes) -> bytes:
    if len(leaf) > LEAF_BYTES_MAX:
        raise FormatError(
            "too-large", f"a leaf of {len(leaf)} bytes, at most {LEAF_BYTES_MAX}"
        )
    return leaf
