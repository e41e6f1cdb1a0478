"""The command that explains what can be said on a log.

Everything is read off the classes of the bodies and the table of authority, so that
it cannot differ from what the log takes.
"""

from __future__ import annotations

import inspect
import json
import re
import textwrap
from collections.abc import Iterator
from typing import Any

import click
from msgspec.inspect import StructType

from ledger.cli.common import Command
from ledger.cli.common import Settings
from ledger.cli.common import json_option
from ledger.cli.common import pass_settings
from ledger.cli.documents import print_document
from ledger.cli.documents import table
from ledger.cli.samples import COMMANDS
from ledger.cli.samples import SAMPLES
from ledger.events.describe import body_type
from ledger.events.describe import line_type
from ledger.events.describe import parts_of
from ledger.events.describe import struct_fields
from ledger.events.json import unknown_kind
from ledger.events.registry import KINDS
from ledger.events.registry import MANIFEST_FIELDS
from ledger.replay.authority import AUTHORITY

WIDTH = 88
_ATTRIBUTE = re.compile(r"^ {4}(\w+): (.*(?:\n {8,}.*)*)", re.MULTILINE)


@click.command(
    cls=Command,
    examples="""
    linernote kinds
    linernote kinds due
    linernote kinds run.open --json
    """,
)
@click.argument("kind", required=False)
@json_option
@pass_settings
def kinds(settings: Settings, kind: str | None) -> None:
    """Explain the kinds of events and their fields.

    Without KIND, lists all kinds, what they say and who may append them. With KIND,
    explains every field, the lines that it brings in, and shows an event to start from.
    """
    if kind is not None and kind not in KINDS:
        raise unknown_kind(kind)
    documents = [_document(name) for name in ([kind] if kind else KINDS)]
    if settings.json:
        print_document({"kinds": documents})
    elif kind is not None:
        click.echo("\n".join(_explain(documents[0])))
    else:
        rows = [["KIND", "APPENDED BY", "SAYS"]]
        rows += [[d["kind"], d["role"], d["says"]] for d in documents]
        click.echo("\n".join(table(rows)))


def _document(kind: str) -> dict[str, Any]:
    body = body_type(kind)
    says, _ = _docstring(body)
    cell = AUTHORITY[kind]
    fields = _fields(body)
    for place, part in parts_of(body):
        fields += _fields(part, f"{place}.")
    return {
        "kind": kind,
        "says": says,
        "role": cell.role,
        "condition": cell.condition,
        "fields": fields,
        "lines": {
            field: _fields(line_type(f"{kind}/{field}"))
            for field in MANIFEST_FIELDS[kind]
        },
        "command": COMMANDS.get(kind),
        "sample": {"kind": kind, "body": SAMPLES[kind]} if kind in SAMPLES else None,
    }


def _docstring(struct: StructType) -> tuple[str, dict[str, str]]:
    """Take apart what a class says: its first line, and its attributes."""
    text = (inspect.getdoc(struct.cls) or "").replace("`", "")
    head, _, attributes = text.partition("Attributes:\n")
    notes = {
        name: " ".join(note.split()).rstrip(".")
        for name, note in _ATTRIBUTE.findall(attributes)
    }
    return " ".join(head.split("\n\n")[0].split()), notes


def _fields(struct: StructType, prefix: str = "") -> list[dict[str, Any]]:
    _, notes = _docstring(struct)
    return [
        {
            "name": prefix + name,
            "takes": field.words,
            "required": field.required,
            "says": notes.get(name, ""),
        }
        for name, field in struct_fields(struct).items()
    ]


def _explain(document: dict[str, Any]) -> Iterator[str]:
    condition = f": {document['condition']}" if document["condition"] else ""
    yield f"{document['kind']}: {document['says']}"
    yield f"appended by {document['role']}{condition}"
    if document["command"] is not None:
        yield f"appended for you by: linernote {document['command']}"
    yield ""
    yield "fields (? may be left out)"
    yield from _explain_fields(document["fields"])
    for name, fields in document["lines"].items():
        yield ""
        yield f"each line of {name}, given with --lines {name}=FILE"
        yield from _explain_fields(fields)
    if document["sample"] is not None:
        yield ""
        yield "an event to start from; ids and entries are made up"
        yield textwrap.indent(_sample(document["sample"]), "  ")


def _sample(sample: dict[str, Any]) -> str:
    """Write an event on one line, or with its body spread out."""
    text = json.dumps(sample)
    if len(text) < WIDTH:
        return text
    body = json.dumps(sample["body"], indent=2)
    return f'{{"kind": "{sample["kind"]}", "body": {body}}}'


def _explain_fields(fields: list[dict[str, Any]]) -> Iterator[str]:
    longest = max((len(field["name"]) + 1 for field in fields), default=0)
    for field in fields:
        name = field["name"] + ("" if field["required"] else "?")
        takes = f"({field['takes']})"
        yield textwrap.fill(
            f"{field['says']} {takes}" if field["says"] else takes,
            WIDTH,
            initial_indent=f"  {name:<{longest}}  ",
            subsequent_indent=" " * (longest + 4),
        )
