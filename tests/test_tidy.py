"""The house keeps its own rules, and each rule notices when it is broken."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests import tidy

ROOT = Path(__file__).resolve().parents[1]
OWNERS_NAMES = {"README.md", "ledger", "pyproject.toml", "tests", "tools", "web"}
TOOLS_NAMES = {"CHANGELOG.md", "LICENSE", "requirements.lock"}
TEXTS = {
    *(".css", ".go", ".html", ".js", ".md", ".py"),
    *(".pyi", ".sql", ".toml", ".txt", ""),
}
# Other people's text, and the list of words itself.
NOT_OURS = ("LICENSE", "web/static/vendor/", "tests/tidy.py", "tests/test_tidy.py")


@cache
def paths() -> tuple[str, ...]:
    """Every file that is committed or could be, by git's account."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(
        command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout: what belongs to the project is unknown")
    return tuple(p for p in listed.stdout.split("\0") if (ROOT / p).is_file())


@cache
def sources() -> tuple[tidy.Source, ...]:
    """Every Python file of the project."""
    return tuple(read(path) for path in paths() if path.endswith(".py"))


def read(path: str) -> tidy.Source:
    return tidy.Source(path, (ROOT / path).read_text(encoding="utf-8"))


def problems(rule: tidy.Rule, *files: tidy.Source) -> list[str]:
    return [f"{file.path}:{problem}" for file in files for problem in rule(file)]


@pytest.mark.parametrize("rule", tidy.PYTHON_RULES, ids=lambda rule: rule.__name__)
def test_every_file_keeps_the_rule(rule: tidy.Rule) -> None:
    """No Python file of the project breaks a rule of the house."""
    found = problems(rule, *sources())
    assert not found, "\n".join(found)


def test_the_project_speaks_of_itself_alone() -> None:
    """No text has a word in it that its reader cannot place."""
    texts = [
        read(path)
        for path in paths()
        if Path(path).suffix in TEXTS and not path.startswith(NOT_OURS)
    ]
    assert len(texts) > len(sources()) / 2
    found = problems(tidy.words, *texts)
    assert not found, "\n".join(found)


def test_the_root_stays_small() -> None:
    """The root holds the owner's six names and what tools demand there."""
    names = {path.split("/")[0] for path in paths()}
    strangers = {name for name in names if not name.startswith(".")}
    assert strangers - OWNERS_NAMES - TOOLS_NAMES == set()


LONG = "def f() -> None:\n" + "    pass\n" * 60
BROKEN = [
    (tidy.layers, "ledger/tlog/x.py", "from ledger.entry.envelope import Entry"),
    (tidy.layers, "ledger/storage/x.py", "import ledger.tlog.tiles"),
    (tidy.layers, "ledger/replay/x.py", "from ledger import log"),
    (tidy.layers, "ledger/log.py", "def f():\n    from ledger.cli import main"),
    (tidy.layers, "ledger/events/x.py", "from ledger import Ledger"),
    (tidy.layers, "ledger/query.py", "import web"),
    (tidy.layers, "web/pages.py", "from ledger.cli.output import table"),
    (tidy.layers, "ledger/new.py", ""),
    (tidy.absolute_imports, "ledger/tlog/x.py", "from .text import parse_hex"),
    (tidy.doors, "ledger/entry/x.py", "import msgpack"),
    (tidy.doors, "ledger/tlog/note.py", "from nacl.signing import SigningKey"),
    (tidy.doors, "ledger/log.py", "import sqlite3"),
    (tidy.doors, "ledger/cli/serve.py", "from flask import Flask"),
    (tidy.standalone, "tools/verify.py", "from ledger.tlog import merkle"),
    (tidy.standalone, "tools/dev.py", "import click"),
    (tidy.clock_and_chance, "ledger/replay/x.py", "import time"),
    (tidy.clock_and_chance, "ledger/keys/x.py", "from os import urandom"),
    (tidy.clock_and_chance, "ledger/events/x.py", "d = datetime.date.today()"),
    (tidy.clock_and_chance, "ledger/storage/x.py", "import os\nos.environ['HOME']"),
    (tidy.exact_numbers, "ledger/accounting/x.py", "half = total / 2"),
    (tidy.exact_numbers, "ledger/accounting/x.py", "rate = 0.5"),
    (tidy.exact_numbers, "ledger/replay/x.py", "x = float(y)"),
    (tidy.exact_numbers, "ledger/events/x.py", "from decimal import Decimal"),
    (tidy.no_assert, "web/api.py", "assert size > 0"),
    (tidy.lengths, "ledger/tlog/x.py", "\n" * 401),
    (tidy.lengths, "tests/test_x.py", LONG),
    (tidy.docstrings, "tests/test_x.py", '"""X."""\ndef test_y() -> None: ...'),
    (tidy.docstrings, "tools/x.py", "x = 1"),
    (tidy.words, "ledger/docs/x.md", "see /work/shared for more"),
    (tidy.words, "ledger/x.py", "# TODO: later"),
    (tidy.words, "README.md", "The prompt said so."),
]


@pytest.mark.parametrize(("rule", "path", "text"), BROKEN)
def test_the_rule_notices(rule: tidy.Rule, path: str, text: str) -> None:
    """Each rule finds the example that breaks it."""
    assert len(problems(rule, tidy.Source(path, text))) == 1


ALLOWED = [
    (tidy.layers, "ledger/entry/x.py", "from ledger.tlog import text"),
    (tidy.layers, "ledger/tlog/x.py", "from ledger import __version__"),
    (tidy.layers, "ledger/cli/serve.py", "from web import create_app"),
    (tidy.layers, "tests/tlog/test_x.py", "import ledger.cli"),
    (tidy.doors, "ledger/entry/canonical.py", "import msgpack"),
    (tidy.doors, "tests/test_x.py", "import msgpack"),
    (tidy.clock_and_chance, "ledger/log.py", "import time"),
    (tidy.exact_numbers, "ledger/entry/x.py", "isinstance(value, float)"),
    (tidy.lengths, "tools/verify.py", "\n" * 600),
    (tidy.words, "ledger/cli/key.py", "click.prompt('Passphrase')"),
    (tidy.words, "ledger/cli/key.py", "option(prompt=True, hide_input=True)"),
]


@pytest.mark.parametrize(("rule", "path", "text"), ALLOWED)
def test_the_rule_lets_pass(rule: tidy.Rule, path: str, text: str) -> None:
    """No rule forbids what the house allows."""
    assert problems(rule, tidy.Source(path, text)) == []
