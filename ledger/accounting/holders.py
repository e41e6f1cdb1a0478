"""Basis ``per_holder``: one side's money in equal parts to its verified parties.

    side → verified (place 0) → head → recording → work        payable
         ↘ other    (place 1) → recording                      waits

LR divides the side by *mass* (money.md §2). The mass of a share is its ppm, on the
composition side work ppm × share ppm, so that a recording weighs 10⁶ or 10¹²,
whatever its duration or use. The verified part goes to the heads equally, a head
being a verified party with a mass above 0, and a head's part over its recordings by
mass, then over the works of one recording by mass. The other part goes over the
recordings by mass and waits there, one line each, whoever is unknown or unverified.

Equal parts of *everything* would pay for invented parties: two artists with a
recording each get 500.00 of 1,000.00, but one who registers as ten gets 909.09.
Here ten invented heads are not verified: their 500.00 waits, the other's stays.

>>> from ledger.accounting.cells import Share, ShareTable
>>> from ledger.accounting.money import PPM
>>> def recording(number: int, *parties: bytes) -> Cell:
...     shares = tuple(Share(party=each, ppm=PPM // len(parties)) for each in parties)
...     return Cell(f"example:{number}", "master", 1, (), (ShareTable("", shares),))
>>> honest, *invented = [bytes([each]) * 16 for each in range(1, 12)]
>>> cells = [recording(1, honest), recording(2, *invented)]
>>> everybody = divide_by_holder(1_000_000_000, cells, bytes.hex)
>>> sum(amount for _, _, party, amount in everybody.amounts if party != honest)
909090909
>>> verified = {honest: "ipi:00000000001"}
>>> divided = divide_by_holder(1_000_000_000, cells, verified.get)
>>> [(number, party == UNKNOWN, micro) for number, _, party, micro in divided.amounts]
[('example:1', False, 500000000), ('example:2', True, 500000000)]
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from typing import Final
from typing import Literal
from typing import TypeAlias

import msgspec

from ledger.accounting.allocation import Node
from ledger.accounting.allocation import apportion
from ledger.accounting.allocation import largest_remainder
from ledger.accounting.cells import COMPOSITION
from ledger.accounting.cells import UNKNOWN
from ledger.accounting.cells import UNLINKED
from ledger.accounting.cells import Cell
from ledger.accounting.cells import parts_of
from ledger.errors import InputError

HeadKey: TypeAlias = Callable[[bytes], str | None]
"""The key by which a verified party ties as a head: its external id, else its own id
in hex; None for a party that is not verified."""

VERIFIED: Final = 0
OTHER: Final = 1

_Held: TypeAlias = dict[str, dict[str, int]]
"""One party's masses: recording → work → mass above 0, in tree order."""


class ByHolder(msgspec.Struct, frozen=True, gc=False):
    """One side divided.

    Attributes:
        nodes: "verified"; "head" if there is a head; "other" if anything waits.
        amounts: (recording, work, party, µ), each of the first three once.
    """

    nodes: list[tuple[Literal["verified", "head", "other"], Node]]
    amounts: list[tuple[str, str, bytes, int]]


def divide_by_holder(amount: int, cells: Sequence[Cell], head_key: HeadKey) -> ByHolder:
    """Divide one side's money by its holders.

    Args:
        amount: µ, of either sign.
        cells: of one side, at least one, strictly ascending by recording.
        head_key: asked about every party but `UNKNOWN`; merges are applied already.

    Raises:
        InputError: `head-doubled`, two verified parties of one key, which would be
            paid twice; `weights-too-large`, beyond 9,223,372 recordings of a
            composition side.
        InvariantError: `bad-cell`, `bad-weights`.
    """
    held_by, other = _masses(cells, head_key)
    heads = _in_order(held_by, head_key)
    mass = sum(
        sum(works.values()) for held in held_by.values() for works in held.values()
    )
    split = largest_remainder(amount, (mass, sum(other.values())), (VERIFIED, OTHER))
    divided = ByHolder(nodes=[("verified", split.node)], amounts=[])
    if heads:
        equal = largest_remainder(
            split.amounts[VERIFIED], [1] * len(heads), list(heads)
        )
        divided.nodes.append(("head", equal.node))
        for party, part in zip(heads.values(), equal.amounts, strict=True):
            _divide_head(part, party, held_by[party], divided)
    if other:
        waiting = largest_remainder(
            split.amounts[OTHER], list(other.values()), list(other)
        )
        divided.nodes.append(("other", waiting.node))
        for recording, part in zip(other, waiting.amounts, strict=True):
            divided.amounts.append((recording, UNLINKED, UNKNOWN, part))
    return divided


def _masses(
    cells: Sequence[Cell], head_key: HeadKey
) -> tuple[dict[bytes, _Held], dict[str, int]]:
    """What each verified party holds, and what all others hold of each recording."""
    held_by: dict[bytes, _Held] = {}
    other: dict[str, int] = {}
    for cell in cells:
        recording = cell.recording
        for work, work_ppm, shares in parts_of(cell):
            scale = work_ppm if cell.side == COMPOSITION else 1
            for share in shares:
                mass = share.ppm * scale
                if mass == 0:
                    continue
                if share.party == UNKNOWN or head_key(share.party) is None:
                    other[recording] = other.get(recording, 0) + mass
                else:
                    works = held_by.setdefault(share.party, {}).setdefault(
                        recording, {}
                    )
                    works[work] = works.get(work, 0) + mass
    return held_by, other


def _in_order(held_by: dict[bytes, _Held], head_key: HeadKey) -> dict[str, bytes]:
    """The heads by ascending key."""
    heads: dict[str, bytes] = {}
    for party in held_by:
        key = head_key(party)
        if key is None or key in heads:
            raise InputError(
                "head-doubled",
                f"two verified parties are known as {key}",
                hint="merge them, or end one of the two verifications",
            )
        heads[key] = party
    return dict(sorted(heads.items()))


def _divide_head(amount: int, party: bytes, held: _Held, divided: ByHolder) -> None:
    parts = apportion(amount, [sum(works.values()) for works in held.values()])
    for (recording, works), part in zip(held.items(), parts, strict=True):
        micros = apportion(part, list(works.values()))
        for work, micro in zip(works, micros, strict=True):
            divided.amounts.append((recording, work, party, micro))
