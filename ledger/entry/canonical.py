r"""Canonical MessagePack: one encoding for each value (format.md §1).

    value     bool | int | str | bin | array of values | map of str to value
    int       |n| < 2**63
    str       strict UTF-8, 1 to 1,024 bytes, no U+0000-001F, no U+007F-009F;
              only a field named "order" may be empty: no order (format.md §5)
    map       keys unique, ascending by their UTF-8 bytes
    depth     maps and arrays nest at most 16 deep, the outermost being 1
    form      the shortest of each value, and nothing after it

Bytes are accepted iff they decode to such a value and encoding it gives the same
bytes again. They are refused, never repaired. What one library reads (msgpack) has
to be what another writes (msgspec), so that no bug of one alone admits a second form.

>>> encode({"b": 1, "a": [b"", True]}).hex()
'82a16192c400c3a16201'
>>> decode(bytes.fromhex("82a16192c400c3a16201"))
{'a': [b'', True], 'b': 1}
>>> check(b"\x81\xa1a\xcd\x00\x01")
Traceback (most recent call last):
ledger.errors.FormatError: 6 bytes are not the canonical encoding of their value
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from typing import TypeAlias
from typing import Union
from typing import cast

import msgpack
import msgspec

from ledger.errors import FormatError

BYTES_MAX = 65_535
DEPTH_MAX = 16
INTEGER_MAX = 2**63 - 1
STRING_BYTES_MAX = 1024

Value: TypeAlias = Union[bool, int, str, bytes, "list[Value]", "dict[str, Value]"]
"""What canonical MessagePack can hold."""

encode_trusted = msgspec.msgpack.Encoder(order="deterministic").encode
"""Encode a value without a check, in the same form.

For values that were checked otherwise, and for those that are only hashed and never
parsed: the rows of a state digest hold the empty string, for one (format.md §6).
"""

DECODE_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that it can't decode; the last two are Python's."""

_FIELD_MAYBE_EMPTY = "order"
_BOMB_BYTES_MIN = 1024
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]").search
_skip = msgspec.msgpack.Decoder(msgspec.Raw).decode


def encode(value: Value) -> bytes:
    """Encode a value in its one form; the keys of maps are sorted.

    Raises:
        FormatError: ``bad-type``, ``bad-integer``, ``bad-string``, ``too-deep``:
            the value can't be held (see ``check_value``).
    """
    check_value(value)
    return encode_trusted(value)


def decode(data: bytes, *, max_bytes: int = BYTES_MAX) -> Value:
    """Decode bytes that are in canonical form.

    Raises:
        FormatError: ``too-large`` for more than ``max_bytes``, else as ``check``.
    """
    return _decode(data, max_bytes, 1)


def decode_map(data: bytes, *, max_bytes: int = BYTES_MAX) -> dict[str, Value]:
    """Decode bytes that are the canonical form of a map.

    Raises:
        FormatError: as ``decode``, and ``bad-type`` if it is no map.
    """
    value = _decode(data, max_bytes, 1)
    if type(value) is not dict:
        raise FormatError("bad-type", f"a map is needed, not {_name(value)}")
    return value


def check(data: bytes, *, max_bytes: int = BYTES_MAX, depth: int = 1) -> None:
    """Check that bytes are in canonical form.

    Args:
        data: the encoding of one value.
        max_bytes: how long it may be.
        depth: of the outermost value, for what is embedded in a map: 2 and so on.

    Raises:
        FormatError: ``too-large``; ``too-deep``; ``bad-type`` for nil, floats,
            extensions and keys that are not strings; ``bad-integer``;
            ``bad-string``; ``not-canonical`` for truncated or trailing bytes,
            disordered or doubled keys and forms that are not the shortest.
    """
    _decode(data, max_bytes, depth)


def check_value(value: object, *, depth: int = 1) -> None:
    """Check that a Python value can be held; the order of keys does not matter.

    Raises:
        FormatError: ``bad-type``, ``bad-integer``, ``bad-string``, ``too-deep``.
    """
    # One level above: the walk looks at what is inside a map or an array.
    _walk([value], depth - 1)


