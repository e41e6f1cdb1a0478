"""Publishing killed at each of its steps: no audit takes what is left for a difference.

What was published and not noted yet is newer than the store knows, signed by the log,
and its tree is that of the entries; anything else is `checkpoint-differs`.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

import ledger.publish
from ledger.anchor import Anchor
from ledger.home import Home
from ledger.storage.sqlite import SqliteStore
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import parse_checkpoint
from ledger.tlog.checkpoint import sign_checkpoint
from ledger.tlog.note import parse_note
from tests.drills.places import ORIGIN
from tests.drills.places import audit
from tests.drills.places import grow
from tests.drills.places import log_key

Function = Callable[..., Any]


class KilledError(BaseException):
    """As a kill: nothing handles it."""


def before(step: Function) -> Function:
    """Be killed instead of a step."""
    del step

    def killed(*args: object, **options: object) -> None:
        raise KilledError

    return killed


def after(step: Function) -> Function:
    """Be killed once a step is done."""

    def killed(*args: object, **options: object) -> None:
        step(*args, **options)
        raise KilledError

    return killed


def within(put_files: Function) -> Function:
    """Be killed after the first file."""

    def killed(public: Path, files: Iterable[object]) -> None:
        put_files(public, [next(iter(files))])
        raise KilledError

    return killed


STEPS = [
    (before, Anchor, "swap"),
    (after, Anchor, "swap"),
    (before, ledger.publish, "put_files"),
    (within, ledger.publish, "put_files"),
    (after, ledger.publish, "put_files"),
    (after, ledger.publish, "put_checkpoint"),
    (before, SqliteStore, "swap_checkpoint"),
    (after, SqliteStore, "swap_checkpoint"),
]


def name_of(step: tuple[Function, object, str]) -> str:
    """Name a step."""
    return f"{step[0].__name__}-{step[2]}"


@pytest.mark.parametrize("step", STEPS, ids=name_of)
def test_a_kill_leaves_nothing_wrong(
    home: Home, step: tuple[Function, object, str]
) -> None:
    """The audit passes as it is, and after the next publication."""
    how, where, name = step
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(where, name, how(getattr(where, name)))
        with pytest.raises(KilledError):
            grow(home)
    for size in (4, 5):
        report = audit(home)
        assert (report.exit_code, report.problems) == (0, [])
        assert grow(home) == size


@pytest.mark.parametrize(
    ("size", "root", "stranger", "codes"),
    [
        (3, None, False, []),
        (3, bytes(32), False, ["checkpoint-differs"]),
        (3, None, True, ["checkpoint-differs"]),
        (2, None, False, ["checkpoint-differs"]),
        (9, bytes(32), False, ["checkpoint-differs"]),
    ],
)
def test_a_real_difference_is_told(
    home: Home, *, size: int, root: bytes | None, stranger: bool, codes: list[str]
) -> None:
    """Another tree, another key, an older checkpoint, one of entries not there.

    The first is none of these: what a kill before the last step leaves.
    """
    older = (home.public / "checkpoint").read_text(encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SqliteStore, "swap_checkpoint", before(ledger.publish.publish))
        with pytest.raises(KilledError):
            grow(home)
    newer = (home.public / "checkpoint").read_text(encoding="utf-8")
    published = parse_checkpoint(parse_note(newer).text)
    if size == parse_checkpoint(parse_note(older).text).size:
        grow(home)  # noted this time
        published = parse_checkpoint(parse_note(older).text)
    forged = Checkpoint(ORIGIN, size, root or published.root)
    key = log_key(home) if not stranger else type(log_key(home))(bytes(32))
    signed = sign_checkpoint(forged, ORIGIN, key)
    (home.public / "checkpoint").write_text(signed, encoding="utf-8")
    report = audit(home)
    assert [found.code for found in report.problems] == codes
