"""One sum into weighted parts by largest remainder: rule ``alloc/1``.

With total T ≥ 0, weights wᵢ ≥ 0 and W = Σ wᵢ (money.md §2):

    qᵢ = ⌊T·wᵢ/W⌋        rᵢ = T·wᵢ mod W        K = T − Σ qᵢ

and the K that come first by (rᵢ descending, canonical order) get 1 µ more. A
negative total is −LR(|T|). Publishing (T, W, K, t, key*), where t is the
remainder and key* the key of the last one that got a micro-unit, lets anybody
check one part alone:

    aᵢ = qᵢ + [rᵢ > t] + [rᵢ = t and keyᵢ ≤ key*]        K = 0: t = W, key* empty

A weight of 0 never gets anything: its remainder is 0, and of the remainders,
which add up to K·W and are each below W, more than K are above 0 if K > 0.

Never apply this to a growing total: 6:6:2 turns 10 into 4, 4, 2 but 11 into
5, 5, 1 (the Alabama paradox). Growing totals use the floor of the cumulative.

>>> parts = largest_remainder(50_256_307, [600_000, 400_000], [0, 1])
>>> parts.amounts
[30153784, 20102523]
>>> parts.node
Node(extra=1, key=1, threshold=800000, total=50256307, weight=1000000)
>>> check_share(parts.node, 400_000, 1, 20_102_523)
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from itertools import islice
from operator import lt
from typing import Final
from typing import TypeAlias

import msgspec

from ledger.accounting.money import check_amount
from ledger.errors import InputError
from ledger.errors import InvariantError
from ledger.errors import VerificationError

Key: TypeAlias = str | int
"""A place in canonical order: strings ascend by their UTF-8 bytes, which is how
Python compares them, and integers by value; one node never mixes the two."""

WEIGHT_MAX: Final = 2**63 - 1

NO_KEY: Final = ""


class Node(msgspec.Struct, frozen=True, gc=False):
    """What is published of one allocation: (K, key*, t, T, W).

    Attributes:
        extra: K, how many parts got one micro-unit more than their floor.
        key: key*, the last of them in canonical order among those at `threshold`;
            empty if `extra` is 0.
        threshold: t, the least remainder that got one; W if `extra` is 0.
        total: T in µ, with its sign.
        weight: W, the sum of the weights.
    """

    extra: int
    key: Key
    threshold: int
    total: int
    weight: int


class Allocation(msgspec.Struct, frozen=True, gc=False):
    """The parts in µ, in the order of the weights, and what is published of them."""

    amounts: list[int]
    node: Node


class _Parts(msgspec.Struct, frozen=True, gc=False):
    """An allocation by position: `last` is the place of key*, or −1."""

    amounts: list[int]
    extra: int
    threshold: int
    last: int
    weight: int


def largest_remainder(
    total: int, weights: Sequence[int], keys: Sequence[str] | Sequence[int]
) -> Allocation:
    """Divide `total` by `weights`; the parts add up to it exactly.

    Args:
        total: µ, of either sign.
        weights: ≥ 0, of any unit, with 0 < Σ < 2⁶³.
        keys: one for each weight, strictly ascending: the canonical order.

    Raises:
        InputError: `weights-too-large`, `amount-too-large`.
        InvariantError: the weights add up to 0 (the caller decides where such money
            waits), one is negative, or keys are missing or not ascending.
    """
    if len(keys) != len(weights):
        raise InvariantError(
            "bad-weights", f"{len(weights)} weights but {len(keys)} keys"
        )
    if not _ascend(keys):
        raise InvariantError("bad-weights", "allocation keys do not strictly ascend")
    parts = _divide(total, weights)
    node = Node(
        extra=parts.extra,
        key=keys[parts.last] if parts.extra else NO_KEY,
        threshold=parts.threshold,
        total=total,
        weight=parts.weight,
    )
    return Allocation(parts.amounts, node)


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """`largest_remainder` where canonical order is position and no node is published.

    Raises:
        InputError, InvariantError: as `largest_remainder`.

    >>> apportion(-10, [6, 6, 2])
    [-4, -4, -2]
    """
    return _divide(total, weights).amounts


def share_of(node: Node, weight: int, key: Key) -> int:
    """The amount in µ that `node` gives to the part of that weight and key.

    Raises:
        VerificationError: `bad-allocation`, no allocation has such a node, or the
            part cannot be one of its parts.

    >>> share_of(Node(extra=2, key="b", threshold=2, total=11, weight=3), 1, "b")
    4
    """
    _check_node(node)
    if not 0 <= weight <= node.weight:
        raise _bad_allocation(f"weight {weight} of {key!r} is outside its node")
    floor, remainder = divmod(abs(node.total) * weight, node.weight)
    tied = remainder == node.threshold
    if remainder > node.threshold or (tied and _at_most(key, node.key)):
        floor += 1
    return -floor if node.total < 0 else floor


def check_share(node: Node, weight: int, key: Key, amount: int) -> None:
    """Require that `node` gives exactly `amount` µ to the part of that weight and key.

    This ties one part to its node. That the node itself is right needs the other
    parts: their weights add up to W and their amounts to T.

    Raises:
        VerificationError: `bad-allocation`.
    """
    expected = share_of(node, weight, key)
    if amount != expected:
        raise _bad_allocation(f"{key!r} has {amount} µ where its share is {expected}")


def _divide(total: int, weights: Sequence[int]) -> _Parts:
    """The rule itself, by position.

    The K-th greatest remainder is found by sorting bare integers, which is several
    times quicker than ranking (remainder, place) pairs; places then only matter
    among those that tie at it.
    """
    if len(weights) == 1 and 0 < weights[0] <= WEIGHT_MAX:
        check_amount(total)
        return _Parts([total], 0, weights[0], -1, weights[0])
    weight = sum(weights)
    _check_weights(weights, weight)
    check_amount(total)
    products = [abs(total) * each for each in weights]
    amounts = [product // weight for product in products]
    extra = abs(total) - sum(amounts)
    threshold, last = weight, -1
    if extra:
        remainders = [product % weight for product in products]
        ranked = sorted(remainders, reverse=True)
        threshold = ranked[extra - 1]
        tied = extra - ranked.index(threshold)
        for place, remainder in enumerate(remainders):
            if remainder > threshold:
                amounts[place] += 1
            elif remainder == threshold and tied:
                amounts[place] += 1
                tied -= 1
                last = place
    if total < 0:
        amounts = [-amount for amount in amounts]
    return _Parts(amounts, extra, threshold, last, weight)


def _ascend(keys: Sequence[str] | Sequence[int]) -> bool:
    following: Iterator[Key] = islice(keys, 1, None)
    return all(map(lt, keys, following))


def _check_weights(weights: Sequence[int], weight: int) -> None:
    if weight > WEIGHT_MAX:
        raise InputError(
            "weights-too-large",
            f"the weights add up to {weight}, which does not fit 64 bits",
            hint="state the weights in a coarser unit",
        )
    if weight <= 0 or min(weights) < 0:
        raise InvariantError(
            "bad-weights", f"weights add up to {weight}, or one of them is negative"
        )


def _check_node(node: Node) -> None:
    none = node.extra == 0
    if node.weight < 1 or not 0 <= node.threshold <= node.weight or node.extra < 0:
        raise _bad_allocation(f"{node} is out of range")
    if none != (node.threshold == node.weight) or none != (node.key == NO_KEY):
        raise _bad_allocation(f"{node}: only K = 0 has t = W and no key")


def _at_most(key: Key, last: Key) -> bool:
    """Whether `key` is not after `last`; an unlike kind of key is no part of the node.

    A published node is a stranger's claim, so that a mixed one must not become a
    TypeError of ours.
    """
    if isinstance(key, str) and isinstance(last, str):
        return key <= last
    if isinstance(key, int) and isinstance(last, int):
        return key <= last
    raise _bad_allocation(f"key {key!r} is not of the kind of {last!r}")


def _bad_allocation(message: str) -> VerificationError:
    return VerificationError(
        "bad-allocation",
        message,
        hint="recompute the node from all of its weights",
    )
