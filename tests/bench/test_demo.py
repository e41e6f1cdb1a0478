"""The demonstration over a real catalogue: time and peak memory, in all."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.bench.measure import FULL
from tests.bench.measure import tell_at_most
from tests.conftest import SHARED


@pytest.mark.parametrize(
    ("name", "basis"),
    [
        ("train.tsv", "per_recording"),
        ("test.tsv", "per_holder"),
        ("test.tsv", "duration"),
    ],
)
def test_demonstration(tmp_path: Path, name: str, basis: str) -> None:
    """Seconds and megabytes from an empty folder to a verified log."""
    if not FULL:
        pytest.skip("a benchmark of full size only: dev.py bench")
    folder = SHARED / "jamendo"
    if not (folder / name).is_file():
        pytest.skip("the real catalogue is not here")
    files = ["--catalogue", str(folder / "catalogue.tsv")]
    files += ["--dataset", str(folder / name), "--basis", basis]
    command = [sys.executable, "-m", "ledger", "demo", "--no-serve"]
    home = str(tmp_path / "home")
    start = time.perf_counter()
    subprocess.run([*command, "--home", home, *files], check=True, capture_output=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    tell_at_most(f"{name}, {basis}", time.perf_counter() - start, 15, " s")
    tell_at_most("peak memory", peak, 400, " MB")
