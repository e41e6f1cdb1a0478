"""Refusals of manifests: lines that are missing, altered, borrowed or out of order."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

from ledger.entry.manifest import Line
from ledger.entry.manifest import header_leaf
from ledger.entry.manifest import parse_header_leaf
from ledger.entry.manifest import plain_leaf
from ledger.events.lines import DatasetLine
from ledger.events.registry import parse_line
from ledger.events.rights import Catalogue
from ledger.events.training import RunOpen
from ledger.staging import Staged
from ledger.tlog.merkle import leaf_hash
from ledger.tlog.merkle import subtree_root
from ledger.tlog.tiles import format_bundle
from ledger.tlog.tiles import parse_bundle
from tests.replay import acts
from tests.replay.making import hand_in
from tests.replay.making import parse_width
from tests.replay.provoke.case import case
from tests.replay.world import Refs
from tests.replay.world import World

A: Line = {"external": "demo:a"}
B: Line = {"external": "demo:b"}
LINES: list[Line] = [A, B, {"external": "demo:c"}]
Bundles = Callable[[bytes], Iterable[bytes]]


def brought(
    world: World,
    bundles: Bundles,
    *,
    honest: bool = False,
    **fields: Any,  # noqa: ANN401 (any field of a reference)
) -> object:
    """List three recordings, with bundles and reference to choose.

    Args:
        world: where.
        bundles: makes what is handed in of the right bundle.
        honest: whether the event signs the root and number of what is handed in.
        fields: other fields of the reference.
    """
    with Staged() as staged, Staged() as handed_in:

        def body(refs: Refs) -> Catalogue:
            ref = refs["recordings"]
            (right,) = staged.bundles(ref.root)
            made = list(bundles(right))
            if honest:
                hashes = parse_width(made[0])
                count = len(hashes) // 32
                split = [hashes[n : n + 32] for n in range(0, len(hashes), 32)]
                changed = {"root": root_of(split), "lines": count - 1}
                ref = acts.change(ref, changed)
            ref = acts.change(ref, fields)
            hand_in(handed_in, ref.root, made)
            return Catalogue(recordings=ref)

        signed = world.event(
            world.society, "catalogue", body, {"recordings": LINES}, staged
        )
        return world.append(signed, handed_in)


def root_of(hashes: list[bytes]) -> bytes:
    """Fold a few leaf hashes."""
    if len(hashes) == 1:
        return hashes[0]
    half = 1 << (len(hashes) - 1).bit_length() - 1
    left, right = root_of(hashes[:half]), root_of(hashes[half:])
    return subtree_root([left, right])


def relined(*lines: Line) -> Bundles:
    """Keep the header and hand in other lines."""

    def make(bundle: bytes) -> Iterable[bytes]:
        header = parse_bundle(bundle, len(LINES) + 1)[0]
        yield format_bundle([header, *map(plain_leaf, lines)])

    return make


@case("manifest-lines-missing")
def lines_that_were_left_behind(world: World) -> object:
    with Staged() as elsewhere:
        signed = world.event(
            world.society,
            "catalogue",
            lambda refs: Catalogue(recordings=refs["recordings"]),
            {"recordings": LINES},
            elsewhere,
        )
    return world.append(signed)


@case("manifest-lines-missing")
def lines_that_are_none(world: World) -> object:
    return brought(world, lambda _: [])


def _first_bundle_of_two(world: World, first: dict[str, str]) -> object:
    many = [first, *({"external": f"demo:1{n:03d}"} for n in range(300))]
    with Staged() as staged, Staged() as handed_in:

        def body(refs: Refs) -> Catalogue:
            ref = refs["recordings"]
            hand_in(handed_in, ref.root, [next(iter(staged.bundles(ref.root)))])
            return Catalogue(recordings=ref)

        lines = {"recordings": many}
        signed = world.event(world.society, "catalogue", body, lines, staged)
        return world.append(signed, handed_in)


@case("manifest-lines-missing")
def the_first_bundle_of_two(world: World) -> object:
    return _first_bundle_of_two(world, {"external": "demo:0"})


@case("manifest-lines-missing")
def the_first_bundle_of_two_and_a_line_that_is_none(world: World) -> object:
    return _first_bundle_of_two(world, {"external": "demo:0", "title": "demo"})


@case("manifest-lines-missing")
def a_root_that_is_only_claimed(world: World) -> object:
    root = leaf_hash(b"nothing")
    return brought(world, lambda _: [], root=root)


@case("manifest-count-mismatch")
def a_line_too_few(world: World) -> object:
    return brought(world, relined(*LINES[:2]))


@case("manifest-count-mismatch")
def a_line_too_many_by_the_event(world: World) -> object:
    return brought(world, lambda bundle: [bundle], lines=4)


@case("manifest-count-mismatch")
def a_bundle_too_many(world: World) -> object:
    return brought(world, lambda bundle: [bundle, bundle])


@case("manifest-count-mismatch")
def bytes_that_are_no_bundle(world: World) -> object:
    return brought(world, lambda bundle: [bundle[:-1]])


@case("manifest-root-mismatch")
def another_line(world: World) -> object:
    return brought(world, relined(A, B, {"external": "demo:d"}))


@case("manifest-root-mismatch")
def a_root_of_other_lines(world: World) -> object:
    return brought(world, lambda bundle: [bundle], root=leaf_hash(b"other"))


@case("manifest-root-mismatch")
def lines_out_of_order_that_were_not_signed(world: World) -> object:
    # What they say is wrong, too; but the event's author never said it.
    return brought(world, relined(B, A, LINES[2]))


@case("manifest-root-mismatch")
def a_second_bundle_out_of_order_that_was_not_signed(world: World) -> object:
    many: list[Line] = [{"external": f"demo:{n:04d}"} for n in range(300)]
    with Staged() as staged, Staged() as handed_in:

        def body(refs: Refs) -> Catalogue:
            ref = refs["recordings"]
            first, second = staged.bundles(ref.root)
            one, other, *rest = parse_bundle(second, 45)
            altered = format_bundle([other, one, *rest])
            hand_in(handed_in, ref.root, [first, altered])
            return Catalogue(recordings=ref)

        lines = {"recordings": many}
        signed = world.event(world.society, "catalogue", body, lines, staged)
        return world.append(signed, handed_in)


@case("manifest-header-mismatch")
def a_borrowed_root(world: World) -> object:
    def borrowed(bundle: bytes) -> Iterable[bytes]:
        header, *lines = parse_bundle(bundle, len(LINES) + 1)
        of_another = acts.change(parse_header_leaf(header), {"id": b"i" * 16})
        yield format_bundle([header_leaf(of_another), *lines])

    return brought(world, borrowed, honest=True)


@case("manifest-lines-unordered")
def lines_out_of_order(world: World) -> object:
    return brought(world, relined(B, A), honest=True)


@case("manifest-line-doubled")
def a_line_twice(world: World) -> object:
    return brought(world, relined(A, A), honest=True)


@case("bad-type")
def a_line_that_says_nothing_in_a_field(world: World) -> object:
    def with_nil(bundle: bytes) -> Iterable[bytes]:
        header = parse_bundle(bundle, len(LINES) + 1)[0]
        yield format_bundle([header, b"linernote/line/v1\n\x81\xa8external\xc0"])

    return brought(world, with_nil, honest=True)


@case("manifest-totals-mismatch", "shared_out")
def totals_of_other_lines(world: World) -> object:
    totals = {"gross": 2, "sent": 2, "tax": 0}
    return acts.pay_out(world, batch_totals=totals)


@case("bad-line")
def a_line_with_another_field(world: World) -> object:
    return acts.catalogue(world, [{"external": "demo:a", "title": "demo"}])


@case("bad-line")
def a_line_that_is_none(world: World) -> object:
    del world
    return parse_line("catalogue/recordings", b"\x80")


@case("manifest-root-reused", "trained")
def a_root_that_entered_before(world: World) -> object:
    root = world.state.runs.need((world.lab.party, acts.RUN)).dataset
    return world.lab.say(
        "run.open",
        lambda refs: RunOpen(
            dataset=acts.change(refs["dataset"], {"root": root}),
            licences=[],
            model="oak",
            run="other",
            use="gen_train",
            version="1",
        ),
        dataset=[DatasetLine(external="demo:a")],
    )


@case("bad-manifest")
def lines_in_another_order(world: World) -> object:
    return brought(world, lambda bundle: [bundle], order="isrc")


@case("bad-manifest")
def totals_that_nobody_asked_for(world: World) -> object:
    return brought(world, lambda bundle: [bundle], totals={"ms": 0})


@case("bad-manifest", "shared_out")
def totals_below_nothing(world: World) -> object:
    totals = {"gross": -1, "sent": -1, "tax": 0}
    return acts.pay_out(world, batch_totals=totals)
