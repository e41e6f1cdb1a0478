"""What somebody can put into the public folder besides altered bytes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.audit.logs import Published
from tests.audit.logs import codes

HUGE_BYTES = 1 << 40
"""More than any memory holds; as a hole, it takes no place on disk."""


def _one(public: Path, folder: str) -> Path:
    return next(path for path in (public / folder).rglob("*") if path.is_file())


def _move_behind_link(public: Path, name: str) -> None:
    """Alter what lies under a name, and let a link lead there."""
    elsewhere = public.parent / "elsewhere"
    (public / name).rename(elsewhere)
    path = _one(elsewhere, ".")
    path.write_bytes(path.read_bytes()[::-1])
    (public / name).symlink_to(elsewhere)


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _bury(public: Path) -> None:
    path = public
    for _ in range(400):
        path /= "a"
        path.mkdir()


HARM: dict[str, Callable[[Path], None]] = {
    "linked entries": lambda public: _move_behind_link(public, "tile/entries"),
    "linked tiles": lambda public: _move_behind_link(public, "tile/0"),
    "linked manifests": lambda public: _move_behind_link(public, "manifest"),
    "a link out": lambda public: (public / "all").symlink_to("/"),
    "a pipe as a bundle": lambda public: _pipe(_one(public, "tile/entries")),
    "a pipe as a line": lambda public: _pipe(_one(public, "manifest")),
    "a pipe as checkpoint": lambda public: _pipe(public / "checkpoint"),
    "a huge bundle": lambda public: os.truncate(
        _one(public, "tile/entries"), HUGE_BYTES
    ),
    "a huge tile": lambda public: os.truncate(_one(public, "tile/0"), HUGE_BYTES),
    "a huge checkpoint": lambda public: os.truncate(public / "checkpoint", HUGE_BYTES),
    "an endless file": lambda public: (public / "tile/000").symlink_to("/dev/zero"),
    "folders without end": _bury,
}


@pytest.mark.parametrize("what", HARM)
def test_what_is_no_file_of_a_log_is_found(small: Published, what: str) -> None:
    """Links, pipes and endless files are problems; none is followed, none hangs."""
    HARM[what](small.public)
    assert small.audit().exit_code == 4


def test_a_name_cannot_act_on_a_terminal(small: Published) -> None:
    """The name of a stray file is shown escaped, on one line."""
    (small.public / "tile" / "\x1b[2J\nok").touch()
    report = small.audit()
    assert codes(report) == ["unexpected-file"]
    assert report.problems[0].message.startswith(r"'tile/\x1b[2J\nok'")
