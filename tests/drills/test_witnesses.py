"""A restored home asks the witnesses of its policy how far the log had come."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ledger.anchor import VARIABLE
from ledger.backup import back_up
from ledger.errors import HomeError
from ledger.errors import UnverifiableError
from ledger.home import Home
from ledger.restore import catch_up
from ledger.restore import restore
from ledger.storage.sqlite import SqliteStore
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.merkle import prove_consistency
from ledger.tlog.note import make_vkey
from ledger.tlog.policy import parse_policy
from ledger.witness.cosigning import Witness
from ledger.witness.folder import add_log
from ledger.witness.folder import found_witness
from ledger.witnessing import COSIGNED
from ledger.witnessing import gather
from ledger.writer import Writer
from tests.drills.places import ORIGIN
from tests.drills.places import grow
from tests.drills.places import log_key
from tests.drills.places import vkey
from tests.witness.servers import dead_port
from tests.witness.servers import serving

NAME = "w.example"


@pytest.fixture
def url(home: Home, tmp_path: Path) -> Iterator[str]:
    """The address of a witness that knows the log."""
    key, folder = SigningKey(bytes([7] * 32)), tmp_path / "witness"
    found_witness(folder, NAME, key.public)
    add_log(folder, make_vkey(ORIGIN, log_key(home).public))
    with serving(Witness(folder, key)) as address:
        yield address


def policy(url: str, folder: Path) -> str:
    """Give the text of a policy that names the witness."""
    vkey = (folder / "witness" / "vkey").read_text(encoding="utf-8").strip()
    return f"witness w {vkey} {url}\nquorum w\n"


def cosign(home: Home, text: str) -> None:
    """Let the witness cosign what is published."""
    note = (home.public / "checkpoint").read_text(encoding="utf-8")
    with closing(SqliteStore.open(home.path, read_only=True)) as store:
        size = store.size()
        asked = gather(
            parse_policy(text),
            note,
            lambda old_size: prove_consistency(old_size, size, store.nodes),
        )
    assert [each.code for each in asked.outcomes.values()] == [COSIGNED]


def test_a_witness_that_saw_more_is_heard(
    home: Home, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a new machine, without anchor, a witness still knows how far the log came."""
    text = policy(url, tmp_path)
    (home.path / "policy").write_text(text, encoding="utf-8")
    back_up(home, tmp_path / "backup", keys=True)
    grow(home)
    shutil.copytree(home.public, tmp_path / "old-mirror")
    grow(home)
    cosign(home, text)
    shutil.copytree(home.public, tmp_path / "mirror")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "elsewhere"))
    restored = Home(tmp_path / "restored")
    restore(restored, tmp_path / "backup")
    with pytest.raises(HomeError) as error:
        catch_up(restored, str(tmp_path / "old-mirror"), [vkey(home)])
    assert (error.value.code, error.value.exit_code) == ("behind-witness", 8)
    with pytest.raises(HomeError) as refused:
        Writer(restored)
    assert refused.value.code == "home-restored"
    known = [vkey(home)]
    assert catch_up(restored, str(tmp_path / "mirror"), known).size == 4
    assert grow(restored) == 5


def test_a_silent_witness_is_not_taken_for_a_content_one(
    home: Home, url: str, tmp_path: Path
) -> None:
    """Who cannot be asked may have seen more."""
    text = policy(url, tmp_path).replace(url, dead_port())
    back_up(home, tmp_path / "backup", keys=True)
    shutil.copytree(home.public, tmp_path / "mirror")
    restored = Home(tmp_path / "restored")
    restore(restored, tmp_path / "backup")
    (restored.path / "policy").write_text(text, encoding="utf-8")
    with pytest.raises(UnverifiableError) as error:
        catch_up(restored, str(tmp_path / "mirror"))
    assert error.value.code == "witness-silent"
    assert restored.restored.exists()
