"""Vectors of manifests, plain and sealed, and of single lines (format.md §5)."""

from __future__ import annotations

from typing import Any

import msgspec

from ledger.entry.canonical import encode_trusted
from ledger.entry.manifest import Header
from ledger.entry.manifest import Line
from ledger.entry.manifest import header_leaf
from ledger.entry.manifest import plain_leaf
from ledger.entry.manifest import salt
from ledger.entry.manifest import sealed_leaf
from ledger.events.lines import MANIFESTS
from ledger.tlog.merkle import leaf_hash
from ledger.tlog.merkle import prove_inclusion
from ledger.tlog.merkle import subtree_root
from ledger.tlog.tiles import TILE_WIDTH
from ledger.tlog.tiles import format_bundle
from tools.vectors.case import Cases
from tools.vectors.case import Vector
from tools.vectors.case import bad
from tools.vectors.case import good
from tools.vectors.case import hexes
from tools.vectors.case import value

KEY = bytes(range(32))
"""Of the sealed manifests; a real one is random, and its own for each manifest."""
PARTIES = [letter.encode() * 16 for letter in "abc"]


def header(kind: str, **fields: Any) -> Header:  # noqa: ANN401 (any field)
    """Make the header of a kind's manifest."""
    plain = Header(
        author=b"author".ljust(16, b"."),
        id=bytes(15) + b"\x01",
        kind=kind,
        log=b"log".ljust(32, b"."),
        order=MANIFESTS[kind].order,
    )
    return msgspec.structs.replace(plain, **fields)


def distribution_line(number: int, party: bytes, **fields: Any) -> Line:  # noqa: ANN401
    """Make a payable line of a recording."""
    return {
        "cultural": 0,
        "fee": 10,
        "gross": 100,
        "net": 90,
        "party": party,
        "recording": f"demo:r{number:04}",
        "side": "master",
        "state": "payable",
        **fields,
    }


LINES: dict[str, tuple[str, list[Line]]] = {
    "party/parties": (
        "by party id",
        [
            {"party": party, "type": "person", "verified": party != PARTIES[1]}
            for party in PARTIES
        ],
    ),
    "catalogue/recordings": (
        "with and without what may be absent",
        [
            {"external": "demo:a"},
            {"external": "demo:b", "isrc": "CPDEM2600001", "ms": 180_000},
            {"external": "demo:c", "works": [["work:1", 400_000], ["work:2", 600_000]]},
        ],
    ),
    "shares/lines": (
        "by subject, side and place: 10 after 9",
        [
            {
                "party": PARTIES[0],
                "place": place,
                "ppm": 1_000_000 // 16,
                "role": "owner",
                "side": "master",
                "subject": "demo:a",
            }
            for place in range(16)
        ],
    ),
    "distribution/lines": (
        "an absent work comes first",
        [
            distribution_line(1, PARTIES[0], side="composition"),
            distribution_line(1, PARTIES[0], side="composition", work="work:1"),
            distribution_line(1, PARTIES[1], side="composition", work="work:1"),
            distribution_line(1, PARTIES[2]),
            distribution_line(2, bytes(16), fee=0, net=0, state="suspense"),
        ],
    ),
    "payout/batch": (
        "by party id",
        [
            {"gross": 1_000, "party": party, "sent": 700, "tax": 300}
            for party in PARTIES
        ],
    ),
    "run.open/dataset": (
        "in two bundles: 300 lines and the header",
        [{"external": f"demo:r{number:04}"} for number in range(300)],
    ),
    "run.close/exposure": (
        "with a total",
        [{"exposure": n, "external": f"demo:r{n:04}"} for n in range(1, 4)],
    ),
}


def leaves_of(head: Header, lines: list[Line]) -> list[bytes]:
    """Make every leaf."""
    if head.sealed:
        body = [sealed_leaf(salt(KEY, n), line) for n, line in enumerate(lines, 1)]
    else:
        body = [plain_leaf(line) for line in lines]
    return [header_leaf(head), *body]


def bundles_of(leaves: list[bytes]) -> list[str]:
    """Join leaves to bundles."""
    return hexes(
        format_bundle(leaves[at : at + TILE_WIDTH])
        for at in range(0, len(leaves), TILE_WIDTH)
    )


def manifest(head: Header, lines: list[Line], leaves: list[bytes]) -> Vector:
    """Say of leaves what an event would say of these lines."""
    totals = {
        name: sum(line[name] for line in lines)  # type: ignore[misc]
        for name in MANIFESTS[head.kind].totals
    }
    vector = {
        "header": value(msgspec.structs.asdict(head)),
        "lines": len(lines),
        "root": subtree_root([leaf_hash(leaf) for leaf in leaves]).hex(),
        "totals": totals,
        "bundles": bundles_of(leaves),
    }
    return vector | ({"manifest_key": KEY.hex()} if head.sealed else {})


def _good() -> Cases:
    for kind, (desc, lines) in LINES.items():
        head = header(kind)
        leaves = leaves_of(head, lines)
        name = kind.replace("/", " ")
        yield f"manifest/{name}", good(desc, **manifest(head, lines, leaves))
    for kind in ("distribution/lines", "payout/batch"):
        head = header(kind, sealed=True)
        lines = LINES[kind][1]
        vector = manifest(head, lines, leaves_of(head, lines))
        salts = hexes(salt(KEY, n) for n in range(1, len(lines) + 1))
        name = kind.replace("/", " ")
        yield f"manifest/{name} sealed", good("behind salts", **vector, salts=salts)


