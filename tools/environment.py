"""The virtual environment that `tools/dev.py` works in: made, checked, kept up to date.

Standard library only, for it runs before anything is installed. The packages come
from PyPI by name, each with the exact version and hash that a lock gives it, as
ready-made wheels: nothing that is not locked is ever run.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path

CORE_LOCK = "requirements.lock"
DEVELOPMENT_LOCK = "tools/requirements-dev.lock"
PROJECT = "pyproject.toml"
THIS_PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"

# What a caller's shell may hold that would send pip or Python elsewhere.
MISLEADING_VARIABLES = frozenset(
    {
        "PIP_PREFIX",
        "PIP_REQUIRE_VIRTUALENV",
        "PIP_TARGET",
        "PIP_USER",
        "PYTHONHOME",
        "PYTHONPATH",
        "VIRTUAL_ENV",
    }
)

# Signs in pip's output, what they mean, and what to do: the surest first, for a
# failed connection also ends in "no matching distribution".
DIAGNOSES = (
    (
        "No space left on device|Disk quota exceeded",
        "the disk is full",
        "free about 1 GB beside the checkout and in the temporary folder (TMPDIR)",
    ),
    (
        "Permission denied|Read-only file system",
        "a folder cannot be written",
        "make the checkout and the temporary folder (TMPDIR) writable for you",
    ),
    (
        "DO NOT MATCH THE HASHES",
        "a downloaded package is not the one that was locked",
        "do not use it; try from another network, and report it if it stays so",
    ),
    (
        "CERTIFICATE_VERIFY_FAILED|SSLError",
        "PyPI answers with a certificate that this machine does not trust",
        "apt-get install ca-certificates, or name your own with PIP_CERT=FILE",
    ),
    (
        "Connection|ProxyError|[Nn]ame.?[Rr]esolution|unreachable|timed out",
        "PyPI cannot be reached",
        "connect to the network, or set https_proxy; once installed, all works offline",
    ),
    (
        "No matching distribution|not a supported wheel",
        "a locked package has no build for this Python or machine",
        "use CPython 3.11, 3.12 or 3.13 on Linux or macOS (x86-64 or ARM 64)",
    ),
)


class SetupError(Exception):
    """What stops the set-up, and the exact command or step that mends it."""

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(problem)
        self.fix = fix


class Environment:
    """The virtual environment in a checkout.

    `installed.json` in it holds the digest of each file that was installed from,
    and the checkout's own path: what is unchanged is not installed again.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".venv"
        self.python = self.folder / "bin" / "python"
        self.stamp = self.folder / "installed.json"

    def prepare(self, *, development: bool) -> None:
        """Make the environment, or bring it up to date.

        Raises:
            SetupError: something is missing, with the way to mend it.
        """
        with only_one(self.root / PROJECT):
            flaw = self.find_flaw()
            if flaw:
                say(f".venv {flaw}: making it anew")
                shutil.rmtree(self.folder)
            if not self.folder.exists():
                self.create()
            self.refuse_foreign_packages()
            self.install(CORE_LOCK, "what linernote runs on (about 10 s)")
            if development:
                self.install(DEVELOPMENT_LOCK, "the development tools (about 20 s)")
            self.install_project()

    def find_flaw(self) -> str:
        """Say what makes an existing environment unusable; nothing if it is fine.

        Raises:
            SetupError: what is there is not ours to delete.
        """
        if not os.path.lexists(self.folder):
            return ""
        if self.folder.is_symlink() or not (self.folder / "pyvenv.cfg").is_file():
            raise SetupError(
                f"{self.folder} is there, but is no virtual environment of ours",
                f"move it away: mv {self.folder} {self.folder}.old",
            )
        version = ask_version(self.python)
        if not version:
            return "is broken"
        if version != THIS_PYTHON:
            return f"is of Python {version} and this is {THIS_PYTHON}"
        if self.installed().get("root", str(self.root)) != str(self.root):
            return "was made for a checkout at another place"
        return ""

    def create(self) -> None:
        """Make an empty environment, with pip in it where Python brings one."""
        say(f"making {self.folder}")
        command = [sys.executable, "-m", "venv", str(self.folder)]
        if not importlib.util.find_spec("ensurepip"):
            # Debian keeps ensurepip apart, in python3-venv. Without it, a pip of the
            # system's own can install into the environment.
            if not system_pip_reaches_out():
                raise SetupError(
                    "this Python cannot make virtual environments",
                    as_root(f"apt-get install {venv_package()}"),
                )
            command.insert(3, "--without-pip")
        try:
            run_quietly(command, self.root)
        except SetupError:
            shutil.rmtree(self.folder, ignore_errors=True)  # a half is no use
            raise

    def refuse_foreign_packages(self) -> None:
        """Stop when another distribution's `web` or `ledger` would hide ours.

        PyPI's web.py, for one, installs a package of that name. Our own, installed
        as a copy, only has to give way to the editable one.
        """
        for path in self.folder.glob("lib/python*/site-packages/*"):
            if path.name not in {"web", "web.py", "ledger", "ledger.py"}:
                continue
            owner = find_owner(path)
            if owner == "linernote":
                self.stamp.unlink(missing_ok=True)
                continue
            raise SetupError(
                f"{owner or path.name} in .venv hides the checkout's own {path.stem}",
                f"{self.python} -m pip uninstall {owner}" if owner else f"rm -r {path}",
            )

    def install(self, lock: str, what: str) -> None:
        """Install one lock, unless this very lock is installed."""
        if self.is_installed(lock):
            return
        say(f"installing {what}")
        options = ("--no-deps", "--require-hashes", "--only-binary=:all:")
        self.pip_install(*options, "--retries=2", "--requirement", lock)
        self.note(lock)

    def install_project(self) -> None:
        """Install the checkout itself, editable, without a network."""
        if self.is_installed(PROJECT):
            return
        options = ("--no-index", "--no-deps", "--no-build-isolation")
        self.pip_install(*options, "--editable", str(self.root))
        self.note(PROJECT)

    def pip_install(self, *arguments: str) -> None:
        """Run pip install: the environment's own pip, or the system's if it has none.

        Byte code is left to the first import, which needs only part of it.
        """
        pip = [str(self.python), "-m", "pip"]
        if not any(self.folder.glob("lib/python*/site-packages/pip/__main__.py")):
            pip = [sys.executable, "-m", "pip", "--python", str(self.python)]
        common = ("--quiet", "--no-input", "--no-user", "--no-compile")
        run_quietly([*pip, "install", *common, *arguments], self.root)

    def installed(self) -> dict[str, str]:
        """Return the digests of what is installed, by the file it came from."""
        try:
            noted = json.loads(self.stamp.read_text())
        except (OSError, ValueError):
            return {}
        return noted if isinstance(noted, dict) else {}

    def is_installed(self, name: str) -> bool:
        """Say whether a lock, or the project, is installed as it stands now."""
        return self.installed().get(name) == digest(self.root / name)

    def note(self, name: str) -> None:
        """Remember that a file is installed as it is now."""
        noted = {**self.installed(), "root": str(self.root)}
        noted[name] = digest(self.root / name)
        self.stamp.write_text(json.dumps(noted, indent=1) + "\n")


