"""What comes back from a backup is read-only until nothing can be missing."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from ledger.anchor import VARIABLE
from ledger.backup import back_up
from ledger.errors import HomeError
from ledger.errors import InputError
from ledger.errors import UnverifiableError
from ledger.errors import VerificationError
from ledger.home import Home
from ledger.restore import catch_up
from ledger.restore import restore
from ledger.storage.sqlite import SqliteStore
from ledger.tlog.cosignature import COSIGNATURE_TYPE
from ledger.tlog.cosignature import merge_signatures
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.note import Signature
from ledger.tlog.note import format_vkey
from ledger.tlog.note import make_vkey
from ledger.writer import Writer
from tests.drills.places import ORIGIN
from tests.drills.places import anchored
from tests.drills.places import audit
from tests.drills.places import copy
from tests.drills.places import grow
from tests.drills.places import log_key
from tests.drills.places import say_many
from tests.drills.places import size_of
from tests.drills.places import vkey


def refusal(home: Home) -> str:
    """Give the code by which a home refuses to be written to."""
    with pytest.raises(HomeError) as error:
        Writer(home)
    assert error.value.exit_code == 8
    return error.value.code


@pytest.fixture
def lost(home: Home, tmp_path: Path) -> Home:
    """A home of 2 entries backed up, grown to 6, mirrored, and then lost."""
    back_up(home, tmp_path / "backup", keys=True)
    grow(home, 4)
    shutil.copytree(home.public, tmp_path / "mirror")
    shutil.rmtree(home.path)
    return home


def test_the_drill(lost: Home, tmp_path: Path) -> None:
    """Backup, loss, restore: refused, caught up, written again; nothing is missing."""
    assert restore(lost, tmp_path / "backup") == 2
    assert refusal(lost) == "home-restored"
    assert [found.code for found in audit(lost).problems][:1] == ["behind-anchor"]
    assert catch_up(lost, str(tmp_path / "mirror")) == (6, 4)
    assert audit(lost).exit_code == 0
    assert (lost.public / "checkpoint").read_bytes() == (
        tmp_path / "mirror" / "checkpoint"
    ).read_bytes()
    assert grow(lost) == 7
    report = audit(lost)
    assert (report.exit_code, report.size) == (0, 7)


def test_a_backup_that_lacks_nothing_catches_up_with_nothing(
    home: Home, tmp_path: Path
) -> None:
    """It is the same drill, and again does no harm."""
    back_up(home, tmp_path / "backup", keys=True)
    shutil.copytree(home.public, tmp_path / "mirror")
    shutil.rmtree(home.path)
    restore(home, tmp_path / "backup")
    for _ in range(2):
        assert catch_up(home, str(tmp_path / "mirror")) == (2, 0)
    assert grow(home) == 3


def test_lines_come_back_with_their_entries(home: Home, tmp_path: Path) -> None:
    """A manifest that was published since the backup is fetched line by line."""
    back_up(home, tmp_path / "backup", keys=True)
    with Writer(home) as writer:
        say_many(writer, 300)
        writer.publish(log_key(home))
    shutil.copytree(home.public, tmp_path / "mirror")
    shutil.rmtree(home.path)
    restore(home, tmp_path / "backup")
    assert catch_up(home, str(tmp_path / "mirror")) == (3, 1)
    report = audit(home)
    assert (report.exit_code, report.checked["manifests"]) == (0, 1)
    (bundles,) = (home.public / "manifest").glob("*/tile/entries")
    assert {path.name for path in bundles.iterdir()} == {"000", "001.p"}


def test_a_place_that_is_behind_the_anchor_is_not_enough(
    lost: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was anchored and can be got nowhere is lost: this log is over."""
    restore(lost, tmp_path / "backup")
    older = tmp_path / "older"
    copied = copy(lost, tmp_path / "copied")
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv(VARIABLE, str(tmp_path / "elsewhere"))
        catch_up(copied, str(tmp_path / "mirror"), [vkey(copied)])
        shutil.copytree(copied.public, older)
    anchor = anchored(lost)
    text = (anchor.read() or "").replace("\n6\n", "\n9\n")
    anchor.swap(anchor.read(), text)
    for _ in range(2):
        with pytest.raises(HomeError) as error:
            catch_up(lost, str(older))
        assert error.value.code == "behind-anchor"
        assert refusal(lost) == "home-restored"


def test_a_place_that_is_older_than_the_home_is_refused(
    home: Home, tmp_path: Path
) -> None:
    """Readers who see less than the home signed are not all readers."""
    shutil.copytree(home.public, tmp_path / "mirror")
    grow(home)
    with pytest.raises(UnverifiableError) as error:
        catch_up(home, str(tmp_path / "mirror"))
    assert error.value.code == "source-behind"


