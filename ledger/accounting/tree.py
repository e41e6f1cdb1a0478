"""A pool's money down the allocation tree to its gross lines (money.md §2).

    per_recording, duration   pool → side → recording → work → share
    per_holder                pool → side → verified or other → … (see `holders`)

One largest remainder at each node. Ties: composition < master < performer;
recordings by id; works and shares by their place in their signed list; heads by
external id, else party id. A line is (recording, side, work, party): what a party
gets there for several places is one sum.

>>> artist = b"a" * 16
>>> table = ShareTable(work="", shares=(Share(party=artist, ppm=PPM),))
>>> cells = [Cell(f"example:{each}", "master", 1, (), (table,)) for each in "ABC"]
>>> split = distribute(100, (0, 1, 0), {"master": cells}, "per_recording", bytes.hex)
>>> [(line.recording, line.gross, line.state) for line in split.lines]
[('example:A', 34, 'payable'), ('example:B', 33, 'payable'), ('example:C', 33, 'payable')]

A line of party `UNKNOWN` waits in suspense (see `cells`). A side of positive weight
without any recording has no line to wait on: its money is `unallocated`, and waits
with the pool as its subject.
"""  # noqa: E501 (a doctest's result is one line)

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from operator import attrgetter
from typing import Literal
from typing import TypeAlias

import msgspec

from ledger.accounting.allocation import Node
from ledger.accounting.allocation import largest_remainder
from ledger.accounting.cells import SIDES
from ledger.accounting.cells import UNKNOWN
from ledger.accounting.cells import Cell
from ledger.accounting.cells import Share
from ledger.accounting.cells import ShareTable
from ledger.accounting.cells import divide_cell
from ledger.accounting.holders import OTHER
from ledger.accounting.holders import VERIFIED
from ledger.accounting.holders import HeadKey
from ledger.accounting.holders import divide_by_holder
from ledger.accounting.money import PPM
from ledger.errors import InputError
from ledger.errors import InvariantError

__all__ = [
    "OTHER",
    "PPM",
    "SIDES",
    "UNKNOWN",
    "VERIFIED",
    "Basis",
    "Cell",
    "Distribution",
    "GrossLine",
    "NamedNode",
    "Share",
    "ShareTable",
    "Stage",
    "State",
    "distribute",
    "divide_cell",
]

Basis: TypeAlias = Literal["per_recording", "duration", "per_holder"]
Stage: TypeAlias = Literal["side", "unit", "verified", "head", "other"]
State: TypeAlias = Literal["payable", "suspense"]


class GrossLine(msgspec.Struct, frozen=True, gc=False):
    """What one line gets, in µ and never 0, before fee and cultural deduction."""

    recording: str
    side: str
    work: str
    party: bytes
    gross: int
    state: State


class NamedNode(msgspec.Struct, frozen=True, gc=False):
    """A published node: one with more children than a short signed list has.

    `side` is "" for the side node. Keys are side names for "side", recordings for
    "unit" and "other", head keys for "head", `VERIFIED` and `OTHER` for "verified".
    """

    stage: Stage
    side: str
    node: Node


class Distribution(msgspec.Struct, frozen=True, gc=False):
    """Lines ascending by (recording, side, work, party), and nodes in tree order.

    The gross of the lines and `unallocated` add up to the total.
    """

    lines: list[GrossLine]
    nodes: list[NamedNode]
    unallocated: int


_Amounts: TypeAlias = dict[tuple[str, str, str, bytes], int]


def distribute(
    total: int,
    sides: tuple[int, int, int],
    cells_by_side: Mapping[str, Sequence[Cell]],
    basis: Basis,
    verified: HeadKey,
) -> Distribution:
    """Divide a pool at its close.

    Args:
        total: µ; that of a negative total is the negative of its opposite's.
        sides: weights of composition, master and performer.
        cells_by_side: in any order; those of a side of weight 0 get nothing.
        basis: how the recordings of one side weigh against each other.
        verified: a verified party's key as a head, None for others; only `per_holder`
            asks, and never about `UNKNOWN`.

    Raises:
        InputError: `bad-basis`; `duration-missing`; `head-doubled`; and those of
            `largest_remainder`.
        InvariantError: cells that no validated entries leave behind.
    """
    if not any(sides):
        return Distribution([], [], total)
    split = largest_remainder(total, sides, SIDES)
    nodes = [NamedNode("side", "", split.node)]
    amounts: _Amounts = defaultdict(int)
    unallocated = 0
    head_key = cache(verified)
    for side, weight, amount in zip(SIDES, sides, split.amounts, strict=True):
        cells = _in_order(side, cells_by_side.get(side, ()))
        if weight and not cells:
            unallocated += amount
        elif weight and basis == "per_holder":
            nodes += _add_holders(amounts, amount, side, cells, head_key)
        elif weight:
            nodes += _add_units(amounts, amount, side, cells, basis)
    return Distribution(_lines(amounts, total - unallocated), nodes, unallocated)


def _in_order(side: str, cells: Sequence[Cell]) -> list[Cell]:
    ordered = sorted(cells, key=attrgetter("recording"))
    for cell, following in pairwise(ordered):
        if cell.recording == following.recording:
            raise InvariantError("bad-cell", f"{side} of {cell.recording} is doubled")
    for cell in ordered:
        if cell.side != side:
            raise InvariantError("bad-cell", f"{cell.side} cell among those of {side}")
    return ordered


def _add_units(
    amounts: _Amounts, amount: int, side: str, cells: list[Cell], basis: Basis
) -> list[NamedNode]:
    keys = [cell.recording for cell in cells]
    split = largest_remainder(amount, _unit_weights(cells, basis), keys)
    for cell, part in zip(cells, split.amounts, strict=True):
        for work, party, micro in divide_cell(part, cell):
            amounts[cell.recording, side, work, party] += micro
    return [NamedNode("unit", side, split.node)]


def _add_holders(
    amounts: _Amounts, amount: int, side: str, cells: list[Cell], head_key: HeadKey
) -> list[NamedNode]:
    divided = divide_by_holder(amount, cells, head_key)
    for recording, work, party, micro in divided.amounts:
        amounts[recording, side, work, party] += micro
    return [NamedNode(stage, side, node) for stage, node in divided.nodes]


def _unit_weights(cells: list[Cell], basis: Basis) -> list[int]:
    if basis not in {"per_recording", "duration"}:
        raise InputError(
            "bad-basis",
            f"basis {basis!r} is not known",
            hint="use per_recording, duration or per_holder",
        )
    weights = [cell.weight for cell in cells]
    if basis == "duration" and min(weights) < 1:
        missing = cells[weights.index(min(weights))]
        raise InputError(
            "duration-missing",
            f"{missing.side} of {missing.recording} has no duration",
            hint="state its ms in the catalogue, or use another basis",
        )
    if basis == "per_recording" and set(weights) != {1}:
        raise InvariantError("bad-cell", "per_recording weighs each recording as 1")
    return weights


def _lines(amounts: _Amounts, total: int) -> list[GrossLine]:
    lines = [
        GrossLine(*line, gross, "suspense" if line[-1] == UNKNOWN else "payable")
        for line, gross in sorted(amounts.items())
        if gross
    ]
    if sum([line.gross for line in lines]) != total:
        raise InvariantError("bad-allocation", f"lines do not add up to {total} µ")
    return lines
