"""A place to run in, the world, and how a run is forked, struck and heard.

Each part of a sweep has a bench of its own, in a process of its own.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from ledger.anchor import VARIABLE as ANCHORS
from ledger.errors import InvariantError
from ledger.errors import LedgerError
from tools.faults.record import Operation
from tools.faults.record import parse_record
from tools.faults.shim import Shim
from tools.faults.shim import Strike
from tools.faults.work import choose
from tools.faults.work import work
from tools.faults.world import Place
from tools.faults.world import Scenario
from tools.faults.world import World

STOPPED = 3
"""Exit code of a process that met an error it knows, and said so."""

BROKE = 4
"""Exit code of a process that met one that nobody ought to."""

SECONDS = 120
"""A process that takes longer hangs."""


class Bench:
    """Runs scenarios under faults.

    Args:
        shim: preloaded into this process.
        base: a folder for the runs.
        seed: of all that is left to chance.
    """

    def __init__(self, shim: Shim, base: Path, seed: int) -> None:
        self.shim = shim
        self.seed = seed
        self.place = Place(base)
        self._machine = base / "machine"
        shim.machine(self._machine)
        os.environ[ANCHORS] = str(self.place.below / "anchors")
        self._boots = 0
        self.reboot()
        choose("truncate")  # whatever was chosen before this process was forked
        self.world = World(self.place)

    def scenario(self, name: str) -> Scenario:
        """Give a scenario by its name."""
        return self.world.scenarios[name]

    def reboot(self) -> None:
        """Start the machine again, as far as programs can tell."""
        self._boots += 1
        self._machine.mkdir(parents=True, exist_ok=True)
        (self._machine / "boot_id").write_text(f"{self._boots:036d}\n")
        noise = b"".join(
            sha256(f"{self.seed} {number}".encode()).digest() for number in range(64)
        )
        (self._machine / "urandom").write_bytes(noise)

    def fork(self, strike: Strike, run: Callable[[], None]) -> int:
        """Run something in a process under the shim; give its exit code, or −signal.

        The record goes on where it is, so that several processes share one.
        """
        pid = os.fork()
        if pid == 0:
            os._exit(self._in_child(strike, run))
        _, status = os.waitpid(pid, 0)
        return os.waitstatus_to_exitcode(status)

    def _in_child(self, strike: Strike, run: Callable[[], None]) -> int:
        signal.alarm(SECONDS)
        self.shim.arm(self.place.below, self.place.record, strike)
        try:
            run()
        except InvariantError as error:
            self.shim.mark(f"broke {error.code} {error}")
            return BROKE
        except LedgerError as error:
            self.shim.mark(f"stopped {error.code} {error}")
            return STOPPED
        except OSError as error:
            self.shim.mark(f"stopped os-error {error}")
            return STOPPED
        except BaseException as error:  # noqa: BLE001  # the child ends here
            self.shim.mark(f"broke {type(error).__name__} {error}")
            return BROKE
        return 0

    def attempt(
        self, scenario: Scenario, journal: str, strike: Strike, how: str = ""
    ) -> int:
        """Lay the scenario's home, and let a process work there until it ends."""
        self.place.lay(scenario.image)
        self.place.record.unlink(missing_ok=True)
        choose(journal)
        return self.fork(strike, lambda: self._work(scenario, how))

    def _work(self, scenario: Scenario, how: str) -> None:
        work(self.world, self.place, scenario, self.shim.mark, how)

    def record(self) -> list[Operation]:
        """Read what was recorded."""
        return list(parse_record(self.place.record.read_bytes()))

    def watched(self, name: str, journal: str) -> list[Operation]:
        """Record a run that nothing happens to."""
        code = self.attempt(self.scenario(name), journal, Strike())
        if code != 0:
            last = self.record()[-1].data.decode()
            sys.exit(f"without any fault, {name} in {journal} mode ends with {last}")
        return self.record()
