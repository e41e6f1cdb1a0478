"""The shim strikes the operation that it was told to, in the way that it was told."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.faults.record import Operation
from tools.faults.record import parse_record
from tools.faults.shim import Mode
from tools.faults.shim import Strike
from tools.faults.shim import compile_shim
from tools.faults.shim import missing

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import errno, os, sys
from pathlib import Path
from tools.faults.shim import Shim, Strike
library, disk, record, strike = sys.argv[1:]
shim = Shim(Path(library))
shim.arm(Path(disk), Path(record), Strike.parse(strike))
said = []
try:
    file = os.open(disk + "/log", os.O_RDWR | os.O_CREAT)       # 1
    said.append(os.write(file, b"abcdef"))                      # 2
    said.append(os.pwrite(file, b"XY", 1))                      # 3
    os.fsync(file)                                              # 4
    os.ftruncate(file, 5)                                       # 5
    os.close(file)
    os.rename(disk + "/log", disk + "/kept")                    # 6
    os.mkdir(disk + "/folder")                                  # 7
    os.link(disk + "/kept", disk + "/folder/too")               # 8
    os.unlink(disk + "/kept")                                   # 9
except OSError as error:
    said.append(errno.errorcode[error.errno])
shim.mark(" ".join(map(str, said)))
"""


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled shim."""
    if missing():
        pytest.skip(f"no C compiler; for the faults: {missing()}")
    return compile_shim(tmp_path_factory.mktemp("shim"))


def run(library: Path, folder: Path, strike: Strike) -> tuple[int, list[Operation]]:
    """Run the program under the shim; give its exit code, and the record."""
    disk, record = folder / "disk", folder / "record"
    disk.mkdir()
    arguments = [str(library), str(disk), str(record), strike.text]
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=ROOT,
        env={**os.environ, "LD_PRELOAD": str(library)},
        check=False,
    )
    return ended.returncode, list(parse_record(record.read_bytes()))


def files(folder: Path) -> dict[str, bytes]:
    disk = folder / "disk"
    found = (path for path in disk.rglob("*") if path.is_file())
    return {path.relative_to(disk).as_posix(): path.read_bytes() for path in found}


def test_operations_are_recorded_in_order(library: Path, tmp_path: Path) -> None:
    """Each operation has its number, and a mark stands where it was made."""
    code, record = run(library, tmp_path, Strike())
    assert code == 0
    numbered = [(done.kind, done.number, done.path, done.other) for done in record]
    assert numbered == [
        ("C", 1, "log", ""),
        ("W", 2, "log", ""),
        ("W", 3, "log", ""),
        ("S", 4, "log", ""),
        ("T", 5, "log", ""),
        ("R", 6, "log", "kept"),
        ("M", 7, "folder", ""),
        ("L", 8, "kept", "folder/too"),
        ("U", 9, "kept", ""),
        ("A", 9, "", ""),
    ]
    assert [(d.offset, d.data) for d in record[1:3]] == [(0, b"abcdef"), (1, b"XY")]
    assert files(tmp_path) == {"folder/too": b"aXYde"}


@pytest.mark.parametrize(
    ("strike", "left"),
    [
        (Strike(2, Mode.KILL_BEFORE), {"log": b""}),
        (Strike(2, Mode.KILL_IN), {"log": b"abc"}),
        (Strike(2, Mode.KILL_AFTER), {"log": b"abcdef"}),
        (Strike(5, Mode.KILL_BEFORE), {"log": b"aXYdef"}),
        (Strike(6, Mode.KILL_IN), {"log": b"aXYde"}),
        (Strike(6, Mode.KILL_AFTER), {"kept": b"aXYde"}),
        (Strike(9, Mode.KILL_AFTER), {"folder/too": b"aXYde"}),
    ],
    ids=lambda value: value.text if isinstance(value, Strike) else "",
)
def test_a_kill_comes_before_in_or_after(
    library: Path, tmp_path: Path, strike: Strike, left: dict[str, bytes]
) -> None:
    """What is left is what had been done at that moment, and nothing was said."""
    code, record = run(library, tmp_path, strike)
    assert code == -9
    assert files(tmp_path) == left
    assert all(done.kind != "A" for done in record)


@pytest.mark.parametrize("at", range(1, 10))
@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC])
def test_an_error_reaches_the_program(
    library: Path, tmp_path: Path, at: int, error: int
) -> None:
    """The operation that is struck fails with the error that was asked for."""
    code, record = run(library, tmp_path, Strike(at, Mode.FAIL, error))
    assert code == 0
    assert record[-1].data.decode().split()[-1] == errno.errorcode[error]
    assert max(done.number for done in record) == at


def test_a_write_may_be_cut_short(library: Path, tmp_path: Path) -> None:
    """Half is written and said to be; what lasts makes the next operation fail."""
    _, record = run(library, tmp_path, Strike(2, Mode.CUT, errno.ENOSPC, lasting=True))
    assert record[-1].data == b"3 ENOSPC"
    assert files(tmp_path) == {"log": b"abc"}


def test_a_strike_is_named_and_found_again() -> None:
    """The name of a fault says all of it."""
    for strike in (
        Strike(3, Mode.KILL_IN),
        Strike(1, Mode.FAIL, errno.EIO),
        Strike(70_000, Mode.CUT, errno.ENOSPC, lasting=True),
    ):
        assert Strike.parse(strike.text) == strike
