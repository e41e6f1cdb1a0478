"""Commands that follow a log which others run: a monitor, and a mirror."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

import click

from ledger.cli.common import Command
from ledger.cli.common import Progress
from ledger.cli.common import Settings
from ledger.cli.common import hint
from ledger.cli.common import json_option
from ledger.cli.common import pass_settings
from ledger.cli.documents import harmless
from ledger.cli.documents import print_document
from ledger.cli.documents import print_line
from ledger.cli.failing import error_document
from ledger.cli.reading import as_trust
from ledger.cli.reading import changed_key
from ledger.cli.reading import log_document
from ledger.cli.reading import policy_option
from ledger.cli.reading import read_trusted
from ledger.cli.reading import vkey_option
from ledger.errors import VerificationError
from ledger.tlog.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.monitor import Alarm
    from ledger.monitor import Look
    from ledger.monitor import Monitor
    from ledger.reader import Trust

EVERY_SECONDS = 60.0
HOUR_MS = 3_600_000


@click.command(
    cls=Command,
    examples="""
    linernote monitor https://log.example/music --vkey "$(cat log.vkey)"
    from a timer, with an alarm if nothing new is shown for a day
    linernote monitor https://log.example/music --policy trusted.policy --once \\
      --stale-after 24 --webhook https://alarms.example/linernote
    """,
)
@click.argument("place", metavar="URL")
@vkey_option
@policy_option
@click.option("--once", is_flag=True, help="Look once, and end.")
@click.option(
    "--every",
    type=click.FloatRange(min=0, min_open=True),
    default=EVERY_SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait between two looks.",
)
@click.option(
    "--stale-after",
    type=click.FloatRange(min=0, min_open=True),
    metavar="HOURS",
    help="Alarm if the newest entry or, with a policy, the newest time at which its"
    " quorum had cosigned, is older than that.",
)
@click.option(
    "--state",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="What is remembered of the log.  [default: one for each log, under"
    " $XDG_STATE_HOME/linernote-monitor or ~/.local/state/linernote-monitor]",
)
@click.option(
    "--webhook",
    metavar="URL",
    help="Post each alarm there, as JSON (ledger/docs/json.md).",
)
@json_option
@pass_settings
def monitor(settings: Settings, /, place: str, **options: Any) -> int:  # noqa: ANN401
    """Follow a log, and raise alarms.

    Verifies each new checkpoint against the last one that held, and each new entry: its
    place in the tree, its signature, both chains, and the rules of the log by replay.
    What was verified is remembered: the next run goes on from there, and a log that
    shows an older or another history is caught.

    Ends with exit code 4 at the first look that raises an alarm: a fork, a rollback, a
    stale checkpoint, a time ahead of the clock, an invalid entry, an unexpected key, or
    anything else that does not hold. Each alarm is first written to alarms.ndjson in
    the state folder, and the checkpoints that it cites beside it. A log that cannot be
    reached, or whose witnesses are late, is asked again; with --once that is exit
    code 5.
    """
    return _monitor(settings, place, _Options(**options))


@dataclass(frozen=True)
class _Options:
    """What was said after `monitor URL`."""

    vkey_text: str | None
    policy: str | None
    once: bool
    every: float
    stale_after: float | None
    folder: Path | None
    webhook: str | None


def _monitor(settings: Settings, place: str, options: _Options) -> int:
    from ledger.monitor import Kept
    from ledger.monitor import Monitor
    from ledger.monitor import check_webhook
    from ledger.monitor import default_folder
    from ledger.reader import open_source
    from ledger.writer import now_ms

    trust = as_trust(read_trusted(options.vkey_text, options.policy))
    source = open_source(place)
    if options.webhook is not None:
        check_webhook(options.webhook)
    hours = options.stale_after
    stale_ms = None if hours is None else int(hours * HOUR_MS)
    folder = options.folder or default_folder(_origin(trust), os.environ)
    with Kept(folder) as kept:
        follower = Monitor(source, trust, kept, now_ms, stale_ms)
        return _run(follower, settings, options)


def _run(follower: Monitor, settings: Settings, options: _Options) -> int:
    away = ""
    while True:
        look = follower.look()
        said = "" if look.missing is None else str(look.missing)
        # Where many looks follow each other, only what is new is told.
        new = look.size != look.old_size or look.alarms or said != away
        if options.once or new:
            _tell(look, as_json=settings.json)
        away = said
        if look.alarms:
            _post(look.alarms, options.webhook)
            return VerificationError.exit_code
        if options.once:
            return 0 if look.missing is None else look.missing.exit_code
        time.sleep(options.every)


def _origin(trust: Trust) -> str:
    vkeys = [log.vkey for log in trust.logs] if isinstance(trust, Policy) else trust
    return vkeys[0].name


def _tell(look: Look, *, as_json: bool) -> None:
    """Say what a look showed."""
    if as_json:
        _print_line(look)
        return
    for alarm in look.alarms:
        where = "" if alarm.index is None else f"entry {alarm.index}: "
        click.secho(f"ALARM {alarm.alarm}: ", fg="red", bold=True, nl=False)
        click.echo(f"{where}{harmless(alarm.message)} ({alarm.code})")
        if alarm.hint:
            hint(f"  {harmless(alarm.hint)}")
    if look.more:
        click.echo(f"and {look.more:,} entries more that break rules")
    if look.missing is not None:
        hint(f"could not verify the log: {harmless(look.missing.message)}")
        if look.missing.hint:
            hint(f"  {harmless(look.missing.hint)}")
    elif not look.alarms and look.checkpoint is not None:
        new = look.size - look.old_size
        click.echo(
            f"verified: {look.checkpoint.origin} has {look.size:,} entries,"
            f" {new:,} of them new"
        )


def _print_line(look: Look) -> None:
    missing = look.missing
    document = {
        "ok": not look.alarms and missing is None,
        "checkpoint": look.checkpoint and log_document(look.checkpoint),
        "size": look.size,
        "new_entries": look.size - look.old_size,
        "alarms": [alarm.to_json() for alarm in look.alarms],
        "more": look.more,
        "error": None if missing is None else error_document(missing),
    }
    print_line(document)


def _post(alarms: Sequence[Alarm], webhook: str | None) -> None:
    from ledger.monitor import post

    for alarm in alarms:
        wrong = post(webhook, alarm) if webhook is not None else ""
        if wrong:
            hint(f"the webhook did not take the alarm: {harmless(wrong)}")


@click.command(
    cls=Command,
    examples="""
    linernote mirror https://log.example/music copy --vkey "$(cat log.vkey)"
    linernote mirror https://log.example/music copy --policy trusted.policy --json
    """,
)
@click.argument("place", metavar="URL")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@vkey_option
@policy_option
@json_option
@pass_settings
def mirror(
    settings: Settings,
    place: str,
    folder: Path,
    *,
    vkey_text: str | None,
    policy: str | None,
) -> None:
    """Copy a published log, verified.

    The copy has the same files at the same paths, so that any web server can serve it
    and any client of transparency logs read it: entries, tiles, plain manifests, and
    the checkpoint last. Run it again to bring the copy up to date, or to go on with one
    that was interrupted: all that the copy holds is verified then, and fetched again
    where it is lost or damaged. A log that shows an older or another history than the
    copy holds is refused, and the copy stays as it is.

    It says nothing of whether entries keep the rules: 'linernote monitor' does.
    """
    from ledger.mirror import Mirror
    from ledger.reader import open_source

    trust = as_trust(read_trusted(vkey_text, policy))
    with Progress("mirroring") as progress:
        done = Mirror(open_source(place), trust, folder, progress).copy()
    if done.followed:
        hint(changed_key(done.trust))
    if settings.json:
        print_document(
            {
                **log_document(done.checkpoint),
                "folder": str(folder),
                "old_size": done.old_size,
                "files": done.files,
                "manifests": done.manifests,
                "repaired": done.repaired,
            }
        )
        return
    new = done.checkpoint.size - done.old_size
    click.echo(
        f"{harmless(str(folder))} holds all {done.checkpoint.size:,} entries of"
        f" {done.checkpoint.origin}, {new:,} of them new"
    )
    if done.repaired:
        hint(f"{done.repaired:,} files of the copy were lost or damaged: repaired")
