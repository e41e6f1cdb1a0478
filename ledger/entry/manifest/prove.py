"""Proofs about single lines of a manifest (format.md §5).

    present   the inclusion of the line's leaf
    absent    the inclusion of two neighbours between which the line would stand
    both      the inclusion of leaf 0: that the tree is this event's, and not borrowed

The proofs themselves are made by ``merkle.prove_inclusion``. They hold the leaf and the
hashes beside its way up, never a neighbour, and a salt keeps a hash from telling
anything. Absence shows both neighbours, so in a sealed manifest it is for those who may
see them; it rests on the lines being in order, which is for auditors to have read.

Header, size (lines + 1) and root come from the signed event, never from the prover.

>>> from ledger.entry.manifest.leaves import plain_leaf
>>> from ledger.tlog.merkle import subtree_root
>>> header = Header(bytes(16), bytes(16), "dataset/recordings", bytes(32), "external")
>>> leaves = [header_leaf(header), plain_leaf({"external": "demo:1"})]
>>> top, line = [leaf_hash(leaf) for leaf in leaves]
>>> signed = {"header": header, "size": 2, "root": subtree_root([top, line])}
>>> verify_line(leaves[1], 1, [top], header_proof=[line], **signed)
{'external': 'demo:1'}
>>> shown = ShownLine(leaf=leaves[1], index=1, proof=[top])
>>> verify_absence({"external": "demo:2"}, shown, None, header_proof=[line], **signed)
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence

import msgspec

from ledger.entry.canonical import Value
from ledger.entry.manifest.leaves import Header
from ledger.entry.manifest.leaves import Line
from ledger.entry.manifest.leaves import header_leaf
from ledger.entry.manifest.leaves import line_of_leaf
from ledger.entry.manifest.order import compare_lines
from ledger.entry.manifest.order import parse_order
from ledger.errors import FormatError
from ledger.errors import InputError
from ledger.errors import VerificationError
from ledger.tlog.merkle import check_inclusion
from ledger.tlog.merkle import leaf_hash


class ShownLine(msgspec.Struct, frozen=True):
    """A leaf with the proof of its inclusion.

    Attributes:
        leaf: its data; if sealed, with the salt.
        index: of the leaf, from 1.
        proof: as of ``merkle.prove_inclusion``.
    """

    leaf: bytes
    index: int
    proof: Sequence[bytes]


def verify_line(
    leaf: bytes,
    index: int,
    proof: Sequence[bytes],
    *,
    header: Header,
    header_proof: Sequence[bytes],
    size: int,
    root: bytes,
) -> Line:
    """Verify that a manifest holds a line, and give the line.

    Args:
        leaf: data of the line's leaf; if sealed, with the salt.
        index: of the leaf, from 1.
        proof: of the inclusion of the leaf.
        header: made from the event that signed the manifest.
        header_proof: of the inclusion of leaf 0.
        size: of the tree: lines + 1, from the event.
        root: of the tree, from the event.

    Raises:
        VerificationError: ``manifest-header-mismatch`` for the root of another event,
            ``bad-inclusion-proof``, or a code of ``line_of_leaf``.
    """
    _verify_header(header, header_proof, size, root)
    return _verify_shown(ShownLine(leaf, index, proof), header, size, root)


def verify_absence(
    fields: Mapping[str, Value],
    before: ShownLine | None,
    after: ShownLine | None,
    *,
    header: Header,
    header_proof: Sequence[bytes],
    size: int,
    root: bytes,
) -> None:
    """Verify that no line of a manifest has these values.

    Args:
        fields: values of the first fields of the order, one or more of them.
        before: the line that would stand before; ``None`` at the start.
        after: the line that would stand after; ``None`` at the end.
        header: made from the event that signed the manifest.
        header_proof: of the inclusion of leaf 0.
        size: of the tree: lines + 1, from the event.
        root: of the tree, from the event.

    Raises:
        InputError: ``bad-absence`` if the order does not start with these fields.
        VerificationError: ``bad-absence-proof``, or as ``verify_line``.
    """
    names = parse_order(header.order)[: len(fields)]
    if not fields or set(names) != set(fields):
        raise InputError(
            "bad-absence",
            f"absence can be shown by the first fields of order {header.order!a}",
        )
    _verify_header(header, header_proof, size, root)
    start = 0 if before is None else before.index
    end = size if after is None else after.index
    if end != start + 1:
        raise _bad_absence(f"leaves {start} and {end} of {size} are no neighbours")
    try:
        if before is not None:
            line = _verify_shown(before, header, size, root)
            compare_lines(names, line, fields)
        if after is not None:
            line = _verify_shown(after, header, size, root)
            compare_lines(names, fields, line)
    except FormatError as error:
        raise _bad_absence(error.message) from None


def _verify_header(
    header: Header, proof: Sequence[bytes], size: int, root: bytes
) -> None:
    try:
        check_inclusion(0, size, leaf_hash(header_leaf(header)), proof, root)
    except VerificationError as error:
        raise VerificationError(
            "manifest-header-mismatch",
            f"the tree is not proven to be this event's: {error.message}",
            hint="the root was borrowed, or the proof is not of leaf 0",
        ) from None


def _verify_shown(shown: ShownLine, header: Header, size: int, root: bytes) -> Line:
    check_inclusion(shown.index, size, leaf_hash(shown.leaf), shown.proof, root)
    try:
        return line_of_leaf(shown.leaf, sealed=header.sealed)
    except FormatError as error:
        raise VerificationError(
            error.code, f"line {shown.index}: {error.message}", hint=error.hint
        ) from None


def _bad_absence(message: str) -> VerificationError:
    return VerificationError("bad-absence-proof", f"absence is not shown: {message}")
