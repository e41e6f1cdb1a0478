"""Logs of others may be called anything, and their keys otherwise (tlog-checkpoint)."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from ledger.errors import FormatError
from ledger.errors import LedgerError
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import open_checkpoint
from ledger.tlog.checkpoint import parse_any_checkpoint
from ledger.tlog.checkpoint import parse_checkpoint
from ledger.tlog.merkle import subtree_root
from ledger.tlog.note import Vkey
from ledger.tlog.note import format_vkey
from ledger.tlog.note import make_vkey
from ledger.tlog.note import open_note
from ledger.tlog.note import sign_note
from ledger.tlog.text import format_base64
from ledger.tlog.witness_messages import AddCheckpoint
from ledger.tlog.witness_messages import checkpoint_path
from ledger.tlog.witness_messages import format_request
from ledger.witness.cosigning import Witness
from ledger.witness.folder import add_log
from ledger.witness.folder import logs_of
from tests.cli.conftest import run_command
from tests.witness.logs import GrowingLog
from tests.witness.logs import make_witness
from web.witness import create_witness

SPACED = "go.sum database tree"
NAME = "sum.example"


class NamedLog(GrowingLog):
    """A log whose key has another name than its checkpoints begin with."""

    def __init__(self, origin: str = SPACED, seed: bytes = bytes(32)) -> None:
        super().__init__(origin=origin, seed=seed)

    @property
    def vkey(self) -> Vkey:
        return make_vkey(NAME, self.key.public)

    def checkpoint(self, size: int) -> str:
        root = format_base64(subtree_root(self.leaves(size)))
        return sign_note(f"{self.origin}\n{size}\n{root}\n", NAME, self.key)


LOG = NamedLog()


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return make_witness(tmp_path / "witness")


@pytest.fixture
def client(witness: Witness) -> FlaskClient:
    return create_witness(witness).test_client()


def post(client: FlaskClient, request: AddCheckpoint) -> int:
    return client.post("/add-checkpoint", data=format_request(request)).status_code


def test_a_log_of_any_name_is_cosigned(client: FlaskClient, witness: Witness) -> None:
    """Under the origin that was given for its key, from one size to the next."""
    assert add_log(witness.folder, LOG.vkey, origin=SPACED)
    assert post(client, LOG.request(0, 3)) == 200
    assert post(client, LOG.request(3, 7)) == 200
    assert post(client, LOG.request(3, 8)) == 409
    served = client.get(f"/{checkpoint_path(SPACED)}")
    opened = open_note(served.text, [LOG.vkey, witness.vkey])
    assert parse_any_checkpoint(opened.text).size == 7
    (log,) = logs_of(witness.folder)
    assert (log.origin, log.vkeys) == (SPACED, (LOG.vkey,))
    assert log.checkpoint is not None


@pytest.mark.parametrize(
    "origin", [SPACED, "a b", "two+two", " ", "linernote/x", "ö" * 300]
)
def test_an_unknown_log_of_any_name_is_not_found(
    origin: str, client: FlaskClient
) -> None:
    """404 says that nobody added it; 400 would say that it is no checkpoint."""
    assert post(client, NamedLog(origin).request(0, 3)) == 404


def test_a_key_signs_for_the_origins_that_it_was_added_for(
    client: FlaskClient, witness: Witness
) -> None:
    """Not for its own name, and no other key for this one."""
    add_log(witness.folder, LOG.vkey, origin=SPACED)
    assert post(client, NamedLog(NAME).request(0, 3)) == 404
    assert post(client, NamedLog(seed=bytes([7]) * 32).request(0, 3)) == 403
    second = NamedLog(seed=bytes([7]) * 32)
    add_log(witness.folder, second.vkey, LOG.vkey, SPACED)
    assert post(client, LOG.request(0, 3)) == 403
    assert post(client, second.request(0, 3)) == 200


@pytest.mark.parametrize("origin", ["", "a\nb", "a\tb", "\n"])
def test_an_origin_is_a_line(origin: str, witness: Witness) -> None:
    """What no checkpoint can begin with is refused when it is given."""
    with pytest.raises(FormatError) as caught:
        add_log(witness.folder, LOG.vkey, origin=origin)
    assert caught.value.code == "bad-origin"
    assert logs_of(witness.folder) == []


def test_our_own_logs_are_called_as_their_keys() -> None:
    """Whoever reads a log of linernote believes no other name for it."""
    note = LOG.checkpoint(3)
    with pytest.raises(LedgerError) as caught:
        open_checkpoint(note, LOG.vkey)
    assert caught.value.code == "bad-key-name"
    with pytest.raises(FormatError):
        parse_checkpoint(f"{SPACED}\n1\n{format_base64(bytes(32))}\n")
    other = NamedLog("other.example")
    with pytest.raises(LedgerError) as caught:
        open_checkpoint(other.checkpoint(3), other.vkey)
    assert caught.value.code == "wrong-origin"
    assert parse_any_checkpoint(f"{SPACED}\n1\n{format_base64(bytes(32))}\n") == (
        Checkpoint(SPACED, 1, bytes(32))
    )


def test_the_command_takes_an_origin(tmp_path: Path) -> None:
    """`witness add-log VKEY --origin LINE`, and `witness logs` lists it."""
    folder = ("--folder", tmp_path / "w")
    made = run_command("witness", "init", "w.example", "--no-passphrase", *folder)
    assert made.code == 0, made
    vkey = format_vkey(LOG.vkey)
    added = run_command(
        "witness", "add-log", vkey, "--origin", SPACED, *folder, "--json"
    )
    assert added.json["logs"] == [{"origin": SPACED, "new": True}]
    (log,) = run_command("witness", "logs", *folder, "--json").json["logs"]
    assert (log["origin"], log["vkeys"]) == (SPACED, [vkey])
    wrong = run_command("witness", "add-log", vkey, "--origin", "", *folder)
    assert wrong.error == "bad-origin"
