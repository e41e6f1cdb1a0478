"""The disk of the fault harness loses what real ones lose, and nothing that is safe."""

from __future__ import annotations

import pytest

from tools.faults.disk import FIXED
from tools.faults.disk import Disk
from tools.faults.disk import Image
from tools.faults.disk import Model
from tools.faults.disk import Policy
from tools.faults.record import Operation

CHANCES = [Policy(name, str(n)) for name in ("reorder", "torn") for n in range(40)]


def run(model: Model, *lines: str, start: Image | None = None) -> Disk:
    """Apply operations given as `KIND PATH [OTHER-OR-DATA [OFFSET]]`."""
    disk = Disk(start or {}, model)
    for line in lines:
        kind, path, *rest = line.split()
        word = rest[0] if rest else ""
        offset = int(rest[1]) if len(rest) > 1 else 0
        other, data = (word, b"") if kind in "RL" else ("", word.encode())
        disk.apply(Operation(kind, 0, path, other, offset, data))
    return disk


def images(disk: Disk) -> list[Image]:
    return [disk.image(policy) for policy in (*FIXED, *CHANCES)]


@pytest.mark.parametrize("model", Model)
def test_what_is_synced_by_content_and_name_stays(model: Model) -> None:
    """Whatever the luck, a file that was synced with its folder is there, whole."""
    disk = run(model, "C log", "W log entry", "S log", "S .")
    assert all(image == {"log": b"entry"} for image in images(disk))


def test_a_sync_of_the_file_alone_keeps_no_name() -> None:
    """In the strict model the name needs the folder's sync; in the journal's not."""
    lines = ("C log", "W log entry", "S log")
    assert {} in images(run(Model.STRICT, *lines))
    assert all(i == {"log": b"entry"} for i in images(run(Model.JOURNAL, *lines)))


def test_what_is_not_synced_may_be_lost_kept_or_reordered() -> None:
    """Of two writes the disk may have neither, either one, or both."""
    disk = run(Model.STRICT, "W log one 0", "W log two 3", start={"log": b"------"})
    found = {image["log"] for image in images(disk)}
    assert {b"------", b"onetwo", b"one---", b"---two"} <= found


def test_writes_are_torn_at_sectors() -> None:
    """A write over two sectors may arrive in part: either of them, old or garbage."""
    disk = run(Model.STRICT, f"W log {'n' * 1024}", start={"log": b"o" * 1024})
    found = [image["log"] or b"" for image in images(disk)]
    assert any(data[:512] == b"n" * 512 and data[512:] == b"o" * 512 for data in found)
    assert any(data[:512] == b"o" * 512 and data[512:] == b"n" * 512 for data in found)
    assert any(set(data) - set(b"no") for data in found)


def test_a_rename_in_one_folder_is_there_or_not() -> None:
    """After a rename, power shows the old file or the new one, never none or half."""
    lines = ("C new", "W new two", "S new", "S .", "R new log")
    disk = run(Model.STRICT, *lines, start={"log": b"one"})
    found = images(disk)
    assert {b"one", b"two"} == {image["log"] for image in found}


def test_a_folder_that_was_not_synced_takes_its_files_along() -> None:
    """A file in a new folder is there only once every folder above is durable."""
    lines = ("M a", "C a/log", "W a/log entry", "S a/log", "S a")
    assert {} in images(run(Model.STRICT, *lines))
    whole = {"a": None, "a/log": b"entry"}
    assert all(i == whole for i in images(run(Model.STRICT, *lines, "S .")))


def test_a_failed_sync_loses_what_every_program_still_sees() -> None:
    """The lost pages stay in memory; a later sync that succeeds does not save them."""
    disk = run(Model.STRICT, "W log new", "F log", "S log", start={"log": b"old"})
    assert all(image == {"log": b"old"} for image in images(disk))
    assert disk.shown() == {"log": b"new"}


def test_a_lost_page_that_is_written_again_is_saved() -> None:
    """What makes a page dirty again brings the whole of it to the disk."""
    lines = ("W log new 0", "F log", "W log er 3", "S log")
    disk = run(Model.STRICT, *lines, start={"log": b"oldie"})
    assert all(image == {"log": b"newer"} for image in images(disk))