def say(text: str) -> None:
    """Tell what goes on, on standard error: standard output is the command's own."""
    print(text, file=sys.stderr, flush=True)


def clean_variables() -> dict[str, str]:
    """Return the caller's variables without what would mislead pip or Python."""
    kept = {k: v for k, v in os.environ.items() if k not in MISLEADING_VARIABLES}
    return {**kept, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def run_quietly(command: Sequence[str], cwd: Path) -> None:
    """Run a step of the set-up; show what it printed only if it fails."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=clean_variables(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        telling = [line for line in done.stdout.splitlines() if "WARNING" not in line]
        say("\n".join(telling[-8:]))
        raise diagnose(done.stdout)


def diagnose(output: str) -> SetupError:
    """Turn what pip or venv printed into what is wrong and how to mend it."""
    for signs, meaning, fix in DIAGNOSES:
        if re.search(signs, output):
            return SetupError(meaning, fix)
    return SetupError(
        "the virtual environment could not be made",
        "the lines above say why; to start afresh: rm -r .venv",
    )


def digest(path: Path) -> str:
    """Return the SHA-256 of a file in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


@contextlib.contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Wait until nobody else works on this checkout's environment."""
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def ask_version(python: Path) -> str:
    """Ask an interpreter for its version, as "3.11"; nothing if it does not run."""
    question = "import sys, zlib; print(*sys.version_info[:2], sep='.')"
    try:
        answer = subprocess.check_output(
            [python, "-c", question],
            env=clean_variables(),
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return answer.strip()


def as_root(command: str) -> str:
    """Return a command as this person must type it."""
    return command if os.geteuid() == 0 else f"sudo {command}"


def venv_package() -> str:
    """Name Debian's package of virtual environments for the running Python."""
    default = Path("/usr/bin/python3").resolve().name == f"python{THIS_PYTHON}"
    return "python3-venv" if default else f"python{THIS_PYTHON}-venv"


def system_pip_reaches_out() -> bool:
    """Say whether this Python has a pip that knows --python (22.3 or later)."""
    try:
        major, minor = importlib.metadata.version("pip").split(".")[:2]
    except importlib.metadata.PackageNotFoundError:
        return False
    return (int(major), int(minor)) >= (22, 3)


def find_owner(path: Path) -> str:
    """Name the distribution that put a path into site-packages; nothing if none."""
    line = re.compile(rf"{re.escape(path.name)}[/,]")
    for table in path.parent.glob("*.dist-info/RECORD"):
        if any(map(line.match, table.read_text(encoding="utf-8").splitlines())):
            return table.parent.name.split("-")[0]
    return ""
