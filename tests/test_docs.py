"""The documentation tells the truth: what it shows runs, where it points exists."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
import traceback
from pathlib import Path

import pytest

from tests import markdown
from tests.markdown import Block

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [
    path
    for path in [ROOT / "README.md", *sorted((ROOT / "ledger" / "docs").rglob("*.md"))]
    if path.exists()
]
IDS = [str(path.relative_to(ROOT)) for path in DOCUMENTS]
DASHES = re.compile(r"\|(:?-+:?\|)+\Z")
COMMAND_SECONDS_MAX = 120
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def stray_rows(text: str) -> list[int]:
    """Give the numbers of lines that look like rows of a table and are in none.

    A table is a heading, a line of dashes, and the rows right below.
    """
    _, prose = markdown.split(text)
    lines = dict(prose)
    rows = {number for number, line in prose if line.startswith("|")}
    stray = []
    inside: set[int] = set()
    for number in sorted(rows):
        begins = DASHES.match(lines.get(number + 1, "")) is not None
        if begins or number - 1 in inside:
            inside.add(number)
        else:
            stray.append(number)
    return stray


def run_python(blocks: list[Block], name: str) -> None:
    """Run Python blocks in order, in one namespace; those with `>>>` as doctests."""
    names: dict[str, object] = {"__name__": "__main__"}
    for block in blocks:
        if ">>>" in block.text:
            run_doctest(block, name, names)
            continue
        # Empty lines above the code make a traceback show the document's own lines.
        padded = "\n" * (block.line - 1) + block.text
        exec(compile(padded, name, "exec"), names)


def run_doctest(block: Block, name: str, names: dict[str, object]) -> None:
    example = doctest.DocTestParser().get_doctest(
        block.text, names, name, name, block.line - 1
    )
    runner = doctest.DocTestRunner(optionflags=OPTIONS, verbose=False)
    report: list[str] = []
    runner.run(example, out=report.append, clear_globs=False)
    names.update(example.globs)
    assert not runner.failures, "".join(report)


def run_console(blocks: list[Block], name: str, folder: Path) -> None:
    """Run the commands of console blocks in order, in one folder of their own.

    A command must succeed. Output shown under it must be what it prints, with
    `...` for what changes; a block without output only shows what to type.
    """
    programs = folder / "bin"
    programs.mkdir()
    program = programs / "linernote"
    start = "import sys; from ledger.cli import main; sys.exit(main())"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{start}" "$@"\n')
    program.chmod(0o755)
    home = folder / "home"
    home.mkdir()
    variables = {
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "NO_COLOR": "1",
        "PATH": os.pathsep.join([str(programs), os.environ["PATH"]]),
        "PYTHONPATH": str(ROOT),
    }
    for step in (step for block in blocks for step in markdown.commands(block)):
        done = subprocess.run(
            ["sh", "-c", step.command],
            cwd=home,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=COMMAND_SECONDS_MAX,
            check=False,
        )
        where = f"{name}:{step.line}: $ {step.command}\n{done.stdout}"
        assert done.returncode == 0, f"exit code {done.returncode}: {where}"
        shown = step.shown.strip()
        same = doctest.OutputChecker().check_output(shown, done.stdout.strip(), OPTIONS)
        assert not shown or same, f"prints something else than shown: {where}"


def runnable(path: Path, *languages: str) -> list[Block]:
    """Return a document's blocks in these languages, without those marked not run."""
    blocks, _ = markdown.split(path.read_text(encoding="utf-8"))
    return [b for b in blocks if b.language in languages and not b.not_run]


@pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)
def test_python_in_the_documents_runs(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every Python block of a document does what the document says."""
    monkeypatch.chdir(tmp_path)
    run_python(runnable(path, "python", "pycon"), str(path.relative_to(ROOT)))


@pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)
def test_commands_in_the_documents_run(path: Path, tmp_path: Path) -> None:
    """A reader who types the commands of a document, in order, meets no error."""
    blocks = [
        block
        for block in runnable(path, "console", "sh")
        if block.text.startswith("$ linernote ")
    ]
    run_console(blocks, str(path.relative_to(ROOT)), tmp_path)


@pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)
def test_links_in_the_documents_lead_somewhere(path: Path) -> None:
    """A link to a file of the project, or to a heading in it, finds it."""
    _, prose = markdown.split(path.read_text(encoding="utf-8"))
    for number, target in markdown.links(prose):
        if target.startswith(("https://", "http://", "mailto:")):
            continue
        name, _, anchor = target.partition("#")
        to = (path.parent / name).resolve() if name else path
        where = f"{path.relative_to(ROOT)}:{number}: {target}"
        assert to.is_relative_to(ROOT), f"{where} leaves the project"
        assert to.exists(), f"{where} is not there"
        if anchor and to.suffix == ".md":
            _, there = markdown.split(to.read_text(encoding="utf-8"))
            assert anchor in markdown.anchors(there), f"{where} has no such heading"


DOCUMENT = """\
# A heading, with `code`

```python
x = 1
```
Then, two lines further down:
```python
>>> x + 1
2
```

<!-- not run: it never ends -->
```console
$ linernote serve
```

- in a list
  ```console
  $ echo one \\
      two
  one two
  $ cat > file <<END
  text
  END
  $ cat file
  te...
  ```
[here](#a-heading-with-code) and `[not](this)` and [there](x.md "title")
"""


@pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)
def test_rows_of_tables_stand_in_tables(path: Path) -> None:
    """Every line that is meant as a row of a table is shown as one."""
    assert stray_rows(path.read_text(encoding="utf-8")) == []


def test_rows_outside_of_tables_are_noticed() -> None:
    """A row after a sentence or an empty line is told, one in a table is not."""
    table = "| a | b |\n|---|---|\n| 1 | 2 |\n"
    assert stray_rows(table) == []
    assert stray_rows(f"{table}\n| 3 | 4 |\n") == [5]
    assert stray_rows(f"{table}\nSaid.\n| 3 | 4 |\n| 5 | 6 |\n") == [6, 7]


def test_blocks_are_found_where_they_stand() -> None:
    """Blocks come with language, first line and the reason for not running them."""
    blocks, prose = markdown.split(DOCUMENT)
    assert [(b.language, b.line, b.not_run) for b in blocks] == [
        ("python", 4, ""),
        ("python", 8, ""),
        ("console", 14, "it never ends"),
        ("console", 19, ""),
    ]
    assert blocks[3].text.startswith("$ echo one \\\n    two\none two\n")
    assert markdown.anchors(prose) == {"a-heading-with-code"}
    assert [to for _, to in markdown.links(prose)] == ["#a-heading-with-code", "x.md"]


def test_commands_run_in_order_in_one_folder(tmp_path: Path) -> None:
    """A later command finds what an earlier one wrote, and output is compared."""
    blocks, _ = markdown.split(DOCUMENT)
    steps = list(markdown.commands(blocks[3]))
    assert [(step.line, step.shown) for step in steps] == [
        (19, "one two"),
        (22, ""),
        (25, "te..."),
    ]
    run_console(blocks[3:], "example", tmp_path)


@pytest.mark.parametrize("text", ["$ false", "$ echo one\ntwo", "$ linernote no-such"])
def test_commands_that_do_something_else_are_noticed(text: str, tmp_path: Path) -> None:
    """A failing command, or other output than shown, fails the test."""
    with pytest.raises(AssertionError):
        run_console([Block("console", text, 1, "")], "example", tmp_path)


@pytest.mark.parametrize("text", [">>> 1 + 1\n3\n", "assert False\n"])
def test_python_that_does_something_else_is_noticed(text: str) -> None:
    """A wrong result in a doctest, and a failing plain block, fail the test."""
    with pytest.raises(AssertionError):
        run_python([Block("python", text, 1, "")], "example")


def test_python_blocks_share_their_names_and_tell_their_line() -> None:
    """A block sees what the ones above it defined; errors name the document's line."""
    blocks, _ = markdown.split(DOCUMENT)
    run_python(blocks[:2], "example")
    with pytest.raises(ZeroDivisionError) as error:
        run_python([Block("python", "x = 1\nx / 0\n", 41, "")], "example")
    assert traceback.extract_tb(error.tb)[-1].lineno == 42


def test_a_fence_left_open_is_an_error() -> None:
    """A document whose last block never ends is refused rather than half read."""
    with pytest.raises(ValueError, match="line 1 is never closed"):
        markdown.split("```python\nx = 1\n")
