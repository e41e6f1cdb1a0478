"""Vectors of canonical MessagePack (format.md §1)."""

from __future__ import annotations

import struct
from typing import Any

from ledger.entry.canonical import encode
from tools.vectors.case import Cases
from tools.vectors.case import bad
from tools.vectors.case import good
from tools.vectors.case import value

NUMBERS = (
    *(0, 127, 128, 255, 256, 2**16 - 1, 2**16, 2**32 - 1, 2**32, 2**63 - 1),
    *(-1, -32, -33, -128, -129, -(2**15), -(2**15) - 1, -(2**31), -(2**31) - 1),
    -(2**63) + 1,
)
LENGTHS = (1, 31, 32, 255, 256, 1024)


def nested(depth: int) -> bytes:
    """Encode arrays in arrays, so many deep."""
    return b"\x91" * (depth - 1) + b"\x90"


def map_of(*names: str) -> bytes:
    """Encode a map with names as they come, all values 0."""
    encoded = [bytes([0xA0 + len(name.encode())]) + name.encode() for name in names]
    return bytes([0x80 + len(names)]) + b"".join(name + b"\0" for name in encoded)


GOOD: dict[str, tuple[str, Any]] = {
    **{
        f"int {number}".replace("-", "minus "): ("the shortest form", number)
        for number in NUMBERS
    },
    **{f"str {length}": ("ASCII of that length", "a" * length) for length in LENGTHS},
    **{
        f"bin {length}": ("bytes of that length", bytes(length))
        for length in (0, 1, 255, 256)
    },
    **{
        f"array {length}": ("as many zeros", [0] * length)
        for length in (0, 15, 16, 300)
    },
    "bool": ("both", [True, False]),
    "str utf-8": ("1 to 4 bytes for each character", "aé€𝄞"),
    "str nfd": ("not normalised: text is compared as bytes", "e\u0301"),
    "str zero width": ("what is not seen is shown elsewhere", "a\u200bb\u202ec"),
    "map empty": ("no names", {}),
    "map sorted": ("shorter first where one begins the other", {"a": 1, "aa": 2}),
    "map utf-8 order": (
        "names ascend by UTF-8 bytes; by UTF-16 they would be the other way round",
        {"\uffee": 0, "\U00010000": 1},
    ),
    "map 16": (
        "the first that needs two bytes of size",
        {f"{n:02}": n for n in range(16)},
    ),
    "order empty": ("the one field that may hold the empty string", {"order": ""}),
}

