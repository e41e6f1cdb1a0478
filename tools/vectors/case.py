"""What vectors have in common: names, values as JSON, good and bad cases.

A vector is a JSON object. `desc` says what it shows. One that has to be refused has
the `code` with which it is; every other one has what comes out of it beside what goes
in. Bytes are lower-case hex. Values of canonical MessagePack are JSON with two words
more, so that nothing is lost on the way:

    {"bin": "00ff"}          bytes
    {"map": {"a": 1}}        a map; every map is written so
    {"int": "4611…"}         an integer of more than 53 bits, which JSON readers bend
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

Vector = dict[str, Any]
Cases = Iterable[tuple[str, Vector]]
"""Name of each case (format, slash, case) and the vector."""

EXACT_IN_JSON = 2**53


def good(desc: str, **fields: Any) -> Vector:  # noqa: ANN401 (whatever JSON holds)
    """Make a vector that has to be accepted."""
    return {"desc": desc, **fields}


def bad(code: str, desc: str, **fields: Any) -> Vector:  # noqa: ANN401
    """Make a vector that has to be refused with a code."""
    return {"code": code, "desc": desc, **fields}


def value(item: object) -> Any:  # noqa: ANN401
    """Write a value of canonical MessagePack as JSON.

    >>> value({"a": [b"!", 2**60]})
    {'map': {'a': [{'bin': '21'}, {'int': '1152921504606846976'}]}}
    """
    if isinstance(item, bytes):
        return {"bin": item.hex()}
    if isinstance(item, Mapping):
        return {"map": {name: value(inner) for name, inner in item.items()}}
    if isinstance(item, list | tuple):
        return [value(inner) for inner in item]
    if isinstance(item, int) and abs(item) > EXACT_IN_JSON:
        return {"int": str(item)}
    return item


def unvalue(item: Any) -> Any:  # noqa: ANN401
    """Read a value that `value` wrote.

    >>> unvalue(value({"a": [b"!", 2**60]})) == {"a": [b"!", 2**60]}
    True
    """
    if isinstance(item, list):
        return [unvalue(inner) for inner in item]
    if not isinstance(item, dict):
        return item
    ((word, inner),) = item.items()
    match word:
        case "bin":
            return bytes.fromhex(inner)
        case "int":
            return int(inner)
        case _:
            return {name: unvalue(each) for name, each in inner.items()}


def hexes(items: Iterable[bytes]) -> list[str]:
    """Write many bytes as hex."""
    return [item.hex() for item in items]
