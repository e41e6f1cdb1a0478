"""Signing ahead of the log: for machines that it cannot be reached from.

    head of the log ─► Chain(key, its seq and prev) ─► signed, signed, signed … ─► file

The log says what an offline signer needs (`linernote head --json`): its id, its
newest entry, and where each key's chain stands. The events signed from it form one
chain, and are appended as one batch, all or none (format.md §2).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any

import msgspec

from ledger.author import ZERO32
from ledger.author import line_map
from ledger.entry.envelope import event_hash
from ledger.entry.manifest import Header
from ledger.entry.sign import SignedEvent
from ledger.entry.sign import sign_event
from ledger.entry.verify import key_id
from ledger.errors import FormatError
from ledger.errors import InputError
from ledger.errors import LedgerError
from ledger.events.json import body_from_json
from ledger.events.json import body_to_json
from ledger.events.json import unknown_kind
from ledger.events.lines import MANIFESTS
from ledger.events.registry import KINDS
from ledger.events.registry import MANIFEST_FIELDS
from ledger.events.registry import encode_body
from ledger.events.types import ManifestRef
from ledger.tlog.text import parse_hex

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ledger.drafts import Draft
    from ledger.staging import Staged
    from ledger.tlog.ed25519 import SigningKey

Lines = Mapping[str, "Iterable[Any]"]
HASH_LENGTH = 32


class Head(msgspec.Struct, frozen=True):
    """Where a log stands.

    Attributes:
        log: its id.
        seen: index and leaf hash of its newest entry.
        keys: key id to the next seq and the prev of its chain.
    """

    log: bytes
    seen: tuple[int, bytes]
    keys: dict[bytes, tuple[int, bytes]]

    def chain(self, key: SigningKey, party: bytes, *, fresh: bool = False) -> Chain:
        """Go on with the chain of a key.

        Args:
            key: signs.
            party: in whose name.
            fresh: the key will be on the log by then, and starts its chain.

        Raises:
            InputError: `key-unknown`.
        """
        identity = key_id(key.public)
        place = (0, ZERO32) if fresh else self.keys.get(identity)
        if place is None:
            raise InputError(
                "key-unknown",
                f"the head says nothing of key {identity.hex()}",
                hint=f"ask for 'linernote head --key {identity.hex()} --json'",
            )
        return Chain(self, key, party, *place)


class Chain:
    """A key's chain, signed on ahead of the log.

    Args:
        head: of the log.
        key: signs.
        party: in whose name.
        seq: of the next event.
        prev: event hash of the one before it.
    """

    def __init__(
        self, head: Head, key: SigningKey, party: bytes, seq: int, prev: bytes
    ) -> None:
        self._head = head
        self._key = key
        self._party = party
        self._seq = seq
        self._prev = prev

    def sign(
        self,
        draft: Draft,
        *,
        event_id: bytes,
        time: int,
        lines: Lines | None = None,
        staged: Staged | None = None,
    ) -> SignedEvent:
        """Sign the next event of the chain.

        Args:
            draft: what it says; its manifests are made of `lines`.
            event_id: unless the draft has one.
            time: ms since 1970, unless the draft has one.
            lines: body field to lines in their order.
            staged: takes the lines.

        Raises:
            FormatError: as `body_from_json`, `Staged.build`, `sign_event`; the place
                of the draft first in the message.
            InputError: `lines-unexpected`.
        """
        identity = draft.id or event_id
        try:
            body = self._body(draft, identity, lines or {}, staged)
            signed = sign_event(
                self._key,
                author=self._party,
                body=body,
                id=identity,
                kind=draft.kind,
                log=self._head.log,
                prev=self._prev,
                seen=self._head.seen,
                seq=self._seq,
                time=time if draft.time is None else draft.time,
            )
        except FormatError as error:
            message = f"{draft.where}: {error.message}"
            raise FormatError(error.code, message, hint=error.hint) from None
        self._seq, self._prev = self._seq + 1, event_hash(signed.event)
        return signed

    def _body(
        self, draft: Draft, identity: bytes, lines: Lines, staged: Staged | None
    ) -> bytes:
        said = dict(draft.body)
        for field, content in lines.items():
            check_field(draft.kind, field)
            header = Header(
                author=self._party,
                id=identity,
                kind=f"{draft.kind}/{field}",
                log=self._head.log,
                order=MANIFESTS[f"{draft.kind}/{field}"].order,
                sealed=False,
            )
            said[field] = body_to_json(build_manifest(header, content, staged))
        return encode_body(body_from_json(draft.kind, said))


def check_field(kind: str, field: str) -> None:
    """Refuse lines for a field that takes none.

    Raises:
        FormatError: `unknown-kind`.
        InputError: `lines-unexpected`.
    """
    if kind not in KINDS:
        raise unknown_kind(kind)
    fields = MANIFEST_FIELDS[kind]
    if field not in fields:
        raise InputError(
            "lines-unexpected",
            f"{kind} has no lines in a field {field!r}",
            hint=f"its fields with lines: {', '.join(fields) or 'none'}",
        )


def build_manifest(
    header: Header, lines: Iterable[Any], staged: Staged | None
) -> ManifestRef:
    """Build a manifest of lines, and say how an event brings it in.

    Raises:
        FormatError: as `Staged.build`.
        InputError: `lines-unexpected`, where nothing can take them.
    """
    if staged is None:
        raise InputError("lines-unexpected", "there is nowhere to put lines")
    rule = MANIFESTS[header.kind]
    built = staged.build(header, map(line_map, lines), rule.totals)
    return ManifestRef(
        lines=built.lines,
        order=header.order,
        root=built.root,
        sealed=header.sealed,
        totals=built.totals,
    )


class _Seen(msgspec.Struct):
    index: int
    leaf_hash: str


class _KeyHead(msgspec.Struct):
    key: str
    seq: int
    prev: str


class _HeadFile(msgspec.Struct):
    log: str
    seen: _Seen
    keys: list[_KeyHead]


def parse_head(text: str) -> Head:
    """Parse what ``linernote head --json`` printed.

    Raises:
        FormatError: `bad-head`.
    """
    try:
        given = msgspec.json.decode(text, type=_HeadFile)
        return Head(
            parse_hex(given.log, HASH_LENGTH),
            (given.seen.index, parse_hex(given.seen.leaf_hash, HASH_LENGTH)),
            {
                parse_hex(key.key, HASH_LENGTH): (
                    key.seq,
                    parse_hex(key.prev, HASH_LENGTH),
                )
                for key in given.keys
            },
        )
    except (msgspec.MsgspecError, LedgerError) as error:
        raise FormatError(
            "bad-head",
            f"this is no head of a log: {error}",
            hint="write it with 'linernote head --json > head.json'",
        ) from None