BAD: dict[str, tuple[str, str, bytes]] = {
    "nil": ("bad-type", "nil has no place", b"\xc0"),
    "nil inside": ("bad-type", "an absent value is an absent key", b"\x81\xa1a\xc0"),
    "float 32": ("bad-type", "no floats", b"\xca" + struct.pack(">f", 1)),
    "float 64": ("bad-type", "no floats", b"\xcb" + struct.pack(">d", 1)),
    "ext": ("bad-type", "no extensions", b"\xd4\x01\x00"),
    "timestamp": ("bad-type", "no timestamps", b"\xd6\xff\x00\x00\x00\x00"),
    "key bin": ("bad-type", "a key is a string", b"\x81\xc4\x01a\x00"),
    "key int": ("bad-type", "a key is a string", b"\x81\x01\x00"),
    "int 2^63": ("bad-integer", "at most 2^63 - 1", b"\xcf\x80" + bytes(7)),
    "int 2^64-1": ("bad-integer", "at most 2^63 - 1", b"\xcf" + b"\xff" * 8),
    "int minus 2^63": ("bad-integer", "at least -(2^63 - 1)", b"\xd3\x80" + bytes(7)),
    "uint 8 of 127": ("not-canonical", "fits one byte", b"\xcc\x7f"),
    "uint 16 of 255": ("not-canonical", "fits two bytes", b"\xcd\x00\xff"),
    "uint 32 of 65535": ("not-canonical", "fits three", b"\xce\x00\x00\xff\xff"),
    "uint 64 of 2^32-1": (
        "not-canonical",
        "fits five",
        b"\xcf" + bytes(4) + b"\xff" * 4,
    ),
    "int 8 of 1": ("not-canonical", "positive in a signed form", b"\xd0\x01"),
    "int 8 of minus 32": ("not-canonical", "fits one byte", b"\xd0\xe0"),
    "int 64 of minus 129": (
        "not-canonical",
        "fits three",
        b"\xd3" + b"\xff" * 7 + b"\x7f",
    ),
    "str 8 of 1": ("not-canonical", "fits a shorter head", b"\xd9\x01a"),
    "str 16 of 32": (
        "not-canonical",
        "fits a shorter head",
        b"\xda\x00\x20" + b"a" * 32,
    ),
    "str 32 of 1": ("not-canonical", "fits a shorter head", b"\xdb\x00\x00\x00\x01a"),
    "bin 16 of 1": ("not-canonical", "fits a shorter head", b"\xc5\x00\x01a"),
    "bin 32 of 1": ("not-canonical", "fits a shorter head", b"\xc6\x00\x00\x00\x01a"),
    "array 16 of 1": ("not-canonical", "fits a shorter head", b"\xdc\x00\x01\x00"),
    "map 16 of 1": ("not-canonical", "fits a shorter head", b"\xde\x00\x01\xa1a\x00"),
    "map disorder": ("not-canonical", "names ascend", map_of("b", "a")),
    "map doubled": ("not-canonical", "each name once", map_of("a", "a")),
    "map utf-16 order": (
        "not-canonical",
        "names ascend by UTF-8 bytes, not by UTF-16 units",
        map_of("\U00010000", "\uffee"),
    ),
    "empty": ("not-canonical", "no value at all", b""),
    "trailing": ("not-canonical", "one byte too many", b"\x00\x00"),
    "cut off str": ("not-canonical", "three bytes of four", b"\xa4abc"),
    "cut off map": ("not-canonical", "a name without its value", b"\x81\xa1a"),
    "cut off size": ("not-canonical", "half a size", b"\xdc\x00"),
    "claims much": (
        "not-canonical",
        "2^32 - 1 items in 5 bytes",
        b"\xdd\xff\xff\xff\xff",
    ),
    "reserved c1": ("not-canonical", "the byte that is never used", b"\xc1"),
    "str empty": ("bad-string", "text has a byte at least", b"\xa0"),
    "str empty in map": ("bad-string", "only order may be", b"\x81\xa1a\xa0"),
    "str empty in array": (
        "bad-string",
        "only order itself may be",
        b"\x81\xa5order\x91\xa0",
    ),
    "key empty": ("bad-string", "a name has a byte at least", b"\x81\xa0\x00"),
    "str 1025": ("bad-string", "one byte too many", b"\xda\x04\x01" + b"a" * 1025),
    "str U+0000": ("bad-string", "a control code", b"\xa1\x00"),
    "str U+001F": ("bad-string", "a control code", b"\xa1\x1f"),
    "str U+007F": ("bad-string", "a control code", b"\xa1\x7f"),
    "str U+0085": ("bad-string", "a control code", b"\xa2\xc2\x85"),
    "key U+000A": ("bad-string", "a control code in a name", b"\x81\xa1\n\x00"),
    "str latin-1": ("bad-string", "not UTF-8", b"\xa1\xe9"),
    "str surrogate": ("bad-string", "not UTF-8", b"\xa3\xed\xa0\x80"),
    "str overlong": ("bad-string", "not UTF-8", b"\xa2\xc1\xa1"),
    "depth 17": ("too-deep", "one deeper than the limit", nested(17)),
    "depth 600": ("too-deep", "much deeper than the limit", nested(600)),
    "too large": ("too-large", "65,536 bytes", b"\xc5\xff\xfd" + bytes(65_533)),
}


def cases() -> Cases:
    """Give every case."""
    for name, (desc, item) in GOOD.items():
        yield (
            f"canonical/{name}",
            good(desc, bytes=encode(item).hex(), value=value(item)),
        )
    deep = {"desc": "as deep as the limit", "bytes": nested(16).hex()}
    item = []
    for _ in range(15):
        item = [item]
    yield "canonical/depth 16", good(**deep, value=item)
    for name, (code, desc, data) in BAD.items():
        yield f"canonical/{name}", bad(code, desc, bytes=data.hex())
