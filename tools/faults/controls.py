"""The harness held against logs that are wrong on purpose: it has to catch each.

normal    synchronous=NORMAL in WAL mode: commits are not synced
off       synchronous=OFF: nothing is
early     acknowledged before the commit
outside   the head is read outside the transaction, without lock or unique index
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from contextlib import ExitStack
from contextlib import contextmanager
from unittest import mock

from ledger.storage import sqlite_entries
from ledger.storage.sqlite import SqliteStore
from ledger.writer import Writer
from tools.faults.bench import Bench
from tools.faults.check import LostError
from tools.faults.check import examine
from tools.faults.check import heard
from tools.faults.rows import Outcome
from tools.faults.rows import Power
from tools.faults.shim import Mode
from tools.faults.shim import Strike
from tools.faults.work import EARLY
from tools.faults.work import say_entry
from tools.faults.world import LATER_MS
from tools.faults.world import ticking


class Controls:
    """The row: each control is a case, and holds if the harness finds a problem."""

    name = "controls"
    fault = "the harness's own controls are caught"
    unit = "controls"
    goal = 4
    quick = 4

    def cases(self, _: Bench) -> list[str]:
        """Name the controls."""
        return list(CONTROLS)

    def run(self, bench: Bench, case: str) -> Outcome:
        """Run until the harness says that something is wrong."""
        for found in CONTROLS[case](bench):
            if found:
                return Outcome([])
        return Outcome(["the harness did not catch it"])


def _power(journal: str) -> Callable[[Bench], Iterator[list[str]]]:
    def states(bench: Bench) -> Iterator[list[str]]:
        power = Power()
        for place, model, policy in power.points(bench, "grow", journal):
            case = f"grow:{journal}:{model.value}:{place}:{policy.name}:{policy.seed}"
            yield power.run(bench, case).problems

    return states


def _early(bench: Bench) -> Iterator[list[str]]:
    scenario = bench.scenario("grow")
    operations = len(bench.watched("grow", "truncate"))
    for at in range(1, operations):
        strike = Strike(at, Mode.KILL_BEFORE)
        bench.attempt(scenario, "truncate", strike, EARLY)
        said = heard(bench.record())
        yield examine(bench.world, bench.place, scenario, said)


def _outside(bench: Bench) -> Iterator[list[str]]:
    """Two writers that both read the head before either has written."""
    bench.place.lay(bench.world.image)
    bench.place.record.unlink(missing_ok=True)
    bench.fork(Strike(), lambda: _two_writers(bench))
    try:
        heard(bench.record())
    except LostError as error:
        yield [str(error)]


def _two_writers(bench: Bench) -> None:
    clock = ticking(LATER_MS)
    with _no_defence():
        writers = [Writer(bench.place.home, clock) for _ in range(2)]
        for number, writer in enumerate(writers, start=1):
            signed = bench.world.signer(writer, number, "outside").payment()
            (answer,) = writer.log.append([signed])
            say_entry(bench.shim.mark, signed.event, answer)
        for writer in writers:
            writer.close()


@contextmanager
def _no_defence() -> Iterator[None]:
    """Take away the lock, the check of indexes and the unique index."""
    add = "INSERT OR REPLACE"
    with (
        mock.patch("ledger.writer.WriterLock"),
        mock.patch.object(sqlite_entries, "check_new_entries"),
        mock.patch.object(SqliteStore, "add_postings"),
        ExitStack() as stack,
    ):
        for name in ("_ADD", "_ADD_NODE"):
            replacing = getattr(sqlite_entries, name).replace("INSERT", add)
            stack.enter_context(mock.patch.object(sqlite_entries, name, replacing))
        yield


CONTROLS: dict[str, Callable[[Bench], Iterator[list[str]]]] = {
    "normal": _power("normal"),
    "off": _power("off"),
    "early": _early,
    "outside": _outside,
}
