"""The sweeps: a fault at every operation of every scenario, in both journal modes.

A case is one run or one state, and its name says all that it takes to repeat it.
"""

from __future__ import annotations

import errno
import random
import signal
from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple
from typing import Protocol

from ledger.errors import HomeError
from tools.faults.bench import BROKE
from tools.faults.bench import STOPPED
from tools.faults.bench import Bench
from tools.faults.check import Said
from tools.faults.check import examine
from tools.faults.check import heard
from tools.faults.check import open_again
from tools.faults.disk import FIXED
from tools.faults.disk import Disk
from tools.faults.disk import Image
from tools.faults.disk import Model
from tools.faults.disk import Policy
from tools.faults.record import CHANGES
from tools.faults.record import Operation
from tools.faults.shim import Mode
from tools.faults.shim import Strike
from tools.faults.work import JOURNALS

SCENARIOS = ("create", "grow", "tile")


PASSED_OVER = frozenset(
    f"home{name}" for name in ("", "/ledger.db", "/ledger.db-wal", "/ledger.db-journal")
)
"""Where SQLite syncs for itself and says nothing of failure, as in checkpoints.

Nothing may depend on those syncs: power may fail at any time after.
"""


class Outcome(NamedTuple):
    """What a case came to.

    Attributes:
        problems: what does not hold, each in a sentence.
        states: how many runs or states it took; none if it was seen before.
        state: tells it from every other state, where there is one to look at.
    """

    problems: list[str]
    states: int = 1
    state: str = ""


class Row(Protocol):
    """A row of the table of faults.

    Attributes:
        name: for the command line.
        fault: what the row is about.
        unit: what is counted.
        goal: how many of that there are at least in a whole run.
        quick: how many cases make a sample.
    """

    name: str
    fault: str
    unit: str
    goal: int
    quick: int

    def cases(self, bench: Bench, /) -> list[str]:
        """Name every case there is, in the order in which they run fastest."""

    def run(self, bench: Bench, case: str, /) -> Outcome:
        """Run one."""


def strikes(
    bench: Bench, kinds: frozenset[str], modes: tuple[Strike, ...]
) -> Iterator[str]:
    """Name a case for each operation and each way to strike it."""
    for scenario in SCENARIOS:
        for journal in JOURNALS:
            for done in bench.watched(scenario, journal):
                for mode in modes if done.kind in kinds else ():
                    if mode.mode in (Mode.KILL_IN, Mode.CUT) and not divisible(done):
                        continue
                    strike = mode._replace(at=done.number)
                    yield f"{scenario}:{journal}:{strike.text}"


def divisible(done: Operation) -> bool:
    """Tell whether there is a middle of an operation."""
    return done.kind == "W" and len(done.data) > 1


class Kills:
    """kill −9 before, in and after every operation that changes something."""

    name = "kills"
    fault = "kill -9 before, in and after every file operation"
    unit = "kills"
    goal = 2_500
    quick = 120

    def cases(self, bench: Bench) -> list[str]:
        """Name a case for each operation and moment."""
        modes = (Mode.KILL_BEFORE, Mode.KILL_IN, Mode.KILL_AFTER)
        return list(strikes(bench, CHANGES, tuple(Strike(0, mode) for mode in modes)))

    def run(self, bench: Bench, case: str) -> Outcome:
        """Kill once, and open the log again as it was left."""
        name, journal, strike = case.split(":")
        scenario = bench.scenario(name)
        code = bench.attempt(scenario, journal, Strike.parse(strike))
        if code != -signal.SIGKILL:
            return Outcome([f"it ended with {code} and was not killed"])
        said = heard(bench.record())
        return Outcome(examine(bench.world, bench.place, scenario, said))


