"""A backup is the whole log of one moment, also while it is written to."""

from __future__ import annotations

import shutil
import threading
from contextlib import closing
from pathlib import Path

import pytest

from ledger.backup import back_up
from ledger.errors import ConflictError
from ledger.errors import HomeError
from ledger.errors import InputError
from ledger.errors import LedgerError
from ledger.errors import VerificationError
from ledger.home import Home
from ledger.publish import published_checkpoint
from ledger.restore import catch_up
from ledger.restore import restore
from ledger.storage.sqlite import SqliteStore
from ledger.writer import Writer
from tests.drills.places import audit
from tests.drills.places import copy
from tests.drills.places import grow
from tests.drills.places import log_key
from tests.drills.places import say
from tests.drills.places import size_of


def test_a_backup_is_whole_while_others_write(home: Home, tmp_path: Path) -> None:
    """Each copy is the log as it was at one moment, and can be restored."""
    stop = threading.Event()
    failed: list[BaseException] = []

    def write() -> None:
        try:
            with Writer(home) as writer:
                while not stop.is_set():
                    say(writer, "more")
                writer.publish(log_key(home))
        except BaseException as error:  # noqa: BLE001 (told below)
            failed.append(error)

    writing = threading.Thread(target=write)
    writing.start()
    sizes = [back_up(home, tmp_path / f"b{number}").size for number in range(8)]
    stop.set()
    writing.join()
    assert (failed, sizes) == ([], sorted(sizes))
    shutil.copytree(home.public, tmp_path / "mirror")
    for number in (0, 7):
        restored = Home(tmp_path / f"r{number}")
        restore(restored, tmp_path / f"b{number}")
        assert size_of(restored) == sizes[number]
        catch_up(restored, str(tmp_path / "mirror"))
        assert audit(restored).exit_code == 0


def test_a_backup_replaces_nothing_and_is_not_in_the_home(
    home: Home, tmp_path: Path
) -> None:
    """What is there stays, and what would be lost with the home is no backup."""
    back_up(home, tmp_path / "backup")
    assert not (tmp_path / "backup" / "keys").exists()
    with pytest.raises(ConflictError):
        back_up(home, tmp_path / "backup")
    with pytest.raises(InputError) as error:
        back_up(home, home.path / "backup")
    assert error.value.code == "backup-inside-home"
    with pytest.raises(ConflictError):
        restore(home, tmp_path / "backup")
    assert [path.name for path in tmp_path.iterdir() if ".partial" in path.name] == []


@pytest.mark.parametrize("spill", [True, False])
def test_a_live_copy_of_the_file_is_refused_or_right(
    home: Home, tmp_path: Path, *, spill: bool
) -> None:
    """`cp` of the database alone, in mid-transaction: torn, and found to be."""
    grow(home, 3)
    store = SqliteStore.open(home.path)
    if spill:  # what is changed goes to the file at once, as in a large transaction
        store._connection.execute("PRAGMA cache_size = 1")
    store.begin()
    store._connection.execute("DELETE FROM mentions WHERE value > ''")
    store.rows.write(
        [("torn", number.to_bytes(4, "big"), bytes(2_000)) for number in range(500)]
    )
    copied = copy(home, tmp_path / "copied")
    for beside in copied.path.glob("ledger.db-*"):
        beside.unlink()
    store.rollback()
    store.close()
    try:
        report = audit(copied)
    except LedgerError as error:
        assert error.code.startswith("store-")  # noqa: PT017 (either is right)
        return
    if spill:
        assert report.exit_code == 4
    else:
        assert (report.exit_code, report.size) == (0, 5)
        with closing(SqliteStore.open(copied.path, read_only=True)) as whole:
            last = published_checkpoint(whole)
            assert last is not None
            assert last.size == 5


def test_a_backup_of_a_torn_database_is_thrown_away(home: Home, tmp_path: Path) -> None:
    """A copy that is not what its checkpoint names is no backup."""
    with closing(SqliteStore.open(home.path)) as store:
        store._connection.execute("DROP TRIGGER entries_delete")
        store._connection.execute("DELETE FROM entries WHERE entry_index = 1")
    with pytest.raises(HomeError) as error:
        back_up(home, tmp_path / "backup")
    assert error.value.code == "store-damaged"
    assert not (tmp_path / "backup").exists()


def test_a_backup_with_an_altered_entry_is_not_written_again(
    home: Home, tmp_path: Path
) -> None:
    """Catching up ends with an audit of all that is there, not of what was fetched."""
    back_up(home, tmp_path / "backup", keys=True)
    grow(home)
    shutil.copytree(home.public, tmp_path / "mirror")
    with closing(SqliteStore.open(tmp_path / "backup")) as store:
        connection = store._connection
        connection.execute("DROP TRIGGER entries_update")
        leaf = bytearray(store.leaf(1))
        leaf[-1] ^= 1
        connection.execute(
            "UPDATE entries SET leaf = ? WHERE entry_index = 1", (bytes(leaf),)
        )
    restored = Home(tmp_path / "restored")
    restore(restored, tmp_path / "backup")
    with pytest.raises(VerificationError) as error:
        catch_up(restored, str(tmp_path / "mirror"))
    assert error.value.code == "audit-failed"
    with pytest.raises(HomeError) as refused:
        Writer(restored)
    assert refused.value.code == "home-restored"
