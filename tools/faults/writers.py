"""Many writers at once, each killed at random, until so much is acknowledged.

Each opens the log, sends again what it does not know the fate of, signs and appends
a batch, publishes, and closes. Who kills them prefers the one that holds the lock.
Which process gets how far is the scheduler's: no seed repeats that.
"""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

from ledger.entry.sign import SignedEvent
from ledger.errors import HomeError
from ledger.writer import Writer
from tools.faults.bench import BROKE
from tools.faults.bench import SECONDS
from tools.faults.bench import Bench
from tools.faults.check import LostError
from tools.faults.check import audit
from tools.faults.check import check_entries
from tools.faults.check import heard
from tools.faults.record import Operation
from tools.faults.rows import Outcome
from tools.faults.work import say_entry
from tools.faults.world import SOCIETIES

BATCH_MAX = 200
PAUSE_SECONDS = 0.005
BETWEEN_KILLS_SECONDS = (0.02, 0.2)
LINE_LENGTH = len("entry") + 1 + 32 + 1 + 32 + 1 + 12 + 1 + 64 + 1
"""Of an acknowledgement as it is noted."""

AT_THE_HOLDER = 0.5
"""How many of the kills go to the process that holds the lock."""


class Writers:
    """The row, for as many acknowledgements as it is made for."""

    name = "writers"
    fault = "8 writer processes with random kills"
    unit = "acked"

    def __init__(self, goal: int) -> None:
        self.goal = goal
        self.quick = 1

    def cases(self, _: Bench) -> list[str]:
        """There is one."""
        return [str(self.goal)]

    def run(self, bench: Bench, case: str) -> Outcome:
        """Let them write; then find every acknowledgement in the log."""
        bench.place.lay(bench.world.image)
        crowd = Crowd(bench)
        broken = crowd.run(int(case))
        if broken:
            return Outcome([broken], 0)
        try:
            count = _check(bench, crowd.folder)
        except LostError as error:
            return Outcome([str(error)], 0)
        return Outcome([], count)


class Crowd:
    """The writers that run, and the files in which each notes what it was told."""

    def __init__(self, bench: Bench) -> None:
        self.folder = bench.place.base / "told"
        self.folder.mkdir(exist_ok=True)
        self.kills = 0
        self._bench = bench
        self._random = random.Random(f"{bench.seed} writers")  # noqa: S311
        self._running: dict[int, int] = {}
        self._started = 0

    def run(self, goal: int) -> str:
        """Kill and start writers until `goal` is acknowledged; say what broke."""
        try:
            for number in range(1, SOCIETIES + 1):
                self._start(number)
            while self._acknowledged(goal) < goal:
                time.sleep(self._random.uniform(*BETWEEN_KILLS_SECONDS))
                pid = self._victim()
                os.kill(pid, signal.SIGKILL)
                _, status = os.waitpid(pid, 0)
                if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
                    return (self.folder / f"{pid}.error").read_text()
                self.kills += 1
                self._start(self._running.pop(pid))
        finally:
            for pid in self._running:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
        return ""

    def _start(self, number: int) -> None:
        self._started += 1
        acks = self.folder / f"{self._started}.acks"
        outbox = self.folder / f"{number}.outbox"
        pid = os.fork()
        if pid == 0:
            signal.alarm(SECONDS * 10)
            try:
                seed = f"{self._bench.seed} {self._started}"
                write_on(self._bench, number, seed, acks, outbox)
            except BaseException as error:  # noqa: BLE001  # the child ends here
                text = f"a writer ended with {type(error).__name__}: {error}"
                (self.folder / f"{os.getpid()}.error").write_text(text)
            os._exit(BROKE)
        self._running[pid] = number

    def _victim(self) -> int:
        holder = self._bench.place.home.lock.read_text().strip()
        if self._random.random() < AT_THE_HOLDER and holder.isdigit():
            pid = int(holder)
            if pid in self._running:
                return pid
        return self._random.choice(list(self._running))

    def _acknowledged(self, goal: int) -> int:
        paths = list(self.folder.glob("*.acks"))
        told = sum(path.stat().st_size for path in paths) // LINE_LENGTH
        if told < goal:
            return told
        # What was sent again was told again.
        return len({line for path in paths for line in path.read_bytes().splitlines()})


def write_on(bench: Bench, number: int, seed: str, acks: Path, outbox: Path) -> None:
    """Write to the log for ever, as the society of that number."""
    chance = random.Random(seed)  # noqa: S311
    told_to = os.open(acks, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    batch = 0
    while True:
        try:
            writer = Writer(bench.place.home)
        except HomeError as error:
            if error.code != "home-in-use":
                raise
            time.sleep(chance.uniform(0, 2 * PAUSE_SECONDS))
            continue
        with writer:
            _append(writer, _unsent(outbox), told_to)
            batch += 1
            signer = bench.world.signer(writer, number, f"{seed} {batch}")
            count = chance.randint(1, BATCH_MAX)
            events = [signer.payment() for _ in range(count)]
            _keep(outbox, events)
            _append(writer, events, told_to)
            outbox.unlink()
            writer.publish(bench.world.log_key)


def _append(writer: Writer, events: list[SignedEvent], told_to: int) -> None:
    lines: list[str] = []
    answers = writer.log.append(events, atomic=True)
    for signed, answer in zip(events, answers, strict=True):
        say_entry(lines.append, signed.event, answer)
    os.write(told_to, "".join(f"{line}\n" for line in lines).encode())


def _keep(outbox: Path, events: list[SignedEvent]) -> None:
    """Note what is about to be sent."""
    lines = [f"{e.event.hex()} {e.signature.hex()}\n" for e in events]
    new = outbox.with_suffix(".new")
    new.write_text("".join(lines))
    new.replace(outbox)


def _unsent(outbox: Path) -> list[SignedEvent]:
    """Read what was about to be sent when the writer was killed."""
    if not outbox.exists():
        return []
    pairs = [line.split() for line in outbox.read_text().splitlines()]
    return [SignedEvent(bytes.fromhex(e), bytes.fromhex(s)) for e, s in pairs]


def _check(bench: Bench, folder: Path) -> int:
    """Find every acknowledgement in the log, and audit it; count them."""
    operations = []
    for path in sorted(folder.glob("*.acks")):
        whole = path.read_text().rpartition("\n")[0]
        lines = whole.encode().splitlines()
        operations += [Operation("A", 0, "", "", 0, line) for line in lines]
    said = heard(operations)
    with Writer(bench.place.home) as writer:
        for outbox in folder.glob("*.outbox"):
            writer.log.append(_unsent(outbox), atomic=True)
        check_entries(writer, said)
        writer.publish(bench.world.log_key)
    audit(bench.place, bench.world.verified)
    return len(said.entries)
