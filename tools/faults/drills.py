"""The drills among the tests, as a row: clocks, full disks, copies, backups.

They need no shim; every test run has them as well.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tools.faults.bench import Bench
from tools.faults.rows import Outcome

ROOT = Path(__file__).resolve().parents[2]
FILES = (
    "test_clock.py",
    "test_full_disk.py",
    "test_backup.py",
    "test_restore.py",
    "test_rollback.py",
)
PASSED = re.compile(r"(\d+) passed")


class Drills:
    """The row: each file of drills is a case."""

    name = "drills"
    fault = "clock wrong; disk full; live copy; old backup restored"
    unit = "tests"
    goal = len(FILES)
    quick = len(FILES)

    def cases(self, _: Bench) -> list[str]:
        """Name the files."""
        return list(FILES)

    def run(self, _: Bench, case: str) -> Outcome:
        """Run a file, in a process that the shim does not stand in."""
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist"]
        variables = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD"}
        ended = subprocess.run(
            [*command, f"tests/drills/{case}"],
            cwd=ROOT,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )
        found = PASSED.search(ended.stdout)
        if ended.returncode or found is None:
            return Outcome([ended.stdout.strip().rpartition("\n")[2]], 0)
        return Outcome([], int(found[1]))
