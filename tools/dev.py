#!/usr/bin/env python3
"""One command for everything: python3 tools/dev.py COMMAND [ARGUMENTS].

    demo     build a demonstration log, verify it, serve it (see demo --help)
    test     lint, types, vectors and all tests (what follows -- goes to pytest)
    check    the same as test: what a continuous integration run calls
    lint     style and types alone
    fix      put right what the linter and the formatter can
    bench    the benchmarks at full size (arguments go to pytest)
    faults   let disks, power and processes fail, in full (--quick: a sample)
    vectors  write the test vectors again (--check: only compare)
    setup    make the virtual environment with the development tools, and stop
    lock     resolve the dependencies again (--upgrade: take newer versions)

Needs Python 3.11 or later and nothing else. The packages go into .venv in the
checkout, each with the exact version and hash of requirements.lock; all but demo
add tools/requirements-dev.lock. Once installed, nothing needs a network.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
OLDEST_PYTHON = (3, 11)
UV = "uv==0.13.9"  # resolves the locks; nothing else needs it


def refuse_machine() -> None:
    """Leave at once where nothing of ours can ever run, saying what would help."""
    if os.name != "posix":
        sys.exit("error: linernote runs on Linux and macOS\n  fix: use it inside WSL")
    if sys.version_info < OLDEST_PYTHON:
        names = ["python3.13", "python3.12", "python3.11"]
        newer = next(filter(shutil.which, names), None)
        fix = "install one: it is python3 in Debian 12, Ubuntu 24.04 and later"
        if newer:
            fix = " ".join(["run", newer, *sys.argv])
        found = ".".join(map(str, sys.version_info[:2]))
        sys.exit(f"error: linernote needs Python 3.11; this is {found}\n  fix: {fix}")


# Before the import below: an older Python could not even read what it names.
refuse_machine()
sys.path.insert(0, str(ROOT))

from tools import environment  # noqa: E402
from tools.environment import Environment  # noqa: E402
from tools.environment import SetupError  # noqa: E402
from tools.environment import say  # noqa: E402

LINT = {
    "style": ("-m", "ruff", "check"),
    "format": ("-m", "ruff", "format", "--check"),
    "types": ("-m", "mypy"),
}
VECTORS = "tools/gen_vectors.py"
NEVER_ASK = "DEBIAN_FRONTEND=noninteractive"


def run(*command: str, **variables: str) -> int:
    """Run Python in the checkout's environment; return the exit code."""
    here = Environment(ROOT)
    merged = {**environment.clean_variables(), **variables}
    # What the tools in turn start by name is the environment's too.
    folders = [str(here.python.parent), merged.get("PATH", os.defpath)]
    merged["PATH"] = os.pathsep.join(folders)
    return subprocess.call([str(here.python), *command], cwd=ROOT, env=merged)


def run_steps(steps: dict[str, tuple[str, ...]]) -> int:
    """Run every step, whatever failed before it, and sum up at the end."""
    lines = []
    failed = False
    for name, command in steps.items():
        print(f"\n== {name}: python {' '.join(command)}", flush=True)
        start = time.monotonic()
        code = run(*command)
        seconds = time.monotonic() - start
        failed |= code != 0
        lines.append(f"{'FAILED' if code else 'ok':<7}{name:<8}{seconds:6.1f} s")
    print("", *lines, sep="\n")
    return int(failed)


class Extra(NamedTuple):
    """What some tests run on, and skip without."""

    tests: str
    packages: str
    paths: tuple[str, ...]

    def is_here(self) -> bool:
        """Tell whether all of it is installed; a bare name is sought on the PATH."""
        found = (
            Path(path) if "/" in path else shutil.which(path) for path in self.paths
        )
        return all(path and Path(path).exists() for path in found)


COMPILER = Extra("the faults", "gcc libc6-dev", ("gcc", "/usr/include/stdio.h"))
EXTRAS = (
    COMPILER,
    Extra("the browser tests", "chromium", ("chromium",)),
    Extra("the tests of https", "openssl", ("openssl",)),
    Extra(
        "the tests with Go",
        "golang-go golang-golang-x-mod-dev",
        ("go", "/usr/share/gocode/src/golang.org/x/mod"),
    ),
)


def provide_extras(extras: tuple[Extra, ...] = EXTRAS) -> None:
    """See to what some tests need of Debian; without it they skip."""
    missing = [extra for extra in extras if not extra.is_here()]
    if not missing or not shutil.which("apt-get"):
        return
    root = root_prefix()
    if root is None:
        packages = " ".join(extra.packages for extra in missing)
        tests = " and ".join(extra.tests for extra in missing)
        say(f"{tests} will skip. For them: sudo apt-get install {packages}")
        return
    run_unheard(*root, "apt-get", "update")
    for extra in missing:
        install = f"apt-get install --yes --no-install-recommends {extra.packages}"
        say(f"installing {extra.packages} for {extra.tests}")
        run_unheard(*root, *install.split())
        if not extra.is_here():
            say(f"{extra.tests} will skip: not to be had by {install}")


