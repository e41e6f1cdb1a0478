"""The set-up mends what it can, and says exactly what to do about the rest."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest

from tools import environment
from tools.environment import CORE_LOCK
from tools.environment import DEVELOPMENT_LOCK
from tools.environment import PROJECT
from tools.environment import Environment
from tools.environment import SetupError


class Rehearsal(Environment):
    """An environment of links: pip is only asked, and what it was asked is kept."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked: list[str] = []
        self.failing = ""

    @property
    def packages(self) -> Path:
        """Where packages would be installed."""
        return self.folder / "lib" / "python3" / "site-packages"

    def create(self) -> None:
        self.asked.append("venv")
        self.python.parent.mkdir(parents=True)
        self.python.symlink_to(sys.executable)
        self.packages.mkdir(parents=True)
        (self.folder / "pyvenv.cfg").touch()

    def pip_install(self, *arguments: str) -> None:
        if self.failing and self.failing in arguments[-1]:
            raise SetupError("no network", "connect")
        self.asked.append(Path(arguments[-1]).name)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Give a checkout with the three files that say what to install."""
    (tmp_path / "tools").mkdir()
    for name in (CORE_LOCK, DEVELOPMENT_LOCK, PROJECT):
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.fixture
def ready(checkout: Path) -> Rehearsal:
    """Give an environment in which everything is installed."""
    made = Rehearsal(checkout)
    made.prepare(development=True)
    made.asked.clear()
    return made


def test_the_demonstration_needs_the_core_alone(checkout: Path) -> None:
    """Without development tools, one lock and the project are installed."""
    made = Rehearsal(checkout)
    made.prepare(development=False)
    assert made.asked == ["venv", "requirements.lock", checkout.name]


def test_the_tests_add_the_development_tools(checkout: Path) -> None:
    """Testing after a demonstration installs only what is missing."""
    made = Rehearsal(checkout)
    made.prepare(development=False)
    made.asked.clear()
    made.prepare(development=True)
    assert made.asked == ["requirements-dev.lock"]


def test_what_is_installed_is_not_installed_again(ready: Rehearsal) -> None:
    """A second run asks pip for nothing, so that it needs no network."""
    ready.prepare(development=True)
    assert ready.asked == []


@pytest.mark.parametrize("name", [CORE_LOCK, DEVELOPMENT_LOCK])
def test_a_changed_lock_is_installed(ready: Rehearsal, name: str) -> None:
    """Only the lock that changed is installed again."""
    (ready.root / name).write_text("changed")
    ready.prepare(development=True)
    assert ready.asked == [Path(name).name]


def test_an_interrupted_set_up_is_taken_up_again(checkout: Path) -> None:
    """What failed is not noted as installed; what succeeded is not repeated."""
    made = Rehearsal(checkout)
    made.failing = "dev.lock"
    with pytest.raises(SetupError):
        made.prepare(development=True)
    made.failing = ""
    made.asked.clear()
    made.prepare(development=True)
    assert made.asked == ["requirements-dev.lock", checkout.name]


def test_a_broken_environment_is_made_anew(
    ready: Rehearsal, capsys: pytest.CaptureFixture[str]
) -> None:
    """An interpreter that is gone costs a new environment, and a word about it."""
    ready.python.unlink()
    ready.python.symlink_to("/nowhere/python3")
    ready.prepare(development=False)
    assert ready.asked[0] == "venv"
    assert ".venv is broken: making it anew" in capsys.readouterr().err


def test_the_environment_of_another_python_is_made_anew(
    ready: Rehearsal, capsys: pytest.CaptureFixture[str]
) -> None:
    """Packages built for another version of Python are not used."""
    ready.python.unlink()
    ready.python.write_text("#!/bin/sh\necho 3.9\n")
    ready.python.chmod(0o755)
    ready.prepare(development=False)
    assert ready.asked[0] == "venv"
    assert "is of Python 3.9" in capsys.readouterr().err


def test_the_environment_of_a_moved_checkout_is_made_anew(ready: Rehearsal) -> None:
    """After a move the old environment would import from the old place."""
    moved = ready.root.with_name(f"{ready.root.name} moved")
    ready.root.rename(moved)
    there = Rehearsal(moved)
    there.prepare(development=False)
    assert there.asked[0] == "venv"


def test_what_is_no_environment_is_never_deleted(checkout: Path) -> None:
    """A folder or link called .venv that is not ours is left alone."""
    made = Rehearsal(checkout)
    made.folder.mkdir()
    (made.folder / "diary.txt").write_text("mine")
    with pytest.raises(SetupError) as error:
        made.prepare(development=False)
    assert error.value.fix.startswith("move it away: mv ")
    made.folder.rename(checkout / "elsewhere")
    (checkout / "elsewhere" / "pyvenv.cfg").touch()
    made.folder.symlink_to(checkout / "elsewhere")
    with pytest.raises(SetupError):
        made.prepare(development=False)
    assert (checkout / "elsewhere" / "diary.txt").exists()


def test_a_foreign_package_called_web_is_refused(ready: Rehearsal) -> None:
    """Where web.py hides our `web`, the message names the command that mends it."""
    (ready.packages / "web").mkdir()
    table = ready.packages / "web_py-0.62.dist-info" / "RECORD"
    table.parent.mkdir()
    table.write_text("web/__init__.py,sha256=x,1\n")
    with pytest.raises(SetupError, match=r"web_py in \.venv hides") as error:
        ready.prepare(development=False)
    assert error.value.fix == f"{ready.python} -m pip uninstall web_py"


def test_a_foreign_module_of_nobody_is_refused(ready: Rehearsal) -> None:
    """A stray file that hides our package is named, with the command to remove it."""
    stray = ready.packages / "ledger.py"
    stray.touch()
    with pytest.raises(SetupError) as error:
        ready.prepare(development=False)
    assert error.value.fix == f"rm -r {stray}"


def test_our_own_copy_gives_way(ready: Rehearsal) -> None:
    """A copy of linernote in the environment is replaced by the checkout itself."""
    (ready.packages / "web").mkdir()
    table = ready.packages / "linernote-0.1.0.dist-info" / "RECORD"
    table.parent.mkdir()
    table.write_text("web/__init__.py,sha256=x,1\n")
    ready.prepare(development=False)
    assert ready.asked[-1] == ready.root.name


def without(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a module look as if it were not installed."""
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == module else find(name)
    )