class Errors:
    """Errors and short writes at every operation, once and from there on."""

    name = "errors"
    fault = "EIO, ENOSPC, short write at every operation, once and lasting"
    unit = "runs"
    goal = 3_000
    quick = 120

    def cases(self, bench: Bench) -> list[str]:
        """Name a case for each operation, error and duration."""
        modes = [
            Strike(0, mode, error, lasting)
            for mode, error in (
                (Mode.FAIL, errno.EIO),
                (Mode.FAIL, errno.ENOSPC),
                (Mode.CUT, errno.ENOSPC),
            )
            for lasting in (False, True)
        ]
        return list(strikes(bench, CHANGES | {"O"}, tuple(modes)))

    def run(self, bench: Bench, case: str) -> Outcome:
        """Let it fail; then the disk is well again, and the log is opened."""
        name, journal, strike = case.split(":")
        scenario = bench.scenario(name)
        code = bench.attempt(scenario, journal, Strike.parse(strike))
        said = heard(bench.record())
        if code not in (0, STOPPED):
            return Outcome([f"it ended with {code}: {said.stopped}"])
        if name != "create":
            try:
                open_again(bench.place, bench.world.verified).close()
            except HomeError as error:
                if error.code != "home-poisoned":
                    return Outcome([f"it does not open: {error.code} {error}"])
                bench.reboot()
        return Outcome(examine(bench.world, bench.place, scenario, said))


class Power:
    """The power fails after every operation, with each kind of luck."""

    name = "power"
    fault = "power lost: unsynced writes dropped, reordered, torn"
    unit = "states"
    goal = 20_000
    quick = 500
    luck = 12
    """How many throws of the dice for each operation, model and kind of chance."""

    def __init__(self) -> None:
        self._records: dict[tuple[str, str], list[Operation]] = {}
        self._disk: tuple[tuple[str, str, str], int, Disk] | None = None
        self._seen: set[bytes] = set()

    def cases(self, bench: Bench) -> list[str]:
        """Name a case for each operation, model and policy."""
        return [
            f"{scenario}:{journal}:{model.value}:{place}:{policy.name}:{policy.seed}"
            for scenario in SCENARIOS
            for journal in JOURNALS
            for place, model, policy in self.points(bench, scenario, journal)
        ]

    def points(
        self, bench: Bench, scenario: str, journal: str
    ) -> Iterator[tuple[int, Model, Policy]]:
        """Give every place in a record, with each model and policy."""
        record = self._record(bench, scenario, journal)
        for model in Model:
            for place, done in enumerate(record, start=1):
                if done.kind in CHANGES:
                    for policy in policies(f"{bench.seed}.{place}", self.luck):
                        yield place, model, policy

    def _record(self, bench: Bench, name: str, journal: str) -> list[Operation]:
        key = (name, journal)
        if key not in self._records:
            bench.attempt(bench.scenario(name), journal, Strike())
            self._records[key] = bench.record()
            bench.reboot()
        return self._records[key]

    def _disk_at(self, bench: Bench, key: tuple[str, str, str], place: int) -> Disk:
        name, journal, model = key
        record = self._record(bench, name, journal)
        before, disk = 0, Disk(bench.scenario(name).image, Model(model))
        if self._disk is not None and self._disk[0] == key and self._disk[1] <= place:
            _, before, disk = self._disk
        for done in record[before:place]:
            disk.apply(done)
        self._disk = key, place, disk
        return disk

    def run(self, bench: Bench, case: str) -> Outcome:
        """Make the state, and open the log on it."""
        name, journal, model, place, policy, seed = case.split(":")
        disk = self._disk_at(bench, (name, journal, model), int(place))
        image = disk.image(Policy(policy, seed))
        said = heard(self._record(bench, name, journal)[: int(place)])
        digest = digest_of(image, str(said))
        if digest in self._seen:
            return Outcome([], 0, digest.hex())
        self._seen.add(digest)
        bench.place.lay(image)
        problems = examine(bench.world, bench.place, bench.scenario(name), said)
        return Outcome(problems, 1, digest.hex())


