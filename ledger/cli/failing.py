"""How a command fails: one line of what, one of what to do, a code, an exit code.

    error: no key 'lab' in linernote-home/keys
      fix: there are: log, operator, operator-root
      code: key-file-missing

On standard error; with ``--json`` as a document on standard output instead:
``{"error": {"code", "message", "hint"}}``. The exit codes are those of
`ledger.errors`; 2 is wrong usage, 130 an interruption, 141 a reader that went away.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable

import click

from ledger.cli.documents import harmless
from ledger.cli.documents import print_document
from ledger.errors import ConflictError
from ledger.errors import HomeError
from ledger.errors import InputError
from ledger.errors import InvariantError
from ledger.errors import LedgerError

USAGE = 2
INTERRUPTED = 130
READER_GONE = 141
TRACEBACK_VARIABLE = "LINERNOTE_TRACEBACK"
COMPLETION_VARIABLE = "_LINERNOTE_COMPLETE"

_SYSTEM: dict[int, tuple[str, str]] = {
    errno.ENOSPC: ("disk-full", "free some space, then run the command again"),
    errno.EDQUOT: ("disk-full", "free some of your quota, then run it again"),
    errno.EROFS: ("not-writable", "the file system is mounted read-only"),
    errno.EACCES: ("not-permitted", "check owner and mode of the file and its folder"),
    errno.EPERM: ("not-permitted", "check owner and mode of the file and its folder"),
    errno.EIO: ("disk-failing", "the disk returns errors: read the kernel's log first"),
    errno.EMFILE: ("too-many-files", "raise the limit of open files (ulimit -n)"),
}


def run(command: Callable[[], int], *, as_json: bool) -> int:  # noqa: PLR0911 (one for each way to end)
    """Run a command; show what it raises, and return the exit code."""
    try:
        return command()
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except click.ClickException as error:
        return _show_usage(error, as_json=as_json)
    except LedgerError as error:
        return show(error, as_json=as_json)
    except SystemExit as leaving:
        # Click leaves so where whoever reads the output has gone, and after it has
        # completed a word for a shell.
        if leaving.code == 1 and COMPLETION_VARIABLE not in os.environ:
            return READER_GONE
        raise
    except BrokenPipeError:
        return _reader_gone()
    except OSError as error:
        return show(explain(error), as_json=as_json)
    except Exception as error:  # noqa: BLE001 (whatever it is, it is told in our words)
        return _show_bug(error, as_json=as_json)


def show(error: LedgerError, *, as_json: bool) -> int:
    """Show an error, and return its exit code."""
    if isinstance(error, InvariantError):
        return _show_bug(error, as_json=as_json)
    _print(error.code, error.message, error.hint, as_json=as_json)
    return error.exit_code


def error_document(error: LedgerError) -> dict[str, str]:
    """Give an error as the part of a document."""
    return {"code": error.code, "message": error.message, "hint": error.hint}


def explain(error: OSError) -> LedgerError:
    """Say what the system said, in words of ours."""
    what = error.strerror or str(error)
    message = f"{error.filename}: {what}" if error.filename else what
    if isinstance(error, FileNotFoundError):
        return InputError("file-missing", message, hint="check the path")
    if isinstance(error, FileExistsError):
        return ConflictError("file-exists", message, hint="choose another path")
    if isinstance(error, IsADirectoryError | NotADirectoryError):
        return InputError("bad-path", message, hint="check the path")
    code, hint = _SYSTEM.get(error.errno or 0, ("system-failed", "see what it says"))
    return HomeError(code, message, hint=hint)


def _show_usage(error: click.ClickException, *, as_json: bool) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message())  # who names no command asks what there is
        return 0
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = context.command_path if context is not None else "linernote"
    _print(
        "usage",
        error.format_message().rstrip("."),
        f"'{path} --help' shows how it is used",
        as_json=as_json,
    )
    return USAGE


def _show_bug(error: Exception, *, as_json: bool) -> int:
    if os.environ.get(TRACEBACK_VARIABLE):
        raise error
    what = f"{type(error).__name__}: {error}"
    _print(
        error.code if isinstance(error, LedgerError) else "bug",
        f"a bug of linernote's: {what}",
        "what was acknowledged is safe. Please report it with the command and this"
        f" message; {TRACEBACK_VARIABLE}=1 shows where it happened",
        as_json=as_json,
    )
    return InvariantError.exit_code


def _reader_gone() -> int:
    # Python flushes once more at its end, and would complain.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return READER_GONE


def _print(code: str, message: str, hint: str, *, as_json: bool) -> None:
    if as_json:
        print_document({"error": {"code": code, "message": message, "hint": hint}})
        return
    said = harmless(message, kept="\n\t")
    click.echo(f"{click.style('error:', fg='red', bold=True)} {said}", err=True)
    if hint:
        click.echo(f"  fix: {harmless(hint)}", err=True)
    click.echo(f"  code: {code}", err=True)