def _altered(lines: list[Line], name: str, code: str, desc: str) -> tuple[str, Vector]:
    """Make a manifest of lines that may not stand so, honestly signed."""
    head = header("payout/batch")
    return (
        f"manifest/{name}",
        bad(code, desc, **manifest(head, lines, leaves_of(head, lines))),
    )


def _bad() -> Cases:
    head, lines = header("payout/batch"), LINES["payout/batch"][1]
    leaves = leaves_of(head, lines)
    right = manifest(head, lines, leaves)
    swapped = [lines[0], lines[2], lines[1]]
    yield _altered(swapped, "disorder", "manifest-lines-unordered", "by party id")
    twice = [lines[0], lines[0], lines[2]]
    yield _altered(twice, "doubled", "manifest-line-doubled", "a party twice")
    alike = [lines[0], lines[0] | {"gross": 1}, lines[2]]
    yield _altered(
        alike, "doubled with another sum", "manifest-line-doubled", "a party twice"
    )
    for name, desc, fields in (
        ("another author", "borrowed from another author", {"author": bytes(16)}),
        ("another event", "borrowed from another event", {"id": bytes(16)}),
        ("another log", "borrowed from another log", {"log": bytes(32)}),
        ("another field", "of another kind", {"kind": "payout.result/lines"}),
    ):
        own = msgspec.structs.replace(head, **fields)
        borrowed = right | {"header": value(msgspec.structs.asdict(own))}
        yield f"manifest/{name}", bad("manifest-header-mismatch", desc, **borrowed)
    other = plain_leaf(lines[1] | {"tax": 299, "sent": 701})
    changed = [*leaves[:2], other, *leaves[3:]]
    for name, code, desc, change in (
        (
            "root",
            "manifest-root-mismatch",
            "a line was changed",
            {
                "bundles": bundles_of(changed),
                "totals": {"gross": 3_000, "sent": 2_101, "tax": 899},
            },
        ),
        ("one line less", "manifest-count-mismatch", "says two", {"lines": 2}),
        ("one line more", "manifest-count-mismatch", "says four", {"lines": 4}),
        (
            "totals",
            "manifest-totals-mismatch",
            "a micro-unit more",
            {"totals": right["totals"] | {"sent": 2_101}},
        ),
        ("none", "manifest-lines-missing", "nothing is there", {"bundles": []}),
    ):
        yield f"manifest/{name}", bad(code, desc, **right | change)
    long_head, long_lines = header("run.open/dataset"), LINES["run.open/dataset"][1]
    long = manifest(long_head, long_lines, leaves_of(long_head, long_lines))
    yield (
        "manifest/bundle missing",
        bad(
            "manifest-lines-missing",
            "the second",
            **long | {"bundles": long["bundles"][:1]},
        ),
    )
    yield from _bad_leaves(head, lines, leaves)


def _bad_leaves(head: Header, lines: list[Line], leaves: list[bytes]) -> Cases:
    bent = leaves[1].replace(b"\xcd\x03\xe8", b"\xce\x00\x00\x03\xe8")
    sealed = sealed_leaf(bytes(16), lines[0])
    for name, code, desc, leaf in (
        ("line not canonical", "not-canonical", "1,000 in five bytes", bent),
        ("line sealed", "bad-tag", "a sealed line among plain ones", sealed),
        (
            "line untagged",
            "bad-tag",
            "a line without its tag",
            encode_trusted(lines[0]),
        ),
        ("header twice", "bad-tag", "a header where a line belongs", leaves[0]),
    ):
        changed = [leaves[0], leaf, *leaves[2:]]
        yield f"manifest/{name}", bad(code, desc, **manifest(head, lines, changed))
    own = header("payout/batch", sealed=True)
    plain = [header_leaf(own), *leaves[1:]]
    yield (
        "manifest/line plain",
        bad(
            "bad-tag",
            "plain lines where the event says sealed",
            **manifest(own, lines, plain),
        ),
    )


def _single() -> Cases:
    for sealed in (False, True):
        head = header("distribution/lines", sealed=sealed)
        lines = LINES["distribution/lines"][1]
        leaves = leaves_of(head, lines)
        hashes = [leaf_hash(leaf) for leaf in leaves]

        def read(nodes: Any, hashes: list[bytes] = hashes) -> list[bytes]:  # noqa: ANN401
            return [
                subtree_root(hashes[place << level : (place + 1) << level])
                for level, place in nodes
            ]

        size, index = len(leaves), 3
        right = {
            "header": value(msgspec.structs.asdict(head)),
            "header_proof": hexes(prove_inclusion(0, size, read)),
            "index": index,
            "leaf": leaves[index].hex(),
            "proof": hexes(prove_inclusion(index, size, read)),
            "root": subtree_root(hashes).hex(),
            "size": size,
        }
        name = "sealed" if sealed else "plain"
        yield (
            f"manifest-line/{name}",
            good("one line alone", **right, line=value(lines[2])),
        )
        borrowed = value(
            msgspec.structs.asdict(
                header("distribution/lines", id=bytes(16), sealed=sealed)
            )
        )
        for case, code, desc, change in (
            (
                "borrowed",
                "manifest-header-mismatch",
                "of another event",
                {"header": borrowed},
            ),
            ("another place", "bad-inclusion-proof", "one place on", {"index": 4}),
            (
                "another line",
                "bad-inclusion-proof",
                "its neighbour",
                {"leaf": leaves[4].hex()},
            ),
        ):
            yield f"manifest-line/{name} {case}", bad(code, desc, **right | change)


def cases() -> Cases:
    """Give every case."""
    yield from _good()
    yield from _bad()
    yield from _single()
