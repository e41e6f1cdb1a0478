"""Room for bodies on their way: bounded, and shared with whoever takes least."""

from __future__ import annotations

import pytest

from ledger.cli.spool import SMALL_BYTES_MAX
from ledger.cli.spool import Body
from ledger.cli.spool import NoRoomError
from ledger.cli.spool import Room


def test_small_bodies_need_no_room() -> None:
    """Only what goes into a file counts, and is given back when it is dropped."""
    room = Room(3 * SMALL_BYTES_MAX)
    small, large = Body(room, "a"), Body(room, "a")
    small.append(b"x" * SMALL_BYTES_MAX)
    assert len(room) == 0
    large.append(b"x" * (SMALL_BYTES_MAX + 1))
    assert len(room) == SMALL_BYTES_MAX + 1
    assert large.getfile().read() == b"x" * (SMALL_BYTES_MAX + 1)
    large.close()
    large.close()
    small.close()
    assert len(room) == 0


def test_the_largest_of_whoever_sends_most_gives_way() -> None:
    """Where room ends one address loses a body, whoever needs it; not a whole one."""
    room = Room(10 * SMALL_BYTES_MAX)
    sizes = (("a", 2), ("a", 3), ("a", 4))
    bodies_of_a = [Body(room, peer) for peer, _ in sizes]
    for body, (_, size) in zip(bodies_of_a, sizes, strict=True):
        body.append(b"x" * (size * SMALL_BYTES_MAX))
    bodies_of_a[2].coming = False
    honest = Body(room, "b")
    honest.append(b"x" * (3 * SMALL_BYTES_MAX))
    with pytest.raises(NoRoomError):
        bodies_of_a[1].append(b"x")
    assert len(room) == 9 * SMALL_BYTES_MAX
    with pytest.raises(NoRoomError):  # its own is what it would have to give
        honest.append(b"x" * (9 * SMALL_BYTES_MAX))
    for body in (*bodies_of_a, honest):
        body.close()
    assert len(room) == 0


def test_the_disk_keeps_most_of_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bodies leave three quarters of a disk to the log, however large they may be."""

    class Usage:
        free = 16 * SMALL_BYTES_MAX

    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage)
    room = Room(1 << 40)
    body = Body(room, "a")
    body.append(b"x" * (4 * SMALL_BYTES_MAX))
    with pytest.raises(NoRoomError):
        body.append(b"x" * (2 * SMALL_BYTES_MAX))
    body.close()