def test_the_home_s_own_folder_says_nothing_new(lost: Home, tmp_path: Path) -> None:
    """It was copied or set back with the home."""
    restore(lost, tmp_path / "backup")
    for place in (lost.public, lost.path / ".." / lost.path.name / "public"):
        with pytest.raises(InputError) as error:
            catch_up(lost, str(place))
        assert error.value.code == "source-inside-home"


def test_another_history_is_not_caught_up_with(
    lost: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A place that shows a fork changes nothing in the home."""
    restore(lost, tmp_path / "backup")
    forked = copy(lost, tmp_path / "forked")
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv(VARIABLE, str(tmp_path / "elsewhere"))
        alone = tmp_path / "alone"
        shutil.copytree(tmp_path / "mirror", alone)
        catch_up(forked, str(alone), [vkey(forked)])
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv(VARIABLE, str(tmp_path / "another"))
        split = Home(tmp_path / "split")
        restore(split, tmp_path / "backup")
        split.restored.unlink()
        anchored(split).swap(None, _text_of_last(split))
        grow(split, 9)
    with pytest.raises(HomeError) as error:
        catch_up(lost, str(split.public))
    assert error.value.code == "anchor-differs"
    with pytest.raises(VerificationError) as failed:
        catch_up(forked, str(split.public))
    assert failed.value.code == "fork"


def _text_of_last(home: Home) -> str:
    with closing(SqliteStore.open(home.path, read_only=True)) as store:
        return (store.checkpoint() or "").split("\n\n")[0] + "\n"


def test_altered_files_are_not_caught_up_with(lost: Home, tmp_path: Path) -> None:
    """Every byte that is fetched has to lead to the signed root."""
    restore(lost, tmp_path / "backup")
    bundle = tmp_path / "mirror" / "tile" / "entries" / "000.p" / "6"
    data = bytearray(bundle.read_bytes())
    data[-1] ^= 1
    bundle.write_bytes(data)
    with pytest.raises(VerificationError):
        catch_up(lost, str(tmp_path / "mirror"))
    assert size_of(lost) == 2
    assert refusal(lost) == "home-restored"


def test_a_lost_anchor_is_won_back_from_what_readers_have(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home that was moved to another machine goes on there, and only there."""
    grow(home)
    shutil.copytree(home.public, tmp_path / "mirror")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "elsewhere"))
    assert refusal(home) == "anchor-missing"
    with pytest.raises(InputError) as unknown:
        catch_up(home, str(tmp_path / "mirror"))
    assert unknown.value.code == "vkey-needed"
    assert catch_up(home, str(tmp_path / "mirror"), [vkey(home)]) == (3, 0)
    assert grow(home) == 4
    assert audit(home).exit_code == 0


def test_signatures_that_do_not_hold_are_not_published_again(
    lost: Home, tmp_path: Path
) -> None:
    """One that names a known key would have every reader refuse the checkpoint."""
    restore(lost, tmp_path / "backup")
    path = tmp_path / "mirror" / "checkpoint"
    right = path.read_text(encoding="utf-8")
    public = SigningKey(b"w" * 32).public
    witness = make_vkey("w.example", public, COSIGNATURE_TYPE)
    junk = [
        Signature(ORIGIN, b"abcd", bytes(64)),
        Signature("w.example", witness.key_id, bytes(72)),
    ]
    path.write_text(merge_signatures(right, junk), encoding="utf-8")
    lines = [f"log {format_vkey(vkey(lost))}", f"witness w {format_vkey(witness)}"]
    policy = "\n".join([*lines, "quorum none", ""])
    (lost.path / "policy").write_text(policy, encoding="utf-8")
    catch_up(lost, str(tmp_path / "mirror"))
    assert (lost.public / "checkpoint").read_text(encoding="utf-8") == right


def test_a_copy_that_was_set_back_catches_up_in_place(
    home: Home, tmp_path: Path
) -> None:
    """What it lacks is fetched; then it is the log again."""
    old = copy(home, tmp_path / "old")
    grow(home, 3)
    shutil.copytree(home.public, tmp_path / "mirror")
    assert refusal(old) == "behind-anchor"
    assert catch_up(old, str(tmp_path / "mirror")) == (5, 3)
    assert grow(old) == 6
    assert refusal(home) == "behind-anchor"


def test_a_crash_on_the_way_leaves_it_read_only(
    lost: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At whatever step it stopped, it is refused, and the next attempt finishes."""

    def crash(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    restore(lost, tmp_path / "backup")
    steps = ["_fetch", "rebuild", "_audit", "_publish", "put_files", "put_checkpoint"]
    for step in steps:
        with monkeypatch.context() as patch:
            patch.setattr(f"ledger.restore.{step}", crash)
            with pytest.raises(KeyboardInterrupt):
                catch_up(lost, str(tmp_path / "mirror"))
        assert refusal(lost) == "home-restored"
    catch_up(lost, str(tmp_path / "mirror"))
    assert grow(lost) == 7
    assert audit(lost).exit_code == 0
