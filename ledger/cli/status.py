"""``status``: how far the log is, what is published, and which witness is late."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

import click

from ledger.cli.common import Command
from ledger.cli.common import Settings
from ledger.cli.common import home_option
from ledger.cli.common import json_option
from ledger.cli.common import open_home
from ledger.cli.common import pass_settings
from ledger.cli.documents import fields
from ledger.cli.documents import harmless
from ledger.cli.documents import print_document
from ledger.cli.documents import table

if TYPE_CHECKING:
    from ledger.asking import Standing
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
    """
    document = _document(settings)
    if settings.json:
        print_document(document)
        return
    policy = document["policy"]
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
    for line in fields(pairs, indent=""):
        click.echo(harmless(line))
    rows = [_row(each) for each in document["witnesses"]]
    for line in table(rows):
        click.echo(harmless(line))


def _document(settings: Settings) -> dict[str, Any]:
    from ledger.asking import standings
    from ledger.tlog.checkpoint import parse_checkpoint
    from ledger.tlog.note import parse_note
    from ledger.witnessing import read_policy

    home = settings.place
    with open_home(settings) as reader:
        origin, size = reader.vkey.name, reader.size
    text = (home.public / "checkpoint").read_text(encoding="utf-8")
    published = parse_checkpoint(parse_note(text).text).size
    policy = read_policy(home)
    found = [] if policy is None else standings(home, policy)
    return {
        "origin": origin,
        "size": size,
        "published": published,
        "policy": None if policy is None else _met(policy, text),
        "witnesses": [_witness(each, published) for each in found],
    }


def _met(policy: Policy, text: str) -> dict[str, Any]:
    from ledger.errors import LedgerError
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
