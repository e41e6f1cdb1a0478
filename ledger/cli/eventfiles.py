"""Files of events as commands take them: JSON, NDJSON, or events already signed.

What a file holds is told by its content. Lines of manifests come from files of their
own, one for each body field that has some: ``--lines dataset=train.tsv``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple
from typing import TypeVar

import click

from ledger.ahead import build_manifest
from ledger.ahead import check_field
from ledger.drafts import Draft
from ledger.drafts import looks_like_json
from ledger.drafts import parse_drafts
from ledger.entry.envelope import parse_event
from ledger.entry.sign import SignedEvent
from ledger.entry.sign import parse_signed_lines
from ledger.errors import FormatError
from ledger.errors import InputError
from ledger.errors import VerificationError
from ledger.events.registry import manifest_refs
from ledger.events.registry import parse_body
from ledger.imports.dataset import read_dataset
from ledger.imports.lines import read_lines
from ledger.replay.manifests import header_of

if TYPE_CHECKING:
    from ledger.staging import Staged

STDIN = "-"
_Command = TypeVar("_Command", bound=Callable[..., Any])


class EventFile(NamedTuple):
    """What a file holds: events to be signed, or signed events."""

    name: str
    drafts: list[Draft]
    signed: list[SignedEvent]


def lines_option(command: _Command) -> _Command:
    """Add ``--lines``."""
    return click.option(
        "--lines",
        "line_files",
        multiple=True,
        metavar="FIELD=FILE",
        callback=_split,
        help="Lines for a body field, as NDJSON, CSV or TSV; for a file with one event"
        " only. Repeat for more fields.",
    )(command)


def _split(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> dict[str, Path]:
    files = {}
    for value in values:
        field, equals, file = value.partition("=")
        if not field or not equals or not file:
            raise click.BadParameter(f"{value} is not FIELD=FILE", ctx, param)
        files[field] = Path(file)
    return files


def read_events(name: str) -> EventFile:
    """Read a file of events, or standard input for ``-``.

    Raises:
        FormatError: as `parse_drafts` and `parse_signed_lines`, naming the file.
        InputError: `no-events`.
    """
    shown = "standard input" if name == STDIN else name
    text = _read(name, shown)
    if not text.strip():
        raise InputError("no-events", f"{shown} holds no event")
    if looks_like_json(text):
        drafts = parse_drafts(text, shown)
        if not drafts:
            raise InputError("no-events", f"{shown} holds no event")
        return EventFile(shown, drafts, [])
    try:
        return EventFile(shown, [], parse_signed_lines(text))
    except FormatError as error:
        raise FormatError(
            error.code,
            f"{shown}: {error.message}",
            hint=error.hint
            or "a file holds events as JSON, or signed ones as 'linernote sign' writes",
        ) from None


def _read(name: str, shown: str) -> str:
    data = sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise FormatError(
            "bad-utf8",
            f"{shown}: byte {error.start} is not UTF-8",
            hint="save the file as UTF-8",
        ) from None


def lines_of(kind: str, files: dict[str, Path]) -> dict[str, Iterable[Any]]:
    """Read the lines for the body fields of an event.

    Raises:
        FormatError: `unknown-kind`.
        InputError: `lines-unexpected`, or a code of `read_lines`.
    """
    return {field: _lines(kind, field, path) for field, path in files.items()}


def _lines(kind: str, field: str, path: Path) -> Iterable[Any]:
    check_field(kind, field)
    if field == "dataset" and not _is_json(path):
        # A list of ids or the layout of a known collection will do as well.
        return read_dataset(path).lines()
    return read_lines(path, f"{kind}/{field}").lines()


def _is_json(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4_096).lstrip().startswith((b"{", b"["))


def stage_lines(signed: SignedEvent, files: dict[str, Path], staged: Staged) -> None:
    """Put the lines of an event that was signed elsewhere beside it.

    Raises:
        VerificationError: `manifest-root-mismatch`: these are not its lines.
        InputError: as `lines_of`.
        FormatError: as `parse_body`.
    """
    event = parse_event(signed.event)
    refs = dict(manifest_refs(event.kind, parse_body(event.kind, event.body)))
    for field, lines in lines_of(event.kind, files).items():
        if field not in refs:
            raise InputError(
                "lines-unexpected", f"this {event.kind} brings no lines in as {field}"
            )
        header = header_of(event, field, refs[field])
        built = build_manifest(header, lines, staged)
        if built != refs[field]:
            raise VerificationError(
                "manifest-root-mismatch",
                f"{files[field]} does not hold the lines that were signed as {field}",
                hint="give the very file that was signed with --lines",
            )


def check_single(events: int, files: dict[str, Path]) -> None:
    """Refuse lines for more than one event.

    Raises:
        InputError: `lines-ambiguous`.
    """
    if files and events != 1:
        raise InputError(
            "lines-ambiguous",
            f"--lines belongs to one event, and {events} are given",
            hint="append each event that has lines by itself",
        )
