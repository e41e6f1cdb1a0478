"""``status``: how far the log is, what is published, and which witness is late."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING
from typing import Any

import click

from ledger.cli.common import Command
from ledger.cli.common import Settings
from ledger.cli.common import hint
from ledger.cli.common import home_option
from ledger.cli.common import json_option
from ledger.cli.common import open_home
from ledger.cli.common import pass_settings
from ledger.cli.documents import fields
from ledger.cli.documents import harmless
from ledger.cli.documents import print_document
from ledger.cli.documents import table
from ledger.cli.failing import error_document
from ledger.errors import HomeError
from ledger.errors import LedgerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.asking import Standing
    from ledger.home import Home
    from ledger.tlog.policy import Policy


@click.command(
    cls=Command,
    examples="""
    linernote status
    linernote status --json
    """,
)
@home_option
@json_option
@pass_settings
def status(settings: Settings) -> None:
    """Say how the log and its witnesses stand.

    How many entries there are, how many are published, whether the published
    checkpoint meets the policy of the home, and which witness has not cosigned it: by
    how many entries it is behind, when it last cosigned, and what it said instead.

    A log that would refuse to be written now, since its home is an old copy, has not
    caught up or can't be trusted, says so and ends with exit code 8.
    """
    document = _document(settings)
    if settings.json:
        print_document(document)
    else:
        _show(document)
    if document["refuses"] is not None:
        raise click.exceptions.Exit(HomeError.exit_code)


def _show(document: dict[str, Any]) -> None:
    policy, refuses = document["policy"], document["refuses"]
    if policy is None:
        said = "none"
    else:
        said = "met" if policy["met"] else f"NOT met: {policy['message']}"
    pairs = [
        ("origin", document["origin"]),
        ("entries", str(document["size"])),
        ("published", str(document["published"])),
        ("policy", said),
    ]
    if refuses is not None:
        pairs.append(("REFUSES", f"{refuses['code']}: {refuses['message']}"))
    for line in fields(pairs, indent=""):
        click.echo(harmless(line))
    rows = [_row(each) for each in document["witnesses"]]
    for line in table(rows):
        click.echo(harmless(line))
    if refuses is not None:
        hint(refuses["hint"])


def _document(settings: Settings) -> dict[str, Any]:
    from ledger.asking import standings
    from ledger.tlog.checkpoint import parse_checkpoint
    from ledger.tlog.note import parse_note
    from ledger.witnessing import read_policy

    home = settings.place
    with open_home(settings) as reader:
        origin, size = reader.vkey.name, reader.size
    path, policy = home.public / "checkpoint", read_policy(home)
    # A home from a backup has no public folder before it has caught up.
    text = path.read_text(encoding="utf-8") if path.exists() else None
    published = 0 if text is None else parse_checkpoint(parse_note(text).text).size
    found = [] if policy is None or text is None else standings(home, policy)
    return {
        "origin": origin,
        "size": size,
        "published": published,
        "policy": None if policy is None else _met(policy, text or ""),
        "refuses": _refusal(home, found),
        "witnesses": [_witness(each, published) for each in found],
    }


def _refusal(home: Home, found: Sequence[Standing]) -> dict[str, str] | None:
    """Say why the home would not be written to now."""
    from ledger.anchor import anchor_of
    from ledger.anchor import check_anchored
    from ledger.replay import State
    from ledger.witnessing.gathering import AHEAD
    from ledger.witnessing.gathering import DIFFERS
    from ledger.writer import check_caught_up
    from ledger.writer import check_trusted
    from ledger.writer import open_reader

    try:
        check_trusted(home)
        check_caught_up(home)
        with closing(open_reader(home)) as store:
            log = State("full", store.rows).need_log()
            check_anchored(store, log.origin, anchor_of(home.path, log.log))
        for each in found:
            if each.said is not None and each.said.code in {AHEAD, DIFFERS}:
                name = each.witness.name
                raise HomeError(
                    each.said.code,
                    f"witness {name}: {each.said.message}",
                    hint="write nothing, and compare with what readers hold"
                    " (ledger/docs/operations.md)",
                )
    except LedgerError as error:
        return error_document(error)
    return None


def _met(policy: Policy, text: str) -> dict[str, Any]:
    from ledger.tlog.policy import check_policy

    try:
        check_policy(policy, text)
    except LedgerError as error:
        return {"met": False, "code": error.code, "message": error.message}
    return {"met": True, "code": None, "message": None}


def _witness(standing: Standing, published: int) -> dict[str, Any]:
    from ledger.tlog.note import format_vkey

    said = standing.said
    size = None if said is None else said.size
    return {
        "name": standing.witness.name,
        "vkey": format_vkey(standing.witness.vkey),
        "url": standing.witness.url,
        "late": standing.late,
        "size": size,
        "behind": max(0, published - (size or 0)) if standing.late else 0,
        "cosigned_ms": (said.cosigned_ms or None) if said else None,
        "asked_ms": (said.asked_ms or None) if said else None,
        "code": said.code if said else None,
        "message": said.message if said else None,
    }


def _row(witness: dict[str, Any]) -> list[str]:
    from ledger.words import moment

    last = witness["cosigned_ms"]
    when = "never cosigned" if last is None else f"last cosigned {moment(last)}"
    if not witness["late"]:
        return [witness["name"], "cosigned", when, ""]
    why = ""
    if witness["code"] not in {None, "", "cosigned"}:
        why = f"{witness['code']}: {witness['message']}"
    behind = f"LATE by {witness['behind']} entries"
    return [witness["name"], behind, when, why or "not asked yet"]
