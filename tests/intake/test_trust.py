"""What a signer believes of a server, and by what."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from pathlib import Path

import pytest

from ledger.cli.sending import RemoteDestination
from ledger.errors import LedgerError
from ledger.errors import UnverifiableError
from ledger.errors import VerificationError
from ledger.intake import Intake
from ledger.log import Appended
from ledger.receipts import receipts
from ledger.remote import Client
from ledger.remote import Memory
from ledger.remote import Remembered
from ledger.remote import check_receipt
from ledger.remote import verified_seen
from ledger.remote.memory import check_remembered
from ledger.staging import Staged
from ledger.tlog.note import parse_vkey
from ledger.wire import Answer
from ledger.wire import Request
from tests.cli.conftest import Town
from tests.intake.places import Speaker

LOG, PREV, OTHER = b"l" * 32, b"p" * 32, b"o" * 32
BEFORE = Remembered(LOG, "vkey", 9, b"r" * 32, 5, PREV)


@pytest.mark.parametrize("place", [(5, PREV), (6, OTHER), (500, OTHER)])
def test_a_chain_may_go_on(place: tuple[int, bytes]) -> None:
    """Where it stood, or further: the key may be used elsewhere as well."""
    check_remembered(BEFORE, place)


@pytest.mark.parametrize("place", [(4, PREV), (0, bytes(32)), (5, OTHER)])
def test_a_chain_is_never_set_back(place: tuple[int, bytes]) -> None:
    """Fewer events than acknowledged, or as many that end otherwise."""
    with pytest.raises(VerificationError) as refused:
        check_remembered(BEFORE, place)
    assert refused.value.code == "chain-contradicted"


def test_memory_is_read_as_it_was_written(tmp_path: Path) -> None:
    """All of it, and nothing where there is none."""
    memory = Memory(tmp_path / "lab.chain")
    assert memory.recall() is None
    memory.remember(BEFORE)
    assert memory.recall() == BEFORE
    assert memory.path.stat().st_mode & 0o077 == 0


def test_seen_is_of_the_log_that_was_meant(intake: Intake, town: Town) -> None:
    """The newest published entry, of that log and no other."""
    trust, public = parse_vkey(town.vkey), str(town.home / "public")
    log = bytes.fromhex(town.must("head")["log"])
    _, checkpoint, seen, by, followed = verified_seen(public, trust, log, 0, None)
    assert (by, followed) == (trust, False)
    assert seen[0] == checkpoint.size - 1
    assert seen[1].hex() == town.must("show", seen[0])["leaf_hash"]
    with pytest.raises(VerificationError) as refused:
        verified_seen(public, trust, OTHER, 0, None)
    assert refused.value.code == "log-changed"
    size, root = checkpoint.size, OTHER
    before = BEFORE._replace(log=log, size=size, root=root)
    with pytest.raises(VerificationError) as forked:
        verified_seen(public, trust, log, 0, before)
    assert forked.value.code == "fork"


def test_a_receipt_is_of_its_event(intake: Intake, town: Town) -> None:
    """The proof of another entry, or for another event, is no receipt."""
    first, second = Speaker(town, "lab").versions(2)
    said = intake.append([first, second])
    places = [each for each in said if isinstance(each, Appended)]
    indexes = [each.index for each in places]
    proofs = receipts(intake.home, indexes, intake.wait_published, 10)
    trust, text = parse_vkey(town.vkey), proofs[indexes[0]]
    check_receipt(text, trust, first.event, places[0])
    for event, place in ((second.event, places[0]), (first.event, places[1])):
        with pytest.raises(VerificationError) as refused:
            check_receipt(text, trust, event, place)
        assert refused.value.code == "wrong-receipt"
    with pytest.raises(LedgerError):
        check_receipt(text.replace("index", "Index"), trust, first.event, places[0])


class Forgetful(Client):
    """A server that was started anew between the lines and their event."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def put_manifest(
        self, root: bytes, length: int, bundles: Callable[[], Iterable[bytes]]
    ) -> None:
        assert sum(map(len, bundles())) == length
        self.heard.append("lines")

    def append(self, request: Request) -> list[Answer]:
        self.heard.append("event")
        if len(self.heard) == 2:
            raise UnverifiableError("manifest-lines-missing", "not here")
        return [Answer(Appended(9, LOG, repeated=False)) for _ in request.events]


def test_lines_are_sent_again_where_they_were_lost(town: Town, tmp_path: Path) -> None:
    """Staged lines do not outlive a server: they go there once more."""
    client = Forgetful()
    log = RemoteDestination(client, tmp_path, None, wait=False)
    with Staged() as staged:
        event = Speaker(town, "operator").parties(staged, 3)
        (said,) = log.append([event], staged)
    assert said == Appended(9, LOG, repeated=False)
    assert client.heard == ["lines", "event", "lines", "event"]
