"""A label's catalogue in a layout of its own, and what becomes of any."""

from __future__ import annotations

from pathlib import Path

from ledger.author import line_map
from ledger.entry.manifest import Header
from ledger.entry.manifest import ManifestBuilder
from ledger.events.lines import MANIFESTS
from ledger.events.registry import encode_body
from ledger.events.registry import parse_line
from ledger.imports import Catalogue
from ledger.imports import HolderColumn
from ledger.imports import Layout
from tests.imports.files import write

LABEL = Layout(
    id="ID",
    namespace="label",
    isrc="ISRC",
    duration="SECONDS",
    works="WORKS",
    holders=(HolderColumn("ARTIST"),),
    holders_namespace="people",
)
LABEL_HEADER = "ID,TITLE,ISRC,SECONDS,WORKS,ARTIST\n"


def label(tmp_path: Path, *rows: str) -> Path:
    return write(tmp_path, LABEL_HEADER + "".join(f"{row}\n" for row in rows))


def check_manifests(catalogue: Catalogue) -> None:
    """Build the three manifests, and parse every line as replay does."""
    manifests = {
        "catalogue/recordings": catalogue.recordings,
        "party/parties": catalogue.parties,
        "shares/lines": catalogue.shares,
    }
    for kind, lines in manifests.items():
        order = MANIFESTS[kind].order
        builder = ManifestBuilder(Header(bytes(16), bytes(16), kind, bytes(32), order))
        builder.add_many(map(line_map, lines()))
        assert builder.finish().lines == sum(1 for _ in lines())
        for line in lines():
            assert parse_line(kind, encode_body(line)) == line
