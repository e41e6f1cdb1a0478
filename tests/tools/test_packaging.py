"""What is installed is locked, comes from PyPI by name alone, and ships complete."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.environment import CORE_LOCK
from tools.environment import DEVELOPMENT_LOCK

ROOT = Path(__file__).resolve().parents[2]
PIN = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[\w.+!]+)(?: ; .+?)? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?")
COMMENT = re.compile(r" *#(?!.*://).*")


def read_pins(lock: str) -> dict[str, str]:
    """Read a lock's versions by name; every line must be of a kind that is known."""
    pins = {}
    for line in (ROOT / lock).read_text(encoding="utf-8").splitlines():
        pin = PIN.fullmatch(line)
        if pin:
            pins[pin["name"]] = pin["version"]
        else:
            assert HASH.fullmatch(line) or COMMENT.fullmatch(line), f"{lock}: {line}"
    return pins


def read_project() -> tuple[list[str], list[str]]:
    """Read what the project asks for: its dependencies, and the development group."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    core = [*project["project"]["dependencies"], *groups["build"]]
    return core, groups["dev"]


@pytest.mark.parametrize("lock", [CORE_LOCK, DEVELOPMENT_LOCK])
def test_a_lock_holds_versions_hashes_and_no_address(lock: str) -> None:
    """No line names an index, a host or a file: packages come from PyPI by name."""
    pins = read_pins(lock)
    text = (ROOT / lock).read_text(encoding="utf-8")
    stanzas = re.findall(r"^[a-z0-9-]+==.*\\\n    --hash=", text, re.MULTILINE)
    assert len(pins) == len(stanzas) > 10


def test_the_locks_hold_what_the_project_asks_for() -> None:
    """Every dependency is locked, at a version that the project accepts."""
    core, development = read_project()
    for wanted, lock in ((core, CORE_LOCK), (development, DEVELOPMENT_LOCK)):
        pins = read_pins(lock)
        for requirement in map(Requirement, wanted):
            version = pins[canonicalize_name(requirement.name)]
            assert requirement.specifier.contains(version)


def test_the_locks_agree() -> None:
    """What both locks hold has one version: neither undoes the other's work."""
    core, development = read_pins(CORE_LOCK), read_pins(DEVELOPMENT_LOCK)
    both = core.keys() & development.keys()
    assert both
    assert {core[name] for name in both} == {development[name] for name in both}


def test_the_wheel_is_complete(tmp_path: Path) -> None:
    """Documents, templates and static files travel with the code; tests do not."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel"]
    subprocess.run([*command, "-d", tmp_path], cwd=ROOT, check=True)
    [wheel] = tmp_path.glob("linernote-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        shipped = set(archive.namelist())
        [points] = [name for name in shipped if name.endswith("entry_points.txt")]
        assert b"linernote = ledger.cli:main" in archive.read(points)
    ours = {
        str(path.relative_to(ROOT))
        for package in ("ledger", "web")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert ours - shipped == set()
    assert {name.split("/")[0] for name in shipped - ours} == {points.split("/")[0]}