def _decode(data: bytes, max_bytes: int, depth: int) -> Value:
    if len(data) > max_bytes:
        raise FormatError("too-large", f"{len(data)} bytes instead of {max_bytes}")
    value = _unpack(data)
    check_value(value, depth=depth)
    if encode_trusted(value) != data:
        raise FormatError(
            "not-canonical",
            f"{len(data)} bytes are not the canonical encoding of their value",
            hint="sort the keys of maps, never double one, use the shortest forms",
        )
    return cast("Value", value)


def _unpack(data: bytes) -> object:
    try:
        # The decoder reserves room for what an array claims to hold before it sees
        # it; nested claims would add up. Walking over the bytes first costs nothing,
        # and shows whether all that is claimed is there.
        if len(data) > _BOMB_BYTES_MIN:
            _skip(data)
        # No Unpacker is kept: one that failed can't be trusted again.
        return msgpack.unpackb(data)
    except UnicodeDecodeError:
        raise FormatError("bad-string", "a string is not strict UTF-8") from None
    except (msgpack.exceptions.StackError, RecursionError):
        raise _too_deep() from None
    except (ValueError, msgspec.DecodeError) as error:
        if "map key" in str(error):
            raise FormatError("bad-type", "a map key is not a string") from None
        raise FormatError(
            "not-canonical", f"{len(data)} bytes are not one MessagePack value"
        ) from None


def _walk(value: object, depth: int) -> None:
    """Look at everything inside a map or an array.

    This is the hot path of an audit: plain ASCII costs two calls, and only what is
    not plain is looked at closely.
    """
    items = _open(value)
    if depth > DEPTH_MAX:
        raise _too_deep()
    for item in items:
        kind = type(item)
        if kind is bytes or kind is bool:
            continue
        if kind is str:
            if not (
                item.isascii()
                and item.isprintable()
                and 0 < len(item) <= STRING_BYTES_MAX
            ):
                _check_string(item, value)
        elif kind is int:
            if not -INTEGER_MAX <= item <= INTEGER_MAX:
                raise FormatError("bad-integer", f"{item} is not within ±(2**63-1)")
        else:
            _walk(item, depth + 1)


def _open(value: object) -> Iterable[Any]:
    """Give what an array or a map holds; the names of a map are checked together."""
    if type(value) is list:
        return value
    if type(value) is not dict:
        raise FormatError("bad-type", f"{_name(value)} can't be held")
    try:
        names = "".join(value)
    except TypeError:
        raise FormatError("bad-type", "a map key is not a string") from None
    plain = names.isascii() and names.isprintable() and "" not in value
    if not plain or len(names) > STRING_BYTES_MAX:
        for name in value:
            _check_string(name, None)
    return value.values()


def _check_string(text: str, parent: object) -> None:
    """Say what is wrong with a string that is not plain ASCII; maybe nothing is."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise FormatError("bad-string", "a string holds a surrogate") from None
    if size > STRING_BYTES_MAX:
        raise FormatError(
            "bad-string", f"a string of {size} bytes instead of {STRING_BYTES_MAX}"
        )
    found = _CONTROL(text)
    if found is not None:
        code = ord(found.group())
        raise FormatError("bad-string", f"a string holds U+{code:04X}, a control code")
    if not size and not _may_be_empty(parent):
        raise FormatError(
            "bad-string", "a string is empty", hint="leave an absent field out"
        )


def _may_be_empty(parent: object) -> bool:
    """Tell whether the only empty string directly inside a map is its order."""
    return isinstance(parent, dict) and all(
        name == _FIELD_MAYBE_EMPTY for name, item in parent.items() if item == ""
    )


def _too_deep() -> FormatError:
    return FormatError("too-deep", f"maps and arrays nest more than {DEPTH_MAX} deep")


def _name(value: object) -> str:
    return "nil" if value is None else type(value).__name__
