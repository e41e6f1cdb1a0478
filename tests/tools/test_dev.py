"""The one command: what it runs, what it returns, and on which machines it starts."""

from __future__ import annotations

import ast
import os
import shutil
import sys
from pathlib import Path

import pytest

from tools import dev
from tools import environment

ROOT = Path(__file__).resolve().parents[2]


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Who types nothing, or --help, is told of each command there is."""
    assert dev.main([]) == 0
    said = capsys.readouterr().out
    named = {line.split()[0] for line in said.splitlines() if line.startswith("    ")}
    assert named == set(dev.COMMANDS)


def test_an_unknown_command_is_a_mistake_of_usage(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A misspelt command gives exit code 2 and the list."""
    assert dev.main(["tets"]) == 2
    assert "no such command: tets" in capsys.readouterr().err


@pytest.mark.parametrize("typed", [["-k", "foo"], ["--", "-k", "foo"]])
def test_what_follows_the_command_is_handed_on(
    typed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Arguments reach the command as they are, without the -- that parts them."""
    monkeypatch.setitem(dev.COMMANDS, "test", lambda rest: len(" ".join(rest)))
    assert dev.main(["test", *typed]) == len("-k foo")


def test_a_failed_set_up_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The problem and its fix stand on two lines, without a traceback."""

    def fail(_: list[str]) -> int:
        raise environment.SetupError("the disk is full", "free some")

    monkeypatch.setitem(dev.COMMANDS, "setup", fail)
    assert dev.main(["setup"]) == 1
    assert capsys.readouterr().err == "error: the disk is full\n  fix: free some\n"


def test_every_step_runs_and_one_failure_fails_all(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A failing linter does not hide a failing test, and neither is lost."""
    codes = {"a": 0, "b": 1, "c": 0}
    monkeypatch.setattr(dev, "run", lambda command: codes[command])
    assert dev.run_steps({name: (name,) for name in codes}) == 1
    summary = capsys.readouterr().out.splitlines()[-3:]
    assert [line.split()[:2] for line in summary] == [
        ["ok", "a"],
        ["FAILED", "b"],
        ["ok", "c"],
    ]
    assert dev.run_steps({"a": ("a",)}) == 0


def test_the_whole_test_run_leaves_nothing_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Style, format, types, vectors and tests all belong to `test`."""
    steps: dict[str, tuple[str, ...]] = {}

    def keep(given: dict[str, tuple[str, ...]]) -> int:
        steps.update(given)
        return 0

    monkeypatch.setattr(environment.Environment, "prepare", lambda *_, **__: None)
    monkeypatch.setattr(dev, "provide_extras", lambda: None)
    monkeypatch.setattr(dev, "run_steps", keep)
    assert dev.main(["check", "--", "-k", "foo"]) == 0
    assert list(steps) == ["style", "format", "types", "vectors", "tests"]
    assert steps["tests"][-2:] == ("-k", "foo")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Nothing is installed on this Debian; what would run is only kept."""
    commands: list[str] = []

    def keep(*command: str) -> int:
        commands.append(" ".join(command))
        return 0

    monkeypatch.setattr(dev.Extra, "is_here", lambda _: False)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(dev, "run_unheard", keep)
    return commands


@pytest.mark.parametrize(("user", "prefix"), [(0, ""), (1000, "sudo -n ")])
def test_whoever_may_be_root_gets_the_packages(
    user: int,
    prefix: str,
    asked: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Root, or sudo without a question, installs what the tests run on."""
    monkeypatch.setattr(os, "geteuid", lambda: user)
    dev.provide_extras()
    apt = f"{prefix}env DEBIAN_FRONTEND=noninteractive apt-get"
    install = "install --yes --no-install-recommends"
    assert [command for command in asked if "apt-get" in command] == [
        f"{apt} update",
        f"{apt} {install} gcc libc6-dev",
        f"{apt} {install} chromium",
        f"{apt} {install} openssl",
        f"{apt} {install} golang-go golang-golang-x-mod-dev",
    ]
    assert "the tests with Go will skip: not to be had" in capsys.readouterr().err


def test_others_are_told_what_to_type(
    asked: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Without root nothing is run, and the exact command is said."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(dev, "run_unheard", lambda *_: 1)
    dev.provide_extras()
    packages = "gcc libc6-dev chromium openssl golang-go golang-golang-x-mod-dev"
    assert f"sudo apt-get install {packages}\n" in capsys.readouterr().err


def test_what_is_there_is_not_installed(
    asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where all is installed, or no Debian, nothing is asked for."""
    monkeypatch.setattr(dev.Extra, "is_here", lambda _: True)
    dev.provide_extras()
    monkeypatch.setattr(dev.Extra, "is_here", lambda _: False)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    dev.provide_extras()
    assert asked == []


def test_an_extra_is_here_when_all_of_it_is(tmp_path: Path) -> None:
    """Programs on the PATH and folders count alike."""
    assert dev.Extra("", "", ("sh", str(tmp_path))).is_here()
    assert not dev.Extra("", "", ("sh", str(tmp_path / "x"))).is_here()
    assert not dev.Extra("", "", ("no-such-program", str(tmp_path))).is_here()


def test_an_old_python_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.10 is refused with the command or package that helps."""
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    monkeypatch.setattr(sys, "argv", ["tools/dev.py", "demo"])
    monkeypatch.setattr(shutil, "which", lambda name: name == "python3.12")
    with pytest.raises(SystemExit, match=r"fix: run python3\.12 tools/dev\.py demo"):
        dev.refuse_machine()
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(SystemExit, match=r"this is 3\.10\n  fix: install one"):
        dev.refuse_machine()


def test_an_old_python_can_read_the_refusal() -> None:
    """The script itself keeps to a syntax that Python 3.7 understands."""
    source = (ROOT / "tools" / "dev.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 7))
    before = source.split("\nrefuse_machine()\n")[0]
    assert "from tools" not in before


def test_continuous_integration_runs_what_the_readme_says() -> None:
    """The script for continuous integration calls the one command and nothing else."""
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    lines = [line for line in script.splitlines() if not line.startswith(("#", "cd "))]
    assert lines == ["set -euo pipefail", "exec python3 tools/dev.py test"]
