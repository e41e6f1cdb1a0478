"""Vectors of whole small logs and of events that a rule refuses (format.md §6).

The logs are the stages of the world that the tests of replay play in; every event that
a rule refuses is one of their cases, taken down on its way to the log.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from ledger.entry.envelope import decode_entry
from ledger.entry.envelope import decode_event
from ledger.entry.sign import SignedEvent
from ledger.errors import LedgerError
from ledger.events.registry import manifest_refs
from ledger.events.registry import parse_body
from ledger.log import Log
from ledger.log import StoredLines
from ledger.staging import Staged
from ledger.tlog.note import format_vkey
from ledger.tlog.note import make_vkey
from tests.replay import everything
from tests.replay import rotation
from tests.replay import stages
from tests.replay.making import ORIGIN
from tests.replay.provoke import identity
from tests.replay.provoke import log_keys
from tests.replay.provoke import manifests
from tests.replay.provoke import money
from tests.replay.provoke import place
from tests.replay.provoke import succession
from tests.replay.provoke import terms
from tests.replay.provoke.case import CASES
from tests.replay.provoke.case import Case
from tests.replay.world import World
from tools.vectors.case import Cases
from tools.vectors.case import Vector
from tools.vectors.case import bad
from tools.vectors.case import good
from tools.vectors.case import hexes

AREAS = (identity, log_keys, manifests, money, place, succession, terms)
"""Importing them fills `CASES`."""
STAGES = {
    "world": "an operator, and everybody else with their keys and roles",
    "registered": "recordings and who holds them",
    "licensed": "terms, a licence and a model version",
    "trained": "a run",
    "billed": "a due",
    "paid": "a payment",
    "shared_out": "a distribution",
    "paid_out": "a payout",
    "everything": "every kind of event, and a problem that the operator acknowledged",
}


def make_stage(name: str) -> World:
    """Make the world at a stage of the story."""
    world = World()
    if name == "everything":
        return everything.tell(world)
    if name != "world":
        getattr(stages, name)(world)
    return world


def _lines_of(world: World, leaves: Sequence[bytes]) -> dict[str, list[str]]:
    """Give the bundles of every manifest that entries brought in, by root."""
    lines: dict[str, list[str]] = {}
    source = StoredLines(world.store)
    for leaf in leaves:
        event = decode_event(decode_entry(leaf).event)
        # An entry that breaks a rule may bring in what cannot be read.
        with suppress(LedgerError):
            for _, ref in manifest_refs(event.kind, parse_body(event.kind, event.body)):
                lines[ref.root.hex()] = hexes(source.bundles(ref.root))
    return lines


def _log(name: str, world: World) -> Vector:
    leaves = list(world.store.leaves(0, world.log.size))
    key = rotation.keys_in_force(world)[0]
    return good(
        STAGES[name],
        vkey=format_vkey(make_vkey(ORIGIN, key.public)),
        checkpoint=rotation.checkpoint(world),
        leaves=hexes(leaves),
        manifests=_lines_of(world, leaves),
        public_digest=world.replayed("public").digest().hex(),
        full_digest=world.replayed("full").digest().hex(),
        problems=[
            [index, row.code, row.book, row.acknowledged]
            for index, row in world.state.problems.items()
        ],
    )


@dataclass
class Taken:
    """An event on its way to a log, with the lines handed in, and the log's answer.

    Attributes:
        leaves: of the log before it.
        signed: the event.
        lines: bundles by root.
        time_ms: of the log's clock.
        code: of the refusal; empty if it was taken in.
    """

    leaves: list[bytes]
    signed: SignedEvent
    lines: dict[str, list[str]]
    time_ms: int
    code: str


@contextmanager
def listening() -> Iterator[list[Taken]]:
    """Take down what is appended to any log."""
    append, taken = Log.append, list[Taken]()

    def listen(
        log: Log,
        events: Sequence[SignedEvent],
        staged: Staged | None = None,
        **options: Any,  # noqa: ANN401 (handed on)
    ) -> list[Any]:
        leaves = list(log.store.leaves(0, log.size))
        lines = {} if staged is None else _staged_lines(staged)
        answers = append(log, events, staged, **options)
        now: int = log._clock.__self__.now_ms  # type: ignore[attr-defined] # noqa: SLF001
        for signed, answer in zip(events, answers, strict=True):
            code = answer.code if isinstance(answer, LedgerError) else ""
            taken.append(Taken(leaves, signed, lines, now, code))
        return list(answers)

    with patch.object(Log, "append", listen):
        yield taken


def _staged_lines(staged: Staged) -> dict[str, list[str]]:
    spans = staged._spans  # noqa: SLF001 (what was handed in is nobody else's business)
    return {root.hex(): hexes(staged.bundles(root)) for root in spans}


def _refused(case: Case, world: World) -> Taken | None:
    """Provoke a refusal; None if it is not of an event on its way to a log."""
    with listening() as taken:
        try:
            case.act(world)
        except LedgerError as error:
            last = taken[-1] if taken else None
            return last if last is not None and last.code == error.code else None
    return None


def _rule(case: Case, stage: World) -> tuple[str, Vector] | None:
    world = stage.copy()
    taken = _refused(case, world)
    if taken is None:
        return None
    begun = list(stage.store.leaves(0, stage.log.size))
    continues = taken.leaves[: len(begun)] == begun
    then = taken.leaves[len(begun) :] if continues else taken.leaves
    words = case.act.__name__.replace("_", " ")
    vector = bad(
        case.code,
        words,
        log=case.stage.replace("_", "-") if continues else "",
        then=hexes(then),
        manifests=_lines_of(world, then) if continues else {},
        event=taken.signed.event.hex(),
        signature=taken.signed.signature.hex(),
        lines=taken.lines,
        time=taken.time_ms,
    )
    return f"rule/{case.code} {words}", vector


def cases() -> Cases:
    """Give every case."""
    stages = {name: make_stage(name) for name in STAGES}
    for name, world in stages.items():
        yield f"log/{name}", _log(name, world)
    for case in CASES:
        made = _rule(case, stages[case.stage])
        if made is not None:
            yield made
