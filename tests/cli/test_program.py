"""The program as a whole: its help, its errors, its exit codes, what it loads."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from ledger import __version__
from ledger.cli import failing
from ledger.cli import program
from ledger.cli.common import Command
from ledger.errors import InvariantError
from tests.cli.conftest import Run
from tests.cli.conftest import Town

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"flask", "sqlite_utils", "sqlite3", "msgpack", "nacl", "waitress", "babel"}


def commands() -> Iterator[tuple[str, click.Command]]:
    """List every command with its full name."""
    context = click.Context(program.program)
    for name in program.program.list_commands(context):
        command = program.program.get_command(context, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            for inner, subcommand in command.commands.items():
                yield f"{name} {inner}", subcommand


COMMANDS = dict(commands())
LEAVES = {
    name: command
    for name, command in COMMANDS.items()
    if not isinstance(command, click.Group)
}


def start(*args: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Start the program as a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    command = [sys.executable, "-m", "ledger", *args]
    return subprocess.run(
        command, capture_output=True, text=True, env=environment, check=False
    )


def test_every_summary_is_the_first_line_of_its_help() -> None:
    """The list of commands says of each what the command says of itself."""
    for section in program.SECTIONS.values():
        for name, command in section.items():
            help_text = COMMANDS[name].help or ""
            assert help_text.splitlines()[0] == f"{command.summary}.", name


@pytest.mark.parametrize("name", LEAVES)
def test_every_command_and_option_explains_itself(name: str, run: Run) -> None:
    """Each command has help and examples, each option a text."""
    command = LEAVES[name]
    assert isinstance(command, Command), name
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, f"{name}: {option.opts}"
    done = run(*name.split(), "--help")
    assert done.code == 0
    assert "Examples:" in done.out
    assert f"linernote {name}" in done.out


@pytest.mark.parametrize("name", LEAVES)
def test_every_example_names_commands_and_options_that_exist(name: str) -> None:
    """What an example shows is what the program takes."""
    command = LEAVES[name]
    assert isinstance(command, Command)
    text = command.examples.replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.startswith("linernote ")]
    assert lines
    for line in lines:
        words = shlex.split(line.split(">")[0])[1:]
        depth = 2 if isinstance(COMMANDS.get(words[0]), click.Group) else 1
        shown = COMMANDS[" ".join(words[:depth])]
        known = {opt for param in shown.params for opt in param.opts}
        used = {word for word in words[depth:] if word.startswith("-") and word != "-"}
        assert used <= known, line


def test_the_commands_of_the_interface_are_all_there() -> None:
    """What users rely on does not get lost."""
    promised = (
        "init vkey append sign show search balances statement prove verify audit serve"
        " demo"
    )
    assert set(promised.split()) <= set(COMMANDS)
    assert {"key new", "key list", "key rotate", "key revoke"} <= set(COMMANDS)
    assert "import catalogue" in COMMANDS


def test_help_loads_nothing_heavy() -> None:
    """`linernote --help` answers at once, whatever the commands need."""
    code = (
        "import sys; from ledger.cli import main; main(['--help']);"
        "print(sorted(m.split('.')[0] for m in sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    assert "Exit codes" in done.stdout
    assert not HEAVY & set(json.loads(done.stderr.replace("'", '"')))


def test_the_version_is_printed(run: Run) -> None:
    """`--version` says which release this is."""
    assert __version__ in run("--version").out


@pytest.mark.parametrize(
    "args",
    [
        ("nonsense",),
        ("show",),
        ("show", "one"),
        ("show", "-1"),
        ("show", "0", "--colour"),
        ("key", "song"),
        ("import", "song"),
        ("init", "--origin", "a.example"),
        ("init", "--origin", "a", "--currency", "SEK", "--utc-offset", "1"),
        ("balances", "--at", "0"),
        ("verify", "x"),
        ("payout", "--currency", "SEK", "--threshold", "1,000"),
        ("payout", "--currency", "SEK", "--threshold", "-5"),
        ("search", ""),
        ("search", " "),
        ("distribute", "--licence", "1"),
        ("demo", "--fee", "1.00"),
        ("demo", "--catalogue", "x"),
        ("name", "x"),
        ("statement", "x", "--csv", "--json"),
    ],
)
def test_wrong_usage_exits_2(run: Run, args: tuple[str, ...]) -> None:
    """Wrong usage is told with the command whose help to read."""
    done = run(*args)
    assert done.code == 2, done
    if done.err.startswith("error"):
        assert "--help" in done.err


def test_errors_say_what_and_what_to_do(bare: Town) -> None:
    """An error is a line of what, one of what to do, one with the code."""
    done = bare.run("show", 9)
    assert done.code == 3
    assert done.out == ""
    assert done.err.splitlines() == [
        "error: entry 9 is not in this log of 2 entries",
        "  fix: indexes count from 0",
        "  code: no-such-entry",
    ]


@pytest.mark.parametrize("args", [("show", "9"), ("show", "x")])
def test_errors_are_documents_with_json(bare: Town, args: tuple[str, ...]) -> None:
    """With --json there is one document on standard output and nothing beside it."""
    done = bare.run(*args, "--json")
    assert done.err == ""
    assert set(done.json["error"]) == {"code", "message", "hint"}
    assert done.json["error"]["code"] == {"9": "no-such-entry", "x": "usage"}[args[1]]


def test_a_bug_is_told_without_a_traceback(
    bare: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unexpected exception exits 1, in our words, and says how to report it."""

    def broken(*_: object) -> None:
        message = "a wheel came off"
        raise ZeroDivisionError(message)

    monkeypatch.setattr("ledger.query.Reader.entry", broken)
    done = bare.run("show", 0)
    assert (done.code, done.error) == (1, "bug")
    assert "ZeroDivisionError: a wheel came off" in done.err
    assert "report" in done.err
    assert "Traceback" not in done.err
    with pytest.raises(ZeroDivisionError):
        bare.run("show", 0, **{failing.TRACEBACK_VARIABLE: "1"})


