"""Manifests: many lines under one root that an event signs (format.md §5).

    leaves ◄── order ◄── fold ◄── build, read
       ▲─────────▲── prove

A manifest is an RFC 6962 tree of its own. Leaf 0 says whose it is, so that no event can
borrow the root of another; the leaves after it hold one line each, plain or behind a
salt. Lines strictly ascend by the fields named in ``order``, which shows that none is
doubled, and by two neighbours that one is absent. Its leaves are kept and served as the
entry bundles of C2SP tlog-tiles, like those of the log.

>>> header = Header(bytes(16), bytes(16), "dataset/recordings", bytes(32), "external")
>>> builder = ManifestBuilder(header)
>>> builder.add_many([{"external": "demo:1"}, {"external": "demo:2"}])
>>> builder.finish().lines
2
"""

from __future__ import annotations

from ledger.entry.manifest.build import Built
from ledger.entry.manifest.build import ManifestBuilder
from ledger.entry.manifest.leaves import Header
from ledger.entry.manifest.leaves import Line
from ledger.entry.manifest.leaves import header_leaf
from ledger.entry.manifest.leaves import line_of_leaf
from ledger.entry.manifest.leaves import parse_header_leaf
from ledger.entry.manifest.leaves import plain_leaf
from ledger.entry.manifest.leaves import salt
from ledger.entry.manifest.leaves import sealed_leaf
from ledger.entry.manifest.order import check_order
from ledger.entry.manifest.prove import ShownLine
from ledger.entry.manifest.prove import verify_absence
from ledger.entry.manifest.prove import verify_line
from ledger.entry.manifest.read import read_bundles
from ledger.entry.manifest.read import read_manifest

__all__ = [
    "Built",
    "Header",
    "Line",
    "ManifestBuilder",
    "ShownLine",
    "check_order",
    "header_leaf",
    "line_of_leaf",
    "parse_header_leaf",
    "plain_leaf",
    "read_bundles",
    "read_manifest",
    "salt",
    "sealed_leaf",
    "verify_absence",
    "verify_line",
]
