"""The rules of the house as functions: a source file in, its problems out.

`tests/test_tidy.py` holds every file against them. What they say, a reader would
otherwise have to remember: who may import whom, which code never reads a clock,
how long a file grows.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

# From the bottom up: a room imports from the rooms of the lines above its own, and
# from itself. A new file or folder in ledger/ needs its place here.
LAYERS = (
    ("errors",),
    ("tlog", "storage"),
    ("entry", "keys"),
    ("events",),
    ("accounting", "validation"),
    ("replay",),
    ("batch", "home", "derive", "drafts", "staging", "uploads"),
    ("anchor", "log", "names", "placing", "published", "reader", "recompute"),
    ("mirror", "publish", "witnessing"),
    ("author", "audit", "imports", "writer"),
    (
        "ahead",
        "monitor",
        "rebuild",
        "setup",
        "society",
        "witness",
        "words",
    ),
    ("backup", "intake", "wire"),
    ("restore", "sentences", "succession"),
    ("statement",),
    ("query",),
    ("receipts", "remote"),
    ("asking",),
    ("web",),
    ("demo",),
    ("cli",),
    ("__init__", "__main__"),
)
RANKS = {room: rank for rank, rooms in enumerate(LAYERS) for room in rooms}
PURE_BELOW = RANKS["home"]  # from here on, code may touch the machine

# Each library has one door.
DOORS = {
    "flask": ("web/",),
    "jinja2": ("web/",),
    "msgpack": ("ledger/entry/canonical.py",),
    "nacl": ("ledger/tlog/ed25519.py", "ledger/keys/"),
    "sqlite3": ("ledger/storage/",),
    "sqlite_utils": ("ledger/storage/",),
    "werkzeug": ("web/",),
}
# Files that run where nothing of ours, or nothing at all, is installed.
STANDALONE = {
    "tools/verify.py": {"msgpack", "nacl"},
    "tools/dev.py": {"tools"},
    "tools/environment.py": set[str](),
}

CLOCK_AND_CHANCE_MODULES = {"random", "secrets", "time"}
CLOCK_AND_CHANCE_NAMES = {
    *("now", "today", "utcnow"),
    *("environ", "getenv"),
    *("getrandom", "urandom", "uuid1", "uuid4"),
}
EXACT_ROOMS = {"tlog", "entry", "events", "accounting", "validation", "replay"}

FILE_LINES_MAX = 400
# The stand-alone verifier has to be one file; a fifth of it is tables and their words.
FILE_LINES_MAX_OF = {"tools/verify.py": 760}
FUNCTION_LINES_MAX = 60

# What a reader of the published project could not place, or should not find.
WORDS = re.compile(
    r"""\b(?: claude | anthropic | chatgpt | openai | copilot )\b
    | \b(?-i: TODO | FIXME | XXX )\b
    | (?<![\w.]) prototypes? \b
    | (?<![\w.]) prompts? \b (?!\s*[=(])
    | \b research/ | (?<!\w) /work/ | \b brief\.md \b
    | (?: index | find ) -? (?: url | links ) \b [ =]""",
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True)
class Source:
    """A file of the project: its path from the root, and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree; only Python files have one."""
        return ast.parse(self.text, self.path)

    @property
    def top(self) -> str:
        """The folder in the root that holds the file."""
        return self.path.split("/", maxsplit=1)[0]

    @property
    def room(self) -> str:
        """What holds the file: a folder or module of ledger/, or web."""
        if self.top != "ledger":
            return self.top
        return self.path.split("/")[1].removesuffix(".py")

    @cached_property
    def imports(self) -> list[tuple[int, str]]:
        """Line and dotted name of everything imported, wherever it stands."""
        found = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found += [(node.lineno, alias.name) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = "." * node.level + (node.module or "")
                found += [(node.lineno, f"{base}.{a.name}") for a in node.names]
        return found

    @property
    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Every function and method, nested ones too."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node


Rule = Callable[[Source], Iterator[str]]


def layers(source: Source) -> Iterator[str]:
    """A room imports only from the layers below it."""
    if source.top not in {"ledger", "web"}:
        return
    if source.room not in RANKS:
        yield f"{source.room} has no layer: give it one in tests/tidy.py"
        return
    for line, name in source.imports:
        top, _, rest = name.partition(".")
        room = "web" if top == "web" else rest.split(".")[0]
        if top not in {"ledger", "web"} or room in {source.room, "__version__"}:
            continue
        rank = RANKS.get(room, RANKS["__init__"])
        if rank >= RANKS[source.room]:
            yield f"{line}: {source.room} may not import {name}"


def absolute_imports(source: Source) -> Iterator[str]:
    """Imports name the whole path, so that the layers can be read off them."""
    for line, name in source.imports:
        if name.startswith("."):
            yield f"{line}: import {name} by its full name"


def doors(source: Source) -> Iterator[str]:
    """A library is imported in one place only, behind our own names."""
    if source.top not in {"ledger", "web"}:
        return
    for line, name in source.imports:
        allowed = DOORS.get(name.split(".")[0])
        if allowed is not None and not source.path.startswith(allowed):
            yield f"{line}: {name} is for {', '.join(allowed)} alone"


def standalone(source: Source) -> Iterator[str]:
    """What must run by itself imports the standard library and what it says."""
    if source.path not in STANDALONE:
        return
    known = sys.stdlib_module_names | STANDALONE[source.path]
    for line, name in source.imports:
        if name.split(".")[0] not in known:
            yield f"{line}: {source.path} runs without {name}"


def clock_and_chance(source: Source) -> Iterator[str]:
    """Below the log, nothing reads a clock, the environment or randomness."""
    if source.top != "ledger" or RANKS.get(source.room, PURE_BELOW) >= PURE_BELOW:
        return
    for line, name in source.imports:
        parts = name.split(".")
        if parts[0] in CLOCK_AND_CHANCE_MODULES or parts[-1] in CLOCK_AND_CHANCE_NAMES:
            yield f"{line}: {name} depends on more than the arguments"
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and node.attr in CLOCK_AND_CHANCE_NAMES:
            yield f"{node.lineno}: .{node.attr} depends on more than the arguments"


def exact_numbers(source: Source) -> Iterator[str]:
    """Money, shares and indexes are integers: no float, no Decimal, no `/`."""
    if source.top != "ledger" or source.room not in EXACT_ROOMS:
        return
    for line, name in source.imports:
        if name.split(".")[0] == "decimal":
            yield f"{line}: integers only, no decimal"
    for node in ast.walk(source.tree):
        match node:
            case ast.Constant(value=float()) | ast.Call(func=ast.Name(id="float")):
                yield f"{node.lineno}: integers only, no float"
            case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
                yield f"{node.lineno}: `/` makes a float; use `//`"


def no_assert(source: Source) -> Iterator[str]:
    """Invariants raise InvariantError: `python -O` strips assertions."""
    if source.top not in {"ledger", "web"}:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Assert):
            yield f"{node.lineno}: raise InvariantError, do not assert"


def lengths(source: Source) -> Iterator[str]:
    """A file can be read in one sitting, a function at one glance."""
    most = FILE_LINES_MAX_OF.get(source.path, FILE_LINES_MAX)
    lines = len(source.text.splitlines())
    if lines > most:
        yield f"{lines} lines, at most {most}"
    for function in source.functions:
        length = (function.end_lineno or 0) - function.lineno + 1
        if length > FUNCTION_LINES_MAX:
            yield (
                f"{function.lineno}: {function.name} has {length} lines,"
                f" at most {FUNCTION_LINES_MAX}"
            )


def docstrings(source: Source) -> Iterator[str]:
    """Every module says what it is for, every test which property it shows."""
    if source.text.strip() and not ast.get_docstring(source.tree):
        yield "1: the module says nothing of itself"
    if source.top != "tests":
        return
    for function in source.functions:
        if function.name.startswith("test_") and not ast.get_docstring(function):
            yield f"{function.lineno}: {function.name} does not say what it shows"


def words(source: Source) -> Iterator[str]:
    """The project speaks of itself alone, and leaves nothing half said."""
    for number, line in enumerate(source.text.splitlines(), start=1):
        found = WORDS.search(line)
        if found:
            yield f"{number}: {found[0].strip()!r} has no place here"


PYTHON_RULES: tuple[Rule, ...] = (
    layers,
    absolute_imports,
    doors,
    standalone,
    clock_and_chance,
    exact_numbers,
    no_assert,
    lengths,
    docstrings,
)
