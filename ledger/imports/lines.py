r"""Lines of any manifest, as a file states them field by field (format.md §5).

    NDJSON      one object on each line; bytes in lower-case hex
    CSV, TSV    a column for each field, under its name; an empty cell is an absent
                field; true, false; works as in a catalogue

Nothing is filled in or mended here: a field is in its one form or refused, and a
column that is no field is refused as well, since it may be one with a slip in its name.
The lines come out in the order of their manifest, whatever order they came in.

>>> import pathlib, tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     path = pathlib.Path(folder, "exposure.csv")
...     _ = path.write_text("external,exposure\ndemo:b,3\ndemo:a,5\n")
...     lines = read_lines(path, "run.close/exposure")
>>> [(line.external, line.exposure) for line in lines.lines()]
[('demo:a', 5), ('demo:b', 3)]
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET
from msgspec import inspect

from ledger.errors import InputError
from ledger.events.lines import MANIFESTS
from ledger.events.types import Body
from ledger.imports import cells
from ledger.imports.layout import Form
from ledger.imports.reading import Options
from ledger.imports.reading import Parse
from ledger.imports.reading import Plan
from ledger.imports.reading import bind
from ledger.imports.reading import read_table
from ledger.imports.reading import reject_double
from ledger.imports.report import Notes
from ledger.imports.report import Rejected
from ledger.imports.report import refuse_rejected
from ledger.imports.sorting import MEMORY_MAX
from ledger.imports.sorting import Place
from ledger.imports.sorting import Sorter
from ledger.imports.sorting import distinct
from ledger.imports.sorting import pack
from ledger.imports.source import Progress
from ledger.imports.source import Source
from ledger.imports.table import Table
from ledger.tlog.text import excerpt
from ledger.tlog.text import parse_decimal
from ledger.tlog.text import parse_hex

_encode = msgspec.msgpack.Encoder(order="deterministic").encode
_field_of = re.compile(r"\$\.([a-z_]+)").search
_HEAD_BYTES = 4096


@dataclass(frozen=True)
class Lines:
    """The lines of one manifest, readable again and again.

    Attributes:
        kind: of the manifest, a key of `MANIFESTS`.
        count: how many lines.
    """

    kind: str
    count: int
    _items: Sorter = field(repr=False)

    def lines(self) -> Iterator[Body]:
        """Give the lines in the order of their manifest."""
        decode = msgspec.msgpack.Decoder(MANIFESTS[self.kind].line).decode
        return map(decode, distinct(self._items))


def read_lines(
    path: Path,
    kind: str,
    *,
    progress: Progress | None = None,
    memory_max: int = MEMORY_MAX,
) -> Lines:
    """Read the lines of a manifest.

    Args:
        path: NDJSON, CSV or TSV, told apart by how it begins.
        kind: of the manifest, a key of `MANIFESTS`.
        progress: is told how many bytes were read, of how many.
        memory_max: bytes to hold before a temporary file is used.

    Raises:
        InputError: ``manifest-unknown``; ``rows-refused`` if any line is bad, with all
            of the first few; ``column-unknown``; as ``read_table``.
        HomeError: ``disk-full``.
    """
    if kind not in MANIFESTS:
        raise InputError(
            "manifest-unknown",
            f"no event brings lines in as {excerpt(kind)}",
            hint=f"one of {', '.join(MANIFESTS)}",
        )
    reader = _LinesReader(kind)
    with Source(path) as source:
        head = source.read_at(source.position, _HEAD_BYTES).lstrip()
        is_json = head.startswith((b"{", b"["))
    if is_json:
        items = _read_json(path, reader, progress, memory_max)
    else:
        options = Options(progress=progress, memory_max=memory_max)
        items = read_table(path, reader, options).items
    return Lines(kind, len(items), items)


class _LinesReader:
    """Makes items of the fields of lines."""

    form = Form()

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._line = MANIFESTS[kind].line
        self._order = MANIFESTS[kind].order.split("/")
        struct = inspect.type_info(self._line)
        fields = struct.fields if isinstance(struct, inspect.StructType) else ()
        self._fields = {each.name: _Field(each) for each in fields}

    def plan(self, table: Table, notes: Notes) -> Plan:  # noqa: ARG002
        names = table.name_columns()
        strangers = [name for name in names if name not in self._fields]
        if strangers:
            raise InputError(
                "column-unknown",
                f"{table.source.name}: {excerpt(strangers[0])} is no field of"
                f" {self._kind}",
                hint=f"its fields are {', '.join(self._fields)}",
            )
        wanted = [
            (name if each.required or name in names else "", each.parse)
            for name, each in self._fields.items()
        ]
        return Plan(bind(names, table.source.name, wanted), self._pack)

    def settle(self, items: Sorter, rejected: Rejected) -> None:
        order = "/".join(self._order)
        double = reject_double(rejected, "line-doubled", f"the same {order}")
        for _ in distinct(items, double):
            pass

    def pack_object(self, text: str, place: Place) -> bytes:
        """Make an item of a JSON object."""
        values = _parse_object(text)
        for name, value in values.items():
            known = self._fields.get(name)
            if known is not None and known.bytes_length and isinstance(value, str):
                values[name] = parse_hex(value, known.bytes_length)
        return self._item(values, place)

    def _pack(self, values: list[Any], place: Place) -> bytes:
        fields = zip(self._fields, values, strict=True)
        return self._item({k: v for k, v in fields if v is not None}, place)

    def _item(self, values: dict[str, Any], place: Place) -> bytes:
        try:
            line = msgspec.convert(values, self._line)
        except msgspec.ValidationError as error:
            where = _field_of(str(error))
            named = f"field {where[1]}: " if where else ""
            raise InputError(
                "bad-line",
                f"{named}{str(error).split(' - at')[0]}",
                hint=f"ledger/docs/events.md says what {self._kind} holds",
            ) from None
        key = b"".join(_key_part(getattr(line, name)) for name in self._order)
        return pack(key, place, _encode(line))


class _Field:
    """How a cell becomes a field.

    Attributes:
        required: whether every line has it.
        bytes_length: how many bytes, if it holds bytes.
        parse: makes its value of a cell, None of an empty one.
    """

    def __init__(self, of: inspect.Field) -> None:
        self.required = of.required
        types = of.type.types if isinstance(of.type, inspect.UnionType) else (of.type,)
        kind = types[0]
        self.bytes_length = 0
        if isinstance(kind, inspect.BytesType):
            self.bytes_length = kind.min_length or 0
        self._parse = self._parser(kind)

    def parse(self, cell: str) -> Any:  # noqa: ANN401
        """Parse a cell; whether the value is in range is for the line to say."""
        return self._parse(cell) if cell else None

    def _parser(self, kind: inspect.Type) -> Parse:
        if isinstance(kind, inspect.BytesType):
            return partial(parse_hex, length=self.bytes_length)
        parsers: dict[type, Callable[[str], object]] = {
            inspect.BoolType: _parse_bool,
            inspect.IntType: parse_decimal,
            inspect.ListType: cells.parse_works,
        }
        return parsers.get(type(kind), str)


def _read_json(
    path: Path, reader: _LinesReader, progress: Progress | None, memory_max: int
) -> Sorter:
    items, rejected = Sorter(memory_max), Rejected()
    with Source(path, progress) as source:
        items.extend(_json_items(source, reader, rejected))
    rows = len(items) + len(rejected)
    reader.settle(items, rejected)
    refuse_rejected(path.name, rejected, None, rows=rows, skip_bad=False)
    return items


def _json_items(
    source: Source, reader: _LinesReader, rejected: Rejected
) -> Iterator[bytes]:
    for text in source.lines():
        if text.strip():
            try:
                yield reader.pack_object(text, source.place)
            except InputError as error:
                rejected.add(source.place, error)
        source.begin_row()


def _parse_object(text: str) -> dict[str, Any]:
    """Parse a JSON object, without what JSON lets pass: doubled keys, fractions."""
    try:
        value = json.loads(
            text, object_pairs_hook=_unique, parse_float=_refuse, parse_constant=_refuse
        )
    except json.JSONDecodeError as error:
        raise _bad_json(f"character {error.colno}: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise _bad_json(str(error)) from None
    if not isinstance(value, dict):
        raise _bad_json(f"a JSON {type(value).__name__} where an object belongs")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a key stands twice")
    return values


def _refuse(text: str) -> None:
    raise ValueError(f"{text[:20]} is no whole number")


def _bad_json(reason: str) -> InputError:
    return InputError(
        "bad-json",
        reason,
        hint="write one object on each line (NDJSON), with numbers as whole numbers",
    )


def _parse_bool(cell: str) -> bool:
    if cell not in {"true", "false"}:
        raise InputError(
            "bad-bool", f"{excerpt(cell)} is neither true nor false", hint="lower case"
        )
    return cell == "true"


def _key_part(value: Any) -> bytes:  # noqa: ANN401
    """Encode a field so that bytes compare as format.md §5 orders: absent first."""
    if value is UNSET:
        return b"\0"
    if isinstance(value, str):
        return b"\1%s\0" % value.encode()
    if isinstance(value, int):
        return b"\1" + value.to_bytes(8)
    return b"\1" + bytes(value)
