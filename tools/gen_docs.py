"""Writes the documents that the code already says: events.md and authority.md.

    python tools/gen_docs.py            write them
    python tools/gen_docs.py --check    only compare; exit 1 if one is out of date

Kinds, fields, types and limits come from the classes of `ledger.events`, meanings
from their docstrings, roles from `ledger.replay.authority.AUTHORITY`.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec.inspect as types

from ledger.entry import canonical
from ledger.events import describe
from ledger.events.lines import MANIFESTS
from ledger.events.registry import KINDS
from ledger.replay.authority import AUTHORITY

DOCS = Path(canonical.__file__).parents[1] / "docs"
_ATTRIBUTE = re.compile(r"^    (\w+): (.*)$")

EVENTS_HEAD = """\
# Events

Every kind of level 1 and every field of its body, made from the code by
`tools/gen_docs.py`. The fields around the body (author, id, key, kind, log, prev,
seen, seq, time) are those of `format.md` §2; who may say what is in
`authority.md`, what refusals and problems are called in `codes.md`. Bytes are written
in lower-case hex in JSON. A field marked ? may be absent. All amounts are
micro-units.
"""

AUTHORITY_HEAD = """\
# Authority

Who may append which kind, made from the code by `tools/gen_docs.py`. Authority is a
pure function of the entries before, judged by the log when it takes an event in and
again by every auditor; whatever is not listed is denied.

Root keys sign `genesis`, `key` and `log.key` and nothing else, sign keys sign the
rest. Keys and roles count from the entry after the one that gives them. Genesis makes
the operator's party operator and registrar; the operator accredits every other role,
and anyone may be a rightsholder.

| kind | who | condition |
|---|---|---|
"""


def meanings(cls: type) -> tuple[str, dict[str, str]]:
    """Read a class's docstring: what it says first, and of each attribute."""
    text = inspect.getdoc(cls) or ""
    head, _, attributes = text.partition("Attributes:")
    found: dict[str, str] = {}
    name = ""
    for line in attributes.splitlines():
        match = _ATTRIBUTE.match(line)
        if match:
            name = match[1]
            found[name] = match[2]
        elif name and line.strip():
            found[name] += " " + line.strip()
    return " ".join(head.split()), found


def _table(struct: types.StructType) -> Iterator[str]:
    _, said = meanings(struct.cls)
    yield "| field | type | meaning |"
    yield "|---|---|---|"
    for field in struct.fields:
        name = field.name if field.required else f"{field.name}?"
        words = describe.describe(field.type).replace("|", "\\|")
        meaning = said.get(field.name, "").replace("|", "\\|")
        yield f"| {name} | {words} | {meaning} |"
    yield ""


def events() -> str:
    """Give the text of events.md."""
    lines = [EVENTS_HEAD]
    for kind, cls in sorted(KINDS.items()):
        head, _ = meanings(cls)
        struct = describe.body_type(kind)
        lines += [f"## {kind}", "", head, "", *_table(struct)]
        for place, part in describe.parts_of(struct):
            said, _ = meanings(part.cls)
            lines += [f"`{place}`: {said}", "", *_table(part)]
    lines += ["# Lines of manifests", ""]
    for manifest in sorted(MANIFESTS):
        rule = MANIFESTS[manifest]
        head, _ = meanings(rule.line)
        totals = ", ".join(rule.totals) or "none"
        lines += [f"## {manifest}", "", f"{head} Order: `{rule.order}`. "]
        lines[-1] += f"Totals: {totals}."
        lines += ["", *_table(describe.line_type(manifest))]
    return "\n".join(lines).rstrip() + "\n"


def authority() -> str:
    """Give the text of authority.md."""
    rows = [
        f"| {kind} | {'any party' if cell.role == 'party' else cell.role}"
        f" | {cell.condition} |"
        for kind, cell in sorted(AUTHORITY.items())
    ]
    return AUTHORITY_HEAD + "\n".join(rows) + "\n"


DOCUMENTS = {"events.md": events, "authority.md": authority}


def main(arguments: list[str]) -> int:
    """Write the documents, or compare them; return the exit code."""
    stale = []
    for name, make in DOCUMENTS.items():
        path, text = DOCS / name, make()
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if "--check" not in arguments:
            path.write_text(text, encoding="utf-8")
    if stale and "--check" in arguments:
        print(f"out of date: {', '.join(stale)}; run 'python tools/gen_docs.py'")
        return 1
    print(f"{len(DOCUMENTS)} documents, {len(stale)} written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
