"""Events to a log somewhere else: signed here, believed by what is known here.

The chain of a key goes on from where the server says, unless that contradicts what it
acknowledged before; `seen` is an entry that the log's own checkpoint vouches for.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.ahead import Head
from ledger.cli.common import hint
from ledger.cli.reading import changed_key
from ledger.entry.envelope import event_hash
from ledger.entry.envelope import parse_event
from ledger.errors import InputError
from ledger.errors import LedgerError
from ledger.errors import UnverifiableError
from ledger.errors import VerificationError
from ledger.events.registry import manifest_refs
from ledger.events.registry import parse_body
from ledger.remote import START
from ledger.remote import Chain
from ledger.remote import Client
from ledger.remote import Memory
from ledger.remote import Remembered
from ledger.remote import RemoteHead
from ledger.remote import Seen
from ledger.remote import Trust
from ledger.remote import check_receipt
from ledger.remote import check_standing
from ledger.remote import is_proven
from ledger.remote import verified_seen
from ledger.remote.memory import SUFFIX
from ledger.remote.memory import check_remembered
from ledger.tlog.note import Vkey
from ledger.tlog.note import format_vkey
from ledger.tlog.note import parse_vkey
from ledger.tlog.policy import Policy
from ledger.wire import EVENTS_MAX
from ledger.wire import Answer
from ledger.wire import Request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.cli.signing import Signer
    from ledger.entry.sign import SignedEvent
    from ledger.log import Appended
    from ledger.staging import Staged

RECEIPT_SECONDS = 60.0
RECEIPT_PAUSE_SECONDS = 0.5


class RemoteDestination:
    """A log at a URL.

    Args:
        client: of its server.
        keys_folder: where it is remembered what a key's chain came to.
        trust: by what the log is believed; by default the key it had the first time.
        wait: whether receipts are wanted.
    """

    def __init__(
        self, client: Client, keys_folder: Path, trust: Trust | None, *, wait: bool
    ) -> None:
        self._client = client
        self._keys_folder = keys_folder
        self._given = self._trust = trust
        self._wait = wait
        self._seen: Seen | None = None
        self._known: Remembered | None = None
        self._memory: Memory | None = None
        self._proven = False
        self._head: Head | None = None
        self.receipts: dict[int, str] = {}

    def head(self, signer: Signer) -> Head:
        """Say where the log and the chain of a key stand, as far as that is believed.

        Raises:
            InputError: `key-unknown`.
            UnverifiableError: `no-network`, `bad-memory`.
            VerificationError: `log-changed`, `chain-contradicted`, `wrong-log-key`;
                as `ledger.reader.Reader`.
        """
        if self._head is None:
            self._head = self._fetch(signer)
        return self._head

    def _fetch(self, signer: Signer) -> Head:
        memory = Memory(self._keys_folder / f"{signer.file.name}{SUFFIX}")
        before = memory.recall()
        said = self._client.head(signer.id)
        head = said.head
        place = head.keys.get(signer.id)
        if place is None:
            raise InputError(
                "key-unknown", f"key {signer.file.name} is not on this log"
            )
        if before is not None and before.log == head.log:
            check_remembered(before, place)  # on a successor chains start anew
        if self._seen is None or self._seen.log != head.log:
            self._seen = self._verify(said, before)
            self._trust = self._seen.trust
        known = self._known_now(self._seen, before)
        newest = said.newest.get(signer.id)
        chain = Chain(signer.file.public, *place, said.genesis, newest)
        same = place == (known.seq, known.prev)
        self._proven = same or self._proves(known, chain)
        if self._proven:
            known = known._replace(seq=place[0], prev=place[1])
        memory.remember(known)
        self._memory, self._known = memory, known
        return Head(head.log, self._seen.newest, {signer.id: place})

    def _known_now(self, seen: Seen, before: Remembered | None) -> Remembered:
        """Give what was known of a key before, and of the tree by now."""
        same = before if before is not None and before.log == seen.log else None
        pinned = same.pinned if same else ""
        if isinstance(self._given, Vkey):
            pinned = format_vkey(self._given)
        believed = format_vkey(_vkey_of(seen.trust))
        tree = seen.checkpoint.size, seen.checkpoint.root
        chain = (same.seq, same.prev) if same else START
        return Remembered(seen.log, believed, *tree, *chain, pinned)

    def _proves(self, known: Remembered, chain: Chain) -> bool:
        """Tell whether a chain stands where the log says, by an event on it.

        What is signed for another place no honest log takes. But were a place
        remembered on a server's word, one lie would spoil the memory for good.
        """
        proven = is_proven(self._client.url, self._believed(), known, chain)
        if not proven:
            hint(
                f"nothing proves yet that the key's next event is number {chain.seq}:"
                " what the log answers is not remembered"
            )
        return proven

    def _verify(self, said: RemoteHead, before: Remembered | None) -> Seen:
        """Verify where the log stands, by what is known of it or, first, by its key."""
        given, url = self._given, self._client.url
        log, vkey = said.head.log, said.vkey
        if before is None or isinstance(given, Policy):
            trust = given or _trust_first(vkey)
        elif given is None or format_vkey(given) == before.pinned:
            trust = parse_vkey(before.vkey)  # perhaps the log has led there before
        else:
            trust = given
        try:
            seen = verified_seen(url, trust, log, said.genesis, before)
        except VerificationError as error:
            if error.code != "not-signed" or given is not None or vkey == trust:
                raise
            raise VerificationError(
                "wrong-log-key",
                f"the log is verified by {format_vkey(vkey)}, and was by"
                f" {format_vkey(_vkey_of(trust))}: {error.message}",
                hint="get its key from somebody you trust, and give it with --vkey",
            ) from error
        if seen.followed:
            hint(changed_key(seen.trust))
        return seen

    def stands(self, party: bytes, event_id: bytes) -> bool:
        """Tell whether an event is known to stand there: only the answer says."""
        del party, event_id
        return False

    def append(
        self, events: Sequence[SignedEvent], staged: Staged, *, atomic: bool = False
    ) -> Sequence[Appended | LedgerError]:
        """Send events, and the lines that they bring in ahead of them.

        Raises:
            InputError: `batch-too-large`; a code of `Log.append`, if atomic.
            UnverifiableError: `no-network`: whether they were stored is unknown.
        """
        if len(events) > EVENTS_MAX:
            raise InputError(
                "batch-too-large",
                f"{len(events)} events that are all or none, at most {EVENTS_MAX}",
                hint="append them in parts, or where the log home is",
            )
        self._put_lines(events, staged)
        request = Request(list(events), atomic=atomic, wait=self._wait)
        try:
            answers = self._client.append(request)
        except UnverifiableError as error:
            if error.code != "manifest-lines-missing":
                raise
            self._put_lines(events, staged)  # the server was started anew meanwhile
            answers = self._client.append(request)
        said = [answer.said for answer in answers]
        self._remember(events, said)
        proven = self._keep_receipts(request, answers) if self._wait else set()
        self._check_standing(events, said, proven)
        return said

    def _put_lines(self, events: Sequence[SignedEvent], staged: Staged) -> None:
        for signed in events:
            event = parse_event(signed.event)
            body = parse_body(event.kind, event.body)
            for _, ref in manifest_refs(event.kind, body):
                if ref.root not in staged:
                    continue
                root = ref.root
                length = sum(map(len, staged.bundles(root)))
                self._client.put_manifest(root, length, lambda: staged.bundles(root))  # noqa: B023 (used before the next)

    def _remember(
        self, events: Sequence[SignedEvent], said: Sequence[Appended | LedgerError]
    ) -> None:
        """Go on from what was acknowledged, or ask anew after a break."""
        if self._head is None or self._known is None or self._memory is None:
            return
        ((key, place),) = self._head.keys.items()
        broken = False
        for signed, answer in zip(events, said, strict=True):
            event = parse_event(signed.event)
            if isinstance(answer, LedgerError) or answer.repeated:
                broken = True
            elif event.key == key:
                place = event.seq + 1, event_hash(signed.event)
        head = Head(self._head.log, self._head.seen, {key: place})
        self._head = None if broken else head
        if self._proven:
            seq, prev = place
            self._known = self._known._replace(seq=seq, prev=prev)
            self._memory.remember(self._known)

    def _check_standing(
        self,
        events: Sequence[SignedEvent],
        said: Sequence[Appended | LedgerError],
        proven: set[int],
    ) -> None:
        """Verify what is said to have stood there, unless a receipt proves it."""
        standing = [
            (signed.event, answer)
            for signed, answer in zip(events, said, strict=True)
            if not isinstance(answer, LedgerError)
            and answer.repeated
            and answer.index not in proven
        ]
        if standing:
            url, trust = self._client.url, self._believed()
            check_standing(url, trust, self._known, standing)

    def _keep_receipts(self, request: Request, answers: list[Answer]) -> set[int]:
        """Verify receipts, asking again for those that were not there yet.

        What was answered first holds: only receipts are taken from later answers.

        Returns:
            The indexes that they prove.
        """
        said = [answer.said for answer in answers]
        deadline = time.monotonic() + RECEIPT_SECONDS
        while any(_lacks_receipt(answer) for answer in answers):
            if time.monotonic() > deadline:
                hint("stored, but a receipt is late: send the same events again for it")
                break
            time.sleep(RECEIPT_PAUSE_SECONDS)
            answers = self._client.append(request)
        proven = set()
        for signed, first, answer in zip(request.events, said, answers, strict=True):
            if answer.receipt is None or isinstance(first, LedgerError):
                continue
            check_receipt(answer.receipt, self._believed(), signed.event, first)
            self.receipts[first.index] = answer.receipt
            proven.add(first.index)
        return proven

    def _believed(self) -> Trust:
        if self._trust is None:
            self._trust = self._client.head().vkey
        return self._trust


def _vkey_of(trust: Trust) -> Vkey:
    return trust.logs[0].vkey if isinstance(trust, Policy) else trust


def _lacks_receipt(answer: Answer) -> bool:
    return answer.receipt is None and not isinstance(answer.said, LedgerError)


def _trust_first(vkey: Vkey) -> Vkey:
    hint(f"first time: the log is believed by the key {format_vkey(vkey)}")
    return vkey
