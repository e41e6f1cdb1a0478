"""Commands that run on: the viewer, and the demonstration with it."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Any

import click

from ledger.accounting.money import parse_amount
from ledger.cli.common import Command
from ledger.cli.common import Settings
from ledger.cli.common import hint
from ledger.cli.common import home_option
from ledger.cli.common import keys_option
from ledger.cli.common import pass_settings

HOST = "127.0.0.1"
PORT = 8321
ACCEPTING_THREADS = 40
LINGER_SECONDS = 1.0
BASES = ("duration", "per_holder", "per_recording")

_port_option = click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=PORT,
    show_default=True,
    help="Port to listen on; 0 for any that is free.",
)


@click.command(
    cls=Command,
    examples="""
    linernote serve
    for others on the network
    linernote serve --host 0.0.0.0 --port 8080
    a log that takes events from wherever they are signed
    linernote serve --accept-events
    """,
)
@click.option(
    "--host",
    default=HOST,
    show_default=True,
    metavar="ADDRESS",
    help="Address to listen on; by default nobody but this machine gets an answer.",
)
@_port_option
@click.option(
    "--accept-events",
    is_flag=True,
    help="Take signed events over HTTP as well, from 'linernote append --to URL'.",
)
@home_option
@keys_option
@pass_settings
def serve(settings: Settings, host: str, port: int, *, accept_events: bool) -> None:
    """Serve the viewer and the API.

    Each person's entries, money and proofs, as pages and as JSON, beside the files of
    the log for standard clients. It reads the home and never writes: other commands
    may append meanwhile. There is no login: whoever reaches the address sees every
    balance. Ctrl-C ends it.

    With --accept-events it takes in what is signed by keys on the log, and is the one
    that writes to the home as long as it runs; it needs the log key to publish. The
    witnesses of the home's policy are asked whenever it has published.
    """
    from ledger.cli.listening import run_server
    from web import create_app

    if accept_events:
        serve_and_accept(settings, host, port)
    else:
        run_server(create_app(settings.home), host, port)


def serve_and_accept(settings: Settings, host: str, port: int) -> None:
    """Serve a home, and take events to it.

    Raises:
        InputError, HomeError: as `Writer` and `run_server`; what ended the intake.
    """
    from ledger.asking import Asker
    from ledger.cli.bodies import ACCEPTING
    from ledger.cli.bodies import SPOOL_BYTES_MAX
    from ledger.cli.bodies import Bounds
    from ledger.cli.listening import run_server
    from ledger.cli.signing import Keys
    from ledger.cli.spool import Room
    from ledger.intake import Intake
    from ledger.writer import Writer
    from web import create_app

    keys = Keys(settings)
    log_keys = keys.log_keys()
    signal.signal(signal.SIGTERM, _end)
    with Writer(settings.place) as writer:
        intake = Intake(
            writer,
            log_keys,
            find_log_key=keys.find_log_key,
            on_published=lambda size: asker.wake(size),  # noqa: PLW0108 (made below)
            on_failure=_end_soon,
        )
        # The intake ends first: the witnesses are asked for what it published last.
        with Asker(settings.place, on_denial=intake.end) as asker, intake:
            hint("taking events: no other command writes to this home meanwhile")
            app = create_app(settings.home, intake)
            bounds = Bounds(ACCEPTING, Room(SPOOL_BYTES_MAX, settings.place.staging))
            run_server(app, host, port, bounds=bounds, threads=ACCEPTING_THREADS)


def _end(number: int, frame: object) -> None:
    """End as Ctrl-C does, where a service manager says so."""
    del number, frame
    raise KeyboardInterrupt


def _end_soon() -> None:
    """End this server, after those who wait for an answer had a moment to get it."""
    kill = threading.Timer(LINGER_SECONDS, os.kill, (os.getpid(), signal.SIGTERM))
    kill.daemon = True
    kill.start()


@click.command(
    cls=Command,
    examples="""
    linernote demo
    the same story over your own catalogue and training list
    linernote demo --catalogue catalogue.tsv --dataset train.tsv --fee 1000000.00
    see who notices when bytes are changed
    linernote demo --tamper --no-serve
    """,
)
@click.option(
    "--catalogue",
    type=click.Path(readable=False, path_type=Path),
    metavar="FILE",
    help="Your own catalogue, TSV or CSV; needs --dataset.",
)
@click.option(
    "--dataset",
    type=click.Path(readable=False, path_type=Path),
    metavar="FILE",
    help="Your own list of what was trained on; needs --catalogue.",
)
@click.option(
    "--fee",
    metavar="AMOUNT",
    help="What the run costs, in SEK, with --catalogue.  [default: 1000000.00]",
)
@click.option(
    "--basis",
    type=click.Choice(BASES),
    help="How the fee is shared, with --catalogue.  [default: per_recording]",
)
@click.option(
    "--tamper",
    is_flag=True,
    help="Change bytes of copies as well, and show who notices.",
)
@click.option("--no-serve", is_flag=True, help="End after the verification.")
@_port_option
@home_option
@pass_settings
def demo(settings: Settings, /, **options: Any) -> None:  # noqa: ANN401 (see below)
    """Build, verify and serve a demonstration log.

    Tells the whole story of a fee, from the licence to what a session guitarist is
    paid, with fresh keys; verifies all of it; says what to look at; and serves it. It
    goes into ./linernote-home unless --home says otherwise, replaces what an earlier
    demonstration made there, and refuses any other folder.
    """
    _demonstrate(settings, **options)


def _demonstrate(
    settings: Settings,
    *,
    catalogue: Path | None,
    dataset: Path | None,
    fee: str | None,
    basis: Any,  # noqa: ANN401 (one of BASES, as click has checked)
    tamper: bool,
    no_serve: bool,
    port: int,
) -> None:
    from ledger.demo import Files
    from ledger.demo import run_demo

    if (catalogue is None) != (dataset is None):
        raise click.UsageError("--catalogue and --dataset need each other")
    files = None
    if catalogue is not None and dataset is not None:
        amount = parse_amount(fee or "1000000.00")
        files = Files(catalogue, dataset, amount, basis or "per_recording")
    elif fee is not None or basis is not None:
        raise click.UsageError("--fee and --basis need --catalogue and --dataset")
    if not no_serve:
        from ledger.cli.listening import check_free

        check_free(HOST, port)  # before the home of who serves there is replaced
    url = f"http://{HOST}:{port}"
    run_demo(settings.home, click.echo, files=files, tampering=tamper, url=url)
    if no_serve:
        return
    from ledger.cli.listening import run_server
    from web import create_app

    run_server(create_app(settings.home), HOST, port)
