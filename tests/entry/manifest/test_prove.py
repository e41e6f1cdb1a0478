"""Proofs of single lines and of their absence, plain and sealed."""

from __future__ import annotations

import msgspec
import pytest

from ledger.entry.canonical import Value
from ledger.entry.manifest import Line
from ledger.entry.manifest import ShownLine
from ledger.entry.manifest import header_leaf
from ledger.entry.manifest import plain_leaf
from ledger.entry.manifest import verify_absence
from ledger.entry.manifest import verify_line
from ledger.errors import InputError
from ledger.errors import VerificationError
from ledger.tlog.merkle import leaf_hash
from tests.entry.manifest.make import Manifest
from tests.entry.manifest.make import header
from tests.entry.manifest.make import lines
from tests.entry.manifest.make import make_manifest

COUNT = 9
PLAIN = make_manifest(lines(COUNT))
SEALED = make_manifest(lines(COUNT), sealed=True)
BOTH = pytest.mark.parametrize("manifest", [PLAIN, SEALED], ids=["plain", "sealed"])


def shown(manifest: Manifest, index: int) -> ShownLine:
    return ShownLine(manifest.leaves[index], index, manifest.proof(index))


def prove(manifest: Manifest, line: ShownLine, size: int | None = None) -> Line:
    return verify_line(
        line.leaf,
        line.index,
        line.proof,
        header=manifest.header,
        header_proof=manifest.proof(0),
        size=manifest.size if size is None else size,
        root=manifest.root,
    )


@BOTH
def test_every_line_can_be_proven_alone(manifest: Manifest) -> None:
    """Leaf, proof and signed root give the line, and need no other line."""
    for index, line in enumerate(lines(COUNT), 1):
        assert prove(manifest, shown(manifest, index)) == line


def test_a_sealed_proof_holds_no_neighbour() -> None:
    """Even who guesses the neighbour's line can't tell it from the proof."""
    for index in range(1, COUNT + 1):
        told = {*SEALED.proof(index), *SEALED.proof(0)}
        others = [line for at, line in enumerate(lines(COUNT), 1) if at != index]
        assert not told & {leaf_hash(plain_leaf(line)) for line in others}
        assert not any(
            str(line["external"]).encode() in b"".join(told) for line in others
        )
    # Without salts, the neighbour could be guessed and confirmed.
    assert leaf_hash(plain_leaf(lines(COUNT)[0])) in PLAIN.proof(0)


@BOTH
def test_a_proof_is_of_one_line_at_one_place(manifest: Manifest) -> None:
    """Another leaf, index, proof, size or root proves nothing."""
    good = shown(manifest, 4)
    bad = [
        ShownLine(manifest.leaves[5], 4, good.proof),
        ShownLine(good.leaf, 5, good.proof),
        ShownLine(good.leaf, 5, manifest.proof(5)),
        ShownLine(good.leaf, -1, good.proof),
        ShownLine(good.leaf, manifest.size, good.proof),
        ShownLine(good.leaf, 4, manifest.proof(5)),
        ShownLine(good.leaf, 4, list(good.proof)[:-1]),
        ShownLine(good.leaf, 4, [*good.proof, bytes(32)]),
        ShownLine(good.leaf + b"\x00", 4, good.proof),
    ]
    for line in bad:
        with pytest.raises(VerificationError) as caught:
            prove(manifest, line)
        assert caught.value.code == "bad-inclusion-proof"


def test_every_flipped_bit_of_a_sealed_leaf_is_found() -> None:
    """Salt, tag and line are all covered by the root."""
    good = shown(SEALED, 3)
    for bit in range(8 * len(good.leaf)):
        flipped = bytearray(good.leaf)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(VerificationError) as caught:
            prove(SEALED, ShownLine(bytes(flipped), 3, good.proof))
        assert caught.value.code == "bad-inclusion-proof"


def test_the_size_is_the_events() -> None:
    """A size that makes the tree another one is of another event."""
    for size in (0, 1, 2, 8, 17, 2**40):
        with pytest.raises(VerificationError) as caught:
            prove(PLAIN, shown(PLAIN, 4), size)
        assert caught.value.code == "manifest-header-mismatch"


@pytest.mark.parametrize(
    "fields",
    [{"author": bytes(16)}, {"id": bytes(16)}, {"log": bytes(32)}, {"kind": "a/b"}],
    ids=repr,
)
def test_borrowed_roots_prove_nothing(fields: dict[str, object]) -> None:
    """A line of another event's manifest is no line of this event's."""
    good = shown(PLAIN, 4)
    with pytest.raises(VerificationError) as caught:
        verify_line(
            good.leaf,
            good.index,
            good.proof,
            header=msgspec.structs.replace(PLAIN.header, **fields),
            header_proof=PLAIN.proof(0),
            size=PLAIN.size,
            root=PLAIN.root,
        )
    assert caught.value.code == "manifest-header-mismatch"


