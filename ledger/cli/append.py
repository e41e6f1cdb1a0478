"""Commands that take events to the log, or sign them for somebody who does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

import click

from ledger.asking import ask_witnesses
from ledger.cli.appending import Appending
from ledger.cli.appending import Destination
from ledger.cli.appending import HomeDestination
from ledger.cli.appending import Outcome
from ledger.cli.common import Command
from ledger.cli.common import Settings
from ledger.cli.common import hint
from ledger.cli.common import home_option
from ledger.cli.common import json_option
from ledger.cli.common import keys_option
from ledger.cli.common import pass_settings
from ledger.cli.delivery import head_option
from ledger.cli.delivery import read_head
from ledger.cli.documents import print_document
from ledger.cli.eventfiles import EventFile
from ledger.cli.eventfiles import check_single
from ledger.cli.eventfiles import lines_of
from ledger.cli.eventfiles import lines_option
from ledger.cli.eventfiles import read_events
from ledger.cli.failing import error_document
from ledger.cli.failing import show
from ledger.cli.signing import Keys
from ledger.cli.signing import Signer
from ledger.cli.signing import new_id
from ledger.cli.signing import open_desk
from ledger.entry.sign import format_signed_lines
from ledger.errors import ConflictError
from ledger.errors import HomeError
from ledger.errors import InputError
from ledger.errors import LedgerError
from ledger.home import write_durably
from ledger.receipts import check_obtainable
from ledger.receipts import receipts
from ledger.staging import Staged
from ledger.tlog.note import parse_vkey
from ledger.witnessing import DENIALS
from ledger.witnessing import read_policy_file
from ledger.writer import now_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.remote import Trust
    from ledger.tlog.checkpoint import Checkpoint

RECEIPT_SECONDS = 30.0


@click.command(
    cls=Command,
    examples="""
    a licence, from a file {"kind": "licence.accept", "body": {"grant": 9}}
    linernote append accept.json --key lab

    a training run, with the list of what it is trained on
    linernote append run.json --key lab --lines dataset=train.tsv

    from a pipeline, one event on each line
    ./events-of-today | linernote append - --key lab --json

    events that were signed elsewhere
    linernote append lab.party.json lab.signed --key operator

    to a log that is served elsewhere
    linernote append accept.json --key lab --to https://log.example
    """,
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--key",
    "name",
    metavar="NAME",
    help="The key that signs events that are not signed yet.",
)
@lines_option
@click.option("--atomic", is_flag=True, help="Append all events or none of them.")
@click.option(
    "--wait",
    is_flag=True,
    help="Answer with the receipt of each entry as well, its .tlog-proof.",
)
@click.option(
    "--to",
    "url",
    metavar="URL",
    help="The log's address, where 'linernote serve --accept-events' serves it.",
)
@click.option(
    "--vkey",
    metavar="VKEY",
    help="With --to: the verifier key that the log is to have.  [default: the one it"
    " had when the key first signed for it]",
)
@click.option(
    "--policy",
    metavar="FILE",
    help="With --to: believe the log by a policy (C2SP tlog-policy) instead.",
)
@home_option
@keys_option
@json_option
@pass_settings
def append(
    settings: Settings,
    files: tuple[str, ...],
    *,
    name: str | None,
    line_files: dict[str, Path],
    atomic: bool,
    wait: bool,
    url: str | None,
    vkey: str | None,
    policy: str | None,
) -> int:
    """Append events to the log.

    FILE holds events as JSON (one object or a list) or NDJSON, each {"kind": …,
    "body": {…}}, with an "id" of 32 hex digits if the same file may be sent again; or
    events that 'linernote sign' signed, which are appended all or none. What it holds
    is told by its content; - is standard input. 'linernote kinds' explains kinds and
    fields.

    Answers with the index and the leaf hash of each entry, once it is stored durably.
    An event sent again is answered with its first index. Events that the log refuses
    are shown with the rule's code; the others stand, unless --atomic was given.

    With --to the events are signed here and sent there. What the server says is
    verified by the log's checkpoint, and by what it acknowledged to this key before.
    """
    trust = _trust(url, vkey, policy)
    read = [read_events(file) for file in files]
    check_single(sum(len(each.drafts) + len(each.signed) for each in read), line_files)
    keys = Keys(settings)
    signer = None
    if any(each.drafts for each in read):
        if name is None:
            raise InputError(
                "key-needed",
                "these events are not signed yet",
                hint="say who signs them with --key NAME: see 'linernote key list'",
            )
        signer = keys.signer(name)
    take = _Taking(read, signer, line_files, atomic)
    if url is not None:
        return _append_there(settings, take, url, trust, wait=wait)
    if wait:
        check_obtainable(settings.place)
    log_keys = keys.log_keys()
    with (
        Staged(settings.place.staging) as staged,
        open_desk(settings, log_keys) as desk,
    ):
        outcomes = take.append(HomeDestination(desk), staged)
        checkpoint = desk.publish()
    found = _receipts(settings, outcomes) if wait else {}
    return _report(settings, outcomes, checkpoint, found)


class _Taking(NamedTuple):
    """What is to be appended, and how."""

    files: list[EventFile]
    signer: Signer | None
    line_files: dict[str, Path]
    atomic: bool

    def append(self, log: Destination, staged: Staged) -> list[Outcome]:
        appending = Appending(log, self.signer, staged, self.line_files)
        if self.atomic:
            return appending.all_or_none(self.files)
        return appending.each(self.files)


def _append_there(
    settings: Settings, take: _Taking, url: str, trust: Trust | None, *, wait: bool
) -> int:
    from ledger.cli.sending import RemoteDestination
    from ledger.remote import Client

    log = RemoteDestination(Client(url), settings.keys_folder, trust, wait=wait)
    with Staged() as staged:
        outcomes = take.append(log, staged)
    return _report(settings, outcomes, None, log.receipts)


def _trust(url: str | None, vkey: str | None, policy: str | None) -> Trust | None:
    """Read by what a log elsewhere is to be believed."""
    if url is None and (vkey is not None or policy is not None):
        raise click.UsageError("--vkey and --policy belong to --to")
    if vkey is not None and policy is not None:
        raise click.UsageError("give one of --vkey and --policy")
    if vkey is not None:
        return parse_vkey(vkey.strip())
    if policy is not None:
        return read_policy_file(Path(policy))
    return None


def _receipts(settings: Settings, outcomes: Sequence[Outcome]) -> dict[int, str]:
    indexes = [
        outcome.answer.index
        for outcome in outcomes
        if not isinstance(outcome.answer, LedgerError)
    ]
    if not indexes:
        return {}
    try:
        ask_witnesses(settings.place, seconds=RECEIPT_SECONDS, until_met=True)
    except HomeError as error:
        if error.code not in DENIALS:
            raise
        hint(f"stored, but {error.message}")  # nothing is written from here on
    found = receipts(settings.place, indexes, lambda *_: None, 0.0)
    if len(found) < len(set(indexes)):
        hint("stored, but a receipt is late: append the same again with --wait for it")
    return found


def _report(
    settings: Settings,
    outcomes: Sequence[Outcome],
    checkpoint: Checkpoint | None,
    proofs: dict[int, str],
) -> int:
    """Show what became of each event; return the exit code of the first refusal."""
    refused = [each.answer for each in outcomes if isinstance(each.answer, LedgerError)]
    exit_code = refused[0].exit_code if refused else 0
    if settings.json:
        answers = [_answer_document(outcome, proofs) for outcome in outcomes]
        published = None
        if checkpoint is not None:
            published = {"size": checkpoint.size, "root": checkpoint.root.hex()}
        print_document({"answers": answers, "checkpoint": published})
        return exit_code
    for outcome in outcomes:
        answer = outcome.answer
        if isinstance(answer, LedgerError):
            message = f"{outcome.where}: {answer.message}"
            show(type(answer)(answer.code, message, hint=answer.hint), as_json=False)
            continue
        again = "  (was there already)" if answer.repeated else ""
        click.echo(f"{answer.index}  {answer.leaf_hash.hex()}  {outcome.kind}{again}")
        if answer.index in proofs:
            click.echo(proofs[answer.index])
    return exit_code


def _answer_document(outcome: Outcome, proofs: dict[int, str]) -> dict[str, Any]:
    answer = outcome.answer
    placed = {"where": outcome.where, "kind": outcome.kind}
    if isinstance(answer, LedgerError):
        return {**placed, "error": error_document(answer)}
    document = {
        **placed,
        "index": answer.index,
        "leaf_hash": answer.leaf_hash.hex(),
        "repeated": answer.repeated,
    }
    if answer.index in proofs:
        document["receipt"] = proofs[answer.index]
    return document


@click.command(
    cls=Command,
    examples="""
    where the log home is
    linernote sign accept.json --key lab -o accept.signed

    on a machine of its own, with head.json from 'linernote head --key lab --json'
    linernote sign accept.json --key lab --head head.json -o accept.signed

    a training run: the same list of recordings goes to whoever appends it
    linernote sign run.json --key lab --lines dataset=train.tsv -o run.signed
    linernote append run.signed --lines dataset=train.tsv
    """,
)
@click.argument("file")
@click.option(
    "--key", "name", required=True, metavar="NAME", help="The key that signs."
)
@click.option(
    "-o", "--out", metavar="OUT", help="File to write.  [default: standard output]"
)
@lines_option
@head_option
@home_option
@keys_option
@pass_settings
def sign(
    settings: Settings,
    file: str,
    *,
    name: str,
    out: str | None,
    line_files: dict[str, Path],
    head: str | None,
) -> None:
    """Sign events for another to append.

    Writes one line of text for each event of FILE (JSON or NDJSON, as 'append' takes
    it; - is standard input). Several events form a chain and are appended all or none:
    append them before the key signs anything else.
    """
    read = read_events(file)
    if read.signed:
        raise InputError("signed-already", f"the events of {read.name} are signed")
    check_single(len(read.drafts), line_files)
    if out is not None and Path(out).exists():
        raise ConflictError(
            "file-exists", f"{out} exists already", hint="choose another -o"
        )
    signer = Keys(settings).signer(name)
    chain = read_head(settings, head, signer).chain(signer.key, signer.file.party)
    with Staged() as staged:
        signed = [
            chain.sign(
                draft,
                event_id=new_id(),
                time=now_ms(),
                lines=lines_of(draft.kind, line_files),
                staged=staged,
            )
            for draft in read.drafts
        ]
    text = format_signed_lines(signed)
    if out is None:
        click.echo(text, nl=False)
        return
    write_durably(Path(out), text.encode())
    hint(f"signed {len(signed)} in {out}; append it before {name} signs anything else")
