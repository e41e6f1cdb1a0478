"""The shim from here: compiled into a folder, preloaded, armed in a forked process.

>>> Strike(7, Mode.KILL_IN).text
'7.kill_in'
>>> Strike.parse("7.fail.28.lasting")
Strike(at=7, mode=<Mode.FAIL: 4>, error=28, lasting=True)
"""

from __future__ import annotations

import ctypes
import enum
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

SOURCE = Path(__file__).with_name("shim.c")
INSTALL = "apt-get install --yes --no-install-recommends gcc libc6-dev"


class Mode(enum.IntEnum):
    """What becomes of the operation that is struck; the numbers are the shim's."""

    WATCH = 0
    KILL_BEFORE = 1
    KILL_IN = 2
    KILL_AFTER = 3
    FAIL = 4
    CUT = 5


class Strike(NamedTuple):
    """A fault: at which operation, from 1, which, and whether it lasts."""

    at: int = 0
    mode: Mode = Mode.WATCH
    error: int = 0
    lasting: bool = False

    @property
    def text(self) -> str:
        """Name it, for who wants to see it again."""
        parts = [str(self.at), self.mode.name.lower()]
        parts += [str(self.error)] * (self.error > 0 or self.lasting)
        return ".".join(parts + ["lasting"] * self.lasting)

    @classmethod
    def parse(cls, text: str) -> Strike:
        """Read a name back."""
        at, mode, *rest = text.split(".")
        error = int(rest[0]) if rest else 0
        return cls(int(at), Mode[mode.upper()], error, "lasting" in rest)


def compile_shim(folder: Path) -> Path:
    """Compile the shim; give the library.

    Raises:
        FileNotFoundError: there is no gcc.
        CalledProcessError: it cannot compile this.
    """
    library = folder / "faults.so"
    flags = ("-O1", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror")
    subprocess.run(["gcc", *flags, "-o", library, SOURCE], check=True)
    return library


def missing() -> str:
    """Say what there is to install before the shim can be compiled; or nothing."""
    return "" if shutil.which("gcc") else INSTALL


class Shim:
    """The preloaded library, in the process that it stands in.

    Args:
        library: this process was started with it in LD_PRELOAD.
    """

    def __init__(self, library: Path) -> None:
        self._library = ctypes.CDLL(str(library))

    def machine(self, folder: Path) -> None:
        """Let a folder say what is random here, and which start of the machine."""
        self._library.faults_machine(str(folder).encode())

    def arm(self, below: Path, record: Path, strike: Strike) -> None:
        """Number, record and strike the operations below a folder from now on."""
        self._library.faults_arm(
            str(below).encode(),
            str(record).encode(),
            ctypes.c_long(strike.at),
            int(strike.mode),
            strike.error,
            int(strike.lasting),
        )

    def mark(self, text: str) -> None:
        """Put into the record what the program said at this point."""
        data = text.encode()
        self._library.faults_mark(data, len(data))
