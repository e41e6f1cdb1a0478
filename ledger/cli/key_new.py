"""``key new``: the keys of a party, and the events that bring them on a log."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import Any

import click

from ledger.cli import making
from ledger.cli.common import Command
from ledger.cli.common import Settings
from ledger.cli.common import home_option
from ledger.cli.common import json_option
from ledger.cli.common import keys_option
from ledger.cli.common import open_home
from ledger.cli.common import pass_settings
from ledger.cli.delivery import Way
from ledger.cli.delivery import head_option
from ledger.cli.delivery import out_option
from ledger.cli.delivery import read_head
from ledger.cli.making import Body
from ledger.cli.making import Maker
from ledger.cli.making import root_name_of
from ledger.cli.signing import Keys
from ledger.cli.signing import new_id
from ledger.errors import InputError
from ledger.setup import OPERATOR_KEY
from ledger.setup import ROOT_SUFFIX
from ledger.tlog.text import parse_hex

ROLES = ("auditor", "lab", "provider", "registrar", "society")
TYPES = ("group", "organisation", "person")
_SOURCE = re.compile(r"(0|[1-9][0-9]*):([1-9][0-9]*)\Z")
_PARTY_LENGTH = 16


@dataclass(frozen=True)
class NewKey:
    """The options of ``key new``."""

    name: str
    type_: str
    role: str | None
    external: str | None
    party: str | None
    source: str | None
    of: str | None
    register: bool
    registrar: str
    no_passphrase: bool
    head: str | None
    out: str | None

    @property
    def names(self) -> list[str]:
        """Names of the keys to be made."""
        return [self.name] if self.of else [self.name, self.name + ROOT_SUFFIX]

    @property
    def way(self) -> Way:
        """How its events get to the log."""
        return Way(self.register, self.head, self.out or self.name, self.registrar)

    def check(self) -> None:
        """Refuse options that exclude one another."""
        if self.of is not None and (self.party or self.role or self.external):
            raise click.UsageError("--of is for a party that is on the log already")
        if self.register and (self.head or self.out):
            raise click.UsageError("--register appends here: leave out --head and -o")

    def passphrase(self, keys: Keys) -> str | None:
        """Ask for what locks the new keys."""
        if self.no_passphrase:
            return None
        return keys.passphrases.choose(what=f"the new keys of {self.name}")


@click.command(
    cls=Command,
    examples="""
    where the log is: the keys of a society, and its party on the log at once
    linernote key new society --role society --register

    a lab, on a machine of its own, with head.json from the log's operator
    linernote key new lab --role lab --head head.json
    then the operator, with the two files that this wrote
    linernote append lab.party.json lab.signed --key operator

    one more sign key for the lab's second cluster
    linernote key new lab-b --of lab --register

    an artist who stands in entry 12, line 3, a manifest of parties
    linernote key new artist --party 9a0f… --source 12:3 --head head.json
    """,
)
@click.argument("name")
@click.option(
    "--type",
    "type_",
    type=click.Choice(TYPES),
    default="organisation",
    show_default=True,
    help="What the new party is.",
)
@click.option(
    "--role",
    type=click.Choice(ROLES),
    help="Role that the operator is to give the new party.",
)
@click.option(
    "--external",
    metavar="ID",
    help="The new party's id in a source of its own, namespace:id; no personal data.",
)
@click.option(
    "--party",
    metavar="ID",
    help="Make the first keys of a party that stands in a manifest of parties.",
)
@click.option(
    "--source",
    metavar="ENTRY:LINE",
    help="Where that party stands.  [default: looked up in the home]",
)
@click.option(
    "--of",
    metavar="KEY",
    help="Make one more sign key, for the party of that key; its root key is here.",
)
@click.option(
    "--register",
    is_flag=True,
    help="Append the events here and now, instead of writing files.",
)
@click.option(
    "--registrar",
    metavar="KEY",
    default=OPERATOR_KEY,
    show_default=True,
    help="The key that signs for the registrar, with --register.",
)
@click.option(
    "--no-passphrase", is_flag=True, help="Leave the new keys unlocked: for tests."
)
@head_option
@out_option
@home_option
@keys_option
@json_option
@pass_settings
def new(settings: Settings, /, **options: Any) -> None:  # noqa: ANN401 (see NewKey)
    """Make the keys of a party, and the events that bring them on a log.

    Makes NAME-root and NAME for a new party, with a random id, and writes two files
    for the log's operator: NAME.party.json, which a registrar signs, and NAME.signed,
    by which the root key adds the sign key. With --register both are appended at
    once. The passphrase comes from LINERNOTE_PASSPHRASE, or is asked for.
    """
    wanted = NewKey(**options)
    wanted.check()
    keys = Keys(settings)
    making.check_names(keys, *wanted.names)
    wanted.way.check()
    log = read_head(settings, wanted.head).log
    if wanted.of is not None:
        old = keys.ring.load(wanted.of)
        root = keys.signer(root_name_of(settings, keys, old, wanted.head))
        maker = Maker(keys, wanted.passphrase(keys), log)
        said = maker.another(wanted.name, root)
    else:
        party, source = _party(settings, wanted)
        maker = Maker(keys, wanted.passphrase(keys), log)
        said = maker.party(wanted.name, party, partial(_first_event, wanted, source))
        if wanted.role is not None:
            given = {"action": "grant", "party": party.hex(), "role": wanted.role}
            said = said._replace(by_registrar=[*said.by_registrar, ("accredit", given)])
    wanted.way.finish(settings, keys, maker, said)


def _party(settings: Settings, wanted: NewKey) -> tuple[bytes, list[int] | None]:
    """Give the party's id, and where it stands if that is in a manifest."""
    if wanted.party is None:
        return new_id(), None
    if wanted.source is not None:
        found = _SOURCE.match(wanted.source)
        if found is None:
            raise click.UsageError(f"--source {wanted.source} is not ENTRY:LINE")
        place = [int(found[1]), int(found[2])]
        return parse_hex(wanted.party, _PARTY_LENGTH), place
    with open_home(settings) as reader:
        party = reader.party(wanted.party).id
        with reader.reading() as sources:
            row = sources.state.holders.get(party)
    if row is None:
        raise InputError(
            "party-has-keys",
            f"party {party.hex()} stands in no manifest: it has an entry of its own",
            hint="its root key adds keys: 'linernote key new NAME --of KEY'",
        )
    return party, [row.index, row.line]


def _first_event(
    wanted: NewKey, source: list[int] | None, party: bytes, proof: Body
) -> tuple[str, Body]:
    """Give what a registrar says of a root key."""
    if source is not None:
        added = {"action": "add", "party": party.hex(), "purpose": "root"}
        return "key", {**added, **proof, "source": source}
    body = {"party": party.hex(), "type": wanted.type_, **proof}
    if wanted.external is not None:
        body["external"] = wanted.external
    return "party", body
