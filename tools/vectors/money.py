"""Vectors of pool ids (format.md §6) and largest remainders (money.md §2)."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.accounting.allocation import largest_remainder
from ledger.replay.rules_payments import pool_id
from tools.vectors.case import Cases
from tools.vectors.case import Vector
from tools.vectors.case import bad
from tools.vectors.case import good

POOLS = ((0, "r"), (9, "run-1"), (300, "2026/11.a_b"), (2**40, "k" * 64))

ALLOCATIONS: dict[
    str, tuple[str, int, Sequence[int], Sequence[str] | Sequence[int]]
] = {
    "whole": ("nothing left over: K = 0", 90, [2, 1], ["a", "b"]),
    "medley": (
        "50.256307 by 600,000 and 400,000",
        50_256_307,
        [600_000, 400_000],
        [0, 1],
    ),
    "tie": ("equal remainders go by key", 100, [1, 1, 1], ["a", "b", "c"]),
    "tie utf-8": ("keys ascend by UTF-8 bytes", 1, [1, 1], ["\uffee", "\U00010000"]),
    "alabama 10": ("6:6:2 of 10", 10, [6, 6, 2], [0, 1, 2]),
    "alabama 11": ("6:6:2 of 11: the third loses", 11, [6, 6, 2], [0, 1, 2]),
    "weight 0": ("gets nothing", 7, [0, 1, 1], ["a", "b", "c"]),
    "nothing": ("of 0", 0, [1, 2], ["a", "b"]),
    "negative": ("-LR(|T|)", -10, [6, 6, 2], [0, 1, 2]),
    "greatest": ("products beyond 64 bits", 2**63 - 1, [2**62, 2**62 - 1], ["a", "b"]),
    "one": ("all of it", 5, [3], ["a"]),
}


def _allocation(name: str) -> Vector:
    desc, total, weights, keys = ALLOCATIONS[name]
    made = largest_remainder(total, weights, keys)
    node = {
        "extra": made.node.extra,
        "key": made.node.key,
        "threshold": str(made.node.threshold),
        "total": str(made.node.total),
        "weight": str(made.node.weight),
    }
    return good(
        desc,
        keys=list(keys),
        weights=[str(weight) for weight in weights],
        amounts=[str(amount) for amount in made.amounts],
        node=node,
    )


def cases() -> Cases:
    """Give every case."""
    for licence, run in POOLS:
        fields = {"licence": licence, "run": run, "pool": pool_id(licence, run).hex()}
        desc = "of a licence's entry and a run"
        yield f"pool/{licence}", good(desc, **fields)
    for name in ALLOCATIONS:
        yield f"allocation/{name}", _allocation(name)
    right = _allocation("tie")
    for name, desc, place, change in (
        ("one more", "a micro-unit too many", 1, 1),
        ("one less", "a micro-unit too few", 0, -1),
    ):
        amounts = [int(amount) for amount in right["amounts"]]
        amounts[place] += change
        wrong = right | {"amounts": [str(amount) for amount in amounts]}
        yield f"allocation/{name}", bad("bad-allocation", **wrong | {"desc": desc})