def test_without_ensurepip_the_systems_pip_serves(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Debian without python3-venv, but with pip, still gets its environment."""
    without("ensurepip", monkeypatch)
    monkeypatch.setattr(environment, "system_pip_reaches_out", lambda: True)
    ran: list[list[str]] = []
    made = Environment(checkout)
    made.create()
    assert environment.ask_version(made.python) == environment.THIS_PYTHON
    assert not list(made.folder.glob("lib/python*/site-packages/pip"))
    monkeypatch.setattr(environment, "run_quietly", lambda call, _: ran.append(call))
    made.pip_install("six")
    assert ran[0][:5] == [sys.executable, "-m", "pip", "--python", str(made.python)]


def test_without_any_pip_the_package_to_install_is_named(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing can install, the apt command is printed and nothing is left."""
    without("ensurepip", monkeypatch)
    monkeypatch.setattr(environment, "system_pip_reaches_out", lambda: False)
    made = Environment(checkout)
    with pytest.raises(SetupError) as error:
        made.prepare(development=False)
    assert "apt-get install python3" in error.value.fix
    assert error.value.fix.endswith("-venv")
    assert not made.folder.exists()


def test_half_an_environment_is_taken_away(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When making the environment fails midway, the next run starts afresh."""
    made = Environment(checkout)

    def fail(*_: object) -> None:
        made.folder.mkdir()
        raise SetupError("the disk is full", "free some")

    monkeypatch.setattr(environment, "run_quietly", fail)
    with pytest.raises(SetupError):
        made.create()
    assert not made.folder.exists()


@pytest.mark.parametrize(
    ("output", "meaning"),
    [
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("[Errno 13] Permission denied: '/x'", "a folder cannot be written"),
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE",
            "a downloaded package is not the one that was locked",
        ),
        (
            "NewConnectionError: [...]\nERROR: No matching distribution found for x",
            "PyPI cannot be reached",
        ),
        (
            "ERROR: No matching distribution found for pynacl==1.6.2",
            "a locked package has no build for this Python or machine",
        ),
        ("Segmentation fault", "the virtual environment could not be made"),
    ],
)
def test_failures_are_told_by_their_cause(output: str, meaning: str) -> None:
    """What pip prints in pages is said in a line, with a way out."""
    error = environment.diagnose(output)
    assert str(error) == meaning
    assert error.fix


def test_a_failing_step_shows_its_last_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The output of a step is shown when it fails, and only then."""
    script = "import sys; print('told'); sys.exit(int(sys.argv[1]))"
    environment.run_quietly([sys.executable, "-c", script, "0"], tmp_path)
    assert capsys.readouterr().err == ""
    with pytest.raises(SetupError):
        environment.run_quietly([sys.executable, "-c", script, "1"], tmp_path)
    assert capsys.readouterr().err == "told\n"


def test_the_shell_cannot_lead_pip_astray(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings for other installations do not reach ours; certificates do."""
    monkeypatch.setenv("PIP_USER", "1")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("PIP_CERT", "/ca.pem")
    variables = environment.clean_variables()
    assert variables.keys().isdisjoint({"PIP_USER", "PYTHONPATH"})
    assert variables["PIP_CERT"] == "/ca.pem"


def test_an_interpreter_that_does_not_run_has_no_version(tmp_path: Path) -> None:
    """A missing or failing interpreter is told apart from an old one."""
    false = shutil.which("false")
    assert false
    assert environment.ask_version(tmp_path / "python") == ""
    assert environment.ask_version(Path(false)) == ""