def root_prefix() -> tuple[str, ...] | None:
    """Give what goes before a command for root; None if nobody here may be root."""
    if os.geteuid() == 0:
        return ("env", NEVER_ASK)
    if shutil.which("sudo") and run_unheard("sudo", "-n", "true") == 0:
        return ("sudo", "-n", "env", NEVER_ASK)
    return None


def run_unheard(*command: str) -> int:
    """Run a command that asks nothing and says nothing; return its exit code."""
    nothing = subprocess.DEVNULL
    return subprocess.call(command, stdin=nothing, stdout=nothing, stderr=nothing)


def demo(arguments: list[str]) -> int:
    """Become `linernote demo`, in the caller's own folder."""
    here = Environment(ROOT)
    here.prepare(development=False)
    python = str(here.python)
    script = str(here.python.with_name("linernote"))
    variables = environment.clean_variables()
    os.execve(python, [python, script, "demo", *arguments], variables)  # noqa: S606


def test(arguments: list[str]) -> int:
    """Run everything that must hold."""
    Environment(ROOT).prepare(development=True)
    provide_extras()
    workers = str(min(os.cpu_count() or 1, 8))
    pytest = ("-m", "pytest", "-q", "-n", workers, "--dist=worksteal", *arguments)
    return run_steps({**LINT, "vectors": (VECTORS, "--check"), "tests": pytest})


def lint(_: list[str]) -> int:
    """Run the linter, the formatter's check and the type checker."""
    Environment(ROOT).prepare(development=True)
    return run_steps(LINT)


def fix(_: list[str]) -> int:
    """Mend what can be mended by rule."""
    Environment(ROOT).prepare(development=True)
    return run("-m", "ruff", "check", "--fix") or run("-m", "ruff", "format")


def bench(arguments: list[str]) -> int:
    """Measure at full size: the files of tests/bench ask for LINERNOTE_BENCH."""
    Environment(ROOT).prepare(development=True)
    pytest = ("-m", "pytest", "-q", "-s", "tests/bench", *arguments)
    return run(*pytest, LINERNOTE_BENCH="full")


def faults(arguments: list[str]) -> int:
    """Let disks, power and processes fail, and print what became of the log."""
    Environment(ROOT).prepare(development=True)
    provide_extras((COMPILER,))
    return run("-m", "tools.faults", *arguments)


def vectors(arguments: list[str]) -> int:
    """Write the test vectors, or with --check compare them."""
    Environment(ROOT).prepare(development=True)
    return run(VECTORS, *arguments)


def setup(_: list[str]) -> int:
    """Make the environment with everything in it."""
    Environment(ROOT).prepare(development=True)
    say(f"ready: {ROOT / '.venv'}")
    return 0


def lock(arguments: list[str]) -> int:
    """Resolve both locks for every platform, with hashes and no address in them."""
    here = Environment(ROOT)
    here.prepare(development=True)
    core = environment.CORE_LOCK
    group = f"{environment.PROJECT}:dev"
    common = (
        *("pip", "compile", "--quiet", "--universal", "--generate-hashes"),
        *("--python-version", ".".join(map(str, OLDEST_PYTHON))),
        *("--custom-compile-command", "python3 tools/dev.py lock"),
        *arguments,
    )
    with tempfile.TemporaryDirectory() as folder:
        here.pip_install("--target", folder, UV)
        for inputs in (
            (environment.PROJECT, "--group", "build", "-o", core),
            ("--group", group, "-c", core, "-o", environment.DEVELOPMENT_LOCK),
        ):
            command = [f"{folder}/bin/uv", *common, *inputs]
            subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return setup([])


COMMANDS = {
    "demo": demo,
    "test": test,
    "check": test,
    "lint": lint,
    "fix": fix,
    "bench": bench,
    "faults": faults,
    "vectors": vectors,
    "setup": setup,
    "lock": lock,
}


def main(arguments: list[str]) -> int:
    """Run the command that the arguments name; return the exit code."""
    name, *rest = arguments or ["--help"]
    if name in {"-h", "--help", "help"}:
        print(__doc__)
        return 0
    if name not in COMMANDS:
        say(f"no such command: {name}\n\n{__doc__}")
        return 2
    try:
        return COMMANDS[name](rest[1:] if rest[:1] == ["--"] else rest)
    except SetupError as error:
        say(f"error: {error}\n  fix: {error.fix}")
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
