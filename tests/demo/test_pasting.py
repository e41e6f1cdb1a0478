"""Commands that the demonstration prints run as they are printed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ledger.demo import pasting
from ledger.demo import run_demo


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with an environment of its own, on a bare PATH."""
    folder = tmp_path / ".venv" / "bin"
    folder.mkdir(parents=True)
    python, script = folder / "python", folder / "linernote"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n', encoding="utf-8")
    script.write_text(
        "#!/bin/sh\n"
        f'PYTHONPATH={pasting.CHECKOUT} exec {sys.executable} -m ledger "$@"\n',
        encoding="utf-8",
    )
    for file in (python, script):
        file.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr(sys, "executable", str(python))
    return folder


def test_what_is_printed_runs_when_pasted(environment: Path) -> None:
    """With neither environment nor project on PATH every command exits 0."""
    said: list[str] = []
    run_demo(Path("a home"), said.append)
    commands = [line for line in said if "--home " in line or "--vkey " in line]
    assert len(commands) == 5
    for command in commands:
        done = subprocess.run(
            ["/bin/sh", "-c", command], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, command + done.stderr
    assert commands[0].startswith("  .venv/bin/linernote statement ")
    assert commands[-1].startswith("  .venv/bin/python ")
    assert environment.is_dir()


def test_a_name_that_the_shell_finds_stays_a_name(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has activated the environment reads the plain name; so has who lacks one."""
    monkeypatch.setenv("PATH", str(environment))
    assert pasting.program_words() == "linernote"
    (environment / "linernote").unlink()
    assert pasting.program_words() == "linernote"


def test_the_verifier_is_named_plainly_where_it_is_not(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An installation has no tools folder; a checkout has, and names it from here."""
    assert environment.is_dir()
    assert pasting.verifier_words(Path("/nowhere")) == "python3 tools/verify.py"
    monkeypatch.chdir(pasting.CHECKOUT)
    assert pasting.verifier_words().endswith("/.venv/bin/python tools/verify.py")
