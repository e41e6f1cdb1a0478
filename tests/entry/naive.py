"""Canonical MessagePack read byte by byte, straight from the specification.

Slow, and written without a look at the product: it reads one value, refuses every byte
that the rules of format.md §1 do not allow there, and knows of no library.
"""

from __future__ import annotations

from ledger.entry.canonical import Value


class RefusedError(Exception):
    """These bytes are not in canonical form."""


def accepts(data: bytes) -> bool:
    """Whether bytes are one value in canonical form."""
    try:
        parse(data)
    except RefusedError:
        return False
    return True


def parse(data: bytes) -> Value:
    """Parse one value that takes all of the bytes."""
    reader = _Reader(data)
    value = reader.value(depth=0, may_be_empty=False)
    if reader.at != len(data):
        raise RefusedError("trailing")
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        taken = self.data[self.at : self.at + count]
        if len(taken) < count:
            raise RefusedError("truncated")
        self.at += count
        return taken

    def number(self, width: int, least: int) -> int:
        number = int.from_bytes(self.take(width), "big")
        if number < least:
            raise RefusedError("not the shortest form")
        return number

    def value(self, depth: int, *, may_be_empty: bool) -> Value:
        first = self.take(1)[0]
        if first in {0xC2, 0xC3}:
            return first == 0xC3
        if first in {0xC4, 0xC5, 0xC6}:
            return self.take(self.length(first, 0xC4, [0, 1 << 8, 1 << 16]))
        if 0xA0 <= first <= 0xBF or first in {0xD9, 0xDA, 0xDB}:
            return self.string(first, may_be_empty=may_be_empty)
        if 0x80 <= first <= 0x9F or first in {0xDC, 0xDD, 0xDE, 0xDF}:
            return self.container(first, depth + 1)
        return self.integer(first)

    def length(self, first: int, base: int, least: list[int]) -> int:
        step = first - base
        # Bin and str come as 8, 16 and 32 bits, array and map as 16 and 32.
        widths = [1, 2, 4][-len(least) :]
        return self.number(widths[step], least[step])

    def integer(self, first: int) -> int:
        if first <= 0x7F:
            return first
        if first >= 0xE0:
            return first - 0x100
        unsigned = {0xCC: (1, 1 << 7), 0xCD: (2, 1 << 8)}
        unsigned |= {0xCE: (4, 1 << 16), 0xCF: (8, 1 << 32)}
        signed = {0xD0: (1, -33), 0xD1: (2, -129)}
        signed |= {0xD2: (4, -32769), 0xD3: (8, -(1 << 31) - 1)}
        if first in unsigned:
            number = self.number(*unsigned[first])
            if number >= 1 << 63:
                raise RefusedError("too large an integer")
            return number
        if first in signed:
            width, most = signed[first]
            number = int.from_bytes(self.take(width), "big", signed=True)
            if number > most or number <= -(1 << 63):
                raise RefusedError("not the shortest form, or too small an integer")
            return number
        raise RefusedError("nil, float, extension or reserved")

    def string(self, first: int, *, may_be_empty: bool) -> str:
        if first <= 0xBF:
            raw = self.take(first - 0xA0)
        else:
            raw = self.take(self.length(first, 0xD9, [32, 1 << 8, 1 << 16]))
        try:
            text = raw.decode("utf-8", "strict")
        except UnicodeDecodeError:
            raise RefusedError("not UTF-8") from None
        if len(raw) > 1024 or not (raw or may_be_empty):
            raise RefusedError("empty or too long a string")
        if any(ord(char) < 0x20 or 0x7F <= ord(char) <= 0x9F for char in text):
            raise RefusedError("control code")
        return text

    def container(self, first: int, depth: int) -> Value:
        if depth > 16:
            raise RefusedError("too deep")
        if 0x90 <= first <= 0x9F or first in {0xDC, 0xDD}:
            count = first - 0x90
            if first > 0x9F:
                count = self.length(first, 0xDC, [16, 1 << 16])
            return [self.value(depth, may_be_empty=False) for _ in range(count)]
        count = first - 0x80
        if first > 0x8F:
            count = self.length(first, 0xDE, [16, 1 << 16])
        return self.fields(count, depth)

    def fields(self, count: int, depth: int) -> dict[str, Value]:
        fields: dict[str, Value] = {}
        last = b""
        for _ in range(count):
            first = self.take(1)[0]
            if not (0xA0 <= first <= 0xBF or first in {0xD9, 0xDA, 0xDB}):
                raise RefusedError("a name that is not a string")
            name = self.string(first, may_be_empty=False)
            if name.encode() <= last:
                raise RefusedError("disordered or doubled names")
            last = name.encode()
            fields[name] = self.value(depth, may_be_empty=name == "order")
        return fields
