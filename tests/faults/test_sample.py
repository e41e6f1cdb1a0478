"""A sample of the faults, in every test run; the whole is `tools/dev.py faults`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools.faults.shim import missing

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    if missing():
        pytest.skip(f"no C compiler; for the faults: {missing()}")
    command = [sys.executable, "-m", "tools.faults", *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("row", ["kills", "power", "errors", "syncs", "writers"])
def test_the_log_survives_a_sample_of_each_row(row: str) -> None:
    """Nothing acknowledged is lost, nothing forks, and nothing false is said."""
    ended = run("--quick", "--row", row)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.startswith(f"ok     {row}")


def test_the_harness_catches_logs_that_are_wrong_on_purpose() -> None:
    """Unsynced commits, early acknowledgements and a shared head are all caught."""
    ended = run("--row", "controls")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "4 controls" in ended.stdout


def test_one_case_runs_alone_and_again_the_same() -> None:
    """The name of a case and the seed repeat its state, byte by byte."""
    arguments = ("--row", "power", "--case", "grow:truncate:strict:60:torn:1.60.0")
    first, second = (run("--seed", "3", *arguments) for _ in range(2))
    assert first.returncode == 0, first.stdout + first.stderr
    states = [
        [line for line in ended.stdout.splitlines() if line.startswith("state  ")]
        for ended in (first, second)
    ]
    assert states[0]
    assert states[0] == states[1]
