"""The program: its commands by name, and what becomes of what they raise."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import NamedTuple

import click

from ledger import __version__
from ledger.cli.common import Settings
from ledger.cli.common import home_option
from ledger.cli.failing import run

PROGRAM = "linernote"


class Command(NamedTuple):
    """Where a command is, and what it does in a few words.

    Attributes:
        place: module and name in it.
        summary: the first line of its help, without the full stop.
    """

    place: str
    summary: str


SECTIONS: dict[str, dict[str, Command]] = {
    "Set up": {
        "init": Command("setting_up:init", "Make a new log and its operator"),
        "vkey": Command("setting_up:vkey", "Print the log's verifier key"),
        "head": Command("setting_up:head", "Print what is needed to sign offline"),
        "key": Command("key:key", "Make, list, rotate and revoke keys"),
        "name": Command("setting_up:name", "Name a party or title a recording"),
    },
    "Write": {
        "append": Command("append:append", "Append events to the log"),
        "sign": Command("append:sign", "Sign events for another to append"),
        "import": Command("imports:import_", "Bring a catalogue in from a table"),
        "bill": Command("billing:bill", "Bill a lab for a run"),
        "receive": Command("billing:receive", "Note that a due was paid"),
        "distribute": Command("society:distribute", "Share the fee of a run out"),
        "payout": Command("society:payout", "Pay balances out"),
        "kinds": Command("kinds:kinds", "Explain the kinds of events and their fields"),
    },
    "Read": {
        "show": Command("show:show", "Show one entry in words, fields and bytes"),
        "search": Command("show:search", "Find parties, recordings and entries"),
        "balances": Command("money:balances", "List what every party is owed"),
        "statement": Command(
            "money:statement", "Explain what a party was paid, and why"
        ),
    },
    "Verify": {
        "prove": Command("proofs:prove", "Write the proof that an entry is in the log"),
        "verify": Command(
            "proofs:verify", "Verify proofs offline, or a log somewhere else"
        ),
        "audit": Command("auditing:audit", "Verify everything, and recompute balances"),
        "rebuild": Command("auditing:rebuild", "Derive state and tables anew"),
        "monitor": Command("following:monitor", "Follow a log, and raise alarms"),
        "mirror": Command("following:mirror", "Copy a published log, verified"),
    },
    "Keep": {
        "backup": Command("keeping:backup", "Copy the log while it is written to"),
        "restore": Command("keeping:restore", "Bring a log back, and up to date"),
    },
    "Run": {
        "serve": Command("serving:serve", "Serve the viewer and the API"),
        "status": Command("status:status", "Say how the log and its witnesses stand"),
        "witness": Command(
            "witness:witness", "Cosign other logs, and ask for cosignatures"
        ),
        "demo": Command("serving:demo", "Build, verify and serve a demonstration log"),
    },
}

EPILOG = """Every command explains itself: linernote COMMAND --help.

Exit codes: 0 done, 1 a bug of ours, 2 wrong usage, 3 invalid input, 4 verification
FAILED, 5 could not verify, 6 conflict with the log, 7 not authorised, 8 the log
refuses to run.
"""


class LazyGroup(click.Group):
    """A group that imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the names of all commands, in the order of the help."""
        del ctx
        return [name for commands in SECTIONS.values() for name in commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        del ctx
        for commands in SECTIONS.values():
            if cmd_name in commands:
                return _load(commands[cmd_name])
        return None

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """List the commands by section, without importing them."""
        del ctx
        for section, commands in SECTIONS.items():
            with formatter.section(section):
                formatter.write_dl([(n, c.summary) for n, c in commands.items()])


def _load(command: Command) -> click.Command:
    module, _, name = command.place.partition(":")
    loaded: click.Command = getattr(
        importlib.import_module(f"ledger.cli.{module}"), name
    )
    return loaded


@click.group(
    cls=LazyGroup,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 92},
)
@click.version_option(__version__, prog_name=PROGRAM)
@home_option
@click.pass_context
def program(ctx: click.Context) -> None:
    """The open ledger for music that trains AI.

    Licences, training runs, payments and payouts are signed entries of an append-only
    log. Replaying it gives every balance; anyone can verify all of it.

    To look around: linernote demo. To start a log of your own: linernote init --help.
    """
    ctx.find_object(Settings)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code (ledger/docs/interface.md)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    plain = False if os.environ.get("NO_COLOR") else None

    def command() -> int:
        # A command returns its code where that is not 0; help returns 0.
        returned = program.main(
            args=given,
            prog_name=PROGRAM,
            standalone_mode=False,
            obj=Settings.of_environment(),
            color=plain,
        )
        sys.stdout.flush()
        return returned if isinstance(returned, int) else 0

    return run(command, as_json="--json" in given)