def test_a_broken_invariant_is_a_bug(
    bare: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What our own code found wrong in itself is told as such, with its code."""

    def broken(*_: object) -> None:
        raise InvariantError("books-disagree", "the two books differ")

    monkeypatch.setattr("ledger.query.Reader.entry", broken)
    done = bare.run("show", 0)
    assert (done.code, done.error) == (1, "books-disagree")
    assert "a bug of linernote's" in done.err


def test_ctrl_c_exits_130(bare: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interruption is no error of anybody's."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ledger.query.Reader.entry", interrupted)
    done = bare.run("show", 0)
    assert done.code == 130
    assert "Traceback" not in done.err


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("args", ["kinds --json", "--help", "show 0"])
def test_a_reader_that_goes_away_is_left_quietly(
    bare: Town, args: str, unbuffered: str
) -> None:
    """Into a pipe that nobody reads goes no complaint; the exit code is 141."""
    command = f"{sys.executable} -m ledger {args} | (exec <&-; sleep 2)"
    done = subprocess.run(
        ["bash", "-c", f"{command}; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "LINERNOTE_HOME": str(bare.home),
            "PYTHONUNBUFFERED": unbuffered,
        },
        check=False,
    )
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize(
    ("number", "code", "exit_code"),
    [
        (28, "disk-full", 8),
        (13, "not-permitted", 8),
        (30, "not-writable", 8),
        (5, "disk-failing", 8),
        (2, "file-missing", 3),
        (17, "file-exists", 6),
        (21, "bad-path", 3),
        (71, "system-failed", 8),
    ],
)
def test_what_the_system_refuses_is_told_in_our_words(
    number: int, code: str, exit_code: int
) -> None:
    """Each failure of the system has a code, an exit code and a fix."""
    error = failing.explain(OSError(number, os.strerror(number), "some/file"))
    assert (error.code, error.exit_code) == (code, exit_code)
    assert "some/file" in error.message
    assert error.hint


def test_the_module_runs_as_a_program(bare: Town) -> None:
    """`python -m ledger` is the same program, with its exit codes."""
    done = start("vkey", "--home", str(bare.home))
    assert (done.returncode, done.stdout.strip()) == (0, bare.vkey)
    done = start("vkey", "--home", "nowhere")
    assert done.returncode == 3


def test_the_home_is_named_before_or_after_the_command(run: Run, bare: Town) -> None:
    """--home, LINERNOTE_HOME and ./linernote-home, in this order."""
    vkey = bare.vkey
    assert run("--home", bare.home, "vkey").out.strip() == vkey
    assert run("vkey", "--home", bare.home).out.strip() == vkey
    assert run("vkey", LINERNOTE_HOME=str(bare.home)).out.strip() == vkey
    assert run("vkey").out.strip() == vkey  # the copy is ./linernote-home
    done = run("vkey", "--home", "nowhere", LINERNOTE_HOME=str(bare.home))
    assert (done.code, done.error) == (3, "home-missing")


def test_colours_only_where_they_are_wanted() -> None:
    """Neither a pipe nor NO_COLOR gets escape sequences."""
    for variables in ({}, {"NO_COLOR": "1", "FORCE_COLOR": "1"}):
        done = start("show", "0", "--home", "nowhere", **variables)
        assert "\x1b" not in done.stderr


@pytest.mark.parametrize("group", [(), ("key",), ("import",)])
def test_a_group_alone_shows_its_help(run: Run, group: tuple[str, ...]) -> None:
    """Naming no command is asking what there is: help on standard output, exit 0."""
    done = run(*group)
    assert (done.code, done.err) == (0, "")
    assert done.out == run(*group, "--help").out
