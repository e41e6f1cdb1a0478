"""Events about keys, on their way: appended here, or into files for another to append.

by the registrar   party, or the first key of a party that stands in a manifest;
                   a role. Not signed yet: NAME.party.json
by a root key      its party's sign keys, added and revoked. Signed: NAME.signed
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

import click

from ledger.ahead import Head
from ledger.ahead import parse_head
from ledger.cli.common import hint
from ledger.cli.common import open_home
from ledger.cli.documents import print_document
from ledger.cli.heads import head_of
from ledger.cli.signing import Signer
from ledger.cli.signing import new_id
from ledger.cli.signing import open_desk
from ledger.drafts import Draft
from ledger.entry.sign import format_signed_lines
from ledger.errors import ConflictError
from ledger.errors import HomeError
from ledger.errors import InvariantError
from ledger.errors import LedgerError
from ledger.home import write_durably
from ledger.setup import OPERATOR_KEY
from ledger.writer import now_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.cli.common import Settings
    from ledger.cli.making import Maker
    from ledger.cli.signing import Keys
    from ledger.entry.sign import SignedEvent


class Said(NamedTuple):
    """What is to be said about keys.

    Attributes:
        by_registrar: bodies by kind, for a registrar to sign.
        by_root: bodies of `key` events, for a root key to sign.
        root: that root key.
        fresh: whether the root key will only be on the log by then.
    """

    by_registrar: Sequence[tuple[str, dict[str, Any]]]
    by_root: Sequence[dict[str, Any]]
    root: Signer
    fresh: bool = False


class Delivered(NamedTuple):
    """What became of it: entries, or files."""

    entries: list[int]
    files: list[Path]


def read_head(settings: Settings, file: str | None, *signers: Signer) -> Head:
    """Find where the log stands: in a file, else in the home.

    Raises:
        FormatError: `bad-head`.
        InputError: `home-missing`.
    """
    if file is not None:
        return parse_head(Path(file).read_text(encoding="utf-8"))
    with open_home(settings) as reader, reader.reading() as sources:
        return head_of(sources.state, *(signer.id for signer in signers))


def append(
    settings: Settings, keys: Keys, maker: Maker, said: Said, registrar: str
) -> Delivered:
    """Append everything as one batch, all or none; take back keys that were refused.

    Raises:
        LedgerError: the refusal; nothing was appended, unless that is not known.
    """
    log_keys = keys.log_keys()
    signer = keys.signer(registrar) if said.by_registrar else said.root
    with open_desk(settings, log_keys) as desk:
        head = head_of(desk.log.state, signer.id, said.root.id)
        events = _by_root(head, said)
        if said.by_registrar:
            chain = head.chain(signer.key, signer.file.party)
            drafts = [_draft(kind, body) for kind, body in said.by_registrar]
            first = [chain.sign(d, event_id=new_id(), time=now_ms()) for d in drafts]
            events = [*first, *events]
        maker.sent = True
        try:
            answers = desk.log.append(events, atomic=True)
        except (HomeError, InvariantError):
            raise  # whether the log has them is not known
        except LedgerError:
            maker.sent = False
            raise
    entries = [each.index for each in answers if not isinstance(each, LedgerError)]
    return Delivered(entries, [])


def write(head: Head, said: Said, prefix: str) -> Delivered:
    """Write files for another to append; nothing is in their place."""
    files = {Path(f"{prefix}.signed"): format_signed_lines(_by_root(head, said))}
    if said.by_registrar:
        # With ids of their own, the file may be appended again to no harm.
        lines = [
            json.dumps({"kind": kind, "id": new_id().hex(), "body": body})
            for kind, body in said.by_registrar
        ]
        party = {Path(f"{prefix}.party.json"): "".join(f"{line}\n" for line in lines)}
        files = {**party, **files}
    try:
        for path, text in files.items():
            write_durably(path, text.encode())
    except BaseException:
        for path in files:
            path.unlink(missing_ok=True)
        raise
    return Delivered([], list(files))


def check_free(prefix: str) -> None:
    """Refuse to write over files.

    Raises:
        ConflictError: `file-exists`.
    """
    for suffix in ("signed", "party.json"):
        path = Path(f"{prefix}.{suffix}")
        if path.exists():
            raise ConflictError(
                "file-exists", f"{path} exists already", hint="choose another -o"
            )


def _by_root(head: Head, said: Said) -> list[SignedEvent]:
    root = said.root
    chain = head.chain(root.key, root.file.party, fresh=said.fresh)
    return [
        chain.sign(_draft("key", body), event_id=new_id(), time=now_ms())
        for body in said.by_root
    ]


def _draft(kind: str, body: dict[str, Any]) -> Draft:
    return Draft(kind, body, None, None, kind)


@dataclass(frozen=True)
class Way:
    """How events get to the log.

    Attributes:
        now: whether they are appended here and now.
        head: file with the head of the log, or None for the home's.
        prefix: of the files that are written otherwise.
        registrar: name of the key that signs for the registrar.
    """

    now: bool
    head: str | None
    prefix: str
    registrar: str = OPERATOR_KEY

    def check(self) -> None:
        """Refuse before any key is made what could not be done after."""
        if not self.now:
            check_free(self.prefix)

    def finish(self, settings: Settings, keys: Keys, maker: Maker, said: Said) -> None:
        """Deliver, and report; take back keys that nobody else knows of."""
        try:
            delivered = self._deliver(settings, keys, maker, said)
        except BaseException:
            if not maker.sent:
                maker.discard()
            raise
        self._report(settings, keys, maker.made, (said, delivered))

    def _deliver(
        self, settings: Settings, keys: Keys, maker: Maker, said: Said
    ) -> Delivered:
        """Append, or write files."""
        if self.now:
            return append(settings, keys, maker, said, self.registrar)
        head = read_head(settings, self.head, said.root)
        return write(head, said, self.prefix)

    def _report(
        self,
        settings: Settings,
        keys: Keys,
        signers: list[Signer],
        done: tuple[Said, Delivered],
    ) -> None:
        said, delivered = done
        made = [
            {
                "name": signer.file.name,
                "key": signer.id.hex(),
                "public": signer.key.public.hex(),
                "purpose": signer.file.purpose,
            }
            for signer in signers
        ]
        if settings.json:
            print_document(
                {
                    "party": said.root.file.party.hex(),
                    "keys": made,
                    "entries": delivered.entries,
                    "files": [str(path) for path in delivered.files],
                }
            )
            return
        click.echo(f"party {said.root.file.party.hex()}")
        for each in made:
            click.echo(f"key {each['name']} ({each['purpose']}) {each['key']}")
        for index in delivered.entries:
            click.echo(f"entry {index}")
        if signers:
            hint(f"the key files are in {keys.ring.folder}: copy them to a safe place")
        if delivered.files:
            files = " ".join(map(str, delivered.files))
            signed_by = f" --key {self.registrar}" if said.by_registrar else ""
            hint(f"send the log's operator: {files}")
            hint(f"who appends them by: linernote append {files}{signed_by}")


head_option = click.option(
    "--head",
    metavar="FILE",
    help="Where the log stands, from 'linernote head --json': for machines without a"
    " log home.",
)
out_option = click.option(
    "-o",
    "--out",
    metavar="PREFIX",
    help="Write PREFIX.signed, and PREFIX.party.json if a registrar has to sign, for"
    " the log's operator to append.",
)