def test_the_header_is_no_line() -> None:
    """Leaf 0 is in the tree, but its tag is not that of a line."""
    with pytest.raises(VerificationError) as caught:
        prove(PLAIN, shown(PLAIN, 0))
    assert caught.value.code == "bad-tag"


def test_a_plain_leaf_is_no_line_of_a_sealed_manifest() -> None:
    """What stands in the tree has to be of the sort that the header says."""
    mixed = Manifest(header(sealed=True), [header_leaf(header(sealed=True))])
    mixed.leaves.append(plain_leaf({"external": "a:1"}))
    with pytest.raises(VerificationError, match="line 1: ") as caught:
        prove(mixed, shown(mixed, 1))
    assert caught.value.code == "bad-tag"


def show_absent(
    manifest: Manifest,
    fields: dict[str, Value],
    before: int | None,
    after: int | None,
) -> None:
    verify_absence(
        fields,
        None if before is None else shown(manifest, before),
        None if after is None else shown(manifest, after),
        header=manifest.header,
        header_proof=manifest.proof(0),
        size=manifest.size,
        root=manifest.root,
    )


@BOTH
def test_absence_is_shown_by_neighbours(manifest: Manifest) -> None:
    """Before the first, between any two, and after the last line."""
    show_absent(manifest, {"external": "a:0"}, None, 1)
    for number in range(COUNT - 1):
        fields: dict[str, Value] = {"external": f"demo:{number:06d}x"}
        show_absent(manifest, fields, number + 1, number + 2)
    show_absent(manifest, {"external": "z:0"}, COUNT, None)


@BOTH
def test_a_line_that_is_there_is_not_absent(manifest: Manifest) -> None:
    """No pair of edges or neighbours shows that a present line is absent."""
    places: list[int | None] = [None, *range(1, COUNT + 1)]
    for number in range(COUNT):
        for before in places:
            for after in places:
                with pytest.raises(VerificationError) as caught:
                    show_absent(
                        manifest, {"external": f"demo:{number:06d}"}, before, after
                    )
                assert caught.value.code == "bad-absence-proof"


def test_neighbours_have_to_be_neighbours() -> None:
    """A gap between the two could hide the line."""
    for before, after in ((1, 3), (2, 2), (3, 2), (None, 2), (COUNT - 1, None)):
        with pytest.raises(VerificationError, match="no neighbours"):
            show_absent(PLAIN, {"external": "demo:000001x"}, before, after)


def test_nothing_is_in_an_empty_manifest() -> None:
    """Of no lines, the header alone shows that any is absent."""
    empty = make_manifest([])
    show_absent(empty, {"external": "a:1"}, None, None)
    with pytest.raises(VerificationError):
        show_absent(PLAIN, {"external": "a:1"}, None, None)


def test_absence_of_all_lines_that_start_alike() -> None:
    """The first fields of an order can be shown to be in no line at all."""
    content: list[Line] = [
        {"recording": "a", "side": "master"},
        {"recording": "c"},
        {"recording": "c", "side": "master"},
        {"recording": "e", "side": "composition"},
    ]
    manifest = make_manifest(content, "recording/side")
    show_absent(manifest, {"recording": "b"}, 1, 2)
    show_absent(manifest, {"recording": "d"}, 3, 4)
    show_absent(manifest, {"recording": "e", "side": "master"}, 4, None)
    show_absent(manifest, {"side": "performer", "recording": "c"}, 3, 4)
    for before, after in ((1, 2), (2, 3), (3, 4)):
        with pytest.raises(VerificationError):
            show_absent(manifest, {"recording": "c"}, before, after)


@pytest.mark.parametrize("fields", [{}, {"party": b"a"}, {"external": "a", "x": 1}])
def test_absence_is_about_the_first_fields(fields: dict[str, Value]) -> None:
    """What the lines are not ordered by can't be shown to be absent."""
    with pytest.raises(InputError) as caught:
        show_absent(PLAIN, fields, None, 1)
    assert caught.value.code == "bad-absence"
    with pytest.raises(InputError):
        show_absent(make_manifest(lines(2), ""), {"external": "a:0"}, None, 1)


def test_absence_needs_the_events_own_tree() -> None:
    """Neighbours in a borrowed tree show nothing about this event's manifest."""
    with pytest.raises(VerificationError) as caught:
        verify_absence(
            {"external": "a:0"},
            None,
            shown(PLAIN, 1),
            header=msgspec.structs.replace(PLAIN.header, id=bytes(16)),
            header_proof=PLAIN.proof(0),
            size=PLAIN.size,
            root=PLAIN.root,
        )
    assert caught.value.code == "manifest-header-mismatch"