def policies(seed: str, luck: int) -> list[Policy]:
    """Give what may become of unsynced operations: the fixed kinds, and by chance."""
    thrown = [
        Policy(name, f"{seed}.{throw}")
        for name in ("reorder", "torn")
        for throw in range(luck)
    ]
    return [*FIXED, *thrown]


def digest_of(image: Image, said: str) -> bytes:
    """Tell states apart."""
    state = sha256(said.encode())
    for path, data in sorted(image.items()):
        state.update(f"\0{path}\0{-1 if data is None else len(data)}\0".encode())
        state.update(data or b"")
    return state.digest()


class Syncs:
    """Every sync fails once, at its worst; then going on, a restart, a reboot."""

    name = "syncs"
    fault = "fsync fails at every sync, then go on, restart, reboot"
    unit = "syncs"
    goal = 1
    quick = 12
    luck = 1
    states = 12
    """States of the disk that are looked at for each sync."""

    def cases(self, bench: Bench) -> list[str]:
        """Name a case for each sync."""
        mode = Strike(0, Mode.FAIL, errno.EIO)
        return list(strikes(bench, frozenset("S"), (mode,)))

    def run(self, bench: Bench, case: str) -> Outcome:
        """Fail; be refused at once and after a restart; then find all that was told."""
        name, journal, strike = case.split(":")
        scenario = bench.scenario(name)
        bench.reboot()
        code = bench.attempt(scenario, journal, Strike.parse(strike))
        failed = [done.path for done in bench.record() if done.kind == "F"]
        if code == BROKE or not failed:
            return Outcome([f"it ended with {code}: {bench.record()[-1].data!r}"])
        if name != "create" and code == STOPPED:
            for attempt in ("going on", "a restart"):
                refusal = self._open(bench)
                if refusal != "home-poisoned":
                    problem = f"{failed[0]}: after {attempt}: {refusal or 'it opens'}"
                    return Outcome([problem])
        elif name != "create" and failed[0] not in PASSED_OVER:
            return Outcome([f"{failed[0]}: it went on after a failed sync"])
        return self._reboot(bench, name)

    def _open(self, bench: Bench) -> str:
        """Try to open the log in a process of its own; give the code it refuses by."""
        bench.fork(
            Strike(), lambda: open_again(bench.place, bench.world.verified).close()
        )
        last = bench.record()[-1]
        words = last.data.decode().split()
        return words[1] if last.kind == "A" and words[0] == "stopped" else ""

    def _reboot(self, bench: Bench, name: str) -> Outcome:
        """Lose what the failed sync lost; the power fails at some time after it."""
        scenario, record = bench.scenario(name), bench.record()
        bench.reboot()
        states = self._states(bench, name, record)
        for image, said in states:
            bench.place.lay(image)
            problems = examine(bench.world, bench.place, scenario, said)
            if problems:
                return Outcome(problems)
        return Outcome([])

    def _states(
        self, bench: Bench, name: str, record: list[Operation]
    ) -> Iterator[tuple[Image, Said]]:
        """Give some of the states that there may be from the failed sync on."""
        failed = next(n for n, done in enumerate(record, 1) if done.kind == "F")
        points = [
            (model, place, policy)
            for model in Model
            for place, done in enumerate(record, 1)
            if place >= failed and done.kind in CHANGES | {"F"}
            for policy in policies(f"{bench.seed}.{place}", self.luck)
        ]
        chance = random.Random(f"{bench.seed} {name} {failed}")  # noqa: S311
        chosen = set(chance.sample(points, min(self.states, len(points))))
        seen: set[bytes] = set()
        for model in Model:
            disk = Disk(bench.scenario(name).image, model)
            for place, done in enumerate(record, 1):
                disk.apply(done)
                for policy in policies(f"{bench.seed}.{place}", self.luck):
                    if (model, place, policy) not in chosen:
                        continue
                    said, image = heard(record[:place]), disk.image(policy)
                    digest = digest_of(image, str(said))
                    if digest not in seen:
                        seen.add(digest)
                        yield image, said
