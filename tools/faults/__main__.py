"""Run the faults, and print the table: python -m tools.faults (see `dev.py faults`).

Each row's cases are dealt to as many processes as there are cores. The cases and all
that chance decides follow from the seed; a case that fails is printed with the
command that repeats it alone.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tools.faults.bench import Bench
from tools.faults.controls import Controls
from tools.faults.drills import Drills
from tools.faults.rows import Errors
from tools.faults.rows import Kills
from tools.faults.rows import Power
from tools.faults.rows import Row
from tools.faults.rows import Syncs
from tools.faults.shim import Shim
from tools.faults.shim import compile_shim
from tools.faults.shim import missing
from tools.faults.writers import Writers

LIBRARY_VARIABLE = "LINERNOTE_FAULTS"
"""Names the shim to the process that it is preloaded into."""

PATIENCE_SECONDS = 30
"""A sweep says how far it is each so often, in every process."""

ACKNOWLEDGED, ACKNOWLEDGED_QUICK = 100_000, 4_000


class Part(NamedTuple):
    """What one process found out of its cases.

    Attributes:
        states: how many runs or states they were.
        failed: the cases that failed, and of what.
        last: tells the state of the last case from every other.
    """

    states: int
    failed: list[tuple[str, str]]
    last: str


def rows(*, quick: bool = False) -> dict[str, Row]:
    """Give the rows of the table in order."""
    writers = Writers(ACKNOWLEDGED_QUICK if quick else ACKNOWLEDGED)
    made: list[Row] = [Kills(), Power(), Errors(), Syncs(), writers, Controls()]
    if not quick:
        made.append(Drills())
    return {row.name: row for row in made}


def memory() -> str | None:
    """Give a folder that is in memory, where there is one: there is much to write."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108


def restart_under_shim() -> int:
    """Start again with the shim preloaded, and everything in a temporary folder."""
    install = missing()
    if install:
        print(f"error: the faults need a C compiler\n  fix: {install}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(dir=memory(), prefix="faults-") as folder:
        library = compile_shim(Path(folder))
        variables = {
            **os.environ,
            LIBRARY_VARIABLE: str(library),
            "LD_PRELOAD": str(library),
            "PYTHONHASHSEED": "0",
            "TMPDIR": folder,
        }
        command = [sys.executable, "-m", "tools.faults", *sys.argv[1:]]
        pid = os.posix_spawn(sys.executable, command, variables)
        _, status = os.waitpid(pid, 0)
        return os.waitstatus_to_exitcode(status)


def run_part(row: Row, bench: Bench, cases: list[str]) -> Part:
    """Run cases one after the other."""
    states, last = 0, ""
    failed: list[tuple[str, str]] = []
    told = time.monotonic()
    for number, case in enumerate(cases):
        if time.monotonic() - told > PATIENCE_SECONDS:
            told = time.monotonic()
            done = f"{row.name}: {number:,} of {len(cases):,}: {states:,} {row.unit}"
            print(f"{done}, {len(failed)} bad", file=sys.stderr, flush=True)
        try:
            outcome = row.run(bench, case)
            states, last = states + outcome.states, outcome.state
            failed += [(case, problem) for problem in outcome.problems]
        except Exception as error:  # noqa: BLE001  # whatever it is, it is a finding
            failed.append((case, f"{type(error).__name__}: {error}"))
    return Part(states, failed, last)


def run_parts(row: Row, shim: Shim, base: Path, seed: int, cases: list[str]) -> Part:
    """Deal the cases, in stretches, to a process a core."""
    jobs = min(os.cpu_count() or 1, len(cases) or 1)
    pids = []
    for job in range(jobs):
        first, last = len(cases) * job // jobs, len(cases) * (job + 1) // jobs
        pid = os.fork()
        if pid == 0:
            folder = base / f"{row.name}-{job}"
            part = run_part(row, Bench(shim, folder, seed), cases[first:last])
            (folder / "found").write_text(json.dumps(part))
            os._exit(0)
        pids.append(pid)
    for pid in pids:
        os.waitpid(pid, 0)
    parts = [
        Part(*json.loads((base / f"{row.name}-{job}" / "found").read_text()))
        for job in range(jobs)
    ]
    failed = [tuple(found) for part in parts for found in part.failed]
    states = sum(part.states for part in parts)
    return Part(states, failed, parts[-1].last)  # type: ignore[arg-type]


def sample(row: Row, cases: list[str], seed: int, most: int) -> list[str]:
    """Choose some of the cases, in their order."""
    chance = random.Random(f"{seed} {row.name}")  # noqa: S311
    places = chance.sample(range(len(cases)), min(most, len(cases)))
    return [cases[place] for place in sorted(places)]


def run_row(row: Row, shim: Shim, base: Path, options: argparse.Namespace) -> bool:
    """Run a row, print its line, and what failed; tell whether all held."""
    start = time.monotonic()
    cases = [options.case]
    if not options.case:
        cases = row.cases(Bench(shim, base / row.name, options.seed))
        most = options.most or (row.quick if options.quick else len(cases))
        cases = sample(row, cases, options.seed, most)
    part = run_parts(row, shim, base, options.seed, cases)
    seconds = time.monotonic() - start
    enough = part.states >= row.goal or options.quick or options.case
    verdict = "ok" if enough and not part.failed else "FAILED"
    print(
        f"{verdict:<7}{row.name:<9}{part.states:>8,} {row.unit:<8}"
        f"{len(part.failed):>5} bad {seconds:8.1f} s   {row.fault}",
        flush=True,
    )
    if options.case:
        print(f"state  {part.last}")
    for case, problem in part.failed[: options.show]:
        print(f"       {problem}")
        print(
            f"       again: python3 tools/dev.py faults --seed {options.seed}"
            f" --row {row.name} --case {case}",
            flush=True,
        )
    return verdict == "ok"


def main() -> int:
    """Run what the arguments ask for; 0 if all of it holds."""
    parser = argparse.ArgumentParser(prog="dev.py faults", description=__doc__)
    known = list(rows())
    parser.add_argument("--quick", action="store_true", help="a sample of each row")
    parser.add_argument("--row", action="append", choices=known, help="this row alone")
    parser.add_argument("--case", default="", help="this case of the row alone")
    parser.add_argument("--most", type=int, default=0, help="so many cases of a row")
    parser.add_argument("--seed", type=int, default=1, help="of all that is chance")
    parser.add_argument("--show", type=int, default=5, help="failures of a row shown")
    options = parser.parse_args()
    library = os.environ.get(LIBRARY_VARIABLE)
    if library is None:
        return restart_under_shim()
    shim = Shim(Path(library))
    base = Path(library).parent
    made = rows(quick=options.quick)
    chosen = [made[name] for name in options.row or known]
    held = [run_row(row, shim, base, options) for row in chosen]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
