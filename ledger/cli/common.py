"""What commands share: where the home is, how it is opened, how long things take."""

from __future__ import annotations

import inspect
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import Self
from typing import TypeVar

import click

from ledger.home import DEFAULT_HOME
from ledger.home import HOME_VARIABLE
from ledger.home import Home

if TYPE_CHECKING:
    from ledger.query import Reader

KEYS_VARIABLE = "LINERNOTE_KEYS"
OFFLINE_KEYS = "linernote-keys"

BAR_AFTER_SECONDS = 0.5
LINE_EVERY_SECONDS = 15.0

_TYPED = ("linernote ", "./", " ")
"""What a line of an example begins with that is typed, and not told."""

_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass
class Settings:
    """What was said before or beside a command.

    Attributes:
        home: folder of the log home.
        keys: folder of keys, where it is not the home's.
        json: whether a document is to be printed.
        named: whether the home was given as an option.
    """

    home: Path
    keys: Path | None = None
    json: bool = False
    named: bool = False

    @classmethod
    def of_environment(cls) -> Settings:
        """Read what the environment says."""
        keys = os.environ.get(KEYS_VARIABLE)
        return cls(
            Path(os.environ.get(HOME_VARIABLE) or DEFAULT_HOME),
            Path(keys) if keys else None,
        )

    @property
    def place(self) -> Home:
        """The log home."""
        return Home(self.home)

    @property
    def home_words(self) -> str:
        """What a command of ours needs after it to mean this home."""
        return f" --home {shlex.quote(str(self.home))}" if self.named else ""

    @property
    def keys_folder(self) -> Path:
        """Where keys are: as said, or in the home, or beside, where there is none."""
        if self.keys is not None:
            return self.keys
        return self.place.keys if self.home.is_dir() else Path(OFFLINE_KEYS)


class Command(click.Command):
    """A command whose help ends with examples, shown as they are typed.

    Args:
        examples: lines; those that are no command say what the next one does.
    """

    def __init__(self, *args: Any, examples: str, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **kwargs)
        self.examples = inspect.cleandoc(examples)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        super().format_epilog(ctx, formatter)
        with formatter.section("Examples"):
            indent = " " * formatter.current_indent
            for line in self.examples.splitlines():
                typed = line.startswith(_TYPED) or not line
                shown = line if typed else f"# {line}"
                formatter.write(f"{indent}{shown}".rstrip() + "\n")


pass_settings = click.make_pass_decorator(Settings)


def _set(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def set_option(ctx: click.Context, _: click.Parameter, value: Any) -> None:  # noqa: ANN401
        settings = ctx.find_object(Settings)
        if settings is not None and value:
            setattr(settings, name, value)
            settings.named |= name == "home"

    return set_option


def home_option(command: _Command) -> _Command:
    """Add ``--home``, which may stand before the command or after it."""
    return click.option(
        "--home",
        type=click.Path(readable=False, path_type=Path),
        metavar="FOLDER",
        expose_value=False,
        callback=_set("home"),
        help=f"Log home.  [default: {HOME_VARIABLE}, or ./{DEFAULT_HOME}]",
    )(command)


def keys_option(command: _Command) -> _Command:
    """Add ``--keys``, for who signs without a log home."""
    return click.option(
        "--keys",
        type=click.Path(readable=False, path_type=Path),
        metavar="FOLDER",
        expose_value=False,
        callback=_set("keys"),
        help=f"Folder of keys.  [default: {KEYS_VARIABLE}, or keys/ in the home, or"
        f" ./{OFFLINE_KEYS}]",
    )(command)


def json_option(command: _Command) -> _Command:
    """Add ``--json``."""
    return click.option(
        "--json",
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=_set("json"),
        help="Print one JSON document (ledger/docs/json.md).",
    )(command)


def hint(text: str) -> None:
    """Say something beside the point, on standard error."""
    click.echo(text, err=True)


@contextmanager
def open_home(settings: Settings) -> Iterator[Reader]:
    """Open the home for questions.

    Raises:
        InputError: `home-missing`.
        HomeError: as `open_reader` and `Names.load`.
    """
    from ledger.names import Names
    from ledger.query import Reader
    from ledger.writer import open_reader

    home = settings.place
    store = open_reader(home)
    scratch = home.staging
    if not os.access(scratch, os.W_OK):  # somebody else's home, read only
        scratch = Path(tempfile.gettempdir())
    with Reader(store, Names.load(home.names), scratch) as reader:
        yield reader


class Progress:
    """Shows how far long work has come, on standard error.

    A bar on a terminal once it takes longer than a moment; elsewhere a line now and
    then, so that a log of the output shows that it goes on.

    Args:
        label: what is being done.
    """

    def __init__(self, label: str) -> None:
        self._label = label
        self._started = self._told = time.monotonic()
        self._bar: Any = None

    def __call__(self, done: int, total: int) -> None:
        """Note that so much is done."""
        now = time.monotonic()
        if self._bar is not None:
            self._bar.update(done - self._bar.pos)
        elif sys.stderr.isatty():
            if now - self._started > BAR_AFTER_SECONDS:
                bar = click.progressbar(
                    length=total, label=self._label, file=sys.stderr
                )
                self._bar = bar.__enter__()
        elif now - self._told > LINE_EVERY_SECONDS:
            self._told = now
            hint(f"{self._label}: {done:,} of {total:,}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.render_finish()
